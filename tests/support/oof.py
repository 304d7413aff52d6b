"""Folders of finished runs, without the training: for tests of what is done with them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kobert_hf_emotion.inference.prediction_csv import prediction_csv
from kobert_hf_emotion.tasks.task import Task


def write_finished_run(
    folder: Path,
    logits: np.ndarray,
    truth: np.ndarray,
    labels: Sequence[str],
    texts: Sequence[str],
    columns: dict[str, Any] | None = None,
    task: Task | None = None,
    **record: Any,
) -> Path:
    """Writes `run.json` and `oof_predictions.csv` as a run leaves them."""
    folder.mkdir(parents=True)
    record |= {} if task is None else {"task": task.name}
    data = hashlib.sha256("\n".join(f"{label}\t{text}" for label, text in zip(truth, texts, strict=True)).encode())
    content = {
        "finished": True,
        "labels": list(labels),
        "data_sha256": data.hexdigest(),
        "split_sha256": "0" * 64,
        "group_by": None,
    }
    (folder / "run.json").write_text(json.dumps(content | record, ensure_ascii=False), encoding="utf-8")
    known = columns or {"row": list(range(1, len(texts) + 1))}
    fold = [index % 3 + 1 for index in range(len(texts))]
    with prediction_csv(folder / "oof_predictions.csv", labels, task) as table:
        table.write({**known, "text": texts, "fold": fold}, logits, truth)
    return folder
