"""The caches of kernels are bounded before torch is there to read how large they may be."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from kobert_hf_emotion.serving.memory import CACHED_KERNELS, bound_caches, give_back

PROGRAM = """
import os, sys
import kobert_hf_emotion.serving.memory as memory
def bound():
    print("torch" in sys.modules)
    raise SystemExit(0)
memory.bound_caches = bound
from kobert_hf_emotion.cli import main
main(["serve", "default", "--port", "0"])
"""

BLOCK = 100_000


def test_torch_is_not_there_yet() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=600, check=False)
    assert done.stdout.split() == ["False"], done.stderr


def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    of_process, of_thread = CACHED_KERNELS
    monkeypatch.setenv(of_process, "7")
    monkeypatch.delenv(of_thread, raising=False)
    bound_caches()
    assert [os.environ.pop(name) for name in CACHED_KERNELS] == ["7", str(CACHED_KERNELS[of_thread])]


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is asked to give memory back")
def test_the_gaps_between_what_stays_are_given_back() -> None:
    """Small enough to come from the heap, with one in ten left over so that glibc keeps the gaps by itself."""
    blocks = [bytes([1]) * BLOCK for _ in range(1000)]
    stays = blocks[::10]
    full = _resident()
    del blocks
    give_back()
    assert full - _resident() > 0.8 * 900 * BLOCK
    assert all(block == bytes([1]) * BLOCK for block in stays)
