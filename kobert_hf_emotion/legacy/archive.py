"""Opening a file of `torch.save`: the zip container of torch 1.6 and later, the stream of before, a tar around one."""

from __future__ import annotations

import os
import pickletools
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from ..errors import CheckpointError
from .records import damaged, unsafe
from .storages import StorageReader, check_name
from .stream_archive import StreamStorages
from .zip_archive import ZIP_STARTS, ZipStorages

Container = Literal["zip", "stream"]
_MAX_TAR_MEMBERS = 1000
_PICKLE_OPCODES = frozenset(opcode.code for opcode in pickletools.opcodes)


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
        check_name(member.name)
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


def _read_archive(handle: IO[bytes]) -> Archive:
    size = handle.seek(0, os.SEEK_END)
    handle.seek(0)
    start = handle.read(64)
    handle.seek(0)
    _check_not_text(start)
    if start.startswith(ZIP_STARTS):
        zipped = ZipStorages(handle, size)
        return Archive(zipped.read_root(), zipped, "zip", size)
    stream = StreamStorages(handle, size)
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
    if not start.startswith(ZIP_STARTS) and start[:1].decode("latin-1") not in _PICKLE_OPCODES:
        raise damaged("zip도 pickle도 아닙니다", "neither a zip nor a pickle")
