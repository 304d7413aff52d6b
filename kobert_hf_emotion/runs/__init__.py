"""A k-fold run and its folder: made, interrupted, continued, read back and pushed."""

from .cross_validation import cross_validate
from .result import CrossValidationResult, FoldResult

__all__ = ["CrossValidationResult", "FoldResult", "cross_validate"]
