"""The examples that predict and push, run as a user runs them."""

from __future__ import annotations

import csv
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from hub_server import WRITE_TOKEN, client_environment, running_hub
from paths import ROOT
from preloaded import Preloaded
from sentences import sentences, write_seed_csv

from kobert_hf_emotion.modeling.classifier import EmotionClassifier

EXAMPLES = ROOT / "examples"


def example(name: str, environment: dict[str, str], **flags: object) -> subprocess.CompletedProcess[str]:
    arguments = [part for flag, value in flags.items() for part in (f"--{flag}", str(value))]
    return subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        check=False, capture_output=True, text=True, timeout=600, env=environment,
    )  # fmt: skip


@pytest.mark.slow
def test_predict_file(tiny_model_folder: Path, tmp_path: Path, preloaded: Preloaded) -> None:
    data = write_seed_csv(tmp_path / "test.csv", sentences(3), encoding="cp949")
    flags = ("--data_file", data, "--output", tmp_path / "p.csv", "--model", tiny_model_folder)
    done = preloaded.run(EXAMPLES / "predict_file.py", *flags)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "p.csv").open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 21
    expected = EmotionClassifier.from_pretrained(tiny_model_folder).predict([row["text"] for row in rows])
    assert [row["prediction"] for row in rows] == [prediction["label"] for prediction in expected]
    assert "21 rows" in done.stdout


@pytest.mark.slow
def test_push_to_hub(tiny_model_folder: Path, tmp_path: Path) -> None:
    with running_hub() as hub:
        environment = client_environment(hub, tmp_path, WRITE_TOKEN)
        done = example("push_to_hub.py", environment, run_dir=tiny_model_folder, repo_id="tester/a", private=True)
        assert done.returncode == 0, done.stderr
        [commit] = hub.commits("tester/a")
        [prediction] = EmotionClassifier.from_pretrained(tiny_model_folder).predict(["오늘 정말 행복했어"])
        url, found = done.stdout.splitlines()
        assert url == f"{hub.url}/tester/a/commit/{commit.oid}"
        assert found == f"{prediction['label']} {prediction['score']:.4f}"
        assert hub.repos["tester/a"].private


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("predict_file.py", {"data_file": "nowhere.csv", "output": "p.csv"}),
        ("push_to_hub.py", {"run_dir": "nowhere", "repo_id": "user/name"}),
    ],
)
def test_bad_input_is_a_message_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, flags: dict[str, str]
) -> None:
    monkeypatch.setattr(sys, "argv", [name, *(part for flag, value in flags.items() for part in (f"--{flag}", value))])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    assert stopped.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "nowhere" in captured.err
