"""What a new process loads before its first answer, and what it leaves alone: facts that its start-up time rests on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import kobert_hf_emotion

ROOT = Path(kobert_hf_emotion.__file__).parents[1]
FOR_TRAINING_AND_FILES = {
    "datasets",
    "evaluate",
    "matplotlib",
    "onnxruntime",
    "openpyxl",
    "pandas",
    "pyarrow",
    "sklearn",
}
PREDICTION = "EmotionClassifier.from_pretrained('default').predict(['오늘 행복'])"

COMMAND = "from kobert_hf_emotion.cli import main\nassert main(['predict', 'default', '오늘 행복']) == 0"


def last_line(code: str) -> object:
    """Runs `code` in a new process and returns the JSON value on the last line it prints."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8", env=environment, timeout=600
    )
    return json.loads(done.stdout.splitlines()[-1])


def loaded(code: str) -> set[str]:
    """Returns the top-level modules that are loaded when `code` has run in a new process."""
    there = "[name for name, module in sys.modules.items() if module is not None]"
    modules = last_line(f"{code}\nimport json, sys\nprint(json.dumps({there}))")
    assert isinstance(modules, list)
    return {name.partition(".")[0] for name in modules}


def test_importing_the_package_loads_no_library() -> None:
    assert not loaded("import kobert_hf_emotion") & {"numpy", "torch", "transformers", *FOR_TRAINING_AND_FILES}


@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    [
        f"from kobert_hf_emotion import EmotionClassifier\n{PREDICTION}",
        f"import sys\nsys.modules['onnxruntime'] = None\n{COMMAND}",
    ],
    ids=["library", "command without ONNX Runtime"],
)
def test_a_prediction_loads_nothing_that_only_training_and_files_need(code: str) -> None:
    modules = loaded(code)
    assert "transformers" in modules
    assert not modules & FOR_TRAINING_AND_FILES


def test_with_onnxruntime_the_command_needs_neither_torch_nor_what_comes_with_it() -> None:
    pytest.importorskip("onnxruntime")
    modules = loaded(COMMAND)
    assert "onnxruntime" in modules
    not_needed = {"torch", "transformers", "tokenizers", "huggingface_hub", "scipy", "typer", "pydantic", "rich"}
    assert not modules & (not_needed | FOR_TRAINING_AND_FILES - {"onnxruntime"})


@pytest.mark.slow
def test_no_collection_interrupts_the_import() -> None:
    counts = "[generation['collections'] for generation in gc.get_stats()]"
    code = (
        f"import gc, json, kobert_hf_emotion\nbefore = {counts}\nkobert_hf_emotion.EmotionClassifier\nafter = {counts}"
    )
    before_and_after = last_line(f"{code}\nprint(json.dumps([before, after, gc.isenabled()]))")
    assert isinstance(before_and_after, list)
    before, after, enabled = before_and_after
    assert after == before
    assert enabled
