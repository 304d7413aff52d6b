"""Why a model answers what it does: contributions of the words of a text to the scores of the labels."""

from __future__ import annotations

from ..utils.lazy_names import lazy_names

__getattr__ = lazy_names(
    __name__,
    {
        "Explanation": "words",
        "Method": "words",
    },
)
