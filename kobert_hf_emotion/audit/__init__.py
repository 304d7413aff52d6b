"""Looks at data before it is trained on: duplicates, leaks between train and test, labels, tokens.

`audit_dataset` is quick enough for the start of every run; `kobert-emotion doctor` adds the files and the machine.
"""

from __future__ import annotations

from .dataset import audit_dataset
from .file_checks import check_files
from .reading_checks import check_reading
from .report import AuditReport, Example, Finding

__all__ = ["AuditReport", "Example", "Finding", "audit_dataset", "check_files", "check_reading"]
