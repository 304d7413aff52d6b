"""The model card of a converted checkpoint: where it came from, and what did not come from the file."""

from __future__ import annotations

from .reader import LegacyCheckpoint

_KINDS = {
    "model": "전체 모델(.pt) / whole pickled model",
    "state_dict": "상태 사전(_state_dict.pt) / state dict",
    "checkpoint": "전체 체크포인트(_all.tar) / weights and other entries",
}

_TEMPLATE = """\
---
language: ko
library_name: transformers
pipeline_tag: text-classification
tags:
- kobert
- emotion
---

# {name}

옛 KoBERT 노트북의 체크포인트를 `kobert-emotion convert`로 변환한 모델입니다.
Converted from a checkpoint of a KoBERT notebook with `kobert-emotion convert`.

| | |
|---|---|
| 원본 파일 / source file | `{file}` |
| SHA-256 | `{sha256}` |
| 종류 / kind | {kind} |
| 형식 / container | {container} |
| 레이블 / labels | {labels} |
| 층, 헤드, 은닉 크기 / layers, heads, hidden size | {layers}, {heads}, {hidden} |
| 토크나이저 / tokenizer | `word_split="{word_split}"`, {max_length} tokens |
| 버린 버퍼 / dropped buffers | {dropped} |
| 파일에 없던 가중치 / missing parameters | {missing} |
| 쓰지 않은 값 / unexpected entries | {unexpected} |
| 설정 / settings | {settings} |
| 옵티마이저 / optimizer | {optimizer} |

```python
from kobert_hf_emotion import EmotionClassifier

model = EmotionClassifier.from_pretrained("이 폴더 / this folder")
print(model.predict(["오늘 정말 행복했어"]))
```
"""


def render_model_card(checkpoint: LegacyCheckpoint, word_split: str, max_length: int) -> str:
    """Returns the text of the model card."""
    config = checkpoint.config
    guessed = "KoBERT의 기본값(파일에 없음) / KoBERT's defaults, the file tells none"
    return _TEMPLATE.format(
        name=_plain(checkpoint.path.stem),
        file=_plain(checkpoint.path.name),
        sha256=checkpoint.sha256,
        kind=_KINDS[checkpoint.kind],
        container="torch ≥ 1.6 (zip)" if checkpoint.container == "zip" else "torch < 1.6",
        labels=", ".join(config.labels),
        layers=config.num_hidden_layers,
        heads=config.num_attention_heads,
        hidden=config.hidden_size,
        word_split=word_split,
        max_length=max_length,
        dropped=_names(checkpoint.dropped),
        missing=_names(checkpoint.missing),
        unexpected=_names(checkpoint.unexpected),
        settings=guessed if checkpoint.unknown_settings else "파일의 것 / from the file",
        optimizer="`optimizer.pt`" if checkpoint.optimizer_state is not None else "-",
    )


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{_plain(name)}`" for name in names[:50]) or "-"


def _plain(name: str) -> str:
    """Returns a name that comes from outside without what would break out of a table or of code."""
    return "".join(character for character in name[:200] if character.isprintable() and character not in "`|")
