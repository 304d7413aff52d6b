"""Votes of annotators in one cell, however it holds them: an object, numbers or names."""

from __future__ import annotations

import ast
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import DataError
from .several_labels import EMPTY, LIST, NONE, CellSplitter, as_list
from .vote_cells import put_together, taken_apart

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .label_map import LabelMap

OBJECT, NUMBERS, NAMES = "object", "numbers", "names"


class Votes(NamedTuple):
    """The votes in one cell.

    Attributes:
        how: One of the ways above, or what the cell was put together from; `EMPTY` where there is no vote at all.
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
        if (whole := taken_apart(cell)) is not None:
            how, content = whole
            return _some(how, content if isinstance(content, dict) else self._named(content))
        if (found := self._json(_parsed(cell))) is not None:
            return found
        way = self._splitter.split(cell)
        if _begins_as_json(cell) and way.how not in (LIST, NONE) and not self._splitter.knows(way):
            return Votes(OBJECT, {}, ("읽을 수 없는 객체나 목록입니다", "an object or a list that cannot be read"))
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
        found[cell] = (as_list(votes.voted_for), put_together(votes.how, meant))
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
    if not _begins_as_json(cell):
        return None
    for read in (_from_json, _from_python):
        try:
            return read(cell.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return None


def _begins_as_json(cell: str) -> bool:
    return cell.lstrip().startswith(("{", "["))


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


def vote_matrix(rows: Sequence[Mapping[str, float] | None], names: Sequence[str]) -> NDArray[np.float64]:
    """Returns the votes of rows as a table, shape (rows, labels); -100 in rows without."""
    import numpy as np

    found = np.full((len(rows), len(names)), -100.0)
    for line, row in zip(found, rows, strict=True):
        if row is not None:
            line[:] = [row[name] or 0.0 for name in names]
    return found
