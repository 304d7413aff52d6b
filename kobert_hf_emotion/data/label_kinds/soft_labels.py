"""Votes or shares for each label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import DataError
from ..distributions import majority_ids, to_shares
from ..label_ids import Truth, vote_feature
from ..label_map import LabelMap
from ..label_parsing import LabelParser, names_in
from ..label_tally import LabelTally
from ..votes import VoteReader, Votes, names_in_votes, translated_votes, vote_matrix
from .kind import LabelKind, none_in

if TYPE_CHECKING:
    import pandas as pd


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
        return none_in(labels, rows)

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
