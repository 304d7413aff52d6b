"""What the page in the browser makes of logits is what Python does."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kobert_hf_emotion.assets import BROWSER
from kobert_hf_emotion.metrics.label_calibration import LabelScales
from kobert_hf_emotion.tasks.multi_label import MultiLabel
from kobert_hf_emotion.tasks.single_label import SingleLabel

LABELS = ["기쁨", "놀람", "슬픔"]
LOGITS = np.random.default_rng(3).normal(0, 3, (60, 3)).astype(np.float32)
SCALES = LabelScales((0.5, 2.0, 1.0), (-0.5, 1.0, 0.0))
SCRIPT = """
import { prediction } from %s;
const [logits, settings] = JSON.parse(process.argv[1]);
console.log(JSON.stringify(logits.map((row) => prediction(row, settings))));
"""


def in_javascript(settings: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    module = Path(shutil.copy(BROWSER / "answers.js", folder / "answers.mjs"))
    script = SCRIPT % json.dumps(module.as_uri())
    given = json.dumps([LOGITS.tolist(), settings | {"labels": LABELS}])
    command = [node, "--input-type=module", "--eval", script, given]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize("allow_empty", [False, True])
def test_several_labels_have_their_scales_and_thresholds(allow_empty: bool, tmp_path: Path) -> None:
    thresholds = (0.6, 0.3, 0.8)
    settings = {"thresholds": thresholds, "scales": SCALES.pairs, "allowEmpty": allow_empty, "temperature": 1}
    expected = MultiLabel(thresholds, None, allow_empty).predictions(SCALES.apply(LOGITS), LABELS)
    found = in_javascript(settings, tmp_path)
    assert [line["labels"] for line in found] == [line["labels"] for line in expected]
    assert [line["label"] for line in found] == [line["label"] for line in expected]
    assert any(not line["labels"] for line in found) == allow_empty
    for ours, theirs in zip(found, expected, strict=True):
        assert ours["score"] == pytest.approx(theirs["score"], abs=1e-6)
        assert ours["probabilities"] == pytest.approx(theirs["probabilities"], abs=0.011)


def test_one_label_has_the_temperature(tmp_path: Path) -> None:
    expected = SingleLabel().predictions(LOGITS / np.float32(1.7), LABELS)
    found = in_javascript({"temperature": 1.7}, tmp_path)
    for ours, theirs in zip(found, expected, strict=True):
        assert "labels" not in ours
        assert ours["label"] == theirs["label"]
        assert ours["probabilities"] == pytest.approx(theirs["probabilities"], abs=0.011)
