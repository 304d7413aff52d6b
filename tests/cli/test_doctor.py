"""`kobert-emotion doctor` as a user types it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from planted import PLAIN, TEST_NEW, rows_to_test, train_rows, write_csv

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.modeling.classifier import EmotionClassifier

CLEAN = [(text, label) for label, texts in PLAIN.items() for text in texts]
CHECKS = {
    "encoding", "nfd_texts", "empty_texts", "lone_dots", "empty_labels", "label_columns_differ", "exact_duplicates",
    "folded_duplicates", "near_duplicates", "conflicting_labels", "classes_below_folds", "imbalance_ratio",
    "tokenizer_mismatch", "unk_share", "truncated_share", "device", "memory_estimate_mb", "time_estimate_seconds",
}  # fmt: skip
OVERLAPS = {"train_test_overlap", "train_test_overlap_folded", "train_test_overlap_near"}


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def run(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, str, str]:
    code = main(["doctor", *(str(argument) for argument in argv)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "clean.csv", CLEAN, "utf-8")


def test_json_counts_what_was_planted(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_model_folder: Path
) -> None:
    train = write_csv(tmp_path / "train.csv", train_rows(), "cp949")
    test = write_csv(tmp_path / "test.csv", rows_to_test(), "utf-8")
    code, out, err = run(capsys, train, test, "--model", tiny_model_folder, "--json")
    assert code == 1, err
    found: dict[str, Any] = json.loads(out)  # one object and nothing else
    assert set(found) >= CHECKS | OVERLAPS | {"status", "problems", "rows", "test_rows", "test", "findings"}
    planted = {
        "encoding": "cp949", "nfd_texts": 0, "empty_texts": 2, "lone_dots": 1, "empty_labels": 1,
        "exact_duplicates": 4, "folded_duplicates": 2, "near_duplicates": 2, "conflicting_labels": 1,
        "train_test_overlap": 2, "train_test_overlap_folded": 1, "train_test_overlap_near": 2,
        "classes_below_folds": 0, "tokenizer_mismatch": 0, "rows": 26, "test_rows": 9, "status": "problem",
    }  # fmt: skip
    assert {check: found[check] for check in planted} == planted
    assert (found["test"]["encoding"], found["test"]["nfd_texts"]) == ("utf-8", 2)
    assert set(found["problems"]) >= {"train_test_overlap", "conflicting_labels"}
    for finding in found["findings"]:
        assert set(finding) == {"check", "split", "status", "value", "found", "advice", "examples", "details"}
        assert set(finding["found"]) == {"ko", "en"}
        assert finding["status"] in ("ok", "notice", "problem")
        assert (finding["advice"] is None) == (finding["status"] == "ok")


def test_clean_files_end_with_zero(
    capsys: pytest.CaptureFixture[str], clean: Path, tmp_path: Path, tiny_model_folder: Path
) -> None:
    test = write_csv(tmp_path / "test.csv", TEST_NEW, "utf-8")
    code, out, err = run(capsys, clean, test, "--model", tiny_model_folder, "--folds", 3, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["problems"] == []
    assert all(found[check] == 0 for check in OVERLAPS | {"exact_duplicates", "near_duplicates", "conflicting_labels"})
    assert found["memory_estimate_mb"] > 0
    assert found["time_estimate_seconds"] > 0


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "ko",
            ["문제  엇갈린 레이블", "참고  같은 글", "예: 26행 '윗집은 밤마다", "할 일: ", "결과를 믿을 수 없습니다"],
        ),
        (
            "en",
            [
                "problem  conflicting labels",
                "notice   equal texts",
                "e.g.: row 26 '윗집은",
                "do: ",
                "cannot be trusted",
            ],
        ),
    ],
)
def test_terminal_output(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_model_folder: Path, language: str, words: list[str]
) -> None:
    train = write_csv(tmp_path / "train.csv", train_rows(), "cp949")
    code, out, err = run(capsys, train, "--model", tiny_model_folder, "--lang", language)
    assert code == 1, err
    assert [word for word in words if word not in out] == []
    if language == "en":  # nothing Korean but the file's own texts and labels
        titles = [line[:40] for line in out.splitlines() if line.startswith(("ok", "notice", "problem"))]
        assert titles
        assert all(title.isascii() for title in titles)


def test_korean_is_the_default(capsys: pytest.CaptureFixture[str], clean: Path, tiny_model_folder: Path) -> None:
    code, out, _ = run(capsys, clean, "--model", tiny_model_folder)
    assert code == 0
    assert "문제 없음" in out


def test_a_class_smaller_than_the_folds(
    capsys: pytest.CaptureFixture[str], clean: Path, tiny_model_folder: Path
) -> None:
    code, out, _ = run(capsys, clean, "--model", tiny_model_folder, "--folds", 7, "--json")
    assert code == 1
    found = json.loads(out)
    assert found["problems"] == ["classes_below_folds"]
    assert found["classes_below_folds"] == 3


def test_a_tokenizer_of_another_model_is_a_finding_and_no_traceback(
    capsys: pytest.CaptureFixture[str], clean: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model_folder, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["tokenizer_sha256"] = "0" * 64
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    code, out, err = run(capsys, clean, "--model", folder, "--json")
    assert code == 1, err
    found = json.loads(out)
    assert found["tokenizer_mismatch"] == 1
    assert "tokenizer_mismatch" in found["problems"]
    assert "time_estimate_seconds" not in found  # such a model cannot be run
    assert "Traceback" not in err


def test_a_test_file_without_labels(
    capsys: pytest.CaptureFixture[str], clean: Path, tmp_path: Path, tiny_model_folder: Path
) -> None:
    test = tmp_path / "test.csv"
    test.write_text("Text\n" + "\n".join(text for text, _ in TEST_NEW) + "\n", encoding="utf-8")
    code, out, err = run(capsys, clean, test, "--model", tiny_model_folder, "--json")
    assert code == 0, err
    assert "conflicting_labels" not in json.loads(out)["test"]


def test_other_labels_groups_and_pairs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_model_folder: Path
) -> None:
    path = tmp_path / "train.csv"
    lines = [
        f"{text},{TEST_NEW[i % 4][0]},{'좋음' if i % 2 else '나쁨'},화자{i % 3}" for i, (text, _) in enumerate(CLEAN)
    ]
    path.write_text("글,답,평가,화자\n" + "\n".join(lines) + "\n", encoding="utf-8")
    code, out, err = run(
        capsys, path, "--model", tiny_model_folder, "--labels", "auto", "--text-column", "글", "--label-column", "평가",
        "--text-pair-column", "답", "--group-column", "화자", "--folds", 3, "--json",
    )  # fmt: skip
    assert code == 0, err
    assert json.loads(out)["classes_below_folds"] == 0


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["missing.csv"], "missing.csv"),
        (["clean.csv", "missing.csv"], "missing.csv"),
        (["clean.csv", "--text-column", "Nope"], "Nope"),
        (["clean.csv", "--model", "nowhere"], "nowhere"),
        (["clean.csv", "--folds", "1"], "--folds"),
        (["clean.csv", "--lang", "fr"], "--lang"),
        ([], "train_file"),
    ],
)
def test_bad_usage_and_unreadable_files_end_with_two(
    capsys: pytest.CaptureFixture[str], clean: Path, monkeypatch: pytest.MonkeyPatch, argv: list[str], message: str
) -> None:
    monkeypatch.chdir(clean.parent)
    code, out, err = run(capsys, *argv)
    assert code == 2
    assert message in err
    assert out == ""
    assert "Traceback" not in err


def test_the_model_and_the_file_are_left_as_they_are(
    capsys: pytest.CaptureFixture[str], clean: Path, tiny_model_folder: Path
) -> None:
    files = {path: path.read_bytes() for path in [clean, *tiny_model_folder.iterdir()]}
    before = EmotionClassifier.from_pretrained(tiny_model_folder).predict(["안녕"])
    assert run(capsys, clean, "--model", tiny_model_folder, "--json")[0] == 0
    assert {path: path.read_bytes() for path in files} == files
    assert EmotionClassifier.from_pretrained(tiny_model_folder).predict(["안녕"]) == before


def test_help_opens_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert "예시: kobert-emotion doctor train.csv test.csv" in out.split("Options")[0]
