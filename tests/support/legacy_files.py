"""Small models and the files that plain torch makes of them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from kobert_hf_emotion.configuration import EmotionConfig
from kobert_hf_emotion.modeling.classifier import EmotionClassifier

SIZES: dict[str, Any] = {
    "vocab_size": 30,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "max_position_embeddings": 16,
    "pad_token_id": 1,
}
STEM = "Focal_KoBERT_e10_b64_fold_1"


@pytest.fixture
def tiny() -> EmotionClassifier:
    torch.manual_seed(0)
    return EmotionClassifier(EmotionConfig(**SIZES)).eval()


@pytest.fixture
def plain_bert() -> BertForSequenceClassification:
    """Transformers' own class, with labels and a configuration of its own."""
    torch.manual_seed(1)
    return BertForSequenceClassification(BertConfig(**SIZES, num_labels=3, hidden_act="relu", layer_norm_eps=1e-5))


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """Saves an object with plain torch and returns the path."""

    def save(content: Any, name: str = "file.bin", **options: Any) -> Path:
        torch.save(content, tmp_path / name, **options)
        return tmp_path / name

    return save


def rezip(path: Path, change: Callable[[str, bytes], bytes], **options: Any) -> Path:
    """Writes a zip anew with each entry changed by `change(name, content)`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(buffer, "w", **options) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, change(entry.filename, old.read(entry)))
    target = path.with_name("rezipped.bin")
    target.write_bytes(buffer.getvalue())
    return target


def as_bytes(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().contiguous().flatten().view(torch.uint8)


def assert_same(left: Any, right: Any) -> None:
    """Asserts that nested values are equal, tensors to the bit, dtype and shape."""
    if isinstance(left, torch.Tensor):
        assert isinstance(right, torch.Tensor)
        assert left.dtype == right.dtype
        assert left.shape == right.shape
        assert torch.equal(as_bytes(left), as_bytes(right))
    elif isinstance(left, dict):
        assert list(left) == list(right)
        for name in left:
            assert_same(left[name], right[name])
    elif isinstance(left, (list, tuple)):
        assert len(left) == len(right)
        for a, b in zip(left, right, strict=True):
            assert_same(a, b)
    else:
        assert left == right
