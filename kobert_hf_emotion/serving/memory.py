"""Memory that stays the same however long a server runs."""

from __future__ import annotations

import ctypes
import os

CACHED_KERNELS = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": 512, "LRU_CACHE_CAPACITY": 32}
"""Kernels that oneDNN keeps for the process, and those that torch keeps before it for each thread that computes.

Five belong to each size of a batch; with 512 single texts of all usual lengths find theirs. By default both keep 1,024,
which a server that sees texts of all lengths in batches of all sizes fills. What torch keeps for a thread is never let
go of by oneDNN, so that with two threads it is there three times: 800 batches of 1 to 64 texts took 1,335 MB with the
default model and 512 in both, and grew; with 32 a thread it is 927 MB, and 976 MB from 2,700 batches to 3,600. Single
texts take as long (14 to 16 ms); with 1 a thread they take 2 to 4 ms more.
"""


def bound_caches() -> None:
    """Bounds what oneDNN and torch keep; called before torch is imported, and nothing where the user has set it."""
    for name, kernels in CACHED_KERNELS.items():
        os.environ.setdefault(name, str(kernels))


def give_back() -> None:
    """Gives the system back what malloc keeps though nothing lies in it; nothing where the C library is not glibc.

    Batches of all sizes leave gaps between what stays, and glibc gives back what lies at the end alone: 190 of 910 MB
    after four minutes of `benchmarks.mixed_load`, and more with time. It takes about 20 ms. Large tensors outside of
    the heap (`MALLOC_MMAP_THRESHOLD_`) took 50 MB less, but 12% of the throughput; one heap for all threads changed
    nothing.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)
