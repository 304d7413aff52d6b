"""What a pickle turns into here: plain containers, and inert records that can do nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from ..errors import CheckpointError


def damaged(korean: str, english: str) -> CheckpointError:
    """Returns the error for a file that is cut short, changed or never was a checkpoint."""
    return CheckpointError(
        f"체크포인트 파일이 손상되었거나 torch.save로 쓴 파일이 아닙니다: {korean}",
        f"Expected a whole file written by torch.save, found a damaged or foreign one: {english}. "
        "Get the file anew from where it came from.",
    )


def unsafe(name: str, korean: str, english: str) -> CheckpointError:
    """Returns the error for a file that asks for something a checkpoint has no use for.

    Args:
        name: The global, or the opcode, that is asked for.
        korean: What the file does with it.
        english: The same in English.
    """
    return CheckpointError(
        f"안전하지 않은 체크포인트입니다: {name} — {korean}. 파일의 어떤 코드도 실행하지 않았습니다.",
        f"Unsafe checkpoint, refused: {name} — {english}. Nothing in the file was run. Expected tensors, plain "
        "values and module classes only; do not load this file by other means unless you trust its author.",
    )


@dataclass(frozen=True)
class Global:
    """A class or function that a pickle names; only its name, nothing is imported."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False)
class Record:
    """An object of a class that a pickle names, with the state the pickle gives it, and no behaviour."""

    kind: Global
    state: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StorageRecord:
    """The bytes behind one or more tensors, by their name in the file.

    Attributes:
        key: The name.
        dtype: Of its elements.
        numel: Number of elements.
        start: First element of the storage `key` that belongs to it (files of before torch 1.6).
        root_numel: Elements of the storage `key` as a whole.
    """

    key: str
    dtype: torch.dtype
    numel: int
    start: int = 0
    root_numel: int | None = None


@dataclass(frozen=True, eq=False)
class TensorRecord:
    """A tensor that is not read yet: a checked view on a storage."""

    storage: StorageRecord
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: torch.dtype

    @property
    def numel(self) -> int:
        """Number of elements."""
        product = 1
        for size in self.shape:
            product *= size
        return product
