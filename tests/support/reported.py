"""A finished run with all that its report shows, and no training: only the models of its folds are missing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from oof import write_finished_run

from kobert_hf_emotion.audit import audit_dataset
from kobert_hf_emotion.metrics.scores import score, table_report
from kobert_hf_emotion.runs.out_of_fold import out_of_fold_report

HISTORY = "epoch,step,train_loss,train_accuracy,val_loss,val_accuracy,val_macro_f1\n"


def logits_for(truth: np.ndarray, classes: int, right: float = 0.8, seed: int = 0) -> np.ndarray:
    """Logits of a model that is right in about that share of the rows."""
    random = np.random.default_rng(seed)
    answer = np.where(random.random(len(truth)) < right, truth, random.integers(0, classes, len(truth)))
    logits = random.normal(size=(len(truth), classes))
    logits[np.arange(len(truth)), answer] += random.exponential(3, len(truth)) + 1
    return logits


def write_reported_run(
    folder: Path, labels: Sequence[str], texts: Sequence[str], truth: np.ndarray, logits: np.ndarray, **more: Any
) -> Path:
    """Writes `run.json`, `oof_predictions.csv`, `report.json`, `audit.json` and a history of three folds."""
    record = {
        "model": "somebody/model",
        "rows": len(texts),
        "n_splits": 3,
        "best": "fold_2",
        "training_arguments": {"learning_rate": 5e-05, "output_dir": "/home/somebody/runs", "seed": 42},
        "versions": {"torch": "2.13.0"},
    }
    write_finished_run(folder, logits, truth, labels, texts, **(record | more))
    folds = np.arange(len(texts)) % 3 + 1
    scores = {f"fold_{number}": asdict(score(logits[folds == number], truth[folds == number])) for number in (1, 2, 3)}
    report = {
        "folds": scores,
        "pooled": asdict(score(logits, truth)),
        "best": {"fold": "fold_2", "chosen_on": "validation macro_f1"},
        "classification_report": table_report(logits, truth, labels),
        **out_of_fold_report(logits, truth, folds, labels).to_dict(),
    }
    write(folder / "report.json", report)
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=list(labels))})
    rows = datasets.Dataset.from_dict({"text": list(texts), "label": truth.tolist()}, features=features)
    write(folder / "audit.json", audit_dataset(rows, n_splits=3).to_dict())
    for number in (1, 2, 3):
        (folder / f"fold_{number}").mkdir()
        lines = [f"{epoch},{epoch * 9},{1 / epoch},{0.2 * epoch},{1.1 / epoch},{0.1 * epoch},nan" for epoch in (1, 2)]
        (folder / f"fold_{number}" / "history.csv").write_text(HISTORY + "\n".join(lines), encoding="utf-8")
    return folder


def write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
