"""Fine-tune KoBERT for Korean emotion classification with Hugging Face's Trainer.

Names resolve lazily: importing the package loads neither torch nor transformers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .utils.lazy_names import lazy_names

if TYPE_CHECKING:
    from .audit import AuditReport, audit_dataset
    from .configuration import EmotionConfig
    from .data.dataset import load_emotion_dataset, load_emotion_dataset_with_report
    from .data.report import LoadReport
    from .errors import KoBERTEmotionError
    from .evaluation.checkpoints import evaluate_checkpoints
    from .evaluation.comparison import compare_runs
    from .evaluation.held_out import evaluate_run
    from .export import OnnxClassifier, export_onnx
    from .inference.ensemble import EmotionEnsemble
    from .labels import EMOTION_LABELS
    from .legacy import export_legacy_checkpoint, import_legacy_checkpoint
    from .modeling.classifier import EmotionClassifier
    from .modeling.losses import FocalLoss, focal_loss
    from .modeling.sigmoid_loss import SigmoidFocalLoss, sigmoid_focal_loss
    from .modeling.soft_loss import SoftFocalLoss, soft_focal_loss
    from .runs.cross_validation import cross_validate
    from .runs.push import push_run
    from .runs.result import CrossValidationResult
    from .search.searching import search_arguments
    from .splits.folds import stratified_kfold
    from .tokenization.tokenizer import KoBERTTokenizer
    from .training.arguments import EmotionTrainingArguments
    from .training.continuation import continue_training
    from .training.trainer import EmotionTrainer

__version__ = "0.2.0"

_HOMES = {
    "AuditReport": "audit",
    "CrossValidationResult": "runs.result",
    "EMOTION_LABELS": "labels",
    "EmotionClassifier": "modeling.classifier",
    "EmotionConfig": "configuration",
    "EmotionEnsemble": "inference.ensemble",
    "EmotionTrainer": "training.trainer",
    "EmotionTrainingArguments": "training.arguments",
    "FocalLoss": "modeling.losses",
    "KoBERTEmotionError": "errors",
    "KoBERTTokenizer": "tokenization.tokenizer",
    "LoadReport": "data.report",
    "OnnxClassifier": "export",
    "SigmoidFocalLoss": "modeling.sigmoid_loss",
    "SoftFocalLoss": "modeling.soft_loss",
    "audit_dataset": "audit",
    "compare_runs": "evaluation.comparison",
    "continue_training": "training.continuation",
    "cross_validate": "runs.cross_validation",
    "evaluate_checkpoints": "evaluation.checkpoints",
    "evaluate_run": "evaluation.held_out",
    "export_legacy_checkpoint": "legacy",
    "export_onnx": "export",
    "focal_loss": "modeling.losses",
    "import_legacy_checkpoint": "legacy",
    "load_emotion_dataset": "data.dataset",
    "load_emotion_dataset_with_report": "data.dataset",
    "push_run": "runs.push",
    "search_arguments": "search.searching",
    "sigmoid_focal_loss": "modeling.sigmoid_loss",
    "soft_focal_loss": "modeling.soft_loss",
    "stratified_kfold": "splits.folds",
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
    "SigmoidFocalLoss",
    "SoftFocalLoss",
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
    "search_arguments",
    "sigmoid_focal_loss",
    "soft_focal_loss",
    "stratified_kfold",
]


__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
