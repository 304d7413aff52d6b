"""Fine-tune KoBERT for Korean emotion classification with Hugging Face's Trainer.

Names resolve lazily: importing the package loads neither torch nor transformers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .collector import collector_spares_imports

if TYPE_CHECKING:
    from .audit import AuditReport, audit_dataset
    from .comparison import compare_runs
    from .configuration import EmotionConfig
    from .continuation import continue_training
    from .cross_validation import cross_validate
    from .data import LoadReport, load_emotion_dataset, load_emotion_dataset_with_report
    from .ensemble import EmotionEnsemble
    from .errors import KoBERTEmotionError
    from .evaluation import evaluate_checkpoints
    from .export import OnnxClassifier, export_onnx
    from .holdout import evaluate_run
    from .hub import push_run
    from .labels import EMOTION_LABELS
    from .legacy import export_legacy_checkpoint, import_legacy_checkpoint
    from .losses import FocalLoss, focal_loss
    from .modeling import EmotionClassifier
    from .results import CrossValidationResult
    from .splits import stratified_kfold
    from .tokenization import KoBERTTokenizer
    from .trainer import EmotionTrainer
    from .training_args import EmotionTrainingArguments

__version__ = "0.1.0"

_HOMES = {
    "AuditReport": "audit",
    "CrossValidationResult": "results",
    "EMOTION_LABELS": "labels",
    "EmotionClassifier": "modeling",
    "EmotionConfig": "configuration",
    "EmotionEnsemble": "ensemble",
    "EmotionTrainer": "trainer",
    "EmotionTrainingArguments": "training_args",
    "FocalLoss": "losses",
    "KoBERTEmotionError": "errors",
    "KoBERTTokenizer": "tokenization",
    "LoadReport": "data",
    "OnnxClassifier": "export",
    "audit_dataset": "audit",
    "compare_runs": "comparison",
    "continue_training": "continuation",
    "cross_validate": "cross_validation",
    "evaluate_checkpoints": "evaluation",
    "evaluate_run": "holdout",
    "export_legacy_checkpoint": "legacy",
    "export_onnx": "export",
    "focal_loss": "losses",
    "import_legacy_checkpoint": "legacy",
    "load_emotion_dataset": "data",
    "load_emotion_dataset_with_report": "data",
    "push_run": "hub",
    "stratified_kfold": "splits",
}

__all__ = [
    "EMOTION_LABELS",
    "AuditReport",
    "CrossValidationResult",
    "EmotionClassifier",
    "EmotionConfig",
    "EmotionEnsemble",
    "EmotionTrainer",
    "EmotionTrainingArguments",
    "FocalLoss",
    "KoBERTEmotionError",
    "KoBERTTokenizer",
    "LoadReport",
    "OnnxClassifier",
    "audit_dataset",
    "compare_runs",
    "continue_training",
    "cross_validate",
    "evaluate_checkpoints",
    "evaluate_run",
    "export_legacy_checkpoint",
    "export_onnx",
    "focal_loss",
    "import_legacy_checkpoint",
    "load_emotion_dataset",
    "load_emotion_dataset_with_report",
    "push_run",
    "stratified_kfold",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with collector_spares_imports():
        value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
