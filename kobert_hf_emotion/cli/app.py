"""The commands put together, and errors turned into one message and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import import_module
from typing import Annotated, Any, cast

import typer
from typer.core import TyperGroup

from ..errors import KoBERTEmotionError
from .help import SpokenCommand, SpokenGroup
from .hints import in_terms_of
from .language import language_of, lines, speak, spoken, without_leading_option, words
from .language_option import Lang, takes_language, translate_help
from .loudness import hush
from .program import COMPLETE, EXIT_USAGE, NAME, VERSION, version
from .quiet_option import Quiet, takes_quiet
from .usage import UsageError, usage_error

_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
"""What typer raises where a command is typed wrongly: it has no public name."""

_COMMANDS: dict[str, tuple[str, str]] = {
    "train": ("train", "train"),
    "search": ("search", "search"),
    "test": ("test", "evaluate"),
    "predict": ("predict", "predict"),
    "serve": ("serve", "serve"),
    "explain": ("explain", "explain"),
    "compare": ("compare", "compare"),
    "ensemble": ("ensemble", "ensemble"),
    "review": ("review", "review"),
    "report": ("report", "report"),
    "convert": ("convert", "convert"),
    "export": ("export", "export"),
    "continue": ("continuation", "continue_"),
    "adapt": ("adapt", "adapt"),
    "distill": ("distill", "distill"),
    "merge": ("merge", "merge"),
    "push": ("push", "push"),
    "doctor": ("doctor", "doctor"),
}
"""The module and the function of each. A command line loads that of its command alone; help and mistakes load all."""

_HELP = """예시: kobert-emotion train train.csv --output runs/a

    KoBERT 한국어 감정 분류: 학습, 평가, 예측, 옛 체크포인트 변환.
    Korean emotion classification with KoBERT: training, test, prediction, conversion of old checkpoints."""


def app_with(names: Iterable[str]) -> typer.Typer:
    """Returns the command line with some of its commands."""
    settings: dict[str, Any] = {"rich_markup_mode": None, "pretty_exceptions_enable": False}
    found = typer.Typer(name=NAME, cls=SpokenGroup, help=_HELP, **settings)
    for name in names:
        module, function = _COMMANDS[name]
        command = getattr(import_module(f".{module}", __package__), function)
        found.command(name, cls=SpokenCommand)(takes_language(takes_quiet(command)))
    found.callback()(_before_the_command)
    return found


@cache
def whole_app() -> typer.Typer:
    """Returns the command line with all of its commands."""
    return app_with(_COMMANDS)


def _say_version(wanted: bool) -> None:
    if wanted:
        print(version())  # noqa: T201
        raise typer.Exit


def _before_the_command(
    quiet: Quiet = False,
    lang: Lang = None,  # noqa: ARG001
    say_version: Annotated[  # noqa: ARG001
        bool,
        typer.Option(VERSION, callback=_say_version, is_eager=True, help="버전을 보임 (say the version)"),
    ] = False,
) -> None:
    """Takes what all commands take before the command as well; `invoke` has looked the language up."""
    hush(quiet)


def invoke(argv: list[str]) -> int:
    """Runs the command that `argv` names and returns the exit code."""
    try:
        speak(language_of(argv))
        return _run(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except (KoBERTEmotionError, OSError) as error:
        return failed(argv, error)


def failed(argv: Sequence[str], error: KoBERTEmotionError | OSError) -> int:
    """Says what went wrong in the command that `argv` names, and returns the exit code."""
    if isinstance(error, KoBERTEmotionError):
        message = in_terms_of(whole_app(), argv, error)
    else:
        message = lines(f"파일을 읽거나 쓸 수 없습니다: {error}", f"cannot read or write: {error}")
    print(f"{words('오류', 'error')}: {message}", file=sys.stderr)  # noqa: T201
    return EXIT_USAGE


def _app_for(argv: Sequence[str]) -> typer.Typer:
    """Returns the command line with the command that is typed, else with all."""
    first = next(iter(without_leading_option(argv)), None)
    return app_with([first]) if first in _COMMANDS and COMPLETE not in os.environ else whole_app()


def _run(argv: Sequence[str]) -> int:
    group = typer.main.get_command(_app_for(argv))
    assert isinstance(group, TyperGroup)
    translate_help(group, spoken())
    try:
        code = group.main(list(argv), prog_name=NAME, standalone_mode=False)
    except _USAGE_ERROR as error:
        print(usage_error(cast(UsageError, error)), file=sys.stderr)  # noqa: T201
        return EXIT_USAGE
    return code if isinstance(code, int) else 0


def __getattr__(name: str) -> Any:
    """Returns the whole command line as `app`."""
    if name == "app":
        return whole_app()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
