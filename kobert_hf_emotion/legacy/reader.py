"""Reading a legacy file into tensors, a configuration and a report of what did not fit."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..configuration import EmotionConfig
from ..utils.progress import each
from ..wording import Wording
from . import keys
from .archive import Archive, Container, open_archive
from .head import check_head
from .records import Record, StorageRecord, TensorRecord, damaged
from .settings import build_config, read_labels, read_settings
from .structure import Kind, find_contents

_MAX_DEPTH = 12
_MAX_VALUES = 1_000_000
_PLAIN = (bool, int, float, str, type(None))


@dataclass(frozen=True)
class LegacyCheckpoint:
    """What a legacy file holds, and what of it fits the model.

    Attributes:
        path: The file.
        sha256: SHA-256 of the file, as hexadecimal digits.
        kind: "model" (a whole pickled model), "state_dict", or "checkpoint" (a dictionary with both weights and
            other things, such as `_all.tar`).
        container: "zip" (torch 1.6 and later) or "stream" (before).
        config: The configuration: sizes from the shapes, the rest from the pickled model or, where the file
            holds none, KoBERT's.
        state_dict: Tensors on the CPU by their name in `EmotionClassifier`, in the dtype of the file.
        optimizer_state: The optimizer's `state_dict()`, None where the file holds none.
        missing: Parameters of the model that the file lacks, by their name in the model.
        unexpected: Names in the file that the model has no place for, or whose tensor has another shape than
            the rest of the model needs.
        dropped: Names in the file of buffers with constants (`position_ids`, `token_type_ids`), left out.
        unknown_settings: Whether the file holds no configuration, so that dropout, epsilon and activation are
            KoBERT's defaults.
        assumed_labels: Whether neither the file nor the caller names the labels, so that they are this package's.
    """

    path: Path
    sha256: str
    kind: Kind
    container: Container
    config: EmotionConfig
    state_dict: dict[str, Tensor]
    optimizer_state: dict[str, Any] | None
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    dropped: tuple[str, ...]
    unknown_settings: bool
    assumed_labels: bool


def read_legacy_checkpoint(
    path: str | os.PathLike[str], num_attention_heads: int | None = None, labels: Sequence[str] | None = None
) -> LegacyCheckpoint:
    """Reads a `.pt`, `_state_dict.pt` or `_all.tar` file without running anything that is in it.

    The three kinds are told apart by their content. Tensors of a GPU are read onto the CPU.

    Args:
        path: The file.
        num_attention_heads: Heads, where the file does not tell: a state dict of a hidden size other than 768.
        labels: Label names in the order of the class ids; by default those of a pickled configuration, else the
            seven emotions where the classifier has seven classes, else numbered labels.

    Raises:
        CheckpointError: There is no such file, it is damaged, it is unsafe, or there is no BERT classifier in
            it. Only this error comes out, whatever the bytes are.
    """
    with open_archive(path) as archive:
        contents = find_contents(archive.root)
        check_head(Path(path), contents.kind, {name: tensor.shape for name, tensor in contents.tensors.items()})
        mapping = keys.map_keys(contents.tensors)
        found = {ours: contents.tensors[theirs] for theirs, ours in mapping.to_model.items()}
        sizes = keys.infer_sizes({name: tensor.shape for name, tensor in found.items()})
        settings = read_settings(contents.module)
        names = labels or read_labels(contents.module, sizes.get("num_labels", 0))
        config = build_config(sizes, settings, num_attention_heads, names)
        expected = keys.expected_shapes(sizes)
        fitting = _fitting(found, expected)
        reader = _TensorReader(archive)
        return LegacyCheckpoint(
            path=Path(path),
            sha256=file_sha256(path),
            kind=contents.kind,
            container=archive.container,
            config=config,
            state_dict={
                name: reader.read(tensor)
                for name, tensor in each(list(fitting.items()), Wording("가중치 읽기", "reading weights"))
            },
            optimizer_state=None if contents.optimizer is None else reader.read_values(contents.optimizer),
            missing=tuple(name for name in expected if name not in fitting),
            unexpected=mapping.unexpected + tuple(mapping.to_file[name] for name in found if name not in fitting),
            dropped=mapping.dropped,
            unknown_settings=contents.module is None,
            assumed_labels=names is None,
        )


def file_sha256(path: str | os.PathLike[str]) -> str:
    """Returns the SHA-256 of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as handle:
        while chunk := handle.read(2**20):
            digest.update(chunk)
    return digest.hexdigest()


def _fitting(found: Mapping[str, TensorRecord], expected: Mapping[str, keys.Shape]) -> dict[str, TensorRecord]:
    """Returns the tensors of the shapes that the model needs.

    Raises:
        CheckpointError: So much is missing that the model would be far larger than the file.
    """
    fitting = {name: found[name] for name, shape in expected.items() if name in found and found[name].shape == shape}
    needed = sum(math.prod(shape) for shape in expected.values())
    if needed > 4 * sum(tensor.numel for tensor in fitting.values()) + 2**16:
        raise damaged(
            "가중치의 대부분이 없거나 모양이 서로 맞지 않습니다",
            f"of the {needed:,} values that the model needs, most are missing or of shapes that do not fit together",
        )
    return fitting


class _TensorReader:
    """Reads tensors, and as many bytes as the file can hold, twice over for weights that are tied."""

    def __init__(self, archive: Archive) -> None:
        self._storages = archive.storages
        self._bytes_left = 2 * archive.size
        self._values_left = _MAX_VALUES
        self._last: tuple[StorageRecord, bytearray] | None = None

    def read(self, record: TensorRecord) -> Tensor:
        """Reads one tensor, contiguous, on the CPU, with memory of its own."""
        self._bytes_left -= record.numel * record.dtype.itemsize
        if self._bytes_left < 0:
            raise damaged("텐서가 파일보다 큽니다", "tensors that hold more values than the file")
        if record.numel == 0:
            return torch.empty(record.shape, dtype=record.dtype)
        if self._last is None or self._last[0] != record.storage:
            self._last = (record.storage, self._storages.read(record.storage))
        values = torch.frombuffer(self._last[1], dtype=record.dtype)
        view = values.as_strided(record.shape, record.stride, record.offset)
        return view.clone(memory_format=torch.contiguous_format)

    def read_values(self, value: Any, depth: int = 0) -> Any:
        """Reads plain values, and the tensors in them: the state of an optimizer."""
        self._values_left -= 1
        if depth > _MAX_DEPTH or self._values_left < 0:
            raise damaged(
                "옵티마이저의 상태가 너무 깊거나 큽니다", "an optimizer state that is nested or large beyond use"
            )
        if isinstance(value, TensorRecord):
            return self.read(value)
        if isinstance(value, dict):
            return {name: self.read_values(item, depth + 1) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)([self.read_values(item, depth + 1) for item in value])
        if isinstance(value, Record):
            return _numpy_number(value)
        if type(value) in _PLAIN:
            return value
        raise damaged("옵티마이저의 상태가 잘못되었습니다", f"{str(value)[:80]} in the state of the optimizer")


def _numpy_number(record: Record) -> float:
    """Returns the number that a numpy scalar, such as a learning rate, stands for."""
    data = record.state.get("data")
    if record.kind.module != "numpy" or not isinstance(data, bytes):
        raise damaged("옵티마이저의 상태가 잘못되었습니다", f"{record.kind} in the state of the optimizer")
    number: float = np.frombuffer(data, dtype=f"<{record.kind.name}")[0].item()
    return number
