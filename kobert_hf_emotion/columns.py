"""Which column of a table holds the text, the label, the group: as told, or guessed where only one fits."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .errors import DataError
from .labels import fold_name

if TYPE_CHECKING:
    from .tables import Table


class _Role(NamedTuple):
    """How messages name a column's role, and the option that sets it."""

    korean: str
    english: str
    option: str


TEXT_NAMES = (
    *("text", "sentence", "document", "utterance", "comment", "review", "content"),
    *("문장", "내용", "발화", "발화문", "텍스트", "본문", "댓글", "리뷰"),
)
LABEL_NAMES = ("label", "labels", "lable", "라벨", "레이블", "class", "target")
EMOTION_NAMES = ("emotion", "emotions", "감정", "sentiment", "감성")

_TEXT = _Role("글(text)", "the text", "--text-column")
_LABEL = _Role("레이블", "the label", "--label-column")
_NUMBER = re.compile(r"(-?\d+)(\.0+)?")


@dataclass(frozen=True)
class Columns:
    """The columns of one table by their role; None where there is none.

    `other_label` is a second column of labels, which `label` can be compared with.
    """

    text: str
    label: str | None = None
    other_label: str | None = None
    text_pair: str | None = None
    group: str | None = None
    id: str | None = None


def find_columns(
    table: Table,
    *,
    text: str | None = None,
    label: str | None = None,
    text_pair: str | None = None,
    group: str | None = None,
    require_labels: bool = True,
    read_labels: bool = True,
) -> Columns:
    """Finds the columns of a table: those named must be there, text and label are guessed if not named.

    Where a numeric `Label` and an `Emotion` stand side by side, as in the files of the 2023 notebook,
    the numeric one is the label.

    Raises:
        DataError: A named column is missing or there twice, or the guess fits no column or several.
    """
    for name in (text, label, text_pair, group):
        if name is not None:
            _check_named(table, name, require_labels)
    text_name = text if text is not None else _guess_text(table, require_labels)
    label_name, other = None, None
    if read_labels:
        label_name = label if label is not None else _guess_label(table, text_name, require_labels)
        other = _other_label(table, {text_name, label_name}) if label_name is not None else None
    ids = _named_like(table, ("id",))
    return Columns(text_name, label_name, other, text_pair, group, ids[0] if len(ids) == 1 else None)


def whole_number(cell: str) -> str | None:
    """Returns a whole number as it is written without a decimal part, or None.

    >>> whole_number(" 3.0"), whole_number("3.5"), whole_number("happy")
    ('3', None, None)
    """
    match = _NUMBER.fullmatch(cell.strip())
    return match[1] if match else None


def _named_like(table: Table, names: Sequence[str]) -> list[str]:
    return [column for column in table.frame.columns if fold_name(column) in names]


def _check_named(table: Table, name: str, require_labels: bool) -> None:
    found = list(table.frame.columns).count(name)
    if found == 1:
        return
    if found > 1:
        raise DataError(
            f"{table.path}: 이름이 '{name}'인 열이 {found}개입니다. 하나만 남기거나 이름을 바꾸세요.",
            f"{table.path}: there are {found} columns called '{name}'. Rename all but one.",
        )
    columns = [column for column in table.frame.columns if column]
    folded = {fold_name(column): column for column in columns}
    near = difflib.get_close_matches(fold_name(name), list(folded), n=1, cutoff=0.5)
    guess = folded[near[0]] if near else None
    raise DataError(
        f"{table.path}: '{name}' 열이 없습니다. 있는 열: {_listed(columns)}."
        + (f" 혹시 '{guess}'인가요?" if guess else ""),
        f"{table.path}: there is no column '{name}'. Columns found: {_listed(columns)}."
        + (f" Did you mean '{guess}'?" if guess else ""),
        _command(table, require_labels),
    )


def _guess_text(table: Table, require_labels: bool) -> str:
    found = _named_like(table, TEXT_NAMES)
    if len(found) == 1:
        return found[0]
    raise _no_guess(table, _TEXT, found, require_labels)


def _guess_label(table: Table, text: str, require_labels: bool) -> str | None:
    label, emotion = (
        [name for name in _named_like(table, names) if name != text] for names in (LABEL_NAMES, EMOTION_NAMES)
    )
    found = label + emotion
    if len(found) == 1:
        return found[0]
    if len(label) == len(emotion) == 1:
        numeric = next((name for name in found if _is_numeric(table, name)), None)
        if numeric is not None:
            return numeric
    if not found and not require_labels:
        return None
    raise _no_guess(table, _LABEL, found, require_labels)


def _other_label(table: Table, taken: set[str | None]) -> str | None:
    others = [name for name in _named_like(table, LABEL_NAMES + EMOTION_NAMES) if name not in taken]
    return others[0] if len(others) == 1 else None


def _is_numeric(table: Table, name: str) -> bool:
    cells = [cell for cell in table.frame[name].unique().tolist() if cell.strip()]
    return bool(cells) and all(whole_number(cell) is not None for cell in cells)


def _no_guess(table: Table, role: _Role, found: Sequence[str], require_labels: bool) -> DataError:
    columns = [column for column in table.frame.columns if column]
    which = (
        (f"여러 개({_listed(found)})입니다", f"several fit ({_listed(found)})")
        if found
        else ("없습니다", "none has a known name")
    )
    return DataError(
        f"{table.path}: {role.korean} 열로 볼 만한 열이 {which[0]}. 있는 열: {_listed(columns)}. "
        f"첫 행에 열 이름이 있어야 하며, {role.option}으로 열을 지정할 수 있습니다.",
        f"{table.path}: expected a column with {role.english}, {which[1]}. Columns found: {_listed(columns)}. "
        f"The first row must hold column names; name the column with {role.option}.",
        _command(table, require_labels),
    )


def _command(table: Table, require_labels: bool) -> str | None:
    """Returns a command line with the columns that look most like text and label; None if there are no columns.

    Without any column left for the label it is `predict`, which needs none.
    """
    text = _likeliest(table, TEXT_NAMES, lambda name: table.frame[name].str.len().mean(), set())
    label = _likeliest(table, LABEL_NAMES + EMOTION_NAMES, lambda name: -table.frame[name].nunique(), {text})
    if text is None:
        return None
    command = "train" if require_labels and label is not None else "predict"
    parts = ["kobert-emotion", command, str(table.path), "--text-column", text]
    return shlex.join(parts + (["--label-column", label] if label is not None else []))


def _likeliest(table: Table, names: Sequence[str], score: Callable[[str], float], taken: set[str | None]) -> str | None:
    columns = list(table.frame.columns)
    free = [name for name in columns if name and columns.count(name) == 1 and name not in taken]
    near = [name for name in free if difflib.get_close_matches(fold_name(name), names, n=1, cutoff=0.75)]
    varied = [name for name in free if table.frame[name].nunique() > 1]
    return max(near or varied or free, key=score, default=None)


def _listed(names: Sequence[str]) -> str:
    shown = [name if len(name) <= 30 else name[:29] + "…" for name in names[:20]]
    return ", ".join(shown) + (f", … (+{len(names) - 20})" if len(names) > 20 else "")
