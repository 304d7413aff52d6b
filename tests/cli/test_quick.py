"""`predict` answers texts without torch where ONNX Runtime is installed, and says what it says with torch."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from paths import ROOT
from preloaded import Preloaded
from sentences import sentences

pytest.importorskip("onnxruntime")

from kobert_hf_emotion import __version__
from kobert_hf_emotion.cli.quick import plain

TEXTS = [
    "오늘 정말 행복했어",
    "ㅋㅋㅋㅋ",
    "ㅠㅠ 너무 속상하다",
    "🎉🎉 축하해 😀",
    "\u1112\u1161\u1106\u1161\u1102\u1173\u11ab 너무 무서워",  # NFD
    "",
    "정말 화가 난다 " * 100,
    "今日はとても嬉しいです",
    "1,234원, 5,",
]
LINES: dict[str, list[str]] = {
    "texts": ["predict", "default", *TEXTS],
    "one text": ["predict", "default", TEXTS[0]],
    "JSON": ["--lang", "ko", "predict", "default", *TEXTS, "--json"],
    "English": ["predict", "--lang", "en", "default", *TEXTS],
    "a file's name as a text": ["predict", "default", "--text", "model.csv"],
    "nothing to read": ["predict", "default", "🎉", "ㅠ"],
    "a CSV": ["predict", "default", *TEXTS, "--output", "out.csv", "--batch-size", "2"],
    "windows": ["predict", "default", *TEXTS, "--long", "window", "--stride", "8", "--json"],
    "sentences": ["predict", "default", *TEXTS, "--long", "sentence", "--lang", "ko"],
    "a file": ["predict", "default", "few.csv", "--output", "out.csv"],
    "a file with labels": ["predict", "default", "labelled.csv", "--json"],
    "a file that is not there": ["predict", "default", "nowhere.csv"],
    "the model last": ["predict", "오늘 정말", "default"],
}
WITH_TORCH: dict[str, list[str]] = {
    "a special token": ["predict", "default", "[MASK] 오늘은 행복해", TEXTS[0]],
    "a special token in a file": ["predict", "default", "special.csv", "--output", "out.csv"],
    "a file in UTF-16": ["predict", "default", "wide.csv"],
    "no such model": ["predict", "defualt", TEXTS[0]],
}
"""Command lines for which torch is loaded either way."""
SCRIPT = """
import contextlib, io, json, pathlib, sys
if sys.argv[1] == "torch":
    sys.modules["onnxruntime"] = None
from kobert_hf_emotion.cli import main
for name, argv in json.loads(sys.argv[2]).items():
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(argv)
    file = pathlib.Path("out.csv")
    table = file.read_text("utf-8-sig") if file.exists() else None
    file.unlink(missing_ok=True)
    found = {"code": code, "out": out.getvalue(), "err": err.getvalue(), "table": table}
    found["heavy"] = sorted({name.partition(".")[0] for name in sys.modules} & {"torch", "transformers", "onnxruntime"})
    print(json.dumps([name, found]))
"""
NUMBER = re.compile(r"\d+\.\d+")


def write_csv(path: Path, rows: list[list[str]], header: str = "text", encoding: str = "utf-8") -> None:
    with path.open("w", encoding=encoding, newline="") as handle:
        csv.writer(handle).writerows([header.split(","), *rows])


def is_score(cell: str) -> bool:
    return re.fullmatch(r"[01]\.\d{6}", cell) is not None


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory, preloaded: Preloaded) -> dict[str, dict[str, dict[str, Any]]]:
    """What each line said, and what was loaded then: in a new process, and in one with torch, without ONNX Runtime."""
    folder = tmp_path_factory.mktemp("quick")
    write_csv(folder / "few.csv", [[text] for text in TEXTS])
    write_csv(folder / "labelled.csv", [[text, label] for text, label in sentences(2)], "text,label")
    write_csv(folder / "special.csv", [["[MASK] 오늘은 행복해"], ["슬퍼"]])
    write_csv(folder / "wide.csv", [[text] for text in TEXTS], encoding="utf-16")
    script = folder / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "HF_HUB_OFFLINE": "1", "LANG": "C"}
    environment.pop("LC_ALL", None)
    lines = json.dumps(LINES | WITH_TORCH)
    light = subprocess.run(
        [sys.executable, str(script), "light", lines],
        check=False, capture_output=True, encoding="utf-8", env=environment, cwd=folder, timeout=600,
    )  # fmt: skip
    with_torch = preloaded.run(script, "torch", lines, folder=folder, environment=environment)
    for done in (light, with_torch):
        assert done.returncode == 0, done.stderr
    return {
        way: dict(map(json.loads, done.stdout.splitlines())) for way, done in (("light", light), ("torch", with_torch))
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", [*LINES, *WITH_TORCH])
def test_both_ways_say_the_same(ways: dict[str, dict[str, dict[str, Any]]], name: str) -> None:
    ours, theirs = ways["light"][name], ways["torch"][name]
    assert ours["code"] == theirs["code"]
    for stream in ("out", "err"):
        assert NUMBER.sub("#", ours[stream]) == NUMBER.sub("#", theirs[stream])
        # Percents have two decimal places: one that is rounded lies up to 0.005 from the other before it is.
        figures = [list(map(float, NUMBER.findall(found[stream]))) for found in (ours, theirs)]
        assert figures[0] == pytest.approx(figures[1], abs=0.0101)
    if "predictions" in ours["out"]:
        both = [json.loads(found["out"])["predictions"] for found in (ours, theirs)]
        for our, their in zip(*both, strict=True):
            assert our["label"] == their["label"]
            assert our["score"] == pytest.approx(their["score"], abs=1e-4)
    assert (ours["table"] is None) == (theirs["table"] is None) == ("out.csv" not in (LINES | WITH_TORCH)[name])
    if ours["table"] is not None:
        tables = [list(csv.reader(io.StringIO(found["table"]))) for found in (ours, theirs)]
        assert tables[0][0] == tables[1][0]
        for our, their in zip(tables[0][1:], tables[1][1:], strict=True):
            for cell, other in zip(our, their, strict=True):
                same = float(cell) == pytest.approx(float(other), abs=1e-4) if is_score(cell) else cell == other
                assert same, (our, their)


@pytest.mark.slow
def test_the_light_way_loads_no_torch(ways: dict[str, dict[str, dict[str, Any]]]) -> None:
    assert [ways["light"][name]["heavy"] for name in LINES] == [["onnxruntime"]] * len(LINES)
    assert {"torch", "transformers"} <= set(ways["light"]["a special token"]["heavy"])
    assert {"torch", "transformers"} <= set(ways["torch"]["texts"]["heavy"])


@pytest.mark.slow
def test_the_answers_are_many(ways: dict[str, dict[str, dict[str, Any]]]) -> None:
    assert ways["light"]["texts"]["code"] == 0
    assert "[UNK]" in ways["light"]["texts"]["err"]
    assert "--long" in ways["light"]["texts"]["err"], "a text was cut"
    labels = {found["label"] for found in json.loads(ways["light"]["JSON"]["out"])["predictions"]}
    assert len(labels) > 2
    assert ways["light"]["a file that is not there"]["code"] == ways["light"]["the model last"]["code"] == 2


@pytest.mark.parametrize(
    ("argv", "words", "flags"),
    [
        ([], [], set()),
        (["--version"], [], {"--version"}),
        (["--lang", "ko", "--version"], [], {"--version"}),
        (["predict", "default", "글", "--json"], ["predict", "default", "글"], {"--json"}),
        (["predict", "--text", "default", "--lang", "en", "글"], ["predict", "default", "글"], {"--text"}),
        (["predict", "default", ""], ["predict", "default", ""], set()),
    ],
)
def test_plain_command_lines(argv: list[str], words: list[str], flags: set[str]) -> None:
    found = plain(argv)
    assert found is not None
    assert (found.words, found.flags) == (words, flags)


@pytest.mark.parametrize(
    "argv",
    [
        ["predict", "default", "-"],
        ["predict", "default", "--", "글"],
        ["predict", "default", "글", "--output", "a.csv"],
        ["predict", "default", "글", "--version"],
        ["predict", "default", "글", "--lang"],
        ["predict", "default", "글", "--lang", "fr"],
        ["predict", "default", "글", "--lang=ko"],
        ["--json", "predict", "default", "글"],
        ["--help"],
        ["predict", "--help"],
    ],
    ids=" ".join,
)
def test_command_lines_with_more_in_them_are_left_to_typer(argv: list[str]) -> None:
    assert plain(argv) is None


@pytest.mark.parametrize(
    ("argv", "code", "stream", "expected"),
    [
        ([], 2, "err", "kobert-emotion predict default"),
        (["--version"], 0, "out", f"kobert-emotion {__version__}\n"),
        (["--version", "--lang=ko"], 0, "out", f"kobert-emotion {__version__}\n"),
        (["--help"], 0, "out", "doctor"),
        (["predict", "--help"], 0, "out", "--batch-size"),
        (["predcit", "default", "글"], 2, "err", "predict"),
    ],
    ids=str,
)
def test_the_command_line_itself_loads_no_library(
    tmp_path: Path, argv: list[str], code: int, stream: str, expected: str
) -> None:
    heavy = "numpy", "torch", "transformers", "onnxruntime", "pandas", "datasets"
    script = SCRIPT.replace('{"torch", "transformers", "onnxruntime"}', f"set({heavy})")
    done = subprocess.run(
        [sys.executable, "-c", script, "light", json.dumps({"it": argv})],
        check=True, capture_output=True, encoding="utf-8", cwd=tmp_path, timeout=600,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
    )  # fmt: skip
    [[_, found]] = map(json.loads, done.stdout.splitlines())
    assert found["code"] == code
    assert expected in found[stream]
    assert found["heavy"] == []
