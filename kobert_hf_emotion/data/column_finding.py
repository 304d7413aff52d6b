"""Finds which column of a table holds the text, the label, the group: as told, or guessed where only one fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import DataError
from .column_guesses import GUESS_ROWS, check_named, guess_label, guess_text, rivals_of
from .columns import Columns, Wanted
from .known_columns import EMOTION_NAMES, LABEL_NAMES, named_like, once_named
from .label_columns import many_columns, refuse_other_task

if TYPE_CHECKING:
    from .tables import Table


def find_columns(table: Table, wanted: Wanted | None = None) -> Columns:
    """Finds the columns of a table: those named must be there, text and label are guessed if not named.

    Where a numeric `Label` and an `Emotion` stand side by side, as in the files of the 2023 notebook,
    the numeric one is the label. Names of columns are compared without case, blanks and underscores.

    Raises:
        DataError: A named column is missing or there twice, or the guess fits no column or several.
    """
    wanted = wanted or Wanted()
    if wanted.read_labels and (many := many_columns(table, wanted)) is not None:
        return _with_many(table, wanted, *many)
    check_named(table, wanted.named, wanted.must_guess_label)
    taken = set(wanted.named.values())
    text = wanted.text if wanted.text is not None else guess_text(table, taken, wanted.must_guess_label)
    taken.add(text)
    label, coarse, other = _labels_by_level(table, taken, wanted)
    taken.update(filter(None, (label, coarse, other)))
    row_id = _the_one(table, ("id",), taken)
    free = [name for name in table.frame.columns if name and name not in {*taken, row_id}]
    guessed = _guessed_roles(wanted, label, coarse)
    rivals = {role: found for role in guessed if (found := rivals_of(table, role, once_named(free)))}
    if other is None and len(rivals.get("label", ())) == 1:
        [other] = rivals["label"]
    return Columns(
        *(text, label, other, wanted.text_pair, wanted.group, row_id),
        guessed=guessed,
        rivals=rivals,
        unused=tuple(name for name in free if name != other),
        coarse=coarse,
    )


def _labels_by_level(table: Table, taken: set[str], wanted: Wanted) -> tuple[str | None, str | None, str | None]:
    """Returns the column of labels, that of coarse ones above them, and one to compare the labels with."""
    label, other = _find_labels(table, taken, wanted)
    if wanted.fine_label is not None and wanted.read_labels:
        return wanted.fine_label, label, None
    return label, None, other


def _guessed_roles(wanted: Wanted, label: str | None, coarse: str | None) -> tuple[str, ...]:
    """Returns the roles whose columns were not named and are found all the same."""
    role, found = ("label", label) if wanted.fine_label is None else ("coarse", coarse)
    of_labels = (role,) if wanted.label is None and found is not None else ()
    return (("text",) if wanted.text is None else ()) + of_labels


def _find_labels(table: Table, taken: set[str], wanted: Wanted) -> tuple[str | None, str | None]:
    """Returns the column of labels, and a second one to compare it with."""
    if not wanted.read_labels:
        return None, None
    label = wanted.label
    if label is None:
        try:
            label = guess_label(table, table.frame.head(GUESS_ROWS), taken, wanted.must_guess_label)
        except DataError:
            refuse_other_task(table, taken, wanted)
            raise
    if label is None or wanted.several or wanted.votes or wanted.fine_label is not None:
        return label, None
    return label, _the_one(table, LABEL_NAMES + EMOTION_NAMES, {*taken, label})


def _with_many(table: Table, wanted: Wanted, role: str, columns: tuple[str, ...]) -> Columns:
    """Returns the columns of a table that has several for the labels."""
    rest = find_columns(table, replace(wanted, label=None, read_labels=False, require_labels=False))
    guessed = (*rest.guessed, *((role,) if wanted.label is None else ()))
    unused = tuple(name for name in rest.unused if name not in columns)
    found = {role: columns}
    return replace(rest, guessed=guessed, unused=unused, **found)  # type: ignore[arg-type]


def _the_one(table: Table, names: Sequence[str], taken: set[str]) -> str | None:
    """Returns the column that has one of `names`; None where there is none, or several, beside those taken."""
    found = [name for name in named_like(table, names) if name not in taken]
    return found[0] if len(found) == 1 else None
