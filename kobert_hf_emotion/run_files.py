"""Files that training writes beside a model."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import asdict, fields

from .files import atomic_write
from .trainer import EpochRecord


def write_history(path: str | os.PathLike[str], history: Sequence[EpochRecord]) -> None:
    """Writes a CSV with a row an epoch."""
    with atomic_write(path, "w", newline="") as handle:
        writer = csv.DictWriter(handle, [field.name for field in fields(EpochRecord)])
        writer.writeheader()
        writer.writerows(asdict(record) for record in history)
