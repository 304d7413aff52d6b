"""Writing files and folders so that a crash leaves the old content or the new one, never a part of it."""

from __future__ import annotations

import itertools
import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from ..errors import RunError

if sys.platform != "win32":
    import fcntl

StrPath = str | os.PathLike[str]
_SUFFIX = ".partial"


@contextmanager
def atomic_write(
    path: StrPath, mode: str = "wb", encoding: str | None = None, newline: str | None = None
) -> Iterator[IO[Any]]:
    """Opens a file whose content replaces `path` when the block ends, and not if it raises.

    On Linux the new content has no name until it is complete, so even `kill -9` leaves nothing behind. On
    other systems it is written under a hidden name beside `path`, which the next write to `path` removes
    if its process was killed. The content is on the disk (fsync) before it takes the name.

    Args:
        path: The file to write; its folder is made where it is missing. A symbolic link is followed.
        mode: "wb", "w", or these with "+".
        encoding: Of text mode; UTF-8 by default.
        newline: Of text mode, as for `open`.

    Yields:
        The open file.

    Raises:
        RunError: `path` is a folder.
        OSError: The disk is full, or the folder cannot be written to. `path` is as it was.

    Example:
        >>> import pathlib, tempfile
        >>> target = pathlib.Path(tempfile.mkdtemp()) / "report.txt"
        >>> with atomic_write(target, "w") as handle:
        ...     _ = handle.write("감정")
        >>> target.read_text(encoding="utf-8")
        '감정'
    """
    if mode not in ("wb", "w", "wb+", "w+"):
        raise ValueError(f"atomic_write replaces files: mode must be 'wb' or 'w' (or with '+'), found {mode!r}.")
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise RunError(f"파일이 있어야 할 곳에 폴더가 있습니다: {path}", f"Expected a file, found a folder: {path}")
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep_leftovers(target)
    if "b" not in mode:
        encoding = encoding or "utf-8"
    temporary = _partial_path(target)
    descriptor, is_named = _open_new(temporary)
    try:
        with os.fdopen(descriptor, mode, encoding=encoding, newline=newline) as handle:
            yield handle
            handle.flush()
            _copy_permissions(target, descriptor)
            os.fsync(descriptor)
            if not is_named:
                _give_name(descriptor, temporary)
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


@contextmanager
def atomic_directory(path: StrPath) -> Iterator[Path]:
    """Yields a hidden folder beside `path` that becomes `path` when the block ends, and vanishes if it raises.

    What a killed process leaves is removed by the next call for the same `path`.

    Args:
        path: The folder to make; its parents are made where they are missing.

    Yields:
        The temporary folder to fill.

    Raises:
        RunError: `path` exists and is not an empty folder; nothing in it is touched.
        OSError: The disk is full, or the parent folder cannot be written to.
    """
    target = Path(os.path.realpath(path))
    check_free(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep_leftovers(target)
    temporary = _partial_path(target)
    temporary.mkdir()
    lock = _lock(temporary)
    try:
        yield temporary
        _open_to_readers(temporary)
        _sync_tree(temporary)
        check_free(target)
        if os.name == "nt" and target.exists():  # pragma: no cover - rename replaces an empty folder elsewhere
            target.rmdir()
        temporary.replace(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    finally:
        if lock is not None:
            os.close(lock)
    _sync_folder(target.parent)


def write_json(path: StrPath, content: Mapping[str, Any]) -> None:
    """Writes `content` as indented JSON, atomically; dataclasses inside become objects."""
    with atomic_write(path, "w") as handle:
        json.dump(content, handle, ensure_ascii=False, indent=2, default=_to_json)
        handle.write("\n")


def _to_json(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return asdict(value)
    return str(value)


def check_free(path: StrPath) -> None:
    """Raises `RunError` where `path` is anything but missing or an empty folder."""
    target = Path(path)
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    raise RunError(
        f"이미 있는 경로입니다: {target} — 없는 경로나 빈 폴더가 필요합니다. 다른 경로를 쓰거나 먼저 옮기십시오.",
        f"Expected a path that does not exist or an empty folder, found {target}: nothing in it was touched. "
        "Choose another path, or move it away first.",
        mend={"output": str(free_path(target))},
    )


def free_path(path: Path) -> Path:
    """Returns a path beside `path` that is not there, by a number behind its name."""
    names = (path.with_name(f"{path.stem}_{number}{path.suffix}") for number in itertools.count(2))
    return next(name for name in names if not name.exists())


def _partial_path(target: Path) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(6)}{_SUFFIX}")


def _open_new(temporary: Path) -> tuple[int, bool]:
    """Opens a new file for reading and writing; without a name where the system can (Linux)."""
    unnamed = getattr(os, "O_TMPFILE", 0)
    if unnamed and Path("/proc/self/fd").is_dir():
        with suppress(OSError):  # not every file system can
            return os.open(temporary.parent, unnamed | os.O_RDWR, 0o666), False
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, 0o666)
    _try_lock(descriptor)
    return descriptor, True


def _give_name(descriptor: int, temporary: Path) -> None:
    folder = os.open(temporary.parent, os.O_RDONLY)
    try:
        _try_lock(descriptor)
        # With dst_dir_fd Python calls linkat(2), the one that follows the link in /proc.
        os.link(f"/proc/self/fd/{descriptor}", temporary.name, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def _copy_permissions(target: Path, descriptor: int) -> None:
    if hasattr(os, "fchmod"):
        with suppress(FileNotFoundError, PermissionError):
            os.fchmod(descriptor, target.stat().st_mode & 0o7777)


def _lock(path: Path) -> int | None:
    """Opens and locks `path`, as a sign that its owner lives; None where the system cannot."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        if _try_lock(descriptor):
            return descriptor
        os.close(descriptor)
    return None


def _try_lock(descriptor: int) -> bool:
    if sys.platform != "win32":  # what killed processes leave is not swept there
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False


def _sweep_leftovers(target: Path) -> None:
    """Removes unfinished files and folders for `target` whose process is gone: nobody holds their lock."""
    prefix = f".{target.name}."
    for path in target.parent.iterdir():
        if not (path.name.startswith(prefix) and path.name.endswith(_SUFFIX)):
            continue
        token = path.name[len(prefix) : -len(_SUFFIX)]
        if len(token) != 12 or (lock := _lock(path)) is None:
            continue
        with suppress(OSError):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        os.close(lock)


def _open_to_readers(folder: Path) -> None:
    """Gives files the permissions a new file has: safetensors writes for the owner's eyes alone."""
    umask = os.umask(0)
    os.umask(umask)
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o666 & ~umask)


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb+") as handle:
                os.fsync(handle.fileno())


def _sync_folder(folder: Path) -> None:
    """Makes a rename in `folder` durable, where the system lets a folder be opened."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
