"""One class a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..label_ids import Truth
from ..label_parsing import LabelParser, names_in
from ..label_tally import LabelTally
from .kind import LabelKind

if TYPE_CHECKING:
    import pandas as pd


class OneLabel(LabelKind):
    """One class a row."""

    def names_in(self, cells: Mapping[str, int]) -> tuple[str, ...]:
        """Returns the distinct cells that are no marks of a missing value."""
        return names_in(cells)

    def read(self, frame: pd.DataFrame, names: tuple[str, ...]) -> LabelTally:
        """Adds nullable ids."""
        tally = LabelTally()
        tally.add(frame, names)
        return tally

    def unknown(self, cells: Sequence[str], names: Sequence[str]) -> set[str]:
        """Returns the cells that are no label."""
        parser = LabelParser(names)
        return {cell for cell in cells if parser.parse(cell).kind == "unknown"}

    def without(self, labels: pd.Series[Any], rows: pd.Series[bool]) -> pd.Series[Any]:
        """Returns the ids with none in some rows."""
        return labels.mask(rows)

    def counts(self, labels: pd.Series[Any]) -> Counter[int]:
        """Counts the rows of each class."""
        return Counter({int(str(index)): int(rows) for index, rows in labels.value_counts().items()})

    def truth(self, labels: pd.Series[Any], names: Sequence[str]) -> Truth:  # noqa: ARG002 - ids need none
        """Returns class ids, -1 where there is none."""
        return labels.fillna(-1).to_numpy(dtype=np.int64)

    def feature(self, names: Sequence[str]) -> Any:
        """Returns a `ClassLabel`."""
        from datasets import ClassLabel

        return ClassLabel(names=list(names))

    def arrow_type(self, names: Sequence[str]) -> Any:  # noqa: ARG002 - ids need none
        """Returns int64."""
        import pyarrow as pa

        return pa.int64()
