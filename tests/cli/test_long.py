"""`--long`: texts longer than a model reads, from the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.inference.classifier import load_classifier
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.tokenization.long_texts import LongTexts

DIARY = "아침에는 비가 왔다. 버스를 놓쳐서 짜증이 났다! 그래도 점심은 맛있었다. " * 5


@pytest.fixture(scope="module")
def model(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    short = EmotionClassifier.from_pretrained(tiny_model_folder)
    short.tokenizer.model_max_length = 24
    folder = tmp_path_factory.mktemp("short") / "model"
    short.save_pretrained(folder)
    return folder


def test_texts(model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    command = ["predict", str(model), DIARY, "좋아", "--long", "window", "--stride", "8"]
    assert main([*command, "--json", "--output", str(tmp_path / "p.csv")]) == 0
    printed = capsys.readouterr()
    [found, short] = json.loads(printed.out)["predictions"]
    [expected, _] = load_classifier(model).predict([DIARY, "좋아"], long=LongTexts(stride=8))
    assert found["score"] == pytest.approx(expected["score"], abs=1e-4)
    assert [part["start"] for part in found["parts"]] == [part["start"] for part in expected["parts"]]  # type: ignore[typeddict-item]
    assert [(part["start"], part["end"]) for part in short["parts"]] == [(0, 2)]
    assert f"1 longer than 24 tokens were answered in {len(found['parts'])} windows" in printed.err
    with (tmp_path / "p.csv").open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(json.loads(rows[0]["parts"])) == len(found["parts"])
    assert main(command) == 0
    assert "[0:" in capsys.readouterr().out


def test_a_file_and_a_test(model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "diary.csv"
    path.write_text(f"Text,Emotion\n{DIARY},happy\n좋아,happy\n싫어,angry\n", encoding="utf-8")
    command = ["predict", str(model), str(path), "--long", "sentence", "--stride", "8", "--pool", "max"]
    assert main([*command, "--json", "--output", str(tmp_path / "p.csv")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["long"] == {
        "mode": "sentence",
        "stride": 8,
        "pool": "max",
        "limit": 24,
        "texts": 3,
        "long": 1,
        "parts": 15,
    }
    assert main(["test", str(model), str(path), "--long", "sentence", "--stride", "8", "--pool", "max", "--json"]) == 0
    tested = capsys.readouterr()
    assert json.loads(tested.out)["checkpoints"][0]["accuracy"] == found["scores"]["accuracy"]
    assert "in 15 sentences" in tested.err


def test_what_is_cut_is_said(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(model), DIARY, "좋아"]) == 0
    assert "1 of 2 text(s) are longer than the model reads and were cut; --long window" in capsys.readouterr().err


def test_options_that_go_together(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(model), "좋아", "--pool", "max"]) == 2
    assert "--long window" in capsys.readouterr().err
    assert main(["predict", str(model), "좋아", "--long", "window"]) == 2  # 32 tokens of 22
    assert "--stride 11" in capsys.readouterr().err
