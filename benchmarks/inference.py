"""Predictions: many texts, one at a time, and from a cold start."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.modeling.prediction import predict_logits

from .baselines import fast_tokenizer, text_pipeline
from .models import MAX_LENGTH, save_trained
from .report import OURS, Disagreement, Report
from .texts import Texts
from .timing import Timing, interleave

TOLERANCE = 1e-4
TOLERANCE_BF16 = 0.1
SMALLEST_ALIKE = 0.98
SINGLE_TEXTS = 200
BLOCK = 20
_START = """
import time; start = time.perf_counter()
{code}
print(time.perf_counter() - start)
"""
_OURS_COLD = """
from kobert_hf_emotion import EmotionClassifier
EmotionClassifier.from_pretrained("default").predict(["오늘 정말 행복했어"])
"""
_PIPELINE_COLD = """
from transformers import pipeline
pipeline("text-classification", model={folder!r})(["오늘 정말 행복했어"])
"""


def measure(texts: Texts, model_folder: Path, repeats: int, device: str = "cpu", bf16: bool = False) -> list[Report]:
    """Times `EmotionClassifier.predict` beside the pipeline, for all texts at once and one at a time.

    Args:
        texts: What to predict.
        model_folder: A saved classifier with its tokenizer.
        repeats: Rounds.
        device: As for torch.
        bf16: Whether both compute in bfloat16.

    Raises:
        Disagreement: The logits differ by more than 1e-4 (0.1 in bfloat16) for a text that both tokenise alike.
    """
    dtype = torch.bfloat16 if bf16 else torch.float32
    model = EmotionClassifier.from_pretrained(model_folder, dtype=dtype)
    model.to(torch.device(device))  # type: ignore[arg-type]
    model.tokenizer.model_max_length = MAX_LENGTH
    pipe = text_pipeline(model_folder, device, bf16)
    options: dict[str, Any] = {"truncation": True, "max_length": MAX_LENGTH}
    rows = texts.texts
    sample = rows[:1000]
    checks = compare_logits(model, pipe, sample, fast_tokenizer(model_folder), TOLERANCE_BF16 if bf16 else TOLERANCE)
    model.predict(sample)
    title = f"{len(rows):,} texts of {texts.name} on {device}{', bf16' if bf16 else ''}"
    batched = interleave(
        {OURS: lambda: model.predict(rows), "pipeline(batch_size=64)": lambda: pipe(rows, batch_size=64, **options)},
        repeats,
    )
    single = _latencies(
        {OURS: lambda text: model.predict([text]), "pipeline": lambda text: pipe(text, **options)}, rows
    )
    return [
        Report(f"Inference: {title}", checks, batched, len(rows)),
        Report(f"Inference, one text at a time, {min(SINGLE_TEXTS, len(rows))} texts", {}, single),
    ]


def measure_start(repeats: int) -> Report:
    """Times new processes from the first import to the first answer, and what the imports alone take."""
    with TemporaryDirectory() as place:
        folder = os.fspath(save_trained("default", Path(place)))
        codes = {
            OURS: _OURS_COLD,
            "pipeline": _PIPELINE_COLD.format(folder=folder),
            "importing torch and transformers' BERT alone": "import torch\n"
            "from transformers import BertForSequenceClassification",
            "import kobert_hf_emotion": "import kobert_hf_emotion",
        }
        seconds: dict[str, list[float]] = {name: [] for name in codes}
        for _ in range(repeats):
            for name, code in codes.items():
                seconds[name].append(_run(code))
    timings = {name: Timing(tuple(values)) for name, values in seconds.items()}
    return Report("From import to the first answer, in a new process", {}, timings)


def compare_logits(
    model: EmotionClassifier, pipe: Any, texts: list[str], fast: Any, tolerance: float = TOLERANCE
) -> dict[str, Any]:
    """Compares the logits of a model and of a pipeline on the texts that both tokenise alike.

    Raises:
        Disagreement: They differ by more than `tolerance`, or fewer than 98% of the texts are tokenised alike.
    """
    options: dict[str, Any] = {"truncation": True, "max_length": model.tokenizer.model_max_length}
    answers = pipe(texts, batch_size=64, **options)
    names = model.config.labels
    theirs = np.array([[{part["label"]: part["score"] for part in row}[name] for name in names] for row in answers])
    ours = predict_logits(model, model.tokenizer, texts)
    pairs = zip(model.tokenizer(texts, **options)["input_ids"], fast(texts, **options)["input_ids"], strict=True)
    same = np.array([a == b for a, b in pairs])
    if same.mean() < SMALLEST_ALIKE:
        raise Disagreement(f"only {same.mean():.1%} of the texts are tokenised alike")
    largest = float(np.abs(ours - theirs)[same].max())
    if largest > tolerance:
        raise Disagreement(f"logits differ by up to {largest:.2g}")
    return {"largest difference of logits": largest, "of texts": f"{int(same.sum()):,} of {len(texts):,}"}


def _latencies(ways: dict[str, Callable[[str], object]], rows: list[str]) -> dict[str, Timing]:
    """Times text by text; the ways take turns every `BLOCK` texts, so that each finds its weights in the cache."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for start in range(0, min(SINGLE_TEXTS, len(rows)), BLOCK):
        for name, run in ways.items():
            for position, text in enumerate([rows[start], *rows[start : start + BLOCK]]):
                begin = time.perf_counter()
                run(text)
                if position:  # the first warms up
                    seconds[name].append(time.perf_counter() - begin)
    return {name: Timing(tuple(values)) for name, values in seconds.items()}


def _run(code: str) -> float:
    """Returns the seconds that code takes in a new process by its own clock, which the process's end is no part of."""
    done = subprocess.run(  # noqa: S603 - our own code in our own interpreter
        [sys.executable, "-c", _START.format(code=code)], check=True, capture_output=True, text=True
    )
    return statistics.fmean(map(float, done.stdout.split()[-1:]))
