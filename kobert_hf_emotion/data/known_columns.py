"""The names that columns of texts and of labels are known by; how names of columns are compared and listed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..labels import fold_name

if TYPE_CHECKING:
    from .tables import Table

TEXT_NAMES = (
    *("text", "sentence", "document", "utterance", "comment", "review", "content"),
    *("글", "문장", "내용", "발화", "발화문", "텍스트", "본문", "댓글", "리뷰"),
    *("문장내용", "대화내용", "댓글내용", "발화내용", "리뷰내용", "글내용"),
)
LABEL_NAMES = ("label", "labels", "lable", "라벨", "레이블", "class", "target")
EMOTION_NAMES = ("emotion", "emotions", "감정", "sentiment", "감성")


def column_key(column: str) -> str:
    """Returns a column's name as names are compared: without case, blanks and underscores."""
    return re.sub(r"[\s_.-]", "", fold_name(column))


def named_like(table: Table, names: Sequence[str]) -> list[str]:
    """Returns the columns of a table that have one of these names."""
    return [column for column in table.frame.columns if column_key(column) in names]


def once_named(columns: Sequence[str]) -> list[str]:
    """Returns the columns that have a name, and one that no other column has: only these can be asked for."""
    return [name for name in columns if name and columns.count(name) == 1]


def is_near(column: str, names: Sequence[str]) -> bool:
    """Whether the name of a column holds one of the names that are known, or is nearly one."""
    key = column_key(column)
    # A name of one letter is in many words ("글쓴이").
    return (
        any(name in key for name in names if len(name) > 1)
        or key in names
        or bool(difflib.get_close_matches(key, names, n=1, cutoff=0.75))
    )


def short_name(name: str) -> str:
    """Returns a column's name, cut to what fits into a message."""
    return name if len(name) <= 30 else name[:29] + "…"


def listed(names: Sequence[str]) -> str:
    """Returns columns as a message lists them."""
    shown = list(map(short_name, names[:20]))
    return ", ".join(shown) + (f", … (+{len(names) - 20})" if len(names) > 20 else "")
