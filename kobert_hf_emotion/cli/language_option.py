"""The option of the language, and the help in one language."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from ..wording import Language
from .added_option import with_option
from .language import OPTION, VARIABLE

_HANGUL = re.compile(r"[가-힣]")

Lang = Annotated[
    Language | None,
    typer.Option(
        OPTION,
        help=f"출력 언어; 없으면 환경 변수 {VARIABLE}, 그다음 로캘 (language of what is said; by default that of the "
        f"variable {VARIABLE}, then of the locale)",
    ),
]


def takes_language(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the option; what it says is looked up in the command line before the command begins."""
    return with_option(command, "lang", None, Lang, use=lambda _: None)


def translate_help(group: TyperGroup, language: Language) -> None:
    """Leaves one language of the texts that `--help` shows, but for "both"."""
    if language == "both":
        return
    group.help = in_docstring(group.help or "", language)
    for parameter in group.params:
        _translate_parameter(parameter, language)
    for command in group.commands.values():
        assert isinstance(command, TyperCommand)
        command.help = in_docstring(command.help or "", language)
        command.short_help = command.short_help and in_docstring(command.short_help, language)
        for parameter in command.params:
            _translate_parameter(parameter, language)


def _translate_parameter(parameter: object, language: Language) -> None:
    if isinstance(parameter, (TyperOption, TyperArgument)) and parameter.help:
        parameter.help = in_help(parameter.help, language)


def in_help(text: str, language: Language) -> str:
    """Returns the help of an option, written as "한국어 (English)", in one language.

    >>> in_help("에폭 수 (passes over the rows)", "en")
    'passes over the rows'
    """
    depth = 0
    for at in range(len(text) - 1, -1, -1):  # the parenthesis that the last one closes
        depth += {")": 1, "(": -1}.get(text[at], 0)
        if not depth:
            break
    if not text.endswith(")") or depth:
        return text
    return text[:at].rstrip() if language == "ko" else text[at + 1 : -1]


def in_docstring(text: str, language: Language) -> str:
    r"""Returns the help of a command in one language: its example, its Korean lines, its English lines.

    >>> in_docstring("예시: kobert-emotion push a b\n\n올립니다.\nPushes.", "en")
    'Example: kobert-emotion push a b\n\nPushes.'
    """
    example, _, rest = text.partition("\n\n")
    if not rest:
        return text
    written = rest.split("\n")
    first = next((at for at, line in enumerate(written) if line.strip() and not _HANGUL.search(line)), len(written))
    part = written[:first] if language == "ko" else written[first:]
    if language == "en":
        example = example.replace("예시:", "Example:")
    return f"{example}\n\n" + "\n".join(part)
