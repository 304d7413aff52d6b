"""Maps of labels: what they make of cells, how they are written and read, and what becomes of unknown values."""

from __future__ import annotations

import csv
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from datasets import Dataset, Features

from kobert_hf_emotion import load_emotion_dataset_with_report
from kobert_hf_emotion.cli import main
from kobert_hf_emotion.data.label_kinds import label_kind, settled
from kobert_hf_emotion.data.label_map import LabelMap, Proposal, label_map, propose, write_label_map
from kobert_hf_emotion.data.label_values import label_values
from kobert_hf_emotion.data.row_stream import open_rows
from kobert_hf_emotion.data.tables import ReadOptions
from kobert_hf_emotion.data.task_names import TaskName
from kobert_hf_emotion.errors import DataError, KoBERTEmotionError
from kobert_hf_emotion.labels import EMOTION_LABELS, GOEMOTIONS_TO_EMOTION, KOTE_TO_EMOTION, map_taxonomy

CELLS = ["중립", "ㅈ중립", "중림", "행복 ", "짜증", "중립"]


def write(path: Path, cells: list[str], name: str = "label") -> Path:
    texts = [f"버스를 {index}번 놓쳤다" for index in range(len(cells))]
    pd.DataFrame({"text": texts, name: cells}).to_csv(path, index=False)
    return path


def load(path: Path, **settings: Any) -> tuple[list[str], Any]:
    rows, report = load_emotion_dataset_with_report(path, **settings)
    names = rows.features["label"].names
    return [names[index] for index in rows["label"][:]], report


@pytest.mark.parametrize("form", ["names", "no names", "more columns", "tsv", "xlsx", "mapping"])
def test_a_map_settles_spellings(tmp_path: Path, form: str) -> None:
    table = [("ㅈ중립", "중립"), ("중림", "neutral"), ("짜증", "분노")]
    given: Any = tmp_path / ("map.xlsx" if form == "xlsx" else "map.csv")
    if form == "mapping":
        given = dict(table)
    elif form == "xlsx":
        pd.DataFrame(table, columns=["value", "label"]).to_excel(given, index=False)
    else:
        head = {"names": [("값", "레이블")], "more columns": [("rows", "label", "value")]}.get(form, [])
        lines = [(1, label, value) for value, label in table] if form == "more columns" else table
        mark = "\t" if form == "tsv" else ","
        given.write_text("".join(mark.join(map(str, line)) + "\n" for line in [*head, *lines]), encoding="utf-8")
    found, report = load(write(tmp_path / "rows.csv", CELLS), label_map=given)
    assert found == ["neutral", "neutral", "neutral", "happy", "angry", "neutral"]
    assert report.labels_read.mapped == {"angry": {"짜증": 1}, "neutral": {"ㅈ중립": 1, "중림": 1}}
    assert f"{given if form != 'mapping' else 'label_map'}: 짜증 → angry 1, " in report.summary("en")


def test_what_is_not_in_the_map_is_a_label_or_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", [*CELLS, "중릡", "중릡"])
    with pytest.raises(DataError) as error:
        load(path, label_map={"ㅈ중립": "중립", "짜증": "-"})
    assert "중릡 2 (Did you mean '중립'?), 중림 1 (Did you mean '중립'?)" in error.value.english
    assert "label_map has none of them" in error.value.english
    found, report = load(path, label_map={"ㅈ중립": "중립", "짜증": None}, unknown_label="drop")
    assert found == ["neutral", "neutral", "happy", "neutral"]
    assert report.dropped == {"unknown_label": 3, "mapped_to_none": 1}
    assert report.labels_read.unknown == {"중릡": 2, "중림": 1}
    assert "unknown labels (`unknown_label` drop): 중릡 2, 중림 1" in report.summary("en")


def test_unknown_labels_are_told_with_the_nearest_and_counts(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        load(write(tmp_path / "rows.csv", ["행복", *["ㅈ중립"] * 3, "중림", "슬픔"]))
    assert "ㅈ중립 3 (Did you mean '중립'?), 중림 1 (Did you mean '중립'?)" in error.value.english
    assert "ㅈ중립 3 (혹시 '중립'인가요?)" in error.value.korean
    with pytest.raises(DataError, match="Expected drop or error"):
        load(tmp_path / "rows.csv", unknown_label="ignore")


def test_the_names_in_the_file_are_those_that_the_map_gives(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", ["Good", "good ", "Gud", "bad", "so-so"])
    found, _ = load(
        path, labels="auto", label_map={"good": "긍정", "gud": "긍정", "bad": "부정", "so-so": "-", "x": "y"}
    )
    assert found == ["긍정", "긍정", "긍정", "부정"]
    rows, _ = load_emotion_dataset_with_report(
        path, labels="auto", label_map={"good": "b", "gud": "b", "bad": "a"}, unknown_label="drop"
    )
    assert rows.features["label"].names == ["a", "b"]
    with pytest.raises(DataError, match="so-so 1"):
        load(path, labels="auto", label_map={"good": "b", "gud": "b", "bad": "a"})


def test_rows_without_a_known_label_are_predicted_all_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", CELLS)
    kind = settled(label_kind(), {"짜증": "분노"}, "drop")
    rows = open_rows(path, EMOTION_LABELS, kind=kind, chunk_rows=2)
    labels = [label for frame in rows.chunks(2) for label in frame["label"].tolist()]
    assert [None if pd.isna(label) else EMOTION_LABELS[label] for label in labels] == (
        ["neutral", None, None, "happy", "angry", "neutral"]
    )
    assert rows.report.labels_read is not None
    assert rows.report.labels_read.unknown == {"ㅈ중립": 1, "중림": 1}


@pytest.mark.parametrize("name", ["kote", "goemotions"])
@pytest.mark.parametrize("numbers", [False, True])
def test_a_corpus_is_mapped_by_its_name(tmp_path: Path, name: str, numbers: bool) -> None:
    """The slow rendering is `map_taxonomy`, name by name."""
    table: dict[str, Any] = {"kote": KOTE_TO_EMOTION, "goemotions": GOEMOTIONS_TO_EMOTION}[name]
    names, draw = list(table), random.Random(3)
    picked = [draw.sample(names, draw.randint(1, 3)) for _ in range(60)]
    cells = [",".join(str(names.index(each)) if numbers else each for each in row) for row in picked]
    path = write(tmp_path / "rows.csv", cells)
    rows, report = load_emotion_dataset_with_report(path, task="multi-label", label_map=name)
    expected = [map_taxonomy(row, table) for row in picked]
    assert [[EMOTION_LABELS[index] for index in found] for found in rows["label"][:]] == [
        list(row) for row in expected if row
    ]
    assert report.dropped.get("mapped_to_none", 0) == sum(not row for row in expected)
    counts = Counter(each for row in picked for each in row)
    found = {
        cell.split(" ", 1)[-1] if numbers else cell: n
        for cells in report.labels_read.mapped.values()
        for cell, n in cells.items()
    }
    assert found == dict(counts)
    one = [row for row in expected if len(row) == 1]
    single, _ = load(path, label_map=name, unknown_label="drop")
    assert single == [row[0] for row in one], "a cell whose values mean one label is that one"
    with pytest.raises(DataError, match="several labels"):
        load(path, label_map=name)


def test_columns_of_zeros_and_ones_are_mapped(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(
        "글,기쁘다,신난다,화난다\n버스를 탔다,1,0,0\n문이 열렸다,1,1,0\n비가 왔다,0,0,1\n", encoding="utf-8"
    )
    given = {"기쁘다": "happy", "신난다": "happy", "화난다": "angry"}
    rows, _ = load_emotion_dataset_with_report(path, task="multi-label", labels=["happy", "angry"], label_map=given)
    assert rows["label"][:] == [[0], [0], [1]]


@pytest.mark.parametrize(
    ("lines", "part"),
    [
        ("중림,중립\n중림 ,분노\n", "two meanings"),
        ("value,label\n중림,\n짜증,분노\n", "1 value(s) have no label (the row in parentheses): 중림 (2)"),
        ("value,label\n,중립\n", "row 2: the value is empty"),
        ("중림,중랍\n", "'중랍', which is none of the labels. Did you mean '중립'?"),
        ("a,b,c\n1,2,3\n", "expected two columns in a map"),
    ],
)
def test_a_map_that_is_wrong_says_where(tmp_path: Path, lines: str, part: str) -> None:
    given = tmp_path / "map.csv"
    given.write_text(lines, encoding="utf-8")
    with pytest.raises(DataError) as error:
        load(write(tmp_path / "rows.csv", CELLS), label_map=given)
    assert part in error.value.english
    assert str(given) in error.value.korean


def fault(path: Path, content: str) -> DataError:
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as error:
        label_map(path)
    return error.value


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("중림,중립\n중림 ,\u200b분노\n", (1, 2)),
        ("\n\nvalue,label\n중림,중립\n,\n\n중림,분노\n", (4, 7)),
        ("label,rows,value\n중립,3,중림\n분노,1,중림\n", (2, 3)),
    ],
)
def test_two_meanings_are_told_with_the_rows_of_the_file(tmp_path: Path, content: str, rows: tuple[int, int]) -> None:
    path = tmp_path / "map.csv"
    error = fault(path, content)
    place, number = rows
    assert (
        error.english
        == f"{path}: '중림' has two meanings, '중립' in row {place} and '분노' in row {number}. Leave one."
    )
    assert error.korean == (
        f"{path}: '중림'의 뜻이 둘입니다: {place}행은 '중립', {number}행은 '분노'. 하나만 남기세요."
    )
    assert error.mend == {"label_map": None, "write_label_map": "label_map.csv"}


def test_one_value_is_written_in_any_way_in_a_map_and_means_one_label() -> None:
    found = label_map({"03": "중립 ", "3.0": "중립", 3: "중립", "중림": "nan", "중림 ": None})  # type: ignore[dict-item]
    assert found == LabelMap("label_map", ("03", "중림"), ("중립", ""))
    for other in ("-", None):
        with pytest.raises(DataError, match=r"'sad' in row 1 and '-' in row 2"):
            label_map({"중림": "sad", "중림 ": other})
        with pytest.raises(DataError, match=r"1행은 '-', 2행은 'sad'"):
            label_map({"중림": other, "중림 ": "sad"})


@pytest.mark.parametrize("value", ["", " ", "\u200b", "\u3164 "])
def test_a_value_that_is_not_seen_means_nothing(tmp_path: Path, value: str) -> None:
    """Otherwise all empty cells would be rows of that label."""
    path = tmp_path / "map.csv"
    error = fault(path, f"value,label\n중림,중립\n\n{value},행복\n")
    assert error.english == f"{path}, row 4: the value is empty, and the label is '행복'. Fill it in or delete it."
    assert error.korean == f"{path} 4행: 값이 비었는데 레이블 '행복'이(가) 있습니다. 값을 적거나 행을 지우세요."
    assert error.mend == {"label_map": None, "write_label_map": "label_map.csv"}
    with pytest.raises(DataError, match="row 1: the value is empty"):
        label_map({value: "행복"})


def test_values_without_a_label_are_told_with_their_rows(tmp_path: Path) -> None:
    path = tmp_path / "map.csv"
    error = fault(path, "\nvalue,label\n가,중립\n나,\u200b\n,\n다,\n")
    assert error.english == (
        f"{path}: 2 value(s) have no label (the row in parentheses): 나 (4), 다 (6). Write the label each means, or - "
        "to leave its rows out."
    )
    assert error.korean == (
        f"{path}: 레이블이 빈 값이 2개입니다(괄호는 행): 나 (4), 다 (6). 뜻하는 레이블을, 뺄 값이면 -을(를) 적으세요."
    )
    assert error.mend == {"label_map": None, "write_label_map": "label_map.csv"}
    many = fault(path, "value,label\n" + "".join(f"값{number},\n" for number in range(21)))
    assert "21 value(s)" in many.english
    assert "값19 (21). Write" in many.english


@pytest.mark.parametrize("content", ["value,label\n", "value,label\n,\n\u200b, \n"])
def test_a_map_without_a_value_is_empty(tmp_path: Path, content: str) -> None:
    error = fault(tmp_path / "map.csv", content)
    assert "the map of labels is empty. Write a value" in error.english
    assert "레이블 표가 비었습니다. 한 행에 값과" in error.korean
    assert error.mend == {"label_map": None, "write_label_map": "label_map.csv"}


def test_the_first_row_of_a_map_is_shown_where_it_has_not_two_columns(tmp_path: Path) -> None:
    path = tmp_path / "map.csv"
    for row in (["가"], ["가", "나", "다"], [f"열{number}" for number in range(11)]):
        error = fault(path, ",".join(row) + "\n" + ",".join(row) + "\n")
        assert f"found {row[:10]} in the first row. Where there are more" in error.english
        assert f"첫 행은 {row[:10]}입니다" in error.korean
        assert error.mend == {"label_map": None, "write_label_map": "label_map.csv"}


def test_a_map_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    error = fault(tmp_path / "map.csv", "")
    assert error.english.startswith(f"Cannot read the `label_map`. {tmp_path / 'map.csv'}: the file is empty.")
    assert error.korean.startswith(f"`label_map`을 읽을 수 없습니다. {tmp_path / 'map.csv'}: 빈 파일입니다.")
    assert error.mend == {"label_map": None}


@pytest.mark.parametrize(
    ("given", "near"), [("kotee", "kote"), ("GoEmotion", "goemotions"), ("label_mop.csv", "label_map.csv"), ("x", None)]
)
def test_a_map_that_is_not_there_may_be_another(tmp_path: Path, given: str, near: str | None) -> None:
    (tmp_path / "label_map.csv").write_text("가,나\n", encoding="utf-8")
    with pytest.raises(DataError) as error:
        label_map(tmp_path / given)
    meant = None if near is None else near if "." not in near else str(tmp_path / near)
    assert error.value.mend == {"label_map": meant}
    words = f"{tmp_path / given}: there is no such table." + (f" Did you mean {meant}?" if near else "") + " Expected a"
    assert words in error.value.english
    assert ("혹시 " in error.value.korean) is (near is not None)
    assert "two columns, or kote or goemotions." in error.value.english
    with pytest.raises(DataError, match=r"there is no such table\. Expected"):
        label_map(tmp_path)


def test_a_map_is_proposed_and_reads_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "rows.csv", [*CELLS, "오묘함", "3.0", "3", "nan"])
    output = tmp_path / "map.csv"
    assert main(["doctor", str(path), "--write-label-map", str(output)]) == 0
    assert "? 오묘함 → ?  1" in capsys.readouterr().out
    with output.open(encoding="utf-8-sig") as handle:
        rows = [tuple(row.values()) for row in csv.DictReader(handle)]
    assert rows == [
        ("행복", "happy", "1", "label"),
        ("중립", "neutral", "2", "label"),
        ("3", "sad", "2", "label"),
        ("ㅈ중립", "neutral", "1", "nearest"),
        ("중림", "neutral", "1", "nearest"),
        ("오묘함", "", "1", "unknown"),
        ("짜증", "", "1", "unknown"),
    ]
    assert main(["doctor", str(path), "--write-label-map", str(output)]) == 2, "a map is not overwritten"
    with pytest.raises(DataError, match="오묘함"):
        label_map(output)
    filled = output.read_text(encoding="utf-8-sig").replace("오묘함,,", "오묘함,-,").replace("짜증,,", "짜증,분노,")
    output.write_text(filled, encoding="utf-8")
    found, report = load(path, label_map=output)
    assert found == ["neutral", "neutral", "neutral", "happy", "angry", "neutral", "sad", "sad"]
    assert report.dropped == {"empty_label": 1, "mapped_to_none": 1}


def test_numbers_that_are_no_ids_are_left_open(tmp_path: Path) -> None:
    """A file that counts from 1 has six numbers that are ids, of other labels."""
    found = label_values(write(tmp_path / "rows.csv", ["1", "2", "3", "7.0"]))
    assert [(value.value, value.label) for value in found] == [("1", ""), ("2", ""), ("3", ""), ("7", "")]
    frequent = ["기쁨"] * 30 + ["기븜", "슬픔"]
    found = label_values(write(tmp_path / "rows.csv", frequent), labels=None)
    assert [(value.value, value.label, value.how) for value in found] == [
        ("기쁨", "기쁨", "label"),
        ("슬픔", "슬픔", "label"),
        ("기븜", "기쁨", "nearest"),
    ]


NAMES = {
    6: ["기쁨", "당황", "분노", "불안", "상처", "슬픔"],
    7: ["fear", "surprise", "angry", "sad", "neutral", "happy", "disgust"],
    11: ["기쁨", "슬픔", "분노", "놀람", "공포", "혐오", "중립", "기대", "신뢰", "사랑", "수치심"],
    44: list(KOTE_TO_EMOTION),
    60: [f"감정{letter}{other}" for letter in "가나다라마바" for other in "ABCDEFGHIJ"],
}


@pytest.mark.parametrize("count", NAMES)
@pytest.mark.parametrize("written", ["as they are", "trailing blanks", "upper case", "ids beside"])
def test_the_names_of_any_taxonomy_are_taken_from_the_file(tmp_path: Path, count: int, written: str) -> None:
    names = NAMES[count]
    assert len(names) == count
    ways = {
        "as they are": lambda name, index, row: name,
        "trailing blanks": lambda name, index, row: name + ("", " ", "\u3000", "\u200b")[row],
        "upper case": lambda name, index, row: name.upper() if row == 3 else name,
        "ids beside": lambda name, index, row: f"{name}({index})",
    }
    cells = [ways[written](name, index, row) for row in range(4) for index, name in enumerate(names)]
    rows, report = load_emotion_dataset_with_report(write(tmp_path / "rows.csv", cells), labels="auto")
    assert rows.features["label"].names == sorted(names)
    assert set(report.label_counts.values()) == {4}
    given, _ = load_emotion_dataset_with_report(tmp_path / "rows.csv", labels=names)
    assert given["label"][:] == list(range(count)) * 4, "names in the order that is given"


@pytest.mark.parametrize("count", [6, 7, 11, 44, 60])
@pytest.mark.parametrize("form", ["{}", "{}.0", " {} ", "0{}"])
def test_numbers_of_any_taxonomy(tmp_path: Path, count: int, form: str) -> None:
    for first in (0, 1):
        numbers = list(range(first, first + count))
        path = write(tmp_path / "rows.csv", [form.format(number) for number in numbers] * 2)
        rows, _ = load_emotion_dataset_with_report(path, labels="auto")
        assert rows.features["label"].names == list(map(str, numbers)), "by size, and no ids"
        if first == 0:
            given, report = load_emotion_dataset_with_report(path, labels=NAMES[count])
            assert given["label"][:] == numbers * 2
            assert len(report.labels_read.numbers) == count
        else:
            with pytest.raises(DataError, match="seem to count from 1"):
                load_emotion_dataset_with_report(path, labels=NAMES[count])
            meant = {str(number): name for number, name in zip(numbers, NAMES[count], strict=True)}
            settled_rows, _ = load_emotion_dataset_with_report(path, labels=NAMES[count], label_map=meant)
            assert settled_rows["label"][:] == list(range(count)) * 2


def test_a_column_of_texts_may_have_a_name_of_one_letter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["버스를 놓쳤다,1,0", "문이 열렸다,0,1", "비가 왔다,1,1"]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["글,기쁨,놀람", *lines]) + "\n", encoding="utf-8")
    rows, report = load_emotion_dataset_with_report(path, task="multi-label", labels="auto")
    assert rows["text"][:] == ["버스를 놓쳤다", "문이 열렸다", "비가 왔다"]
    assert rows["label"][:] == [[0], [1], [0, 1]]
    assert report.columns[0].indicators == ("기쁨", "놀람")
    path.write_text("\n".join(["말씀,기쁨,놀람", *lines]) + "\n", encoding="utf-8")
    with pytest.raises(DataError) as error:
        load_emotion_dataset_with_report(path, task="multi-label", labels="auto")
    assert error.value.mend == {"text_column": "말씀"}, "the first row holds names, and is not taken for data"
    rows, _ = load_emotion_dataset_with_report(path, "말씀", task="multi-label", labels="auto")
    assert rows["label"][:] == [[0], [1], [0, 1]]


def test_a_map_translates_what_it_knows() -> None:
    found = LabelMap("x", ("a", "b", "c"), ("1st", "2nd", ""))
    assert [found.translate(cell) for cell in ("a", "A ", "c", "d", "", "a|b", "a|c", "a|d")] == (
        ["1st", "1st", "", "d", "", '["1st", "2nd"]', "1st", "a|d"]
    )
    assert found.translate("a|d", several=True) == '["1st", "d"]'
    assert found.translate("[]", several=True) == "[]"


def test_what_is_no_map_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no such table.*two columns"):
        label_map(tmp_path / "none.csv")
    for wrong in (5, ""):
        with pytest.raises(KoBERTEmotionError, match="Expected a path or a name as `label_map`"):
            label_map(wrong)  # type: ignore[arg-type]


def test_a_second_label_column_is_mapped_too_where_a_file_has_one(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("Text,Emotion,Label\n하나,행복,5\n둘,짜증,3\n셋,짜증,2\n넷,슬픔,3\n", encoding="utf-8")
    second.write_text("Text,Emotion\n다섯,행복\n여섯,짜증\n", encoding="utf-8")
    found, report = load([first, second], label_map={"짜증": "분노"})  # type: ignore[arg-type]
    assert found == ["happy", "sad", "angry", "sad", "happy", "angry"]
    assert (report.label_conflicts, report.labels_read.second) == (1, {"sad": {"분노": 1}})
    assert report.labels_read.confirmed == 3


def test_a_cell_of_several_labels_is_mapped_in_part(tmp_path: Path) -> None:
    cells = ["짜증|행복", "행복", "글쎄|짜증", "글쎄", "짜증|모름", ""]
    path = write(tmp_path / "rows.csv", cells)
    given: dict[str, Any] = {"task": "multi-label", "label_map": {"짜증": "분노", "글쎄": None}}
    with pytest.raises(DataError, match=r"row 6, column 'label': '모름'"):
        load_emotion_dataset_with_report(path, **given)
    rows, report = load_emotion_dataset_with_report(path, **given, unknown_label="drop")
    assert [[EMOTION_LABELS[index] for index in found] for found in rows["label"][:]] == (
        [["angry", "happy"], ["happy"], ["angry"]]
    )
    assert report.dropped == {"mapped_to_none": 1, "unknown_label": 1, "empty_label": 1}


def test_unknown_labels_are_left_out_without_a_map_too(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", ["짜증", "행복", "행복|짜증", ""])
    assert load(path, labels="auto", unknown_label="drop")[0] == ["짜증", "행복", "행복|짜증"]
    assert load(path, unknown_label="drop")[0] == ["happy"]
    settings: dict[str, Any] = {"unknown_label": "drop", "task": "multi-label", "labels": ["행복", "b"]}
    rows, report = load_emotion_dataset_with_report(path, **settings)
    assert (rows["label"][:], report.dropped) == ([[0]], {"unknown_label": 2, "empty_label": 1})


def test_what_a_map_was_asked_is_told_of_rows_with_a_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("text,label\n버스를 탔다,짜증\n,짜증\n ,짜증\n문이 열렸다,행복\n", encoding="utf-8")
    _, report = load(path, label_map={"짜증": "분노", "행복": "happy"})
    assert report.labels_read.mapped == {"angry": {"짜증": 1}, "happy": {"행복": 1}}
    assert report.dropped == {"empty_text": 2}


KINDS: dict[TaskName, list[Any]] = {
    "single-label": [1, None, 0],
    "multi-label": [[0, 1], None, []],
    "soft": [{"a": 1.0, "b": 3.0}, None, {"a": 2.0, "b": 2.0}],
}


@pytest.mark.parametrize("task", KINDS)
@pytest.mark.parametrize("wrap", [False, True])
def test_labels_of_any_kind_keep_their_rows(task: TaskName, wrap: bool) -> None:
    """Whatever the numbers of these, as in a part of a file."""
    kind = settled(label_kind(task), None, "drop") if wrap else label_kind(task)
    assert (kind.several, kind.votes) == (task == "multi-label", task == "soft")
    values = pd.Series(KINDS[task], index=[7, 3, 5], dtype="Int64" if task == "single-label" else object)
    left = kind.without(values, pd.Series([True, False, False], index=[7, 3, 5]))
    assert left.index.tolist() == [7, 3, 5]
    assert [None if found is pd.NA else found for found in left.tolist()] == [None, None, KINDS[task][2]]
    truth = kind.truth(values, ["a", "b"])
    assert (
        truth.tolist()
        == {
            "single-label": [1, -1, 0],
            "multi-label": [[1, 1], [-100, -100], [0, 0]],
            "soft": [[0.25, 0.75], [-100, -100], [0.5, 0.5]],
        }[task]
    )
    assert truth.dtype == ("float64" if task == "soft" else "int64")
    counts = {"single-label": {1: 1, 0: 1}, "multi-label": {0: 1, 1: 1}, "soft": {1: 1, 0: 1}}
    assert kind.counts(values) == counts[task]
    assert kind.counts(values[[False, True, False]]) == {}
    column = Dataset.from_dict(
        {"label": KINDS[task]}, features=Features({"label": kind.feature(["a", "b"])})
    )  # what a data set holds, and its type in Arrow
    assert column.data.schema.field("label").type == kind.arrow_type(["a", "b"])


def test_names_that_a_map_means_are_those_of_it_or_behind_a_coarse_label() -> None:
    found = LabelMap("map.csv", ("x", "y", "z"), ("슬픔", "Sad ", ""))
    names = ["슬픔", "상처/슬픔", "가/나/SAD", "슬픔/상처", "", "x", "기쁨"]
    assert found.in_use(names) == ("슬픔", "상처/슬픔", "가/나/SAD")
    other = LabelMap("map.csv", ("x", "y"), ("분통", ""))
    other.check(["가/나/분통", "sad"], ["x", "y", "?"])
    with pytest.raises(DataError, match=r"'x' means '분통'"):
        other.check(["분통/나/가", "sad"], ["x"])


@pytest.mark.parametrize("count", [20, 21])
def test_a_meaning_that_is_no_label_is_told_with_the_labels(count: int) -> None:
    found = LabelMap("map.csv", ("짜증", "글쎄", "우울"), ("분통", "", "이름 x"))
    names = [f"이름 {letter}" for letter in "abcdefghijklmnopqrstu"[:count]]
    listed = ", ".join(names[:20]) + ("" if count == 20 else ", …")
    found.check(names, ["글쎄", "이름 a", "모름", ""])
    with pytest.raises(DataError) as error:
        found.check(names, ["글쎄", "짜증|글쎄"])
    assert error.value.english == (
        "map.csv: the map says that '짜증' means '분통', which is none of the labels. "
        f"Labels: {listed}. To train on the names in the map, use `labels` auto."
    )
    assert error.value.korean == (
        "map.csv: 레이블 표가 '짜증'의 뜻으로 적은 '분통'은(는) 레이블이 아닙니다. "
        f"쓸 수 있는 레이블: {listed}. 표의 이름들로 학습하려면 `labels`를 auto로 하세요."
    )
    assert error.value.mend == {"labels": "auto"}
    with pytest.raises(DataError) as error:
        found.check(names, ["우울"])
    assert "which is none of the labels. Did you mean '이름 " in error.value.english
    assert error.value.english.endswith(f"'? Correct the map. Labels: {listed}.")
    assert "은(는) 레이블이 아닙니다. 혹시 '이름 " in error.value.korean
    assert error.value.korean.endswith(f"'인가요? 표를 고치세요. 쓸 수 있는 레이블: {listed}.")
    assert error.value.mend == error.value.otherwise
    assert error.value.mend == {"write_label_map": "label_map.csv", "labels": ",".join(names), "label_map": None}


def test_a_corpus_is_told_by_its_name() -> None:
    found = label_map("KOTE ")
    assert found is not None
    assert found.source == "kote"
    assert label_map(found) is found
    assert found.parts("0")[0] == ("0 불평/불만", "angry")
    assert found.parts("불평/불만")[0] == ("불평/불만", "angry")


def test_values_are_proposed_with_what_they_may_mean() -> None:
    cells = {"b ": 2, "B": 3, "Sad": 1, "sadd": 4, "x": 1, "y": 7, "nan": 9, " 02": 1, "2.0": 2, "기쁨(1)": 1}
    cells["행벅"] = 5
    names = ["b", "sad", "기쁨", "행복"]
    assert [(found.value, found.label, found.how, found.rows) for found in propose(cells, names)] == [
        ("B", "b", "label", 5),
        ("Sad", "sad", "label", 1),
        ("2", "기쁨", "label", 3),
        ("기쁨(1)", "기쁨", "label", 1),
        ("sadd", "sad", "nearest", 4),
        ("행벅", "행복", "nearest", 5),
        ("y", "", "unknown", 7),
        ("x", "", "unknown", 1),
    ]
    other = propose(cells | {"4": 1}, names)
    assert [found.value for found in other if found.how == "unknown"] == ["y", "2", "4", "x"], "another scheme"
    assert propose({}, names) == []


def test_a_map_is_written_for_excel(tmp_path: Path) -> None:
    write_label_map(tmp_path / "map.csv", [Proposal("짜증", "", "unknown", 3), Proposal("a,b", "c", "label", 1)])
    expected = 'value,label,rows,how\r\n짜증,,3,unknown\r\n"a,b",c,1,label\r\n'
    assert (tmp_path / "map.csv").read_bytes() == b"\xef\xbb\xbf" + expected.encode()


@pytest.mark.parametrize(("rows", "proposed"), [(10, "기쁨"), (9, "기븜")])
def test_a_rare_value_is_a_slip_for_one_ten_times_as_frequent(tmp_path: Path, rows: int, proposed: str) -> None:
    found = label_values(write(tmp_path / "rows.csv", ["기쁨"] * rows + ["기븜", "슬픔"]), labels="auto")
    assert {value.value: value.label for value in found} == {"기쁨": "기쁨", "기븜": proposed, "슬픔": "슬픔"}


def test_values_of_several_labels_and_of_rows_with_a_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("text,fine,label\n버스,a,기쁨|x\n,b,기쁨\n문,c,x;기쁨\n", encoding="utf-8")
    found = label_values(path, label_column="label", labels=["기쁨"], task="multi-label")
    assert [(value.value, value.rows) for value in found] == [("기쁨", 2), ("x", 2)]
    assert [value.value for value in label_values(path, fine_label_column="fine", labels=None)] == ["a", "c"]


def test_values_of_the_columns_that_are_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("말;비고;label;감정2\n버스;긴 글;기쁨;x\n문;긴 글;슬픔;y\n;긴 글;z;z\n", encoding="utf-8")

    def values(**settings: Any) -> list[str]:
        return [found.value for found in label_values(path, labels=["기쁨"], **settings)]

    semicolons = ReadOptions(delimiter=";")
    assert values(text_column="말", reading=semicolons) == ["기쁨", "슬픔"]
    assert values(text_column="비고", reading=semicolons) == ["기쁨", "z", "슬픔"]
    assert values(text_column="말", label_column="감정2", reading=semicolons) == ["x", "y"]
    assert values(text_column="말", fine_label_column="감정2", label_column="label", reading=semicolons) == ["x", "y"]
    assert values(text_column="1", label_column="4", reading=ReadOptions(delimiter=";", no_header=True)) == (
        ["x", "y", "감정2"]
    )


def test_values_of_columns_for_each_label_and_of_votes(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("text,기쁨,슬픔,번호\n버스,1,0,7\n문,1,1,8\n", encoding="utf-8")
    found = label_values(path, labels=["기쁨", "슬픔"], task="multi-label")
    assert [(value.value, value.rows) for value in found] == [("기쁨", 2), ("슬픔", 1)]
    path.write_text("text,기쁨,슬픔,번호\n버스,3,0,7\n문,1,2,8\n", encoding="utf-8")
    found = label_values(path, labels=["기쁨", "슬픔"], task="soft")
    assert [(value.value, value.rows) for value in found] == [("기쁨", 2), ("슬픔", 1)]
    path.write_text('text,label\n버스,"{""기쁨"": 2, ""x"": 1}"\n문,x;기쁨\n', encoding="utf-8")
    for labels in (None, "auto"):
        found = label_values(path, labels=labels, task="soft")
        assert [(value.value, value.label, value.rows) for value in found] == [("x", "x", 2), ("기쁨", "기쁨", 2)]


def test_a_frequent_value_is_one_in_all_its_spellings(tmp_path: Path) -> None:
    cells = ["기쁨"] * 5 + ["기쁨 "] * 3 + ["기쁨(1)"] * 2 + ["기븜"]
    assert {found.value: found.label for found in label_values(write(tmp_path / "a.csv", cells), labels=None)} == {
        "기쁨": "기쁨",
        "기쁨(1)": "기쁨",
        "기븜": "기쁨",
    }


def test_values_that_are_given_as_names_are_no_slips(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ["기쁨"] * 20 + ["기븜"])
    assert {found.label for found in label_values(path, labels=["기쁨", "기븜"])} == {"기쁨", "기븜"}
