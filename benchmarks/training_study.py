"""Whether other ways to train are worth an option: three data sets, at least five seeds, paired with the plain way.

    python -m benchmarks.training_study --data ../shared/data --results build/study.jsonl [--seeds 5]

Each training is a line of the results as soon as it is over; those that are there are not done again. The start is the
embedded default, the rows are of test parts that it has never seen (`benchmarks/unseen.py`). A seed draws the rows, the
head and the order; every method has the same. The figure is macro F1 on rows that nobody learns from.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import datasets
import numpy as np
import torch
import transformers
from scipy import stats

from kobert_hf_emotion.data.label_ids import label_ids
from kobert_hf_emotion.tasks.choice import task_of
from kobert_hf_emotion.training.arguments import EmotionTrainingArguments

from .training_methods import METHODS, build
from .unseen import UNSEEN_SETS, Parts, divide

FIGURES = ("macro_f1", "accuracy", "log_loss")


def main(argv: list[str] | None = None) -> int:
    """Does what is left to do, and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_study", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--results", type=Path, required=True, help="JSON lines, one a training")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--labelled", type=int, default=256)
    parser.add_argument("--tested", type=int, default=800)
    parser.add_argument("--epochs", type=float, default=4)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--max-length", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--method", choices=list(METHODS), action="append", help="all by default")
    parser.add_argument("--table", action="store_true", help="only the table of what is there")
    args = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    datasets.disable_progress_bars()
    torch.set_num_threads(1)  # processor time is then that of the method
    done = _read(args.results)
    if not args.table:
        for seed in range(args.seeds):  # seed by seed, so that a study that is stopped has whole pairs
            for name in UNSEEN_SETS:
                parts = divide(name, args.data, args.labelled, 0, args.tested, seed)
                for method in args.method or METHODS:
                    if (method, name, seed) not in done:
                        found = _train(method, parts, seed, args)
                        done[method, name, seed] = found
                        _append(args.results, {"method": method, "data": name, "seed": seed, **found})
    for line in table(done):
        print(line)  # noqa: T201
    return 0


def _train(method: str, parts: Parts, seed: int, args: argparse.Namespace) -> dict[str, float]:
    """Returns the figures of one training on the rows that are tested on."""
    trainer_class, model_class, callbacks, arguments = build(method)
    names = parts.labelled.features["label"].names
    transformers.set_seed(seed)
    with tempfile.TemporaryDirectory() as folder:
        training = EmotionTrainingArguments(
            folder, num_train_epochs=args.epochs, learning_rate=args.learning_rate, dropout=0.1, seed=seed,
            max_length=args.max_length, per_device_train_batch_size=args.batch_size,
            eval_strategy="no", save_strategy="no", logging_strategy="no", disable_tqdm=True, report_to="none",
            **arguments,
        )  # fmt: skip
        model = model_class.from_pretrained(
            "default", num_labels=len(names), label2id={name: label for label, name in enumerate(names)},
            id2label=dict(enumerate(names)), ignore_mismatched_sizes=True, hidden_dropout_prob=0.1,
        )  # fmt: skip
        trainer = trainer_class(model, training, parts.labelled, callbacks=callbacks)
        trainer.remove_callback(transformers.PrinterCallback)
        start = time.process_time()
        trainer.train()
        seconds = time.process_time() - start
        logits = trainer.predict(parts.test).predictions
    scores = task_of(model.config).score(np.asarray(logits), label_ids(parts.test, names))
    return {**{figure: float(getattr(scores, figure)) for figure in FIGURES}, "cpu_seconds": seconds}


def table(done: dict[tuple[str, str, int], dict[str, float]]) -> list[str]:
    """Returns a line for each method and data set: the mean, and the mean difference from the plain way.

    The interval is Student's over the pairs (95%), p the paired t-test's over the pairs of all data sets, held against
    the number of methods by Holm's way.
    """
    lines, p_values, all_differences = [], {}, {}
    for method in METHODS:
        differences: list[float] = []
        for name in UNSEEN_SETS:
            keys = [key for key in done if key[:2] == (method, name) and ("plain", name, key[2]) in done]
            if not keys:
                continue
            own = [done[key]["macro_f1"] for key in keys]
            own_differences = [done[key]["macro_f1"] - done["plain", name, key[2]]["macro_f1"] for key in keys]
            differences += own_differences
            others = "  ".join(f"{figure} {np.mean([done[key][figure] for key in keys]):.4f}" for figure in FIGURES[1:])
            lines.append(
                f"{method:<20} {name:<11} {len(keys)} seeds  macro F1 {np.mean(own):.4f} ± {np.std(own, ddof=1):.4f}  "
                f"difference {_interval(own_differences)}  {others}"
            )
        if differences and method != "plain":
            all_differences[method] = differences
            p_values[method] = float(stats.ttest_1samp(differences, 0).pvalue)
    lines.append("")
    held, largest = {}, 0.0
    for rank, method in enumerate(sorted(p_values, key=p_values.__getitem__)):
        largest = max(largest, min(1.0, p_values[method] * (len(p_values) - rank)))
        held[method] = largest
    for method, differences in all_differences.items():
        cost = [found["cpu_seconds"] for key, found in done.items() if key[0] == method]
        plain = [found["cpu_seconds"] for key, found in done.items() if key[0] == "plain"]
        lines.append(
            f"{method:<20} {len(differences)} pairs  difference {_interval(differences)}  better in "
            f"{sum(value > 0 for value in differences)}  p {p_values[method]:.4f}, Holm {held[method]:.4f}  "
            f"processor time {np.median(cost) / np.median(plain):.2f} of plain"
        )
    return lines


def _interval(values: list[float]) -> str:
    mean = float(np.mean(values))
    if len(values) < 2 or np.std(values) == 0:
        return f"{mean:+.4f}"
    half = float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return f"{mean:+.4f} [{mean - half:+.4f}, {mean + half:+.4f}]"


def _read(path: Path) -> dict[tuple[str, str, int], dict[str, float]]:
    if not path.is_file():
        return {}
    rows: list[dict[str, Any]] = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {(row["method"], row["data"], row["seed"]): row for row in rows}


def _append(path: Path, row: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    sys.exit(main())
