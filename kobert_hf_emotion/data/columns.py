"""The columns of a table by what they hold: those that a caller wants, and those that were found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..wording import Language, Wording
from .known_columns import listed
from .vote_columns import labels_called

if TYPE_CHECKING:
    from .turns import Turns

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
                part += f" — {word(('다른 후보', 'others that fit'))}: {listed(rivals)}"
            parts.append(part)
        for role, words in _MANY.items():
            if columns := getattr(self, role):
                part = f"{word(words)} {listed(columns)}"
                parts.append(part + (f" {word(('추측', 'guessed'))}" if role in self.guessed else ""))
        if self.unused:
            parts.append(f"{word(('쓰지 않음', 'unused'))}: {listed(self.unused)}")
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
