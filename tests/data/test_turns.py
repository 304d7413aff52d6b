"""The turns before a line, and which rows are one conversation."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook

from kobert_hf_emotion.data.dataset import load_emotion_dataset, load_emotion_dataset_with_report
from kobert_hf_emotion.data.row_stream import open_rows
from kobert_hf_emotion.data.turns import Turns, wanted_turns
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
    write(tmp_path / "a.csv", TALK.replace("합격했어", "붙었어"))
    swapped = load_emotion_dataset(paths[::-1], group_column="talk", order_column="turn", context=1)
    assert swapped["text"][:6] == rows["text"][:6], "files stay in the order in which they were given"
    assert "붙었어" in swapped["text"][6:]


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


NOTES = {
    "order of the file": (
        "talk,Text,Label\na,하나,0\na,둘,0\n",
        {"group_column": "talk"},
        "순서 열이 없어 파일에 있는 차례를 대화의 순서로 봅니다. 아니면 `order_column`으로 지정하세요.",
        "the lines of a conversation are taken in the order of the file. `order_column` says otherwise.",
    ),
    "order of texts": (
        "talk,turn,Text,Label\na,2,하나,0\na,10,둘,0\na,x7,셋,0\n",
        {"group_column": "talk", "order_column": "turn"},
        "순서에 수가 아닌 값('x7')이 있어 글자의 차례로 봅니다.",
        "the order is compared as text, for not all of it are numbers ('x7').",
    ),
    "ties": (
        "talk,turn,Text,Label\na,1,하나,0\na,1.0,둘,0\nb,1,셋,0\nb,1,넷,0\n",
        {"group_column": "talk", "order_column": "turn"},
        "한 대화 안에서 순서가 같은 줄이 2개 있어 파일의 차례대로 둡니다.",
        "2 line(s) have the order of another line of their conversation; they stand as in the file.",
    ),
    "KEMDy": (
        "ID,Text,Label\nSess01_impro01_M002,하나,0\nSess01_impro02_F001,둘,0\n",
        {},
        "KEMDy의 발화 번호에서 대화 2개(Sess01_impro01, …)를 읽었습니다. 아니면 `group_column`과 `order_column`으로 "
        "지정하세요.",
        "2 conversation(s) (Sess01_impro01, …) were read from KEMDy's ids. `group_column` and `order_column` say "
        "otherwise.",
    ),
    "marks": (
        "대화,Text,Label\nS,하나,0\n,둘,0\n,셋,0\nS,넷,0\n",
        {},
        "'S'이(가) 적힌 행에서 대화가 시작한다고 봅니다(대화 2개).",
        "a conversation is taken to begin in each row with 'S' (2 of them).",
    ),
    "summary": (
        "talk,Text,Label\na,하나,0\na,둘,0\nb,,0\na,셋,0\n,넷,0\n,다섯,0\n",
        {"group_column": "talk"},
        "대화 3개, 6행 중 2행 앞에 말이 있습니다(많아야 2마디).",
        "3 conversation(s); 2 of 6 row(s) have turns before them (at most 2).",
    ),
    "no conversations": (
        "talk,Text,Label\na,하나,0\na,둘,0\n",
        {"turns": Turns(2, required=False)},
        "어느 줄이 한 대화인지 보이지 않아 모든 줄을 앞말 없는 줄로 읽습니다. 대화가 적힌 열을 `group_column`으로 "
        "지정하세요.",
        "nothing shows which lines are one conversation, and each is read as a line without turns before it. Name the "
        "column of the conversations with `group_column`.",
    ),
}


@pytest.mark.parametrize("what", NOTES)
def test_what_is_assumed_of_conversations_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture, what: str) -> None:
    content, options, korean, english = NOTES[what]
    path = write(tmp_path / "a.csv", content)
    others = {name: value for name, value in options.items() if name != "order_column"}
    load_emotion_dataset_with_report(path, **({"turns": Turns(2, options.get("order_column"))} | others))
    assert f"{path}: {korean} / {path}: {english}" in caplog.messages


def test_nothing_is_assumed_where_all_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "a.csv", "talk,turn,Text,Label\na,1,하나,0\na,2,둘,0\nb,2,셋,0\n")
    load_emotion_dataset(path, group_column="talk", order_column="turn", context=1)
    assert [message.split(" / ")[1] for message in caplog.messages if "conversation" in message] == [
        f"{path}: 2 conversation(s); 1 of 3 row(s) have turns before them (at most 1)."
    ]


@pytest.mark.parametrize(
    ("head", "cells"),
    [
        ("mark", ["S", "", "S", ""]),  # no name of conversations
        ("대화", ["", "S", "", "S"]),  # the first row begins none
        ("대화", ["S", "", "T", ""]),
        ("대화", ["S", "S", "S", "S"]),
        ("대화", ["", "", "", ""]),
        ("ID", ["Sess01_impro01_M002", "Sess01_impro01_M003", "", "Sess01_impro02_M001"]),
    ],
)
def test_what_shows_no_conversations_is_not_guessed(tmp_path: Path, head: str, cells: list[str]) -> None:
    lines = "\n".join(f"{cell},{number}번째 말,0" for number, cell in enumerate(cells))
    path = write(tmp_path / "a.csv", f"{head},Text,Label\n{lines}\n")
    with pytest.raises(DataError, match="needs to know which lines are one conversation"):
        load_emotion_dataset(path, context=1)


@pytest.mark.parametrize(
    ("columns", "likely"),
    [
        ({"a": "123456", "b": "xxxyyy"}, "b"),
        ({"a": "xxxxxx", "b": "123344"}, None),  # one value, and more than half as many as rows
        ({"a": "112233"}, "a"),  # half as many
        ({"a": "112233", "b": "xxxyyy"}, "a"),
    ],
)
def test_the_column_that_may_hold_conversations_is_proposed(
    tmp_path: Path, columns: dict[str, str], likely: str | None
) -> None:
    lines = [",".join([*cells, f"{row}번째 말", "0"]) for row, cells in enumerate(zip(*columns.values(), strict=True))]
    path = write(tmp_path / "a.csv", "\n".join([",".join([*columns, "Text", "Label"]), *lines]) + "\n")
    with pytest.raises(DataError) as error:
        load_emotion_dataset(path, context=1)
    listed = ", ".join([*columns, "Text", "Label"])
    assert error.value.english == (
        f"{path}: `context` needs to know which lines are one conversation: name the column that tells with "
        f"`group_column`. Columns found: {listed}."
    )
    assert error.value.korean == (
        f"{path}: `context`에는 어느 줄이 한 대화인지가 필요합니다. 대화가 적힌 열을 `group_column`으로 지정하세요. "
        f"있는 열: {listed}."
    )
    mend = {"context": None, "order_column": None} if likely is None else {"group_column": likely}
    assert error.value.mend == mend


def test_an_empty_order_is_told_with_the_first_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "talk,turn,Text,Label\na,1,하나,0\na, ,둘,0\nb,,셋,0\n")
    with pytest.raises(DataError) as error:
        load_emotion_dataset(path, group_column="talk", order_column="turn", context=1)
    assert f"{path}: the order is empty in 2 row(s), the first in row 3. Fill it in, or name" in error.value.english
    assert f"{path}: 순서 열이 2행에서 비어 있습니다(처음은 3행). 채우거나" in error.value.korean
    assert error.value.mend == {"order_column": None}


@pytest.mark.parametrize(
    ("head", "cells", "group", "identifier", "unused"),
    [
        ("ID,memo", ["Sess01_impro01_M002,x", "Sess01_impro02_F001,y"], "ID", None, ("memo",)),
        ("ID,대화,memo,turn", ["1,S,x,1", "2,,y,2"], "대화", "ID", ("memo",)),
        ("ID,memo,Segment ID", ["1,x,Sess01_impro01_M002", "2,y,Sess01_impro02_F001"], "Segment ID", "ID", ("memo",)),
    ],
)
def test_the_column_that_shows_conversations_is_told_as_guessed(
    tmp_path: Path, head: str, cells: list[str], group: str, identifier: str | None, unused: tuple[str, ...]
) -> None:
    lines = "\n".join(f"{cell},{number}번째 말,0" for number, cell in enumerate(cells))
    path = write(tmp_path / "a.csv", f"{head},Text,Label\n{lines}\n")
    _, report = load_emotion_dataset_with_report(path, turns=Turns(1, "turn" if "turn" in head else None))
    [columns] = report.columns
    assert (columns.group, columns.id, columns.unused) == (group, identifier, unused)
    assert "group" in columns.guessed


def test_rows_are_grouped_by_conversations_and_not_by_their_marks(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "대화,Text,Label\nS,하나,0\n,둘,0\nS,셋,0\n")
    rows = load_emotion_dataset(path, context=1)
    assert rows["group"][:] == rows["conversation"][:] == ["1", "1", "2"]


def test_a_row_without_a_conversation_stands_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "talk,Text,Label\na,하나,0\n,둘,0\n ,셋,0\nb,넷,0\na,다섯,0\n")
    rows = load_emotion_dataset(path, context=1, group_column="talk")
    assert rows["conversation"][:] == ["a", "row 2", "row 3", "b", "a"]
    assert rows["text_pair"][:] == ["", "", "", "", "하나"]
    rows, _ = load_emotion_dataset_with_report(path, turns=Turns(2, required=False))
    assert rows["conversation"][:] == [f"row {row}" for row in range(1, 6)]


def test_twenty_columns_are_listed_where_none_shows_conversations(tmp_path: Path) -> None:
    names = ["Text", "Label", *(f"메모{number}" for number in range(20))]
    path = write(tmp_path / "a.csv", ",".join(names) + "\n" + ",".join(["하나", "0", *["x"] * 20]) + "\n")
    with pytest.raises(DataError) as error:
        load_emotion_dataset(path, context=1)
    assert error.value.english.endswith(f"Columns found: {', '.join(names[:20])}.")


def test_what_is_no_number_of_turns_is_told() -> None:
    for count in (0, -1, 1.5, "2"):
        with pytest.raises(KoBERTEmotionError, match="`context`"):
            Turns(count)  # type: ignore[arg-type]


def test_an_order_without_turns_is_told() -> None:
    assert wanted_turns(0, None, None) is None
    assert wanted_turns(2, "turn", None) == Turns(2, "turn")
    for arguments, part, korean in (
        (
            (0, "turn", None),
            "`order_column` orders the turns before a line: give `context`",
            "`order_column`은 앞말",
        ),
        ((1, None, "pair"), "`text_pair_column`", "`context`의 앞말이 둘째 글 자리에"),
    ):
        with pytest.raises(KoBERTEmotionError) as error:
            wanted_turns(*arguments)  # type: ignore[arg-type]
        assert part in error.value.english
        assert korean in error.value.korean
