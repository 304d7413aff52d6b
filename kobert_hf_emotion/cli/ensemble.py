"""`kobert-emotion ensemble`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from . import options
from .models import check_run
from .output import quiet_libraries, say, say_json, say_next


def ensemble(
    run: Annotated[Path, typer.Argument(help="실행 폴더 (folder of a run)")],
    output: Annotated[Path, typer.Option("--output", help="새 모델 폴더 (folder to write; a new one)")],
    method: Annotated[
        Literal["probabilities", "weights"],
        typer.Option(
            "--method",
            help="probabilities: 겹마다 예측해 확률을 평균; weights: 가중치를 평균한 모델 하나 (mean of the folds' "
            "probabilities, or one model with the mean of their weights)",
        ),
    ] = "probabilities",
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion ensemble runs/a --output ensemble

    실행의 모든 겹을 모델 하나처럼 쓰는 폴더를 만듭니다. 점수는 시험 파일에서만 정직하게 잴 수 있습니다.
    Writes all folds of a run as one classifier. Only a test file gives an honest score of it.
    """  # noqa: D415
    from ..runs.combination import combine_folds

    check_run("run", run)
    with quiet_libraries():
        combine_folds(run, output, method)
    if json:
        say_json({"output": output, "method": method})
        return
    say(f"{run} → {output} ({method})")
    say_next(f"kobert-emotion test {output} test.csv")
