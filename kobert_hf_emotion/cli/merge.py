"""`kobert-emotion merge`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options
from .inputs import check_there
from .models import check_model
from .output import quiet_libraries, say, say_json, say_next


def merge(
    adapters: Annotated[
        Path, typer.Argument(help="--lora로 학습한 겹의 폴더, 예: runs/a/best (fold trained with --lora)")
    ],
    output: Annotated[Path, typer.Option("--output", help="새 모델 폴더 (folder to write; a new one)")],
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            help="어댑터를 학습한 모델, 옮겼을 때만 (the model the adapters were trained on, where it was moved)",
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion merge runs/lora/best --output merged

    LoRA 어댑터를 학습한 모델의 가중치에 더해, 어디서나 열리는 모델 폴더로 씁니다.
    Adds LoRA adapters to the weights of the model they were trained on, and writes a plain model's folder.
    """  # noqa: D415
    from ..inference.merging import merge_adapters_into

    check_there("adapters", adapters)
    check_model("adapters", adapters)
    if base is not None:
        check_model("base", base)
    with quiet_libraries():
        merge_adapters_into(adapters, output, base)
    if json:
        say_json({"output": output})
        return
    say(f"{adapters} → {output}")
    say_next(f'kobert-emotion predict {output} "오늘 정말 행복했어"')
