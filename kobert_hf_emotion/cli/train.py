"""`kobert-emotion train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..data.tables import ReadOptions
from ..errors import RunError, SplitError
from . import options
from .groups import (
    Columns,
    Division,
    FoldEngine,
    LabelSet,
    NewLabelRules,
    RunOptions,
    Turns,
    arguments_from,
    takes_groups,
)
from .inputs import check_data_file, check_there
from .language import spoken, words
from .models import check_start, names_nearest
from .output import quiet_libraries, say, say_json, say_next
from .training_rows import reading_of, training_rows

if TYPE_CHECKING:
    from ..data.report import LoadReport
    from ..ray_engine.training import TrainFolds
    from ..runs.result import CrossValidationResult


@takes_groups
def train(
    train_file: options.InputFile,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="결과 폴더: 새 폴더, 또는 끊긴 같은 실행; 없으면 runs/파일이름 (folder of the run: a new one, or this "
            "run interrupted; runs/NAME if left out)",
        ),
    ] = None,
    model: options.StartModel = "default",
    *,
    columns: Columns,
    division: Division,
    turns: Turns,
    label_set: LabelSet,
    rules: NewLabelRules,
    reading: ReadOptions,
    training: RunOptions,
    word_split: options.WordSplit = None,
    legacy_export: Annotated[
        bool,
        typer.Option("--legacy-export", help="노트북의 .pt, _state_dict.pt, _all.tar도 저장 (the notebook's files)"),
    ] = False,
    dataset_ids: Annotated[
        list[str] | None, typer.Option("--dataset-id", help="모델 카드에 적을 데이터의 Hub 이름 (Hub id of the data)")
    ] = None,
    license_id: Annotated[
        str | None, typer.Option("--license", help="모델 카드에 적을 라이선스, 예: apache-2.0 (licence of the model)")
    ] = None,
    engine: FoldEngine,
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion train train.csv --model default --folds 5 --output runs/a

    층화 k겹 교차 검증으로 미세 조정하고 겹마다 모델을 저장합니다. 끊긴 실행은 같은 명령으로 이어집니다.
    Fine-tunes one model a fold in a stratified k-fold cross-validation. The same command continues a run that was
    interrupted.
    """  # noqa: D415
    from ..runs.cross_validation import cross_validate

    _check_folds(division)
    check_data_file("train_file", train_file)
    check_there("split", division.split)
    check_start("model", model)
    elsewhere = _elsewhere(engine)
    with quiet_libraries():
        args = arguments_from(training)
        dataset, report = training_rows(
            train_file, reading_of(columns, turns, label_set, rules, reading, division.group_column)
        )
        with names_nearest("model", model):
            result = cross_validate(
                dataset,
                Path("runs", train_file.stem) if output is None else output,
                model,
                args,
                division.folds or 5,
                word_split,
                None if division.group_column is None else "group",
                legacy_export,
                dataset_ids or (),
                license_id,
                group_pattern=division.group_pattern,
                group_duplicates=division.group_duplicates,
                split=division.split,
                train_elsewhere=elsewhere,
                allow_empty=label_set.allow_empty,
                context=turns.context or 0,
            )
    _say_result(result, report, json)


def _elsewhere(engine: FoldEngine) -> TrainFolds | None:
    """Returns what trains the folds in other processes, None where this one does."""
    if engine.engine == "local":
        if engine.ray_address is not None or engine.resources_per_fold is not None:
            raise RunError(
                "`ray_address`와 `resources_per_fold`는 `engine` ray에 쓰입니다.",
                "`ray_address` and `resources_per_fold` are for `engine` ray.",
                mend={"engine": "ray"},
            )
        return None
    from ..ray_engine.cluster import require_ray
    from ..ray_engine.tasks import TaskResources
    from ..ray_engine.training import folds_on_ray

    require_ray()
    each = engine.resources_per_fold
    given = None if each is None else TaskResources.parse(each, "resources_per_fold")
    return folds_on_ray(engine.ray_address, given)


def _check_folds(division: Division) -> None:
    if division.split is not None and division.folds is not None:
        raise SplitError(
            "`split`이 겹 수를 정하므로 `folds`와 함께 쓸 수 없습니다. `folds`를 빼세요.",
            "`split` brings its own number of folds: leave `folds` out.",
            mend={"folds": None},
        )


def _say_result(result: CrossValidationResult, report: LoadReport, json: bool) -> None:
    from ..runs.layout import HTML_FILE
    from ..runs.report_text import report_text

    run = result.output_dir
    if json:
        say_json(
            {
                "output": run,
                "best": result.best.path,
                "folds": {fold.path.name: fold.scores for fold in result.folds},
                "pooled": result.scores,
                "data": report,
            }
        )
        return
    say(report_text(run, spoken()))
    if (run / HTML_FILE).is_file():
        say(f"{words('보고서', 'report')}: {run / HTML_FILE}")
    say(f"{words('결과 폴더', 'run')}: {run}")
    say_next(f"kobert-emotion test {run} test.csv")
