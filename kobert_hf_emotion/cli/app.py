"""The commands put together, and errors turned into one message and an exit code."""

from __future__ import annotations

import sys

import typer

from ..errors import KoBERTEmotionError
from .compare import compare
from .continuation import continue_
from .convert import convert
from .doctor import doctor
from .ensemble import ensemble
from .explain import explain
from .export import export
from .hints import in_terms_of
from .predict import predict
from .push import push
from .report import report
from .review import review
from .serve import serve
from .test import evaluate
from .train import train

EXIT_USAGE = 2

app = typer.Typer(
    name="kobert-emotion",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="""예시: kobert-emotion train train.csv --output runs/a

    KoBERT 한국어 감정 분류: 학습, 평가, 예측, 옛 체크포인트 변환.
    Korean emotion classification with KoBERT: training, test, prediction, conversion of old checkpoints.""",
)
app.command("train")(train)
app.command("test")(evaluate)
app.command("predict")(predict)
app.command("serve")(serve)
app.command("explain")(explain)
app.command("compare")(compare)
app.command("ensemble")(ensemble)
app.command("review")(review)
app.command("report")(report)
app.command("convert")(convert)
app.command("export")(export)
app.command("continue")(continue_)
app.command("push")(push)
app.command("doctor")(doctor)


def invoke(argv: list[str]) -> int:
    """Runs the command that `argv` names and returns the exit code."""
    try:
        app(argv, prog_name="kobert-emotion")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KoBERTEmotionError as error:
        print(f"오류 (error): {in_terms_of(app, argv, error)}", file=sys.stderr)  # noqa: T201
    except OSError as error:
        print(  # noqa: T201
            f"오류 (error): 파일을 읽거나 쓸 수 없습니다 — cannot read or write: {error}", file=sys.stderr
        )
    else:
        return 0
    return EXIT_USAGE
