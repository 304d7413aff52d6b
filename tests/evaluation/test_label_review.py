"""The review of disputed labels: wrong ones on top, and answers read back from what people save."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from oof import write_finished_run
from scipy.special import softmax

from kobert_hf_emotion import load_emotion_dataset
from kobert_hf_emotion.cli import main
from kobert_hf_emotion.errors import DataError
from kobert_hf_emotion.evaluation.label_review import Corrections, apply_review, write_review
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.runs.disputed import disputed_labels
from kobert_hf_emotion.runs.finished import FinishedRun, read_run
from kobert_hf_emotion.tasks.multi_label import MultiLabel
from kobert_hf_emotion.tasks.soft import Soft

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


NAMES = ["슬픔", "기쁨", "분노"]
FOUR = ["문장 하나", "문장 둘", "문장 셋", "문장 넷"]


def small(folder: Path, truth: np.ndarray, **of_run: Any) -> FinishedRun:
    """A run on four texts."""
    return read_run(write_finished_run(folder, np.eye(3)[[0, 1, 2, 0]], truth, NAMES, FOUR, **of_run))


def answered(path: Path, answers: dict[int, str], **columns: list[str]) -> Path:
    """A review of all four rows, with the answers of some, by the number of the row."""
    rows = range(1, len(FOUR) + 1)
    table = pd.DataFrame({"row": rows, "text": FOUR, "label": "", **columns})
    table["new_label"] = [answers.get(row, "") for row in rows]
    table.to_csv(path, index=False, encoding="utf-8-sig")
    return path


def written(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def test_labels_of_one_a_row_are_replaced_and_their_changes_counted(tmp_path: Path) -> None:
    run = small(tmp_path / "run", np.array([0, 0, 1, 2]))
    review = answered(tmp_path / "review.csv", {1: "기쁨", 2: "1", 3: "기쁨", 4: "슬픔"})
    found = apply_review(run, review, tmp_path / "new.csv")
    assert found == Corrections(4, reviewed=4, changed=3, changes={"슬픔 → 기쁨": 2, "분노 → 슬픔": 1})
    assert list(found.changes) == ["슬픔 → 기쁨", "분노 → 슬픔"], "the most frequent first"
    assert [(row["row"], row["text"], row["label"]) for row in written(tmp_path / "new.csv")] == [
        ("1", "문장 하나", "기쁨"),
        ("2", "문장 둘", "기쁨"),
        ("3", "문장 셋", "기쁨"),
        ("4", "문장 넷", "슬픔"),
    ]
    assert (tmp_path / "new.csv").read_bytes().startswith(b"\xef\xbb\xbfrow,text,label"), (
        "Excel reads Hangul by the mark"
    )
    assert run.truth.tolist() == [0, 0, 1, 2], "the run is as it was"


def test_coarse_labels_follow_their_fine_ones(tmp_path: Path) -> None:
    levels = {"부정": ["슬픔", "분노"], "긍정": ["기쁨"]}
    run = small(tmp_path / "run", np.array([0, 1, 2, 2]), hierarchy=levels)
    apply_review(run, answered(tmp_path / "review.csv", {1: "기쁨", 2: "분노"}), tmp_path / "new.csv")
    rows = written(tmp_path / "new.csv")
    assert [row["label"] for row in rows] == ["기쁨", "분노", "분노", "분노"]
    assert [row["coarse_label"] for row in rows] == ["긍정", "부정", "부정", "부정"]


def test_sets_of_labels_are_replaced_whole(tmp_path: Path) -> None:
    truth = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 1], [1, 1, 0]])
    run = small(tmp_path / "run", truth, task=MultiLabel())
    review = answered(tmp_path / "review.csv", {1: "슬픔|기쁨", 2: "[]", 4: "분노, 기쁨"})
    found = apply_review(run, review, tmp_path / "new.csv")
    assert (found.rows, found.reviewed, found.changed) == (4, 3, 5)
    assert found.changes == {"+기쁨": 1, "+분노": 1, "-기쁨": 1, "-분노": 1, "-슬픔": 1}
    assert [row["label"] for row in written(tmp_path / "new.csv")] == ["슬픔|기쁨", "[]", "분노", "기쁨|분노"]
    np.testing.assert_array_equal(run.label_sets, truth)


def test_all_votes_of_a_reviewed_row_go_to_its_new_label(tmp_path: Path) -> None:
    shares = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.2, 0.2, 0.6], [0.5, 0.5, 0.0]])
    run = small(tmp_path / "run", shares, task=Soft())
    review = answered(tmp_path / "review.csv", {1: "분노", 3: "분노", 4: "기쁨"})
    found = apply_review(run, review, tmp_path / "new.csv")
    assert found == Corrections(4, reviewed=3, changed=2, changes={"슬픔 → 분노": 1, "슬픔|기쁨 → 기쁨": 1})
    rows = written(tmp_path / "new.csv")
    assert "label" not in rows[0]
    assert [[row[name] for name in NAMES] for row in rows] == [
        ["0.000000", "0.000000", "1.000000"],
        ["0.000000", "1.000000", "0.000000"],
        ["0.000000", "0.000000", "1.000000"],
        ["0.000000", "1.000000", "0.000000"],
    ]
    np.testing.assert_allclose(run.shares, shares)


def test_a_row_that_is_there_twice_may_have_the_same_answer_twice(tmp_path: Path) -> None:
    run = small(tmp_path / "run", np.array([0, 0, 1, 2]))
    review = tmp_path / "review.csv"
    lines = answered(review, {1: "기쁨"}).read_text(encoding="utf-8-sig").splitlines()
    review.write_text("\n".join([*lines, lines[1]]), encoding="utf-8-sig")
    assert apply_review(run, review, tmp_path / "new.csv").changes == {"슬픔 → 기쁨": 1}
    review.write_text("\n".join([*lines, lines[1].replace("기쁨", "분노")]), encoding="utf-8-sig")
    with pytest.raises(DataError) as caught:
        apply_review(run, review, tmp_path / "newer.csv")
    assert f"{review} 6행: 같은 행에 서로 다른 new_label이 있습니다. 하나만 남기세요." in caught.value.korean
    assert f"{review}, row 6: the same training row has two different values of new_label; leave one." in (
        caught.value.english
    )
    assert not (tmp_path / "newer.csv").exists()


def test_what_a_review_lacks_is_named(tmp_path: Path) -> None:
    run = small(tmp_path / "run", np.array([0, 0, 1, 2]))
    review = tmp_path / "review.csv"
    review.write_text("text,label\n문장 하나,기쁨\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        apply_review(run, review, tmp_path / "new.csv")
    assert caught.value.korean.startswith(f"{review}에 row, new_label 열이 없습니다. 있는 열: text, label. ")
    assert caught.value.english.startswith(f"{review} has no column row, new_label; found text, label. ")
    assert caught.value.mend == {"apply": None}


def test_a_row_of_another_run_is_named_with_its_place(tmp_path: Path) -> None:
    run = small(tmp_path / "run", np.array([0, 0, 1, 2]), columns={"file": ["a.csv"] * 4, "row": [1, 2, 3, 4]})
    review = answered(tmp_path / "review.csv", {3: "기쁨"}, file=["a.csv"] * 2 + ["b.csv"] * 2)
    with pytest.raises(DataError) as caught:
        apply_review(run, review, tmp_path / "new.csv")
    assert caught.value.korean.startswith(f"{review} 4행(file b.csv row 3): {run.path}의 행이 아닙니다. ")
    assert caught.value.english.startswith(f"{review}, row 4 (file b.csv row 3): this is no row of {run.path}. ")
    assert caught.value.mend == {"apply": None, "output": str(tmp_path / "review_new.xlsx")}


def test_another_suffix_than_those_of_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        write_review(tmp_path / "review.pdf", pd.DataFrame({"new_label": [""]}), NAMES)
    assert caught.value.korean == f"검토 파일은 .xlsx나 .csv여야 합니다: {tmp_path / 'review.pdf'}"
    assert caught.value.english == f"Expected a name that ends in .xlsx or .csv, found {tmp_path / 'review.pdf'}."
    assert caught.value.mend == {"output": str(tmp_path / "review.xlsx")}
    assert list(tmp_path.iterdir()) == []


def test_suffixes_in_capitals_are_suffixes(tmp_path: Path) -> None:
    table = pd.DataFrame({"row": [1], "text": ["문장"], "new_label": [""]})
    write_review(tmp_path / "review.CSV", table, NAMES)
    assert (tmp_path / "review.CSV").read_bytes().startswith(b"\xef\xbb\xbfrow,text,new_label")
    write_review(tmp_path / "review.XLSX", table, NAMES)
    assert openpyxl.load_workbook((tmp_path / "review.XLSX").open("rb")).sheetnames == ["review", "labels"]


def test_a_workbook_is_made_for_reading_and_choosing(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"row": [3, 5], "text": ["=1+1", "문장"], "text_pair": ["앞", "뒤"], "margin": [0.25, 0.5], "new_label": ""}
    )
    annotators = pd.DataFrame({"annotator": ["가", "=나"], "quality": [0.5, 0.75]})
    write_review(tmp_path / "review.xlsx", table, NAMES, annotators)
    book = openpyxl.load_workbook(tmp_path / "review.xlsx")
    assert book.sheetnames == ["review", "labels", "annotators"]
    sheet = book["review"]
    assert list(sheet.iter_rows(values_only=True)) == [
        ("row", "text", "text_pair", "margin", "new_label"),
        (3, "=1+1", "앞", 0.25, None),
        (5, "문장", "뒤", 0.5, None),
    ]
    assert list(book["labels"].iter_rows(values_only=True)) == [(name,) for name in NAMES]
    assert list(book["annotators"].iter_rows(values_only=True)) == [
        ("annotator", "quality"),
        ("가", 0.5),
        ("=나", 0.75),
    ]
    assert sheet["B2"].data_type == book["annotators"]["A3"].data_type == "s", "no formula"
    assert [sheet.column_dimensions[letter].width for letter in "ABCDE"] == [15, 70, 70, 15, 15]
    assert all(cell.font.bold for cell in sheet[1])
    assert not any(cell.font.bold for row in sheet["A2:E3"] for cell in row)
    for row in sheet["A2:E3"]:
        assert {(cell.alignment.wrap_text, cell.alignment.vertical) for cell in row} == {(True, "top")}
        assert [cell.fill.fill_type for cell in row] == [None] * 4 + ["solid"]
        assert row[-1].fill.fgColor.rgb.endswith("FFF2CC"), "light enough to read what is in it"
    assert sheet.freeze_panes == "A2", "the head stays"
    [choice] = sheet.data_validations.dataValidation
    assert (str(choice.sqref), choice.type, choice.formula1) == ("E2:E3", "list", "labels!$A$1:$A$3")
    assert choice.allow_blank
    assert not choice.showErrorMessage, "Korean names and numbers may be typed"


def test_a_review_without_rows_is_a_workbook_all_the_same(tmp_path: Path) -> None:
    write_review(tmp_path / "review.xlsx", pd.DataFrame({"row": [], "text": [], "new_label": []}), NAMES)
    sheet = openpyxl.load_workbook(tmp_path / "review.xlsx")["review"]
    assert [cell.value for cell in sheet[1]] == ["row", "text", "new_label"]
    assert [str(choice.sqref) for choice in sheet.data_validations.dataValidation] == ["C2"]


def test_what_a_cell_cannot_hold_does_not_make_another_row_of_it(tmp_path: Path) -> None:
    """Excel has no control characters, and 32,767 characters a cell."""
    texts = ["가\x0b나\x00", "다라" * 20_000, "마", "바"]
    truth = np.array([0, 0, 1, 2])
    run = read_run(write_finished_run(tmp_path / "run", np.eye(3)[truth], truth, NAMES, texts))
    table = pd.DataFrame({"row": [1, 2], "text": texts[:2], "new_label": ["기쁨", "분노"]})
    write_review(tmp_path / "review.xlsx", table, NAMES)
    sheet = openpyxl.load_workbook(tmp_path / "review.xlsx")["review"]
    assert [sheet["B2"].value, sheet["B3"].value] == ["가\ufffd나\ufffd", texts[1][:32_767]]
    found = apply_review(run, tmp_path / "review.xlsx", tmp_path / "new.csv")
    assert found.changes == {"슬픔 → 기쁨": 1, "슬픔 → 분노": 1}
    assert [row["text"] for row in written(tmp_path / "new.csv")] == texts


@pytest.mark.parametrize("several", [False, True])
def test_a_label_that_the_run_has_not_is_named_with_its_place_in_the_review(tmp_path: Path, several: bool) -> None:
    """Not in the training file, which the column `file` names."""
    truth = np.array([0, 0, 1, 2])
    columns = {"file": ["train.csv"] * 4, "row": [1, 2, 3, 4]}
    of_run = {"columns": columns, "task": MultiLabel()} if several else {"columns": columns}
    run = small(tmp_path / "run", np.eye(3, dtype=np.int64)[truth] if several else truth, **of_run)
    review = answered(tmp_path / "review.csv", {2: "기쁨", 3: "심심함"}, file=columns["file"])
    with pytest.raises(DataError) as caught:
        apply_review(run, review, tmp_path / "new.csv")
    for message in (caught.value.korean, caught.value.english):
        parts = [str(review), "new_label", "심심함", "4", *NAMES]
        assert [part for part in parts if part not in message] == [], message
        assert "train.csv" not in message
    assert not (tmp_path / "new.csv").exists()
