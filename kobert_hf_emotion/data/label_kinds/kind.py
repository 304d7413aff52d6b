"""What any kind of label can be asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..label_ids import Truth
from ..label_map import LabelMap
from ..label_tally import LabelTally

if TYPE_CHECKING:
    import pandas as pd


class LabelKind(ABC):
    """How the cells of labels become what a data set holds."""

    several = False
    votes = False

    def prepare(self, frame: pd.DataFrame) -> None:  # noqa: B027 - most kinds take cells as they are
        """Settles what the cells of a frame of `data` mean, before they are looked at."""

    def columns_mean(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Returns the labels that columns of 0 and 1 are called by."""
        return tuple(columns)

    def called(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Returns what columns for a label each may be called by, where the labels are known."""
        return tuple(labels)

    def values_of(self, names: Sequence[str]) -> Callable[[str], Sequence[str]]:  # noqa: ARG002 - one cell is one value
        """Returns what finds the values in a cell that stand for a label each, known or not."""
        return lambda cell: (cell,)

    def translated(self, cells: Sequence[str], label_map: LabelMap) -> dict[str, tuple[str, str]]:
        """Returns for each cell its labels as `label_map.parts` reads them, and a cell with those that it means."""
        return {cell: (cell, label_map.translate(cell, self.several)) for cell in cells}

    @abstractmethod
    def unknown(self, cells: Sequence[str], names: Sequence[str]) -> set[str]:
        """Returns the cells that hold a label which is none of `names`."""

    @abstractmethod
    def without(self, labels: pd.Series[Any], rows: pd.Series[bool]) -> pd.Series[Any]:
        """Returns the column `label` with nothing in some rows."""

    @abstractmethod
    def names_in(self, cells: Mapping[str, int]) -> tuple[str, ...]:
        """Returns the names of the labels that cells hold, given how often each cell is there."""

    @abstractmethod
    def read(self, frame: pd.DataFrame, names: tuple[str, ...]) -> LabelTally:
        """Adds the column `label` to a frame of `data`: what its cells hold, missing in rows without; counts them."""

    @abstractmethod
    def counts(self, labels: pd.Series[Any]) -> Counter[int]:
        """Counts the rows of each label by its id."""

    @abstractmethod
    def truth(self, labels: pd.Series[Any], names: Sequence[str]) -> Truth:
        """Returns the labels of rows as numbers; below 0 where a row's are not known."""

    @abstractmethod
    def feature(self, names: Sequence[str]) -> Any:
        """Returns what a data set calls the column: ids never travel without their names."""

    @abstractmethod
    def arrow_type(self, names: Sequence[str]) -> Any:
        """Returns the type of the column in Arrow."""


def none_in(labels: pd.Series[Any], rows: pd.Series[bool]) -> pd.Series[Any]:
    """Returns objects with None in some rows."""
    import pandas as pd

    kept = [None if is_out else label for label, is_out in zip(labels.tolist(), rows.tolist(), strict=True)]
    return pd.Series(kept, index=labels.index, dtype=object)
