"""`kobert-emotion convert`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ..errors import CheckpointError
from . import options
from .inputs import check_there
from .language import words
from .output import quiet_libraries, say, say_json, say_next


def convert(
    checkpoint: Annotated[
        Path, typer.Argument(help="노트북이 저장한 .pt, _state_dict.pt, _all.tar (the notebook's file)")
    ],
    output: Annotated[Path, typer.Option("--output", help="새 모델 폴더 (folder to write; a new one)")],
    tokenizer: options.Tokenizer = None,
    num_attention_heads: options.Heads = None,
    word_split: Annotated[
        options.WordSplitName,
        typer.Option("--word-split", help="노트북은 gluonnlp로 학습함 (the notebook used gluonnlp)"),
    ] = "gluonnlp",
    labels: options.Labels = None,
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion convert old_fold_5.pt --tokenizer skt/kobert-base-v1 --output converted/

    옛 노트북의 체크포인트를 안전하게 읽어 save_pretrained 폴더로 바꿉니다. 파일 안의 코드는 실행하지 않습니다.
    Converts a notebook's checkpoint to a save_pretrained folder without running anything from the file.
    """  # noqa: D415
    from ..legacy import convert_legacy_checkpoint

    check_there("checkpoint", checkpoint)
    if checkpoint.suffix == ".safetensors":
        raise CheckpointError(
            f"{checkpoint}은(는) 노트북의 파일이 아니라 safetensors 파일입니다. 그 폴더({checkpoint.parent})가 이미 "
            "모델이니 바꿀 것이 없습니다.",
            f"{checkpoint} is a safetensors file and none of the notebook's: its folder, {checkpoint.parent}, is a "
            "model already, and there is nothing to convert.",
            shlex.join(["kobert-emotion", "predict", str(checkpoint.parent), "오늘 정말 행복했어"]),
        )
    names = None if labels is None else options.parse_labels(labels)
    with quiet_libraries():
        report = convert_legacy_checkpoint(checkpoint, output, tokenizer, num_attention_heads, word_split, labels=names)
    found = report.checkpoint
    if json:
        say_json(
            {
                "output": report.output,
                "kind": found.kind,
                "sha256": found.sha256,
                "missing": found.missing,
                "unexpected": found.unexpected,
                "dropped": found.dropped,
                "optimizer_file": report.optimizer_file,
                "labels": found.config.labels,
                "labels_assumed": found.assumed_labels,
                "settings_assumed": found.unknown_settings,
                "tokenizer_sha256": report.tokenizer_sha256,
                "tokenizer_is_koberts": report.is_koberts_tokenizer,
            }
        )
        return
    say(f"{checkpoint} ({found.kind}, sha256 {found.sha256[:12]}…) → {report.output}")
    missing, unexpected = words("없는 키", "missing"), words("남는 키", "unexpected")
    say(f"  {missing}: {list(found.missing)}  {unexpected}: {list(found.unexpected)}")
    dropped, optimizer = words("버린 버퍼", "dropped"), words("옵티마이저", "optimizer")
    say(f"  {dropped}: {list(found.dropped)}  {optimizer}: {report.optimizer_file or '-'}")
    assumed = " — " + words("파일에 없어 가정함, 다르면 --labels", "assumed: the file names none; else --labels")
    named = ", ".join(f"{index} {name}" for index, name in enumerate(found.config.labels))
    say(f"  {words('라벨', 'labels')}: {named}{assumed if found.assumed_labels else ''}")
    if found.unknown_settings:
        assumed = words(
            "드롭아웃, 활성화 함수: 파일에 없어 KoBERT의 값으로 함", "dropout and activation assumed: KoBERT's"
        )
        say(f"  {assumed}")
    other = words("KoBERT의 것이 아님, 학습 때 쓴 것이어야 함", "not KoBERT's: right only if trained with")
    own = "KoBERT" if report.is_koberts_tokenizer else other
    say(f"  {words('토크나이저', 'tokenizer')}: sha256 {report.tokenizer_sha256[:12]}… ({own})")
    say_next(f'kobert-emotion predict {report.output} "오늘 정말 행복했어"')
