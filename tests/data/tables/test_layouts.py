"""Layouts that people have: no header, headers further down, JSON documents, archives, separators."""

from __future__ import annotations

import gzip
import json
import shlex
import zipfile
from pathlib import Path
from typing import Any

import pytest

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.data.dataset import load_emotion_dataset, load_emotion_dataset_with_report
from kobert_hf_emotion.data.row_stream import open_rows
from kobert_hf_emotion.data.tables import ReadOptions, read_table
from kobert_hf_emotion.errors import DataError
from kobert_hf_emotion.labels import EMOTION_LABELS

PAIRS = [
    ("합격해서 춤을 췄다", "행복"),
    ("비가 와서 처진다", "슬픔"),
    ("골목이 어둡다", "공포"),
    ("세 시에 회의", "중립"),
]
TEXTS = [text for text, _ in PAIRS]
CSV = "문장,감정\n" + "".join(f"{text},{label}\n" for text, label in PAIRS)


def write(path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def failure(path: Path, **options: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        load_emotion_dataset(path, **options)
    return caught.value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("a.txt", "어제는 비가 왔다, 많이\n버스를 놓쳤다\n\n동생이 합격했다\n", 3),
        ("a.txt", "버스를 놓쳤다\n동생이, 합격했다\n", 2),
        ("a.txt", '"버스를" 놓쳤다\n"동생이 합격했다\n그래"\n', 3),
        ("a.txt", "ㅋㅋㅋ\nㅠㅠ\n좋아\n", 3),
        ("a.csv", "어제는 비가 왔다, 많이\n버스를 놓쳤다\n동생이 합격했다\n", 3),
        ("a.csv", "오늘은 좋았다\n버스를 놓쳤다\n동생이 합격했다\n", 3),
    ],
)
def test_one_sentence_a_line(tmp_path: Path, name: str, content: str, rows: int, encoding: str) -> None:
    path = write(tmp_path / name, content, encoding)
    error = failure(path, require_labels=False)
    assert error.mend["no_header"] is True
    assert error.mend["text_column"] == "1"
    assert "--text-column" not in str(error)
    reading = {key: value for key, value in error.mend.items() if key != "text_column"}
    dataset = load_emotion_dataset(path, text_column="1", require_labels=False, **reading)  # type: ignore[arg-type]
    lines = [line for line in content.splitlines() if line.strip()]
    if '"' not in content:
        assert dataset["text"][:] == lines
    by_line = load_emotion_dataset(path, require_labels=False, no_header=True, delimiter="line")
    assert by_line["text"][:] == lines
    assert len(lines) == rows


STARS = "".join(f"{star}\t{text}\n" for star, text in zip([1, 2, 4, 5], TEXTS, strict=True))


@pytest.mark.parametrize(
    ("name", "content", "text", "label"),
    [
        ("a.txt", STARS, "2", "1"),
        ("a.tsv", STARS * 2, "2", "1"),
        ("a.csv", CSV.split("\n", 1)[1], "1", "2"),
        ("a.csv", "".join(f"{i},{text},{label}\n" for i, (text, label) in enumerate(PAIRS)), "2", "3"),
        ("a.csv", "".join(f"{label};{text}\n" for text, label in PAIRS), "2", "1"),
    ],
)
def test_headerless_tables(tmp_path: Path, name: str, content: str, text: str, label: str) -> None:
    path = write(tmp_path / name, content)
    error = failure(path)
    assert (error.mend["text_column"], error.mend.get("label_column")) in [(text, label), (text, None)]
    assert error.mend["no_header"] is True
    first_cells = content.split("\n", 1)[0].replace("\t", ",").replace(";", ",").split(",")
    assert not {cell for cell in first_cells if not cell.isdecimal()} & set(map(str, error.mend.values()))
    dataset = load_emotion_dataset(path, text, label, labels=None, no_header=True)
    assert len(dataset) == content.count("\n")
    assert dataset["row"][:] == list(range(1, len(dataset) + 1))
    # a column named by its position without saying that there is no header gets the same hint
    assert failure(path, text_column=text).mend["no_header"] is True


def test_the_hint_for_a_headerless_file_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], tiny_model_folder: Path
) -> None:
    for name, content in (("a.txt", "어제는 비가 왔다, 많이\n버스를 놓쳤다\n동생이 합격했다\n"), ("b.txt", STARS)):
        path = write(tmp_path / name, content)
        assert main(["predict", str(tiny_model_folder), str(path), "--json"]) == 2
        hint = capsys.readouterr().err.splitlines()[-1]
        words = shlex.split(hint)
        assert words[:4] == ["$", "kobert-emotion", "predict", str(tiny_model_folder)]
        assert main(words[2:]) == 0
        assert json.loads(capsys.readouterr().out)["rows"] == content.count("\n")


@pytest.mark.parametrize(
    "header", [["id", "body"], ["번호", "댓글 본문"], ["no", "Comments"], ["tweet id", "tweet text"], ["순번", "말"]]
)
def test_names_that_are_not_known_are_still_names(tmp_path: Path, header: list[str]) -> None:
    rows = "".join(f"{i},{text}\n" for i, text in enumerate(TEXTS))
    error = failure(write(tmp_path / "a.csv", ",".join(header) + "\n" + rows), require_labels=False)
    assert "no_header" not in error.mend
    assert f"Columns found: {', '.join(header)}" in error.english


@pytest.mark.parametrize(
    ("above", "row"),
    [
        ("# 2023 캡스톤 3조\n", 2),
        ("# 만든이: 김, 이\n# 둘째 줄\n", 3),
        ('# 따옴표 "하나\n', 2),
        ("감정 데이터\n\n", 3),
        ("\n\n", 3),
        ("중립,\n", 2),
    ],
)
def test_lines_above_the_column_names(tmp_path: Path, above: str, row: int) -> None:
    path = write(tmp_path / "a.csv", above + CSV)
    dataset, report = load_emotion_dataset_with_report(path)
    assert dataset["text"][:] == TEXTS
    assert report.reading[0].header_row == row
    assert (f"row {row}" in str(report.notes)) == bool(above.strip())
    again, said = load_emotion_dataset_with_report(path, reading=report.reading[0])
    assert again[:] == dataset[:]
    assert said.notes == ()
    assert f"row {row + 1}" in failure(write(tmp_path / "b.csv", above + CSV.replace("행복", "??"))).english


def test_comments_above_names_that_are_not_known(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "# 설명\nbody,tag\n" + CSV.split("\n", 1)[1])
    assert load_emotion_dataset(path, "body", "tag")["text"][:] == TEXTS
    assert list(read_table(write(tmp_path / "b.csv", "#,문장\n1,좋아\n")).frame.columns) == ["#", "문장"]


@pytest.mark.parametrize("delimiter", ["|", ";", "\t", ","])
def test_separators(tmp_path: Path, delimiter: str) -> None:
    content = CSV.replace(",", delimiter)
    for name in ("a.csv", "a.txt"):
        assert load_emotion_dataset(write(tmp_path / name, content))["text"][:] == TEXTS
    for first in (f"sep={delimiter}\n", f"\ufeffsep={delimiter}\r\n", f'"sep={delimiter}"\n'):
        path = write(tmp_path / "b.csv", first + content)
        assert load_emotion_dataset(path)["text"][:] == TEXTS
        assert "row 4" in failure(write(tmp_path / "c.csv", first + content.replace("슬픔", "??"))).english
    tilde = write(tmp_path / "d.csv", CSV.replace(",", "~"))
    assert load_emotion_dataset(tilde, delimiter="~")["text"][:] == TEXTS
    assert "delimiter" in failure(path, delimiter="--").mend


KEMDY = """Numb,Wav,,Segment ID,Text,Total Evaluation,,,Eval01F,,
 ,Start,End,,,Emotion,Valence,Arousal,Emotion,Valence,Arousal
0,0.1,0.9,Sess01_001,좋은 아침,happy,3.1,2.9,neutral,3,3
1,1.1,1.9,Sess01_002,또 늦었네,{},3.1,2.9,neutral,3,3
"""


def test_two_header_rows_of_kemdy(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", KEMDY.format("angry"))
    dataset, report = load_emotion_dataset_with_report(path)
    assert (dataset["text"][:], dataset["label"][:]) == (["좋은 아침", "또 늦었네"], [5, 2])
    assert "kemdy" in str(report.notes)
    assert report.reading[0].layout == "kemdy"
    assert load_emotion_dataset(path, layout="kemdy")[:] == dataset[:]
    error = failure(write(tmp_path / "b.csv", KEMDY.format("neutral;happy")))
    assert "row 4, column 'Emotion': 'neutral;happy'" in error.english
    bare = KEMDY.replace(",Text,", ",,").format("angry")
    assert "Segment ID" in failure(write(tmp_path / "c.csv", bare)).english
    assert failure(write(tmp_path / "d.csv", CSV), layout="kemdy").mend == {"layout": None}


def talk(number: int, text: str, emotion: str) -> dict[str, Any]:
    return {
        "profile": {"persona-id": f"P{number}", "emotion": {"type": emotion, "situation": ["S06"]}},
        "talk": {"id": {"talk-id": f"t{number}"}, "content": {"HS01": text, "SS01": "네.", "HS02": "그래"}},
    }


def test_nested_json_of_ai_hub(tmp_path: Path, capsys: pytest.CaptureFixture[str], tiny_model_folder: Path) -> None:
    records = [talk(i, text, f"E1{i}") for i, text in enumerate(TEXTS)]
    path = write(tmp_path / "a.json", json.dumps(records, ensure_ascii=False, indent=1))
    error = failure(path)
    assert error.mend == {
        "text_column": "talk.content.HS01", "label_column": "profile.emotion.type", "labels": "auto",
    }  # fmt: skip
    dataset = load_emotion_dataset(path, "talk.content.HS01", "profile.emotion.type", labels=None)
    assert dataset["text"][:] == TEXTS
    assert dataset.features["label"].names == ["E10", "E11", "E12", "E13"]
    assert main(["predict", str(tiny_model_folder), str(path)]) == 2
    words = shlex.split(capsys.readouterr().err.splitlines()[-1])
    assert main([*words[2:], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 4


RECORDS = [{"text": text, "label": label} for text, label in PAIRS]


@pytest.mark.parametrize(
    "document",
    [
        RECORDS,
        {"data": RECORDS},
        {"info": {"name": "말뭉치"}, "data": RECORDS, "tags": ["a"]},
    ],
)
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
@pytest.mark.parametrize("indent", [None, 2])
def test_json_documents(tmp_path: Path, document: Any, name: str, indent: int | None) -> None:
    path = write(tmp_path / name, json.dumps(document, ensure_ascii=False, indent=indent))
    dataset, report = load_emotion_dataset_with_report(path)
    assert dataset["text"][:] == TEXTS
    assert dataset["row"][:] == [1, 2, 3, 4]
    assert ("'data'" in str(report.notes)) == isinstance(document, dict)
    assert [len(part) for part in open_rows(path, EMOTION_LABELS).chunks(3)] == [3, 1]


def test_json_lines_named_json(tmp_path: Path) -> None:
    content = "\n".join(json.dumps(record, ensure_ascii=False) for record in RECORDS)
    assert load_emotion_dataset(write(tmp_path / "a.json", content))["text"][:] == TEXTS
    one = write(tmp_path / "b.json", '{"text": "좋아", "meta": {"n": 1}}')
    assert read_table(one).frame.to_dict("list") == {"text": ["좋아"], "meta.n": ["1"]}


@pytest.mark.parametrize(
    "content",
    [
        "[1, 2]", '["좋아", "싫어"]', '{"a": 1, "b": 2,', "3",
        '[{"text": "가"}, 3]', '{"a": [{"x": 1}], "b": [{"y": 2}]}',
        '[{"text": "가", "text": "나"}]', '[{"a.b": 1, "a": {"b": 2}}]', "[]", "[{}]", '[{"text": "가"}] x',
    ],
)  # fmt: skip
def test_other_json_is_refused(tmp_path: Path, content: str) -> None:
    assert "a.json" in str(failure(write(tmp_path / "a.json", content)))


def archive(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name, content in files.items():
            made.writestr(name.replace("__", "/"), content)
    return path


def test_an_archive_with_one_table(tmp_path: Path) -> None:
    clutter = {"__MACOSX/._a.csv": b"x", "folder/.DS_Store": b"x", "folder/읽어보세요.hwp": b"x"}
    for content in (CSV.encode("cp949"), CSV.encode("utf-8-sig")):
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w") as made:
            for name, part in {**clutter, "folder/자료.csv": content}.items():
                made.writestr(name, part)
        dataset, report = load_emotion_dataset_with_report(path)
        assert dataset["text"][:] == TEXTS
        assert "folder/자료.csv" in str(report.notes)
        assert "읽어보세요.hwp" in str(report.notes)
    assert "found 2: a.csv, b.csv" in failure(archive(tmp_path / "b.zip", **{"a.csv": b"x", "b.csv": b"x"})).english
    assert "found none: a.hwp" in failure(archive(tmp_path / "c.zip", **{"a.hwp": b"x"})).english
    assert "c.zip" in str(failure(archive(tmp_path / "c.zip")))
    assert "d.zip" in str(failure(write(tmp_path / "d.zip", b"no archive")))


def test_compressed_and_broken(tmp_path: Path) -> None:
    whole = gzip.compress(CSV.encode() * 2000)
    assert load_emotion_dataset(write(tmp_path / "a.csv.gz", gzip.compress(CSV.encode())))["text"][:] == TEXTS
    assert "a.csv.gz" in str(failure(write(tmp_path / "a.csv.gz", whole[: len(whole) // 2])))


def test_settings_that_mean_nothing_are_said(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", CSV)
    _, report = load_emotion_dataset_with_report(path, reading=ReadOptions(sheet="첫째"))
    assert "`sheet`" in str(report.notes)
    lines = write(tmp_path / "a.jsonl", '{"text": "가", "label": 1}\n')
    _, report = load_emotion_dataset_with_report(lines, reading=ReadOptions(no_header=True, delimiter="tab"))
    assert "`no_header`, `delimiter`" in str(report.notes)


@pytest.mark.parametrize(
    "options",
    [{"header_row": 0}, {"header_row": 99}, {"no_header": True, "header_row": 2}, {"layout": "x"}, {"delimiter": ""}],
)
def test_settings_that_make_no_sense(tmp_path: Path, options: dict[str, Any]) -> None:
    error = failure(write(tmp_path / "a.csv", CSV), **options)
    assert error.mend
    if "no_header" not in options:
        assert load_emotion_dataset(tmp_path / "a.csv", **{**options, **error.mend})["text"][:] == TEXTS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_a_byte_order_mark_is_no_part_of_the_first_cell(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "a.txt", ("\ufeff" if encoding != "utf-16" else "") + "좋아요\n싫어요\n", encoding)
    reading = ReadOptions(encoding=encoding, no_header=True, delimiter="line")
    assert read_table(path, reading).frame["1"].tolist() == ["좋아요", "싫어요"]


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("a b,둘째\n,;text\n,\n", ["a b", "둘째"]),
        ("x,y,z\n,;;,\n,,;내용\n", ["x", "y", "z"]),
        ('x,y,z\n"1.0""","5""가,내용","""가"""\n가,나,다\n', ["x", "y", "z"]),
        ("감정 데이터\n문장;감정\n좋아, 정말;행복\n", ["문장", "감정"]),
    ],
)
def test_a_cell_that_is_called_like_a_column_is_no_header(tmp_path: Path, content: str, columns: list[str]) -> None:
    assert list(read_table(write(tmp_path / "a.csv", content)).frame.columns) == columns
