"""Table files of texts and labels as data sets, and what was read, assumed and left out."""

from .dataset import load_emotion_dataset, load_emotion_dataset_with_report
from .report import LoadReport

__all__ = ["LoadReport", "load_emotion_dataset", "load_emotion_dataset_with_report"]
