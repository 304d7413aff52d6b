"""The notebooks in the examples: their cells executed one after the other, and the outputs that they carry."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from paths import ROOT
from preloaded import Preloaded
from sentences import sentences, write_seed_csv

from kobert_hf_emotion.assets import DEFAULT_MODEL
from kobert_hf_emotion.legacy import read_legacy_checkpoint

NAMES = sorted(path.name for path in (ROOT / "examples").glob("*.ipynb"))


def notebook(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "examples" / name).read_text(encoding="utf-8"))
    return found


def code_cells(name: str) -> list[dict[str, Any]]:
    return [cell for cell in notebook(name)["cells"] if cell["cell_type"] == "code"]


def execute(preloaded: Preloaded, name: str, folder: Path, **shorter: str) -> str:
    """Runs the cells in one process, whose __main__ holds the globals: the notebook's functions look there."""
    code = "\n\n".join("".join(cell["source"]) for cell in code_cells(name))
    for old, new in shorter.items():
        assert old in code
        code = code.replace(old, new)
    (folder / "cells.py").write_text(code, encoding="utf-8")
    environment = {"MPLBACKEND": "agg", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}
    done = preloaded.run("cells.py", folder=folder, environment=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_notebook_and_carries_what_its_cells_gave(name: str) -> None:
    """`make notebooks` executes them anew."""
    content = notebook(name)
    nbformat.validate(nbformat.from_dict(content))
    cells = code_cells(name)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error"]
    pictures = [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    assert pictures
    for picture in pictures:
        data = base64.b64decode(picture if isinstance(picture, str) else "".join(picture))
        assert data.startswith(b"\x89PNG")
        assert len(data) > 5000
    assert not re.search(r"/(home|root|work|tmp|Users|usr)/", json.dumps(outputs))


def test_colab_needs_nothing_but_the_package_from_the_index() -> None:
    content = notebook("colab.ipynb")
    assert content["metadata"]["kernelspec"]["name"] == "python3"
    first = "".join(code_cells("colab.ipynb")[0]["source"])
    assert re.search(r'"pip", "install", "--quiet", "kobert-hf-emotion"', first)
    code = "".join("".join(cell["source"]) for cell in code_cells("colab.ipynb"))
    assert "examples/" not in code
    assert not re.search(r"^\s*[!%]", code, re.MULTILINE)


@pytest.mark.slow
def test_every_cell_of_the_old_notebook_runs(tmp_path: Path, preloaded: Preloaded) -> None:
    """On a few rows and small batches, of which an epoch has two as before: the code is the notebook's."""
    shorter = {"rows_per_label = 24": "rows_per_label = 6", "\nbatch_size = 64": "\nbatch_size = 16"}
    stdout = execute(preloaded, "from_notebook.ipynb", tmp_path, **shorter)
    assert "macro avg" in stdout
    run = tmp_path / "notebook_run"
    assert (run / "accuracy.png").stat().st_size > 5000
    stems = [run / f"Focal_KoBERT_e2_b16_fold_{fold}" for fold in (1, 2)]
    assert sum(f"{stem.relative_to(tmp_path)}_state_dict.pt" in stdout for stem in stems) == 1  # the best one
    heads = json.loads((DEFAULT_MODEL / "config.json").read_text(encoding="utf-8"))["num_attention_heads"]
    for stem in stems:
        states = [
            read_legacy_checkpoint(Path(f"{stem}{suffix}"), heads).state_dict
            for suffix in (".pt", "_state_dict.pt", "_all.tar")
        ]
        assert all(torch.equal(states[0][name], state[name]) for state in states for name in states[0])
    first, second = (read_legacy_checkpoint(Path(f"{stem}_state_dict.pt"), heads).state_dict for stem in stems)
    assert not torch.equal(first["classifier.weight"], second["classifier.weight"])


@pytest.mark.slow
def test_every_cell_of_colab_runs(tmp_path: Path, tiny_model_folder: Path, preloaded: Preloaded) -> None:
    """On a few rows: the code is the notebook's but for the model and the files."""
    write_seed_csv(tmp_path / "train.csv", sentences(6))
    write_seed_csv(tmp_path / "test.csv", sentences(2, seed=1))
    shorter = {
        '"default", 5, 1e-3': f"{str(tiny_model_folder)!r}, 1, 1e-3",
        "TRAIN, TEST = SAMPLE_TRAIN, SAMPLE_TEST": 'TRAIN, TEST = "train.csv", "test.csv"',
    }
    stdout = execute(preloaded, "colab.ipynb", tmp_path, **shorter)
    assert "CPU" in stdout
    assert "macro F1" in stdout
    assert (tmp_path / "emotion_model.zip").is_file()
