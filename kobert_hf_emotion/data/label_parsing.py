"""Label cells, however they are written, into the ids of labels."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from ..errors import DataError, Setting
from ..labels import EMOTION_LABELS, clean_name, fold_name, label_aliases, whole_number

if TYPE_CHECKING:
    import pandas as pd

AUTO = "auto"
"""What `labels` is where the names are to be taken from the file; None does the same."""

EXCEL_ERRORS = ("#name?", "#n/a", "#ref!", "#value!", "#div/0!", "#null!", "#num!", "#spill!", "#calc!", "#error!")
"""What spreadsheets write where a formula fails, folded."""

NULLS = ("nan", "nat", "na", "n/a", "#na", "<na>", "null", "(null)", "<null>", "[null]", r"\n")
"""What programs write where there is no value, folded. "none" is not one of them: data sets have such a class."""

_EMPTY = frozenset({"", *EXCEL_ERRORS, *NULLS, "-", "--", "–", "—"})
_BRACKETED = re.compile(r"(?P<name>.+?) ?[(\[{<] ?(?P<id>\d+) ?[)\]}>]|[(\[{<] ?(?P<id_>\d+) ?[)\]}>] ?(?P<name_>\D.*)")
_COLON = re.compile(r"(?P<name>.+?) ?: ?(?P<id>\d+)|(?P<id_>\d+) ?: ?(?P<name_>\D.*)")
_JOINED = re.compile(r"(?P<name>.*[^\W\d]) ?[=_/-] ?(?P<id>\d+)|(?P<id_>\d+) ?[.)=_/-] ?(?P<name_>\D.*)")
_MOST_INFERRED_LABELS = 1000

Kind: TypeAlias = Literal["name", "number", "id_beside", "empty", "unknown"]


class Reading(NamedTuple):
    """What one cell was read as.

    Attributes:
        id: The label's id; None for the kinds "empty" and "unknown".
        kind: By what it was recognised: a name or synonym, a number that is an id, or a name with an id beside it.
    """

    id: int | None
    kind: Kind


class LabelParser:
    """Reads the cells of a column of labels.

    Args:
        names: The names of the labels, in the order of their ids.

    Example:
        >>> parse = LabelParser(["negative", "positive"]).parse
        >>> parse("Positive "), parse("0.0"), parse("positive(3)"), parse("NaN"), parse("neutral")
        (Reading(id=1, kind='name'), Reading(id=0, kind='number'), Reading(id=1, kind='id_beside'), \
Reading(id=None, kind='empty'), Reading(id=None, kind='unknown'))
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        own = {label_key(name): index for index, name in enumerate(names)}
        # With names such as ("1", …, "5") a number is a name and never an id.
        self.takes_ids = not any(whole_number(key) for key in own)
        aliases = {alias: index for alias, index in label_aliases(names).items() if not whole_number(alias)}
        self.aliases = {**aliases, **own}
        self._known: dict[str, Reading] = {}

    def parse(self, cell: str) -> Reading:
        """Returns what a cell holds."""
        if (known := self._known.get(cell)) is None:
            known = self._known[cell] = self._parse(label_key(cell))
        return known

    def _parse(self, key: str) -> Reading:
        if (index := self.aliases.get(key)) is not None:
            return Reading(index, "name")
        if key in _EMPTY:
            return Reading(None, "empty")
        if self.takes_ids and whole_number(key) and 0 <= int(key) < len(self.names):
            return Reading(int(key), "number")
        for pattern in (_BRACKETED, _COLON, _JOINED):
            if (parts := _split(pattern, key)) and (index := self.aliases.get(parts[0])) is not None:
                return Reading(index, "id_beside")
        return Reading(None, "unknown")

    def nearest(self, cell: str, among: Container[int] | None = None) -> int | None:
        """Returns the id of the label that a cell may be a slip of: of its name, or of another name of it.

        Args:
            cell: What is no label.
            among: The ids that come into question; by default all.

        Example:
            >>> LabelParser(["fear", "disgust"]).nearest("혐호"), LabelParser(["fear", "disgust"]).nearest("짜증")
            (1, None)
        """
        near = nearest(cell, [name for name, index in self.aliases.items() if among is None or index in among])
        return None if near is None else self.aliases[near]

    def ids(self, cells: pd.Series[str]) -> pd.Series[Any]:
        """Returns the ids of cells as nullable integers; missing where a cell is empty or unknown."""
        import pandas as pd

        found = {cell: self.parse(cell).id for cell in cells.unique().tolist()}
        return cells.map({cell: index for cell, index in found.items() if index is not None}).astype(pd.Int64Dtype())


def label_key(cell: str) -> str:
    """Returns the form in which labels are compared: `fold_name`, and one way to write a whole number.

    >>> label_key(" 03.0"), label_key("Happy ")
    ('3', 'happy')
    """
    key = fold_name(cell)
    number = whole_number(key)
    return key if number is None else str(int(number))


def is_empty_label(cell: str) -> bool:
    """Whether a cell stands for no label, where no label is called so."""
    return label_key(cell) in _EMPTY


def nearest(cell: str, names: Iterable[str], cutoff: float = 0.7) -> str | None:
    """Returns the name that is nearest to a cell, None where none is near.

    Letters are compared and not syllables: of two syllables one typo leaves only half.

    Example:
        >>> nearest("ㅈ중립", ["슬픔", "중립"]), nearest("중림", ["슬픔", "중립"]), nearest("짜증", ["슬픔", "중립"])
        ('중립', '중립', None)
    """
    letters = {unicodedata.normalize("NFD", name): name for name in names}
    near = difflib.get_close_matches(unicodedata.normalize("NFD", label_key(cell)), letters, n=1, cutoff=cutoff)
    return letters[near[0]] if near else None


def label_names(
    frame: pd.DataFrame,
    labels: Sequence[str] | None,
    names_of: Callable[[Mapping[str, int]], tuple[str, ...]] | None = None,
) -> tuple[str, ...] | None:
    """Returns the label names: those given, or those in the file; None if there are no labels.

    Args:
        frame: Rows of `data`.
        labels: The names, or `AUTO` or None for those in the file.
        names_of: Returns the names that cells hold, given how often each is there; `names_in` by default.

    Raises:
        DataError: The names given are not distinct, or the column has too many values for labels.
    """
    if "raw_label" not in frame:
        return None
    if labels is not None and not (isinstance(labels, str) and fold_name(labels) == AUTO):
        return _given_names(labels)
    counts = frame["raw_label"].value_counts()
    names = (names_of or names_in)(dict(zip(counts.index.tolist(), counts.tolist(), strict=True)))
    if len(names) > _MOST_INFERRED_LABELS:
        column = frame["label_name"].iloc[0]
        raise DataError(
            f"'{column}' 열에 서로 다른 값이 {len(names):,}개 있어 레이블 열로 볼 수 없습니다. "
            "`label_column`으로 레이블 열을 지정하세요.",
            f"Column '{column}' has {len(names):,} distinct values; expected labels. "
            "Name the label column with `label_column`.",
        )
    return names


def _given_names(labels: Sequence[str]) -> tuple[str, ...]:
    if isinstance(labels, str):
        raise DataError(
            f"`labels`에는 이름의 목록이나 {AUTO}가 와야 하는데 문자열 {labels!r}입니다. 목록으로 쓰세요.",
            f"Expected a list of names or {AUTO} as `labels`, found the string {labels!r}. Write a list.",
        )
    names = tuple(map(str, labels))
    keys = {label_key(name) for name in names}
    if len(keys) < len(names) or not names or "" in keys:
        raise DataError(
            f"`labels`에는 비어 있지 않은 서로 다른 이름이 하나 이상 있어야 하는데 {list(names)}입니다.",
            f"Expected one or more distinct names, none of them empty, as `labels`, found {list(names)}.",
        )
    return names


def names_in(counts: Mapping[str, int]) -> tuple[str, ...]:
    """Returns the names of the labels that cells hold, sorted, numbers by their size.

    Cells that are equal after `label_key` are one label, called as most of them are. An id beside a name ("슬픔(0)",
    "0: 슬픔") goes, provided that every such name has one id and every id one name.

    Args:
        counts: How often each cell is there.

    Example:
        >>> names_in({"Positive": 3, "positive ": 2, "negative(0)": 1, "nan": 1})
        ('negative', 'Positive')
    """
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for cell, name in _without_ids(counts).items():
        key = label_key(name)
        if key not in _EMPTY:
            spellings[key][key if whole_number(key) else name] += counts[cell]
    numeric = all(whole_number(key) for key in spellings)
    keys = sorted(spellings, key=int) if numeric else sorted(spellings)
    return tuple(min(spellings[key].items(), key=lambda item: (-item[1], item[0]))[0] for key in keys)


def _without_ids(cells: Iterable[str]) -> dict[str, str]:
    """Returns the name in each cell, without the ids beside names where every name has one id and every id one name."""
    seen = {cell: clean_name(cell) for cell in cells}
    parts = {cell: _split(_BRACKETED, name) or _split(_COLON, name) for cell, name in seen.items()}
    ids, stems = defaultdict(set), defaultdict(set)
    for stem, number in filter(None, parts.values()):
        ids[label_key(stem)].add(number)
        stems[number].add(label_key(stem))
    if all(len(found) == 1 for found in (*ids.values(), *stems.values())):
        seen |= {cell: found[0] for cell, found in parts.items() if found}
    return seen


def _split(pattern: re.Pattern[str], name: str) -> tuple[str, str] | None:
    """Returns a name and the id beside it as a number without leading zeros; None where there is no id, or no name."""
    found = pattern.fullmatch(name)
    if found is None:
        return None
    stem = (found["name"] or found["name_"] or "").strip()
    return (stem, str(int(found["id"] or found["id_"]))) if stem and not whole_number(stem) else None


def named_labels(names: Sequence[str]) -> dict[str, Setting]:
    """Returns the argument of a command that names the labels `names`; none for the seven emotions."""
    if tuple(names) == EMOTION_LABELS:
        return {}
    return {"labels": as_cells(names)}


def as_cells(names: Sequence[str]) -> str:
    """Returns names with commas between them, and in quotation marks where one has a comma."""
    return ",".join(f'"{name}"' if "," in name else name for name in names)
