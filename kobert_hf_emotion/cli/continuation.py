"""`kobert-emotion continue`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..data.tables import ReadOptions
from ..errors import CheckpointError
from . import options
from .groups import Columns, Conversations, LabelRules, TrainingOptions, arguments_from, takes_groups
from .inputs import check_data_file
from .models import check_model, hierarchy_in
from .output import note_reading, quiet_libraries, say
from .turns import turns_of


@takes_groups
def continue_(
    checkpoint: Annotated[
        Path, typer.Argument(help="모델 폴더, 예: convert의 결과 (model folder, such as convert writes)")
    ],
    train_file: options.InputFile,
    output: Annotated[Path, typer.Option("--output", help="새 모델 폴더 (folder to write; a new one)")],
    resume_optimizer: Annotated[
        bool,
        typer.Option(
            "--resume-optimizer", help="_all.tar의 옵티마이저 상태를 이어 씀 (carry on the optimizer's state)"
        ),
    ] = False,
    validation_file: Annotated[
        Path | None, typer.Option("--validation-file", help="에폭마다 평가할 파일 (file to evaluate on every epoch)")
    ] = None,
    text_column: options.TextColumn = None,
    label_column: options.LabelColumn = None,
    *,
    conversations: Conversations,
    rules: LabelRules,
    reading: ReadOptions,
    training: TrainingOptions,
) -> None:
    """예시: kobert-emotion continue converted/ new.csv --resume-optimizer --output continued/

    이미 학습한 모델을 새 데이터로 이어서 학습합니다(겹 없음).
    Trains a finished model on with new rows, without folds.
    """  # noqa: D415
    from ..data.dataset import load_emotion_dataset_with_report
    from ..inference.classifier import load_classifier
    from ..training.continuation import continue_training

    check_data_file("train_file", train_file)
    check_data_file("validation_file", validation_file)
    check_model("checkpoint", checkpoint)
    if checkpoint.is_file():
        raise CheckpointError(
            f"{checkpoint}은(는) 파일입니다. 노트북의 파일은 먼저 convert로 바꾼 폴더를 쓰세요.",
            f"{checkpoint} is a file. Convert the notebook's file first and name the folder that convert wrote.",
        )
    with quiet_libraries():
        before = load_classifier(checkpoint)
        files = [train_file] if validation_file is None else [train_file, validation_file]
        turns = turns_of(before, conversations, Columns())
        loaded = [
            load_emotion_dataset_with_report(
                path,
                text_column,
                label_column,
                group_column=conversations.group_column,
                turns=turns,
                labels=before.labels,
                reading=reading,
                task=before.task.name,
                allow_empty=before.task.allow_empty,
                hierarchy=hierarchy_in(before.task, rules.fine_label_column),
                **vars(rules),
            )
            for path in files
        ]
        for _, report in loaded:
            note_reading(report)
        validation = loaded[1][0] if validation_file is not None else None
        history = continue_training(
            checkpoint, loaded[0][0], output, arguments_from(training), validation, resume_optimizer
        )
    for record in history:
        say(f"epoch {record.epoch:g}: loss {record.val_loss:.4f}  accuracy {record.val_accuracy:.4f}")
    say(f"{output}")
