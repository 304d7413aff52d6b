"""Options that several commands share, so that one text stands behind each."""

from __future__ import annotations

import csv
import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import typer

from ..data.tables.options import LayoutName, ReadOptions

TextColumn = Annotated[
    str | None,
    typer.Option("--text-column", help="문장 열 이름; 없으면 추측 (column of the text; guessed if left out)"),
]
TextPairColumn = Annotated[
    str | None,
    typer.Option("--text-pair-column", help="문장 쌍이면 두 번째 문장 열 (column of the second sentence of a pair)"),
]
LabelColumn = Annotated[
    str | None,
    typer.Option("--label-column", help="라벨 열 이름; 없으면 추측 (column of the label; guessed if left out)"),
]
Labels = Annotated[
    str | None,
    typer.Option(
        "--labels",
        help="쉼표로 나눈 라벨 이름, 번호 순서; 쉼표가 든 이름은 큰따옴표로: '\"기쁨, 행복\",슬픔'; 'auto'는 파일에서 "
        "읽음; 기본은 일곱 감정 (label names in the order of their ids, with commas between them and a name that holds "
        "one in double quotes; or 'auto'; the seven emotions by default)",
    ),
]
BatchSize = Annotated[int, typer.Option("--batch-size", min=1, help="배치 크기 (rows a batch)")]
Epochs = Annotated[float, typer.Option("--epochs", min=0.01, help="에폭 수 (passes over the rows)")]
LearningRate = Annotated[float, typer.Option("--learning-rate", help="학습률 (peak learning rate)")]
MaxLength = Annotated[int, typer.Option("--max-length", min=3, help="문장을 자르는 토큰 수 (tokens a text)")]
Gamma = Annotated[float, typer.Option("--gamma", help="초점 손실의 gamma (focusing parameter)")]
Alpha = Annotated[
    str,
    typer.Option(
        "--alpha",
        help="초점 손실의 라벨 가중치 alpha: 수, fear=2,sad=1.5, balanced, effective[:beta], [목록] 또는 {라벨: 수}; "
        "balanced와 effective는 학습 행에서 계산 (weights of the labels: a number, by name, or computed from the "
        "training rows)",
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="난수 시드 (seed)")]
GroupColumn = Annotated[
    str | None,
    typer.Option("--group-column", help="값이 같으면 같은 겹에 두는 열 (rows with equal values share a fold)"),
]
GroupPattern = Annotated[
    str | None,
    typer.Option(
        "--group-pattern",
        help="--group-column의 값에서 그룹을 찾는 정규식; 첫 괄호 또는 전체, 예: '^(S\\d+)' "
        "(regular expression for the group in the column's value: its first parenthesis, or all of it)",
    ),
]
GroupDuplicates = Annotated[
    bool,
    typer.Option(
        "--group-duplicates/--no-group-duplicates",
        help="같은 글은 같은 겹에 둠 (rows with the same text share a fold)",
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="결과를 JSON 하나로 stdout에 출력 (print one JSON object on stdout)")
]
Tokenizer = Annotated[
    str | None,
    typer.Option(
        "--tokenizer",
        help="노트북 파일에 쓸 토크나이저: spiece.model, 폴더 또는 Hub 이름 (for the notebook's files: a spiece.model, "
        "folder or Hub id)",
    ),
]
Heads = Annotated[
    int | None,
    typer.Option(
        "--num-attention-heads",
        min=1,
        help="파일에 없을 때의 어텐션 헤드 수 (attention heads, where a file does not tell)",
    ),
]
WordSplitName: TypeAlias = Literal["sentencepiece", "gluonnlp"]
InputFile = Annotated[Path, typer.Argument(help="CSV, TSV, XLSX, JSON(L) 또는 Parquet 파일 (file)")]
_READING: dict[str, Any] = {
    "encoding": Annotated[
        str | None,
        typer.Option("--encoding", help="파일 인코딩; 없으면 찾아냄 (encoding of the file; found if left out)"),
    ],
    "sheet": Annotated[
        str | None, typer.Option("--sheet", help="엑셀 시트 이름; 없으면 첫 시트 (sheet of a workbook; the first)")
    ],
    "delimiter": Annotated[
        str | None,
        typer.Option(
            "--delimiter",
            help="칸을 나누는 글자 또는 comma, tab, semicolon, pipe; 한 줄이 글 하나면 line; 없으면 찾아냄 (what "
            "stands between cells, or 'line' where every line is a text; found if left out)",
        ),
    ],
    "quoted": Annotated[
        bool | None,
        typer.Option("--quoted/--no-quoted", help="따옴표가 칸을 감쌈; 없으면 찾아냄 (quotation marks enclose cells)"),
    ],
    "no_header": Annotated[
        bool,
        typer.Option(
            "--no-header",
            help="열 이름 행이 없음; 열은 1부터 센 번호, 예: --text-column 2 (no row of column names; they are "
            "called by their position from 1)",
        ),
    ],
    "header_row": Annotated[
        int | None,
        typer.Option("--header-row", min=1, help="열 이름이 있는 행 번호; 없으면 찾아냄 (row of the column names)"),
    ],
    "layout": Annotated[
        LayoutName | None, typer.Option("--layout", help="정해진 머리글 형식: kemdy (a named layout of the header)")
    ],
}
"""The options of `ReadOptions`, one set for every command that reads a file."""


def reads_files(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of `ReadOptions` in place of its parameter `reading`."""
    signature = inspect.signature(command, eval_str=True)

    @functools.wraps(command)
    def run(**given: Any) -> None:
        reading = ReadOptions(**{name: given.pop(name) for name in _READING})
        command(reading=reading, **given)

    parameters = []
    for parameter in signature.parameters.values():
        if parameter.name != "reading":
            parameters.append(parameter)
            continue
        parameters += [
            parameter.replace(name=name, annotation=kind, default=getattr(ReadOptions, name))
            for name, kind in _READING.items()
        ]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def parse_labels(labels: str | None) -> tuple[str, ...] | None:
    r"""Returns label names, or None where they are to be read from the file.

    >>> parse_labels('"기쁨, 행복", 슬픔')
    ('기쁨, 행복', '슬픔')
    """
    from ..data.label_parsing import AUTO
    from ..labels import EMOTION_LABELS, fold_name

    if labels is None:
        return EMOTION_LABELS
    if fold_name(labels) == AUTO:
        return None
    try:
        rows = list(csv.reader([labels], skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise typer.BadParameter(
            f"--labels {labels!r}: 큰따옴표가 닫히지 않았습니다 ({error}). 쉼표가 든 이름은 '\"기쁨, 행복\",슬픔'처럼 "
            "쓰세요. (A double quote is not closed; write a name with a comma as in the example.)"
        ) from error
    return tuple(name.strip() for row in rows for name in row)
