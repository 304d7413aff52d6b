"""`kobert-emotion doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..data.tables import ReadOptions
from ..errors import DataError
from . import options
from .groups import Columns, LabelSet, NewLabelRules, Turns, takes_groups
from .inputs import check_data_file, check_map
from .language import counted, spoken, words
from .models import check_start, names_nearest
from .output import quiet_libraries, say, say_json
from .training_rows import reading_of

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

EXIT_PROBLEM = 1


@takes_groups
def doctor(
    train_file: options.InputFile,
    test_file: Annotated[
        Path | None,
        typer.Argument(help="평가 파일; 있으면 학습 파일과 겹치는지 봄 (test file, compared with the first)"),
    ] = None,
    model: options.StartModel = "default",
    folds: Annotated[int, typer.Option("--folds", min=2, help="겹 수 (folds)")] = 5,
    *,
    columns: Columns,
    turns: Turns,
    group_column: options.GroupColumn = None,
    label_set: LabelSet,
    rules: NewLabelRules,
    write_label_map: Annotated[
        Path | None,
        typer.Option(
            "--write-label-map",
            help="검사 대신, 레이블 열의 값과 그 뜻(모르면 빈칸)을 CSV로 씀: 고쳐서 --label-map에 (instead of the "
            "audit, write the values of the label column and what they seem to mean as a CSV for --label-map)",
        ),
    ] = None,
    reading: ReadOptions,
    epochs: options.Epochs = 10.0,
    batch_size: options.BatchSize = 64,
    max_length: options.MaxLength = 64,
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion doctor train.csv test.csv --model default

    학습 전에 데이터와 계획을 검사합니다: 인코딩, 중복, 학습·평가 겹침, 레이블, 토크나이저, 메모리와 시간.
    종료 코드: 결과를 믿을 수 없게 하는 문제가 있으면 1, 없으면 0.
    Audits data and plan before training. Exit code 1 where a problem makes results untrustworthy, 0 otherwise.
    """  # noqa: D415
    from ..audit import AuditReport, audit_dataset, check_files, check_reading
    from ..audit.run_checks import check_run
    from ..data.dataset import load_emotion_dataset_with_report
    from ..data.label_ids import class_names
    from ..data.levels import hierarchy_of
    from ..tokenization.loading import load_tokenizer
    from ..training.estimate import RunPlan, estimate_training
    from .findings import show

    check_data_file("train_file", train_file)
    check_data_file("test_file", test_file)
    if write_label_map is not None:
        _write_map(train_file, write_label_map, columns, label_set, rules, reading, json)
        return
    check_start("model", model)
    as_told = reading_of(columns, turns, label_set, rules, reading, group_column)
    with quiet_libraries():
        dataset, loaded = load_emotion_dataset_with_report(train_file, **as_told)
        findings = check_files(loaded) + check_reading(loaded)
        test = None
        if test_file is not None:
            learnt = {"labels": class_names(dataset), "hierarchy": hierarchy_of(dataset), "shared_fine_labels": "error"}
            test, test_loaded = load_emotion_dataset_with_report(test_file, require_labels=False, **as_told | learnt)
            findings += check_files(test_loaded, "test") + check_reading(test_loaded, "test", loaded)
        with names_nearest("model", model):
            tokenizer = load_tokenizer(model, model_max_length=max_length)
        audit = audit_dataset(
            dataset, test, tokenizer=tokenizer, config=_config(model), n_splits=folds, max_length=max_length
        )
        findings += audit.findings
        if audit["tokenizer_mismatch"].status == "ok":
            plan = RunPlan(len(dataset), folds, epochs, batch_size, max_length)
            findings += check_run(estimate_training(model, tokenizer, dataset, plan))
        report = AuditReport(tuple(findings), audit.rows, audit.test_rows)
    if json:
        say_json(report.to_dict())
    else:
        show(report, spoken())
    if report.problems:
        raise typer.Exit(EXIT_PROBLEM)


def _write_map(
    train_file: Path,
    output: Path,
    columns: Columns,
    label_set: LabelSet,
    rules: NewLabelRules,
    reading: ReadOptions,
    json: bool,
) -> None:
    """Writes what the values of the label column seem to mean."""
    from ..data.label_map import write_label_map
    from ..data.label_values import label_values

    if rules.label_map is not None:
        raise DataError(
            "`write_label_map`은 새 레이블 표를 만듭니다. `label_map`은 빼세요.",
            "`write_label_map` makes a new map of labels: leave `label_map` out.",
            mend={"label_map": None},
        )
    check_map(output)
    with quiet_libraries():
        found = label_values(
            train_file,
            columns.text_column,
            columns.label_column,
            labels=options.parse_labels(label_set.labels),
            fine_label_column=rules.fine_label_column,
            reading=reading,
            task=label_set.task,
        )
    write_label_map(output, found)
    if json:
        say_json({"output": output, "values": found})
        return
    for value in found:
        mark = {"label": " ", "nearest": "~", "unknown": "?"}[value.how]
        say(f"{mark} {value.value} → {value.label or '?'}  {value.rows:,}")
    unknown = sum(not value.label for value in found)
    near = sum(value.how == "nearest" for value in found)
    say(
        f"{output}: {counted(len(found), '값', 'values')}, {words('닮은 이름(~)', 'nearest names (~)')} {near}, "
        f"{words('뜻을 적어야 할 값(?)', 'to fill in (?)')} {unknown}"
    )


def _config(model: str) -> PreTrainedConfig:
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    from ..assets import resolve_default
    from ..hub.from_pretrained import unloadable

    place = resolve_default(model)
    try:
        config: PreTrainedConfig = AutoConfig.from_pretrained(place)
    except (OSError, ValueError, StrictDataclassError) as error:
        raise unloadable(place, error) from error
    return config
