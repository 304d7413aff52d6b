"""Cells that are no strings: labels whose names a Parquet file knows, texts in bytes, lists where texts belong."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features, Value
from datasets import Sequence as SequenceOf

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.data.dataset import load_emotion_dataset, load_emotion_dataset_with_report
from kobert_hf_emotion.data.row_stream import open_rows
from kobert_hf_emotion.data.tables import read_table
from kobert_hf_emotion.errors import DataError
from kobert_hf_emotion.labels import EMOTION_LABELS

TEXTS = ["생각보다 일찍 왔다", "갑자기 문이 열렸다", "비가 와서 못 갔다", "버스를 탔다"]
OTHER_ORDER = ["happy", "angry", "fear", "sad", "neutral", "surprise", "disgust"]


def written(path: Path, feature: Any, values: list[Any], text: Any = None) -> Path:
    """A Parquet file as `datasets` writes it."""
    features = Features({"text": Value("string"), "label": feature})
    Dataset.from_dict({"text": text or TEXTS[: len(values)], "label": values}, features=features).to_parquet(path)
    return path


def failure(path: Path, **options: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        load_emotion_dataset(path, **options)
    return caught.value


@pytest.mark.parametrize("names", [OTHER_ORDER, ["행복", "분노", "공포", "슬픔", "중립", "놀람", "혐오"]])
def test_ids_are_read_as_the_names_that_the_file_has_for_them(tmp_path: Path, names: list[str]) -> None:
    path = written(tmp_path / "a.parquet", ClassLabel(names=names), [0, 1, 5, 2])
    found, report = load_emotion_dataset_with_report(path)
    assert [found.features["label"].int2str(index) for index in found["label"]] == [
        "happy",
        "angry",
        "surprise",
        "fear",
    ]
    assert f"column 'label' are read as the names that the file has for them: 0 {names[0]}, 1" in str(report.notes)
    assert f"'label' 열의 번호는 파일에 적힌 이름으로 읽습니다: 0 {names[0]}, 1" in str(report.notes)
    chunks = list(open_rows(path, EMOTION_LABELS, chunk_rows=3).chunks(3))
    assert [label for chunk in chunks for label in chunk["label"]] == [5, 2, 1, 0]
    own = load_emotion_dataset(path, labels=None)
    assert set(own.features["label"].names) == {names[index] for index in (0, 1, 5, 2)}


def test_what_is_loaded_and_written_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *map(",".join, zip(TEXTS, OTHER_ORDER, strict=False))]))
    first = load_emotion_dataset(tmp_path / "a.csv", labels=sorted(OTHER_ORDER))
    first.to_parquet(tmp_path / "b.parquet")
    again = load_emotion_dataset(tmp_path / "b.parquet", labels=OTHER_ORDER)
    assert again["label"][:] == [0, 1, 2, 3]
    assert again["text"][:] == TEXTS


@pytest.mark.parametrize("kind", [SequenceOf, lambda label: [label]])
def test_lists_of_ids_are_lists_of_names(tmp_path: Path, kind: Any) -> None:
    path = written(tmp_path / "a.parquet", kind(ClassLabel(names=OTHER_ORDER)), [[0, 2], [1], [], [6]])
    found = load_emotion_dataset(path, task="multi-label")
    assert found["label"][:] == [[0, 5], [2], [], [6]]


def test_an_id_without_a_name_is_refused_and_no_label_is_none(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", ClassLabel(names=OTHER_ORDER), [0, -1, None, 3])
    found, report = load_emotion_dataset_with_report(path)
    assert found["label"][:] == [5, 3]
    assert sum(report.dropped.values()) == 2
    schema = pq.read_schema(path)
    for value, size in ((3, 3), (-2, 7)):
        few = json.dumps({"info": {"features": {"label": {"names": OTHER_ORDER[:size], "_type": "ClassLabel"}}}})
        table = pa.table({"text": TEXTS, "label": [0, 1, value, 2]}, metadata={"huggingface": few})
        pq.write_table(table, tmp_path / "b.parquet")
        error = failure(tmp_path / "b.parquet")
        assert f"row 3, column 'label': the file has no name for {value}, only for the ids from 0 to {size - 1}" in (
            error.english
        )
        assert f"3행 'label' 열의 {value}에 해당하는 이름이" in error.korean
        assert f"이름은 0에서 {size - 1}까지의 번호에" in error.korean
        assert str(tmp_path / "b.parquet") in error.english
        with pytest.raises(DataError, match=f"row 3, column 'label': the file has no name for {value},"):
            open_rows(tmp_path / "b.parquet", EMOTION_LABELS, chunk_rows=1)
    assert b"huggingface" in schema.metadata


def test_an_id_without_a_name_in_a_list(tmp_path: Path) -> None:
    names = {"feature": {"names": OTHER_ORDER[:2], "_type": "ClassLabel"}, "_type": "List"}
    few = json.dumps({"info": {"features": {"label": names}}})
    pq.write_table(
        pa.table({"text": TEXTS, "label": [[0], [1], [0, 2], []]}, metadata={"huggingface": few}), tmp_path / "a"
    )
    path = (tmp_path / "a").rename(tmp_path / "a.parquet")
    error = failure(path, task="multi-label")
    assert error.english.startswith(
        f"{path}: row 3, column 'label': the file has no name for 2, only for the ids from 0"
    )
    cut = tmp_path / "b.parquet"
    cut.write_bytes(path.read_bytes()[:-20])
    assert f"{cut}: this does not read as a Parquet file (" in failure(cut).english


def test_a_compressed_file(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", ClassLabel(names=OTHER_ORDER), [0, 1, 2, 3])
    (tmp_path / "b.parquet.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert load_emotion_dataset(tmp_path / "b.parquet.gz")["label"][:] == [5, 2, 0, 3]
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / "c.parquet")
    assert failure(tmp_path / "c.parquet").english.startswith(
        f"{tmp_path / 'c.parquet'}: there are column names (text)"
    )


def test_lists_as_older_versions_describe_them(tmp_path: Path) -> None:
    older = json.dumps({"info": {"features": {"label": [{"names": OTHER_ORDER, "_type": "ClassLabel"}]}}})
    table = pa.table({"text": TEXTS, "label": [[0], [1], [0, 2], []]}, metadata={"huggingface": older})
    pq.write_table(table, tmp_path / "a.parquet")
    assert load_emotion_dataset(tmp_path / "a.parquet", task="multi-label")["label"][:] == [[5], [2], [0, 5], []]


def test_ten_names_are_shown_and_rows_are_counted_from_one(tmp_path: Path) -> None:
    for size in (10, 12):
        names = [f"감정{number}" for number in range(size)]
        path = written(tmp_path / f"{size}.parquet", ClassLabel(names=names), [0, 1, 2, 3])
        _, report = load_emotion_dataset_with_report(path, labels=names)
        [note] = report.notes
        shown = ", ".join(f"{number} 감정{number}" for number in range(10)) + (", …" if size > 10 else "")
        assert note.english == (
            f"{path}: the ids in column 'label' are read as the names that the file has for them: {shown}."
        )
    assert "row 4, column 'label': '감정3'" in failure(path, labels=names[:3]).english


def test_a_list_far_down(tmp_path: Path) -> None:
    texts = pa.array([None] * 2500 + [["가"]] + [None] * 10, type=pa.list_(pa.string()))
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet")
    error = failure(tmp_path / "a.parquet", require_labels=False)
    assert "expected a text in row 2501, column 'text', found [\"가\"]." in error.english


@pytest.mark.parametrize(
    "metadata", [b"{", b"[]", b'{"info": {}}', b'{"info": {"features": {"label": 3}}}', b'{"info": {"features": [1]}}']
)
def test_what_others_write_there_is_not_ours(tmp_path: Path, metadata: bytes) -> None:
    table = pa.table({"text": TEXTS, "label": [0, 1, 2, 3]}, metadata={b"huggingface": metadata})
    pq.write_table(table, tmp_path / "a.parquet")
    assert load_emotion_dataset(tmp_path / "a.parquet")["label"][:] == [0, 1, 2, 3]


@pytest.mark.parametrize("cells", [["happy", "angry", None, "fear"], [0.0, 1.0, None, 2.0], [0.0, 1.0, -1.0, 2.0]])
def test_names_and_decimals_where_ids_are_described(tmp_path: Path, cells: list[Any]) -> None:
    described = json.dumps({"info": {"features": {"label": {"names": OTHER_ORDER, "_type": "ClassLabel"}}}})
    table = pa.table({"text": TEXTS, "label": cells}, metadata={"huggingface": described})
    pq.write_table(table, tmp_path / "a.parquet")
    assert load_emotion_dataset(tmp_path / "a.parquet")["label"][:] == [5, 2, 0]


def test_names_that_are_numbers_stay_numbers(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", ClassLabel(num_classes=7), [6, 0, 3, 1])
    assert load_emotion_dataset(path)["label"][:] == [6, 0, 3, 1]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_texts_in_bytes(tmp_path: Path, kind: pa.DataType) -> None:
    texts = pa.array([text.encode() for text in TEXTS], type=kind)
    pq.write_table(pa.table({"text": texts, "label": ["happy"] * 4}), tmp_path / "a.parquet")
    assert load_emotion_dataset(tmp_path / "a.parquet")["text"][:] == TEXTS
    texts = pa.array([*(text.encode() for text in TEXTS[:3]), b"\xff\xfe"], type=kind)
    pq.write_table(pa.table({"text": texts, "label": ["happy"] * 4}), tmp_path / "b.parquet")
    assert "expected a text in row 4, column 'text', found b'\\xff\\xfe'." in failure(tmp_path / "b.parquet").english


LISTS = [["생각보다", "일찍"], ["문이"]]


def test_a_list_is_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str], tiny_model_folder: Path) -> None:
    frame = pd.DataFrame({"text": LISTS, "label": ["happy", "sad"], "본문": TEXTS[:2]})
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_json(tmp_path / "b.json", orient="records", force_ascii=False)
    frame.to_json(tmp_path / "c.jsonl", orient="records", lines=True, force_ascii=False)
    mixed = [{"text": "가 나"}, {}, {"text": "다"}, {"text": ["라", "마"]}, {"text": ["바"]}]
    (tmp_path / "d.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in mixed), encoding="utf-8")
    for name in ("a.parquet", "b.json", "c.jsonl"):
        error = failure(tmp_path / name, text_column="text")
        assert f'{name}: expected a text in row 1, column \'text\', found ["생각보다", "일찍"].' in error.english
        assert f'{name}: 1행 \'text\' 열에는 글이 아니라 ["생각보다", "일찍"]이(가) 있습니다' in error.korean
        assert load_emotion_dataset(tmp_path / name, text_column="본문")["text"][:] == TEXTS[:2]
        assert main(["predict", str(tiny_model_folder), str(tmp_path / name), "--text-column", "text"]) == 2
        assert "--text-column" in capsys.readouterr().err
    error = failure(tmp_path / "d.jsonl", require_labels=False)
    assert 'expected a text in row 4, column \'text\', found ["라", "마"]' in error.english
    pairs = pd.DataFrame({"text": TEXTS[:2], "label": ["happy", "sad"], "before": LISTS})
    pairs.to_parquet(tmp_path / "e.parquet")
    assert "`text_pair_column`" in failure(tmp_path / "e.parquet", text_pair_column="before").english


def test_objects_in_other_columns_are_in_nobodys_way(tmp_path: Path) -> None:
    audio = [{"bytes": b"\xff\0"}] * 4
    frame = pd.DataFrame({"text": TEXTS, "label": ["happy"] * 4, "a.b": [b"\xff"] * 4, "audio": audio})
    frame.to_parquet(tmp_path / "a.parquet")
    assert load_emotion_dataset(tmp_path / "a.parquet")["text"][:] == TEXTS
    assert [found.column for found in read_table(tmp_path / "a.parquet").structures] == ["a.b", "audio"]


FRAME = pd.DataFrame({"text": TEXTS, "label": ["happy", "sad", "angry", "fear"], "id": [7, 8, 9, 10]})


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("orient", ["columns", "index", "split", "records", "table", "list"])
def test_tables_as_pandas_writes_them(tmp_path: Path, orient: Any, indent: int | None, name: str) -> None:
    plain = FRAME.to_dict("list") if orient == "list" else json.loads(FRAME.to_json(orient=orient))
    (tmp_path / name).write_text(json.dumps(plain, ensure_ascii=False, indent=indent), encoding="utf-8")
    found, report = load_emotion_dataset_with_report(tmp_path / name)
    assert found["text"][:] == TEXTS
    assert found["label"][:] == [5, 3, 2, 0]
    assert found["row"][:] == [1, 2, 3, 4]
    in_korean = {
        "columns": "키마다 열 하나로 읽습니다", "list": "키마다 열 하나로 읽습니다",
        "index": "키마다 한 행으로 읽습니다",
        "split": "'data'를 행으로, 'columns'를 열 이름으로 읽습니다", "table": "'data' 아래의 배열을 행으로 읽습니다",
    }  # fmt: skip
    assert in_korean.get(orient, "") in str(report.notes)
    said = {
        "columns": "each key is read as a column", "list": "each key is read as a column",
        "index": "each key is read as a row", "split": "'data' is read as rows below 'columns'",
        "table": "the array 'data' is read as rows",
    }  # fmt: skip
    assert said.get(orient, "") in str(report.notes)
    assert bool(report.notes) == (orient != "records")


def test_rows_under_names(tmp_path: Path) -> None:
    rows = {f"S{number}": {"text": text, "label": "happy"} for number, text in enumerate(TEXTS)}
    (tmp_path / "a.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    assert load_emotion_dataset(tmp_path / "a.json")["text"][:] == TEXTS


@pytest.mark.parametrize(
    "row",
    [
        {"text": "좋아", "tags": ["a", "b"]},
        {"text": "좋아", "meta": {"0": "a"}},
        {"words": ["a", "b"], "tags": ["x", "y"]},
        {"tags": ["a", "b"]},
        {"a": {"x": "1"}, "b": {"x": "2"}},
        {"a": {"x": "1"}, "b": {"y": "2"}},
        {"text": ["a", "b"], "tags": ["x"]},
        {"text": [["a"], ["b"]]},
        {"text": [], "label": []},
        {"columns": ["text"], "index": [0], "data": [["a", "b"]]},
        {"columns": ["text"], "index": [], "data": []},
    ],
    ids=str,
)
def test_one_row_is_no_table(tmp_path: Path, row: dict[str, Any]) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    assert len(read_table(tmp_path / "a.jsonl").frame) == 1


def test_keys_that_are_data(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(dict(zip(TEXTS, OTHER_ORDER, strict=False)), ensure_ascii=False))
    error = failure(tmp_path / "a.json")
    assert "expected names of columns as the keys, found what looks like data (생각보다 일찍 왔다 | " in error.english
    assert "키가 열 이름이 아니라 데이터(생각보다 일찍 왔다 | " in error.korean
    assert not error.mend


PAGE = "<html><body><table><tr><th>text<th>label<tr><td>가 나<td>happy</table></body></html>"
XML = '<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n<Workbook xmlns="urn:x"></Workbook>'


@pytest.mark.parametrize("name", ["a.xls", "a.xlsx", "a.csv", "a.tsv", "a.txt", "a.json"])
@pytest.mark.parametrize("content", [PAGE, "\n<!DOCTYPE html>\n" + PAGE, "<!-- x -->" + PAGE.upper(), XML])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
def test_web_pages_under_other_names(tmp_path: Path, name: str, content: str, encoding: str) -> None:
    (tmp_path / name).write_text(content, encoding=encoding)
    for options in ({}, {"require_labels": False}):
        error = failure(tmp_path / name, **options)
        assert f"{name}: this is a web page (HTML) or XML and no table" in error.english
        assert f"{name}: 표 파일이 아니라 웹 페이지(HTML)나 XML입니다" in error.korean


def test_files_under_the_name_of_another_kind(tmp_path: Path) -> None:
    FRAME.to_excel(tmp_path / "a.xlsx", index=False)
    FRAME.to_parquet(tmp_path / "a.parquet")
    for source, kind in (("a.xlsx", ".xlsx"), ("a.parquet", ".parquet")):
        for name in ("b.csv", "b.txt", "b.jsonl"):
            (tmp_path / name).write_bytes((tmp_path / source).read_bytes())
            error = failure(tmp_path / name)
            suffix = Path(name).suffix
            assert error.english == (
                f"{tmp_path / name}: its name ends in '{suffix}', its content is a {kind} file. Rename it to end in "
                f"'{kind}'."
            )
            assert f"내용은 {kind} 파일입니다. 이름을 '{kind}'로" in error.korean
    for separator, kind in (("\t", ".tsv"), (",", ".csv")):
        for encoding in ("utf-8", "cp949"):
            FRAME.to_csv(tmp_path / "c.xls", sep=separator, index=False, encoding=encoding)
            assert f"its content is text. Rename it to end in '{kind}'" in failure(tmp_path / "c.xls").english
            (tmp_path / "c.xls").rename(tmp_path / f"d{kind}")
            assert load_emotion_dataset(tmp_path / f"d{kind}")["text"][:] == TEXTS
    angle = tmp_path / "e.csv"
    angle.write_text("text,label\n<html> 태그가 뭐야,happy\n<3 좋아,happy\n", encoding="utf-8")
    assert load_emotion_dataset(angle)["text"][:] == ["<html> 태그가 뭐야", "<3 좋아"]
