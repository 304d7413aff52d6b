"""What the values of a file mean: a table that settles the spellings of labels once, for all files like it."""

from __future__ import annotations

import csv
import difflib
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from ..errors import DataError, Setting
from ..labels import GOEMOTIONS_TO_EMOTION, KOTE_TO_EMOTION, clean_name, fold_name, whole_number
from ..utils.argument_checks import check_path, nearest_path
from ..utils.files import atomic_write
from .label_parsing import LabelParser, Reading, is_empty_label, label_key, named_labels, nearest
from .several_labels import EMPTY, NONE, CellSplitter, as_list

NO_LABEL = "-"
"""Stands in a map where a value means none of the labels."""
CORPORA: dict[str, Mapping[str, str | None]] = {"kote": KOTE_TO_EMOTION, "goemotions": GOEMOTIONS_TO_EMOTION}
"""Maps that go by a name; the numbers of a corpus's files are among the values, as that corpus counts them."""

_ANEW: dict[str, Setting] = {"label_map": None, "write_label_map": "label_map.csv"}
"""The arguments of `kobert-emotion doctor` that write a map in place of one that is broken."""
_VALUE_NAMES = frozenset({"value", "cell", "from", "값", "파일의 값"})
_LABEL_NAMES = frozenset({"label", "to", "레이블", "라벨"})

MapLike: TypeAlias = "str | os.PathLike[str] | Mapping[str, str | None] | LabelMap"


@dataclass(frozen=True)
class LabelMap:
    """What values of label cells mean.

    Attributes:
        source: The file, or the name of the corpus.
        values: What may stand in a cell.
        labels: The label that each of them means; "" for none.
        shown: How messages call each value.

    Example:
        >>> settle = LabelMap("map.csv", ("중림", "짜증"), ("중립", "분노")).translate
        >>> settle(" 중림"), settle("행복"), settle("중림|짜증", several=True)
        ('중립', '행복', '["중립", "분노"]')
    """

    source: str
    values: tuple[str, ...]
    labels: tuple[str, ...]
    shown: tuple[str, ...] = field(default=())

    @cached_property
    def _splitter(self) -> CellSplitter:
        return CellSplitter(self.values)

    def parts(self, cell: str) -> list[tuple[str, str | None]]:
        """Returns the values in a cell, each with the label it means: "" for none, None where the map has it not."""
        way = self._splitter.split(cell)
        found: list[tuple[str, str | None]] = []
        for part in way.parts:
            index = self._splitter.parser.parse(part).id
            name = part if index is None else (self.shown or self.values)[index]
            found.append((name, None if index is None else self.labels[index]))
        return found

    def translate(self, cell: str, several: bool = False) -> str:
        """Returns what a cell means: the name of a label, a list of some, "" for none; itself where it is not known.

        Args:
            cell: As it stands in the file.
            several: Whether a row may have several labels. Otherwise a cell with several is one whose values mean the
                same label; one that means more stays a list, which is no label.
        """
        way = self._splitter.split(cell)
        labels = [label for _, label in self.parts(cell)]
        is_known = any(label is not None for label in labels) if several else None not in labels
        if way.how in (EMPTY, NONE) or not is_known:
            return cell
        names = [part if label is None else label for part, label in zip(way.parts, labels, strict=True)]
        distinct = list(filter(None, dict.fromkeys(names)))
        return as_list(distinct) if len(distinct) > 1 else "".join(distinct)

    def in_use(self, names: Iterable[str]) -> tuple[str, ...]:
        """Returns those of `names` that values of the map mean, by themselves or behind a coarse label and a stroke."""
        meant = {label_key(label) for label in self.labels if label}
        return tuple(name for name in names if {label_key(name), label_key(name.rpartition("/")[2])} & meant)

    def check(self, names: Sequence[str], cells: Iterable[str]) -> None:
        """Raises `DataError` where a value in one of `cells` means something that is none of the labels `names`."""
        parser = LabelParser(names)
        stems = {label_key(name.rpartition("/")[2]) for name in names}  # of fine labels that were told apart
        for value, label in dict.fromkeys(part for cell in cells for part in self.parts(cell)):
            if label and parser.parse(label).id is None and label_key(label) not in stems:
                raise self._no_label(value, label, names, nearest(label, parser.aliases))

    def _no_label(self, value: str, label: str, names: Sequence[str], near: str | None) -> DataError:
        """Returns the error of a value that means something that is none of the labels, but maybe nearly one."""
        listed = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
        mend = {**map_to_write(names), "label_map": None}
        return DataError(
            f"{self.source}: 레이블 표가 '{value}'의 뜻으로 적은 '{label}'은(는) 레이블이 아닙니다. "
            + (f"혹시 '{near}'인가요? 표를 고치세요. " if near else "")
            + f"쓸 수 있는 레이블: {listed}."
            + ("" if near else " 표의 이름들로 학습하려면 `labels`를 auto로 하세요."),
            f"{self.source}: the map says that '{value}' means '{label}', which is none of the labels. "
            + (f"Did you mean '{near}'? Correct the map. " if near else "")
            + f"Labels: {listed}."
            + ("" if near else " To train on the names in the map, use `labels` auto."),
            mend=mend if near else {"labels": "auto"},
            otherwise=mend,
        )


def label_map(given: MapLike | None) -> LabelMap | None:
    """Returns a map as it is given: a file, the name of a corpus, or a mapping of values to labels.

    Args:
        given: "kote" or "goemotions" for the maps of `kobert_hf_emotion.labels` onto the seven emotions; a table file
            with two columns, what stands in a cell and the label it means (`NO_LABEL` where that is none), with or
            without a row of names (`value`, `label`); or a mapping, with None for none.

    Raises:
        DataError: The file is none, a value has no label or two, or nothing is in it.
    """
    if given is None or isinstance(given, LabelMap):
        return given
    if isinstance(given, Mapping):
        rows = [(str(value), NO_LABEL if label is None else str(label)) for value, label in given.items()]
        return _of_rows("label_map", rows, first=1)
    check_path("label_map", given)
    name = os.fspath(given)
    if (corpus := CORPORA.get(fold_name(name))) is not None:
        return _of_corpus(fold_name(name), corpus)
    return _read(Path(name))


def _of_corpus(name: str, table: Mapping[str, str | None]) -> LabelMap:
    labels = [label or "" for label in table.values()]
    return LabelMap(
        name,
        (*table, *map(str, range(len(table)))),
        (*labels, *labels),
        (*table, *(f"{index} {value}" for index, value in enumerate(table))),
    )


def _rows_of(path: Path) -> tuple[int, list[list[str]]]:
    """Reads the cells of a map's file, the row of names among them; the first of them has the number returned."""
    from .tables import ReadOptions, read_table

    if not path.is_file():
        raise _no_file(path)
    try:
        table = read_table(path, ReadOptions(no_header=True, has_cells=True))
    except DataError as error:
        raise DataError(
            f"`label_map`을 읽을 수 없습니다. {error.korean}",
            f"Cannot read the `label_map`. {error.english}",
            mend={"label_map": None},
        ) from error
    return table.first_row, [list(row) for row in table.frame.itertuples(index=False, name=None)]


def _read(path: Path) -> LabelMap:
    first, rows = _rows_of(path)
    head = [fold_name(cell) for cell in rows[0]]
    places = [[place for place, cell in enumerate(head) if cell in names] for names in (_VALUE_NAMES, _LABEL_NAMES)]
    if all(places):
        [value, *_], [label, *_] = places
        return _of_rows(str(path), [(row[value], row[label]) for row in rows[1:]], first + 1)
    if len(head) != 2:
        raise DataError(
            f"{path}: 레이블 표에는 두 열(파일에 있는 값과 그것이 뜻하는 레이블)이 있어야 하는데 첫 행은 "
            f"{rows[0][:10]}입니다. 열이 더 있으면 첫 행에 value와 label이라고 이름을 적으세요.",
            f"{path}: expected two columns in a map of labels, what stands in the file and the label it means; found "
            f"{rows[0][:10]} in the first row. Where there are more, call them 'value' and 'label' in the first row.",
            mend=_ANEW,
        )
    return _of_rows(str(path), [(row[0], row[1]) for row in rows], first)


def _no_file(path: Path) -> DataError:
    """Returns the error of a map that is no file, with the file or the corpus it may have meant."""
    corpora = difflib.get_close_matches(fold_name(path.name), CORPORA, n=1, cutoff=0.7)
    near = None if path.is_dir() else corpora[0] if corpora else nearest_path(path)
    korean, english = (f" 혹시 {near}인가요?", f" Did you mean {near}?") if near else ("", "")
    return DataError(
        f"`label_map` {path}: 그런 표가 없습니다.{korean} 두 열의 표 파일이나 {', '.join(CORPORA)}이어야 합니다.",
        f"`label_map` {path}: there is no such table.{english} Expected a table file of two columns, or "
        f"{' or '.join(CORPORA)}.",
        mend={"label_map": near},
    )


def _of_rows(source: str, rows: Sequence[tuple[str, str]], first: int) -> LabelMap:
    """Returns the map in rows of a value and a label, of which the first has the number `first` in its file."""
    clean = [(clean_name(value), clean_name(label)) for value, label in rows]
    filled = [(number, *row) for number, row in enumerate(clean, start=first) if any(row)]
    _check_filled(source, filled)
    known: dict[str, tuple[int, str, str]] = {}
    for number, value, label in filled:
        meant = "" if is_empty_label(label) else label
        place, _, other = known.setdefault(label_key(value), (number, value, meant))
        if other != meant:
            raise DataError(
                f"{source}: '{value}'의 뜻이 둘입니다: {place}행은 '{other or NO_LABEL}', {number}행은 "
                f"'{meant or NO_LABEL}'. 하나만 남기세요.",
                f"{source}: '{value}' has two meanings, '{other or NO_LABEL}' in row {place} and "
                f"'{meant or NO_LABEL}' in row {number}. Leave one.",
                mend=_ANEW,
            )
    _, values, labels = zip(*known.values(), strict=True)
    return LabelMap(source, values, labels)


def _check_filled(source: str, rows: Sequence[tuple[int, str, str]]) -> None:
    """Raises `DataError` where a row, of its number, a value and a label, lacks one of these, or there is no row."""
    if not rows:
        raise DataError(
            f"{source}: 레이블 표가 비었습니다. 한 행에 값과 그것이 뜻하는 레이블을 적으세요.",
            f"{source}: the map of labels is empty. Write a value and the label it means in each row.",
            mend=_ANEW,
        )
    for number, value, label in rows:
        if not value:
            raise DataError(
                f"{source} {number}행: 값이 비었는데 레이블 '{label}'이(가) 있습니다. 값을 적거나 행을 지우세요.",
                f"{source}, row {number}: the value is empty, and the label is '{label}'. Fill it in or delete it.",
                mend=_ANEW,
            )
    undecided = [f"{value} ({number})" for number, value, label in rows if not label]
    if undecided:
        listed = ", ".join(undecided[:20])
        raise DataError(
            f"{source}: 레이블이 빈 값이 {len(undecided)}개입니다(괄호는 행): {listed}. 뜻하는 레이블을, 뺄 값이면 "
            f"{NO_LABEL}을(를) 적으세요.",
            f"{source}: {len(undecided)} value(s) have no label (the row in parentheses): {listed}. Write the label "
            f"each means, or {NO_LABEL} to leave its rows out.",
            mend=_ANEW,
        )


def map_to_write(names: Sequence[str]) -> dict[str, Setting]:
    """Returns the arguments of `kobert-emotion doctor` that write a map onto the labels `names`, to be corrected."""
    return {"write_label_map": "label_map.csv", **named_labels(names)}


@dataclass(frozen=True)
class Proposal:
    """A value of a file with what it may mean.

    Attributes:
        value: As it stands in the file.
        label: The label that it seems to mean; "" where that is open.
        how: "label" where it is a label's name, or one that is taken for it; "nearest" where a label is spelled nearly
            so; "unknown" otherwise.
        rows: Rows with it.
    """

    value: str
    label: str
    how: str
    rows: int


def propose(cells: Mapping[str, int], names: Sequence[str]) -> list[Proposal]:
    """Returns what the values of a file may mean, the unknown ones last.

    Numbers are proposed as the ids of labels only where all of them are ids.

    Args:
        cells: How often each value is there.
        names: The names of the labels, in the order of their ids.
    """
    parser = LabelParser(names)
    rows_of: Counter[str] = Counter()
    written: dict[str, str] = {}
    for cell, rows in sorted(cells.items(), key=lambda item: (-item[1], item[0])):
        key = label_key(cell)
        written.setdefault(key, key if whole_number(key) else clean_name(cell))
        rows_of[key] += rows
    readings = {key: found for key in written if (found := parser.parse(key)).kind != "empty"}
    other_scheme = any(found.kind == "unknown" and whole_number(key) for key, found in readings.items())
    proposals = [
        Proposal(written[key], *_meaning(key, found, parser, other_scheme), rows_of[key])
        for key, found in readings.items()
    ]
    order = {"label": 0, "nearest": 1, "unknown": 2}
    return sorted(proposals, key=lambda found: (order[found.how], found.label, -found.rows, found.value))


def _meaning(key: str, found: Reading, parser: LabelParser, other_scheme: bool) -> tuple[str, str]:
    """Returns the label that a value seems to mean, and how that is known."""
    if found.id is not None and not (found.kind == "number" and other_scheme):
        return parser.names[found.id], "label"
    if not whole_number(key) and (near := parser.nearest(key)) is not None:
        return parser.names[near], "nearest"
    return "", "unknown"


def write_label_map(path: str | os.PathLike[str], proposals: Sequence[Proposal]) -> None:
    """Writes proposals as a map to look through: a CSV that Excel opens with its Hangul intact."""
    with atomic_write(path, "w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["value", "label", "rows", "how"])
        writer.writerows([found.value, found.label, found.rows, found.how] for found in proposals)
