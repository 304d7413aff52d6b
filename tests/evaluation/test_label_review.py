"""The review of disputed labels: wrong ones on top, and answers read back from what people save."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from oof import write_finished_run
from scipy.special import softmax

from kobert_hf_emotion import load_emotion_dataset
from kobert_hf_emotion.cli import main
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.runs.disputed import disputed_labels
from kobert_hf_emotion.runs.finished import FinishedRun, read_run

ROWS, WRONG = 350, 20
TEXTS = [f"=오늘 {index}번째 문장이에요" if index % 7 == 0 else f"{index}번째 문장\x0b이에요" for index in range(ROWS)]


def planted() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits of a model that is mostly right, labels of which some are wrong, and the rows where they are."""
    random = np.random.default_rng(4)
    real = np.arange(ROWS) % 7
    logits = random.normal(size=(ROWS, 7))
    logits[np.arange(ROWS), real] += 4
    wrong = random.choice(ROWS, WRONG, replace=False)
    labels = real.copy()
    labels[wrong] = (real[wrong] + random.integers(1, 7, WRONG)) % 7
    return logits, labels, wrong


@pytest.fixture
def run(tmp_path: Path) -> FinishedRun:
    logits, labels, _ = planted()
    return read_run(write_finished_run(tmp_path / "run", logits, labels, EMOTION_LABELS, TEXTS))


def test_planted_wrong_labels_come_first(run: FinishedRun) -> None:
    _, _, wrong = planted()
    table = disputed_labels(run, top=WRONG)
    found = set(table["row"] - 1)
    assert len(found & set(wrong)) >= 18
    assert (table["suspect"] == "yes").sum() >= 12  # confident learning leaves out what could be the model's fault
    assert set(table["row"][:10] - 1) <= set(wrong)


def test_scores_are_those_of_their_formulas(run: FinishedRun) -> None:
    logits, labels, _ = planted()
    probabilities = softmax(logits, axis=1)
    table = disputed_labels(run, top=ROWS)
    assert len(table) == (logits.argmax(1) != labels).sum()
    for row in table.to_dict("records"):
        index = row["row"] - 1
        own = probabilities[index, labels[index]]
        others = max(p for label, p in enumerate(probabilities[index]) if label != labels[index])
        assert row["self_confidence"] == pytest.approx(own, abs=2e-4)
        assert row["margin"] == pytest.approx((own - others + 1) / 2, abs=2e-4)
        assert row["confidence"] == pytest.approx(others, abs=2e-4)
        assert row["label"] == EMOTION_LABELS[labels[index]]
        assert row["predicted"] == EMOTION_LABELS[logits[index].argmax()]
    for is_suspect in ("yes", ""):
        margins = table["margin"][table["suspect"] == is_suspect]
        assert margins.is_monotonic_increasing


def review(run: FinishedRun, path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, object]:
    assert main(["review", str(run.path), "--output", str(path), "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def fill(path: Path, answers: list[str]) -> list[int]:
    """Writes answers into the first rows of a review as a person would in Excel; returns the rows' numbers."""
    book = openpyxl.load_workbook(path)
    sheet = book["review"]
    head = [cell.value for cell in sheet[1]]
    for number, answer in enumerate(answers, start=2):
        sheet.cell(number, head.index("new_label") + 1).value = answer
    rows = [sheet.cell(number, head.index("row") + 1).value for number in range(2, len(answers) + 2)]
    book.save(path)
    return rows


def test_excel_there_and_back(run: FinishedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, corrected = tmp_path / "review.xlsx", tmp_path / "corrected.csv"
    assert review(run, file, capsys, "--top", "24")["rows"] == 24
    sheet = openpyxl.load_workbook(file)["review"]
    assert [cell.value for cell in sheet[1]][:4] == ["row", "text", "label", "predicted"]
    texts = [row[1] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert any(text.startswith("=") for text in texts)
    assert all(cell.data_type == "s" for cell in sheet["B"]), "a formula"
    rows = fill(file, ["행복", "sad", "6"])
    options = ["--apply", str(file), "--output", str(corrected)]
    assert main(["review", str(run.path), *options, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["reviewed"]) == (ROWS, 3)
    data = load_emotion_dataset(corrected)
    assert data["text"][:] == TEXTS
    expected = run.truth.copy()
    expected[np.array(rows) - 1] = [5, 3, 6]
    assert data["label"][:] == expected.tolist()
    assert found["changed"] == (expected != run.truth).sum() == sum(found["changes"].values())


def test_csv_as_a_korean_excel_saves_it(run: FinishedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, corrected = tmp_path / "review.csv", tmp_path / "corrected.csv"
    review(run, file, capsys, "--top", "5")
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    table = pd.read_csv(file, encoding="utf-8-sig", dtype=str, na_filter=False)
    table.loc[0, "new_label"] = "공포"
    table.iloc[::-1].to_csv(file, index=False, encoding="cp949")
    assert main(["review", str(run.path), "--apply", str(file), "--output", str(corrected)]) == 0
    assert "검토 (reviewed) 1" in capsys.readouterr().out
    with corrected.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert rows[int(table.loc[0, "row"]) - 1]["label"] == "fear"


def test_rows_of_several_files_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logits, labels, _ = planted()
    columns = {"file": ["a.csv"] * 175 + ["b.csv"] * 175, "row": [*range(1, 176)] * 2}
    run = read_run(write_finished_run(tmp_path / "run", logits, labels, EMOTION_LABELS, TEXTS, columns))
    file = tmp_path / "review.xlsx"
    review(run, file, capsys)
    [row] = fill(file, ["중립"])
    sheet = openpyxl.load_workbook(file)["review"]
    place = columns["file"].index(sheet.cell(2, 1).value) + row - 1
    assert main(["review", str(run.path), "--apply", str(file), "--output", str(tmp_path / "new.csv")]) == 0
    table = pd.read_csv(tmp_path / "new.csv", encoding="utf-8-sig")
    assert table["label"][place] == "neutral"
    assert (table["label"] != [EMOTION_LABELS[label] for label in labels]).sum() == 1


@pytest.mark.parametrize(
    ("column", "value", "parts"),
    [
        ("new_label", "심심함", ["row 3", "심심함", "new_label", "fear"]),
        ("text", "다른 문장", ["row 3", "no row of"]),
        ("row", 9999, ["row 3", "row 9999", "no row of"]),
    ],
)
def test_answers_that_do_not_fit_are_refused(
    run: FinishedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str], column: str, value: object, parts: list[str]
) -> None:
    file = tmp_path / "review.xlsx"
    review(run, file, capsys)
    fill(file, ["sad", "sad"])
    book = openpyxl.load_workbook(file)
    head = [cell.value for cell in book["review"][1]]
    book["review"].cell(3, head.index(column) + 1).value = value
    book.save(file)
    assert main(["review", str(run.path), "--apply", str(file), "--output", str(tmp_path / "new.csv")]) == 2
    error = capsys.readouterr().err
    assert [part for part in parts if part not in error] == [], error
    assert not (tmp_path / "new.csv").exists()


def test_two_answers_for_one_row_are_refused(
    run: FinishedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "review.csv"
    review(run, file, capsys, "--top", "3")
    table = pd.read_csv(file, encoding="utf-8-sig", dtype=str, na_filter=False)
    table.loc[0, "new_label"] = "sad"
    pd.concat([table, table.iloc[:1].assign(new_label="happy")]).to_csv(file, index=False, encoding="utf-8-sig")
    assert main(["review", str(run.path), "--apply", str(file), "--output", str(tmp_path / "new.csv")]) == 2
    assert "row 5" in capsys.readouterr().err


def test_files_in_the_way_and_other_suffixes(
    run: FinishedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = tmp_path / "review.xlsx"
    filled.write_text("somebody's answers", encoding="utf-8")
    assert main(["review", str(run.path), "--output", str(filled)]) == 2
    assert filled.read_text(encoding="utf-8") == "somebody's answers"
    assert main(["review", str(run.path), "--output", str(tmp_path / "review.pdf")]) == 2
    assert ".xlsx" in capsys.readouterr().err
    (tmp_path / "other.csv").write_text("text,label\n좋아,5\n", encoding="utf-8")
    assert main(["review", str(run.path), "--apply", str(tmp_path / "other.csv"), "--output", "new.csv"]) == 2
    assert "new_label" in capsys.readouterr().err


def test_without_cleanlab_it_says_what_to_install(
    run: FinishedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cleanlab.filter", "cleanlab.rank"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    assert main(["review", str(run.path), "--output", str(tmp_path / "review.xlsx")]) == 2
    assert "pip install 'kobert-hf-emotion[review]'" in capsys.readouterr().err
