"""The model card of a converted checkpoint: where it came from, and what did not come from the file."""

from __future__ import annotations

from ..hub.cards import base_metadata, join_card, plain, table, usage
from .reader import LegacyCheckpoint

_KINDS = {
    "model": "전체 모델(.pt) / whole pickled model",
    "state_dict": "상태 사전(_state_dict.pt) / state dict",
    "checkpoint": "전체 체크포인트(_all.tar) / weights and other entries",
}

_INTRODUCTION = """\
# {name}

옛 KoBERT 노트북의 체크포인트를 `kobert-emotion convert`로 변환한 모델입니다.
Converted from a checkpoint of a KoBERT notebook with `kobert-emotion convert`.
"""


def render_model_card(checkpoint: LegacyCheckpoint, word_split: str, max_length: int) -> str:
    """Returns the text of the model card."""
    config = checkpoint.config
    guessed = "KoBERT의 기본값(파일에 없음) / KoBERT's defaults, the file tells none"
    facts = {
        "원본 파일 / source file": f"`{plain(checkpoint.path.name)}`",
        "SHA-256": f"`{checkpoint.sha256}`",
        "종류 / kind": _KINDS[checkpoint.kind],
        "형식 / container": "torch ≥ 1.6 (zip)" if checkpoint.container == "zip" else "torch < 1.6",
        "레이블 / labels": ", ".join(map(plain, config.labels)),
        "층, 헤드, 은닉 크기 / layers, heads, hidden size": (
            f"{config.num_hidden_layers}, {config.num_attention_heads}, {config.hidden_size}"
        ),
        "토크나이저 / tokenizer": f'`word_split="{word_split}"`, {max_length} tokens',
        "버린 버퍼 / dropped buffers": _names(checkpoint.dropped),
        "파일에 없던 가중치 / missing parameters": _names(checkpoint.missing),
        "쓰지 않은 값 / unexpected entries": _names(checkpoint.unexpected),
        "설정 / settings": guessed if checkpoint.unknown_settings else "파일의 것 / from the file",
        "옵티마이저 / optimizer": "`optimizer.pt`" if checkpoint.optimizer_state is not None else "-",
    }
    introduction = _INTRODUCTION.format(name=plain(checkpoint.path.stem))
    return join_card(base_metadata(), [introduction, table(["", ""], facts.items()), usage()])


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{plain(name)}`" for name in names[:50]) or "-"
