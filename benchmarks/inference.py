"""Predictions: many texts, one at a time, and from a cold start."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kobert_hf_emotion.assets import resolve_default
from kobert_hf_emotion.inference import predict_logits
from kobert_hf_emotion.modeling import EmotionClassifier

from .baselines import fast_tokenizer, text_pipeline
from .models import MAX_LENGTH
from .report import OURS, Disagreement, Report
from .texts import Texts
from .timing import Timing, interleave

TOLERANCE = 1e-4
TOLERANCE_BF16 = 0.1
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
    checks = _compare(model, pipe(sample, batch_size=64, **options), sample, fast_tokenizer(model_folder), bf16)
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
    timings = interleave(
        {
            OURS: lambda: _run(_OURS_COLD),
            "pipeline": lambda: _run(_PIPELINE_COLD.format(folder=resolve_default("default"))),
            "importing torch and transformers' BERT alone": lambda: _run(
                "import torch\nfrom transformers import BertForSequenceClassification"
            ),
            "import kobert_hf_emotion": lambda: _run("import kobert_hf_emotion"),
        },
        repeats,
    )
    return Report("From import to the first answer, in a new process", {}, timings)


def _compare(model: EmotionClassifier, answers: list[Any], texts: list[str], fast: Any, bf16: bool) -> dict[str, Any]:
    names = model.config.labels
    theirs = np.array([[{part["label"]: part["score"] for part in row}[name] for name in names] for row in answers])
    ours = predict_logits(model, model.tokenizer, texts)
    options: dict[str, Any] = {"truncation": True, "max_length": MAX_LENGTH}
    pairs = zip(model.tokenizer(texts, **options)["input_ids"], fast(texts, **options)["input_ids"], strict=True)
    same = np.array([a == b for a, b in pairs])
    largest = float(np.abs(ours - theirs)[same].max())
    if largest > (TOLERANCE_BF16 if bf16 else TOLERANCE):
        raise Disagreement(f"logits differ by up to {largest:.2g}")
    return {"largest difference of logits": largest, "texts compared": int(same.sum()), "of": len(texts)}


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
    done = subprocess.run(  # noqa: S603 - our own code in our own interpreter
        [sys.executable, "-c", _START.format(code=code)], check=True, capture_output=True, text=True
    )
    return statistics.fmean(map(float, done.stdout.split()[-1:]))
