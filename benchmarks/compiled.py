"""`python -m benchmarks.compiled`: an exported model beside `EmotionClassifier.predict` and the pipeline.

The model must be a trained one: how many labels int8 changes depends on how far apart a model's logits are.

    python -m benchmarks.compiled --model default --count 3000
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before any Hugging Face import; nothing is fetched

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from kobert_hf_emotion.assets import resolve_default
from kobert_hf_emotion.export import OnnxClassifier, export_onnx
from kobert_hf_emotion.inference.classifier import load_classifier
from kobert_hf_emotion.modeling.classifier import EmotionClassifier

from .baselines import fast_tokenizer, text_pipeline
from .inference import compare_logits
from .models import save_trained
from .report import OURS, Disagreement, Report, report
from .texts import Texts, load_texts
from .timing import interleave

SMALLEST_AGREEMENT = 0.995
LARGEST_F1_LOSS = 0.003
SINGLE_TEXTS = 100


def measure(texts: Texts, source: str, count: int, repeats: int) -> list[Report]:
    """Exports a model in int8 and float32, compares their labels on all texts, and times the first `count` of them.

    Args:
        texts: What to predict; where their labels are the model's, macro F1 is compared as well.
        source: "default" or a folder.
        count: Texts to time.
        repeats: Rounds.

    Raises:
        Disagreement: int8 changes more than 0.5% of the labels, or costs more than 0.3 points of macro F1.
    """
    place = Path(resolve_default(source))
    model = EmotionClassifier.from_pretrained(place)
    with TemporaryDirectory() as folder:
        exports = {}
        for name, int8 in (("int8", True), ("float32", False)):
            export_onnx(load_classifier(place), Path(folder, name), int8)
            exports[name] = OnnxClassifier.from_pretrained(Path(folder, name), threads=torch.get_num_threads())
        rows = texts.texts
        checks = _agreement(exports, model, texts)
        timed = rows[:count]
        saved = save_trained(place, Path(folder, "torch"))
        pipe = text_pipeline(saved, "cpu", bf16=False)
        checks |= compare_logits(model, pipe, timed[:1000], fast_tokenizer(saved))
        options: dict[str, Any] = {"truncation": True, "max_length": model.tokenizer.model_max_length}
        for warm in (exports["int8"].predict, exports["float32"].predict, model.predict):
            warm(timed[:500])
        pipe(timed[:200], batch_size=64, **options)
        timings = interleave(
            {
                OURS: lambda: exports["int8"].predict(timed),
                "float32 export": lambda: exports["float32"].predict(timed),
                "EmotionClassifier.predict": lambda: model.predict(timed),
                "pipeline(batch_size=64)": lambda: pipe(timed, batch_size=64, **options),
            },
            repeats,
        )
        few = timed[:SINGLE_TEXTS]
        single = interleave(
            {
                OURS: lambda: [exports["int8"].predict([text]) for text in few],
                "EmotionClassifier.predict": lambda: [model.predict([text]) for text in few],
                "pipeline": lambda: [pipe(text, **options) for text in few],
            },
            repeats,
        )
    return [
        Report(f"Int8 export (ours), {len(timed):,} texts of {texts.name}, {source}", checks, timings, len(timed)),
        Report(f"Int8 export (ours), {len(few)} texts one at a time", {}, single, len(few)),
    ]


def _agreement(exports: dict[str, OnnxClassifier], model: EmotionClassifier, texts: Texts) -> dict[str, Any]:
    label2id: dict[Any, Any] = model.config.label2id or {}
    expected = np.array([label2id[found["label"]] for found in model.predict(texts.texts)])
    checks: dict[str, Any] = {"texts compared": len(expected)}
    truth = np.asarray(texts.labels)
    labelled = list(texts.label_names) == model.config.labels
    for name, export in exports.items():
        found = export.predict_logits(texts.texts).argmax(-1)
        agreement = float((found == expected).mean())
        checks[f"labels of {name} that are torch's"] = agreement
        if labelled:
            loss = _macro_f1(truth, expected) - _macro_f1(truth, found)
            checks[f"macro F1 lost by {name}"] = loss
            if loss > LARGEST_F1_LOSS:
                raise Disagreement(f"{name} loses {loss:.4f} of macro F1")
        if agreement < SMALLEST_AGREEMENT:
            raise Disagreement(f"{name} gives {agreement:.2%} of torch's labels")
    return checks


def _macro_f1(truth: NDArray[np.integer], found: NDArray[np.integer]) -> float:
    return float(f1_score(truth, found, average="macro"))


def main(argv: list[str] | None = None) -> int:
    """Runs the benchmark; 1 where the results do not agree, 2 where something cannot be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compiled", description=__doc__)
    parser.add_argument("--model", default="default", help="'default' or a folder with a trained model")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with nsmc/ and kote/")
    parser.add_argument("--texts", choices=["nsmc", "kote", "generated"], default="nsmc")
    parser.add_argument("--compared", type=int, default=20_000, help="texts whose labels are compared")
    parser.add_argument("--count", type=int, default=20_000, help="texts that are timed")
    parser.add_argument("--repeats", type=int, default=3, help="rounds")
    parser.add_argument("--json", action="store_true", help="JSON instead of tables")
    args = parser.parse_args(argv)

    def run() -> list[Report]:
        texts = load_texts(args.texts, args.data, max(args.compared, args.count))
        return measure(texts, args.model, args.count, args.repeats)

    return report(run, args.json)


if __name__ == "__main__":
    sys.exit(main())
