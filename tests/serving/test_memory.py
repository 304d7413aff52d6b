"""The caches of kernels are bounded before torch is there to read how large they may be."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from kobert_hf_emotion.serving.memory import CACHED_KERNELS, bound_caches

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


def test_torch_is_not_there_yet() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=600, check=False)
    assert done.stdout.split() == ["False"], done.stderr


def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    of_process, of_thread = CACHED_KERNELS
    monkeypatch.setenv(of_process, "7")
    monkeypatch.delenv(of_thread, raising=False)
    bound_caches()
    assert [os.environ.pop(name) for name in CACHED_KERNELS] == ["7", str(CACHED_KERNELS[of_thread])]
