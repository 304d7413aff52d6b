"""Locks that the system takes away from a process that ends, however it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":
    import fcntl

CAN_LOCK = sys.platform != "win32"
"""Whether several processes can be at one search; Windows has no such locks."""


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Waits until no other process is in such a block for the same file, which is made where it is missing."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if sys.platform != "win32":
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def take(folder: Path, shared: bool = False) -> int | None:
    """Takes a folder, which is made where it is missing, for this process, until it ends or gives it back.

    Args:
        folder: What to take.
        shared: Whether others that share it may take it as well.

    Returns:
        What `give_back` takes; None where another process that lives has the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        return -1
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def share(taken: int) -> None:
    """Has what `take` returned shared from now on."""
    if sys.platform != "win32":
        fcntl.flock(taken, fcntl.LOCK_SH)


def give_back(taken: int) -> None:
    """Gives back what `take` returned."""
    if taken >= 0:
        os.close(taken)
