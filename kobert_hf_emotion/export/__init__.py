"""A classifier compiled for ONNX Runtime: `export_onnx` writes the folder, `OnnxClassifier` predicts with it.

`export_web` writes a page that predicts with it in the browser.
"""

from .exporter import ExportReport, export_onnx
from .manifest import is_export
from .runtime import OnnxClassifier
from .web import export_web

__all__ = ["ExportReport", "OnnxClassifier", "export_onnx", "export_web", "is_export"]
