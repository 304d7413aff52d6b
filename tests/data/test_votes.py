"""Files of votes: the same votes however they are written, what is said of them, and what is refused."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kobert_hf_emotion import load_emotion_dataset, load_emotion_dataset_with_report, stratified_kfold
from kobert_hf_emotion.data.distributions import is_tied, to_shares
from kobert_hf_emotion.data.label_ids import IGNORED, class_names, has_votes, label_ids, votes_of
from kobert_hf_emotion.data.label_kinds import label_kind
from kobert_hf_emotion.data.row_stream import open_rows
from kobert_hf_emotion.data.tables import ReadOptions, read_table
from kobert_hf_emotion.data.task_names import TaskName
from kobert_hf_emotion.data.vote_cells import annotator_cells, is_votes, vote_cells
from kobert_hf_emotion.data.vote_columns import guess_vote_columns
from kobert_hf_emotion.data.vote_tally import VoteTally
from kobert_hf_emotion.data.votes import VoteReader, Votes, names_in_votes, vote_matrix
from kobert_hf_emotion.errors import DataError
from kobert_hf_emotion.splits.folds import stratified_labels

NAMES = ["기쁨", "놀람/당황", "슬픔, 우울"]
TEXTS = ["생각보다 일찍 왔다", "갑자기 문이 열렸다", "비가 와서 못 갔다", "버스를 탔다"]
VOTES = [[3, 1, 0], [0, 4, 0], [1, 1, 2], [2, 2, 0]]
SHARES = np.array(VOTES) / 4


def named(row: list[int]) -> list[str]:
    return [name for name, count in zip(NAMES, row, strict=True) for _ in range(count)]


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"문장": TEXTS, "번호": [7, 8, 9, 10], **columns})


def by_label(votes: Any) -> dict[str, Any]:
    return {name: [row[index] for row in votes] for index, name in enumerate(NAMES)}


UNREADABLE = [
    "{'기쁨': 1, **{}}",
    '{"기쁨": 1',
    "[1, 2",
    "[기쁨, 슬픔]",
    "{기쁨, 슬픔}",
    "[[1, 2, 3]]",
    '[{"기쁨": 1}]',
    " [기쁨",
]
RATERS = {f"평가자{number}": [named(row)[number] for row in VOTES] for number in range(4)}
WAYS: dict[str, tuple[dict[str, Any], str]] = {
    "counts": (by_label(VOTES), "a column for each label 4; counts, a row 4"),
    "counts as decimals": (by_label([[f"{count}.0" for count in row] for row in VOTES]), "counts, a row 4"),
    "shares": (by_label(SHARES), "a column for each label 4; shares"),
    "percent": (by_label([[f"{100 * share:g}%" for share in row] for row in SHARES]), "shares in percent"),
    "annotators": (RATERS, "a column for each annotator 4; counts, a row 4"),
    "objects": (
        {"votes": [json.dumps(dict(zip(NAMES, row, strict=True)), ensure_ascii=False) for row in VOTES]},
        'one cell, {"label": votes} 4; counts',
    ),
    "lists of numbers": ({"votes": [json.dumps(row) for row in VOTES]}, "a list in the order of the ids 4; counts"),
    "lists of shares": ({"votes": [json.dumps(row.tolist()) for row in SHARES]}, "ids 4; shares"),
    "lists of names": (
        {"votes": [json.dumps(named(row), ensure_ascii=False) for row in VOTES]},
        "names, one vote each",
    ),
    "lists of names in Python": ({"votes": [str(named(row)) for row in VOTES]}, "names, one vote each 4"),
    "names and bars": ({"votes": ["|".join(named(row)) for row in VOTES]}, "names, one vote each 4"),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_same_votes(tmp_path: Path, way: str) -> None:
    columns, said = WAYS[way]
    path = tmp_path / "rows.csv"
    frame(**columns).to_csv(path, index=False)
    label = "votes" if "votes" in columns else None
    rows, report = load_emotion_dataset_with_report(path, label_column=label, labels=NAMES, task="soft")
    assert has_votes(rows)
    assert class_names(rows) == NAMES
    np.testing.assert_allclose(label_ids(rows, NAMES), SHARES)
    np.testing.assert_allclose(label_ids(rows, NAMES[::-1]), SHARES[:, ::-1])
    if "counts" in said:
        assert votes_of(rows).tolist() == VOTES
    assert said in report.summary("en")
    assert "rows with a tie: 1" in report.summary("en")
    assert report.label_counts == {"기쁨": 2, "놀람/당황": 1, "슬픔, 우울": 1}
    assert ("annotations" in rows.column_names) is (way == "annotators")
    stream = open_rows(path, NAMES, label_column=label, kind=label_kind("soft"), chunk_rows=3)
    chunks = [stream.kind.truth(part["label"], NAMES) for part in stream.chunks(3)]
    np.testing.assert_allclose(np.concatenate(chunks), SHARES)
    assert stream.report.labels_read == report.labels_read


@pytest.mark.parametrize("suffix", ["xlsx", "jsonl", "parquet"])
def test_other_formats(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows.{suffix}"
    table = frame(**by_label(VOTES))
    if suffix == "jsonl":
        table.to_json(path, orient="records", lines=True, force_ascii=False)
    else:
        getattr(table, {"xlsx": "to_excel", "parquet": "to_parquet"}[suffix])(path, index=False)
    rows = load_emotion_dataset(path, labels=NAMES, task="soft")
    assert votes_of(rows).tolist() == VOTES


def test_nested_json(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    lines = [
        {"text": text, "label": dict(zip(NAMES, row, strict=True))} for text, row in zip(TEXTS, VOTES, strict=True)
    ]
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    rows = load_emotion_dataset(path, labels=NAMES, task="soft")
    assert votes_of(rows).tolist() == VOTES


def test_labels_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    frame(**by_label(VOTES)).to_csv(path, index=False)
    rows, report = load_emotion_dataset_with_report(path, labels="auto", task="soft")
    assert class_names(rows) == NAMES
    assert "쓰지 않음(unused): 번호" in report.summary()
    chosen = ",".join(f'"{name}"' for name in NAMES)
    assert votes_of(load_emotion_dataset(path, label_column=chosen, labels="auto", task="soft")).tolist() == VOTES
    raters = {rater: [cell.split(",")[0] for cell in cells] for rater, cells in RATERS.items()}
    frame(**raters).to_csv(path, index=False)
    rows = load_emotion_dataset(path, label_column=",".join(raters), labels="auto", task="soft")
    assert class_names(rows) == ["기쁨", "놀람/당황", "슬픔"]
    assert json.loads(rows["annotations"][0]) == {rater: cells[0] for rater, cells in raters.items()}
    frame(votes=[json.dumps(row) for row in VOTES]).to_csv(path, index=False)
    with pytest.raises(DataError, match="without names"):
        load_emotion_dataset(path, label_column="votes", labels="auto", task="soft")


def test_rows_without_votes_are_left_out(tmp_path: Path) -> None:
    votes = [["", 1, "nan"], ["", "NULL", ""], [0, 0, 0], [2, 2, 0]]
    frame(**by_label(votes)).to_csv(tmp_path / "rows.csv", index=False)
    rows, report = load_emotion_dataset_with_report(tmp_path / "rows.csv", labels=NAMES, task="soft")
    assert votes_of(rows).tolist() == [[0, 1, 0], [2, 2, 0]]
    assert report.dropped == {"empty_label": 2}
    said = report.summary("en")
    assert "empty cells taken for 0: 2" in said
    assert "rows without a vote: 2" in said
    assert "a row 1–4" in said


def test_counts_of_rows_that_nobody_voted_on() -> None:
    assert label_kind("soft").counts(pd.Series([None, None], dtype=object)) == {}


def test_an_annotator_who_names_two_shares_the_vote(tmp_path: Path) -> None:
    columns = {"a": ["기쁨", "기쁨;놀람/당황", "", "기쁨"], "b": ["기쁨", "기쁨", "놀람/당황", "-"]}
    frame(**columns).to_csv(tmp_path / "rows.csv", index=False)
    rows = load_emotion_dataset(tmp_path / "rows.csv", label_column="a, b", labels=NAMES, task="soft")
    assert votes_of(rows).tolist() == [[2, 0, 0], [1.5, 0.5, 0], [0, 1, 0], [1, 0, 0]]
    assert json.loads(rows["annotations"][2]) == {"b": "놀람/당황"}


def test_kemdy(tmp_path: Path) -> None:
    above = "Numb,Segment ID,Text,Total Evaluation,,,Eval01F,,,Eval02M,,"
    below = ",,,Emotion,Valence,Arousal,Emotion,Valence,Arousal,Emotion,Valence,Arousal"
    lines = [
        "1,S_000,아침이 밝았다,neutral;happy,3,3,neutral,3,3,happy,3,3",
        "2,S_001,문이 닫혔다,sad,3,3,sad,3,3,sad,3,3",
    ]
    path = tmp_path / "eval.csv"
    path.write_text("\n".join([above, below, *lines]), encoding="utf-8")
    rows, report = load_emotion_dataset_with_report(path, task="soft")
    assert "layout` kemdy" in report.notes[0].english
    assert "Eval01F Emotion, Eval02M Emotion" in report.summary()
    assert votes_of(rows)[:, [3, 4, 5]].tolist() == [[0, 1, 1], [2, 0, 0]]
    total = load_emotion_dataset(path, label_column="Emotion", task="soft")
    np.testing.assert_allclose(label_ids(total, class_names(total) or [])[:, [3, 4, 5]], [[0, 0.5, 0.5], [1, 0, 0]])


@pytest.mark.parametrize(
    ("columns", "options", "parts"),
    [
        (by_label([[3, "x", 0], *VOTES[1:]]), {"label_column": '기쁨,놀람/당황,"슬픔, 우울"'}, ("row 2", "'x'")),
        (by_label([[3, -1, 0], *VOTES[1:]]), {"label_column": '기쁨,놀람/당황,"슬픔, 우울"'}, ("row 2", "0 or more")),
        ({"기쁨": [1, 2, 3, 4], "놀람/당황": [1, 1, 1, 1]}, {}, ("none for 1 of them", "슬픔, 우울")),
        ({"votes": ["[1, 2]"] * 4}, {"label_column": "votes"}, ("row 2", "for each of 3 labels")),
        ({"votes": ["[1, 2, -1]"] * 4}, {"label_column": "votes"}, ("row 2", "0 or more")),
        ({"votes": ["[NaN, 0, 1]"] * 4}, {"label_column": "votes"}, ("row 2", "'[NaN, 0, 1]'", "for each of 3 labels")),
        ({"votes": ["[1e999, 0, 1]"] * 4}, {"label_column": "votes"}, ("row 2", "for each of 3 labels")),
        ({"votes": ["[true, false, true]"] * 4}, {"label_column": "votes"}, ("row 2", "for each of 3 labels")),
        ({"votes": ['{"기쁨": "셋"}'] * 4}, {"label_column": "votes"}, ("row 2", "numbers of 0 or more")),
        ({"votes": ['{"기쁨": -1, "슬픔": 2}'] * 4}, {"label_column": "votes"}, ("row 2", "numbers of 0 or more")),
        ({"votes": ['{"기쁨": 1, "없음": 2}'] * 4}, {"label_column": "votes"}, ("unknown label", "없음")),
        ({"votes": ["기쁨", "기쁨", "기븜", "기쁨"]}, {"label_column": "votes"}, ("row 4", "Did you mean '기쁨'")),
        ({"점수": ["a", "b", "c", "d"]}, {}, ("no columns with votes", "점수")),
        (by_label([[3, -1, 0], *VOTES[1:]]), {}, ("found '-1' in row 2, column '놀람/당황'", "0 or more")),
        (by_label([["셋", 1, 0], *VOTES[1:]]), {}, ("found '셋' in row 2, column '기쁨'", "0 or more")),
        (by_label([*VOTES[1:], ["셋", "x", -1]]), {}, ("'셋' in row 5", "'기쁨', which is called by a label")),
        (by_label([[0, 0, 0]] * 4), {}, ("no row has a vote", "기쁨, 놀람/당황, 슬픔, 우울")),
        (by_label([["50%", "0", "0.5"], *VOTES[1:]]), {}, ("row 2: '50%' in column '기쁨', '0.5'", "per cents")),
        ({"votes": ['{"기쁨": 1, "기쁨": 2}'] * 4}, {"label_column": "votes"}, ("row 2", "'기쁨' comes twice")),
        ({"votes": ["{'기쁨': 1, '기쁨': 2}"] * 4}, {"label_column": "votes"}, ("row 2", "'기쁨' comes twice")),
        ({"votes": ["{'기쁨': '셋'}"] * 4}, {"label_column": "votes"}, ("row 2", "numbers of 0 or more")),
        *(
            ({"votes": ["[3, 1, 0]", cell] * 2}, {"label_column": "votes"}, ("row 3", f"'{cell}': an object or a list"))
            for cell in UNREADABLE
        ),
    ],
)
def test_what_is_not_understood_is_refused(
    tmp_path: Path, columns: dict[str, Any], options: dict[str, Any], parts: tuple[str, ...]
) -> None:
    frame(**columns).to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(DataError) as error:
        load_emotion_dataset(tmp_path / "rows.csv", labels=NAMES, task="soft", **options)
    for part in parts:
        assert part in error.value.english


def test_a_prediction_can_leave_votes_of_two_units_out(tmp_path: Path) -> None:
    frame(**by_label([["50%", "0", "0.5"], *VOTES[1:]])).to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(DataError) as error:
        load_emotion_dataset(tmp_path / "rows.csv", labels=NAMES, task="soft")
    assert error.value.mend == {"ignore_labels": True}


def test_names_that_begin_as_lists_do() -> None:
    read = VoteReader(["[기쁨]", "{놀람, 당황}", "슬픔"]).read
    assert read("[기쁨]") == Votes("names", {"[기쁨]": 1})
    assert read("{놀람, 당황}") == Votes("names", {"{놀람, 당황}": 1})
    assert read("[기쁨]|슬픔") == Votes("names", {"[기쁨]": 1, "슬픔": 1})
    assert read("[]") == Votes("empty", {})
    assert read('["슬픔", 0]') == Votes("names", {"슬픔": 1, "0": 1})
    assert read("\x1f슬픔\x1f").fault is None, "what a file has there is no cell that was put together"


def test_cells_without_votes_are_told_in_both_languages(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    frame(votes=["[1, 0, 0]", '{"기쁨": -1}', "[1, 2]", '{"기쁨": -1}']).to_csv(path, index=False)
    with pytest.raises(DataError) as error:
        load_emotion_dataset(path, label_column="votes", labels=NAMES, task="soft")
    assert error.value.english == (
        f"{path}: row 3, column 'votes', '{{\"기쁨\": -1}}': votes must be numbers of 0 or more (3 such row(s)). "
        "Correct them, or name the column of votes with `label_column`."
    )
    assert error.value.korean == (
        f"{path}: 3행 'votes' 열의 '{{\"기쁨\": -1}}': 표는 0 이상의 수여야 합니다(모두 3행). 고치거나, 표가 다른 열에 "
        "있으면 `label_column`으로 지정하세요."
    )


def test_what_votes_a_cell_holds() -> None:
    read = VoteReader(NAMES).read
    fault = ("표는 0 이상의 수여야 합니다", "votes must be numbers of 0 or more")
    for cell in ('{"기쁨": -1}', '{"기쁨": true}', '{"기쁨": NaN}', '{"기쁨": 1e999}', '{"기쁨": null}', ' {"a": [1]}'):
        assert read(cell) == Votes("object", {}, fault)
    for cell in ("[1, 2]", "[1, 2, -1]", "[1, 2, NaN]", "[1, 2, 3, 4]"):
        assert (read(cell).how, read(cell).parts) == ("numbers", {})
    assert read("[1, 0, 0.5]") == Votes("numbers", dict(zip(NAMES, (1.0, 0.0, 0.5), strict=True)))
    assert read("[0, 0, 0]") == read('{"기쁨": 0}') == read("{}") == read("nan") == Votes("empty", {})
    assert read("{'기쁨': 2, '놀람/당황': 1.5}") == Votes("object", {"기쁨": 2.0, "놀람/당황": 1.5})
    assert read("['기쁨', '기쁨', '놀람/당황']") == Votes("names", {"기쁨": 2.0, "놀람/당황": 1.0})
    assert read('["기쁨;놀람/당황", "기쁨"]') == Votes("names", {"기쁨": 1.5, "놀람/당황": 0.5})


def test_names_are_counted_by_the_rows_that_vote_for_them() -> None:
    cells = {'["a", "b"]': 3, "b;c": 2, '{"A": 1, "b": 0}': 4, "": 9, '{"a": -1}': 5}
    assert names_in_votes(cells) == {"a": 3, "b": 9, "c": 2, "A": 4}
    with pytest.raises(DataError) as error:
        names_in_votes({"a": 1, "[1, 2]": 1})
    assert error.value.english == (
        "The cells of labels are lists of numbers ([1, 2]) without names: pass these in their order as `labels`."
    )
    assert error.value.korean == (
        "레이블 칸이 수의 목록([1, 2])이라 이름을 알 수 없습니다. `labels`에 번호 순서의 이름들을 주세요."
    )


def test_a_cell_that_is_no_number_is_told_in_both_languages(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    frame(**by_label([[3, 1, 0], [1, "x%", 0], [1, -2, "inf"], [1, 1, 1]])).to_csv(path, index=False)
    with pytest.raises(DataError) as error:
        load_emotion_dataset(path, label_column='기쁨,놀람/당황,"슬픔, 우울"', labels=NAMES, task="soft")
    assert error.value.english == (
        f"{path}: expected votes or shares, numbers of 0 or more, in the columns of labels, found 'x%' in row 3, "
        "column '놀람/당황' (2 such cell(s)). Correct them or, where one column holds the votes, name it with "
        "`label_column`."
    )
    assert error.value.korean == (
        f"{path}: 레이블마다 표(또는 몫)를 적은 열에는 0 이상의 수가 있어야 하는데 3행 '놀람/당황' 열은 'x%'입니다"
        "(모두 2칸). 고치거나, 표가 한 열에 있으면 `label_column`으로 그 열을 지정하세요."
    )
    assert error.value.mend == {"ignore_labels": True}


def test_columns_called_by_labels_that_hold_no_votes_are_told_in_both_languages(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    frame(**by_label([["", 1, ""], ["", "", "많음"], ["", "셋", ""], ["", 1, ""]])).to_csv(path, index=False)
    with pytest.raises(DataError) as error:
        load_emotion_dataset(path, labels=NAMES, task="soft")
    after = (
        ", votes or shares, in the column '놀람/당황', which is called by a label; found '셋' in row 4. Correct it or, "
        "where there is a column for each annotator, name these with commas between in `label_column`."
    )
    assert error.value.english == f"{path}: expected numbers of 0 or more{after}"
    assert error.value.korean == (
        f"{path}: 이름이 레이블인 '놀람/당황' 열에는 0 이상의 수(표나 몫)가 있어야 하는데 4행에 '셋'입니다. 고치거나, "
        "평가자마다 한 열이면 그 열들을 `label_column`에 쉼표로 나누어 지정하세요."
    )
    assert error.value.mend == {"ignore_labels": True}
    frame(**by_label([["", "nan", ""]] * 4)).to_csv(path, index=False)
    with pytest.raises(DataError) as error:
        load_emotion_dataset(path, labels=NAMES, task="soft")
    assert "in the column '기쁨', which is called by a label; found nothing. Correct" in error.value.english
    assert "'기쁨' 열에는 0 이상의 수(표나 몫)가 있어야 하는데 빈 칸뿐입니다" in error.value.korean


@pytest.mark.parametrize("count", [19, 20])
def test_the_columns_of_a_table_without_votes_are_told(tmp_path: Path, count: int) -> None:
    path = tmp_path / "rows.csv"
    names = [f"메모{number}" for number in range(count)]
    frame(**{name: [*"가나다라"] for name in names}).to_csv(path, index=False)
    with pytest.raises(DataError) as error:
        load_emotion_dataset(path, labels=NAMES, task="soft")
    shown = ", ".join(["번호", *names][:20])
    assert f"or one with lists. Columns found: {shown}. Name them with commas" in error.value.english
    assert error.value.korean == (
        f"{path}: 표가 있는 열을 찾지 못했습니다. 레이블마다 표나 몫을 적은 열(이름은 레이블), 평가자마다 레이블을 "
        f"적은 열, 또는 목록을 적은 한 열이어야 합니다. 있는 열: {shown}. `label_column`에 쉼표로 나누어 지정하세요."
    )


@pytest.mark.parametrize(
    ("numbers", "are_votes"),
    [
        ([number / 29 for number in range(30)], True),  # shares, however many
        ([f"{number / 40}%" for number in range(30)], True),
        ([f"{number}%" for number in range(30)], False),
        ([2 * number / 29 for number in range(30)], False),
        ([number % 15 for number in range(30)], True),  # half as many as rows
        ([number % 16 for number in range(30)], False),
        ([number % 15 for number in range(31)], True),
        ([number % 12 for number in range(12)], True),  # twelve, however few rows
        ([number % 13 for number in range(13)], False),
        ([*range(12), "", "nan"], True),
    ],
)
def test_what_numbers_may_be_votes_where_labels_are_not_known(numbers: list[Any], are_votes: bool) -> None:
    cells = [str(number) for number in numbers]
    head = pd.DataFrame({"a": cells, "b": ["1"] * len(cells), "번호": ["1"] * len(cells)})
    table = SimpleNamespace(options=ReadOptions())
    found = guess_vote_columns(table, head, ["a", "b", "번호"], [], has_label_column=False)  # type: ignore[arg-type]
    assert found == (("votes", ("a", "b")) if are_votes else None)


def test_at_most_a_hundred_columns_are_those_of_votes() -> None:
    table: Any = SimpleNamespace(options=ReadOptions())
    for count in (100, 101):
        head = pd.DataFrame({f"열{number}": ["1", "0"] for number in range(count)})
        found = guess_vote_columns(table, head, list(head.columns), [], has_label_column=False)
        assert found == (("votes", tuple(head.columns)) if count == 100 else None)


def test_votes_are_told_of_rows_with_a_text(tmp_path: Path) -> None:
    table = frame(votes=["[1, 0, 0]", "[0, 9, 9]", "[0, 9, 9]", ""])
    table.assign(문장=["버스를 탔다", "", " ", "문이 열렸다"]).to_csv(tmp_path / "rows.csv", index=False)
    _, report = load_emotion_dataset_with_report(tmp_path / "rows.csv", label_column="votes", labels=NAMES, task="soft")
    assert "ids 1; counts, a row 1\n  rows with a tie: 0;" in report.summary("en")
    assert "rows without a vote: 1" in report.summary("en")


def test_folds_are_of_the_majority_and_keep_equal_texts_together(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    votes = random.multinomial(10, [0.5, 0.3, 0.2], 120)
    texts = [f"{number % 100}번째 일이었다" for number in range(120)]
    pd.DataFrame({"text": texts, **by_label(votes.tolist())}).to_csv(tmp_path / "rows.csv", index=False)
    rows = load_emotion_dataset(tmp_path / "rows.csv", labels=NAMES, task="soft")
    majority = stratified_labels(rows, NAMES)
    assert majority.tolist() == votes.argmax(axis=1).tolist(), "of a tie the first"
    shards = [validation for _, validation in stratified_kfold(rows, 3)]
    assert sorted(row for shard in shards for row in shard["row"]) == list(range(1, 121))
    for label in range(3):
        counts = [int((stratified_labels(shard, NAMES) == label).sum()) for shard in shards]
        assert max(counts) - min(counts) <= 4, "a duplicate moves more than one row"
    for shard in shards:
        others = {text for other in shards if other is not shard for text in other["text"]}
        assert not others & set(shard["text"])


def test_hash_of_folds_does_not_depend_on_how_votes_are_written(tmp_path: Path) -> None:
    numbers = []
    for name, votes in (("counts", VOTES * 4), ("shares", SHARES.tolist() * 4)):
        table = pd.DataFrame({"text": [f"{i}번" for i in range(16)], **by_label(votes)})
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        rows = load_emotion_dataset(tmp_path / f"{name}.csv", labels=NAMES, task="soft")
        numbers.append([shard["row"][:] for _, shard in stratified_kfold(rows, 2)])
    assert numbers[0] == numbers[1]


def test_a_named_column_with_a_slip_in_its_name_is_no_annotator(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    shares = by_label([[2, 1, 0], [0, 2, 0], [1, 1, 2], [2, 0, 0]])  # which are ids of labels as well
    frame(**{"기쁨": shares["기쁨"], "놀람/당황": shares["놀람/당황"], "슬픔, 우우울": shares["슬픔, 우울"]}).to_csv(
        path, index=False
    )
    named_columns = '기쁨,놀람/당황,"슬픔, 우우울"'
    with pytest.raises(DataError, match=r"unknown label in 1 place.*슬픔, 우우울"):
        load_emotion_dataset(path, label_column=named_columns, labels=NAMES, task="soft")
    meant = {"슬픔, 우우울": "슬픔, 우울", "기쁨": "기쁨", "놀람/당황": "놀람/당황"}
    read = load_emotion_dataset(path, label_column=named_columns, labels=NAMES, task="soft", label_map=meant)
    assert votes_of(read)[0].tolist() == [2, 1, 0]


@pytest.mark.parametrize("task", ["soft", "multi-label"])
def test_columns_called_by_labels_are_not_left_aside_for_what_they_hold(tmp_path: Path, task: TaskName) -> None:
    """Not even where labels are not needed: a prediction is compared with them, or says why it is not."""
    path, kind = tmp_path / "rows.csv", label_kind(task)
    frame(**by_label([["", "많음", "x"], *[["", "", ""]] * 3])).to_csv(path, index=False)
    with pytest.raises(DataError, match="'많음' in row 2") as error:
        open_rows(path, NAMES, kind=kind)
    assert error.value.mend == {"ignore_labels": True}
    assert open_rows(path, NAMES, kind=kind, read_labels=False).labels is None
    frame(**by_label([["", "", ""]] * 4)).to_csv(path, index=False)
    assert open_rows(path, NAMES, kind=kind).report.rows_kept == 4, "to be filled in"
    frame(기쁨=["많음"] * 4).to_csv(path, index=False)
    assert open_rows(path, NAMES, kind=kind).report.columns[0].unused == ("번호", "기쁨"), "one column says nothing"


def test_votes_for_nothing_are_no_votes(tmp_path: Path) -> None:
    assert VoteReader(NAMES).read("[]") == Votes("empty", {})
    assert vote_matrix([None, dict.fromkeys(NAMES, 1.0)], NAMES).tolist() == [[IGNORED] * 3, [1.0] * 3]
    frame(a=["기쁨", "", " ", "슬픔"], b=["", "", "nan", "기쁨"]).to_csv(tmp_path / "rows.csv", index=False)
    cells, annotations = annotator_cells(read_table(tmp_path / "rows.csv"), ["a", "b"])
    assert [bool(cell) for cell in cells] == [True, False, False, True]
    assert annotations == ['{"a": "기쁨"}', "{}", "{}", '{"a": "슬픔", "b": "기쁨"}']


CELLS = [{}, {0: 1.0}, {0: 2.0, 1: 2.0}, {0: 0.5, 2: 0.5}, {0: 2.0, 1: 1.0, 2: 2.0}, {1: 0.999999, 2: 1.0}, {0: 1.5}]
COUNTED = st.lists(st.tuples(st.sampled_from(CELLS), st.sampled_from(["columns", "names"]), st.integers(1, 5)))


@settings(max_examples=40, deadline=None)
@given(COUNTED, st.integers(0, 9))
def test_votes_are_counted_as_row_by_row(rows: list[tuple[dict[int, float], str, int]], cut: int) -> None:
    parts = [VoteTally(), VoteTally()]
    for number, row in enumerate(rows):
        parts[number >= cut].add(*row)
    found = parts[0]
    found += parts[1]
    every = [(votes, how) for votes, how, count in rows for _ in range(count)]
    voted = [votes for votes, _ in every if votes]
    assert found.ways == Counter(how for _, how in every)
    assert found.totals == Counter(round(sum(votes.values()), 6) for votes in voted)
    assert found.whole == sum(all(count == int(count) for count in votes.values()) for votes in voted)
    table = np.array([[votes.get(label, 0.0) for label in range(3)] for votes in voted]).reshape(-1, 3)
    assert found.tied == is_tied(to_shares(table)).sum()
    assert to_shares(np.array([[0, 0], [1, 3], [0.25, 0.25]])).tolist() == [[0, 0], [0.25, 0.75], [0.5, 0.5]]


TIES = "any of the tied labels counts as right, and as the first of them for the folds"


def tally(totals: dict[float, int], whole: bool = True, **more: Any) -> VoteTally:
    rows = sum(totals.values())
    return VoteTally({"columns": rows} | more.pop("ways", {}), totals, rows if whole else rows - 1, **more)


@pytest.mark.parametrize(
    ("found", "korean", "english"),
    [
        (
            tally({3.0: 1200, 4.0: 1}, tied=1100, blanks=1300, ways={"empty": 1400, "names": 2}),
            [
                "표: 레이블마다 한 열 1,201, 한 칸에 이름(하나에 한 표) 2; 표의 수, 행마다 3–4",
                "표가 같은 행(동률): 1,100; 그중 어느 레이블로 답해도 맞은 것으로, 겹은 번호가 앞선 것으로 셈",
                "0으로 본 빈 칸: 1,300",
                "표가 없는 행: 1,400",
            ],
            [
                "votes: a column for each label 1,201, one cell, names, one vote each 2; counts, a row 3–4",
                f"rows with a tie: 1,100; {TIES}",
                "empty cells taken for 0: 1,300",
                "rows without a vote: 1,400",
            ],
        ),
        (
            tally({5.0: 2}),
            ["표: 레이블마다 한 열 2; 표의 수, 행마다 5"],
            ["votes: a column for each label 2; counts, a row 5"],
        ),
        (tally({1.0: 2}, whole=False), ["표: 레이블마다 한 열 2; 몫"], ["votes: a column for each label 2; shares"]),
        (
            tally({100.0: 2}),
            ["표: 레이블마다 한 열 2; 백분율로 보이는 몫(행마다 합이 100)"],
            ["votes: a column for each label 2; shares in percent, as it seems: each row adds up to 100"],
        ),
        (VoteTally({"empty": 3}), [], []),
    ],
)
def test_votes_are_told_in_both_languages(found: VoteTally, korean: list[str], english: list[str]) -> None:
    assert found.lines("ko")[: len(korean)] == korean
    assert found.lines("en")[: len(english)] == english
    assert len(found.lines("ko")) == len(found.lines()) == (max(2, len(korean)) if korean else 0)
    for both, one, other in zip(found.lines(), found.lines("ko"), found.lines("en"), strict=True):
        assert all(part in both for part in (one.split(":")[0], other.split(":")[0]))


@pytest.mark.parametrize(
    ("cell", "number"),
    [("3", 3.0), (" 0 ", 0.0), ("0.5", 0.5), ("50%", 50.0), ("1e2", 100.0), ("-1", None), ("inf", None), ("x", None)],
)
def test_what_is_a_number_of_votes(tmp_path: Path, cell: str, number: float | None) -> None:
    assert is_votes([cell, "", "nan"]) is (number is not None)
    assert not is_votes(["", "nan"])
    one = "1%" if "%" in cell else "1"
    pd.DataFrame({"a": [cell, "1", "nan"], "b": [one, "", ""]}).to_csv(tmp_path / "rows.csv", index=False)
    table = read_table(tmp_path / "rows.csv", ReadOptions(has_cells=True))
    if number is None:
        with pytest.raises(DataError, match=rf"found '{cell}' in row 2, column 'a' \(1 such"):
            vote_cells(table, ["a", "b"], ["x", "y"])
        return
    cells, blanks = vote_cells(table, ["a", "b"], ["x", "y"])
    assert [VoteReader(["y", "x"]).read(found).parts for found in cells] == ([{"x": number, "y": 1.0}, {"x": 1.0}, {}])
    assert blanks == [0, 1, 0]
    assert cells[2] == ""


def test_votes_are_those_of_known_labels_each_added_up() -> None:
    reader = VoteReader(["sad", "happy"])
    votes = reader.read('{"슬픔": 1, "SAD ": 2, "happy": 0, "x": 4, "nan": 1}')
    assert votes.voted_for == ["슬픔", "SAD ", "x", "nan"]
    assert reader.ids(votes) == {0: 3.0}
    assert VoteReader([]).read("[]").how == "empty"
    assert reader.read('{"sad": 1').fault is not None, "no JSON, and no such label"


def test_named_columns_of_numbers_that_no_label_is_called_are_annotators(tmp_path: Path) -> None:
    frame(r1=[0, 1, 0, 2], r2=[0, 0, 2, 2]).to_csv(tmp_path / "rows.csv", index=False)
    rows = load_emotion_dataset(tmp_path / "rows.csv", label_column="r1,r2", labels=NAMES, task="soft")
    assert votes_of(rows).tolist() == [[2, 0, 0], [1, 1, 0], [1, 0, 1], [0, 0, 2]], "ids of labels"
