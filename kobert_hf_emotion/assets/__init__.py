"""Files that come with the package: the default model, the sample data, scripts of pages."""

from __future__ import annotations

import os
from pathlib import Path

from ..utils.argument_checks import check_path

ASSETS = Path(__file__).parent
DEFAULT_MODEL_NAME = "default"
DEFAULT_MODEL = ASSETS / "default"
PAGE = ASSETS / "page"
"""The page in which people try a model: `engine.js` in it asks the server that shows the page."""
BROWSER = ASSETS / "browser"
"""What stands in for it where the page predicts by itself; see `export.web`."""
SKELETONS = ASSETS / "skeletons"
"""Graphs without weights; see `export.skeleton`."""
SAMPLE_TRAIN = ASSETS / "sample" / "train.csv"
SAMPLE_TEST = ASSETS / "sample" / "test.csv"


def resolve_default(name_or_path: str | os.PathLike[str]) -> str:
    """Returns the folder of the embedded model for "default", every other name as it is."""
    check_path("pretrained_model_name_or_path", name_or_path)
    return str(DEFAULT_MODEL) if os.fspath(name_or_path) == DEFAULT_MODEL_NAME else os.fspath(name_or_path)
