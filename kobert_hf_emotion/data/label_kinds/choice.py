"""The kind of label of a task."""

from __future__ import annotations

from ...errors import DataError
from ..task_names import TASKS, TaskName
from .kind import LabelKind
from .one_label import OneLabel
from .several_labels import SeveralLabels
from .soft_labels import SoftLabels


def label_kind(task: TaskName = "single-label", allow_empty: bool = False) -> LabelKind:
    """Returns how labels are read for a task.

    Raises:
        DataError: There is no such task, or `allow_empty` is asked for where a row has one label.
    """
    if task not in TASKS:
        raise DataError(
            f"`task`는 {', '.join(TASKS)} 중 하나여야 하는데 {task!r}입니다.",
            f"Expected one of {', '.join(TASKS)} as `task`, found {task!r}.",
            mend={"task": "multi-label"},
        )
    if task == "multi-label":
        return SeveralLabels(allow_empty)
    if allow_empty:
        raise DataError(
            "`allow_empty`는 여러 레이블(`task` multi-label)에서만 뜻이 있습니다: 레이블이 하나인 문제에는 빈 답이 "
            "없습니다.",
            "`allow_empty` means something with `task` multi-label alone: where a text has one label, no answer is "
            "empty.",
            mend={"task": "multi-label"},
        )
    return SoftLabels() if task == "soft" else OneLabel()
