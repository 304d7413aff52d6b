"""`kobert-emotion explain`, typed."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.modeling.classifier import EmotionClassifier

TEXT = "밤길에 누가 따라와서 <무서웠어>"


def test_words_and_contributions_are_printed(tiny_model_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(tiny_model_folder), TEXT]) == 0
    [expected] = EmotionClassifier.from_pretrained(tiny_model_folder).explain([TEXT])
    out = capsys.readouterr().out
    assert out.splitlines()[0] == f"{expected.label} {100 * expected.score:.2f}%"
    assert out.splitlines()[1].split() == [
        part for word in expected.words for part in (word.text, f"{word.contributions[expected.label]:+.2f}")
    ]
    assert "\x1b" not in out  # no terminal, no colours


def test_json_and_page(tiny_model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "설명.html"
    command = ["explain", str(tiny_model_folder), TEXT, "--method", "integrated_gradients", "--label", "fear"]
    assert main([*command, "--output", str(page), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    [found] = printed["explanations"]
    assert sum(found["probabilities"].values()) == pytest.approx(1)
    assert printed["units"]["probabilities"] == printed["units"]["score"] == "0 to 1"
    assert [word["text"] for word in found["words"]] == TEXT.split()
    assert found["deltas"].keys() == found["words"][0]["contributions"].keys() == {"fear"}
    assert "&lt;무서웠어&gt;" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--label", "joy"], "--label happy"),
        (["--label", "행복"], "--label happy"),
        (["--label", "happyy"], "--label happy"),
        (["--label", "zzz"], "--label fear"),
        (["--output", "a.csv"], "--output a.html"),
        (["--output", "."], "--output explanation.html"),
    ],
)
def test_the_way_out_is_the_command_mended(
    tiny_model_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["explain", str(tiny_model_folder), TEXT, *arguments]) == 2
    last = capsys.readouterr().err.rstrip().splitlines()[-1]
    assert last.startswith("  $ kobert-emotion explain")
    assert says in last
    assert not list(tmp_path.iterdir())


def test_a_file_is_no_text(tiny_model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "a.csv"
    table.write_text("text\n나\n", encoding="utf-8")
    assert main(["explain", str(tiny_model_folder), str(table)]) == 2
    last = capsys.readouterr().err.rstrip().splitlines()[-1]
    assert main(shlex.split(last.removeprefix("  $ kobert-emotion "))) == 0


def test_a_text_in_place_of_the_model_ends_in_the_command_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", TEXT, "오늘 정말 행복했어"]) == 2
    last = shlex.split(capsys.readouterr().err.rstrip().splitlines()[-1])
    assert last == ["$", "kobert-emotion", "explain", "default", TEXT, "오늘 정말 행복했어"]
