"""The turns before a line, and which rows are one conversation."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook

from kobert_hf_emotion.data.dataset import load_emotion_dataset, load_emotion_dataset_with_report
from kobert_hf_emotion.data.row_stream import open_rows
from kobert_hf_emotion.data.turns import Turns
from kobert_hf_emotion.errors import DataError, KoBERTEmotionError
from kobert_hf_emotion.labels import EMOTION_LABELS

TALK = """talk,turn,Text,Emotion
a,2,그래.,happy
b,1,왜 늦었어,angry
a,1,합격했어,happy
b,3,됐어,angry
a,3,축하해,
b,2,네.,sad
c,1,혼자 한 말,neutral
"""
KEMDY = """ID,Text,Emotion
Sess01_impro01_M002,네.,happy
Sess01_impro01_F001,합격했어,happy
Sess01_impro02_F001,네.,sad
Sess01_script03_F010,마지막,neutral
Sess01_script03_M009,처음,neutral
"""


def write(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def before(path: Path, **options: object) -> dict[str, str]:
    rows = load_emotion_dataset(path, **options)  # type: ignore[arg-type]
    return dict(zip(rows["text"][:], rows["text_pair"][:], strict=True))


def test_the_turns_before_a_line_are_those_of_its_conversation_in_their_order(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", TALK)
    found = before(path, group_column="talk", order_column="turn", context=1)
    assert found == {
        "그래.": "합격했어",
        "왜 늦었어": "",
        "합격했어": "",
        "됐어": "네.",
        "네.": "왜 늦었어",
        "혼자 한 말": "",
    }
    assert before(path, group_column="talk", order_column="turn", context=9)["됐어"] == "왜 늦었어 네."


def test_a_line_without_a_label_is_still_a_turn(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", TALK + "a,4,또 봐,happy\na,5,.,\na,6,안녕,happy\n")
    rows, report = load_emotion_dataset_with_report(path, group_column="talk", turns=Turns(2, "turn"))
    assert dict(zip(rows["text"][:], rows["text_pair"][:], strict=True))["또 봐"] == "그래. 축하해"
    assert rows["text_pair"][rows["text"][:].index("안녕")] == "축하해 또 봐"  # a lone full stop is no turn
    assert report.dropped == {"lone_dot": 1, "empty_label": 1}


def test_the_order_is_that_of_the_file_where_none_is_told_and_this_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "a.csv", TALK)
    assert before(path, group_column="talk", context=1)["합격했어"] == "그래."
    assert "order_column" in caplog.text
    assert "3 conversation(s); 4 of 7 row(s)" in caplog.text


@pytest.mark.parametrize("cells", [("10", "9", "8"), ("b", "a", "A"), ("1,000", "9.5", "-1")])
def test_an_order_of_numbers_is_one_of_numbers(tmp_path: Path, cells: tuple[str, ...]) -> None:
    lines = "\n".join(f'a,"{cell}",{number}번째 말,0' for number, cell in enumerate(cells))
    path = write(tmp_path / "a.csv", f"talk,turn,Text,Label\n{lines}\n")
    found = before(path, group_column="talk", order_column="turn", context=1)
    assert found == {"0번째 말": "1번째 말", "1번째 말": "2번째 말", "2번째 말": ""}


def test_lines_of_equal_order_stand_as_in_the_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "a.csv", "talk,turn,Text,Label\na,1,하나,0\na,1,둘,0\n")
    assert before(path, group_column="talk", order_column="turn", context=1) == {"하나": "", "둘": "하나"}
    assert "1 line(s) have the order of another" in caplog.text


def test_kemdys_ids_tell_conversation_and_order(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = load_emotion_dataset(write(tmp_path / "a.csv", KEMDY), context=2)
    assert rows["text_pair"][:] == ["합격했어", "", "", "처음", ""]
    assert rows["conversation"][:] == ["Sess01_impro01", "Sess01_impro01", "Sess01_impro02"] + ["Sess01_script03"] * 2
    assert "KEMDy" in caplog.text
    assert "3 conversation(s) (Sess01_impro01, …)" in caplog.text


def test_kemdy20s_ids_are_read_below_two_rows_of_names(tmp_path: Path) -> None:
    head = "Numb,Wav,,Segment ID,Text,Total Evaluation,,\n ,Start,End,,,Emotion,Valence,Arousal\n"
    ids = ("Sess01_script01_User002M_000", "Sess01_script01_User001F_001", "Sess01_script02_User001F_002")
    lines = "".join(f"{n},0,1,{name},말 {n},neutral,3,3\n" for n, name in enumerate(ids))
    assert before(write(tmp_path / "a.csv", head + lines), context=3) == {"말 0": "", "말 1": "말 0", "말 2": ""}


def test_numbers_that_two_speakers_share_give_no_order(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = "ID,Text,Label\nSess01_impro01_M002,하나,0\nSess01_impro01_F002,둘,0\nSess01_impro01_F001,셋,0\n"
    assert before(write(tmp_path / "a.csv", content), context=1) == {"하나": "", "둘": "하나", "셋": "둘"}
    assert "order of the file" in caplog.text


def workbook(path: Path) -> Path:
    book = Workbook()
    for row in (
        ("dialog #", "발화", "감정"),
        ("S", "하나", "중립"),
        ("", "둘", "중립"),
        ("S", "셋", "행복"),
        ("", "넷", "행복"),
    ):
        book.active.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize("named", [{}, {"group_column": "dialog #"}])
def test_a_mark_begins_a_conversation_of_ai_hub(
    tmp_path: Path, named: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    path = workbook(tmp_path / "연속적.xlsx")
    rows = load_emotion_dataset(path, context=1, **named)  # type: ignore[arg-type]
    assert rows["text_pair"][:] == ["", "하나", "", "셋"]
    assert rows["conversation"][:] == ["1", "1", "2", "2"]
    assert "begin in each row with 'S' (2 of them)" in caplog.text
    assert "empty group" not in caplog.text


def test_the_shared_workbook_gives_conversations(shared: Path) -> None:
    stream = open_rows(shared / "situations" / "연속적2.xlsx", EMOTION_LABELS, read_labels=False, turns=Turns(2))
    [frame] = stream.chunks()
    assert frame["text_pair"].tolist()[:6] == [
        "",
        frame["text"][0],
        f"{frame['text'][0]} {frame['text'][1]}",
        f"{frame['text'][1]} {frame['text'][2]}",
        "",
        frame["text"][4],
    ]


def test_a_stream_gives_the_turns_of_the_whole_file_whatever_its_chunks(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", TALK)
    rows = load_emotion_dataset(path, group_column="talk", order_column="turn", context=2, require_labels=False)
    stream = open_rows(path, EMOTION_LABELS, group_column="talk", turns=Turns(2, "turn"), chunk_rows=2)
    frames = list(stream.chunks(3))
    assert [len(frame) for frame in frames] == [3, 3, 1]
    assert [text for frame in frames for text in frame["text_pair"]] == rows["text_pair"][:]


def test_conversations_of_several_files_are_apart(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, TALK) for name in ("a.csv", "b.csv")]
    rows = load_emotion_dataset(paths, group_column="talk", order_column="turn", context=1)
    assert len(set(rows["conversation"][:])) == 6
    assert rows["text_pair"][:6] == rows["text_pair"][6:]


def test_what_is_missing_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", TALK)
    with pytest.raises(DataError) as error:
        load_emotion_dataset(path, context=2)
    assert error.value.mend == {"group_column": "talk"}
    with pytest.raises(DataError, match="Did you mean 'turn'"):
        load_emotion_dataset(path, group_column="talk", order_column="trn", context=2)
    empty = write(tmp_path / "b.csv", TALK.replace("c,1", "c,"))
    with pytest.raises(DataError, match="row 8"):
        load_emotion_dataset(empty, group_column="talk", order_column="turn", context=2)
    with pytest.raises(DataError) as error:
        load_emotion_dataset(path, group_column="talk", order_column="turn")
    assert error.value.mend == {"context": 2}
    with pytest.raises(DataError) as error:
        load_emotion_dataset(path, group_column="talk", text_pair_column="turn", context=2)
    assert error.value.mend == {"text_pair_column": None}
    with pytest.raises(KoBERTEmotionError, match="context"):
        load_emotion_dataset(path, group_column="talk", context=-1)


def test_where_conversations_are_not_required_lines_stand_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "a.csv", TALK)
    rows, _ = load_emotion_dataset_with_report(path, turns=Turns(2, required=False))
    assert set(rows["text_pair"][:]) == {""}
    assert "group_column" in caplog.text
