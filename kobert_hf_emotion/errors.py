"""Errors that a user of the library can cause, each with a way out of it.

Every message is written in Korean and in English and says what was expected, what was found and
what to do. Where a command helps, it stands in the last line so that it can be copied and run.

An argument is named in backticks, by its Python name; the command line puts its option in place of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from .wording import Language

Setting: TypeAlias = str | int | float | bool | Sequence[str] | None
"""A value of an argument; as an option True gives a flag, False its opposite or nothing, None takes it away."""


class KoBERTEmotionError(ValueError):
    """Base of every error this library raises about its input.

    Args:
        korean: The message in Korean.
        english: The same message in English.
        try_this: A line that can be run as it stands and that leads out of the error.
        mend: Arguments, by their Python names, with the values that lead out of the error. The command line shows
            the command that was typed with these set, in place of `try_this`.
        otherwise: The same for a command that does not take all of these arguments.
    """

    def __init__(
        self,
        korean: str,
        english: str,
        try_this: str | None = None,
        *,
        mend: Mapping[str, Setting] | None = None,
        otherwise: Mapping[str, Setting] | None = None,
    ) -> None:
        super().__init__(korean, english, try_this)
        self.korean = korean
        self.english = english
        self.try_this = try_this
        self.mend = dict(mend or {})
        self.otherwise = dict(otherwise or {})

    def __str__(self) -> str:
        return self.in_language("both")

    def in_language(self, language: Language) -> str:
        """Returns the message in Korean, in English, or a line of each, and the line that leads out of the error."""
        lines = [text for shown, text in (("ko", self.korean), ("en", self.english)) if language in (shown, "both")]
        if self.try_this is not None:
            lines.append(f"  $ {self.try_this}")
        return "\n".join(lines)


class DataError(KoBERTEmotionError):
    """A data file, a column, a row or a label is not what was expected."""


class SplitError(KoBERTEmotionError):
    """The rows cannot be split into the folds that were asked for."""


class TokenizerError(KoBERTEmotionError):
    """A tokenizer cannot be loaded, or does not fit the model or the data."""


class CheckpointError(KoBERTEmotionError):
    """A checkpoint is missing, damaged, unsafe or of another kind than expected."""


class RunError(KoBERTEmotionError):
    """A run folder is missing, incomplete or already in use."""


class HubError(KoBERTEmotionError):
    """The Hugging Face Hub cannot be reached, or refuses what was asked of it."""
