"""`kobert-emotion predict`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..data.tables import ReadOptions
from ..utils.garbage_collection import collector_spares_imports
from ..utils.progress import ROWS, progress
from ..wording import Wording
from . import options
from .answers import BATCH_SIZE, answer_texts, note_about, warn_unknown
from .groups import Columns, Conversations, Engine, LabelRules, Long, takes_groups
from .inputs import STDIN, check_order, check_output, file_or_texts, refuse_unused
from .language import counted, spoken, words
from .long_texts import long_texts, refuse_long
from .models import hierarchy_in, open_for_file, open_for_texts
from .output import as_options, note, note_reading, quiet_libraries, say, say_json
from .turns import refuse_turns, turns_of
from .typed import typed

if TYPE_CHECKING:
    from ..data.row_stream import RowStream
    from ..inference.file_prediction import FilePrediction
    from ..inference.logits_model import LogitsModel
    from ..tokenization.long_texts import LongTexts


_FOR_TEXTS = {"model", "inputs", "output", "as_text", "batch_size", "tokenizer", "num_attention_heads", "json"}
_FOR_TEXTS |= {field.name for field in fields(Long)}
"""Parameters that matter where texts are given; all others are about reading a file."""
_FOR_RAY = {field.name for field in fields(Engine)} - {"engine"}
"""Parameters that do nothing without Ray."""


@takes_groups
def predict(
    call: typer.Context,
    model: Annotated[
        str, typer.Argument(help="'default', 폴더(export 포함), Hub 이름 또는 .pt/.tar 파일 (model or exported folder)")
    ],
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="파일 하나 또는 문장들; -는 표준 입력, 한 줄에 한 문장; --engine ray면 파일, 폴더, '*.csv' 여럿 (one "
            "file, or texts; -: a text a line on stdin; with --engine ray any number of files, folders and patterns)"
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", help="예측을 쓸 CSV, --engine ray면 폴더 (CSV to write to; a folder with --engine ray)"
        ),
    ] = None,
    as_text: Annotated[
        bool, typer.Option("--text", help="파일 이름 같아도 문장으로 봄 (texts, even where they look like files)")
    ] = False,
    *,
    columns: Columns,
    conversations: Conversations,
    long: Long,
    ignore_labels: Annotated[
        bool, typer.Option("--ignore-labels", help="라벨 열이 있어도 쓰지 않음 (leave the label column out)")
    ] = False,
    rules: LabelRules,
    reading: ReadOptions,
    batch_size: options.BatchSize = BATCH_SIZE,
    tokenizer: options.Tokenizer = None,
    num_attention_heads: options.Heads = None,
    engine: Engine,
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion predict default "오늘 정말 행복했어"

    문장이나 파일의 감정을 예측합니다. 라벨이 있으면 classification report도 출력합니다. 파일은 나누어 읽고 쓰므로
    아무리 커도 됩니다(XLSX만 문자열 표를 통째로 읽습니다). MODEL에 export로 만든 폴더를 줄 수도 있습니다.
    Predicts the emotion of texts or of a file's rows, with a classification report where labels are there. Files are
    read and written in parts, so they may be of any size (of an XLSX the table of strings is held whole). MODEL may
    be a folder that export wrote.
    """  # noqa: D415
    check_order(model, inputs)
    if engine.engine == "ray":
        from .on_ray import predict_files

        refuse_turns(conversations)
        refuse_long(long)
        read_labels, heads = not ignore_labels, num_attention_heads
        predict_files(
            *(model, inputs, output, as_text, columns, read_labels, rules, reading, batch_size, tokenizer, heads),
            *(engine, json),
        )
        return
    refuse_unused(call, set(typed(call)) - _FOR_RAY, "`engine` ray 없이는", "without `engine` ray")
    pieces = long_texts(call, long)
    found = file_or_texts(inputs, as_text, reading.encoding)
    if not isinstance(found, Path):
        used = _FOR_TEXTS | {"engine"} | {"encoding"} if inputs == [STDIN] else _FOR_TEXTS | {"engine"}
        refuse_unused(call, used, "문장을 예측할 때", "with texts")
    check_output(output, found)
    with collector_spares_imports():
        if isinstance(found, Path):
            classifier = open_for_file(model, tokenizer, num_attention_heads, found)
        else:
            classifier = open_for_texts(model, tokenizer, num_attention_heads, found)
    if not isinstance(found, Path):
        answer_texts(classifier, found, output, batch_size, json, pieces)
        return
    note_about(classifier)
    from ..data.label_kinds import label_kind, settled
    from ..data.row_stream import open_rows

    with quiet_libraries(needs_transformers=False):
        task = classifier.task
        hierarchy_in(task, rules.fine_label_column)
        kind = settled(label_kind(task.name, task.allow_empty), rules.label_map, rules.unknown_label)
        rows = open_rows(
            found,
            classifier.labels,
            **vars(columns),
            read_labels=not ignore_labels,
            reading=reading,
            kind=kind,
            fine_label_column=rules.fine_label_column,
            group_column=conversations.group_column,
            turns=turns_of(classifier, conversations, columns),
        )
        note_reading(rows.report)
    _predict_rows(classifier, rows, output, batch_size, json, pieces)


def _predict_rows(
    classifier: LogitsModel, rows: RowStream, output: Path | None, batch_size: int, json: bool, long: LongTexts | None
) -> None:
    from ..inference.files import predict_rows

    counting = progress(Wording("예측", "predicting"), rows.report.rows_kept, ROWS, whole=True)
    with quiet_libraries(needs_transformers=False), counting as advance:
        found = predict_rows(classifier, rows, output, batch_size, advance, long)
    warn_unknown(found.unknown)
    if long is not None:
        note(as_options(found.long.message(long).in_language(spoken())))
    if output is not None:
        note(f"{output}: {counted(found.rows, '행', 'rows')}")
    counts = dict(zip(found.labels, found.predicted.tolist(), strict=True))
    if json:
        result: dict[str, Any] = {"output": output, "rows": found.rows, "data": rows.report, "predicted": counts}
        say_json(result | _figures(found, long))
    else:
        _say_figures(found, counts)


def _figures(found: FilePrediction, long: LongTexts | None) -> dict[str, Any]:
    """Returns the parts of the JSON document that depend on what was predicted."""
    from ..inference.file_prediction import TwoLevelPrediction

    result: dict[str, Any] = {"unknown_texts": found.unknown.unknown, "cut_texts": found.unknown.cut}
    if long is not None:
        result["long"] = {**vars(long), **vars(found.long)}
    if found.labelled:
        result |= {"scores": found.scores(), "report": found.table_report()}
    if isinstance(found, TwoLevelPrediction):
        result["coarse"] = found.coarse_report()
    return result


def _say_figures(found: FilePrediction, counts: Mapping[str, int]) -> None:
    """Prints how good the predictions are, where there are labels, or how often each label is predicted."""
    from ..inference.file_prediction import TwoLevelPrediction

    if found.labelled:
        say("\n".join([found.text_report(), *found.scores().remarks(spoken())]))
    else:
        say(_counts(counts))
    if isinstance(found, TwoLevelPrediction):
        say(words("대분류(소분류 확률의 합)", "coarse labels (sums of the fine probabilities)"))
        say(found.coarse.text_report() if found.labelled else _counts(found.coarse_counts()))


def _counts(counts: Mapping[str, int]) -> str:
    return "  ".join(f"{name} {count:,}" for name, count in counts.items())
