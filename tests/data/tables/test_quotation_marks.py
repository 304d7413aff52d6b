"""Lone quotation marks swallow no rows, and texts with line breaks stay whole, in every delimited format."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from kobert_hf_emotion.audit import check_files
from kobert_hf_emotion.cli import main
from kobert_hf_emotion.data.dataset import load_emotion_dataset, load_emotion_dataset_with_report
from kobert_hf_emotion.data.tables import ReadOptions, Table, read_table
from kobert_hf_emotion.errors import DataError

LONE = [
    "번호,감정,문장",
    "0,행복,합격 소식에 춤을 췄다",
    '1,분노,"또 늦는다고 한마디도 없네',
    "2,슬픔,비가 와서 처진다",
    "3,중립,세 시에 회의가 있다",
    "4,공포,골목이 어두워 떨었다",
    '5,놀람,네가 왜 거기서 나와"',
    "6,혐오,쓰레기 냄새가 심하다",
]


def read(folder: Path, lines: list[str], name: str = "a.csv", encoding: str = "utf-8", **options: object) -> Table:
    (folder / name).write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return read_table(folder / name, ReadOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", ["utf-8", "cp949", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
def test_a_mark_that_opens_one_text_and_closes_another(tmp_path: Path, delimiter: str, encoding: str) -> None:
    lines = [line.replace(",", delimiter) for line in LONE]
    table = read(tmp_path, lines, encoding=encoding)
    assert table.frame["문장"].tolist() == [line.split(",")[2] for line in LONE[1:]]
    assert "따옴표" in str(table.notes)
    # What any CSV reader makes of it, so that the test can fail:
    assert len(pd.read_csv(tmp_path / "a.csv", sep=delimiter, encoding=encoding)) == 3


def test_the_doctor_says_how_the_marks_were_read(tmp_path: Path) -> None:
    read(tmp_path, LONE)
    assert len(load_emotion_dataset(tmp_path / "a.csv")) == 7
    _, report = load_emotion_dataset_with_report(tmp_path / "a.csv")
    encoding = check_files(report)[0]
    assert (encoding.check, encoding.status) == ("encoding", "notice")
    assert "따옴표를 글의 일부로" in encoding.found.korean


@pytest.mark.parametrize(
    ("first", "last", "others"),
    [
        # commas in the text, so that not every line is a row by itself
        ('1,분노,"또, 늦네', '5,놀람,네가 왜 거기서 나와"', []),
        ('1,분노,"또, 늦네', '2,슬픔,처진다"', []),
        # other cells need the marks
        ('1,분노,"또 늦는다', '5,놀람,네가 왜 나와"', ['7,행복,"좋아, 정말"']),
        # marks around the label
        ('1,"분노,또 늦는다', '5,놀람",네가 왜 나와', ['7,행복,"좋아, 정말"']),
    ],
)
def test_rows_that_need_both_readings_are_an_error(tmp_path: Path, first: str, last: str, others: list[str]) -> None:
    lines = [*LONE[:2], first, *LONE[3:6], last, *LONE[7:], *others]
    with pytest.raises(DataError) as caught:
        read(tmp_path, lines)
    assert "a.csv, row 3: " in caught.value.english
    assert "line 3" in caught.value.english
    assert "line 7" in caught.value.english
    assert caught.value.mend == {}


def test_what_cannot_be_told_is_an_error_with_both_ways_out(tmp_path: Path) -> None:
    lines = ["text,text_pair", '"그래, 알았어', '그럼 내일 봐",응', "안녕,잘 가"]
    with pytest.raises(DataError) as caught:
        read(tmp_path, lines)
    assert "row 2" in caught.value.english
    assert caught.value.mend == {"quoted": False}
    assert read(tmp_path, lines, quoted=False).frame["text"].tolist() == ['"그래', '그럼 내일 봐"', "안녕"]
    assert read(tmp_path, lines, quoted=True).frame["text"].tolist() == ["그래, 알았어\n그럼 내일 봐", "안녕"]


def test_the_hint_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str], tiny_model_folder: Path) -> None:
    read_lines = ["text,메모", '"그래, 알았어', '그럼 내일 봐",응', "안녕,잘 가"]
    (tmp_path / "a.csv").write_text("\n".join(read_lines), encoding="utf-8")
    command = ["predict", str(tiny_model_folder), str(tmp_path / "a.csv")]
    assert main(command) == 2
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1].endswith("--no-quoted")
    assert main([*command, "--no-quoted"]) == 0
    assert "3행 중 3행" in capsys.readouterr().err


@pytest.mark.parametrize(
    "texts",
    [
        ["첫 줄\n둘째 줄", "좋아"],
        ["첫 줄, 하하\n둘째 줄", "좋아"],  # both lines have as many commas as a row
        ["하나\n둘, 셋\n넷", "좋아"],
        ["가격은 1,000\n원이다", "좋아"],
        ['그가 "응"\n했다, 정말', "좋아"],
        ["\n\n빈 줄, 뒤\n", "좋아"],
        ["목록\n1,가\n2,나\n3,다", "좋아"],
        ["빈 줄\r\n\r\n사이, 둘", "좋아"],
    ],
)
@pytest.mark.parametrize("quoting", [0, 1])
@pytest.mark.parametrize("order", [["text", "label"], ["label", "text"], ["id", "text", "label"]])
def test_texts_with_line_breaks_stay_whole(tmp_path: Path, texts: list[str], quoting: int, order: list[str]) -> None:
    rows = [*texts, "그냥 그래", "싫다", "별로", "최고"]
    labels = ["행복", "슬픔", "중립", "분노", "분노", "행복"]
    frame = pd.DataFrame({"id": [f"c{i}" for i in range(6)], "text": rows, "label": labels})[order]
    (tmp_path / "a.csv").write_bytes(frame.to_csv(index=False, quoting=quoting, lineterminator="\r\n").encode())
    assert read_table(tmp_path / "a.csv").frame["text"].tolist() == rows


def test_line_breaks_in_the_only_column_are_said(tmp_path: Path) -> None:
    table = read(tmp_path, ["문장", '"아 진짜', '뭐야"', "좋아"])
    assert table.frame["문장"].tolist() == ["아 진짜\n뭐야", "좋아"]
    assert "1 line break(s) inside quotation marks" in str(table.notes)
    assert len(read(tmp_path, ["문장", '"아 진짜', '뭐야"', "좋아"], quoted=False).frame) == 3


def test_a_space_before_a_mark(tmp_path: Path) -> None:
    table = read(tmp_path, ["번호, 문장, 감정", '1, "좋아, 정말", 행복', '2, "싫어", 분노', "3, 그래, 중립"])
    assert table.frame["문장"].tolist() == ["좋아, 정말", "싫어", "그래"]
    assert "공백" in str(table.notes)
    assert read(tmp_path, ["문장,감정", '좋아 "정말",행복', " 그래,중립"]).frame["문장"].tolist() == [
        '좋아 "정말"',
        " 그래",
    ]
