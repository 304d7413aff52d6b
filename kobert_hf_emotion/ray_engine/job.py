"""What is to be done, in values that go to every process of a cluster."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from ..data.row_stream import CHUNK_ROWS
from ..data.tables import ReadOptions
from ..errors import CheckpointError
from ..export import OnnxClassifier, is_export
from ..inference.classifier import Classifier, weights_sha256
from ..inference.ensemble import EmotionEnsemble
from ..inference.loading import load_checkpoint
from ..inference.logits_model import LogitsModel
from ..tokenization.loading import vocabulary_sha256

_HASHED = ("weights", "tokenizer")
PartFormat: TypeAlias = Literal["parquet", "csv"]
PART_ROWS = CHUNK_ROWS
"""Rows of a file that make a part: those that the local engine predicts at once, so that both make the same batches."""


@dataclass(frozen=True)
class ModelIdentity:
    """What two models have in common that give the same predictions.

    Attributes:
        labels: Label names in the order of their ids.
        weights_sha256: Over the weights; of an exported folder, over the sums of its files.
        tokenizer_sha256: Over the vocabulary.
        settings: What else has a say: temperature, tokens a text is cut to, how words are split.
    """

    labels: tuple[str, ...]
    weights_sha256: str
    tokenizer_sha256: str
    settings: tuple[str, ...]

    @classmethod
    def of(cls, model: LogitsModel) -> ModelIdentity:
        """Returns the identity of a model that is loaded."""
        labels = tuple(model.labels)
        if isinstance(model, EmotionEnsemble):
            members = [cls.of(member) for member in model.members]
            weights, words = (_joined(getattr(one, f"{what}_sha256") for one in members) for what in _HASHED)
            return cls(labels, weights, words, tuple(setting for one in members for setting in one.settings))
        if isinstance(model, Classifier):
            weights, temperature = weights_sha256(model.model), model.temperature
        else:
            assert isinstance(model, OnnxClassifier), type(model)
            weights, temperature = _joined(sorted(model.manifest.files.values())), model.manifest.temperature
        tokenizer = model.tokenizer
        settings = (temperature, tokenizer.model_max_length, getattr(tokenizer, "word_split", None))
        return cls(labels, weights, vocabulary_sha256(tokenizer), tuple(map(str, settings)))


@dataclass(frozen=True)
class ModelSource:
    """A model that every process can load, and what tells that it is the same one.

    Attributes:
        place: "default", a folder, a Hub id or one of the notebook's files.
        tokenizer: As for `load_checkpoint`.
        num_attention_heads: As for `load_checkpoint`.
        identity: Of the model.
    """

    place: str
    tokenizer: str | None
    num_attention_heads: int | None
    identity: ModelIdentity

    @classmethod
    def of(
        cls,
        place: str,
        tokenizer: str | None = None,
        num_attention_heads: int | None = None,
        opened: LogitsModel | None = None,
    ) -> ModelSource:
        """Looks at a model, which is loaded for that unless it is there already.

        Raises:
            CheckpointError: As for `load_checkpoint`.
        """
        place, tokenizer = _absolute(place), None if tokenizer is None else _absolute(tokenizer)
        model = _load(place, tokenizer, num_attention_heads) if opened is None else opened
        return cls(place, tokenizer, num_attention_heads, ModelIdentity.of(model))

    def load(self, threads: int | None = None) -> LogitsModel:
        """Loads the model, onto the GPU where this process has one.

        Args:
            threads: Threads to compute with; as many as there are by default.

        Raises:
            CheckpointError: There is another model at that place, or none.
        """
        model = _load(self.place, self.tokenizer, self.num_attention_heads, threads)
        if ModelIdentity.of(model) != self.identity:
            raise CheckpointError(
                f"{self.place}: 시작할 때의 모델이 아닙니다(가중치, 어휘나 설정이 다릅니다). 모든 컴퓨터에 같은 모델을 "
                "두세요.",
                f"{self.place}: this is not the model that was started with (other weights, vocabulary or settings). "
                "All machines need the same model.",
            )
        return model


@dataclass(frozen=True)
class Job:
    """What is done with every file.

    Attributes:
        model: What predicts.
        output: The folder of the result; every machine of a cluster sees it under this name.
        columns: The columns that were named, as keyword arguments of `open_rows`.
        read_labels: Whether labels are read where there are some.
        reading: How files are to be read.
        batch_size: Texts a forward pass.
        part_format: Of the parts.
        part_rows: Rows of a file that make a part.
        threads: Threads an actor computes with.
    """

    model: ModelSource
    output: Path
    columns: dict[str, str | None]
    read_labels: bool
    reading: ReadOptions
    batch_size: int
    part_format: PartFormat
    part_rows: int
    threads: int

    def describe(self) -> dict[str, Any]:
        """Returns what the result depends on: parts that were made with the same are parts of the same result."""
        return {
            "model": asdict(self.model.identity),
            "columns": dict(self.columns),
            "read_labels": self.read_labels,
            "reading": asdict(self.reading),
            "batch_size": self.batch_size,
            "part_format": self.part_format,
            "part_rows": self.part_rows,
        }


def part_name(file: int, part: int, part_format: PartFormat) -> str:
    """Returns the name of a part in the folder of the result; names sort as the rows do.

    >>> part_name(3, 12, "parquet")
    'parts/00003/part-00012.parquet'
    """
    return f"parts/{file:05}/part-{part:05}.{part_format}"


def _joined(digests: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _load(place: str, tokenizer: str | None, heads: int | None, threads: int | None = None) -> LogitsModel:
    if is_export(place):
        return OnnxClassifier.from_pretrained(place, threads)
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    model = load_checkpoint(place, tokenizer, heads)
    model.to_accelerator()
    return model


def _absolute(place: str) -> str:
    """Returns the full name of what lies on this machine, and anything else as it is."""
    there = os.path.expanduser(place)
    return os.path.abspath(there) if os.path.exists(there) and place != "default" else place
