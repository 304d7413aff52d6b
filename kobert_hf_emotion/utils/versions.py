"""Which versions a result was made with."""

from __future__ import annotations

import platform
from importlib.metadata import version

_LIBRARIES = (
    "kobert-hf-emotion",
    "torch",
    "transformers",
    "datasets",
    "accelerate",
    "sentencepiece",
    "scikit-learn",
    "numpy",
)


def library_versions() -> dict[str, str]:
    """Returns the versions of Python and of the libraries a training depends on."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}
