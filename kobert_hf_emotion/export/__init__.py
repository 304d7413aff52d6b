"""A classifier compiled for ONNX Runtime: `export_onnx` writes the folder, `OnnxClassifier` predicts with it.

`export_web` writes a page that predicts with it in the browser. Names resolve lazily: writing needs torch, predicting
does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..utils.lazy_names import lazy_names

if TYPE_CHECKING:
    from .exporter import ExportReport, export_onnx
    from .manifest import is_export
    from .runtime import OnnxClassifier
    from .web import export_web

__all__ = ["ExportReport", "OnnxClassifier", "export_onnx", "export_web", "is_export"]

__getattr__ = lazy_names(
    __name__,
    {
        "ExportReport": "exporter",
        "OnnxClassifier": "runtime",
        "export_onnx": "exporter",
        "export_web": "web",
        "is_export": "manifest",
    },
)
