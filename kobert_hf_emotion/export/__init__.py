"""A classifier compiled for ONNX Runtime: `export_onnx` writes the folder, `OnnxClassifier` predicts with it."""

from .exporter import ExportReport, export_onnx
from .manifest import is_export
from .runtime import OnnxClassifier

__all__ = ["ExportReport", "OnnxClassifier", "export_onnx", "is_export"]
