"""Votes of annotators, however a file holds them: a column for each label, one for each annotator, or one of lists."""

from __future__ import annotations

import ast
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from typing_extensions import Self

from ..errors import DataError
from ..wording import Language, titled
from .distributions import TIE
from .label_parsing import is_empty_label
from .several_labels import EMPTY, CellSplitter, as_list

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from .label_map import LabelMap
    from .tables import Table

COLUMNS, ANNOTATORS, OBJECT, NUMBERS, NAMES = "columns", "annotators", "object", "numbers", "names"
_WAYS = {
    COLUMNS: ("레이블마다 한 열", "a column for each label"),
    ANNOTATORS: ("평가자마다 한 열", "a column for each annotator"),
    OBJECT: ('한 칸에 {"레이블": 표}', 'one cell, {"label": votes}'),
    NUMBERS: ("한 칸에 번호 순서의 목록", "one cell, a list in the order of the ids"),
    NAMES: ("한 칸에 이름(하나에 한 표)", "one cell, names, one vote each"),
}
COUNTS, SHARES, PERCENT = "counts", "shares", "percent"
_UNITS = {
    COUNTS: ("표의 수", "counts"),
    SHARES: ("몫", "shares"),
    PERCENT: ("백분율로 보이는 몫(행마다 합이 100)", "shares in percent, as it seems: each row adds up to 100"),
}
_MARK = "\x1f"
"""Begins a cell that was put together from columns, before how it was."""


class Votes(NamedTuple):
    """The votes in one cell.

    Attributes:
        how: One of the ways above; `EMPTY` where there is no vote at all.
        parts: What is voted for, as it is written, with its votes.
        fault: What is wrong with the cell, in Korean and in English; None where nothing is.
    """

    how: str
    parts: dict[str, float]
    fault: tuple[str, str] | None = None

    @property
    def voted_for(self) -> list[str]:
        """What has some of the votes."""
        return [part for part, count in self.parts.items() if count > 0]


def vote_cells(table: Table, columns: Sequence[str], labels: Sequence[str]) -> tuple[list[str], list[int]]:
    """Returns for each row of a table the numbers in a column for each label as one cell, and its empty cells.

    Args:
        table: The table.
        columns: The columns.
        labels: The label that each of them is called by.

    Returns:
        The cells, empty where all columns are, and how many cells of the row are empty beside others that are not.

    Raises:
        DataError: A cell is no number of 0 or more.
    """
    frame: pd.DataFrame = table.frame
    numbers = {cell: _number(cell) for name in columns for cell in frame[name].unique().tolist()}
    for name in columns:
        wrong = frame[name].map(lambda cell: math.isnan(numbers[cell]) and not is_empty_label(cell))
        if wrong.any():
            raise _no_number(table, name, frame[name], wrong)
    has_per_cents = any("%" in cell for cell in numbers)
    cells, blanks = [], []
    for number, row in enumerate(frame[list(columns)].itertuples(index=False, name=None), table.first_row):
        if has_per_cents:
            _check_one_unit(table, number, columns, row, numbers)
        filled = {name: numbers[cell] for name, cell in zip(labels, row, strict=True) if not math.isnan(numbers[cell])}
        cells.append(f"{_MARK}{COLUMNS}{json.dumps(filled)}" if filled else "")
        blanks.append(len(columns) - len(filled) if filled else 0)
    return cells, blanks


def _check_one_unit(
    table: Table, number: int, columns: Sequence[str], row: Sequence[str], numbers: Mapping[str, float]
) -> None:
    """Raises `DataError` where a row has per cents beside other numbers: 50% and 0.5 would be added up as 50.5."""
    some = [(name, cell) for name, cell in zip(columns, row, strict=True) if numbers[cell] > 0]
    with_sign = [place for place in some if "%" in place[1]]
    if with_sign and len(with_sign) < len(some):
        [(one, cell), *_], (other, plain) = with_sign, next(place for place in some if "%" not in place[1])
        raise DataError(
            f"{table.path} {number}행: '{one}' 열은 {cell!r}, '{other}' 열은 {plain!r}입니다. 한 행의 표는 모두 "
            "%이거나 모두 %가 아니어야 합니다. 한 가지로 고치세요.",
            f"{table.path}, row {number}: {cell!r} in column '{one}', {plain!r} in column '{other}'. The votes of a "
            "row must all be per cents, or none of them: correct one or the other.",
            mend={"ignore_labels": True},
        )


def annotator_cells(table: Table, columns: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns for each row of a table the labels in a column for each annotator as one cell, twice.

    Returns:
        The cells, empty where all columns are; and who named what, as a JSON object of names of columns and cells.
    """
    cells, annotations = [], []
    for row in table.frame[list(columns)].itertuples(index=False, name=None):
        filled = {name: cell.strip() for name, cell in zip(columns, row, strict=True) if not is_empty_label(cell)}
        cells.append(f"{_MARK}{ANNOTATORS}{json.dumps(list(filled.values()))}" if filled else "")
        annotations.append(json.dumps(filled, ensure_ascii=False))
    return cells, annotations


def _number(cell: str) -> float:
    """Returns the number in a cell; nan where there is none of 0 or more."""
    try:
        found = float(cell.strip().rstrip("%"))
    except ValueError:
        return math.nan
    return found if 0 <= found < math.inf else math.nan


def is_votes(cells: Sequence[str]) -> bool:
    """Whether the cells of a column are numbers of 0 or more, or empty."""
    found = {cell for cell in cells if not is_empty_label(cell)}
    return bool(found) and not any(math.isnan(_number(cell)) for cell in found)


def _no_number(table: Table, name: str, cells: pd.Series[Any], wrong: pd.Series[bool]) -> DataError:
    row = int(wrong.to_numpy().argmax())
    return DataError(
        f"{table.path}: 레이블마다 표(또는 몫)를 적은 열에는 0 이상의 수가 있어야 하는데 {table.first_row + row}행 "
        f"'{name}' 열은 {cells.iloc[row]!r}입니다(모두 {int(wrong.sum()):,}칸). 고치거나, 표가 한 열에 있으면 "
        "`label_column`으로 그 열을 지정하세요.",
        f"{table.path}: expected votes or shares, numbers of 0 or more, in the columns of labels, found "
        f"{cells.iloc[row]!r} in row {table.first_row + row}, column '{name}' ({int(wrong.sum()):,} such cell(s)). "
        "Correct them or, where one column holds the votes, name it with `label_column`.",
        mend={"ignore_labels": True},
    )


class VoteReader:
    """Finds the votes in cells.

    Args:
        names: The names of the labels, in the order of their ids.

    Example:
        >>> read = VoteReader(["기쁨", "슬픔"]).read
        >>> read('{"기쁨": 3, "슬픔": 1}').parts, read("[3, 1]").parts
        ({'기쁨': 3.0, '슬픔': 1.0}, {'기쁨': 3.0, '슬픔': 1.0})
        >>> read("기쁨;슬픔"), read('["기쁨", "기쁨"]').parts
        (Votes(how='names', parts={'기쁨': 1.0, '슬픔': 1.0}, fault=None), {'기쁨': 2.0})
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._splitter = CellSplitter(names)

    def read(self, cell: str) -> Votes:
        """Returns the votes of a cell; labels that are not known are among them."""
        if cell.startswith(_MARK):
            how = next(way for way in _WAYS if cell.startswith(_MARK + way))
            content = json.loads(cell.removeprefix(_MARK).removeprefix(how))
            return _some(how, content if isinstance(content, dict) else self._named(content))
        if (found := self._json(_parsed(cell))) is not None:
            return found
        way = self._splitter.split(cell)
        return Votes(EMPTY, {}) if way.how == EMPTY else _some(NAMES, _each_a_vote(way.parts))

    def _json(self, content: Any) -> Votes | None:
        """Returns the votes in an object or a list; None where it is neither, or none of votes."""
        if isinstance(content, tuple):
            return self._object(content)
        if not isinstance(content, list) or not content:
            return None
        if all(isinstance(value, int | float) for value in content):
            return self._numbers(content)
        return _some(NAMES, self._named(content)) if all(isinstance(name, str) for name in content) else None

    def _object(self, pairs: Sequence[tuple[Any, Any]]) -> Votes:
        content = {str(name): value for name, value in pairs}
        if len(content) < len(pairs):
            [twice, *_] = (name for name, times in Counter(str(name) for name, _ in pairs).items() if times > 1)
            return Votes(OBJECT, {}, (f"'{twice}'이(가) 두 번 나옵니다", f"'{twice}' comes twice"))
        if all(map(_is_votes, content.values())):
            return _some(OBJECT, {name: float(value) for name, value in content.items()})
        return Votes(OBJECT, {}, ("표는 0 이상의 수여야 합니다", "votes must be numbers of 0 or more"))

    def _numbers(self, content: Sequence[float]) -> Votes:
        if len(content) != len(self._names) or not all(map(_is_votes, content)):
            return Votes(
                NUMBERS,
                {},
                (
                    f"레이블({len(self._names)}개)마다 0 이상의 수 하나가 번호 순서대로 있어야 합니다",
                    f"expected a number of 0 or more for each of {len(self._names)} labels, in the order of their ids",
                ),
            )
        return _some(NUMBERS, dict(zip(self._names, map(float, content), strict=True)))

    def _named(self, cells: Sequence[str]) -> dict[str, float]:
        """Returns the votes of annotators who named a label each, or several, which then share the vote."""
        votes: dict[str, float] = {}
        for cell in cells:
            parts = self._splitter.split(cell).parts
            for part in parts:
                votes[part] = votes.get(part, 0.0) + 1.0 / len(parts)
        return votes

    def ids(self, votes: Votes) -> dict[int, float]:
        """Returns the votes by the ids of the labels that are known."""
        found: dict[int, float] = {}
        for part, count in votes.parts.items():
            index = self._splitter.parser.parse(part).id
            if index is not None and count > 0:
                found[index] = found.get(index, 0.0) + count
        return found


def translated_votes(cells: Sequence[str], label_map: LabelMap) -> dict[str, tuple[str, str]]:
    """Returns for each cell what is voted for in it, as a list, and a cell with the votes for what that means.

    Votes for what means none of the labels are left out. Lists of numbers, which are in the order of the labels' ids,
    stay as they are.

    Example:
        >>> from kobert_hf_emotion.data.label_map import LabelMap
        >>> settle = LabelMap("map.csv", ("짜증", "분통", "?"), ("분노", "분노", ""))
        >>> [(was, now)] = translated_votes(['{"짜증": 2, "분통": 1, "?": 1}'], settle).values()
        >>> was, VoteReader(["분노", "중립"]).read(now).parts
        ('["짜증", "분통", "?"]', {'분노': 3.0})
    """
    reader = VoteReader(label_map.values)
    found = {}
    for cell in cells:
        votes = reader.read(cell)
        if votes.how in (EMPTY, NUMBERS) or votes.fault is not None:
            found[cell] = ("", cell)
            continue
        meant: dict[str, float] = {}
        for part in votes.voted_for:
            if name := label_map.translate(part):
                meant[name] = meant.get(name, 0.0) + votes.parts[part]
        known = f"{_MARK}{votes.how}{json.dumps(meant)}" if meant else ""
        found[cell] = (as_list(votes.voted_for), known)
    return found


def translated_annotations(cells: Sequence[str], label_map: LabelMap) -> list[str]:
    """Returns the cells that tell who named what with the labels that these mean, without those who named none."""
    found = []
    for cell in cells:
        named = {who: label_map.translate(label, several=True) for who, label in json.loads(cell).items()}
        found.append(json.dumps({who: label for who, label in named.items() if label}, ensure_ascii=False))
    return found


def _parsed(cell: str) -> Any:
    """Returns the object or list that a cell is, in JSON or in Python's way of writing it; None where it is neither.

    An object is a list of its pairs in a tuple: a name may come twice in what is written.
    """
    text = cell.strip()
    if not text.startswith(("{", "[")):
        return None
    for read in (_from_json, _from_python):
        try:
            return read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return None


def _from_json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=tuple)


def _from_python(text: str) -> Any:
    node = ast.parse(text, mode="eval").body
    if isinstance(node, ast.Dict):
        keys, values = ([ast.literal_eval(part or "") for part in parts] for parts in (node.keys, node.values))
        return tuple(zip(keys, values, strict=True))
    found = ast.literal_eval(node)
    return found if isinstance(found, list) else None


def _each_a_vote(parts: Sequence[str]) -> dict[str, float]:
    return {part: float(count) for part, count in Counter(parts).items()}


def _some(how: str, parts: Mapping[str, float]) -> Votes:
    return Votes(how, dict(parts)) if any(count > 0 for count in parts.values()) else Votes(EMPTY, {})


def _is_votes(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


def names_in_votes(counts: Mapping[str, int]) -> Counter[str]:
    """Returns how often each name is voted for in cells, given how often each cell is there."""
    reader, found = VoteReader([]), Counter[str]()
    for cell, rows in counts.items():
        votes = reader.read(cell)
        if votes.how == NUMBERS:
            raise DataError(
                f"레이블 칸이 수의 목록({cell})이라 이름을 알 수 없습니다. `labels`에 번호 순서의 이름들을 주세요.",
                f"The cells of labels are lists of numbers ({cell}) without names: pass these in their order as "
                "`labels`.",
            )
        for part in votes.parts:
            found[part] += rows
    return found


@dataclass
class VoteTally:
    """What the votes of rows with a text are, in numbers.

    Attributes:
        ways: Rows by how their votes are written; `EMPTY` of those without any.
        totals: Rows by the sum of their votes, rounded.
        whole: Rows with whole numbers alone.
        tied: Rows on which several labels have most votes.
        blanks: Empty cells of columns for each label in rows that have others.
    """

    ways: dict[str, int] = field(default_factory=dict)
    totals: dict[float, int] = field(default_factory=dict)
    whole: int = 0
    tied: int = 0
    blanks: int = 0

    def __iadd__(self, later: VoteTally) -> Self:
        """Adds what was gathered from the rows that follow."""
        self.ways = dict(Counter(self.ways) + Counter(later.ways))
        self.totals = dict(Counter(self.totals) + Counter(later.totals))
        self.whole += later.whole
        self.tied += later.tied
        self.blanks += later.blanks
        return self

    def add(self, votes: Mapping[int, float], how: str, rows: int) -> None:
        """Adds rows with the same votes."""
        self.ways[how] = self.ways.get(how, 0) + rows
        if votes:
            total = round(sum(votes.values()), 6)
            self.totals[total] = self.totals.get(total, 0) + rows
            self.whole += rows * all(float(count).is_integer() for count in votes.values())
            most = max(votes.values())
            self.tied += rows * (sum(count >= most - TIE * total for count in votes.values()) > 1)

    def lines(self, language: Language = "both") -> list[str]:
        """Returns what votes were taken for as lines in one language or in both."""
        rows = sum(self.totals.values())
        if not rows:
            return []
        ways = ", ".join(
            f"{titled(*_WAYS[how], language)} {count:,}" for how, count in self.ways.items() if how != EMPTY
        )
        unit = unit_of(self.totals, self.whole == rows)
        lines = [f"{titled('표', 'votes', language)}: {ways}; {titled(*_UNITS[unit], language)}"]
        if unit == COUNTS:
            low, high = min(self.totals), max(self.totals)
            lines[0] += f", {titled('행마다', 'a row', language)} {low:g}" + (f"–{high:g}" if high > low else "")
        lines.append(
            f"{titled('표가 같은 행(동률)', 'rows with a tie', language)}: {self.tied:,}; "
            + titled(
                "그중 어느 레이블로 답해도 맞은 것으로, 겹은 번호가 앞선 것으로 셈",
                "any of the tied labels counts as right, and as the first of them for the folds",
                language,
            )
        )
        if self.blanks:
            lines.append(f"{titled('0으로 본 빈 칸', 'empty cells taken for 0', language)}: {self.blanks:,}")
        if empty := self.ways.get(EMPTY, 0):
            lines.append(f"{titled('표가 없는 행', 'rows without a vote', language)}: {empty:,}")
        return lines


def unit_of(totals: Mapping[float, int], are_whole: bool) -> str:
    """Returns whether votes are counted or shared out, by their sums in the rows and whether all are whole numbers.

    Example:
        >>> unit_of({10.0: 3, 9.0: 1}, True), unit_of({1.0: 4}, False), unit_of({100.0: 4}, True)
        ('counts', 'shares', 'percent')
    """
    if are_whole:
        return PERCENT if set(totals) == {100.0} else COUNTS
    return SHARES


def vote_matrix(rows: Sequence[Mapping[str, float] | None], names: Sequence[str]) -> NDArray[np.float64]:
    """Returns the votes of rows as a table, shape (rows, labels); -100 in rows without."""
    import numpy as np

    found = np.full((len(rows), len(names)), -100.0)
    for line, row in zip(found, rows, strict=True):
        if row is not None:
            line[:] = [row[name] or 0.0 for name in names]
    return found
