"""Table files of texts and labels as data sets, and what was read, assumed and left out."""

from __future__ import annotations

from ..utils.lazy_names import lazy_names

__getattr__ = lazy_names(
    __name__,
    {
        "LoadReport": "report",
        "load_emotion_dataset": "dataset",
        "load_emotion_dataset_with_report": "dataset",
    },
)
