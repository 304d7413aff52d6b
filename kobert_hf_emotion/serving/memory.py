"""Memory that stays the same however long a server runs."""

from __future__ import annotations

import os

CACHED_SHAPES = 128
"""Kernels that oneDNN keeps: those of about two dozen sizes of a batch.

Each size of a batch has kernels of its own. By default 1,024 are kept, twice (`LRU_CACHE_CAPACITY` is torch's cache
before oneDNN's own), which a server that sees texts of all lengths, in batches of all sizes, fills with 600 MB of the
default model's. With this many it takes the same time for it, and 100 MB (`benchmarks.mixed_load`).
"""
CAPACITIES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")


def bound_caches() -> None:
    """Bounds what oneDNN keeps; called before torch is imported, and nothing where the user has set it."""
    for name in CAPACITIES:
        os.environ.setdefault(name, str(CACHED_SHAPES))
