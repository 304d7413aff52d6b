"""Files of votes: the same votes however they are written, what is said of them, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kobert_hf_emotion import load_emotion_dataset, load_emotion_dataset_with_report, stratified_kfold
from kobert_hf_emotion.data.label_ids import IGNORED, class_names, has_votes, label_ids, votes_of
from kobert_hf_emotion.data.label_kinds import label_kind
from kobert_hf_emotion.data.row_stream import open_rows
from kobert_hf_emotion.data.tables import read_table
from kobert_hf_emotion.data.task_names import TaskName
from kobert_hf_emotion.data.votes import VoteReader, Votes, annotator_cells, vote_matrix
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
    rows = load_emotion_dataset(tmp_path / "rows.csv", label_column="a,b", labels=NAMES, task="soft")
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
    assert [json.loads(cell) for cell in annotations] == [{"a": "기쁨"}, {}, {}, {"a": "슬픔", "b": "기쁨"}]
