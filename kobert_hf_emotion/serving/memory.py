"""Memory that stays the same however long a server runs."""

from __future__ import annotations

import os

CACHED_KERNELS = 512
"""Kernels that oneDNN keeps: five for each size of a batch, so that single texts of all usual lengths find theirs.

By default 1,024 are kept, twice (`LRU_CACHE_CAPACITY` is torch's cache before oneDNN's own), which a server that sees
texts of all lengths in batches of all sizes fills: 600 batches of 1 to 8 texts took 640 MB with the default model, and
413 MB with 512, in the same time. With 128 it was 133 MB, but single texts took 16 ms rather than 14.
"""
CAPACITIES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")


def bound_caches() -> None:
    """Bounds what oneDNN keeps; called before torch is imported, and nothing where the user has set it."""
    for name in CAPACITIES:
        os.environ.setdefault(name, str(CACHED_KERNELS))
