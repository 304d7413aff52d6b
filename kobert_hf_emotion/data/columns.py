"""Which column of a table holds the text, the label, the group: as told, or guessed where only one fits."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import DataError, Setting
from ..labels import fold_name, whole_number
from ..wording import Language, Wording
from .label_parsing import named_labels
from .several_labels import is_indicator
from .vote_columns import guess_vote_columns, labels_called, named_vote_columns, refuse_no_votes

if TYPE_CHECKING:
    import pandas as pd

    from .tables import Table
    from .turns import Turns


class _Role(NamedTuple):
    """How messages name a column's role, and the argument that sets it."""

    korean: str
    english: str
    argument: str


TEXT_NAMES = (
    *("text", "sentence", "document", "utterance", "comment", "review", "content"),
    *("글", "문장", "내용", "발화", "발화문", "텍스트", "본문", "댓글", "리뷰"),
    *("문장내용", "대화내용", "댓글내용", "발화내용", "리뷰내용", "글내용"),
)
LABEL_NAMES = ("label", "labels", "lable", "라벨", "레이블", "class", "target")
EMOTION_NAMES = ("emotion", "emotions", "감정", "sentiment", "감성")
GUESS_ROWS = 1000
"""Rows whose cells are looked at for a guess: the same ones whether a file is read whole or in chunks."""

_TEXT = _Role("글(text)", "the text", "text_column")
_LABEL = _Role("레이블", "the label", "label_column")
_ROLES = {
    "text": ("글", "text"),
    "text_pair": ("둘째 글", "text_pair"),
    "label": ("레이블", "label"),
    "coarse": ("대분류", "coarse label"),
    "other_label": ("견줄 레이블", "second label"),
    "group": ("그룹", "group"),
    "order": ("순서", "order"),
    "id": ("ID", "id"),
}
_MANY = {
    "indicators": ("레이블마다 한 열(0/1)", "a column of 0/1 for each label"),
    "votes": ("레이블마다 한 열(표나 몫)", "a column of votes or shares for each label"),
    "annotators": ("평가자마다 한 열", "a column for each annotator"),
}


@dataclass(frozen=True)
class Columns:
    """The columns of one table by their role; None where there is none.

    `other_label` is a second column of labels, which `label` is compared with; `coarse` one of coarse labels, where
    `label` holds fine ones. `guessed` lists the roles of columns that were not named, `rivals` other columns that could
    have been taken for the role, `unused` all columns without one. In place of `label` there may be several
    columns: `indicators`, of 0 and 1, one for each label; `votes`, of numbers, one for each label; or `annotators`, of
    labels, one for each annotator.
    """

    text: str
    label: str | None = None
    other_label: str | None = None
    text_pair: str | None = None
    group: str | None = None
    id: str | None = None
    order: str | None = None
    indicators: tuple[str, ...] = ()
    votes: tuple[str, ...] = ()
    annotators: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()
    rivals: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    coarse: str | None = None

    @property
    def for_labels(self) -> tuple[str, ...]:
        """The labels that columns are called by, one for each."""
        return self.indicators or labels_called(self.votes)

    @property
    def of_labels(self) -> tuple[str, ...]:
        """All columns that hold labels, or votes for them."""
        return (*(() if self.label is None else (self.label,)), *self.indicators, *self.votes, *self.annotators)

    def in_words(self, language: Language = "both") -> str:
        """Returns which column is used for what, in one language or in both."""

        def word(both: tuple[str, str]) -> str:
            return f"{both[0]}({both[1]})" if language == "both" else Wording(*both).in_language(language)

        parts = []
        for role, words in _ROLES.items():
            if (name := getattr(self, role)) is None:
                continue
            part = f"{word(words)} '{name}'"
            if role in self.guessed:
                part += f" {word(('추측', 'guessed'))}"
            if rivals := self.rivals.get(role):
                part += f" — {word(('다른 후보', 'others that fit'))}: {_listed(rivals)}"
            parts.append(part)
        for role, words in _MANY.items():
            if columns := getattr(self, role):
                part = f"{word(words)} {_listed(columns)}"
                parts.append(part + (f" {word(('추측', 'guessed'))}" if role in self.guessed else ""))
        if self.unused:
            parts.append(f"{word(('쓰지 않음', 'unused'))}: {_listed(self.unused)}")
        return "; ".join(parts)


@dataclass(frozen=True)
class Wanted:
    """What a caller says of the columns of a table: their names, where they are not to be guessed.

    Attributes:
        text: The column of the texts.
        label: That of the labels.
        text_pair: That of second texts; there are none if None, as for the group.
        group: That of the rows' groups.
        require_labels: Whether a column of labels must be there.
        read_labels: Whether one is looked for.
        several: Whether a row may have several labels, so that each may have a column of its own.
        votes: Whether a row has votes, so that each label or each annotator may have a column of its own.
        labels: The names of the labels, where they are given.
        turns: Which turns before a line are wanted with it, if any.
        fine_label: The column of the fine labels, where `label` is that of the coarse ones.
        require_coarse: Whether a column of coarse labels must then be there.
    """

    text: str | None = None
    label: str | None = None
    text_pair: str | None = None
    group: str | None = None
    require_labels: bool = True
    read_labels: bool = True
    several: bool = False
    votes: bool = False
    labels: tuple[str, ...] = ()
    turns: Turns | None = None
    fine_label: str | None = None
    require_coarse: bool = True

    @property
    def named(self) -> dict[str, str]:
        """The columns that are named, by the argument that names them."""
        roles = ("text", "label", "fine_label", "text_pair", "group")
        order = {} if self.turns is None or self.turns.order is None else {"order_column": self.turns.order}
        return {f"{role}_column": name for role in roles if (name := getattr(self, role)) is not None} | order

    @property
    def must_guess_label(self) -> bool:
        """Whether there is an error if no column can be guessed to hold the labels."""
        is_needed = self.require_labels and (self.fine_label is None or self.require_coarse)
        return self.label is None and is_needed and self.read_labels


def find_columns(table: Table, wanted: Wanted | None = None) -> Columns:
    """Finds the columns of a table: those named must be there, text and label are guessed if not named.

    Where a numeric `Label` and an `Emotion` stand side by side, as in the files of the 2023 notebook,
    the numeric one is the label. Names of columns are compared without case, blanks and underscores.

    Raises:
        DataError: A named column is missing or there twice, or the guess fits no column or several.
    """
    wanted = wanted or Wanted()
    if wanted.read_labels and (many := _many_columns(table, wanted)) is not None:
        return _with_many(table, wanted, *many)
    _check_named(table, wanted)
    taken = set(wanted.named.values())
    text = wanted.text if wanted.text is not None else _guess_text(table, taken, wanted.must_guess_label)
    taken.add(text)
    label, other = _find_labels(table, taken, wanted)
    coarse = None
    if wanted.fine_label is not None and wanted.read_labels:
        label, coarse, other = wanted.fine_label, label, None
    taken.update(name for name in (label, coarse, other) if name is not None)
    row_id = _the_one(table, ("id",), taken)
    free = [name for name in table.frame.columns if name and name not in taken and name != row_id]
    guessed = {"text": wanted.text is None}
    if wanted.fine_label is None:
        guessed["label"] = wanted.label is None and label is not None
    else:
        guessed["coarse"] = wanted.label is None and coarse is not None
    rivals = {role: found for role in guessed if guessed[role] and (found := _rivals(table, role, free))}
    if other is None and len(rivals.get("label", ())) == 1:
        [other] = rivals["label"]
    return Columns(
        *(text, label, other, wanted.text_pair, wanted.group, row_id),
        guessed=tuple(role for role, is_guessed in guessed.items() if is_guessed),
        rivals=rivals,
        unused=tuple(name for name in free if name != other),
        coarse=coarse,
    )


def _find_labels(table: Table, taken: set[str], wanted: Wanted) -> tuple[str | None, str | None]:
    """Returns the column of labels, and a second one to compare it with."""
    if not wanted.read_labels:
        return None, None
    label = wanted.label
    if label is None:
        try:
            label = _guess_label(table, table.frame.head(GUESS_ROWS), taken, wanted.must_guess_label)
        except DataError:
            _refuse_other_task(table, taken, wanted)
            raise
    if label is None or wanted.several or wanted.votes or wanted.fine_label is not None:
        return label, None
    return label, _the_one(table, LABEL_NAMES + EMOTION_NAMES, {*taken, label})


def _many_columns(table: Table, wanted: Wanted) -> tuple[str, tuple[str, ...]] | None:
    """Returns the role, and the columns, of a table with several columns for the labels; None where one holds them."""
    if wanted.several:
        return ("indicators", found) if (found := _indicators(table, wanted)) else None
    return _vote_columns(table, wanted) if wanted.votes else None


def _refuse_other_task(table: Table, taken: set[str], wanted: Wanted) -> None:
    """Raises `DataError` where columns called by labels hold numbers, which another task reads."""
    head = table.frame.head(GUESS_ROWS)
    free = [name for name in table.frame.columns if name and name not in taken]
    found = guess_vote_columns(table, head, free, wanted.labels, has_label_column=True) if wanted.labels else None
    if found is None:
        return
    role, columns = found
    if role == "votes" and all(is_indicator(head[name].unique().tolist()) for name in columns):
        task, korean, english = "multi-label", "0과 1이", "0 and 1"
    else:
        task, korean, english = "soft", "평가자들의 표(또는 몫)가", "votes or shares"
    raise DataError(
        f"{table.path}: 레이블 열 하나가 아니라 여러 열({_listed(columns)})에 {korean} 있습니다. `task`를 {task}로 "
        "하세요.",
        f"{table.path}: there is no one column of labels, but several ({_listed(columns)}) that hold {english}: use "
        f"`task` {task}.",
        mend={"task": task},
        otherwise={**named_labels(wanted.labels), "task": task, "train_file": str(table.path)},
    )


def _with_many(table: Table, wanted: Wanted, role: str, columns: tuple[str, ...]) -> Columns:
    """Returns the columns of a table that has several for the labels."""
    rest = find_columns(table, replace(wanted, label=None, read_labels=False, require_labels=False))
    guessed = (*rest.guessed, *((role,) if wanted.label is None else ()))
    unused = tuple(name for name in rest.unused if name not in columns)
    found = {role: columns}
    return replace(rest, guessed=guessed, unused=unused, **found)  # type: ignore[arg-type]


def _vote_columns(table: Table, wanted: Wanted) -> tuple[str, tuple[str, ...]] | None:
    """Returns the columns of votes, by label or by annotator; None where one column holds them."""
    if wanted.label is not None:
        listed = _listed_columns(table, wanted.label)
        return named_vote_columns(table, listed, wanted.labels) if listed else None
    names = [str(name) for name in table.frame.columns]
    taken = set(wanted.named.values())
    free = [name for name in names if name and name not in taken and names.count(name) == 1]
    free = [name for name in free if _key(name) not in TEXT_NAMES]
    head = table.frame.head(GUESS_ROWS)
    has_label_column = any(name not in taken for name in _named_like(table, LABEL_NAMES + EMOTION_NAMES))
    found = guess_vote_columns(table, head, free, wanted.labels, has_label_column)
    if found is None and not has_label_column and wanted.require_labels:
        raise refuse_no_votes(table, free, wanted.labels)
    return found


def _listed_columns(table: Table, label: str) -> tuple[str, ...]:
    """Returns the columns that are named with commas between them; none where that is the name of one column."""
    names = [str(name) for name in table.frame.columns]
    listed = next(csv.reader([label], skipinitialspace=True))
    return tuple(listed) if len(listed) > 1 and label not in names and set(listed) <= set(names) else ()


def _indicators(table: Table, wanted: Wanted) -> tuple[str, ...]:
    """Returns the columns of 0 and 1 that stand for a label each; none where one column holds the labels.

    They are those that are named with commas between them or, where no column is called like one of labels, those
    called by the names of the labels or, of other names, all that hold 0 and 1 alone.
    """
    names = [str(name) for name in table.frame.columns]
    if wanted.label is not None:
        return _listed_columns(table, wanted.label)
    taken = set(wanted.named.values())
    if any(name not in taken for name in _named_like(table, LABEL_NAMES + EMOTION_NAMES)):
        return ()
    head = table.frame.head(GUESS_ROWS)
    free = [name for name in names if name and name not in taken and names.count(name) == 1]
    found = [name for name in free if is_indicator(head[name].unique().tolist())]
    called = {fold_name(label) for label in wanted.labels}
    if any(fold_name(name) in called for name in found):  # one that holds something else is refused by what reads them
        found = [name for name in free if fold_name(name) in called]
    return tuple(found) if len(found) > 1 else ()


def _rivals(table: Table, role: str, free: Sequence[str]) -> tuple[str, ...]:
    """Returns the columns without a role whose names and cells would do for one that was guessed."""
    names, holds = (TEXT_NAMES, _holds_texts) if role == "text" else (LABEL_NAMES + EMOTION_NAMES, _holds_labels)
    head = table.frame.head(GUESS_ROWS)
    return tuple(name for name in free if _is_near(name, names) and holds(head, name))


def _the_one(table: Table, names: Sequence[str], taken: set[str]) -> str | None:
    """Returns the column that has one of `names`; None where there is none, or several, beside those taken."""
    found = [name for name in _named_like(table, names) if name not in taken]
    return found[0] if len(found) == 1 else None


def _key(column: str) -> str:
    return re.sub(r"[\s_.-]", "", fold_name(column))


def _named_like(table: Table, names: Sequence[str]) -> list[str]:
    return [column for column in table.frame.columns if _key(column) in names]


def _is_near(column: str, names: Sequence[str]) -> bool:
    """Whether the name of a column holds one of the names that are known, or is nearly one."""
    key = _key(column)
    # A name of one letter is in many words ("글쓴이").
    return (
        any(name in key for name in names if len(name) > 1)
        or key in names
        or bool(difflib.get_close_matches(key, names, n=1, cutoff=0.75))
    )


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


def _filled(head: pd.DataFrame, name: str) -> list[str]:
    if list(head.columns).count(name) != 1:
        return []
    return [cell for cell in head[name].tolist() if cell.strip()]


def _is_decimal(cell: str) -> bool:
    return re.fullmatch(r"\s*-?[0-9]*\.[0-9]+%?\s*", cell) is not None


def _check_named(table: Table, wanted: Wanted) -> None:
    """Raises `DataError` where columns are named that are not there, with what mends all of the names."""
    named = wanted.named.items()
    faults = [_fault_of(table, name, argument, wanted.must_guess_label) for argument, name in named]
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
        return DataError(
            f"{table.path}: 이름이 '{name}'인 열이 {found}개입니다. 하나만 남기거나 이름을 바꾸세요.",
            f"{table.path}: there are {found} columns called '{name}'. Rename all but one.",
        )
    columns = [column for column in table.frame.columns if column]
    keys = {_key(column): column for column in columns}
    near = difflib.get_close_matches(_key(name), list(keys), n=1, cutoff=0.5)
    guess = keys[near[0]] if near else None
    mended = guess
    if guess is None and argument == "text_column":
        mended = _likely_text(table, set(_named_like(table, LABEL_NAMES + EMOTION_NAMES)))
    elif guess is None and argument == "label_column":
        mended = _likely_label(table, set(_named_like(table, TEXT_NAMES)))
    return DataError(
        f"{table.path}: '{name}' 열이 없습니다. 있는 열: {_listed(columns)}."
        + (f" 혹시 '{guess}'인가요?" if guess else f" `{argument}`에 그중 하나를 쓰세요."),
        f"{table.path}: there is no column '{name}'. Columns found: {_listed(columns)}."
        + (f" Did you mean '{guess}'?" if guess else f" Name one of these with `{argument}`."),
        mend={argument: mended} | (_label_mend(table, mended) if with_label and argument == "text_column" else {}),
    )


def _guess_text(table: Table, taken: set[str], with_label: bool) -> str:
    found = [name for name in _named_like(table, TEXT_NAMES) if name not in taken]
    if len(found) == 1:
        return found[0]
    text = _likely_text(table, taken)
    mend: dict[str, Setting] = {} if text is None else {"text_column": text}
    raise _no_guess(table, _TEXT, found, mend | (_label_mend(table, text) if with_label else {}))


def _label_mend(table: Table, text: str | None) -> dict[str, Setting]:
    """Returns what mends the guess of the label, where the text is in the column `text`; nothing where it works."""
    if text is None:
        return {}
    try:
        _guess_label(table, table.frame.head(GUESS_ROWS), {text}, require_labels=True)
    except DataError as error:
        return error.mend
    return {}


def _guess_label(table: Table, head: pd.DataFrame, taken: set[str], require_labels: bool) -> str | None:
    label, emotion = (
        [name for name in _named_like(table, names) if name not in taken] for names in (LABEL_NAMES, EMOTION_NAMES)
    )
    found = label + emotion
    if len(found) == 1:
        return found[0]
    if len(label) == len(emotion) == 1 and (numeric := [name for name in found if _is_numeric(head, name)]):
        return numeric[0]
    if not found and not require_labels:
        return None
    likely = _likely_label(table, taken)
    raise _no_guess(table, _LABEL, found, {} if likely is None else {"label_column": likely})


def _is_numeric(head: pd.DataFrame, name: str) -> bool:
    cells = _filled(head, name)
    return bool(cells) and all(whole_number(cell) is not None for cell in cells)


def _no_guess(table: Table, role: _Role, found: Sequence[str], mend: dict[str, Setting]) -> DataError:
    columns = [column for column in table.frame.columns if column]
    which = (
        (f"여러 개({_listed(found)})입니다", f"several fit ({_listed(found)})")
        if found
        else ("없습니다", "none has a known name")
    )
    return DataError(
        f"{table.path}: {role.korean} 열로 볼 만한 열이 {which[0]}. 있는 열: {_listed(columns)}. "
        f"첫 행에 열 이름이 있어야 하며, `{role.argument}`으로 열을 지정할 수 있습니다.",
        f"{table.path}: expected a column with {role.english}, {which[1]}. Columns found: {_listed(columns)}. "
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
    columns = list(table.frame.columns)
    free = [name for name in columns if name and columns.count(name) == 1 and name not in taken]
    near = [name for name in free if _is_near(name, names)]
    varied = [name for name in free if table.frame[name].nunique() > 1]
    return max(near or varied or free, key=score, default=None)


def short_name(name: str) -> str:
    """Returns a column's name, cut to what fits into a message."""
    return name if len(name) <= 30 else name[:29] + "…"


def _listed(names: Sequence[str]) -> str:
    shown = list(map(short_name, names[:20]))
    return ", ".join(shown) + (f", … (+{len(names) - 20})" if len(names) > 20 else "")
