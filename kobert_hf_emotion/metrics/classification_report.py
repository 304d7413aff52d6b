"""scikit-learn's classification report of rows that are counted already, and are not made anew for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def text_report_of(confusion: NDArray[np.int64], names: Sequence[str]) -> str:
    """Returns the classification report as text.

    Classes that neither occur nor are predicted are left out, as in the macro F1 of `scores.score`.

    Args:
        confusion: Rows by true and predicted label, shape (classes, classes).
        names: Label names in the order of their ids.
    """
    # Weighted rows are counted as 12.0.
    return re.sub(r"(?m)(\d+)\.0$", r"  \1", str(_report(confusion, names, as_dict=False)))


def table_report_of(confusion: NDArray[np.int64], names: Sequence[str]) -> dict[str, Any]:
    """Returns the classification report as a nested dict; arguments are those of `text_report_of`."""
    report: dict[str, Any] = _report(confusion, names, as_dict=True)
    for line in report.values():
        if isinstance(line, dict):
            line["support"] = int(line["support"])
    return report


def _report(confusion: NDArray[np.int64], names: Sequence[str], as_dict: bool) -> Any:
    from sklearn.metrics import classification_report

    truth, predicted = np.nonzero(confusion)
    present = np.union1d(truth, predicted)
    return classification_report(
        truth,
        predicted,
        sample_weight=confusion[truth, predicted],  # a cell stands for its rows
        labels=present,
        target_names=[names[index] for index in present],
        digits=4,
        zero_division=0,
        output_dict=as_dict,
    )
