"""`kobert-emotion adapt`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..data.tables import ReadOptions
from . import options
from .groups import AdaptationOptions, arguments_from, takes_groups
from .inputs import check_data_file
from .language import counted, words
from .models import check_start, names_nearest
from .output import note_reading, quiet_libraries, say, say_json, say_next


@takes_groups
def adapt(
    inputs: Annotated[
        list[Path], typer.Argument(help="글의 파일; 라벨 열은 읽지 않음 (files of texts; labels are not read)")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", help="새 모델 폴더; 끊긴 것은 같은 명령으로 이어짐 (folder to write; the same command goes on)"
        ),
    ],
    model: options.StartModel = "default",
    probability: Annotated[
        float, typer.Option("--probability", help="가릴 토큰의 비율 (share of tokens that are hidden)")
    ] = 0.15,
    whole_words: Annotated[
        bool, typer.Option("--whole-words", help="낱말을 통째로 가림 (hide words as a whole)")
    ] = False,
    held_out: Annotated[
        float,
        typer.Option("--held-out", help="혼란도를 잴 글의 비율 (share of texts that the perplexity is measured on)"),
    ] = 0.05,
    text_column: options.TextColumn = None,
    *,
    reading: ReadOptions,
    training: AdaptationOptions,
    word_split: options.WordSplit = None,
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion adapt texts.csv --model skt/kobert-base-v1 --output adapted

    라벨 없는 내 글로 인코더를 더 학습합니다: 가린 토큰을 맞힙니다. 그 뒤 train의 --model에 줍니다. 끊기면 같은 명령으로
    이어집니다.
    Trains an encoder on with your own unlabelled texts, hidden tokens of which it names, before `train --model` takes
    it. The same command continues one that was interrupted.
    """  # noqa: D415
    from ..adaptation.adapting import adapt as do
    from ..data.dataset import load_emotion_dataset_with_report
    from ..utils.files import check_free

    for path in inputs:
        check_data_file("inputs", path)
    check_start("model", model)
    check_free(output)
    with quiet_libraries():
        args = arguments_from(training)
        rows, report = load_emotion_dataset_with_report(inputs, text_column, read_labels=False, reading=reading)
        note_reading(report)
        with names_nearest("model", model):
            found = do(rows["text"], output, model, args, probability, whole_words, held_out, word_split=word_split)
    if json:
        say_json({**vars(found), "output_dir": found.output_dir})
        return
    say(f"{words('배운 것', 'learned from')}: {counted(found.texts, '글', 'texts')}")
    shown = f"{found.perplexity.before:.2f} → {found.perplexity.after:.2f}"
    say(f"{words('혼란도', 'perplexity')}: {shown} ({counted(found.held_out, '글', 'held-out texts')})")
    say(f"{found.output_dir}")
    say_next(f"kobert-emotion train train.csv --model {found.output_dir}")
