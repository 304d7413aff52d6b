"""Which rows validate which fold."""

from .folds import fold_indices, split_hash, stratified_kfold

__all__ = ["fold_indices", "split_hash", "stratified_kfold"]
