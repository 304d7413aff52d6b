"""Label cells, however they are written, into the ids of labels."""

from __future__ import annotations

import difflib
import logging
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .columns import whole_number
from .errors import DataError
from .labels import EMOTION_LABELS, EMOTION_LABELS_KO, fold_name, label_aliases

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

_MOST_INFERRED_LABELS = 1000


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


def encode_labels(frame: pd.DataFrame, names: tuple[str, ...] | None, require_labels: bool) -> int:
    """Adds the column `label`, the ids, to the frame of `data`; names None means that there are no labels.

    Returns:
        The number of rows on which a second label column differs.

    Raises:
        DataError: A cell holds no known label, or labels are required and every cell is empty.
    """
    if names is None:
        return 0
    frame["label"] = _parse_labels(frame["raw_label"], names)
    unknown = frame["label"].isna() & (frame["raw_label"].str.strip() != "")
    if unknown.any():
        raise _unknown_labels(frame[unknown], names)
    if require_labels and frame["label"].isna().all():
        raise DataError(
            f"{frame['file'].iloc[0]}: '{frame['label_name'].iloc[0]}' 열이 모두 비어 있습니다. 레이블을 채우세요.",
            f"{frame['file'].iloc[0]}: every cell of column '{frame['label_name'].iloc[0]}' is empty; expected labels.",
        )
    return _count_conflicts(frame, names) if "other_label" in frame else 0


def _count_conflicts(frame: pd.DataFrame, names: Sequence[str]) -> int:
    other = _parse_labels(frame["other_label"].fillna(""), names)
    differs = (frame["label"] != other).fillna(value=False)
    count = int(differs.sum())
    if count:
        first = frame[differs].iloc[0]
        logger.warning(
            "%s: columns '%s' and '%s' disagree in %d of %d rows (first in row %d: %s, %s); '%s' is used / "
            "두 레이블 열이 서로 다른 행이 있습니다",
            *(first["file"], first["label_name"], first["other_name"], count, len(frame)),
            *(first["file_row"], first["raw_label"], first["other_label"], first["label_name"]),
        )
    return count


def _unknown_labels(rows: pd.DataFrame, names: Sequence[str]) -> DataError:
    first = rows.head(5).to_dict("records")
    korean = ", ".join(f"{row['file_row']}행 '{row['label_name']}' 열의 '{row['raw_label']}'" for row in first)
    english = ", ".join(f"row {row['file_row']}, column '{row['label_name']}': '{row['raw_label']}'" for row in first)
    more = ("", "") if len(rows) <= 5 else (f" 외 {len(rows) - 5:,}행", f" and {len(rows) - 5:,} more")
    near = difflib.get_close_matches(fold_name(first[0]["raw_label"]), list(_aliases(names)), n=1, cutoff=0.7)
    return DataError(
        f"{first[0]['file']}: 알 수 없는 레이블이 {len(rows):,}행에 있습니다: {korean}{more[0]}. "
        f"쓸 수 있는 값: {_accepted(names)}." + (f" 혹시 '{near[0]}'인가요?" if near else "") + " "
        "그 값을 고치거나, 다른 레이블 체계이면 labels에 이름들을(파일에서 찾으려면 labels=None을) 주세요.",
        f"{first[0]['file']}: unknown label in {len(rows):,} row(s): {english}{more[1]}. "
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
