"""Files with several labels a row: the same rows, however they are written, and what is said of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kobert_hf_emotion import load_emotion_dataset, load_emotion_dataset_with_report
from kobert_hf_emotion.data.label_ids import label_ids
from kobert_hf_emotion.data.label_kinds import label_kind
from kobert_hf_emotion.data.label_kinds.several_labels import SeveralLabels
from kobert_hf_emotion.data.row_stream import open_rows
from kobert_hf_emotion.data.several_labels import (
    CellSplitter,
    Split,
    indicator_cells,
    is_indicator,
    names_in_cells,
    several_ids,
)
from kobert_hf_emotion.data.tables import ReadOptions, read_table
from kobert_hf_emotion.errors import DataError
from kobert_hf_emotion.labels import LABEL_SETS

NAMES = ["기쁨", "놀람/당황", "슬픔, 우울"]
TEXTS = ["생각보다 일찍 왔다", "갑자기 문이 열렸다", "비가 와서 못 갔다", "버스를 탔다"]
SETS = [[0], [0, 1], [1, 2], []]


def write(path: Path, cells: list[str], column: str = "labels") -> Path:
    pd.DataFrame({"text": TEXTS, column: cells}).to_csv(path, index=False)
    return path


CELLS = {
    "names and bars": ["기쁨", "놀람/당황|기쁨", "놀람/당황 | 슬픔, 우울", "[]"],
    "names and semicolons": ["기쁨", "기쁨;놀람/당황", "슬픔, 우울; 놀람/당황", "[]"],
    "ids and commas": ["0", "0,1", " 2, 1 ", "[]"],
    "JSON": ['["기쁨"]', '["기쁨", "놀람/당황"]', "[1, 2]", "[]"],
    "Python": ["['기쁨']", "['기쁨', '놀람/당황']", "['놀람/당황', '슬픔, 우울']", "[]"],
    "ids and blanks": ["0", "1 0", "1 2", "[]"],
}


@pytest.mark.parametrize("way", CELLS)
def test_cells_with_several_labels(tmp_path: Path, way: str) -> None:
    path = write(tmp_path / "rows.csv", CELLS[way])
    rows = load_emotion_dataset(path, labels=NAMES, task="multi-label")
    assert rows["label"][:] == SETS
    assert rows.features["label"].feature.names == NAMES, "ids never travel without names"
    assert label_ids(rows, NAMES).tolist() == [[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 0]]
    assert label_ids(rows, NAMES[::-1]).tolist() == [[0, 0, 1], [0, 1, 1], [1, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "jsonl", "parquet"])
def test_a_column_for_each_label(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame({"문장": TEXTS, "번호": [7, 8, 9, 10]})
    for label, name in enumerate(NAMES):
        frame[name] = [int(label in found) for found in SETS]
    path = tmp_path / f"rows.{suffix}"
    if suffix == "jsonl":
        frame.to_json(path, orient="records", lines=True, force_ascii=False)
    else:
        getattr(frame, {"csv": "to_csv", "xlsx": "to_excel", "parquet": "to_parquet"}[suffix])(path, index=False)
    for labels in (NAMES, "auto"):
        rows, report = load_emotion_dataset_with_report(path, labels=labels, task="multi-label")
        assert rows["label"][:] == SETS
        assert rows.features["label"].feature.names == NAMES
        assert "레이블마다 한 열(0/1)" in report.summary()
        assert "쓰지 않음(unused): 번호" in report.summary()


def test_what_was_read_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", ["기쁨", "놀람/당황|기쁨", "[]", ""])
    rows, report = load_emotion_dataset_with_report(path, labels=NAMES, task="multi-label")
    said = report.summary()
    assert rows["label"][:] == [[0], [0, 1], []]
    assert "행마다 평균 (mean) 1.00" in said
    assert "'|' 1" in said
    assert "taken for rows that nobody labelled" in said
    assert report.dropped == {"empty_label": 1}
    rows, report = load_emotion_dataset_with_report(path, labels=NAMES, task="multi-label", allow_empty=True)
    assert rows["label"][:] == [[0], [0, 1], [], []]
    assert "taken for rows with none of the labels" in report.summary()
    assert report.label_counts == {"기쁨": 2, "놀람/당황": 1, "슬픔, 우울": 0}


def test_how_cells_were_divided_is_told_of_rows_that_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    pd.DataFrame({"text": ["버스를 탔다", " ", ""], "labels": ["기쁨|놀람/당황"] * 3}).to_csv(path, index=False)
    _, report = load_emotion_dataset_with_report(path, labels=NAMES, task="multi-label")
    assert report.dropped == {"empty_text": 2}
    assert "'|' 1" in report.summary()


def test_the_parts_of_a_cell() -> None:
    kind = SeveralLabels()
    assert [list(kind.values_of(NAMES)(cell)) for cell in ("기쁨|놀람/당황", "슬픔, 우울")] == [NAMES[:2], NAMES[2:]]
    assert kind.unknown(["기쁨|놀람/당황", "기쁨|모름", "슬픔, 우울"], NAMES) == {"기쁨|모름"}


def test_a_cell_of_marks_of_missing_values_is_no_row_without_labels(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    cells = ["기쁨", "[]", '["nan"]', "[NaN]", "nan|NULL", '[""]', "", "nan", "기쁨|nan"]
    pd.DataFrame({"text": [f"{row}번 버스" for row in range(9)], "labels": cells}).to_csv(path, index=False)
    given: dict[str, Any] = {"labels": NAMES, "task": "multi-label"}
    rows, report = load_emotion_dataset_with_report(path, **given)
    assert rows["label"][:] == [[0], [], [0]]
    assert report.dropped == {"empty_label": 6}
    assert "mean 0.67; divided by: an empty list: none 1, a single label 1, '|' 1" in report.summary("en")
    assert "empty cells 6: taken for rows that nobody labelled" in report.summary("en")
    assert "taken as empty: nan 5, NULL 1" in report.summary("en")
    assert load_emotion_dataset(path, **given, allow_empty=True)["label"][:] == [[0], *[[]] * 7, [0]]
    dropping = load_emotion_dataset_with_report(path, **given, unknown_label="drop")
    assert dropping[0]["label"][:] == rows["label"][:], "none of these is an unknown label"
    assert dropping[1].dropped == report.dropped


def test_a_name_is_written_as_most_cells_have_it() -> None:
    assert names_in_cells({"기쁨": 1}) == names_in_cells({'["기쁨", "기쁨"]': 1}) == ("기쁨",)
    assert names_in_cells({'["a"]': 2, "['A']": 3, "a": 2}) == ("a",)
    assert names_in_cells({'["a"]': 2, "['A']": 3, "b": 2}) == ("A", "b")
    assert names_in_cells({"A|b": 3, "a|B": 2, "B|c": 2}) == ("A", "B", "c")
    assert names_in_cells({"매우 슬픔": 1, "슬픔/우울": 2, "nan": 9}) == ("매우 슬픔", "슬픔/우울"), (
        "nothing divides these"
    )
    assert names_in_cells({"a;b|c": 1, "d;e": 2, "": 3}) == ("a;b", "c", "d;e"), "the surest divides all"
    assert names_in_cells({"\n": 1, "nan|nan": 1}) == ()


@pytest.mark.parametrize(
    ("cell", "parts", "how"),
    [
        ("a|b;c", ("a", "b;c"), "|"),
        ("a,x;b", ("a,x", "b"), ";"),
        ("a;x;b,c", ("a;x;b", "c"), ","),
        ("a;x,b", ("a", "x,b"), ";"),  # of two ways with as many unknown parts the surer, otherwise that with fewer
        ("a\nb\tc", ("a", "b\tc"), "\n"),
        ("a\tb", ("a", "b"), "\t"),
        ("a/b", ("a", "b"), "/"),
        ("a  b c", ("a", "b", "c"), " "),
        ("a/x", ("a/x",), "one"),  # a stroke or a blank divides only what is known
        ("a x", ("a x",), "one"),
        (" | a | ", (" | a | ",), "one"),
        ("| a|c |", ("a", "c"), "|"),
        ("[0, 2]", ("0", "2"), "list"),
        ('["a", 1.0]', ("a", "1.0"), "list"),
        (" [] ", (), "none"),
        ("[a, b]", ("[a", "b]"), ","),
        ('[["a"]]', ('[["a"]]',), "one"),
        ("[None]", ("[None]",), "one"),
        ("['a'", ("['a'",), "one"),
        ("a]", ("a]",), "one"),
        ("B(7)", ("B(7)",), "one"),
        ("NaN", (), "empty"),
    ],
)
def test_what_divides_a_cell(cell: str, parts: tuple[str, ...], how: str) -> None:
    assert CellSplitter(["a", "b", "c"]).split(cell) == Split(parts, how)


def test_ids_are_those_of_the_labels_that_are_known() -> None:
    splitter = CellSplitter(["a", "b", "c"])
    assert splitter.ids(splitter.split("c|A|x|2|0")) == [0, 2]
    assert [splitter.knows(splitter.split(cell)) for cell in ("a|b", "a|x", "x", "", "[]", "a|nan")] == (
        [True, False, False, True, True, True]
    )
    cells = {cell: splitter.split(cell) for cell in ("b|a", "[]", "", "nan", "nan|-", "a|nan", "x")}
    expected = {"b|a": [0, 1], "[]": [], "a|nan": [0], "x": []}
    assert several_ids(cells, splitter, False) == expected | dict.fromkeys(("", "nan", "nan|-"))
    assert several_ids(cells, splitter, True) == expected | {"": [], "nan": [], "nan|-": []}


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["0", "1", "1.0", "0.0", "TRUE", " false", ""], True),
        (["1"], True),
        (["", ""], False),
        (["0", "2"], False),
        (["0", "nan"], False),
    ],
)
def test_what_says_that_a_row_has_a_label(cells: list[str], found: bool) -> None:
    assert is_indicator(cells) is found


def test_cells_of_columns_for_each_label(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    columns = {"a": ["1", "", "True", ""], "b": ["0.0", "", "", ""], "c": ["1.0", "", "false", "0"]}
    pd.DataFrame({"text": TEXTS, **columns}).to_csv(path, index=False)
    cells, blanks = indicator_cells(read_table(path), ["c", "a", "b"])
    assert cells == ['["c", "a"]', "", '["a"]', "[]"]
    assert blanks == [0, 0, 1, 2]
    pd.DataFrame({"text": TEXTS, "a": ["1", "0", "x", "1"], "b": ["1", "2", "", "예"]}).to_csv(path, index=False)
    with pytest.raises(DataError) as error:
        indicator_cells(read_table(path), ["a", "b"])
    assert error.value.english == (
        f"{path}: expected 0 or 1 in the columns of labels, found '2' in row 3, column 'b' (3 such cell(s)). Correct "
        "them or, where one column holds the labels, name it with `label_column`."
    )
    assert error.value.korean == (
        f"{path}: 레이블마다 한 열인 파일의 칸은 0이나 1이어야 하는데 3행 'b' 열은 '2'입니다(모두 3칸). 고치거나, "
        "레이블 열이 하나이면 `label_column`으로 지정하세요."
    )
    assert error.value.mend == {"ignore_labels": True}


LETTERS = "abcdefghijk"


@pytest.mark.parametrize("task", ["soft", "multi-label"])
@pytest.mark.parametrize("count", [10, 11])
def test_labels_without_a_column_are_told_with_those_that_may_be_them(tmp_path: Path, task: Any, count: int) -> None:
    path = tmp_path / "rows.csv"
    names = [f"{letter * 3}기쁨" for letter in LETTERS[:count]]
    slips = [f"{letter * 3}기븜" for letter in LETTERS[:count]]
    columns = dict.fromkeys(["놀람", "슬픔", *slips], ("1", "0", "1", "0"))
    pd.DataFrame({"text": TEXTS, **{name: list(cells) for name, cells in columns.items()}}).to_csv(path, index=False)
    with pytest.raises(DataError) as error:
        load_emotion_dataset(path, labels=["놀람", "슬픔", *names], task=task)
    more = "" if count == 10 else ", …"
    listed = ", ".join(names[:10]) + more
    arrows = ", ".join(f"{slip} → {name}" for slip, name in list(zip(slips, names, strict=True))[:10])
    assert error.value.english == (
        f"{path}: there is a column for each label, but none for {count} of them: {listed}. Columns found: 놀람, 슬픔. "
        f"Columns of nearly such a name: {arrows}. Rename them, or say what they mean with `label_map`."
    )
    assert error.value.korean == (
        f"{path}: 레이블마다 한 열인데 열이 없는 레이블이 {count}개입니다: {listed}. 있는 열: 놀람, 슬픔. "
        f"이름이 닮은 열: {arrows}. 열의 이름을 고치거나 `label_map`으로 뜻을 알려 주세요."
    )
    assert error.value.mend["task"] == task
    assert error.value.mend["label_column"] == ",".join(["놀람", "슬픔", *slips])


def test_names_are_those_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", ["기쁨", "놀람/당황|기쁨", "슬픔, 우울|기쁨", "[]"])
    rows = load_emotion_dataset(path, labels="auto", task="multi-label")
    assert rows.features["label"].feature.names == sorted(NAMES)


WRONG: dict[str, tuple[list[str], dict[str, Any], str, dict[str, Any]]] = {
    "an unknown name": (["기쁨|노여움", "기쁨", "기쁨", "기쁨"], {}, "row 2, column 'labels': '노여움'", {}),
    "an unknown id": (["0,3", "0", "1", "2"], {}, "row 2, column 'labels': '3'", {"labels": "auto"}),
    "ids of KOTE": (
        [",".join(map(str, range(44))), "0", "1", "2"],
        {"labels": ("happy", "sad")},
        "unknown label in 43 place(s)",
        {"labels": "kote"},
    ),
    "several where one is expected": (
        ["기쁨|놀람/당황", "기쁨", "기쁨", "기쁨"],
        {"task": "single-label"},
        "Each of these cells holds several labels",
        {"task": "multi-label"},
    ),
    "an empty answer of one label": (
        ["기쁨"] * 4,
        {"task": "single-label", "allow_empty": True},
        "`allow_empty` means something with `task` multi-label",
        {"task": "multi-label"},
    ),
    "a task there is not": (["기쁨"] * 4, {"task": "multilabel"}, "'multilabel'", {"task": "multi-label"}),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_not_understood_is_refused(tmp_path: Path, case: str) -> None:
    cells, options, part, mend = WRONG[case]
    path = write(tmp_path / "rows.csv", cells)
    with pytest.raises(DataError) as caught:
        load_emotion_dataset(path, **({"labels": NAMES, "task": "multi-label"} | options))
    assert part in caught.value.english
    assert mend.items() <= caught.value.mend.items()


def test_columns_of_labels_that_are_wrong_or_missing_are_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": TEXTS, "기쁨": ["1", "0", "2", ""], "놀람/당황": ["1", "0", "1", "0"]})
    path = tmp_path / "rows.csv"
    frame.to_csv(path, index=False)
    with pytest.raises(DataError, match="found '2' in row 4, column '기쁨'"):
        load_emotion_dataset(path, label_column="기쁨,놀람/당황", labels=NAMES[:2], task="multi-label")
    frame["기쁨"] = ["1", "0", "1", ""]
    frame.to_csv(path, index=False)
    rows, report = load_emotion_dataset_with_report(path, labels=NAMES[:2], task="multi-label")
    assert rows["label"][:] == [[0, 1], [], [0, 1], []]
    assert "0으로 본 빈 칸 (empty cells taken for 0): 1" in report.summary()
    with pytest.raises(DataError, match="none for 1 of them: 슬픔, 우울") as caught:
        load_emotion_dataset(path, labels=NAMES, task="multi-label")
    assert caught.value.mend == {"labels": "auto"}


@pytest.mark.parametrize(
    ("task", "cells", "said"),
    [
        ("multi-label", ["1", "0", "1", "0"], "Did you mean '혐오'"),
        ("soft", ["3", "1", "0", "2"], "Columns of nearly such a name: 혐호 → disgust"),
    ],
)
def test_a_slip_in_the_korean_name_of_a_label_is_seen_as_well(
    tmp_path: Path, task: Any, cells: list[str], said: str
) -> None:
    path = tmp_path / "rows.csv"
    columns = ["공포", "놀람", "분노", "슬픔", "중립", "행복", "혐호"]
    pd.DataFrame({"text": TEXTS, **dict.fromkeys(columns, cells)}).to_csv(path, index=False)
    with pytest.raises(DataError, match=said):
        load_emotion_dataset(path, task=task)


def test_a_slip_of_the_pen_in_a_column_never_becomes_a_label(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    cells = {"기쁨": ["1", "0", "1", "0"], "놀람/당황": ["1", "0", "1", "0"], "슬픔, 우우울": ["0", "1", "0", "1"]}
    pd.DataFrame({"text": TEXTS, **cells}).to_csv(path, index=False)
    for read in (
        lambda: load_emotion_dataset(path, labels=NAMES, task="multi-label"),
        lambda: open_rows(path, NAMES, kind=label_kind("multi-label")),
    ):
        with pytest.raises(DataError, match="Columns of nearly such a name: 슬픔, 우우울 → 슬픔, 우울") as caught:
            read()
        assert "auto" not in str(caught.value)
        assert caught.value.mend == {
            "labels": '기쁨,놀람/당황,"슬픔, 우울"',
            "label_column": '기쁨,놀람/당황,"슬픔, 우우울"',
            "write_label_map": "label_map.csv",
            "label_map": None,
            "task": "multi-label",
            "train_file": str(path),
            "test_file": None,
        }
    meant = {"슬픔, 우우울": "슬픔, 우울", "기쁨": "기쁨", "놀람/당황": "놀람/당황"}
    rows = load_emotion_dataset(path, labels=NAMES, task="multi-label", label_map=meant)
    assert rows["label"][:] == [[0, 1], [2], [0, 1], [2]]


def test_a_cell_of_a_column_called_by_a_label_is_never_what_leaves_it_out(tmp_path: Path) -> None:
    cells = {"기쁨": ["1", "0", "1", "0"], "놀람/당황": ["1", "0", "2", "0"], "슬픔, 우울": ["0", "1", "0", "1"]}
    pd.DataFrame({"text": TEXTS, **cells}).to_csv(tmp_path / "rows.csv", index=False)
    for read in (
        lambda: load_emotion_dataset(tmp_path / "rows.csv", labels=NAMES, task="multi-label"),
        lambda: open_rows(tmp_path / "rows.csv", NAMES, kind=label_kind("multi-label")),
    ):
        with pytest.raises(DataError, match="found '2' in row 4, column '놀람/당황'"):
            read()


def test_a_file_in_chunks_is_read_as_one_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", ["기쁨", "놀람/당황|기쁨", "[]", ""])
    kind = label_kind("multi-label")
    stream = open_rows(path, NAMES, kind=kind, chunk_rows=2)
    found = pd.concat(list(stream.chunks(2)))
    assert found["label"].tolist() == [[0], [0, 1], [], None]
    assert kind.truth(found["label"], NAMES).tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 0], [-100, -100, -100]]


def test_kotes_files_as_they_are(shared: Path) -> None:
    reading = ReadOptions(no_header=True)
    path = shared / "data" / "kote" / "val.tsv"
    rows, report = load_emotion_dataset_with_report(
        path, "2", "3", labels=LABEL_SETS["kote"], reading=reading, task="multi-label"
    )
    cells = pd.read_csv(path, sep="\t", header=None, quoting=3, dtype=str, keep_default_na=False)[2]
    assert rows["label"][:] == [sorted(map(int, cell.split(","))) for cell in cells]
    assert report.labels_read is not None
    assert json.loads(json.dumps(report.labels_read.splits))[","] == int(cells.str.contains(",").sum())
