"""A k-fold run and its folder: made, interrupted, continued, read back and pushed."""

from __future__ import annotations

from ..utils.lazy_names import lazy_names

__getattr__ = lazy_names(
    __name__,
    {
        "CrossValidationResult": "result",
        "FoldResult": "result",
        "cross_validate": "cross_validation",
    },
)
