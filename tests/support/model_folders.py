"""Folders of models, changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def change_config(folder: Path, **fields: Any) -> None:
    """Writes other values into a folder's `config.json`; None takes a field out."""
    config = {**json.loads((folder / "config.json").read_text(encoding="utf-8")), **fields}
    kept = {name: value for name, value in config.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(kept), encoding="utf-8")
