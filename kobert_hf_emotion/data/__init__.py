"""Table files of texts and labels as data sets, and what was read, assumed and left out."""

from .dataset import LoadReport, load_emotion_dataset, load_emotion_dataset_with_report

__all__ = ["LoadReport", "load_emotion_dataset", "load_emotion_dataset_with_report"]
