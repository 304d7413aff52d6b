"""Which one column of a table holds the texts, and which the labels: guessed by name and cells where only one fits."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import DataError, Setting
from ..labels import whole_number
from .known_columns import EMOTION_NAMES, LABEL_NAMES, TEXT_NAMES, column_key, is_near, listed, named_like, once_named

if TYPE_CHECKING:
    import pandas as pd

    from .tables import Table

GUESS_ROWS = 1000
"""Rows whose cells are looked at for a guess: the same ones whether a file is read whole or in chunks."""


class _Role(NamedTuple):
    """How messages name a column's role, and the argument that sets it."""

    korean: str
    english: str
    argument: str


_TEXT = _Role("글(text)", "the text", "text_column")
_LABEL = _Role("레이블", "the label", "label_column")


def guess_text(table: Table, taken: set[str], with_label: bool) -> str:
    """Returns the column of the texts: the only one, beside those taken, that has a name known for it.

    Args:
        table: The table.
        taken: Columns that have another role.
        with_label: Whether that of the labels is to be guessed too, so that the error's hint names both.

    Raises:
        DataError: No column or several have such a name.
    """
    found = [name for name in named_like(table, TEXT_NAMES) if name not in taken]
    if len(found) == 1:
        return found[0]
    _refuse_twice(table, found, {})
    text = _likely_text(table, taken)
    mend: dict[str, Setting] = {} if text is None else {"text_column": text}
    raise _no_guess(table, _TEXT, found, mend | (_label_mend(table, text) if with_label else {}))


def guess_label(table: Table, head: pd.DataFrame, taken: set[str], require_labels: bool) -> str | None:
    """Returns the column of the labels: the only one that has a name known for it; beside one of names that of numbers.

    Args:
        table: The table.
        head: Its first rows.
        taken: Columns that have another role.
        require_labels: Whether it is an error that there is none.

    Raises:
        DataError: Several columns have such a name, or none has where one must be there.
    """
    label, emotion = (
        [name for name in named_like(table, names) if name not in taken] for names in (LABEL_NAMES, EMOTION_NAMES)
    )
    found = label + emotion
    if len(found) == 1:
        return found[0]
    if len(label) == len(emotion) == 1 and (numeric := [name for name in found if _is_numeric(head, name)]):
        return numeric[0]
    if not found and not require_labels:
        return None
    _refuse_twice(table, found, {"ignore_labels": True})
    likely = _likely_label(table, taken)
    raise _no_guess(table, _LABEL, found, {} if likely is None else {"label_column": likely})


def rivals_of(table: Table, role: str, free: Sequence[str]) -> tuple[str, ...]:
    """Returns the columns without a role whose names and cells would do for one that was guessed."""
    names, holds = (TEXT_NAMES, _holds_texts) if role == "text" else (LABEL_NAMES + EMOTION_NAMES, _holds_labels)
    head = table.frame.head(GUESS_ROWS)
    return tuple(name for name in free if is_near(name, names) and holds(head, name))


def check_named(table: Table, named: Mapping[str, str], with_label: bool) -> None:
    """Raises `DataError` where columns that were named are missing or there twice, with what mends all of the names.

    Args:
        table: The table.
        named: The columns by the arguments that name them.
        with_label: Whether that of the labels is to be guessed, so that the hint names it beside that of the texts.
    """
    faults = [_fault_of(table, name, argument, with_label) for argument, name in named.items()]
    errors = [error for error in faults if error is not None]
    if errors:
        mends = [error.mend for error in errors]
        raise DataError(
            "\n".join(error.korean for error in errors),
            "\n".join(error.english for error in errors),
            mend={argument: value for mend in mends for argument, value in mend.items()} if all(mends) else {},
        )


def _fault_of(table: Table, name: str, argument: str, with_label: bool) -> DataError | None:
    """Returns what is wrong with the name of a column, which the argument `argument` gives; None where it is there."""
    found = list(table.frame.columns).count(name)
    if found == 1:
        return None
    if found > 1:
        return there_twice(table, name, found)
    columns = [column for column in table.frame.columns if column]
    guess = _called_nearly(columns, name)
    mended = _likely_for(table, argument) if guess is None else guess
    return DataError(
        f"{table.path}: '{name}' 열이 없습니다. 있는 열: {listed(columns)}."
        + (f" 혹시 '{guess}'인가요?" if guess else f" `{argument}`에 그중 하나를 쓰세요."),
        f"{table.path}: there is no column '{name}'. Columns found: {listed(columns)}."
        + (f" Did you mean '{guess}'?" if guess else f" Name one of these with `{argument}`."),
        mend={argument: mended} | (_label_mend(table, mended) if with_label and argument == "text_column" else {}),
    )


def _refuse_twice(table: Table, found: Sequence[str], mend: dict[str, Setting]) -> None:
    """Raises `DataError` where several columns fit and none of them can be named, for another has the same name."""
    if found and not once_named(found):
        raise there_twice(table, found[0], found.count(found[0]), mend)


def there_twice(table: Table, name: str, times: int, mend: dict[str, Setting] | None = None) -> DataError:
    """Returns the error of columns that have one name, where one of them is wanted."""
    return DataError(
        f"{table.path}: 이름이 '{name}'인 열이 {times}개입니다. 하나만 남기거나 이름을 바꾸세요.",
        f"{table.path}: there are {times} columns called '{name}'. Rename all but one.",
        mend=mend or {},
    )


def _called_nearly(columns: Sequence[str], name: str) -> str | None:
    """Returns the column with a name that `name` may be a slip of."""
    keys = {column_key(column): column for column in columns}
    near = difflib.get_close_matches(column_key(name), list(keys), n=1, cutoff=0.5)
    return keys[near[0]] if near else None


def _likely_for(table: Table, argument: str) -> str | None:
    """Returns the column that an argument most likely means; None where nothing tells."""
    if argument == "text_column":
        return _likely_text(table, set(named_like(table, LABEL_NAMES + EMOTION_NAMES)))
    if argument == "label_column":
        return _likely_label(table, set(named_like(table, TEXT_NAMES)))
    return None


def _label_mend(table: Table, text: str | None) -> dict[str, Setting]:
    """Returns what mends the guess of the label, where the text is in the column `text`; nothing where it works."""
    if text is None:
        return {}
    try:
        guess_label(table, table.frame.head(GUESS_ROWS), {text}, require_labels=True)
    except DataError as error:
        return error.mend
    return {}


def _no_guess(table: Table, role: _Role, found: Sequence[str], mend: dict[str, Setting]) -> DataError:
    columns = [column for column in table.frame.columns if column]
    which = (
        (f"여러 개({listed(found)})입니다", f"several fit ({listed(found)})")
        if found
        else ("없습니다", "none has a known name")
    )
    return DataError(
        f"{table.path}: {role.korean} 열로 볼 만한 열이 {which[0]}. 있는 열: {listed(columns)}. "
        f"첫 행에 열 이름이 있어야 하며, `{role.argument}`으로 열을 지정할 수 있습니다.",
        f"{table.path}: expected a column with {role.english}, {which[1]}. Columns found: {listed(columns)}. "
        f"The first row must hold column names; name the column with `{role.argument}`.",
        mend=mend,
    )


def _likely_text(table: Table, taken: set[str]) -> str | None:
    """Returns the column that looks most like that of the texts: by its name, or by the length of its cells."""
    return _likeliest(table, TEXT_NAMES, lambda name: float(table.frame[name].str.len().mean()), taken)


def _likely_label(table: Table, taken: set[str]) -> str | None:
    """Returns the column that looks most like that of the labels: by its name, or by how few values it has."""

    def score(name: str) -> tuple[int, int]:
        filled = _filled(table.frame, name)
        return (min(len(filled) * 2 // max(len(table.frame), 1), 1), -len(set(filled)))

    return _likeliest(table, LABEL_NAMES + EMOTION_NAMES, score, taken | _numbering(table))


def _numbering(table: Table) -> set[str]:
    """Returns the columns that number rows: whole numbers of which none is there twice."""
    cells = {name: _filled(table.frame, name) for name in table.frame.columns}
    return {
        name
        for name, found in cells.items()
        if len(found) > 2 and len(set(found)) == len(found) and all(whole_number(cell) is not None for cell in found)
    }


def _likeliest(table: Table, names: Sequence[str], score: Callable[[str], Any], taken: set[str]) -> str | None:
    free = [name for name in once_named(list(table.frame.columns)) if name not in taken]
    near = [name for name in free if is_near(name, names)]
    varied = [name for name in free if table.frame[name].nunique() > 1]
    return max(near or varied or free, key=score, default=None)


def _holds_texts(head: pd.DataFrame, name: str) -> bool:
    """Whether most cells of a column look like sentences: more than a word or a number."""
    cells = _filled(head, name)
    long = sum(" " in cell.strip() or (len(cell) > 5 and not cell.isascii()) for cell in cells)
    return 2 * long > len(cells) > 0


def _holds_labels(head: pd.DataFrame, name: str) -> bool:
    """Whether the cells of a column may be labels: short names, most of them not for the first time."""
    cells = _filled(head, name)
    words = [cell for cell in cells if len(cell) <= 30 and whole_number(cell) is None and not _is_decimal(cell)]
    return 2 * len(words) > len(cells) > 0 and len(set(cells)) <= max(2, len(cells) / 2)


def _is_numeric(head: pd.DataFrame, name: str) -> bool:
    cells = _filled(head, name)
    return bool(cells) and all(whole_number(cell) is not None for cell in cells)


def _filled(head: pd.DataFrame, name: str) -> list[str]:
    if list(head.columns).count(name) != 1:
        return []
    return [cell for cell in head[name].tolist() if cell.strip()]


def _is_decimal(cell: str) -> bool:
    return re.fullmatch(r"\s*-?[0-9]*\.[0-9]+%?\s*", cell) is not None
