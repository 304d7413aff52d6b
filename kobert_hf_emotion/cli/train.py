"""`kobert-emotion train`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..data.tables import ReadOptions
from ..errors import SplitError
from . import options
from .inputs import check_there
from .models import check_model, names_nearest
from .output import note_reading, quiet_libraries, say, say_json


@options.reads_files
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
    model: Annotated[
        str, typer.Option("--model", help="'default', 폴더 또는 Hub 이름 (folder or Hub id, e.g. skt/kobert-base-v1)")
    ] = "default",
    folds: Annotated[
        int | None, typer.Option("--folds", min=2, help="겹 수; 기본 5, --split이면 그 분할의 수 (folds; 5 by default)")
    ] = None,
    text_column: options.TextColumn = None,
    text_pair_column: options.TextPairColumn = None,
    label_column: options.LabelColumn = None,
    group_column: options.GroupColumn = None,
    group_pattern: options.GroupPattern = None,
    group_duplicates: options.GroupDuplicates = True,
    split: Annotated[
        Path | None,
        typer.Option(
            "--split",
            help="행마다 겹을 적은 CSV, 예: 다른 실행의 split.csv (CSV with the fold of each row, as a run writes)",
        ),
    ] = None,
    labels: options.Labels = None,
    reading: ReadOptions = ReadOptions(),  # noqa: B008 - frozen
    epochs: options.Epochs = 10.0,
    batch_size: options.BatchSize = 64,
    learning_rate: options.LearningRate = 5e-5,
    max_length: options.MaxLength = 64,
    dropout: Annotated[float, typer.Option("--dropout", help="분류층 앞 드롭아웃 (dropout before the head)")] = 0.5,
    gamma: options.Gamma = 2.0,
    alpha: options.Alpha = "1.0",
    seed: options.Seed = 42,
    word_split: Annotated[
        options.WordSplitName | None,
        typer.Option("--word-split", help="노트북과 같은 토큰은 gluonnlp (gluonnlp: the notebook's tokens)"),
    ] = None,
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
    report_to: Annotated[
        list[str] | None,
        typer.Option(
            "--report-to",
            help="tensorboard, wandb, trackio; 여러 번 쓸 수 있음 (trackers, a run a fold; none by default)",
        ),
    ] = None,
    checkpoint_seconds: Annotated[
        float,
        typer.Option(
            "--checkpoint-seconds",
            min=0,
            help="겹 안에서 체크포인트를 남기는 최소 간격(초); 0은 단계마다 (seconds between checkpoints, at least)",
        ),
    ] = 60.0,
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion train train.csv --model default --folds 5 --output runs/a

    층화 k겹 교차 검증으로 미세 조정하고 겹마다 모델을 저장합니다. 끊긴 실행은 같은 명령으로 이어집니다.
    Fine-tunes one model a fold in a stratified k-fold cross-validation. The same command continues a run that was
    interrupted.
    """  # noqa: D415
    from ..data.dataset import load_emotion_dataset_with_report
    from ..runs.cross_validation import cross_validate
    from ..runs.layout import REPORT_FILE
    from ..training.arguments import EmotionTrainingArguments

    if split is not None and folds is not None:
        raise SplitError(
            "`split`이 겹 수를 정하므로 `folds`와 함께 쓸 수 없습니다. `folds`를 빼세요.",
            "`split` brings its own number of folds: leave `folds` out.",
            mend={"folds": None},
        )
    check_there("train_file", train_file)
    check_there("split", split)
    check_model("model", model)
    names = options.parse_labels(labels)
    run = Path("runs", train_file.stem) if output is None else output
    with quiet_libraries():
        args = EmotionTrainingArguments(
            num_train_epochs=epochs,
            per_device_train_batch_size=batch_size,
            learning_rate=learning_rate,
            max_length=max_length,
            dropout=dropout,
            focal_gamma=gamma,
            focal_alpha=alpha,
            seed=seed,
            disable_tqdm=not sys.stderr.isatty(),
            report_to=[] if report_to in (None, ["none"]) else report_to,
            checkpoint_seconds=checkpoint_seconds,
        )
        dataset, report = load_emotion_dataset_with_report(
            train_file,
            text_column,
            label_column,
            text_pair_column=text_pair_column,
            group_column=group_column,
            labels=names,
            reading=reading,
        )
        note_reading(report)
        group_by = None if group_column is None else "group"
        with names_nearest("model", model):
            result = cross_validate(
                dataset,
                run,
                model,
                args,
                folds or 5,
                word_split,
                group_by,
                legacy_export,
                dataset_ids or (),
                license_id,
                group_pattern=group_pattern,
                group_duplicates=group_duplicates,
                split=split,
            )
    if json:
        say_json(
            {
                "output": result.output_dir,
                "best": result.best.path,
                "folds": {fold.path.name: fold.scores for fold in result.folds},
                "pooled": result.scores,
                "data": report,
            }
        )
        return
    say((result.output_dir / REPORT_FILE).read_text(encoding="utf-8"))
    say(f"결과 폴더 (run): {run}\n다음 (next): kobert-emotion test {run} test.csv")
