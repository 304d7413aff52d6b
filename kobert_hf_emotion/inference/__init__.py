"""Whatever predicts: a folder, an ensemble, one of the old files; and whole files of texts."""

from .classifier import Classifier, load_classifier
from .ensemble import EmotionEnsemble
from .loading import load_checkpoint

__all__ = ["Classifier", "EmotionEnsemble", "load_checkpoint", "load_classifier"]
