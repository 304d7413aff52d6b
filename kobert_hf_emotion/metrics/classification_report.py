"""scikit-learn's classification report of rows that are counted already, and are not made anew for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .rates import rates


def text_report_of(confusion: NDArray[np.integer], names: Sequence[str]) -> str:
    """Returns the classification report as text.

    Classes that neither occur nor are predicted are left out, as in the macro F1 of `scores.score`.

    Args:
        confusion: Rows by true and predicted label, shape (classes, classes).
        names: Label names in the order of their ids.
    """
    # Weighted rows are counted as 12.0.
    return re.sub(r"(?m)(\d+)\.0$", r"  \1", str(_report(confusion, names, as_dict=False)))


def table_report_of(confusion: NDArray[np.integer], names: Sequence[str]) -> dict[str, Any]:
    """Returns the classification report as a nested dict; arguments are those of `text_report_of`."""
    report: dict[str, Any] = _report(confusion, names, as_dict=True)
    for line in report.values():
        if isinstance(line, dict):
            line["support"] = int(line["support"])
    return report


def _report(confusion: NDArray[np.integer], names: Sequence[str], as_dict: bool) -> Any:
    from sklearn.metrics import classification_report

    truth, predicted = np.nonzero(confusion)
    present = np.union1d(truth, predicted)
    return classification_report(
        truth,
        predicted,
        sample_weight=confusion[truth, predicted],  # a cell stands for its rows
        target_names=[names[index] for index in present],
        digits=4,
        zero_division=0,
        output_dict=as_dict,
    )


def text_report_of_labels(counts: NDArray[np.int64], names: Sequence[str]) -> str:
    """Returns the classification report of several labels a row as text.

    Args:
        counts: Sums over rows of `metrics.multi_label.answer_counts`.
        names: Label names in the order of their ids.
    """
    table = table_report_of_labels(counts, names)
    width = max(len(name) for name in table)
    lines = [f"{'':>{width}} {'precision':>10} {'recall':>9} {'f1-score':>9} {'support':>9}", ""]
    for name, line in table.items():
        if name == "micro avg":
            lines.append("")
        figures = " ".join(f"{line[key]:>9.4f}" for key in ("precision", "recall", "f1-score"))
        lines.append(f"{name:>{width}}  {figures} {line['support']:>9}")
    return "\n".join(lines) + "\n"


def table_report_of_labels(counts: NDArray[np.int64], names: Sequence[str]) -> dict[str, Any]:
    """Returns the classification report of several labels a row as a nested dict, as scikit-learn's has it.

    Arguments are those of `text_report_of_labels`. "samples avg" needs the rows and is not in it.
    """
    hits, given, had = (counts[part * len(names) : (part + 1) * len(names)] for part in range(3))
    figures = rates(hits, given, had)
    together = rates(hits.sum(), given.sum(), had.sum())
    total = int(had.sum())
    report: dict[str, Any] = {
        name: {key: float(values[index]) for key, values in figures.items()} | {"support": int(had[index])}
        for index, name in enumerate(names)
    }
    report["micro avg"] = {key: float(value) for key, value in together.items()} | {"support": total}
    report["macro avg"] = {key: float(values.mean()) for key, values in figures.items()} | {"support": total}
    report["weighted avg"] = {key: float((values * had).sum() / max(total, 1)) for key, values in figures.items()} | {
        "support": total
    }
    return report
