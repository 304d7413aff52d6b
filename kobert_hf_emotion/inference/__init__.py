"""Whatever predicts: a folder, an ensemble, one of the old files; and whole files of texts."""

from __future__ import annotations

from ..utils.lazy_names import lazy_names

__getattr__ = lazy_names(
    __name__,
    {
        "Classifier": "classifier",
        "EmotionEnsemble": "ensemble",
        "load_checkpoint": "loading",
        "load_classifier": "classifier",
    },
)
