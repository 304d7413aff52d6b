"""Label cells, however they are written, into the ids of labels."""

from __future__ import annotations

import difflib
import logging
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from .columns import whole_number
from .errors import DataError
from .labels import EMOTION_LABELS, EMOTION_LABELS_KO, fold_name, label_aliases

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

_MOST_INFERRED_LABELS = 1000
_SHOWN = 5


def label_names(frame: pd.DataFrame, labels: Sequence[str] | None) -> tuple[str, ...] | None:
    """Returns the label names: those given, or those in the file; None if there are no labels.

    Raises:
        DataError: The names given are not distinct, or the column has too many values for labels.
    """
    if "raw_label" not in frame:
        return None
    if labels is not None:
        names = tuple(str(name) for name in labels)
        if len({fold_name(name) for name in names}) < len(names) or not names:
            raise DataError(
                f"labels에는 서로 다른 이름이 하나 이상 있어야 하는데 {list(names)}입니다.",
                f"Expected one or more distinct names as labels, found {list(names)}.",
            )
        return names
    found = {_canonical(cell) for cell in frame["raw_label"].unique().tolist()} - {""}
    if len(found) > _MOST_INFERRED_LABELS:
        column = frame["label_name"].iloc[0]
        raise DataError(
            f"'{column}' 열에 서로 다른 값이 {len(found):,}개 있어 레이블 열로 볼 수 없습니다. 레이블 열을 지정하세요.",
            f"Column '{column}' has {len(found):,} distinct values; expected labels. Name the label column.",
        )
    if all(whole_number(name) is not None for name in found):
        return tuple(sorted(found, key=int))
    return tuple(sorted(found))


def _canonical(cell: str) -> str:
    """Returns a label as it is named when the names are taken from the file: NFC, trimmed, 3.0 as 3."""
    return whole_number(cell) or unicodedata.normalize("NFC", cell).strip()


def _aliases(names: Sequence[str]) -> dict[str, int]:
    aliases = label_aliases(names)
    if any(whole_number(name) is not None for name in names):
        # With names such as ("1", …, "5") a number is a name and never an id.
        own = {fold_name(name) for name in names}
        return {alias: index for alias, index in aliases.items() if alias in own or not alias.isdecimal()}
    return aliases


def _parse_labels(cells: pd.Series[str], names: Sequence[str]) -> pd.Series[Any]:
    """Returns the label ids of cells as nullable integers; missing where a cell is empty or unknown."""
    import pandas as pd

    aliases = _aliases(names)
    found = {cell: aliases.get(fold_name(_canonical(cell))) for cell in cells.unique().tolist()}
    return cells.map({cell: index for cell, index in found.items() if index is not None}).astype(pd.Int64Dtype())


@dataclass
class LabelTally:
    """What is wrong with the labels of rows, gathered chunk by chunk.

    Attributes:
        rows: Rows looked at.
        unknown: Rows with a label that is not known.
        conflicts: Rows on which a second label column differs.
        first_unknown: The first few of the former.
        first_conflict: The first of the latter.
    """

    rows: int = 0
    unknown: int = 0
    conflicts: int = 0
    first_unknown: list[dict[str, Any]] = field(default_factory=list)
    first_conflict: dict[str, Any] | None = None

    def add(self, frame: pd.DataFrame, names: tuple[str, ...]) -> None:
        """Adds the column `label`, the ids, to a frame of `data`, and counts its rows."""
        frame["label"] = _parse_labels(frame["raw_label"], names)
        unknown = frame["label"].isna() & (frame["raw_label"].str.strip() != "")
        self.rows += len(frame)
        if unknown.any():
            self.unknown += int(unknown.sum())
            self.first_unknown += _records(frame[unknown].head(_SHOWN - len(self.first_unknown)))
        if "other_label" in frame:
            other = _parse_labels(frame["other_label"].fillna(""), names)
            differs = (frame["label"] != other).fillna(value=False)
            self.conflicts += int(differs.sum())
            if self.first_conflict is None and differs.any():
                [self.first_conflict] = _records(frame[differs].head(1))

    def __iadd__(self, later: LabelTally) -> Self:
        """Adds what was gathered from the rows that follow."""
        self.rows += later.rows
        self.unknown += later.unknown
        self.conflicts += later.conflicts
        self.first_unknown = (self.first_unknown + later.first_unknown)[:_SHOWN]
        self.first_conflict = self.first_conflict or later.first_conflict
        return self

    def check(self, names: Sequence[str]) -> None:
        """Warns of labels that contradict each other.

        Raises:
            DataError: There are labels that are not known.
        """
        if self.unknown:
            raise _unknown_labels(self.first_unknown, self.unknown, names)
        if (first := self.first_conflict) is not None:
            logger.warning(
                "%s: columns '%s' and '%s' disagree in %d of %d rows (first in row %d: %s, %s); '%s' is used / "
                "두 레이블 열이 서로 다른 행이 있습니다",
                *(first["file"], first["label_name"], first["other_name"], self.conflicts, self.rows),
                *(first["file_row"], first["raw_label"], first["other_label"], first["label_name"]),
            )


def encode_labels(frame: pd.DataFrame, names: tuple[str, ...] | None, require_labels: bool) -> int:
    """Adds the column `label`, the ids, to the frame of `data`; names None means that there are no labels.

    Returns:
        The number of rows on which a second label column differs.

    Raises:
        DataError: A cell holds no known label, or labels are required and every cell is empty.
    """
    if names is None:
        return 0
    tally = LabelTally()
    tally.add(frame, names)
    if require_labels and not tally.unknown and frame["label"].isna().all():
        raise DataError(
            f"{frame['file'].iloc[0]}: '{frame['label_name'].iloc[0]}' 열이 모두 비어 있습니다. 레이블을 채우세요.",
            f"{frame['file'].iloc[0]}: every cell of column '{frame['label_name'].iloc[0]}' is empty; expected labels.",
        )
    tally.check(names)
    return tally.conflicts


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): cell for name, cell in row.items()} for row in rows.to_dict("records")]


def _unknown_labels(first: Sequence[dict[str, Any]], count: int, names: Sequence[str]) -> DataError:
    korean = ", ".join(f"{row['file_row']}행 '{row['label_name']}' 열의 '{row['raw_label']}'" for row in first)
    english = ", ".join(f"row {row['file_row']}, column '{row['label_name']}': '{row['raw_label']}'" for row in first)
    more = ("", "") if count <= _SHOWN else (f" 외 {count - _SHOWN:,}행", f" and {count - _SHOWN:,} more")
    near = difflib.get_close_matches(fold_name(first[0]["raw_label"]), list(_aliases(names)), n=1, cutoff=0.7)
    return DataError(
        f"{first[0]['file']}: 알 수 없는 레이블이 {count:,}행에 있습니다: {korean}{more[0]}. "
        f"쓸 수 있는 값: {_accepted(names)}." + (f" 혹시 '{near[0]}'인가요?" if near else "") + " "
        "그 값을 고치거나, 다른 레이블 체계이면 labels에 이름들을(파일에서 찾으려면 labels=None을) 주세요.",
        f"{first[0]['file']}: unknown label in {count:,} row(s): {english}{more[1]}. "
        f"Accepted: {_accepted(names)}." + (f" Did you mean '{near[0]}'?" if near else "") + " "
        "Correct the values or, for another set of labels, pass its names as `labels` (None takes those of the file).",
    )


def _accepted(names: Sequence[str]) -> str:
    korean = dict(zip(EMOTION_LABELS, EMOTION_LABELS_KO, strict=True))
    with_id = not any(whole_number(name) is not None for name in names)
    shown = [
        (f"{index} " if with_id else "") + name + (f"({korean[name]})" if name in korean else "")
        for index, name in enumerate(names[:20])
    ]
    return ", ".join(shown) + (", …" if len(names) > 20 else "")
