"""What a row's label is, by name."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

TaskName: TypeAlias = Literal["single-label", "multi-label", "soft"]
TASKS: tuple[TaskName, ...] = get_args(TaskName)
