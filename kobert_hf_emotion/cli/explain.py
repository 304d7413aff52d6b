"""`kobert-emotion explain`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..errors import DataError
from ..utils.files import atomic_write
from . import options
from .inputs import check_order, check_page, file_or_texts
from .language import words
from .models import open_model
from .output import note, note_fine, quiet_libraries, say, say_json
from .turns import note_single_lines

if TYPE_CHECKING:
    from rich.text import Text

    from ..explanation.words import Explanation

UNITS = {"score": "0 to 1", "probabilities": "0 to 1", "contributions": "logits"}
"""What the numbers of an `Explanation` are counted in."""
_FOR, _AGAINST = "bold blue", "bold dark_orange"


def explain(
    model: Annotated[
        str, typer.Argument(help="'default', 폴더(export 포함), Hub 이름 또는 .pt/.tar 파일 (model or exported folder)")
    ],
    inputs: Annotated[
        list[str], typer.Argument(help="문장들; -는 표준 입력, 한 줄에 한 문장 (texts; -: a text a line on stdin)")
    ],
    method: Annotated[
        Literal["leave_one_out", "integrated_gradients"],
        typer.Option(
            "--method",
            help="낱말을 빼고 다시 예측하거나, 기울기를 적분 (predict without each word, or integrate gradients)",
        ),
    ] = "leave_one_out",
    label: Annotated[
        str | None, typer.Option("--label", help="설명할 감정; 없으면 예측한 것 (label to explain; the predicted one)")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", help="쓸 HTML 파일 (HTML file to write)")] = None,
    as_text: Annotated[
        bool, typer.Option("--text", help="파일 이름 같아도 문장으로 봄 (texts, even where they look like files)")
    ] = False,
    tokenizer: options.Tokenizer = None,
    num_attention_heads: options.Heads = None,
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion explain default "밤길에 누가 자꾸 따라와서 무서웠어"

    예측에 낱말마다 얼마나 보탰는지 보여 줍니다. 숫자는 그 감정의 로짓에서 모든 감정의 평균을 뺀 값이 움직인 만큼입니다.
    여러 레이블 모델에서는 고른 레이블마다 그 로짓이 움직인 만큼입니다.
    Shows what each word contributes to the prediction: by how much it moves the label's logit, less the mean of all; of
    a multi-label model by how much it moves the logit of each label given.
    """  # noqa: D415
    check_order(model, inputs)
    found = file_or_texts(inputs, as_text, None)
    if isinstance(found, Path):
        raise DataError(
            f"{found}: explain은 파일이 아니라 문장을 설명합니다. 한 줄에 한 문장인 글은 표준 입력(-)으로 넣으세요.",
            f"{found} is a file, and explain takes texts. A text a line can come through the standard input (-).",
            mend={"inputs": ["오늘 정말 행복했어"]},
        )
    check_page(output, "explanation.html")
    with quiet_libraries():
        opened = open_model(model, tokenizer, num_attention_heads)
        note_fine(opened.task.levels is not None)
        note_single_lines(opened)
        explanations = opened.explain(found, method, label)
    if output is not None:
        from ..explanation.page import to_html

        with atomic_write(output, "w") as handle:
            handle.write(to_html(explanations))
        note(f"{output}: {len(explanations):,}")
    if json:
        say_json({"explanations": [explanation.to_dict() for explanation in explanations], "units": UNITS})
        return
    _print_all(explanations, label)


def _print_all(explanations: Sequence[Explanation], label: str | None) -> None:
    """Prints what speaks for `label`, by default for the label predicted or for all that are given."""
    for explanation in explanations:
        for shown in [label] if label is not None else explanation.labels or [explanation.label]:
            _print(explanation, shown)


def _print(explanation: Explanation, shown: str) -> None:
    """Prints the words with their contributions to a label, coloured where the terminal has colours."""
    from rich.console import Console
    from rich.text import Text

    line = Text(f"{explanation.label} {100 * explanation.score:.2f}%")
    if shown != explanation.label:
        line.append(f" · {shown} {100 * explanation.probabilities[shown]:.2f}%")
    line.append("\n  ")
    values = explanation.contributions(shown)
    largest = max(map(abs, values.tolist()), default=0.0)
    for word, value in zip(explanation.words, values.tolist(), strict=True):
        _append(line, word.text, value, largest)
    if explanation.unread:
        line.append(f"({words('읽지 않음', 'unread')}: {explanation.unread.strip()})", style="dim")
    console = Console(soft_wrap=True, highlight=False, markup=False)
    with console.capture() as captured:
        console.print(line)
    say(captured.get().rstrip("\n"))


def _append(line: Text, word: str, value: float, largest: float) -> None:
    strong = abs(value) >= largest / 4 and value != 0
    line.append(word, style=(_FOR if value > 0 else _AGAINST) if strong else "")
    line.append(f" {value:+.2f}  ", style="dim")
