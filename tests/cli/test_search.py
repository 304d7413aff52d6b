"""`kobert-emotion search`: from the file to the command that trains with what was found."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from sentences import sentences, write_seed_csv

from kobert_hf_emotion.cli import main

SPACE = "learning-rate: {low: 1e-4, high: 1e-2, log: true}\nepochs: 1\nbatch_size: [8, 16]\nmax_length: 24\n"
TALK = [("happy", "합격했어"), ("sad", "눈물이 나")]


@pytest.mark.slow
def test_the_command_that_it_ends_in_can_be_typed(
    tiny_model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    file = write_seed_csv(tmp_path / "train.csv", sentences(8))
    Path("space.yaml").write_text(SPACE, encoding="utf-8")
    argv = ["search", file.name, "--model", str(tiny_model_folder), "--trials", "3", "--folds", "2"]
    assert main([*argv, "--space", "space.yaml", "--no-group-duplicates", "--output", "s", "--lang", "en"]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    result = json.loads(Path("s/result.json").read_text(encoding="utf-8"))
    assert lines[0] == "3 trials: complete 3"
    assert f"{result['optimism']['chosen']:.4f}" in out
    assert f"corrected {result['optimism']['corrected']:.4f}" in out
    assert sum("best so far" in message for message in caplog.messages) == 3
    assert {"search.json", "train.sh"} <= {path.name for path in Path("s").iterdir()}, "what it is told by"
    words = shlex.split(lines[-1])
    assert words[:2] == ["kobert-emotion", "train"]
    assert {"--no-group-duplicates", "--lang"} < set(words)
    assert "--trials" not in words
    assert main([*words[1:], "--folds", "2", "--output", "run"]) == 0
    arguments = json.loads(Path("run/run.json").read_text(encoding="utf-8"))["training_arguments"]
    assert arguments["learning_rate"] == result["arguments"]["learning_rate"]
    assert arguments["seed"] == result["arguments"]["seed"]
    capsys.readouterr()


@pytest.mark.parametrize(
    ("words", "said", "mended"),
    [
        ("--space spaec.yaml", "space.yaml", "--space space.yaml"),
        ("--space bad.yaml", "learning_rat", ""),
        ("--held-out 0.9", "--held-out", None),
        ("--folds 40", "--folds", "--folds 4"),
        ("--held-out 0.05", "--held-out", "--held-out 0.2"),
    ],
)
def test_mistakes_end_in_a_line_that_can_be_typed(
    words: str, said: str, mended: str | None, tiny_model_folder: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    write_seed_csv(tmp_path / "train.csv", sentences(5))
    Path("space.yaml").write_text(SPACE, encoding="utf-8")
    Path("bad.yaml").write_text("learning_rat: [1, 2]\n", encoding="utf-8")
    argv = ["search", "train.csv", "--model", str(tiny_model_folder), "--output", "s", *words.split()]
    assert main(argv) == 2
    err = capsys.readouterr().err
    assert said in err
    assert not Path("s").exists()
    if mended is not None:
        assert "$ kobert-emotion search train.csv" in err
        assert mended in err.splitlines()[-1]


@pytest.mark.slow
def test_lines_go_with_their_turns(
    tiny_model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = "".join(
        f"d{n},{said} {n},{emotion}\nd{n},네.,{emotion}\n" for n in range(12) for emotion, said in [TALK[n % 2]]
    )
    Path("talk.csv").write_text("talk,Text,Emotion\n" + lines, encoding="utf-8")
    Path("space.yaml").write_text(SPACE, encoding="utf-8")
    argv = ["search", "talk.csv", "--labels", "auto", "--context", "2", "--group-column", "talk", "--output", "s"]
    argv += ["--no-group-duplicates", "--model", str(tiny_model_folder), "--trials", "2", "--folds", "2"]
    assert main([*argv, "--space", "space.yaml", "--held-out", "0.34", "--lang", "en"]) == 0
    words = shlex.split(capsys.readouterr().out.splitlines()[-1])
    assert words[words.index("--context") + 1] == "2"
    assert json.loads(Path("s/search.json").read_text(encoding="utf-8"))["context"] == 2


@pytest.mark.parametrize(
    "command",
    [
        "predict s 글",
        "test s train.csv",
        "continue s train.csv --output new",
        "train train.csv --model s --output new",
        "compare s s",
        "review s --output review.csv",
        "push s user/name",
    ],
)
def test_the_folder_of_a_search_leads_to_its_training(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_seed_csv(tmp_path / "train.csv", sentences(2))
    Path("s").mkdir()
    Path("s/search.json").write_text("{}", encoding="utf-8")
    assert main(shlex.split(command)) == 2
    assert "search that is not finished" in capsys.readouterr().err
    Path("s/train.sh").write_text("#!/bin/sh\necho trained\n", encoding="utf-8")
    assert main(shlex.split(command)) == 2
    *said, last = capsys.readouterr().err.rstrip().splitlines()
    assert any("is the folder of a search" in line for line in said)
    words = shlex.split(last.removeprefix("  $ "))
    assert subprocess.run(words, capture_output=True, check=True).stdout == b"trained\n"
    assert not Path("new").exists()
