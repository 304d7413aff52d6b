"""Labels of any kind whose cells a map translates first, or of which unknown ones are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from ...errors import DataError
from ...labels import whole_number
from ..column_names import ANNOTATIONS_COLUMN
from ..label_ids import Truth
from ..label_map import LabelMap, MapLike, label_map
from ..label_tally import LabelTally
from ..votes import translated_annotations
from .kind import LabelKind

if TYPE_CHECKING:
    import pandas as pd

UnknownLabel: TypeAlias = Literal["drop", "error"]
"""What becomes of rows with an unknown label."""


@dataclass(frozen=True)
class Settled(LabelKind):
    """Labels whose cells a map translates first, or of which unknown ones are no error.

    Attributes:
        kind: What a row's label is.
        label_map: What cells mean.
        drops_unknown: Whether a row with an unknown label is one without; otherwise that is an error.
    """

    kind: LabelKind
    label_map: LabelMap | None = None
    drops_unknown: bool = False

    @property
    def several(self) -> bool:  # type: ignore[override]
        """Whether a row may have several labels."""
        return self.kind.several

    @property
    def votes(self) -> bool:  # type: ignore[override]
        """Whether a row has votes."""
        return self.kind.votes

    def prepare(self, frame: pd.DataFrame) -> None:
        """Puts what cells mean in their place; what they hold is kept as `written_label`."""
        if self.label_map is None or "raw_label" not in frame:
            return
        filled = frame["raw_label"].fillna("")
        found = self.kind.translated(filled.unique().tolist(), self.label_map)
        frame["written_label"] = filled.map({cell: written for cell, (written, _) in found.items()})
        frame["raw_label"] = filled.map({cell: meant for cell, (_, meant) in found.items()})
        for column in ("raw_coarse", "other_label"):
            if column in frame:
                cells = frame[column].fillna("").unique().tolist()
                meant = {cell: self.label_map.translate(cell, self.several) for cell in cells}
                frame[column] = frame[column].fillna("").map(meant)
        if ANNOTATIONS_COLUMN in frame:
            frame[ANNOTATIONS_COLUMN] = translated_annotations(frame[ANNOTATIONS_COLUMN].tolist(), self.label_map)

    def columns_mean(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Returns the labels that columns of 0 and 1 are called by, each once."""
        if self.label_map is None:
            return tuple(columns)
        meant = [self.label_map.translate(name) for name in columns]
        return tuple(name for name in dict.fromkeys(meant) if name)

    def called(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Returns the labels, and the names of what means them; numbers number rows, or anything."""
        if self.label_map is None or not labels:
            return tuple(labels)
        return (*labels, *(value for value in self.label_map.values if whole_number(value) is None))

    def names_in(self, cells: Mapping[str, int]) -> tuple[str, ...]:
        """Returns the names that cells hold; with a map those that it knows."""
        names = self.kind.names_in(cells)
        return names if self.label_map is None else self.label_map.in_use(names)

    def unknown(self, cells: Sequence[str], names: Sequence[str]) -> set[str]:
        """Returns the cells that hold an unknown label."""
        return self.kind.unknown(cells, names)

    def read(self, frame: pd.DataFrame, names: tuple[str, ...]) -> LabelTally:
        """Adds labels as `kind` does, and `label_fault`, why a row has none; counts what the map was asked."""
        if self.label_map is not None:
            self.label_map.check(names, frame["written_label"].unique().tolist())
        tally = self.kind.read(frame, names)
        tally.label_map, tally.drops_unknown = self.label_map, self.drops_unknown
        frame["label_fault"] = "empty_label"
        if self.label_map is not None:
            with_text = frame[frame["reason"] == ""] if "reason" in frame else frame
            for cell, rows in with_text["written_label"].value_counts().items():
                for part, label in self.label_map.parts(str(cell)):
                    if label is not None:
                        tally.mapped[part, label] += int(rows)
            frame.loc[(frame["raw_label"] == "") & (frame["written_label"] != ""), "label_fault"] = "mapped_to_none"
        unknown = self.unknown(frame["raw_label"].unique().tolist(), names) if self.drops_unknown else set()
        if unknown:
            is_unknown = frame["raw_label"].isin(unknown)
            frame.loc[is_unknown, "label_fault"] = "unknown_label"
            frame["label"] = self.kind.without(frame["label"], is_unknown)
        return tally

    def without(self, labels: pd.Series[Any], rows: pd.Series[bool]) -> pd.Series[Any]:
        """Returns the labels without those of some rows."""
        return self.kind.without(labels, rows)

    def counts(self, labels: pd.Series[Any]) -> Counter[int]:
        """Counts the rows of each label by its id."""
        return self.kind.counts(labels)

    def truth(self, labels: pd.Series[Any], names: Sequence[str]) -> Truth:
        """Returns the labels of rows as numbers."""
        return self.kind.truth(labels, names)

    def feature(self, names: Sequence[str]) -> Any:
        """Returns what a data set calls the column."""
        return self.kind.feature(names)

    def arrow_type(self, names: Sequence[str]) -> Any:
        """Returns the type of the column in Arrow."""
        return self.kind.arrow_type(names)


def settled(kind: LabelKind, given: MapLike | None, unknown_label: UnknownLabel = "error") -> LabelKind:
    """Returns how labels are read where a map may say what cells mean, and unknown ones may be left out.

    Raises:
        DataError: There is no such map, or `unknown_label` is neither "drop" nor "error".
    """
    if unknown_label not in get_args(UnknownLabel):
        raise DataError(
            f"`unknown_label`은 drop이나 error여야 하는데 {unknown_label!r}입니다.",
            f"Expected drop or error as `unknown_label`, found {unknown_label!r}.",
            mend={"unknown_label": "drop"},
        )
    found = label_map(given)
    return kind if found is None and unknown_label == "error" else Settled(kind, found, unknown_label == "drop")
