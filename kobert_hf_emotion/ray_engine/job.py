"""What is to be done, in values that go to every process of a cluster, and load no library there."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from ..data.label_kinds import LabelKind, UnknownLabel, label_kind, settled
from ..data.label_map import LabelMap
from ..data.row_stream import CHUNK_ROWS
from ..data.tables import ReadOptions
from ..data.task_names import TaskName

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
        settings: What else has a say: temperature, tokens a text is cut to, how words are split, and of several labels
            a text their scales and thresholds.
        task: What a row's label is.
        allow_empty: Whether a text may get no label.
        hierarchy: Where labels have two levels, the names of the coarse ones, each with those of its fine labels.
    """

    labels: tuple[str, ...]
    weights_sha256: str
    tokenizer_sha256: str
    settings: tuple[str, ...]
    task: TaskName = "single-label"
    allow_empty: bool = False
    hierarchy: tuple[tuple[str, tuple[str, ...]], ...] | None = None


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
        label_map: What cells of labels mean, where a map says so.
        unknown_label: What becomes of rows with an unknown label.
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
    label_map: LabelMap | None = None
    unknown_label: UnknownLabel = "error"

    @property
    def kind(self) -> LabelKind:
        """How labels are read."""
        about = self.model.identity
        return settled(label_kind(about.task, about.allow_empty), self.label_map, self.unknown_label)

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
            **self._rules(),
        }

    def _rules(self) -> dict[str, Any]:
        """Returns what was said of labels, by its name; nothing of what is as usual."""
        rules: dict[str, Any] = {} if self.unknown_label == "error" else {"unknown_label": self.unknown_label}
        if self.label_map is not None:
            rules["label_map"] = dict(zip(self.label_map.values, self.label_map.labels, strict=True))
        return rules


def part_name(file: int, part: int, part_format: PartFormat) -> str:
    """Returns the name of a part in the folder of the result; names sort as the rows do.

    >>> part_name(3, 12, "parquet")
    'parts/00003/part-00012.parquet'
    """
    return f"parts/{file:05}/part-{part:05}.{part_format}"
