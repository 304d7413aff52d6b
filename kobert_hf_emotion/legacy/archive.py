"""Opening a file of `torch.save`: the zip container of torch 1.6 and later, the stream of before, a tar around one."""

from __future__ import annotations

import os
import pickletools
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal, Protocol

from ..errors import CheckpointError
from .machine import MAX_PICKLE_BYTES, PickleMachine, read_pickle
from .policy import STORAGE_DTYPES, resolve
from .records import Global, StorageRecord, damaged, unsafe

Container = Literal["zip", "stream"]
_STREAM_MAGIC = 0x1950A86A20F9469CFC6C
_STREAM_VERSION = 1001
_MAX_TAR_MEMBERS = 1000
_PICKLE_OPCODES = frozenset(opcode.code for opcode in pickletools.opcodes)
_ZIP_START, _ZIP_END_ONLY = b"PK\x03\x04", b"PK\x05\x06"


class StorageReader(Protocol):
    """Reads the bytes of storages while the file is open."""

    def read(self, storage: StorageRecord) -> bytearray:
        """Returns the bytes of `storage`, in the byte order of this machine."""


@dataclass(frozen=True)
class Archive:
    """An open file of `torch.save`.

    Attributes:
        root: What was saved, with records in place of objects and tensors.
        storages: Reads the values of tensors.
        container: "zip" (torch 1.6 and later) or "stream" (before).
        size: Bytes in the file.
    """

    root: Any
    storages: StorageReader
    container: Container
    size: int


@contextmanager
def open_archive(path: str | os.PathLike[str]) -> Iterator[Archive]:
    """Opens a file of `torch.save`, told apart by its content.

    Raises:
        CheckpointError: There is no such file, it is damaged, or it asks for something unsafe. No other
            error leaves this block, whatever the bytes are.
    """
    try:
        with _open_regular(path) as handle, _unwrap_tar(handle) as inner:
            yield _read_archive(inner)
    except CheckpointError as error:
        if str(path) in error.english:
            raise
        raise CheckpointError(
            f"{path}: {error.korean}", f"{path}: {error.english}", error.try_this, mend=error.mend
        ) from error
    except Exception as error:  # whatever zipfile, tarfile or the file system says about broken bytes
        raise damaged(f"{path} ({type(error).__name__})", f"{path} ({type(error).__name__}: {error})") from error


def _open_regular(path: str | os.PathLike[str]) -> IO[bytes]:
    if not Path(path).is_file():
        raise CheckpointError(
            f"체크포인트 파일이 없습니다: {path} — .pt, _state_dict.pt 또는 _all.tar 파일이 필요합니다.",
            f"Expected a file written by torch.save (.pt, _state_dict.pt or _all.tar), found none at {path}.",
        )
    return Path(path).open("rb")


@contextmanager
def _unwrap_tar(handle: IO[bytes]) -> Iterator[IO[bytes]]:
    """Yields the one file inside a real tar, read in place, and any other file as it is."""
    handle.seek(257)
    is_tar = handle.read(5) == b"ustar"
    handle.seek(0)
    if not is_tar:
        yield handle
        return
    with tarfile.open(fileobj=handle, mode="r:") as tar:
        inner = tar.extractfile(_only_member(tar))
        assert inner is not None
        with inner:
            yield inner


def _only_member(tar: tarfile.TarFile) -> tarfile.TarInfo:
    files: list[tarfile.TarInfo] = []
    for count, member in enumerate(tar):
        if count >= _MAX_TAR_MEMBERS:
            raise damaged("tar 안의 파일이 너무 많습니다", f"a tar of more than {_MAX_TAR_MEMBERS} members")
        _check_name(member.name)
        if not (member.isreg() or member.isdir()) or member.issparse():
            raise unsafe(member.name, "tar 안의 링크나 장치입니다", "a link, device or sparse file inside a tar")
        if member.isreg():
            files.append(member)
    if len(files) != 1:
        names = ", ".join(member.name for member in files[:8])
        raise CheckpointError(
            f"tar 안에 파일이 하나만 있어야 하는데 {len(files)}개가 있습니다: {names}. 풀어서 하나를 고르십시오.",
            f"Expected one checkpoint inside the tar, found {len(files)} files: {names}. Unpack it and choose one.",
        )
    return files[0]


def _check_name(name: str) -> None:
    """Refuses names that lead out of the archive; nothing is ever unpacked, so this is a second lock."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if ".." in parts or name.startswith(("/", "\\")) or "\0" in name or name[1:2] == ":":
        raise unsafe(repr(name), "아카이브 밖을 가리키는 경로입니다", "a path that leads out of the archive")


def _read_archive(handle: IO[bytes]) -> Archive:
    size = handle.seek(0, os.SEEK_END)
    handle.seek(0)
    start = handle.read(64)
    handle.seek(0)
    _check_not_text(start)
    if start.startswith((_ZIP_START, _ZIP_END_ONLY)):
        zipped = _ZipStorages(handle, size)
        return Archive(read_pickle(zipped.pickle(), zipped.persistent_load), zipped, "zip", size)
    stream = _StreamStorages(handle, size)
    return Archive(stream.read_root(), stream, "stream", size)


def _check_not_text(start: bytes) -> None:
    """Names what a download often leaves in place of the file."""
    if start.lstrip().startswith(b"<"):
        raise damaged(
            "웹 페이지입니다. 내려받기가 로그인이나 확인 화면에서 멈춘 것 같습니다",
            "a web page; the download probably ended at a login or confirmation page",
        )
    if start.startswith(b"version https://git-lfs"):
        raise damaged("Git LFS 포인터입니다", "a Git LFS pointer; run `git lfs pull` to get the file itself")
    if not start.startswith((_ZIP_START, _ZIP_END_ONLY)) and start[:1].decode("latin-1") not in _PICKLE_OPCODES:
        raise damaged("zip도 pickle도 아닙니다", "neither a zip nor a pickle")


def _storage_record(identifier: Any) -> tuple[StorageRecord, Any]:
    """Returns the storage that a persistent id names, and the id's further parts."""
    if not isinstance(identifier, tuple) or len(identifier) < 5 or identifier[0] != "storage":
        raise damaged("저장소 참조의 형식이 잘못되었습니다", "a persistent id that torch.save does not write")
    _, kind, key, location, numel, *rest = identifier
    if not isinstance(kind, Global) or kind.name not in STORAGE_DTYPES or kind.module.split(".")[0] != "torch":
        raise unsafe(str(kind)[:200], "지원하지 않는 저장소 형식입니다", "not a kind of storage that is supported")
    if type(key) not in (str, int) or type(location) is not str or type(numel) is not int or not 0 <= numel < 2**48:
        raise damaged("저장소 참조의 값이 잘못되었습니다", "a persistent id with values of the wrong kind")
    return StorageRecord(str(key), STORAGE_DTYPES[kind.name], numel), rest


class _ZipStorages:
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

    def pickle(self) -> bytes:
        return self._entry(f"{self._prefix}/data.pkl", MAX_PICKLE_BYTES)

    def persistent_load(self, identifier: Any) -> StorageRecord:
        storage, _ = _storage_record(identifier)
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
        name = f"{self._prefix}/data/{storage.key}"
        data = bytearray(self._entries[name].file_size)
        with self._zip.open(name) as handle:
            _fill(handle, data)
            handle.read(1)  # at the end zipfile checks the CRC
        return _swapped(data, storage) if self._swap else data


def _check_entry(entry: zipfile.ZipInfo) -> None:
    _check_name(entry.filename)
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size or entry.flag_bits & 1:
        raise damaged(
            f"{entry.filename}이 압축되었거나 암호화되었습니다",
            f"{entry.filename!r} is compressed or encrypted, which torch.save never does",
        )


class _StreamStorages:
    """The stream of torch before 1.6: five pickles, then for each storage its length and its values."""

    def __init__(self, handle: IO[bytes], size: int) -> None:
        self._handle = handle
        self._size = size
        self._declared: dict[str, StorageRecord] = {}
        self._starts: dict[str, int] = {}
        self._swap = False

    def read_root(self) -> Any:
        machine = PickleMachine(self._handle.read(MAX_PICKLE_BYTES), self.persistent_load)
        first = machine.load()
        # Another program's pickle is refused by what it names; one that names nothing, here.
        if first != _STREAM_MAGIC or machine.load() != _STREAM_VERSION:
            raise damaged("torch.save의 표시가 없습니다", "it does not start as torch.save writes it")
        info = machine.load()
        self._swap = isinstance(info, dict) and info.get("little_endian") is False
        root = machine.load()
        keys = machine.load()
        if not isinstance(keys, list) or not all(type(key) in (str, int) for key in keys):
            raise damaged("저장소 목록이 잘못되었습니다", "the list of storages is no list of names")
        self._locate([str(key) for key in keys], machine.position)
        return root

    def _locate(self, keys: list[str], position: int) -> None:
        """Finds where the values of each storage start."""
        for key in keys:
            self._handle.seek(position)
            head = self._handle.read(8)
            if len(head) != 8 or key not in self._declared or key in self._starts:
                raise damaged(f"저장소 {key[:80]}이 없습니다", f"storage {key[:80]!r} is missing or not declared")
            (numel,) = struct.unpack(">q" if self._swap else "<q", head)
            storage = self._declared[key]
            end = position + 8 + numel * storage.dtype.itemsize
            if numel != (storage.root_numel or storage.numel) or end > self._size:
                raise damaged(
                    f"저장소 {key[:80]}의 크기가 다릅니다",
                    f"storage {key[:80]!r} should have {storage.root_numel or storage.numel:,} values, found {numel:,}",
                )
            self._starts[key] = position + 8
            position = end
        if missing := set(self._declared) - set(self._starts):
            raise damaged("값이 없는 저장소가 있습니다", f"storages without values: {sorted(missing)[:5]}")

    def persistent_load(self, identifier: Any) -> Any:
        if isinstance(identifier, tuple) and len(identifier) == 4 and identifier[0] == "module":
            return self._module_class(identifier[1])  # with the source code of the class, which nobody runs
        storage, rest = _storage_record(identifier)
        known = self._declared.setdefault(storage.key, storage)
        if (known.dtype, known.numel) != (storage.dtype, storage.numel):
            raise damaged("저장소가 두 번 다르게 선언되었습니다", f"storage {storage.key[:80]!r} is declared twice")
        return _view_of(storage, rest[0]) if rest and rest[0] is not None else storage

    @staticmethod
    def _module_class(kind: Any) -> Global:
        if not isinstance(kind, Global):
            raise damaged("클래스 참조가 잘못되었습니다", "a module class that is no class")
        return resolve(kind.module, kind.name)

    def read(self, storage: StorageRecord) -> bytearray:
        data = bytearray(storage.numel * storage.dtype.itemsize)
        self._handle.seek(self._starts[storage.key] + storage.start * storage.dtype.itemsize)
        _fill(self._handle, data)
        return _swapped(data, storage) if self._swap else data


def _view_of(storage: StorageRecord, view: Any) -> StorageRecord:
    """Returns the part of `storage` that the view (key, offset, numel) of an old file names."""
    is_valid = isinstance(view, tuple) and len(view) == 3 and all(type(number) is int for number in view[1:])
    if not is_valid or not 0 <= view[1] <= view[1] + view[2] <= storage.numel or view[2] < 0:
        raise damaged("저장소의 일부가 잘못되었습니다", "a view that does not lie within its storage")
    return StorageRecord(storage.key, storage.dtype, view[2], view[1], storage.numel)


def _fill(handle: IO[bytes], data: bytearray) -> None:
    """Reads exactly `len(data)` bytes."""
    view, filled = memoryview(data), 0
    while filled < len(data):
        chunk = handle.read(min(len(data) - filled, 2**22))
        if not chunk:
            raise damaged("파일이 중간에 끊겼습니다", "the file ends within a tensor")
        view[filled : filled + len(chunk)] = chunk
        filled += len(chunk)


def _swapped(data: bytearray, storage: StorageRecord) -> bytearray:
    width = storage.dtype.itemsize
    for position in range(width // 2):
        data[position::width], data[width - 1 - position :: width] = (
            data[width - 1 - position :: width],
            data[position::width],
        )
    return data
