"""Loading texts and labels: columns, labels, what is left out, and what is said of bad files."""

from __future__ import annotations

import csv
import dataclasses
import logging
import lzma
import sys
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from datasets import ClassLabel

from kobert_hf_emotion.data.column_finding import find_columns
from kobert_hf_emotion.data.dataset import load_emotion_dataset, load_emotion_dataset_with_report
from kobert_hf_emotion.data.tables import ReadOptions, read_table
from kobert_hf_emotion.data.task_names import TaskName
from kobert_hf_emotion.errors import DataError
from kobert_hf_emotion.labels import EMOTION_LABELS, EMOTION_LABELS_KO

SEED_HEADER = ["ID", "Emotion", "Label", "WavPath", "Text"]


def table(path: Path, header: Sequence[str], *rows: Sequence[object], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def failure(paths: object, **options: object) -> DataError:
    with pytest.raises(DataError) as caught:
        load_emotion_dataset(paths, **options)
    return caught.value


def test_a_file_of_the_notebook(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [[f"c{i}", EMOTION_LABELS[i], i, f"wav/{i}.wav", f"문장 {i}"] for i in range(7)]
    path = table(tmp_path / "train.csv", SEED_HEADER, *rows, encoding="cp949")
    with caplog.at_level(logging.INFO):
        dataset = load_emotion_dataset(path)
    assert dataset.column_names == ["text", "label", "id", "row"]
    assert dataset.features["label"] == ClassLabel(names=list(EMOTION_LABELS))
    assert dataset[:] == {
        "text": [f"문장 {i}" for i in range(7)],
        "label": list(range(7)),
        "id": [f"c{i}" for i in range(7)],
        "row": list(range(1, 8)),
    }
    assert "cp949" in caplog.text
    assert "disagree" not in caplog.text


def test_report_counts_what_is_dropped_and_why(tmp_path: Path) -> None:
    rows = [["가", 0], [" .", 1], ["", ""], [".", 2], ["", 3], [" \u200b ", ""], ["나", " "], ["..", 4], ["하", 5]]
    path = table(tmp_path / "a.csv", ["text", "label"], *rows)
    dataset, report = load_emotion_dataset_with_report(path)
    assert dataset["text"][:] == ["가", "..", "하"]
    assert dataset["row"][:] == [1, 8, 9]
    assert report.dropped == {"empty_text": 3, "lone_dot": 2, "empty_label": 1}
    assert (report.rows_read, report.rows_kept) == (9, 3)
    assert report.label_counts == {
        "fear": 1,
        "surprise": 0,
        "angry": 0,
        "sad": 0,
        "neutral": 1,
        "happy": 1,
        "disgust": 0,
    }
    assert report.files == (str(path),)
    assert report.encodings == ("utf-8",)
    for part in ("9행 중 3행", "제외 6행", "빈 글 3", "'.'뿐인 글 2", "빈 레이블 1", "neutral 1"):
        assert part in report.summary()
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.rows_read = 0  # type: ignore[misc]


def test_nfd_text_and_column_names_of_macos(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "행복한 하루")
    assert decomposed != "행복한 하루"
    header = [unicodedata.normalize("NFD", name) for name in ("문장", "감정")]
    path = table(
        tmp_path / "a.csv", header, [decomposed, unicodedata.normalize("NFD", "행복")], ["ㅋㅋ ㅠㅠ 😭", "슬픔"]
    )
    dataset, report = load_emotion_dataset_with_report(path)
    assert dataset["text"][:] == ["행복한 하루", "ㅋㅋ ㅠㅠ 😭"]
    assert dataset["label"][:] == [5, 3]
    assert report.nfc_changed == 1


@pytest.mark.parametrize("label", ["Label", "Lable", "label", "Emotion", "emotion", "감정", "라벨", "레이블"])
@pytest.mark.parametrize("text", ["Text", "text", "Sentence", "sentence", "document", "문장", "내용", "발화"])
def test_usual_column_names_are_guessed(tmp_path: Path, text: str, label: str) -> None:
    path = table(tmp_path / "a.csv", ["no", label, text, "WavPath"], [1, 5, "가", "x"])
    columns = find_columns(read_table(path))
    assert (columns.text, columns.label) == (text, label)


@pytest.mark.parametrize(
    ("written", "index"),
    [("5", 5), ("5.0", 5), (" 5 ", 5), ("happy", 5), (" Happy", 5), ("행복", 5), ("기쁨", 5), ("JOY", 5), ("0", 0)],
)
def test_spellings_of_labels(tmp_path: Path, written: str, index: int) -> None:
    assert load_emotion_dataset(table(tmp_path / "a.csv", ["text", "label"], ["가", written]))["label"][:] == [index]


def test_all_korean_names(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", ["text", "감정"], *[["가", name] for name in EMOTION_LABELS_KO])
    assert load_emotion_dataset(path)["label"][:] == list(range(7))


def test_unknown_labels_are_named_by_row_column_and_value(tmp_path: Path) -> None:
    rows = [["가", 5], ["나", "hapy"], *[["다", 7 + i] for i in range(6)]]
    error = failure(table(tmp_path / "a.csv", ["text", "Label"], *rows))
    assert "3행 'Label' 열의 'hapy'" in error.korean
    assert "unknown label in 7 row(s): row 3, column 'Label': 'hapy', row 4, column 'Label': '7'" in error.english
    assert "and 2 more" in error.english
    assert "'11'" not in error.english
    assert "5 happy(행복)" in error.english
    assert "Did you mean 'happy'" in error.english


@pytest.mark.parametrize("written", ["-1", "5.5", "7", "5e0", "happy!", "1,2"])
def test_no_label_is_guessed(tmp_path: Path, written: str) -> None:
    assert repr(written) in str(failure(table(tmp_path / "a.csv", ["text", "label"], ["가", 1], ["나", written])))


def test_row_numbers_of_errors_skip_no_blank_or_dropped_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('text,label\n\n"가\n나",1\n.,2\n다,x\n', encoding="utf-8")
    assert "row 5" in failure(tmp_path / "a.csv").english
    (tmp_path / "a.jsonl").write_text('{"text": "가", "label": 1}\n{"text": "나", "label": "x"}\n', encoding="utf-8")
    assert "row 2" in failure(tmp_path / "a.jsonl").english


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (["10", "9", "1.0", "1"], ["1", "9", "10"]),
        (["pos", "neg", " pos "], ["neg", "pos"]),
        (["2", "b", "10"], ["10", "2", "b"]),
    ],
)
def test_labels_taken_from_the_file(tmp_path: Path, cells: list[str], names: list[str]) -> None:
    path = table(tmp_path / "a.csv", ["text", "label"], *[["가", cell] for cell in cells])
    dataset = load_emotion_dataset(path, labels=None)
    assert dataset.features["label"].names == names
    canonical = {"1.0": "1", " pos ": "pos"}
    assert [names[index] for index in dataset["label"]] == [canonical.get(cell, cell) for cell in cells]


def test_own_names(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", ["text", "label"], ["가", "긍정"], ["나", 0], ["다", "부정"])
    dataset = load_emotion_dataset(path, labels=["부정", "긍정"])
    assert dataset["label"][:] == [1, 0, 0]
    assert "0 부정, 1 중립" in failure(path, labels=["부정", "중립"]).english
    assert "distinct" in failure(path, labels=["부정", "부정 "]).english


def test_numbers_as_names_are_never_ids(tmp_path: Path) -> None:
    stars = ["1", "2", "3", "4", "5"]
    path = table(tmp_path / "a.csv", ["text", "label"], ["가", 1], ["나", "5.0"])
    assert load_emotion_dataset(path, labels=stars)["label"][:] == [0, 4]
    assert "'0'" in failure(table(tmp_path / "b.csv", ["text", "label"], ["가", 0]), labels=stars).english


def test_texts_in_the_label_column(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", ["text", "label"], *[["가", f"문장 {i}"] for i in range(1001)])
    assert "1,001 distinct values" in failure(path, labels=None).english


def test_label_and_emotion_that_disagree_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [[1, "happy", 5, "", "가"], [2, "sad", 5, "", "나"], [3, "??", 1, "", "다"], [4, "", 1, "", "라"]]
    rows += [[5, "공포", 6, "", "마"]]
    dataset, report = load_emotion_dataset_with_report(table(tmp_path / "a.csv", SEED_HEADER, *rows))
    assert dataset["label"][:] == [5, 5, 1, 1, 6]
    assert report.label_conflicts == 2
    assert f"disagree in 2 of 5 rows (first in {tmp_path / 'a.csv'}, row 3: 5, sad); 'Label' is used" in caplog.text
    assert "서로 다른 행: 2행" in report.summary()


def test_numeric_emotion_beside_names_and_two_columns_of_names(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", ["text", "label", "emotion"], ["가", "x1", 3])
    assert find_columns(read_table(path)).label == "emotion"
    path = table(tmp_path / "b.csv", ["text", "label", "emotion"], ["가", "happy", "sad"])
    error = failure(path)
    assert "label, emotion" in error.english
    assert load_emotion_dataset(path, label_column="emotion")["label"][:] == [3]


def test_missing_columns_end_with_a_runnable_line(tmp_path: Path) -> None:
    path = table(
        tmp_path / "my file.csv", ["번호", "Comments", "기분 점수"], [1, "오늘은 좋았다", 5], [2, "아니 나빴다", 5]
    )
    error = failure(path)
    assert "번호, Comments, 기분 점수" in error.english
    assert "번호, Comments, 기분 점수" in error.korean
    assert error.mend == {"text_column": "Comments", "label_column": "번호"}
    error = failure(path, text_column="comment", label_column="기분 점수")
    assert "Did you mean 'Comments'?" in error.english
    assert "no column 'comment'" in error.english


def test_the_number_of_a_row_is_never_offered_as_its_label(tmp_path: Path) -> None:
    rows = [[number, f"{number}번째 버스를 놓쳤다"] for number in range(1, 5)]
    path = table(tmp_path / "a.csv", ["번호", "text"], *rows)
    assert failure(path).mend == {}
    path = table(tmp_path / "b.csv", ["번호", "text", "점수"], *([*row, row[0] % 2] for row in rows))
    assert failure(path).mend == {"label_column": "점수"}


def test_all_columns_that_are_mistyped_are_mended_at_once(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", ["text", "label", "talk"], ["가", 1, "a"])
    error = failure(path, text_column="txet", label_column="lable", group_column="tlak")
    assert error.mend == {"text_column": "text", "label_column": "label", "group_column": "talk"}
    assert [line.split("'")[1] for line in error.english.splitlines()] == ["txet", "lable", "tlak"]
    path = table(tmp_path / "b.csv", ["text", "label", "label"], ["가", 1, 2])
    assert failure(path, text_column="txet", label_column="label").mend == {}


def test_several_columns_fit(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", ["text", "sentence", "label"], ["가", "나", 1])
    assert "several fit (text, sentence)" in failure(path).english
    assert load_emotion_dataset(path, text_column="sentence")["text"][:] == ["나"]


def test_same_name_twice(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", ["text", "text", "label"], ["가", "나", 1])
    assert "2 columns called 'text'" in failure(path, text_column="text").english
    assert "2 columns called 'text'. Rename all but one" in failure(path).english
    assert "이름이 'text'인 열이 2개입니다" in failure(path).korean


@pytest.mark.parametrize("task", ["single-label", "soft", "multi-label"])
def test_label_twice(tmp_path: Path, task: TaskName) -> None:
    path = table(tmp_path / "a.csv", ["text", "label", "memo", "label"], ["가", "happy", "x", "sad"])
    error = failure(path, task=task)
    assert error.english == f"{path}: there are 2 columns called 'label'. Rename all but one."
    assert error.mend == {"ignore_labels": True}


@pytest.mark.parametrize("task", ["single-label", "soft", "multi-label"])
def test_columns_beside_have_the_same_name(tmp_path: Path, task: TaskName) -> None:
    rows = [["가 나", "happy", *"11"], ["다 라", "sad", *"01"]]
    for name in ("memo", "happy", "texts", "turn", ""):
        path = table(tmp_path / "a.csv", ["text", "label", name, name], *rows)
        assert load_emotion_dataset(path, task=task)["text"][:] == ["가 나", "다 라"]
    path = table(tmp_path / "a.csv", ["text", "label", "labels", "labels"], *rows)
    error = failure(path, task=task)
    assert "several fit (label, labels, labels)" in error.english
    assert error.mend == {"label_column": "label"}


@pytest.mark.parametrize("task", ["soft", "multi-label"])
@pytest.mark.parametrize("labels", [None, ["기쁨", "슬픔", "놀람"]])
def test_two_columns_for_one_label(tmp_path: Path, task: TaskName, labels: list[str] | None) -> None:
    rows = [["가 나", *"1001"], ["다 라", *"0110"], ["마 바", *"1010"]]
    path = table(tmp_path / "a.csv", ["text", "기쁨", "기쁨", "슬픔", "놀람"], *rows)
    error = failure(path, task=task, labels=labels)
    assert error.english == f"{path}: there are 2 columns called '기쁨'. Rename all but one."
    rows = [[*row, word, word] for row, word in zip(rows, ("이", "그", "저"), strict=True)]
    path = table(tmp_path / "b.csv", ["text", "기쁨", "분노", "슬픔", "놀람", "memo", "memo"], *rows)
    assert load_emotion_dataset(path, task=task, labels=labels or ["기쁨", "분노", "슬픔", "놀람"]).num_rows == 3
    rows = [["가 나", *"1001", *"10"], ["다 라", *"0110", *"01"]]
    path = table(tmp_path / "c.csv", ["text", "기쁨", "분노", "슬픔", "놀람", "memo", "memo"], *rows)
    if labels is None:  # then they may be labels as well
        assert "2 columns called 'memo'" in failure(path, task=task, labels=labels).english
    else:
        assert load_emotion_dataset(path, task=task, labels=["기쁨", "분노", "슬픔", "놀람"]).num_rows == 2
    path = table(tmp_path / "c.csv", ["text", "기쁨", "분노", "슬픔", "놀람", "", ""], *rows)
    assert load_emotion_dataset(path, task=task, labels=labels or ["기쁨", "분노", "슬픔", "놀람"]).num_rows == 2


@pytest.mark.parametrize("task", ["soft", "multi-label"])
@pytest.mark.parametrize("labels", [None, ["기쁨", "슬픔"]])
def test_one_column_called_by_a_label_holds_no_labels(tmp_path: Path, task: TaskName, labels: list[str] | None) -> None:
    path = table(tmp_path / "a.csv", ["text", "기쁨"], ["가 나", 1], ["다 라", 0])
    error = failure(path, task=task, labels=labels)
    assert ("no columns with votes" if task == "soft" else "none has a known name") in error.english
    other = failure(path, task=task, labels=labels, label_column="기쁨,분노")
    assert "there is no column '기쁨,분노'" in other.english


def test_two_annotators_of_one_name(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", ["text", "A", "B", "A"], ["가 나", *["기쁨"] * 3], ["다 라", *["슬픔"] * 3])
    assert "2 columns called 'A'" in failure(path, task="soft", labels=["기쁨", "슬픔"]).english


def test_a_file_without_header(tmp_path: Path) -> None:
    error = failure(table(tmp_path / "a.csv", ["오늘 정말 좋아", "5"], ["싫어", "3"]))
    assert "오늘 정말 좋아 | 5" in error.english
    assert error.mend == {"no_header": True, "header_row": None, "text_column": "1", "label_column": "2"}
    assert "first row must hold column names" in error.english


def test_files_without_labels(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", ["text"], ["가"], ["나"])
    dataset, report = load_emotion_dataset_with_report(path, require_labels=False)
    assert dataset.column_names == ["text", "row"]
    assert report.label_counts == {}
    assert "expected a column with the label" in failure(path).english
    assert failure(path).mend == {}  # no column is left for the labels
    assert failure(path, require_labels=False, label_column="감정").mend == {"label_column": None}


def test_empty_labels_where_none_are_required(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", ["text", "label"], ["가", ""], ["나", 5], ["다", ""])
    assert load_emotion_dataset(path, require_labels=False)["label"][:] == [None, 5, None]
    assert load_emotion_dataset(path)["label"][:] == [5]
    path = table(tmp_path / "b.csv", ["text", "label"], ["가", ""], ["나", " "])
    assert load_emotion_dataset(path, require_labels=False).column_names == ["text", "row"]
    assert "every cell of column 'label' is empty" in failure(path).english


def test_labels_can_be_ignored(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", ["text", "label", "emotion"], ["가", "??", "!!"])
    assert load_emotion_dataset(path, read_labels=False).column_names == ["text", "row"]


def test_nothing_left(tmp_path: Path) -> None:
    error = failure(table(tmp_path / "a.csv", ["text", "label"], [".", 1], ["", 2]))
    assert "none of the 2 rows" in error.english
    assert "빈 글 1, '.'뿐인 글 1" in error.korean


def test_pairs_and_groups(tmp_path: Path) -> None:
    pair = unicodedata.normalize("NFD", "대답")
    path = table(tmp_path / "a.csv", ["text", "답", "label", "화자"], ["가", pair, 1, "민수"], ["나", "", 2, "007"])
    dataset, report = load_emotion_dataset_with_report(path, text_pair_column="답", group_column="화자")
    assert dataset["text_pair"][:] == ["대답", ""]
    assert dataset["group"][:] == ["민수", "007"]
    assert report.nfc_changed == 1
    assert "no column 'speaker'" in failure(path, group_column="speaker").english


def test_empty_groups_are_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    header = ["text", "label", "화자"]
    load_emotion_dataset(table(tmp_path / "a.csv", header, ["가", 1, "민수"]), group_column="화자")
    assert "empty group" not in caplog.text
    load_emotion_dataset(table(tmp_path / "b.csv", header, ["가", 1, "민수"], ["나", 1, ""]), group_column="화자")
    assert "1 row(s) have an empty group" in caplog.text


def test_several_files(tmp_path: Path) -> None:
    one = table(tmp_path / "1.csv", ["ID", "text", "label"], ["x", "가", "b"], ["y", ".", "b"], encoding="cp949")
    two = tmp_path / "2.jsonl"
    two.write_text('{"Sentence": "나", "감정": "a"}\n', encoding="utf-8")
    dataset, report = load_emotion_dataset_with_report([one, two], labels=None)
    assert dataset.column_names == ["text", "label", "row", "file"]
    assert dataset[:] == {"text": ["가", "나"], "label": [1, 0], "row": [1, 1], "file": [str(one), str(two)]}
    assert report.encodings == ("cp949", "utf-8")
    assert [columns.text for columns in report.columns] == ["text", "Sentence"]
    error = failure([one, two], labels=["b"])
    assert f"{two}: unknown label in 1 row(s): row 1, column '감정': 'a'" in error.english
    bare = table(tmp_path / "3.csv", ["text"], ["다"])
    assert f"{bare} has none" in failure([one, bare], require_labels=False).english
    assert "No data file" in failure([]).english


@pytest.mark.parametrize("suffix", ["csv", "tsv", "xlsx", "jsonl", "parquet", "csv.gz"])
def test_every_format_gives_the_same_dataset(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame({"ID": ["1", "2"], "Label": [5, 3], "Text": ['쉼표, "따옴표"\n줄', "ㅠㅠ 😭 NA"]})
    path = tmp_path / f"a.{suffix}"
    match suffix:
        case "xlsx":
            frame.to_excel(path, index=False)
        case "jsonl":
            frame.to_json(path, orient="records", lines=True)
        case "parquet":
            frame.to_parquet(path)
        case _:
            frame.to_csv(path, index=False, sep="\t" if suffix == "tsv" else ",")
    assert load_emotion_dataset(path)[:] == {
        "text": ['쉼표, "따옴표"\n줄', "ㅠㅠ 😭 NA"],
        "label": [5, 3],
        "id": ["1", "2"],
        "row": [1, 2],
    }


def test_nsmc(shared: Path) -> None:
    path = shared / "data" / "nsmc" / "ratings_test.tsv.xz"
    dataset, report = load_emotion_dataset_with_report(
        path, labels=["negative", "positive"], reading=ReadOptions(quoted=False)
    )
    lines = lzma.decompress(path.read_bytes()).decode().rstrip("\n").split("\n")[1:]
    cells = [line.split("\t") for line in lines]
    kept = [row for row in cells if row[1].strip() not in ("", ".")]
    assert report.rows_read == 50_000
    assert report.dropped["empty_text"] == sum(not row[1].strip() for row in cells)
    assert dataset["text"][:] == [unicodedata.normalize("NFC", row[1]) for row in kept]
    assert dataset["label"][:] == [int(row[2]) for row in kept]
    assert dataset["id"][:] == [row[0] for row in kept]
    assert report.nfc_changed == sum(not unicodedata.is_normalized("NFC", row[1]) for row in kept)


def test_a_row_takes_few_calls(tmp_path: Path) -> None:
    # Counted, not timed: 200,000 rows took 1.4 to 2.2 s on two cores with these 17 calls a row.
    calls: list[int] = []
    for count in (2000, 4000):
        rows = ([i, EMOTION_LABELS[i % 7], i % 7, f"{i}.wav", f"오늘은 정말 좋은 하루였다 {i}"] for i in range(count))
        path = table(tmp_path / f"{count}.csv", SEED_HEADER, *rows)
        called = Counter[str]()
        sys.setprofile(lambda _, event, __: called.update((event,)))  # noqa: B023 - set and taken back in the loop
        try:
            dataset = load_emotion_dataset(path)
        finally:
            sys.setprofile(None)
        assert len(dataset) == count
        calls.append(called["call"] + called["c_call"])
    assert (calls[1] - calls[0]) / 2000 < 50
