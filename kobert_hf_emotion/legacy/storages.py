"""What both containers of `torch.save` share: how a pickle names a storage, and reading one."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import IO, Any, Protocol

from .policy import STORAGE_DTYPES
from .records import Global, StorageRecord, damaged, unsafe


class StorageReader(Protocol):
    """Reads the bytes of storages while the file is open."""

    def read(self, storage: StorageRecord) -> bytearray:
        """Returns the bytes of `storage`, in the byte order of this machine."""


def check_name(name: str) -> None:
    """Refuses names that lead out of the archive; nothing is ever unpacked, so this is a second lock."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if ".." in parts or name.startswith(("/", "\\")) or "\0" in name or name[1:2] == ":":
        raise unsafe(repr(name), "아카이브 밖을 가리키는 경로입니다", "a path that leads out of the archive")


def storage_record(identifier: Any) -> tuple[StorageRecord, Any]:
    """Returns the storage that a persistent id names, and the id's further parts."""
    if not isinstance(identifier, tuple) or len(identifier) < 5 or identifier[0] != "storage":
        raise damaged("저장소 참조의 형식이 잘못되었습니다", "a persistent id that torch.save does not write")
    _, kind, key, location, numel, *rest = identifier
    if not isinstance(kind, Global) or kind.name not in STORAGE_DTYPES or kind.module.split(".")[0] != "torch":
        raise unsafe(str(kind)[:200], "지원하지 않는 저장소 형식입니다", "not a kind of storage that is supported")
    if type(key) not in (str, int) or type(location) is not str or type(numel) is not int or not 0 <= numel < 2**48:
        raise damaged("저장소 참조의 값이 잘못되었습니다", "a persistent id with values of the wrong kind")
    return StorageRecord(str(key), STORAGE_DTYPES[kind.name], numel), rest


def fill(handle: IO[bytes], data: bytearray) -> None:
    """Reads exactly `len(data)` bytes."""
    view, filled = memoryview(data), 0
    while filled < len(data):
        chunk = handle.read(min(len(data) - filled, 2**22))
        if not chunk:
            raise damaged("파일이 중간에 끊겼습니다", "the file ends within a tensor")
        view[filled : filled + len(chunk)] = chunk
        filled += len(chunk)


def swapped(data: bytearray, storage: StorageRecord) -> bytearray:
    """Turns the bytes of each element around, in place, and returns them."""
    width = storage.dtype.itemsize
    for position in range(width // 2):
        data[position::width], data[width - 1 - position :: width] = (
            data[width - 1 - position :: width],
            data[position::width],
        )
    return data
