"""`python -m benchmarks WHAT`: ours and what users would run instead, in turn."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before any Hugging Face import; nothing is fetched
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import datasets

from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

from . import (
    distillation,
    estimate,
    explanations,
    inference,
    report_page,
    serving,
    tokenization,
    training,
    training_steps,
)
from .baselines import Settings
from .models import SIZES, save_model
from .report import Report, report
from .texts import Texts, available, load_texts

WHAT = ["tokenization", "training", "inference", "serving", "explanations", "report", "estimate", "distillation"]


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", choices=WHAT)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with nsmc/ and kote/")
    parser.add_argument(
        "--texts", choices=["nsmc", "kote", "generated", "sample"], action="append", help="by default those in --data"
    )
    parser.add_argument(
        "--count",
        type=int,
        help="texts; by default 20,000, 1,280 to train, 2,000 to predict, 1,000 to serve, 500 to explain, 40,000 in a "
        "report, 1,000 with a label to distil",
    )
    parser.add_argument("--repeats", type=int, help="rounds; by default 3, with --steps 1")
    parser.add_argument("--model", choices=list(SIZES), default="small", help="shape of the random weights")
    parser.add_argument("--tokenizer", default="default", help="tokenization: whose spiece.model")
    parser.add_argument("--folds", type=int, default=2, help="training")
    parser.add_argument("--epochs", type=int, help="training: 1 by default; distillation: 5")
    parser.add_argument("--unlabelled", type=int, default=4000, help="distillation: texts without a label")
    parser.add_argument("--steps", type=int, help="training: so many steps of 64 texts instead of the k-fold job")
    jobs = [job.name for job in estimate.JOBS]
    parser.add_argument("--job", choices=jobs, action="append", help="estimate: the runs, all if left out")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--bf16", action="store_true", help="bfloat16 for ours, HF Trainer and the pipeline")
    parser.add_argument("--json", action="store_true", help="JSON instead of tables")
    args = parser.parse_args(argv)
    if args.steps and (args.what != "training" or args.count):
        parser.error("--steps is for training, and says how many texts there are: no --count beside it")
    args.repeats = args.repeats or (1 if args.steps else 3)
    return args


COUNTS = {
    "tokenization": 20_000,
    "training": 1_280,
    "inference": 2_000,
    "serving": 1_000,
    "explanations": 500,
    "report": 40_000,
    "estimate": max(job.rows for job in estimate.JOBS),
}
"""Texts by default."""


def run(args: argparse.Namespace) -> list[Report]:
    """Does what the command line asks for."""
    if args.what == "distillation":
        settings = distillation.Settings(
            "default", args.count or 1000, args.unlabelled, 2000, args.epochs or 5, args.repeats
        )
        names = args.texts or [name for name in distillation.SETS if name == "sample" or name in available(args.data)]
        return [distillation.measure(name, args.data, settings) for name in names]
    reports: list[Report] = []
    for name in args.texts or available(args.data):
        count = args.steps * Settings.batch_size if args.steps else args.count or COUNTS[args.what]
        texts = load_texts(name, args.data, count)
        if args.what in ("report", "serving", "inference"):
            reports.extend(_of_a_saved_model(args, texts, count))
        else:
            reports.append(_of_texts(args, texts))
    if args.what == "inference":
        reports.append(inference.measure_start(args.repeats))
    return reports


def _of_texts(args: argparse.Namespace, texts: Texts) -> Report:
    if args.what == "tokenization":
        return tokenization.measure(texts, args.tokenizer, args.repeats)
    if args.what == "explanations":
        return explanations.measure(texts)
    if args.what == "estimate":
        chosen = tuple(job for job in estimate.JOBS if job.name in (args.job or [job.name]))
        return estimate.measure(texts, args.repeats, chosen)
    settings = Settings(epochs=args.epochs or 1, device=args.device, bf16=args.bf16)
    if args.steps:
        return training_steps.measure(texts, args.model, settings, args.repeats)
    return training.measure(texts, args.model, args.folds, settings, args.repeats)


def _of_a_saved_model(args: argparse.Namespace, texts: Texts, count: int) -> list[Report]:
    with TemporaryDirectory() as folder:
        tokenizer = KoBERTTokenizer.from_pretrained("default")
        saved = save_model(args.model, texts.label_names, tokenizer, Path(folder))
        if args.what == "report":
            return [report_page.measure(texts, saved, count)]
        if args.what == "serving":
            return serving.measure(texts, saved, args.repeats)
        return inference.measure(texts, saved, args.repeats, args.device, args.bf16)


def main(argv: list[str] | None = None) -> int:
    """Runs a benchmark; 1 where the results do not agree, 2 where something cannot be measured."""
    args = parse(argv)
    datasets.disable_caching()  # every round computes its token ids
    return report(lambda: run(args), args.json)


if __name__ == "__main__":
    sys.exit(main())
