"""Rows that stay in one fold: against a slow search for connected rows, and in the folds themselves."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, Value
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold

from kobert_hf_emotion.errors import SplitError
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.splits.csv import read_split, write_split
from kobert_hf_emotion.splits.folds import fold_numbers, folds_from_numbers, split_hash, stratified_kfold
from kobert_hf_emotion.splits.groups import check_present, crossing_groups, row_groups
from kobert_hf_emotion.splits.split import make_split


def build(texts: Sequence[str], labels: Sequence[int] | None = None, **columns: Sequence[object]) -> Dataset:
    features = {"text": Value("string"), "label": ClassLabel(names=list(EMOTION_LABELS))}
    features |= {name: Value("int64" if name == "row" else "string") for name in columns}
    values = [0] * len(texts) if labels is None else list(labels)
    return Dataset.from_dict({"text": list(texts), "label": values, **columns}, features=Features(features))


def connected(first: Sequence[object], second: Sequence[object]) -> list[set[int]]:
    """Joins rows with an equal value in either sequence, one pair after the other."""
    groups = [{row} for row in range(len(first))]
    for i in range(len(first)):
        for j in range(i):
            if first[i] == first[j] or second[i] == second[j]:
                merged = groups[i] | groups[j]
                for row in merged:
                    groups[row] = merged
    return groups


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=14))
def test_rows_connected_by_text_or_speaker_are_a_group(rows: list[tuple[int, int]]) -> None:
    texts, speakers = [f"글 {a}" for a, _ in rows], [f"S{b}" for _, b in rows]
    found = row_groups(build(texts, speaker=speakers), "speaker")
    assert found is not None
    expected = connected(texts, speakers)
    for i in range(len(rows)):
        assert {j for j in range(len(rows)) if found[j] == found[i]} == expected[i]


def test_without_equal_texts_the_folds_are_those_of_stratified_kfold() -> None:
    labels = np.arange(40) % 4
    texts = [f"글 {index}" for index in range(40)]
    split = make_split(build(texts, labels.tolist()), 4, 7)
    expected = StratifiedKFold(4, shuffle=True, random_state=7).split(labels, labels)
    assert split.groups is None
    for ours, theirs in zip(split.folds, expected, strict=True):
        np.testing.assert_array_equal(ours[1], theirs[1])


def test_five_folds_of_the_seed_42_are_made_unless_told_otherwise() -> None:
    labels = np.arange(45) % 3
    split = make_split(build([f"글 {index}" for index in range(45)], labels.tolist()))
    expected = StratifiedKFold(5, shuffle=True, random_state=42).split(labels, labels)
    assert [rows.tolist() for _, rows in split.folds] == [rows.tolist() for _, rows in expected]


def test_labels_are_called_by_their_names_in_what_is_refused() -> None:
    data = build([f"글 {index}" for index in range(12)], [0] * 10 + [5] * 2)
    with pytest.raises(SplitError, match=r"'happy' has 2 row"):
        make_split(data, 3)


def test_names_of_labels_are_stratified_by_as_they_stand() -> None:
    moods = ["맑음", "흐림", "비"] * 8
    data = Dataset.from_dict({"text": [f"글 {index}" for index in range(24)], "label": moods})
    for _, validation in make_split(data, 4).folds:
        assert sorted(moods[row] for row in validation) == sorted(["맑음", "흐림", "비"] * 2)


def test_equal_texts_stay_in_one_fold_unless_told_otherwise() -> None:
    labels = np.arange(60) % 3
    texts = [f"글 {index // 6 if index < 30 else index}" for index in range(60)]
    data = build(texts, labels.tolist())
    split = make_split(data, 3, 1)
    keys = np.unique(texts, return_inverse=True)[1]
    assert all(not set(keys[train]) & set(keys[validation]) for train, validation in split.folds)
    for label in range(3):  # five groups of two rows of each label, and ten rows of their own
        assert sorted((labels[rows] == label).sum() for _, rows in split.folds) == [6, 7, 7]
    for train, validation in stratified_kfold(data, 3, 1):
        assert not set(train["text"][:]) & set(validation["text"][:])
    apart = stratified_kfold(data, 3, 1, group_duplicates=False)
    assert any(set(train["text"][:]) & set(validation["text"][:]) for train, validation in apart)


def test_spellings_and_pairs() -> None:
    assert row_groups(build(["너무 좋아!!!", "너무좋아!", "싫어"])).tolist() == [0, 0, 2]  # type: ignore[union-attr]
    assert row_groups(build(["왜", "왜"], text_pair=["몰라", "글쎄"])) is None


def test_the_session_of_an_id() -> None:
    ids = ["S0001-D02-U03", "S0001-D03-U01", "S0002-D01-U01", "S0010-D01-U01"]
    data = build([f"글 {index}" for index in range(4)], id=ids)
    for pattern in (r"^(S\d+)", r"^S\d+"):
        groups = row_groups(data, "id", pattern)
        assert groups is not None
        assert groups.tolist() == ["S0001", "S0001", "S0002", "S0010"]


def test_a_value_that_does_not_match_is_named() -> None:
    data = build(["가", "나"], id=["S1-1", "X"], row=[4, 9])
    with pytest.raises(SplitError, match=r"row 9: the value 'X' of column 'id' does not match"):
        row_groups(data, "id", r"^(S\d+)")
    with pytest.raises(SplitError, match="no regular expression"):
        row_groups(data, "id", "(")
    with pytest.raises(SplitError, match="give `group_by` as well"):
        row_groups(data, None, "S")
    with pytest.raises(SplitError) as caught:
        row_groups(data, None, "S")
    assert caught.value.mend == {"group_pattern": None}


def test_a_row_is_called_by_its_place_in_its_file() -> None:
    ids = ["S1-1", "S2-1", "X"]
    texts = ["가", "나", "다"]
    known = build(texts, id=ids, row=[4, 9, 12], file=["a.csv", "a.csv", "b.csv"])
    for data, place in (
        (known, "b.csv row 12"),
        (known.remove_columns("file"), "row 12"),
        (known.remove_columns(["file", "row"]), "index 2"),
    ):
        with pytest.raises(SplitError) as caught:
            row_groups(data, "id", r"^(S\d+)")
        assert caught.value.english.startswith(f"{place}: the value 'X'")
        assert caught.value.korean.startswith(f"{place}: ")


def test_a_parenthesis_that_matched_nothing_is_no_group() -> None:
    data = build(["가", "나", "다"], id=["S1-a", "S1-b", "-c"])
    with pytest.raises(SplitError, match="index 2: the value '-c'"):
        row_groups(data, "id", r"^(S\d+)?-")


def test_numbers_can_be_matched() -> None:
    data = Dataset.from_dict({"text": ["가", "나", "다"], "label": [0, 0, 0], "id": [101, 102, 201]})
    assert row_groups(data, "id", r"^\d").tolist() == ["1", "1", "2"]  # type: ignore[union-attr]
    assert row_groups(data, "id").tolist() == [101, 102, 201]  # type: ignore[union-attr]


def test_rows_without_a_value_are_counted() -> None:
    check_present([0, 1, -1, "", False], "열")
    for values, below_zero, part in (
        (["a", None, None], False, "2 row(s) have no '열' (the first at index 1: None)"),
        ([1.0, 2.0, float("nan")], False, "1 row(s) have no '열' (the first at index 2: nan)"),
        ([0, 1, 2, -1, None], True, "2 row(s) have no '열' (the first at index 3: -1)"),
    ):
        with pytest.raises(SplitError) as caught:
            check_present(values, "열", below_zero)
        assert part in caught.value.english
    check_present([0, 1], "열", below_zero_is_missing=True)


def test_equal_texts_do_not_connect_where_they_were_told_not_to() -> None:
    data = build(["가", "가", "나"], id=["x", "y", "y"])
    assert row_groups(data, "id").tolist() == [0, 0, 0]  # type: ignore[union-attr]
    assert row_groups(data, "id", group_duplicates=False).tolist() == ["x", "y", "y"]  # type: ignore[union-attr]
    assert row_groups(data, group_duplicates=False) is None


def test_groups_in_two_folds_are_counted() -> None:
    assert crossing_groups(["a", "a", "a", "b", "b", "c"], [1, 2, 3, 1, 1, 2]) == 1
    assert crossing_groups(np.array([5, 5, 7, 7, 9]), [1, 2, 2, 1, 1]) == 2
    with pytest.raises(ValueError, match="zip"):
        crossing_groups(["a", "b"], [1])


def test_what_the_data_do_not_have_is_named() -> None:
    data = build(["가", "나"], id=["a", None])
    with pytest.raises(SplitError, match=r"no column 'speaker'. Columns found: text, label, id\."):
        row_groups(data, "speaker")
    with pytest.raises(SplitError, match=r"1 row\(s\) have no 'id' \(the first at index 1: None\)"):
        row_groups(data, "id")
    with pytest.raises(SplitError, match=r"no column 'text'\. Columns found: label, id"):
        row_groups(data.remove_columns("text"))


def test_a_label_with_too_few_different_texts_is_named() -> None:
    data = build(["같은 글"] * 10 + [f"글 {i}" for i in range(10)], [6] * 10 + [0] * 10)
    with pytest.raises(SplitError, match=r"'disgust' has 1 group"):
        stratified_kfold(data)


def test_a_split_comes_back_from_its_file(tmp_path: Path) -> None:
    data = build([f"글 {index}" for index in range(6)], [0, 1] * 3, row=[1, 2, 4, 5, 6, 8])
    write_split(tmp_path / "split.csv", data, [1, 1, 2, 2, 1, 2], np.arange(6))
    assert read_split(tmp_path / "split.csv", data) == [1, 1, 2, 2, 1, 2]
    backwards = data.select(range(5, -1, -1))
    assert read_split(tmp_path / "split.csv", backwards) == [2, 1, 2, 2, 1, 1]
    (tmp_path / "mine.csv").write_text("row,fold\n8,2\n1,1\n2,1\n4,2\n5,2\n6,1\n", encoding="utf-8")
    split = make_split(data, given=tmp_path / "mine.csv")
    assert [validation.tolist() for _, validation in split.folds] == [[0, 1, 4], [2, 3, 5]]
    assert split.describe()["split_from"] == "file"


@pytest.mark.parametrize(
    ("content", "english", "korean"),
    [
        ("row,fold\n1,1\n2,1\n", "row 3 of the data is missing", "데이터의 row 3이(가) 없음"),
        (
            "row,fold\n1,1\n2,1\n3,2\n4,2\n7,2\n",
            "line 6: row 7 is not in the data (1 such",
            "6행: row 7이(가) 데이터에 없음",
        ),
        ("row,fold\n1,1\n1,1\n", "line 3: row 1 comes twice", "3행: row 1이(가) 두 번"),
        ("row,fold\n1,1\n2,a\n3,2\n4,1\n", "line 3: fold 'a' is no number", "3행: fold 'a'"),
        ("row,fold\n1,1\n2\n3,2\n4,1\n", "line 3: fold '' is no number", "3행: fold ''"),
        ("row,fold\n1,1\n2,²\n3,2\n4,1\n", "line 3: fold '²' is no number", "3행: fold '²'"),
        ("row,fold\n\n1,1\n\n2,a\n3,2\n4,1\n", "line 5: fold 'a' is no number", "5행: fold 'a'"),
        ("\nrow,fold\n1,1\n", "no column ['row', 'fold'], found: -", "열 ['row', 'fold']이(가) 없음; 있는 열: -"),
        ("fold\n1,2\n", "no column ['row'], found: fold.", "열 ['row']이(가) 없음; 있는 열: fold."),
        ("row,part\n1,1\n", "no column ['fold'], found: row, part", "열 ['fold']이(가) 없음; 있는 열: row, part"),
        ("", "no column ['row', 'fold'], found: -", "열 ['row', 'fold']이(가) 없음; 있는 열: -"),
        ('row,fold\n"1,1\n', "it cannot be read (unexpected end of data)", "읽을 수 없음(unexpected end of data)"),
        (
            "row,fold,text_sha256\n1,1,00\n2,1,00\n3,1,00\n4,2,00\n",
            "line 2: row 1 has another text",
            "2행: row 1의 글이 다름",
        ),
    ],
)
def test_a_split_of_other_data_is_refused(tmp_path: Path, content: str, english: str, korean: str) -> None:
    path = tmp_path / "split.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SplitError) as caught:
        make_split(build([f"글 {index}" for index in range(4)]), given=path)
    assert caught.value.english.startswith(f"The split {path} is not one of this data: {english}")
    assert caught.value.korean.startswith(f"분할 파일 {path}은(는) 이 데이터의 것이 아닙니다: {korean}")
    assert caught.value.mend == {"split": None}


@pytest.mark.parametrize(
    ("content", "part"),
    [("row,fold\n1,1\n2,1\n3,3\n4,3\n", "without a gap"), ("row,fold\n1,1\n2,1\n3,1\n4,1\n", "at least two")],
)
def test_a_split_with_too_few_folds_is_refused(tmp_path: Path, content: str, part: str) -> None:
    (tmp_path / "split.csv").write_text(content, encoding="utf-8")
    with pytest.raises(SplitError, match=part):
        make_split(build([f"글 {index}" for index in range(4)]), given=tmp_path / "split.csv")


def test_files_are_told_apart_where_both_the_split_and_the_data_name_them(tmp_path: Path) -> None:
    path, data = tmp_path / "split.csv", build(["가", "나"], file=["a.csv", "b.csv"], row=[1, 2])
    path.write_text("row,fold\n1,2\n2,1\n", encoding="utf-8")
    assert read_split(path, data) == [2, 1]
    path.write_text("file,row,fold\nmine.csv,1,2\nmine.csv,2,1\n", encoding="utf-8")
    assert read_split(path, data.remove_columns("file")) == [2, 1]
    with pytest.raises(SplitError, match=r"a\.csv row 1 of the data is missing"):
        read_split(path, data)


def test_a_split_of_one_row_comes_back(tmp_path: Path) -> None:
    data = build(["가"], file=["a.csv"], row=[3])
    write_split(tmp_path / "split.csv", data, [1])
    assert read_split(tmp_path / "split.csv", data) == [1]


def test_a_given_split_is_checked(caplog: pytest.LogCaptureFixture) -> None:
    data = build(["가", "나", "가", "다"])
    with caplog.at_level(logging.WARNING):
        make_split(data, given=[1, 1, 2, 2])
    assert "puts 1 group(s)" in caplog.text
    assert "그룹 1개가 여러 겹에 나뉘어" in caplog.text
    with pytest.raises(SplitError, match="4 rows and the split 3"):
        make_split(data, given=[1, 1, 2])
    with pytest.raises(SplitError, match="labels missing: surprise"):
        make_split(build(["가", "나", "다", "라"], [0, 1, 0, 0]), given=[1, 1, 2, 2])
    assert crossing_groups(["a", "b", "a"], [1, 1, 1]) == 0
    assert [train.tolist() for train, _ in folds_from_numbers([2, 1, 2])] == [[0, 2], [1]]


def test_equal_texts_that_leave_fewer_groups_than_folds_are_told_of() -> None:
    texts = ["같은 글" if index in (0, 4, 8) else f"글 {index}" for index in range(16)]
    data = build(texts, [0, 1] * 8, talk=[f"d{index // 4}" for index in range(16)])
    with pytest.raises(SplitError, match=r"Equal texts join 4 groups \(conversations\) to 2, fewer than 3") as caught:
        make_split(data, 3, group_by="talk")
    assert caught.value.mend == {"group_duplicates": False}
    assert len(make_split(data, 3, group_by="talk", group_duplicates=False).folds) == 3
    assert len(make_split(data, 2, group_by="talk").folds) == 2
    assert len(make_split(data, 4, group_by="talk", group_duplicates=False).folds) == 4
    with pytest.raises(SplitError, match="to 2, fewer than 4"):
        make_split(data, 4, group_by="talk")
    with pytest.raises(SplitError, match="5 folds need as many groups"):  # without equal texts as well
        make_split(data, 5, group_by="talk")


def test_equal_texts_that_join_parts_of_a_group_are_told_of() -> None:
    texts = ["같은 글" if index % 4 == 0 else f"글 {index}" for index in range(16)]
    data = build(texts, [0, 1] * 8, talk=[f"d{index // 4}-{index}" for index in range(16)])
    with pytest.raises(SplitError, match=r"Equal texts join 4 groups \(conversations\) to 1, fewer than 3"):
        make_split(data, 3, group_by="talk", group_pattern=r"^d\d")
    apart = make_split(data, 2, group_by="talk", group_pattern=r"^d\d", group_duplicates=False)
    assert all({row // 4 for row in train}.isdisjoint(row // 4 for row in rows) for train, rows in apart.folds)
    assert apart.describe()["groups"] == 4
    given = make_split(data, group_by="talk", group_pattern=r"^d\d", given=[1] * 8 + [2] * 8, group_duplicates=False)
    assert given.describe()["groups"] == 4


def test_what_a_run_says_of_its_split(caplog: pytest.LogCaptureFixture) -> None:
    data = build([f"글 {index // 2}" for index in range(24)], [0, 1] * 12)
    of_seed, told = make_split(data, 3, 5), [1 + index // 2 % 3 for index in range(24)]
    said = of_seed.describe()
    assert said == {
        "group_by": None, "group_pattern": None, "group_duplicates": True, "split_from": "seed", "groups": 12,
        "split_sha256": split_hash(of_seed.folds),
    }  # fmt: skip
    of_caller = make_split(data, given=told, group_duplicates=False)
    assert (of_caller.describe()["split_from"], of_caller.describe()["groups"]) == ("caller", None)
    assert of_caller.describe()["group_duplicates"] is False
    assert fold_numbers(of_caller.folds, 24) == told
    assert "the given split puts" not in caplog.text, "no rows have to stay together"


def test_lines_of_a_conversation_are_together_where_turns_are_read() -> None:
    texts = [f"글 {index}" for index in range(6)]
    talks = ["가", "가", "나", "나", "다", "다"]
    lines = build(texts, conversation=talks)
    assert row_groups(lines) is None, "without turns before a line nothing of another row is in it"
    with_turns = lines.add_column("text_pair", [""] * 6)
    assert row_groups(with_turns).tolist() == talks  # type: ignore[union-attr]
    told = with_turns.add_column("speaker", ["x", "y", "y", "x", "z", "z"])
    assert row_groups(told, "speaker").tolist() == [0, 0, 0, 0, 1, 1]  # type: ignore[union-attr]


def test_the_file_of_a_split(tmp_path: Path) -> None:
    def sha(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    path = tmp_path / "split.csv"
    write_split(path, build(["가나", "다라"]), [2, 1])
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    plain = path.read_text(encoding="utf-8-sig").splitlines()
    assert plain == ["row,fold,text_sha256", f"1,2,{sha('가나')}", f"2,1,{sha('다라')}"]
    data = build(["가나", "다라"], file=["a.csv", "b.csv"], row=[7, 7])
    write_split(path, data, [1, 2], np.array(["x", "y"]))
    assert path.read_text(encoding="utf-8-sig").splitlines() == [
        "file,row,fold,group,text_sha256",
        f"a.csv,7,1,x,{sha('가나')}",
        f"b.csv,7,2,y,{sha('다라')}",
    ]
    assert read_split(path, data) == [1, 2]
    assert read_split(path, data.select([1, 0])) == [2, 1]
    with pytest.raises(SplitError, match="file"):
        read_split(path, build(["가나", "다라"], file=["a.csv", "c.csv"], row=[7, 7]))


def test_pairs_are_known_by_both_texts_and_lines_by_their_own(tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    write_split(path, build(["가", "나"], text_pair=["다", "라"]), [1, 2])
    with pytest.raises(SplitError, match="another text") as caught:
        read_split(path, build(["가", "나"], text_pair=["다", "마"]))
    assert caught.value.mend == {"split": None}
    with pytest.raises(SplitError, match="another text"):
        read_split(path, build(["가", "나"]))
    write_split(path, build(["가", "나"]), [1, 2])
    lines = build(["가", "나"], text_pair=["", "가"], conversation=["x", "x"])
    assert read_split(path, lines) == [1, 2], "the turns before a line are no part of it"


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    path, data = tmp_path / "split.csv", build(["가", "나"])
    for content, part in (
        (b"row,fold\n\xb0\xa1,1\n", "cannot be read"),
        (b'row,fold\n"1,1\n', "cannot be read"),
        (b"row,fold\n", r"no column \['row', 'fold'\], found: -"),
        (b"fold\n1\n", r"no column \['row'\], found: fold"),
        (b"row,fold\n1,-1\n2,1\n", "fold '-1' is no number"),
        (b"row,fold\n1, 1 \n 2,2\n", None),
    ):
        path.write_bytes(content)
        if part is None:
            assert read_split(path, data) == [1, 2]
            continue
        with pytest.raises(SplitError, match=part):
            read_split(path, data)
    with pytest.raises(SplitError, match="cannot be read"):
        read_split(tmp_path / "none.csv", data)
    path.write_text("row,fold\n1,1\n2,2\n3,1\n4,2\n", encoding="utf-8")
    with pytest.raises(SplitError, match=r"line 4: row 3 is not in the data \(2 such lines\)"):
        read_split(path, data)
