"""Which rows validate which fold."""

from __future__ import annotations

from ..utils.lazy_names import lazy_names

__getattr__ = lazy_names(
    __name__,
    {
        "fold_indices": "folds",
        "split_hash": "folds",
        "stratified_kfold": "folds",
    },
)
