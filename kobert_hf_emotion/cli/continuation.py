"""`kobert-emotion continue`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..data.tables import ReadOptions
from ..errors import CheckpointError, DataError
from ..utils.files import write_json
from ..wording import Wording
from . import options
from .groups import Columns, Conversations, LabelRules, TrainingOptions, arguments_from, takes_groups
from .inputs import check_data_file, check_swapped
from .language import counted, words
from .models import check_model, hierarchy_in
from .output import note, note_reading, quiet_libraries, say, say_json
from .turns import turns_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from datasets import Dataset

    from ..evaluation.forgetting import Change
    from ..inference.logits_model import LogitsModel
    from ..training.history import EpochRecord


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
    old_rows: Annotated[
        Path | None,
        typer.Option(
            "--old-rows",
            help="함께 학습할 옛 행의 파일; 덜 잊음 (file of old rows to train on as well: less is forgotten)",
        ),
    ] = None,
    old_weight: Annotated[
        float | None,
        typer.Option(
            "--old-weight",
            min=0,
            help="옛 행의 손실에 곱하는 수, 새 행은 1; 기본 1 (weight of an old row, a new one's is 1)",
        ),
    ] = None,
    old_test: Annotated[
        Path | None,
        typer.Option(
            "--old-test",
            help="학습 전과 후를 잴 옛 평가 파일: 얼마나 잊었는지 (old test file, evaluated before and after: what is "
            "forgotten)",
        ),
    ] = None,
    text_column: options.TextColumn = None,
    label_column: options.LabelColumn = None,
    *,
    conversations: Conversations,
    rules: LabelRules,
    reading: ReadOptions,
    training: TrainingOptions,
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion continue converted/ new.csv --resume-optimizer --output continued/

    이미 학습한 모델을 새 데이터로 이어서 학습합니다(겹 없음). 옛 행을 함께 배울 수 있고(--old-rows), 잊은 만큼을
    잽니다(--old-test).
    Trains a finished model on with new rows, without folds; with old ones beside them (--old-rows), and what it forgets
    measured (--old-test).
    """  # noqa: D415
    from ..inference.classifier import load_classifier
    from ..training.continuation import continue_training

    files = {
        "train_file": train_file, "validation_file": validation_file, "old_rows": old_rows, "old_test": old_test,
    }  # fmt: skip
    check_swapped("checkpoint", checkpoint, "train_file", train_file)
    for name, path in files.items():
        check_data_file(name, path)
    _check(checkpoint, old_rows, old_weight)
    with quiet_libraries():
        before = load_classifier(checkpoint)
        about = {
            "text_column": text_column,
            "label_column": label_column,
            "group_column": conversations.group_column,
            "turns": turns_of(before, conversations, Columns()),
            "reading": reading,
            "hierarchy": hierarchy_in(before.task, rules.fine_label_column),
            **vars(rules),
        }
        rows = {name: _read(path, before, about) for name, path in files.items() if path is not None}
        history = continue_training(
            checkpoint,
            rows["train_file"],
            output,
            arguments_from(training),
            rows.get("validation_file"),
            resume_optimizer,
            old_rows=rows.get("old_rows"),
            old_weight=1.0 if old_weight is None else old_weight,
        )
        changes = _changes(checkpoint, output, rows) if old_test is not None else {}
    _say_result(output, history, {str(files[name]): change for name, change in changes.items()}, json)


def _read(path: Path, model: LogitsModel, about: Mapping[str, Any]) -> Dataset:
    """Returns the rows of a file whose labels are a model's, and says what was read."""
    from ..data.dataset import load_emotion_dataset_with_report

    task = model.task
    rows, report = load_emotion_dataset_with_report(
        path, **about, labels=model.labels, task=task.name, allow_empty=task.allow_empty
    )
    note_reading(report)
    return rows


def _say_result(output: Path, history: Sequence[EpochRecord], changes: Mapping[str, Change], json: bool) -> None:
    """Says what a training gave, and what it changed on each file that was measured before and after."""
    if json:
        measured = {file: {**vars(change), "macro_f1": change.macro_f1} for file, change in changes.items()}
        say_json({"output": output, "history": history, "changes": measured})
        return
    for record in history:
        say(f"epoch {record.epoch:g}: loss {record.val_loss:.4f}  accuracy {record.val_accuracy:.4f}")
    for file, change in changes.items():
        say("\n".join(_change(file, change)))
    if not changes:
        note(_NOT_MEASURED)
    say(f"{output}")


def _check(checkpoint: Path, old_rows: Path | None, old_weight: float | None) -> None:
    check_model("checkpoint", checkpoint)
    if checkpoint.is_file():
        raise CheckpointError(
            f"{checkpoint}은(는) 파일입니다. 노트북의 파일은 먼저 convert로 바꾼 폴더를 쓰세요.",
            f"{checkpoint} is a file. Convert the notebook's file first and name the folder that convert wrote.",
        )
    if old_weight is not None and old_rows is None:
        raise DataError(
            "`old_weight`는 `old_rows`의 행에 쓰입니다. `old_rows`로 파일을 주거나 빼세요.",
            "`old_weight` is for the rows of `old_rows`: give that file, or leave it out.",
            mend={"old_weight": None},
        )


def _changes(before: Path, after: Path, rows: Mapping[str, Dataset]) -> dict[str, Change]:
    """Measures what a model forgot and learned, on the old test rows and those of validation, and writes it beside."""
    from ..evaluation.forgetting import measure_change

    tests = {name: found for name, found in rows.items() if name in ("old_test", "validation_file")}
    changes: dict[str, Change] = {name: measure_change(before, after, found) for name, found in tests.items()}
    write_json(after / FORGETTING_FILE, changes)
    return changes


FORGETTING_FILE = "forgetting.json"
_NOT_MEASURED = Wording(
    "새 행만 배우면 옛것을 잊을 수 있습니다. 얼마나 잊었는지는 --old-test 옛평가.csv로 잽니다.",
    "A model that learns new rows may forget old ones; --old-test old_test.csv measures how much.",
)


def _change(file: str, change: Change) -> Iterator[str]:
    """Returns the lines that say what a model is better and worse at on a file than before."""
    first, second = change.before, change.after
    yield f"{file} ({counted(first.rows, '행', 'rows')})"
    yield (
        f"  macro F1 {first.macro_f1:.4f} → {second.macro_f1:.4f} ({change.macro_f1:+.4f} "
        f"[{change.interval.low:+.4f}, {change.interval.high:+.4f}])"
    )
    m = change.mcnemar
    yield (
        f"  accuracy {first.accuracy:.4f} → {second.accuracy:.4f}; {words('잃은 행', 'rows lost')} {m.only_first}, "
        f"{words('얻은 행', 'rows won')} {m.only_second}, McNemar p {m.mid_p:.3g}"
    )
