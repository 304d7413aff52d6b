"""The language of what the command line says: an option, a variable, or the locale."""

from __future__ import annotations

import itertools
import locale
import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import get_args

from ..errors import KoBERTEmotionError
from ..wording import Language, Wording, titled
from .loudness import OPTIONS as QUIET_OPTIONS

OPTION = "--lang"
VARIABLE = "KOBERT_EMOTION_LANG"
LANGUAGES: tuple[Language, ...] = get_args(Language)


class _Spoken:
    """The language of the command at work; a thread that it starts speaks it as well."""

    language: Language = "both"


def speak(language: Language) -> None:
    """Sets the language of all that is said from now on."""
    _Spoken.language = language


def spoken() -> Language:
    """Returns the language of the command at work."""
    return _Spoken.language


def words(korean: str, english: str) -> str:
    """Returns a few words inside a line: in one language, or in Korean with the English in parentheses."""
    return titled(korean, english, spoken())


def counted(number: int, korean: str, english: str) -> str:
    """Returns a number with what is counted: 3행, 3 rows, or 3행 (rows)."""
    after = {"ko": korean, "en": f" {english}", "both": f"{korean} ({english})"}
    return f"{number:,}{after[spoken()]}"


def lines(korean: str, english: str) -> str:
    """Returns a sentence: in one language, or in both, a line each."""
    return f"{korean}\n{english}" if spoken() == "both" else Wording(korean, english).in_language(spoken())


def said(value: object) -> object:
    """Returns what carries both languages in the one that is spoken; anything else as it is."""
    return value.in_language(spoken()) if isinstance(value, (Wording, KoBERTEmotionError)) else value


def language_of(argv: Sequence[str], environment: Mapping[str, str] | None = None) -> Language:
    """Returns the language that a command line asks for.

    Args:
        argv: Words of the command line; an option that is no language is left for the command to refuse.
        environment: Variables of the process.

    Raises:
        KoBERTEmotionError: The variable holds no language.
    """
    environment = os.environ if environment is None else environment
    before = list(argv[: argv.index("--")] if "--" in argv else argv)
    given = [after for word, after in itertools.pairwise(before) if word == OPTION]
    given += [word.removeprefix(f"{OPTION}=") for word in before if word.startswith(f"{OPTION}=")]
    for language in LANGUAGES:
        if given[-1:] == [language]:
            return language
    wanted = environment.get(VARIABLE, "")
    for language in LANGUAGES:
        if wanted == language:
            return language
    if wanted:
        raise KoBERTEmotionError(
            f"환경 변수 {VARIABLE}은(는) {', '.join(LANGUAGES)} 가운데 하나여야 하는데 {wanted!r}입니다.",
            f"Expected one of {', '.join(LANGUAGES)} in the variable {VARIABLE}, found {wanted!r}.",
            f"export {VARIABLE}=both",
        )
    return _of_locale(environment)


def _of_locale(environment: Mapping[str, str]) -> Language:
    """Returns Korean in a Korean locale, both in none ("C"), English in any other."""
    name = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    if not name and sys.platform == "win32":
        name = locale.getlocale()[0] or ""
    code = re.split(r"[_.@-]", name.lower())[0]
    if code in ("ko", "korean"):
        return "ko"
    return "both" if code in ("", "c", "posix") else "en"


def without_leading_option(argv: Sequence[str]) -> list[str]:
    """Returns a command line without what all commands take before its command, so that this is the first word."""
    rest = list(argv)
    while rest:
        name, _, value = rest[0].partition("=")
        if rest[0] in QUIET_OPTIONS or (name == OPTION and value in LANGUAGES):
            rest = rest[1:]
        elif rest[0] == OPTION and rest[1:2] and rest[1] in LANGUAGES:
            rest = rest[2:]
        else:
            break
    return rest
