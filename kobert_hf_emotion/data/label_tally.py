"""The labels of rows, gathered chunk by chunk: what they were read as, and what is wrong with them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from ..errors import DataError, Setting
from ..labels import EMOTION_LABELS, EMOTION_LABELS_KO, LABEL_SETS, clean_name, whole_number
from ..wording import Wording
from .label_map import LabelMap, map_to_write
from .label_parsing import AUTO, LabelParser, label_key, named_labels, nearest
from .label_reading import MENDS, LabelReading, arrows, as_written, by_label, listed_counts, sort_counts
from .several_labels import EMPTY, ONE, CellSplitter
from .vote_tally import VoteTally

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

_SHOWN = 5
_LISTED = 20
_FEW = 20
"""One row of so many is a slip of the pen and no sign of another scheme."""
_MOST_DISTINCT = 1000
"""Distinct values of which counts are kept; a column with more holds no labels."""
_OTHER_NAMES = (
    " 다른 레이블 체계로 학습할 데이터라면 `labels`에 그 이름들을(파일의 값 그대로면 auto를) 주세요.",
    " For rows to train on with another set of labels, pass its names as `labels` (auto takes the values as they are).",
)
_SEVERAL = (
    "칸마다 레이블이 여럿입니다. 여럿을 배우려면 `task`를 multi-label로 하고, 아니면 하나씩만 남기세요.",
    "Each of these cells holds several labels. To learn them all use `task` multi-label; otherwise leave one in each.",
)


@dataclass
class LabelTally:
    """The labels of rows, in numbers.

    Attributes:
        rows: Rows looked at.
        unknown: Rows with a label that is not known.
        unknown_numbers: Those of them with a whole number.
        conflicts: Rows on which a second label column differs.
        first_unknown: The first few with an unknown label.
        first_conflict: The first on which the second column differs.
        unknown_cells: Rows by the unknown label in their cell.
        labels: Rows with a text by the id of their label.
        cells: Rows with a text by how their cell was read: its kind, the label's id (-1: none) and what it holds.
        numbers: Rows by the whole number in their cell, known or not.
        second: Rows by the label's id and what a second label column holds, where that is no such label.
        second_alone: Rows with a text and a second label, but no first one.
        confirmed: Rows with a text whose number is the id of what the second column names.
        splits: Of rows that may have several labels: rows with a text by what divides their cell. All that is said of
            rows above is then said of each label of a row.
        blanks: Of tables with a column for each label: empty cells in rows that have others.
        empty_is_none: Whether empty cells were taken for rows with none of the labels.
        mapped: Where a map settles what cells mean: rows with a text by what stands in the cell and the label that it
            means, "" for none.
        label_map: That map.
        drops_unknown: Whether rows with an unknown label are left out, and no error.
        votes: Of votes what they are. All that is said of rows above is then said of each label of a row.
    """

    rows: int = 0
    unknown: int = 0
    unknown_numbers: int = 0
    conflicts: int = 0
    first_unknown: list[dict[str, Any]] = field(default_factory=list)
    first_conflict: dict[str, Any] | None = None
    unknown_cells: Counter[str] = field(default_factory=Counter)
    labels: Counter[int] = field(default_factory=Counter)
    cells: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    numbers: Counter[str] = field(default_factory=Counter)
    second: Counter[tuple[int, str]] = field(default_factory=Counter)
    second_alone: int = 0
    confirmed: int = 0
    splits: Counter[str] = field(default_factory=Counter)
    blanks: int = 0
    empty_is_none: bool = False
    mapped: Counter[tuple[str, str]] = field(default_factory=Counter)
    label_map: LabelMap | None = None
    drops_unknown: bool = False
    votes: VoteTally = field(default_factory=VoteTally)

    def add(self, frame: pd.DataFrame, names: tuple[str, ...]) -> None:
        """Adds the column `label`, the ids, to a frame of `data`, and counts its rows."""
        parser = LabelParser(names)
        frame["label"] = parser.ids(frame["raw_label"])
        with_text = frame[frame["reason"] == ""] if "reason" in frame else frame
        self.rows += len(frame)
        self._count_cells(frame, parser)
        self._count_labels(with_text, parser)
        if "other_label" in frame:
            self._compare(frame, with_text, parser)

    def _count_cells(self, frame: pd.DataFrame, parser: LabelParser) -> None:
        """Counts numbers and what is no label, in rows without a text too."""
        unknown_cells: Counter[str] = Counter()
        for cell, rows in frame["raw_label"].value_counts().items():
            key = label_key(str(cell))
            is_number = whole_number(key) is not None
            if parser.parse(str(cell)).kind == "unknown":
                unknown_cells[str(cell)] += int(rows)
                self.unknown_numbers += is_number * int(rows)
            if is_number and (key in self.numbers or len(self.numbers) < _MOST_DISTINCT):
                self.numbers[key] += int(rows)
        if unknown_cells:
            unknown = frame["raw_label"].isin(unknown_cells)
            self.unknown += int(unknown.sum())
            self.unknown_cells += _most_common(unknown_cells)
            self.first_unknown += _records(frame[unknown].head(_SHOWN - len(self.first_unknown)))

    def _count_labels(self, with_text: pd.DataFrame, parser: LabelParser) -> None:
        """Counts labels, and how each is written, in rows with a text."""
        for cell, rows in with_text["raw_label"].value_counts().items():
            index, kind = parser.parse(str(cell))
            if kind != "unknown":
                shown = label_key(str(cell)) if kind == "number" else as_written(str(cell))
                self.cells[kind, -1 if index is None else index, shown] += int(rows)
                if index is not None:
                    self.labels[index] += int(rows)

    def _compare(self, frame: pd.DataFrame, with_text: pd.DataFrame, parser: LabelParser) -> None:
        other = parser.ids(frame["other_label"].fillna(""))
        differs = frame["label"] != other  # missing, which counts as no difference, where one of them is
        self.conflicts += int(differs.sum())
        if self.first_conflict is None and differs.any():
            [self.first_conflict] = _records(frame[differs].head(1))
        pairs = Counter(zip(with_text["raw_label"].tolist(), with_text["other_label"].fillna("").tolist(), strict=True))
        for (first, second), rows in pairs.items():
            self._compare_cells(first, second, rows, parser)

    def _compare_cells(self, first: str, second: str, rows: int, parser: LabelParser) -> None:
        """Counts rows whose two columns of labels hold these cells."""
        (index, kind), (other_index, other_kind) = parser.parse(first), parser.parse(second)
        if other_kind == "empty":
            return
        if index is None:
            self.second_alone += rows
        elif index == other_index:
            self.confirmed += rows if kind == "number" and other_kind != "number" else 0
        elif (key := (index, clean_name(second))) in self.second or len(self.second) < _MOST_DISTINCT:
            self.second[key] += rows

    def __iadd__(self, later: LabelTally) -> Self:
        """Adds what was gathered from the rows that follow."""
        self.rows += later.rows
        self.unknown += later.unknown
        self.unknown_numbers += later.unknown_numbers
        self.conflicts += later.conflicts
        self.first_unknown = (self.first_unknown + later.first_unknown)[:_SHOWN]
        self.first_conflict = self.first_conflict or later.first_conflict
        self.unknown_cells = _most_common(self.unknown_cells + later.unknown_cells)
        self.labels += later.labels
        self.cells += later.cells
        self.numbers += later.numbers
        self.second += later.second
        self.second_alone += later.second_alone
        self.confirmed += later.confirmed
        self.splits += later.splits
        self.blanks += later.blanks
        self.empty_is_none |= later.empty_is_none
        self.mapped += later.mapped
        self.label_map = later.label_map or self.label_map
        self.drops_unknown |= later.drops_unknown
        self.votes += later.votes
        return self

    def reading(self, names: Sequence[str]) -> LabelReading:
        """Returns what the cells were taken for."""

        def of_kind(kind: str) -> dict[tuple[int, str], int]:
            return {(index, cell): rows for (found, index, cell), rows in self.cells.items() if found == kind}

        numbers = {cell: rows for (_, cell), rows in of_kind("number").items()}
        return LabelReading(
            names=tuple(names),
            numbers=dict(sorted(numbers.items(), key=lambda item: int(item[0]))),
            spellings=by_label(names, {key: n for key, n in of_kind("name").items() if key[1] != names[key[0]]}),
            ids_beside=by_label(names, of_kind("id_beside")),
            empty=sort_counts({cell: rows for (_, cell), rows in of_kind("empty").items()}),
            absent=tuple(name for index, name in enumerate(names) if not self.labels[index]),
            second=by_label(names, self.second),
            second_alone=self.second_alone,
            confirmed=self.confirmed,
            splits=sort_counts(self.splits),
            labels_given=self.labels.total(),
            blanks=self.blanks,
            empty_is_none=self.empty_is_none,
            map_source=None if self.label_map is None else self.label_map.source,
            mapped=self._mapped(names),
            unknown=sort_counts(self.unknown_cells) if self.drops_unknown else {},
            votes=self.votes,
        )

    def _mapped(self, names: Sequence[str]) -> dict[str, dict[str, int]]:
        """Returns what the map was asked, by label in the order of the ids, "" last."""
        parser = LabelParser(names)
        found: dict[str, Counter[str]] = {name: Counter() for name in names}
        for (cell, label), rows in self.mapped.items():
            index = parser.parse(label).id if label else None
            found.setdefault(label if index is None else names[index], Counter())[cell] += rows
        order = sorted(found, key=lambda label: not label)
        return {label: sort_counts(found[label]) for label in order if found[label]}

    def check(self, names: Sequence[str]) -> None:
        """Warns of labels that contradict each other.

        Raises:
            DataError: There are labels that are not known.
        """
        if self.unknown and not self.drops_unknown:
            raise self._unknown_labels(names)
        if (first := self.first_conflict) is not None:
            file, used, other, row = (first[key] for key in ("file", "label_name", "other_name", "file_row"))
            cells = f"{first['raw_label']}, {first['other_label']}"
            pairs = arrows(by_label(names, self.second), forward=True)
            logger.warning(
                Wording(
                    f"{self.rows:,}행 중 {self.conflicts:,}행에서 '{used}' 열과 '{other}' 열이 다릅니다"
                    f"(처음은 {file} {row}행: {cells}). '{used}'을(를) 씁니다: {pairs}",
                    f"Columns '{used}' and '{other}' disagree in {self.conflicts:,} of {self.rows:,} rows (first in "
                    f"{file}, row {row}: {cells}); '{used}' is used: {pairs}",
                )
            )

    def _unknown_labels(self, names: Sequence[str]) -> DataError:
        first, count = self.first_unknown, self.unknown
        places = [("" if row["file"] == first[0]["file"] else f"{row['file']} ", row) for row in first]
        korean = ", ".join(
            f"{file}{row['file_row']}행 '{row['label_name']}' 열의 '{row['raw_label']}'" for file, row in places
        )
        english = ", ".join(
            f"{file}row {row['file_row']}, column '{row['label_name']}': '{row['raw_label']}'" for file, row in places
        )
        more = ("", "") if count <= _SHOWN else (f" 외 {count - _SHOWN:,}", f" and {count - _SHOWN:,} more")
        scheme = self._other_scheme(names)
        mend: dict[str, Setting]
        # What a finished model's labels are stays.
        otherwise = None if self.label_map else self._write_map(names)
        if not self.splits and not self.votes.ways and self._are_several(names):
            mend, way_out = {"task": "multi-label"}, _SEVERAL
            otherwise = {**named_labels(names), **mend, "train_file": first[0]["file"]}
        else:
            mend, way_out = self._mend(names, scheme is not None), scheme or self._corrections(names)
        unit = ("행에", "row(s)") if not (self.splits or self.votes.ways) else ("곳에", "place(s)")
        return DataError(
            f"{first[0]['file']}: 알 수 없는 레이블이 {count:,}{unit[0]} 있습니다: {korean}{more[0]}. "
            f"쓸 수 있는 값: {_accepted(names)}. {way_out[0]}",
            f"{first[0]['file']}: unknown label in {count:,} {unit[1]}: {english}{more[1]}. "
            f"Accepted: {_accepted(names)}. {way_out[1]}",
            mend=mend,
            otherwise=otherwise,
        )

    @property
    def _labelled(self) -> int:
        """Rows whose cell is not empty."""
        return self.rows - sum(rows for (kind, *_), rows in self.cells.items() if kind == "empty")

    def _mend(self, names: Sequence[str], is_scheme: bool) -> dict[str, Setting]:
        """Returns what leads out of unknown labels: the names of another scheme, or what they mean in a map.

        Of slips of the pen "auto" would make labels.
        """
        is_most = 2 * self.unknown >= self._labelled
        known_set = self._known_set()
        if is_scheme or (is_most and (known_set or not (self.label_map or self._are_slips(names)))):
            return {"labels": known_set or AUTO}
        if self.label_map is None:
            return self._write_map(names)
        return self._write_map(names) | {"label_map": None} if is_most else {"unknown_label": "drop"}

    def _are_slips(self, names: Sequence[str]) -> bool:
        """Whether half of the unknown values or more are spelled nearly as a known label."""
        near = [nearest(cell, self._known(names)) is not None for cell in self.unknown_cells]
        return 2 * sum(near) >= len(near)

    def _known(self, names: Sequence[str]) -> list[str]:
        """Returns what an unknown value may have been meant to be."""
        of_map = () if self.label_map is None else map(label_key, self.label_map.values)
        return [*LabelParser(names).aliases, *of_map]

    def _write_map(self, names: Sequence[str]) -> dict[str, Setting]:
        """Returns what has a map of the labels of the file written, to be corrected."""
        mend = map_to_write(names) | {"train_file": self.first_unknown[0]["file"], "test_file": None}
        if self.votes.ways:
            mend["task"] = "soft"
        return mend | ({"task": "multi-label"} if self.splits else {})

    def _are_several(self, names: Sequence[str]) -> bool:
        """Whether the unknown cells hold several labels each."""
        splitter = CellSplitter(names)
        ways = [splitter.split(cell) for cell in self.unknown_cells]
        return all(way.how not in (ONE, EMPTY) and splitter.knows(way) for way in ways)

    def _known_set(self) -> str | None:
        """Returns what the corpus is called whose labels, or whose ids, the values of rows with several labels are."""
        if not self.splits:
            return None
        found = {label_key(cell) for cell in (*self.unknown_cells, *self.numbers)}
        for name, labels in LABEL_SETS.items():
            if found <= set(map(label_key, labels)) or found == set(map(str, range(len(labels)))):
                return name
        return None

    def _corrections(self, names: Sequence[str]) -> tuple[str, str]:
        """Returns what to do about unknown names: typos, or names of another scheme."""
        known = self._known(names)
        listed = []
        for cell, rows in sort_counts(self.unknown_cells).items():
            listed.append((f"{as_written(cell)} {rows:,}", nearest(cell, known)))
        korean = ", ".join(part + (f" (혹시 '{near}'인가요?)" if near else "") for part, near in listed[:_LISTED])
        english = ", ".join(part + (f" (Did you mean '{near}'?)" if near else "") for part, near in listed[:_LISTED])
        more = ", …" if len(listed) > _LISTED else ""
        ways = self._ways_out()
        scheme = _OTHER_NAMES if not all(near for _, near in listed) else ("", "")
        return (
            f"모르는 값과 행 수: {korean}{more}. {ways[0]}{scheme[0]}",
            f"Unknown values with their rows: {english}{more}. {ways[1]}{scheme[1]}",
        )

    def _ways_out(self) -> tuple[str, str]:
        """Returns how unknown values are settled: in the map that there is, or by one."""
        drop = (
            "그 행들을 빼려면 `unknown_label`을 drop으로 하세요.",
            "To leave these rows out use `unknown_label` drop.",
        )
        if self.label_map is not None:
            source = self.label_map.source
            return (
                f"레이블 표 {source}에 없는 값입니다. 표에 뜻을 적으세요. {drop[0]}",
                f"The map {source} has none of them: add what they mean. {drop[1]}",
            )
        return (
            "그 값을 고치거나, 뜻을 적은 표를 `label_map`으로 주세요(`kobert-emotion doctor`의 --write-label-map이 "
            f"써 줍니다). {drop[0]}",
            "Correct them, or give a table of what they mean as `label_map` (--write-label-map of `kobert-emotion "
            f"doctor` writes one). {drop[1]}",
        )

    def _other_scheme(self, names: Sequence[str]) -> tuple[str, str] | None:
        """Returns what is to be said of numbers that are the ids of another scheme.

        None where names are unknown, or where a few numbers are among names or known ids.
        """
        if self.unknown_numbers < self.unknown or not LabelParser(names).takes_ids:
            return None
        numbers = sorted(self.numbers, key=int)
        shown = {number: self.numbers[number] for number in numbers[:_LISTED]}
        listed = listed_counts(shown) + (", …" if numbers[_LISTED:] else "")
        from_one = (numbers[0], numbers[-1]) == ("1", str(len(names)))
        is_rare = 2 * self.numbers.total() < self._labelled or _FEW * self.unknown < self._labelled
        if is_rare and not from_one:
            return None
        last = len(names) - 1
        return (
            f"숫자는 0부터 {last}까지의 번호로 읽는데, 파일의 숫자와 행 수는 {listed}입니다. "
            + ("1부터 센 번호로 보입니다. 그렇다면 " if from_one else "다른 레이블 체계로 보입니다. 그렇다면 ")
            + MENDS[0],
            f"Numbers are read as ids from 0 to {last}; those of the file, with their rows, are {listed}. "
            + ("They seem to count from 1: " if from_one else "They seem to belong to another set of labels: ")
            + MENDS[1],
        )


def encode_labels(frame: pd.DataFrame, names: tuple[str, ...]) -> LabelTally:
    """Adds the column `label`, the ids, to the frame of `data`, and checks them.

    Raises:
        DataError: A cell holds no known label.
    """
    tally = LabelTally()
    tally.add(frame, names)
    tally.check(names)
    return tally


def _most_common(cells: Counter[str]) -> Counter[str]:
    """Returns the counts that are worth keeping: the most frequent, equal ones by name."""
    if len(cells) <= _MOST_DISTINCT:
        return cells
    return Counter(dict(sorted(cells.items(), key=lambda item: (-item[1], item[0]))[:_MOST_DISTINCT]))


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): cell for name, cell in row.items()} for row in rows.to_dict("records")]


def _accepted(names: Sequence[str]) -> str:
    korean = dict(zip(EMOTION_LABELS, EMOTION_LABELS_KO, strict=True))
    with_id = LabelParser(names).takes_ids
    shown = [
        (f"{index} " if with_id else "") + name + (f"({korean[name]})" if name in korean else "")
        for index, name in enumerate(names[:20])
    ]
    return ", ".join(shown) + (", …" if len(names) > 20 else "")
