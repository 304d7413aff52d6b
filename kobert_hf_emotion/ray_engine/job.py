"""What is to be done, in values that go to every process of a cluster, and load no library there."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from ..data.row_stream import CHUNK_ROWS
from ..data.tables import ReadOptions

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
