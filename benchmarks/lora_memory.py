"""The peak memory of a k-fold run of a KoBERT-size model, with and without LoRA, each in a process of its own.

    python -m benchmarks.lora_memory [--model kobert-size] [--rows 64] [--batch 64]

Peak resident memory as the system counts it (`ru_maxrss`); the share is that of what came on top of the libraries.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from kobert_hf_emotion.labels import EMOTION_LABELS

from .models import SIZES, save_model
from .texts import available, load_texts

WAYS = {
    "all weights": {"lora": 0, "parts": 1},
    "all weights, batch in 8 parts": {"lora": 0, "parts": 8},
    "LoRA 8": {"lora": 8, "parts": 1},
    "LoRA 8, batch in 8 parts": {"lora": 8, "parts": 8},
}
"""How a run is trained: the rank, and the parts that a batch is accumulated from."""


def main(argv: list[str] | None = None) -> int:
    """Prints a line for each way."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lora_memory", description=__doc__)
    parser.add_argument("--model", choices=list(SIZES), default="kobert-size")
    parser.add_argument("--rows", type=int, default=128, help="of which each of two folds trains half")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--way", choices=list(WAYS), action="append", help="all by default")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.child is not None:
        print(json.dumps(_run(args, Path(args.child[0]), WAYS[args.child[1]])))  # noqa: T201
        return 0
    from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

    with TemporaryDirectory() as folder:
        model = save_model(
            args.model, EMOTION_LABELS, KoBERTTokenizer.from_pretrained("default"), Path(folder, "model")
        )
        first = None
        for way in args.way or WAYS:
            command = [sys.executable, "-m", "benchmarks.lora_memory", "--child", str(model), way]
            command += ["--rows", str(args.rows), "--batch", str(args.batch), "--data", str(args.data)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
            found = json.loads(done.stdout.splitlines()[-1])
            first = first or found
            share = found["on_top_mb"] / first["on_top_mb"]
            print(  # noqa: T201
                f"{way:<32} peak {found['peak_mb']:>7,.0f} MB  on top of the libraries {found['on_top_mb']:>7,.0f} MB "
                f"({share:.0%})  {found['seconds']:.0f} s  fold on the disk {found['fold_mb']:.1f} MB",
                flush=True,
            )
    return 0


def _run(args: argparse.Namespace, model: Path, way: dict[str, int]) -> dict[str, float]:
    import datasets

    from kobert_hf_emotion.runs.cross_validation import cross_validate
    from kobert_hf_emotion.training.arguments import EmotionTrainingArguments

    texts = load_texts(available(args.data)[0], args.data, args.rows)
    names = datasets.ClassLabel(names=texts.label_names)
    rows = datasets.Dataset.from_dict(
        {"text": texts.texts, "label": texts.labels},
        features=datasets.Features({"text": datasets.Value("string"), "label": names}),
    )
    training = EmotionTrainingArguments(
        num_train_epochs=1,
        per_device_train_batch_size=args.batch // way["parts"],
        per_device_eval_batch_size=args.batch // way["parts"],
        gradient_accumulation_steps=way["parts"],
        lora=way["lora"],
        learning_rate=1e-3,
        disable_tqdm=True,
        report_to="none",
    )
    before, began = _peak(), time.perf_counter()
    with TemporaryDirectory() as folder:
        cross_validate(rows, Path(folder, "run"), model, training, n_splits=2)
        fold = sum(file.stat().st_size for file in Path(folder, "run", "fold_1").iterdir()) / 1e6
    return {
        "peak_mb": _peak(),
        "on_top_mb": _peak() - before,
        "seconds": time.perf_counter() - began,
        "fold_mb": fold,
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    sys.exit(main())
