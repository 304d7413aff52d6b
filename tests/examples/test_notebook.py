"""The notebook in the examples, its cells executed one after the other as Jupyter does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import torch
from paths import ROOT

from kobert_hf_emotion.assets import DEFAULT_MODEL
from kobert_hf_emotion.legacy import read_legacy_checkpoint

NOTEBOOK = ROOT / "examples" / "from_notebook.ipynb"


def test_every_cell_runs(tmp_path: Path) -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in notebook["cells"] if cell["cell_type"] == "code")
    # One process whose __main__ holds the globals, for the notebook's functions look there.
    (tmp_path / "cells.py").write_text("\n\n".join(cells), encoding="utf-8")
    environment = {"MPLBACKEND": "agg", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "cells.py"],
        check=False, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "macro avg" in done.stdout
    run = tmp_path / "notebook_run"
    assert (run / "accuracy.png").stat().st_size > 5000
    stems = [run / f"Focal_KoBERT_e2_b64_fold_{fold}" for fold in (1, 2)]
    assert sum(f"{stem.relative_to(tmp_path)}_state_dict.pt" in done.stdout for stem in stems) == 1  # the best one
    heads = json.loads((DEFAULT_MODEL / "config.json").read_text(encoding="utf-8"))["num_attention_heads"]
    for stem in stems:
        states = [
            read_legacy_checkpoint(Path(f"{stem}{suffix}"), heads).state_dict
            for suffix in (".pt", "_state_dict.pt", "_all.tar")
        ]
        assert all(torch.equal(states[0][name], state[name]) for state in states for name in states[0])
    first, second = (read_legacy_checkpoint(Path(f"{stem}_state_dict.pt"), heads).state_dict for stem in stems)
    assert not torch.equal(first["classifier.weight"], second["classifier.weight"])
