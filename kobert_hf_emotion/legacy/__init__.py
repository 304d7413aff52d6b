"""Reading and writing the files that KoBERT notebooks leave: `.pt`, `_state_dict.pt` and `_all.tar`."""

from __future__ import annotations

from ..modeling.optimizer_state import OPTIMIZER_FILE, load_optimizer_file, resume_optimizer
from .converter import NOTEBOOK_LENGTH, LegacyImportReport, convert_legacy_checkpoint
from .exporter import export_legacy_checkpoint
from .importer import build_classifier, import_legacy_checkpoint
from .reader import LegacyCheckpoint, read_legacy_checkpoint

__all__ = [
    "NOTEBOOK_LENGTH",
    "OPTIMIZER_FILE",
    "LegacyCheckpoint",
    "LegacyImportReport",
    "build_classifier",
    "convert_legacy_checkpoint",
    "export_legacy_checkpoint",
    "import_legacy_checkpoint",
    "load_optimizer_file",
    "read_legacy_checkpoint",
    "resume_optimizer",
]
