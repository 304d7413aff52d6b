"""Command lines of the plainest kind, which are answered before the libraries of the command line are loaded.

`predict MODEL TEXT…` with no more than the options here, no word at all, and `--version`. What is said and done is what
the command itself says and does; whatever else is typed is left to it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import KoBERTEmotionError
from .first_steps import first_steps
from .language import LANGUAGES, OPTION, language_of, speak, spoken
from .loudness import OPTIONS as QUIET_OPTIONS
from .loudness import hush
from .program import COMPLETE, EXIT_USAGE, VERSION, version

_FLAGS = {"--json", "--text", *QUIET_OPTIONS}


@dataclass(frozen=True)
class Typed:
    """A command line of words and flags, without the language."""

    words: list[str]
    flags: set[str]


def answered(argv: Sequence[str]) -> int | None:
    """Does what a plain command line says.

    Returns:
        The exit code; None where nothing was done, since more was typed.
    """
    typed = plain(argv)
    if typed is None or COMPLETE in os.environ:
        return None
    try:
        speak(language_of(argv))
        hush(not typed.flags.isdisjoint(QUIET_OPTIONS))
        return _done(typed)
    except (KoBERTEmotionError, OSError) as error:
        from .app import failed

        return failed(argv, error)


def plain(argv: Sequence[str]) -> Typed | None:
    """Returns the words and flags of a command line, None where there are other options in it."""
    typed = Typed([], set())
    rest = iter(argv)
    for word in rest:
        if word == OPTION:
            if next(rest, None) not in LANGUAGES:
                return None
        elif word in (_FLAGS if typed.words else {VERSION}):
            typed.flags.add(word)
        elif word.startswith("-"):
            return None
        else:
            typed.words.append(word)
    return typed


def _done(typed: Typed) -> int | None:
    match typed.words:
        case [] if VERSION in typed.flags:
            print(version())  # noqa: T201
            return 0
        case []:
            print(first_steps(spoken()), file=sys.stderr)  # noqa: T201
            return EXIT_USAGE
        case ["predict", model, text, *more] if VERSION not in typed.flags:
            return _predict(model, [text, *more], typed.flags)
    return None


def _predict(model: str, inputs: list[str], flags: set[str]) -> int | None:
    from ..utils.garbage_collection import collector_spares_imports
    from .answers import answer_texts
    from .inputs import check_order, file_or_texts
    from .models import open_for_texts

    check_order(model, inputs)
    texts = file_or_texts(inputs, "--text" in flags, None)
    if isinstance(texts, Path):
        return None
    with collector_spares_imports():
        classifier = open_for_texts(model, None, None, texts)
    answer_texts(classifier, texts, json="--json" in flags)
    return 0
