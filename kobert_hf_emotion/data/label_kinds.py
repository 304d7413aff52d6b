"""What a row's label is: one class, any number of labels, or votes for each; what depends on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from ..errors import DataError
from ..labels import whole_number
from .column_names import ANNOTATIONS_COLUMN
from .distributions import majority_ids, to_shares
from .label_ids import IGNORED, Truth, vote_feature
from .label_map import LabelMap, MapLike, label_map
from .label_parsing import LabelParser, names_in
from .label_tally import LabelTally
from .several_labels import NONE, CellSplitter, names_in_cells, several_ids
from .task_names import TASKS, TaskName
from .votes import VoteReader, Votes, names_in_votes, translated_annotations, translated_votes, vote_matrix

if TYPE_CHECKING:
    import pandas as pd


UnknownLabel: TypeAlias = Literal["drop", "error"]
"""What becomes of rows with an unknown label."""


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
        return _none_in(labels, rows)

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

    def values_of(self, names: Sequence[str]) -> Callable[[str], Sequence[str]]:
        """Returns what finds that which is voted for in a cell."""
        reader = VoteReader(names)
        return lambda cell: reader.read(cell).voted_for

    def translated(self, cells: Sequence[str], label_map: LabelMap) -> dict[str, tuple[str, str]]:
        """Returns for each cell what is voted for in it, and a cell with the votes for the labels that these mean."""
        return translated_votes(cells, label_map)

    def unknown(self, cells: Sequence[str], names: Sequence[str]) -> set[str]:
        """Returns the cells with a vote for what is no label."""
        reader, parser = VoteReader(names), LabelParser(names)
        return {
            cell for cell in cells if any(parser.parse(part).kind == "unknown" for part in reader.read(cell).voted_for)
        }

    def without(self, labels: pd.Series[Any], rows: pd.Series[bool]) -> pd.Series[Any]:
        """Returns the votes with None in some rows."""
        return _none_in(labels, rows)

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


def _none_in(labels: pd.Series[Any], rows: pd.Series[bool]) -> pd.Series[Any]:
    """Returns objects with None in some rows."""
    import pandas as pd

    kept = [None if is_out else label for label, is_out in zip(labels.tolist(), rows.tolist(), strict=True)]
    return pd.Series(kept, index=labels.index, dtype=object)


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
