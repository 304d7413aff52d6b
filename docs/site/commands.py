"""The reference of the command line: every command with its options, from what `--help` shows."""

from __future__ import annotations

from typing import Any

import typer

from kobert_hf_emotion.cli.app import app
from kobert_hf_emotion.cli.language_option import in_docstring, in_help

_WORDS = {
    "ko": (
        "명령줄의 선택지",
        "모든 명령은 `--lang ko|en|both`를 받습니다([명령줄](../command-line.md)).",
        "이름",
        "기본값",
        "뜻",
    ),
    "en": (
        "Options of the command line",
        "Every command takes `--lang ko|en|both` ([the command line](../command-line.md)).",
        "name",
        "default",
        "meaning",
    ),
}
_LEFT_OUT = {"lang", "help"}


def page(language: str) -> str:
    """Returns a page of Markdown with every command in one language."""
    title, about, *heads = _WORDS[language]
    parts = [f"# {title}", about]
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name, command in commands.items():
        example, _, text = in_docstring(command.help, language).partition("\n\n")
        parts += [f"## {name}", f"```bash\n{example.partition(': ')[2]}\n```", _plain(text)]
        rows = [_row(parameter, language) for parameter in command.params if parameter.name not in _LEFT_OUT]
        parts.append("\n".join([f"| {' | '.join(heads)} |", "|---|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def _row(parameter: Any, language: str) -> str:
    is_option = parameter.param_type_name == "option"
    names = [*parameter.opts, *parameter.secondary_opts] if is_option else [str(parameter.name).upper()]
    default = parameter.default
    shown = "" if default in (None, "", False) or callable(default) or not is_option else f"`{default}`"
    cell = _plain(in_help(parameter.help, language)).replace("|", "\\|")
    return f"| {', '.join(f'`{name}`' for name in names)} | {shown} | {cell} |"


def _plain(text: str) -> str:
    """Returns text whose signs mean nothing in Markdown."""
    for sign in "\\*_[]<>{}":
        text = text.replace(sign, f"\\{sign}")
    return text
