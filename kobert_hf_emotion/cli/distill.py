"""`kobert-emotion distill`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..data.tables import ReadOptions
from . import options
from .groups import LabelRules, StudentOptions, arguments_from, takes_groups
from .inputs import check_data_file, check_swapped
from .language import counted, words
from .models import check_model, check_notebook_options, check_start, hierarchy_in, names_nearest
from .output import note_reading, quiet_libraries, say, say_json, say_next

if TYPE_CHECKING:
    from datasets import Dataset

    from ..distillation.student import Distillation
    from ..distillation.teacher import Teacher


@takes_groups
def distill(
    teacher: Annotated[
        str,
        typer.Argument(
            help="선생: 실행 폴더(글마다 그 글을 보지 않은 겹이 답함), 모델, 앙상블, export 폴더, Hub 이름, .pt/.tar "
            "(the teacher: a run, whose folds answer for what they held out, a model, an ensemble, an exported folder)"
        ),
    ],
    inputs: Annotated[
        list[Path],
        typer.Argument(help="라벨 없는 글의 파일; 라벨 열은 읽지 않음 (files of texts; labels are not read)"),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            help="새 모델 폴더; 끊긴 증류는 같은 명령으로 이어짐 (folder to write; the same command goes on)",
        ),
    ],
    student: Annotated[
        str, typer.Option("--student", help="배울 인코더: 'default', 폴더 또는 Hub 이름 (the encoder that learns)")
    ] = "default",
    labelled: Annotated[
        Path | None, typer.Option("--labelled", help="라벨이 있는 파일 (file of texts with labels, to learn from too)")
    ] = None,
    validation_file: Annotated[
        Path | None, typer.Option("--validation-file", help="에폭마다 평가할 파일 (file to evaluate on every epoch)")
    ] = None,
    temperature: Annotated[
        float,
        typer.Option("--temperature", help="두 모델의 로짓을 나누는 온도 (what the logits of both are divided by)"),
    ] = 2.0,
    mixture: Annotated[
        float,
        typer.Option(
            "--mixture",
            min=0,
            max=1,
            help="손실에서 선생의 몫: 0은 라벨만, 1은 선생만 (the teacher's part of the loss; 0: labels alone)",
        ),
    ] = 0.5,
    text_column: options.TextColumn = None,
    label_column: options.LabelColumn = None,
    *,
    rules: LabelRules,
    reading: ReadOptions,
    training: StudentOptions,
    word_split: options.WordSplit = None,
    tokenizer: options.Tokenizer = None,
    num_attention_heads: options.Heads = None,
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion distill runs/a texts.csv --labelled train.csv --output small

    큰 모델이나 실행의 겹들이 작은 모델을 가르칩니다: 라벨 없는 글에는 선생의 확률로, 라벨이 있는 글에는 라벨로도
    배웁니다. 결과는 어디서나 쓰는 모델 폴더입니다. 끊기면 같은 명령으로 이어집니다.
    A large model, or the folds of a run, teach a small one: by the teacher's probabilities, and by labels where there
    are some. The result is a model's folder like any other. The same command continues one that was interrupted.
    """  # noqa: D415
    from ..data.dataset import load_emotion_dataset_with_report
    from ..distillation.student import distill as do
    from ..distillation.teacher import open_teacher
    from ..runs.layout import RUN_FILE
    from ..utils.files import check_free

    check_swapped("teacher", teacher, "inputs", inputs)
    for path in inputs:
        check_data_file("inputs", path)
    check_data_file("labelled", labelled)
    check_data_file("validation_file", validation_file)
    if not (Path(teacher) / RUN_FILE).is_file():
        check_model("teacher", teacher)
    check_notebook_options(teacher, tokenizer, num_attention_heads)
    check_start("student", student)
    check_free(output)
    with quiet_libraries():
        args = arguments_from(training)
        with names_nearest("teacher", teacher):
            opened = open_teacher(teacher, tokenizer, num_attention_heads)
        rows, report = load_emotion_dataset_with_report(inputs, text_column, read_labels=False, reading=reading)
        note_reading(report)
        known, tested = (
            _labelled(path, text_column, label_column, opened, rules, reading) for path in (labelled, validation_file)
        )
        with names_nearest("student", student):
            found = do(
                opened, rows["text"], output, student, known, tested, args, temperature, mixture, word_split=word_split
            )
    _say_result(found, json)


def _labelled(
    path: Path | None,
    text_column: str | None,
    label_column: str | None,
    teacher: Teacher,
    rules: LabelRules,
    reading: ReadOptions,
) -> Dataset | None:
    """Returns the rows of a file with labels, None without a file."""
    from ..data.dataset import load_emotion_dataset_with_report

    if path is None:
        return None
    task = teacher.task
    rows, report = load_emotion_dataset_with_report(
        path,
        text_column,
        label_column,
        labels=teacher.labels,
        reading=reading,
        task=task.name,
        allow_empty=task.allow_empty,
        hierarchy=hierarchy_in(task, rules.fine_label_column),
        **vars(rules),
    )
    note_reading(report)
    return rows


def _say_result(found: Distillation, json: bool) -> None:
    if json:
        say_json(
            {
                "output": found.output_dir,
                "labelled": found.labelled,
                "unlabelled": found.unlabelled,
                "repeated": found.repeated,
                "answers": found.counts,
                "scores": found.scores,
            }
        )
        return
    learned = [
        counted(found.labelled, "행(라벨)", "rows with labels"),
        counted(found.unlabelled, "글", "texts without"),
    ]
    say(f"{words('배운 것', 'learned from')}: {', '.join(learned)}")
    if found.repeated:
        say(f"  {words('이미 있어 뺀 글', 'left out, for they stand there already')}: {found.repeated:,}")
    for name, title in (("teacher", words("선생", "teacher")), ("student", words("학생", "student"))):
        if (scores := found.scores.get(name)) is not None:
            figures = f"accuracy {scores.accuracy:.4f}  macro F1 {scores.macro_f1:.4f}  log loss {scores.log_loss:.4f}"
            say(f"{title}: {figures}  ({scores.rows:,})")
    say(f"{found.output_dir}")
    say_next(f'kobert-emotion predict {found.output_dir} "오늘 정말 행복했어"')
