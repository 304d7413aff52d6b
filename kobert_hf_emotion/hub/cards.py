"""Parts that model cards are made of: pure data in, Markdown out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCardData

REPO_PLACEHOLDER = "사용자/이름"
"""Stands for the Hub id until a card is pushed."""


CARD_FILE = "README.md"


_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


def base_metadata(**fields: Any) -> ModelCardData:
    """Returns the metadata every card has, with `fields` added."""
    return ModelCardData(
        language="ko",
        library_name="transformers",
        pipeline_tag="text-classification",
        tags=["kobert", "emotion", "korean"],
        **fields,
    )


def join_card(data: ModelCardData, sections: Iterable[str]) -> str:
    """Puts metadata and the sections of a card together."""
    text = "\n\n".join(section.strip("\n") for section in sections)
    return f"---\n{data.to_yaml().strip()}\n---\n\n{text}\n"


def usage(own_tokenizer: bool = True) -> str:
    """Returns the section on how to use a model, with this package and without.

    Args:
        own_tokenizer: Whether the model has KoBERT's tokenizer, which plain transformers reads with another engine.
    """
    ties = (
        "점수가 같은 분절이 여럿인 드문 문장은 이 패키지의 토크나이저와 다르게 나뉠 수 있습니다.\n"
        "Where several segmentations have the same score, which is rare, this one may choose another than the package."
    )
    return f"""\
## 사용법 / Usage

```python
# kobert_hf_emotion이 설치된 곳에서 / where kobert_hf_emotion is installed
from kobert_hf_emotion import EmotionClassifier

model = EmotionClassifier.from_pretrained("{REPO_PLACEHOLDER}")  # 또는 이 폴더 / or this folder
print(model.predict(["오늘 정말 행복했어"]))
```

이 패키지 없이 / Without this package:

```python
from transformers import pipeline

classify = pipeline("text-classification", model="{REPO_PLACEHOLDER}", top_k=None)
print(classify("오늘 정말 행복했어", truncation=True))
```
{ties if own_tokenizer else ""}"""


def adapter_usage() -> str:
    """Returns the section on how to use adapters, which are no model by themselves."""
    return """\
## 사용법 / Usage

LoRA 어댑터입니다. 이 패키지(`lora` extra)의 모든 명령이 그대로 열고, `merge`가 어디서나 열리는 모델로 만듭니다.
These are LoRA adapters: every command of this package (extra `lora`) opens them, and `merge` makes a plain model.

```bash
kobert-emotion merge ADAPTERS --output merged
```
"""


def is_hub_id(source: str) -> bool:
    """Whether a model's name is a Hub id such as "skt/kobert-base-v1", and no folder here."""
    return _HUB_ID.fullmatch(source) is not None and not Path(source).exists()


def with_repo_id(card: str, repo_id: str) -> str:
    """Returns a card whose examples name the repository it is pushed to."""
    return card.replace(REPO_PLACEHOLDER, repo_id)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Returns a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def plain(name: object) -> str:
    """Returns a name that comes from outside without what would break out of a table or of code."""
    return "".join(character for character in str(name)[:200] if character.isprintable() and character not in "`|<>")
