"""`--help` in the language that is spoken: typer has its headings, and a few words behind options, in English alone.

What is replaced are methods that click documents for this, and `cls`, by which typer takes other classes.
"""

from __future__ import annotations

import re
from typing import Any

from typer.core import TyperCommand, TyperGroup

from .language import spoken, words

_USAGE, _ARGUMENTS, _OPTIONS, _COMMANDS = (
    ("사용법", "Usage"), ("인자", "Arguments"), ("옵션", "Options"), ("명령", "Commands"),
)  # fmt: skip
_PLACES = {"[OPTIONS]": "[옵션]", "COMMAND [ARGS]...": "명령 [인자]..."}
"""What stands for options and commands in a line of usage."""
_BEHIND = (
    (r"(?<=[\[ ])default: ", ("기본", "default"), ": "),
    (r"(?<=[\[ ])required(?=[\];])", ("필수", "required"), ""),
    (r"(?<=[\[ ])env var: ", ("환경 변수", "env var"), ": "),
)
"""What stands in brackets behind the help of an option."""
_OF_TYPER = {
    "Show this message and exit.": "이 도움말을 보여 주고 끝냅니다.",
    "Install completion for the current shell.": "지금 쓰는 셸에 자동 완성을 설치합니다.",
    "Show completion for the current shell, to copy it or customize the installation.": "지금 쓰는 셸의 자동 완성 "
    "스크립트를 보여 줍니다. 복사하거나 고쳐서 설치할 수 있습니다.",
}
"""Help of options that typer adds."""


class _Spoken:
    """What commands and their group have in common: usage, arguments and options."""

    def format_usage(self: Any, context: Any, formatter: Any) -> None:
        """Writes the line of usage."""
        pieces = self.collect_usage_pieces(context)
        if spoken() == "ko":
            pieces = [_PLACES.get(piece, piece) for piece in pieces]
        formatter.write_usage(context.command_path, " ".join(pieces), prefix=f"{words(*_USAGE)}: ")

    def format_options(self: Any, context: Any, formatter: Any) -> None:
        """Writes what is known of each argument and option, and of a group its commands."""
        arguments: list[tuple[str, str]] = []
        options: list[tuple[str, str]] = []
        for parameter in self.get_params(context):
            if (record := parameter.get_help_record(context)) is not None:
                rows = arguments if parameter.param_type_name == "argument" else options
                rows.append((record[0], in_words(record[1], parameter.help or "")))
        _section(formatter, _ARGUMENTS, arguments)
        _section(formatter, _OPTIONS, options)
        if isinstance(self, TyperGroup):
            self.format_commands(context, formatter)


class SpokenCommand(_Spoken, TyperCommand):
    """A command whose help is in the language that is spoken."""


class SpokenGroup(_Spoken, TyperGroup):
    """The group of all commands, whose help is in the language that is spoken."""

    def format_commands(self, context: Any, formatter: Any) -> None:
        """Writes the names of the commands, and what each is for."""
        named = [(name, self.get_command(context, name)) for name in self.list_commands(context)]
        width = formatter.width - 6 - max(len(name) for name, _ in named)
        rows = [(name, command.get_short_help_str(width)) for name, command in named if command is not None]
        _section(formatter, _COMMANDS, rows)


def in_words(text: str, told: str) -> str:
    """Returns the help of a parameter with typer's words in the language that is spoken.

    Args:
        text: The help as typer gives it.
        told: What of it is ours, and stays.
    """
    if text in _OF_TYPER:
        return words(_OF_TYPER[text], text)
    behind = text.removeprefix(told)
    for pattern, wording, end in _BEHIND:
        behind = re.sub(pattern, words(*wording) + end, behind, count=1)
    return text.removesuffix(text.removeprefix(told)) + behind


def _section(formatter: Any, title: tuple[str, str], rows: list[tuple[str, str]]) -> None:
    if rows:
        with formatter.section(words(*title)):
            formatter.write_dl(rows)
