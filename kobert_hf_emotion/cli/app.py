"""The commands put together, and errors turned into one message and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import cast

import typer
from typer.core import TyperGroup

from ..errors import KoBERTEmotionError
from .adapt import adapt
from .compare import compare
from .continuation import continue_
from .convert import convert
from .distill import distill
from .doctor import doctor
from .ensemble import ensemble
from .explain import explain
from .export import export
from .first_steps import first_steps
from .hints import in_terms_of
from .language import (
    Lang,
    language_of,
    lines,
    speak,
    spoken,
    takes_language,
    translate_help,
    without_leading_option,
    words,
)
from .merge import merge
from .predict import predict
from .push import push
from .report import report
from .review import review
from .search import search
from .serve import serve
from .test import evaluate
from .train import train
from .usage import UsageError, usage_error

EXIT_USAGE = 2
_COMPLETE = "_KOBERT_EMOTION_COMPLETE"
"""A shell that asks what a word could be completed to sets this variable and types nothing."""
_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
"""What typer raises where a command is typed wrongly: it has no public name."""

_COMMANDS: dict[str, Callable[..., None]] = {
    "train": train,
    "search": search,
    "test": evaluate,
    "predict": predict,
    "serve": serve,
    "explain": explain,
    "compare": compare,
    "ensemble": ensemble,
    "review": review,
    "report": report,
    "convert": convert,
    "export": export,
    "continue": continue_,
    "adapt": adapt,
    "distill": distill,
    "merge": merge,
    "push": push,
    "doctor": doctor,
}

app = typer.Typer(
    name="kobert-emotion",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="""예시: kobert-emotion train train.csv --output runs/a

    KoBERT 한국어 감정 분류: 학습, 평가, 예측, 옛 체크포인트 변환.
    Korean emotion classification with KoBERT: training, test, prediction, conversion of old checkpoints.""",
)
for _name, _command in _COMMANDS.items():
    app.command(_name)(takes_language(_command))


@app.callback()
def _before_the_command(lang: Lang = None) -> None:
    """Takes the language before the command as well; `invoke` has looked it up."""


def invoke(argv: list[str]) -> int:
    """Runs the command that `argv` names and returns the exit code."""
    try:
        speak(language_of(argv))
        return _run(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KoBERTEmotionError as error:
        _say_error(in_terms_of(app, argv, error))
    except OSError as error:
        _say_error(lines(f"파일을 읽거나 쓸 수 없습니다: {error}", f"cannot read or write: {error}"))
    return EXIT_USAGE


def _run(argv: Sequence[str]) -> int:
    if not without_leading_option(argv) and _COMPLETE not in os.environ:
        print(first_steps(spoken()), file=sys.stderr)  # noqa: T201
        return EXIT_USAGE
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    translate_help(group, spoken())
    try:
        code = group.main(list(argv), prog_name="kobert-emotion", standalone_mode=False)
    except _USAGE_ERROR as error:
        print(usage_error(cast(UsageError, error)), file=sys.stderr)  # noqa: T201
        return EXIT_USAGE
    return code if isinstance(code, int) else 0


def _say_error(message: str) -> None:
    print(f"{words('오류', 'error')}: {message}", file=sys.stderr)  # noqa: T201
