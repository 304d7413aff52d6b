"""The container of torch 1.6 and later: a zip."""

from __future__ import annotations

import zipfile
from pathlib import PurePosixPath
from typing import IO, Any

from .machine import MAX_PICKLE_BYTES, read_pickle
from .records import StorageRecord, damaged
from .storages import check_name, fill, storage_record, swapped

ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
"""How a zip begins, and one that is empty."""


class ZipStorages:
    """The records of a zip container: `<name>/data.pkl` and `<name>/data/<key>`."""

    def __init__(self, handle: IO[bytes], size: int) -> None:
        self._zip = zipfile.ZipFile(handle)
        entries = self._zip.infolist()
        self._entries = {entry.filename: entry for entry in entries}
        if len(self._entries) != len(entries):
            raise damaged("zip 안에 같은 이름이 두 번 있습니다", "a zip with the same name twice")
        for entry in entries:
            _check_entry(entry)
        if sum(entry.file_size for entry in entries) > size:
            raise damaged("zip이 파일보다 큰 내용을 선언합니다", "a zip that declares more bytes than the file has")
        pickles = [name for name in self._entries if PurePosixPath(name).name == "data.pkl"]
        if len(pickles) != 1 or len(PurePosixPath(pickles[0]).parts) != 2:
            raise damaged("zip 안에 data.pkl이 없습니다", "a zip without exactly one <name>/data.pkl")
        self._prefix = str(PurePosixPath(pickles[0]).parent)
        self._swap = self._byte_order() == "big"

    def _byte_order(self) -> str:
        name = f"{self._prefix}/byteorder"
        order = self._entry(name, 16).decode("ascii") if name in self._entries else "little"
        if order not in ("little", "big"):
            raise damaged("바이트 순서를 알 수 없습니다", f"the byte order is {order!r}")
        return order

    def _entry(self, name: str, limit: int) -> bytes:
        if name not in self._entries:
            raise damaged(f"zip 안에 {name}이 없습니다", f"the zip has no {name}")
        if self._entries[name].file_size > limit:
            raise damaged(f"{name}이 너무 큽니다", f"{name} is larger than the {limit:,} bytes it should have")
        return self._zip.read(name)

    def read_root(self) -> Any:
        """Returns what was saved, with records in place of tensors."""
        return read_pickle(self._entry(f"{self._prefix}/data.pkl", MAX_PICKLE_BYTES), self._storage)

    def _storage(self, identifier: Any) -> StorageRecord:
        storage, _ = storage_record(identifier)
        entry = self._entries.get(f"{self._prefix}/data/{storage.key}")
        expected = storage.numel * storage.dtype.itemsize
        if entry is None or entry.file_size != expected:
            found = "none" if entry is None else f"{entry.file_size:,}"
            raise damaged(
                f"저장소 {storage.key}의 크기가 다릅니다",
                f"storage {storage.key[:80]!r} should have {expected:,} bytes, found {found}",
            )
        return storage

    def read(self, storage: StorageRecord) -> bytearray:
        """Returns the bytes of a storage."""
        name = f"{self._prefix}/data/{storage.key}"
        data = bytearray(self._entries[name].file_size)
        with self._zip.open(name) as handle:
            fill(handle, data)
            handle.read(1)  # at the end zipfile checks the CRC
        return swapped(data, storage) if self._swap else data


def _check_entry(entry: zipfile.ZipInfo) -> None:
    check_name(entry.filename)
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size or entry.flag_bits & 1:
        raise damaged(
            f"{entry.filename}이 압축되었거나 암호화되었습니다",
            f"{entry.filename!r} is compressed or encrypted, which torch.save never does",
        )
