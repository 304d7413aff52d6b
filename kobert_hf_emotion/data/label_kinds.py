"""What a row's label is: one class, any number of labels, or votes for each; what depends on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError
from .distributions import majority_ids, to_shares
from .label_ids import IGNORED, Truth, vote_feature
from .label_parsing import names_in
from .label_tally import LabelTally
from .several_labels import NONE, CellSplitter, names_in_cells, several_ids
from .task_names import TASKS, TaskName
from .votes import VoteReader, Votes, names_in_votes, vote_matrix

if TYPE_CHECKING:
    import pandas as pd


class LabelKind(ABC):
    """How the cells of labels become what a data set holds."""

    several = False
    votes = False

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
        ways = frame["raw_label"].map(lambda cell: splits[cell].how)
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


class SoftLabels(LabelKind):
    """Votes or shares for each label."""

    votes = True

    def names_in(self, cells: Mapping[str, int]) -> tuple[str, ...]:
        """Returns the names that are voted for."""
        return names_in(names_in_votes(cells))

    def read(self, frame: pd.DataFrame, names: tuple[str, ...]) -> LabelTally:
        """Adds the votes for each label by its name; what is counted is each label of a row that has some."""
        reader = VoteReader(names)
        found = {cell: reader.read(cell) for cell in frame["raw_label"].unique().tolist()}
        _check_votes(frame, found)
        parts = {cell: votes.voted_for for cell, votes in found.items()}
        each = frame[frame["raw_label"].map(lambda cell: bool(parts[cell]))]
        tally = LabelTally()
        if len(each):
            tally.add(each.assign(raw_label=each["raw_label"].map(parts)).explode("raw_label"), names)
        ids = {cell: reader.ids(votes) for cell, votes in found.items()}
        labels = {cell: _by_name(known, names) for cell, known in ids.items()}
        frame["label"] = frame["raw_label"].map(labels).astype(object)
        with_text = frame if "reason" not in frame else frame[frame["reason"] == ""]
        for cell, rows in with_text["raw_label"].value_counts().items():
            tally.votes.add(ids[str(cell)], found[str(cell)].how, int(rows))
        if "blanks" in frame:
            tally.votes.blanks = int(frame["blanks"].sum())
        return tally

    def counts(self, labels: pd.Series[Any]) -> Counter[int]:
        """Counts the rows in which each label has most votes; of a tie the first."""
        known = labels.dropna().tolist()
        if not known:
            return Counter()
        ids = majority_ids(to_shares(vote_matrix(known, list(known[0]))))
        return Counter(ids.tolist())

    def truth(self, labels: pd.Series[Any], names: Sequence[str]) -> Truth:
        """Returns the shares of the votes."""
        return to_shares(vote_matrix([row if isinstance(row, dict) else None for row in labels.tolist()], names))

    def feature(self, names: Sequence[str]) -> Any:
        """Returns a number for each label."""
        return vote_feature(names)

    def arrow_type(self, names: Sequence[str]) -> Any:
        """Returns a float64 for each label."""
        import pyarrow as pa

        return pa.struct([(name, pa.float64()) for name in names])


def _by_name(votes: Mapping[int, float], names: Sequence[str]) -> dict[str, float] | None:
    """Returns the votes for each label by its name; None without any."""
    return {name: votes.get(index, 0.0) for index, name in enumerate(names)} if votes else None


def _check_votes(frame: pd.DataFrame, found: Mapping[str, Votes]) -> None:
    """Raises `DataError` where a cell holds no votes but something like them."""
    wrong = {cell: votes.fault for cell, votes in found.items() if votes.fault is not None}
    if not wrong:
        return
    rows = frame[frame["raw_label"].isin(wrong)]
    first = rows.iloc[0]
    fault = wrong[first["raw_label"]]
    assert fault is not None
    raise DataError(
        f"{first['file']}: {first['file_row']}행 '{first['label_name']}' 열의 '{first['raw_label']}': {fault[0]}(모두 "
        f"{len(rows):,}행). 고치거나, 표가 다른 열에 있으면 `label_column`으로 지정하세요.",
        f"{first['file']}: row {first['file_row']}, column '{first['label_name']}', '{first['raw_label']}': {fault[1]} "
        f"({len(rows):,} such row(s)). Correct them, or name the column of votes with `label_column`.",
    )


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
