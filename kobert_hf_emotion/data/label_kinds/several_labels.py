"""Any number of labels a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from ..label_ids import IGNORED, Truth
from ..label_tally import LabelTally
from ..several_labels import EMPTY, NONE, CellSplitter, names_in_cells, several_ids
from .kind import LabelKind, none_in

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SeveralLabels(LabelKind):
    """Any number of labels a row.

    Attributes:
        empty_is_none: Whether an empty cell says that a row has none of the labels; otherwise it says nothing, and the
            row is one without a label.
    """

    empty_is_none: bool = False
    several = True

    def names_in(self, cells: Mapping[str, int]) -> tuple[str, ...]:
        """Returns the distinct parts of the cells."""
        return names_in_cells(cells)

    def read(self, frame: pd.DataFrame, names: tuple[str, ...]) -> LabelTally:
        """Adds lists of ids; what is counted is each label of a row by itself, as cells with one are."""
        splitter = CellSplitter(names)
        splits = {cell: splitter.split(cell) for cell in frame["raw_label"].unique().tolist()}
        ids = several_ids(splits, splitter, self.empty_is_none)
        ways = frame["raw_label"].map(
            {cell: EMPTY if splitter.is_empty(way) else way.how for cell, way in splits.items()}
        )
        parts = frame["raw_label"].map(lambda cell: splits[cell].parts or (cell,))
        each = frame.assign(raw_label=parts)[ways != NONE].explode("raw_label")
        tally = LabelTally()
        if len(each):
            tally.add(each, names)
        frame["label"] = frame["raw_label"].map(ids).astype(object)
        with_text = ways if "reason" not in frame else ways[frame["reason"] == ""]
        tally.splits = Counter({str(how): int(rows) for how, rows in with_text.value_counts().items()})
        tally.empty_is_none = self.empty_is_none
        if "blanks" in frame:
            tally.blanks = int(frame["blanks"].sum())
        return tally

    def values_of(self, names: Sequence[str]) -> Callable[[str], Sequence[str]]:
        """Returns what finds the parts of a cell."""
        splitter = CellSplitter(names)
        return lambda cell: splitter.split(cell).parts

    def unknown(self, cells: Sequence[str], names: Sequence[str]) -> set[str]:
        """Returns the cells of which a part is no label."""
        splitter = CellSplitter(names)
        return {cell for cell in cells if not splitter.knows(splitter.split(cell))}

    def without(self, labels: pd.Series[Any], rows: pd.Series[bool]) -> pd.Series[Any]:
        """Returns the lists with None in some rows."""
        return none_in(labels, rows)

    def counts(self, labels: pd.Series[Any]) -> Counter[int]:
        """Counts the rows that have each label."""
        return Counter(chain.from_iterable(labels.dropna()))

    def truth(self, labels: pd.Series[Any], names: Sequence[str]) -> Truth:
        """Returns 1 where a row has a label."""
        truth = np.zeros((len(labels), len(names)), dtype=np.int64)
        for row, ids in zip(truth, labels.tolist(), strict=True):
            row[slice(None) if ids is None else ids] = IGNORED if ids is None else 1
        return truth

    def feature(self, names: Sequence[str]) -> Any:
        """Returns a list of `ClassLabel`."""
        from datasets import ClassLabel, List

        return List(ClassLabel(names=list(names)))

    def arrow_type(self, names: Sequence[str]) -> Any:  # noqa: ARG002 - ids need none
        """Returns lists of int64."""
        import pyarrow as pa

        return pa.list_(pa.int64())
