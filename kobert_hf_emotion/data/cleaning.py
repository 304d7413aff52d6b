"""Rows of tables under the names of their roles: texts cleaned, rows without content left out and counted."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..labels import BLANKS, clean_name, fold_name
from .column_names import ANNOTATIONS_COLUMN
from .columns import Columns
from .label_parsing import EXCEL_ERRORS, NULLS
from .label_reading import sort_counts
from .report import REASONS
from .several_labels import indicator_cells
from .tables import Table
from .vote_cells import annotator_cells, vote_cells

if TYPE_CHECKING:
    import pandas as pd

_LETTER = re.compile(r"[^\W\d_]")
_LONGEST_NULL = max(map(len, NULLS)) + 2


def join_tables(tables: Sequence[Table], columns: Sequence[Columns]) -> pd.DataFrame:
    """Puts the rows of all tables into one frame whose columns are named by their roles.

    `file_row` is the row's number as the user sees it in the file.
    """
    import pandas as pd

    with_id = all(found.id is not None for found in columns)
    frames = []
    for table, found in zip(tables, columns, strict=True):
        roles = {
            "text": found.text,
            "raw_label": found.label,
            "raw_coarse": found.coarse,
            "other_label": found.other_label,
            "text_pair": found.text_pair,
            "group": found.group,
            "order": found.order,
            "id": found.id if with_id else None,
        }
        frame = pd.DataFrame({role: table.frame[name] for role, name in roles.items() if name is not None})
        frame["row"] = range(1, len(frame) + 1)
        frame["file_row"] = frame["row"] + table.first_row - 1
        frame["file"] = str(table.path)
        if found.indicators:
            frame["raw_label"], frame["blanks"] = indicator_cells(table, found.indicators)
        elif found.votes:
            frame["raw_label"], frame["blanks"] = vote_cells(table, found.votes, found.for_labels)
        elif found.annotators:
            frame["raw_label"], frame[ANNOTATIONS_COLUMN] = annotator_cells(table, found.annotators)
        frame["label_name"] = found.label or ", ".join(found.of_labels[:3])
        frame["other_name"] = found.other_label
        frames.append(frame)
    return pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]


def clean_texts(frame: pd.DataFrame) -> None:
    """Brings the texts of a frame into NFC, noting in `is_nfc` which were, and in `reason` why a text is none."""
    import numpy as np

    frame["is_nfc"] = _normalize(frame)
    frame["reason"] = np.asarray([text_fault(text) for text in frame["text"].tolist()], dtype=object)


def text_fault(text: str) -> str:
    """Returns why a text is none, as a reason of `LoadReport.dropped`; the empty string where it is one."""
    if text[:1].isalnum() and text[0] not in BLANKS:  # nearly all
        return ""
    seen = clean_name(text)
    if not seen:
        return "empty_text"
    if seen == ".":
        return "lone_dot"
    return "excel_error" if seen[0] == "#" and fold_name(seen) in EXCEL_ERRORS else ""


def keep_rows(frame: pd.DataFrame, require_labels: bool) -> tuple[pd.DataFrame, dict[str, int]]:
    """Leaves the rows without content out, after `clean_texts` and once labels are read.

    Returns:
        The rows that are kept, and how many are not by reason.
    """
    if require_labels and "label" in frame:
        without = (frame["reason"] == "") & frame["label"].isna()
        frame.loc[without, "reason"] = frame.loc[without, "label_fault"] if "label_fault" in frame else "empty_label"
    reasons = frame["reason"]
    counts = {reason: int((reasons == reason).sum()) for reason in REASONS}
    return frame[reasons == ""], {reason: count for reason, count in counts.items() if count}


def count_null_texts(frame: pd.DataFrame) -> dict[str, int]:
    """Counts the rows whose text is what programs write for a missing value."""
    short = frame["text"][frame["text"].str.len() <= _LONGEST_NULL]
    counts = {str(text): int(rows) for text, rows in short.value_counts().items() if fold_name(str(text)) in NULLS}
    return sort_counts(counts)


def without_letters(texts: Sequence[str]) -> list[str]:
    """Returns the texts that have no letter of any script: numbers, dates, marks, emoji."""
    return [text for text in texts if _LETTER.search(text) is None]


def _normalize(frame: pd.DataFrame) -> list[bool]:
    """Brings the texts into NFC; returns for each row whether it already was."""
    composed = [True] * len(frame)
    for column in ("text", "text_pair"):
        if column in frame:
            texts = frame[column].tolist()
            frame[column] = [unicodedata.normalize("NFC", text) for text in texts]
            composed = [
                was and unicodedata.is_normalized("NFC", text) for was, text in zip(composed, texts, strict=True)
            ]
    return composed
