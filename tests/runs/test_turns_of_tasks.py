"""Turns before a line and long texts where labels have two levels or are votes, through the commands."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.inference.classifier import load_classifier
from kobert_hf_emotion.tasks import TwoLevels

FINE = {"감사하는": "기쁨", "안도": "기쁨", "억울한": "분노"}
OPTIONS = ["--context", "2", "--group-column", "talk", "--order-column", "turn"]
DIARY = "아침에는 비가 왔다. 버스를 놓쳐서 짜증이 났다! 그래도 점심은 맛있었다. " * 8


def talk(head: str, cells: dict[str, str]) -> str:
    """Conversations whose second line has no label and whose third says the same in all, the later lines first."""
    lines = [f"talk,turn,Text,{head}\n"]
    empty = "," * head.count(",")
    for number in range(18):
        name = list(cells)[number % len(cells)]
        lines.append(f"d{number},3,그래.,{cells[name]}\n")
        lines += [f"d{number},2,네 {number}.,{empty}\n", f"d{number},1,{name} {number},{cells[name]}\n"]
    return "".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "cells", "options", "columns"),
    [
        (
            "감정_대분류,감정_소분류",
            {name: f"{coarse},{name}" for name, coarse in FINE.items()},
            ["--label-column", "감정_대분류", "--fine-label-column", "감정_소분류"],
            {"coarse_label", "coarse_prediction"},
        ),
        (
            "happy,sad,angry",
            {"좋다": "3,1,0", "울다": "0,4,0", "밉다": "1,0,3"},
            ["--task", "soft", "--labels", "happy,sad,angry"],
            {"vote_happy"},
        ),
    ],
)
def test_from_the_file_to_the_prediction(
    head: str, cells: dict[str, str], options: list[str], columns: set[str], tiny_model_folder: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("talk.csv").write_text(talk(head, cells), encoding="utf-8")
    settings = ["--model", str(tiny_model_folder), "--folds", "2", "--epochs", "1", "--max-length", "24"]
    assert main(["train", "talk.csv", *options, *OPTIONS, *settings, "--output", "run"]) == 0
    model = load_classifier("run/fold_1")
    assert model.context_turns == 2
    assert isinstance(model.task, TwoLevels) == ("감정_대분류" in head)
    with Path("run/oof_predictions.csv").open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 36  # those without a label are turns, and no rows to learn
    assert columns - {"coarse_label"} <= set(rows[0])
    last = next(row for row in rows if row["conversation"] == "d4" and row["text"] == "그래.")
    assert last["text_pair"] == f"{list(cells)[4 % len(cells)]} 4 네 4."
    folds = {row["conversation"]: row["fold"] for row in rows}
    assert all(folds[row["conversation"]] == row["fold"] for row in rows)
    capsys.readouterr()

    rules = [word for word in options if word not in ("--task", "soft", "--labels", "happy,sad,angry")]
    where = ["--group-column", "talk", "--order-column", "turn"]
    assert main(["predict", "run/fold_1", "talk.csv", *rules, *where, "--output", "p.csv", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert main(["test", "run/fold_1", "talk.csv", *rules, *where, "--json"]) == 0
    tested = json.loads(capsys.readouterr().out)
    assert tested["checkpoints"][0]["macro_f1"] == pytest.approx(found["scores"]["macro_f1"])
    with Path("p.csv").open(encoding="utf-8-sig", newline="") as handle:
        predicted = list(csv.DictReader(handle))
    assert len(predicted) == 54
    assert columns <= set(predicted[0])

    command = ["predict", "run/fold_1", DIARY, "좋아", "--long", "window", "--stride", "4"]
    assert main([*command, "--json", "--output", "long.csv"]) == 0
    [long, _] = json.loads(capsys.readouterr().out)["predictions"]
    parts = np.array([list(part["probabilities"].values()) for part in long["parts"]])
    np.testing.assert_allclose(list(long["probabilities"].values()), parts.mean(axis=0), atol=0.02)
    assert main(command) == 0
    assert "[0:" in capsys.readouterr().out
    if "감정_대분류" in head:
        above = np.array([list(part["coarse"]["probabilities"].values()) for part in long["parts"]])
        np.testing.assert_allclose(list(long["coarse"]["probabilities"].values()), above.mean(axis=0), atol=0.02)
        with Path("long.csv").open(encoding="utf-8-sig", newline="") as handle:
            [row, _] = list(csv.DictReader(handle))
        assert set(json.loads(row["parts"])[0]["coarse"]) == {"label", "score"}
