"""The figures of a training, evaluation by evaluation."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from ..utils.files import atomic_write


@dataclass(frozen=True)
class EpochRecord:
    """One row of a fold's `history.csv`; the training figures are those of the rows seen since the last one."""

    epoch: float
    step: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    val_macro_f1: float


def history_of(log: Sequence[Mapping[str, Any]]) -> list[EpochRecord]:
    """Returns a record of each evaluation in a trainer's log; none of an evaluation of several data sets."""
    return [
        EpochRecord(
            epoch=line["epoch"],
            step=int(line["step"]),
            train_loss=line["train_loss"],
            train_accuracy=line["train_accuracy"],
            val_loss=line["eval_loss"],
            val_accuracy=line.get("eval_accuracy", float("nan")),  # without them where metrics are another's
            val_macro_f1=line.get("eval_macro_f1", float("nan")),
        )
        for line in log
        if "eval_loss" in line and "train_loss" in line
    ]


def write_history(path: str | os.PathLike[str], history: Sequence[EpochRecord]) -> None:
    """Writes a CSV with a row an epoch."""
    with atomic_write(path, "w", newline="") as handle:
        writer = csv.DictWriter(handle, [field.name for field in fields(EpochRecord)])
        writer.writeheader()
        writer.writerows(asdict(record) for record in history)


def read_history(path: Path) -> list[EpochRecord]:
    """Reads a `history.csv`; its numbers are those that were written, to the last bit."""
    types = get_type_hints(EpochRecord)
    with path.open(encoding="utf-8", newline="") as handle:
        return [
            EpochRecord(**{field.name: types[field.name](row[field.name]) for field in fields(EpochRecord)})
            for row in csv.DictReader(handle)
        ]
