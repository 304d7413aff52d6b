"""Labels of two levels: read from two columns, checked, joined where a fine label has two places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kobert_hf_emotion import load_emotion_dataset, load_emotion_dataset_with_report
from kobert_hf_emotion.data.levels import Hierarchy, hierarchy_of
from kobert_hf_emotion.data.row_stream import open_rows
from kobert_hf_emotion.errors import DataError
from kobert_hf_emotion.wording import Doubt, Note

COLUMNS = {"label_column": "감정_대분류", "fine_label_column": "감정_소분류"}
PAIRS = [("기쁨", "안도"), ("기쁨 ", "감사하는"), ("슬픔", "낙담한 "), ("슬픔", "후회되는"), ("기쁨", "안도")]


def write(path: Path, pairs: list[tuple[str, str]]) -> Path:
    frame = pd.DataFrame(pairs, columns=["감정_대분류", "감정_소분류"])
    frame.insert(0, "문장", [f"버스를 {index}번 놓쳤다" for index in range(len(pairs))])
    frame.to_csv(path, index=False)
    return path


def named(rows: Any, column: str) -> list[str]:
    names = rows.features[column].names
    return [names[index] for index in rows[column][:]]


def test_a_fine_label_and_the_coarse_one_above_it(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", [*PAIRS, ("", "안도"), ("슬픔", ""), ("", "")])
    rows, report = load_emotion_dataset_with_report(path, **COLUMNS)
    assert named(rows, "label") == ["안도", "감사하는", "낙담한", "후회되는", "안도", "안도"]
    assert named(rows, "coarse_label") == ["기쁨", "기쁨", "슬픔", "슬픔", "기쁨", "기쁨"], "an empty one follows"
    assert report.dropped == {"empty_label": 2}
    assert report.levels == {"기쁨": ["감사하는", "안도"], "슬픔": ["낙담한", "후회되는"]}
    assert report.coarse_counts() == {"기쁨": 4, "슬픔": 2}
    assert any("1 row(s) have a coarse label and no fine one" in note.english for note in report.notes)
    assert "fine labels: 기쁨: 감사하는 1, 안도 3; 슬픔: 낙담한 1, 후회되는 1" in report.summary("en")
    assert (
        report.columns[0]
        .in_words("en")
        .startswith("text '문장' guessed; label '감정_소분류'; coarse label '감정_대분류'")
    )
    assert hierarchy_of(rows) == Hierarchy(("기쁨", "슬픔"), (0, 1, 0, 1))


def test_a_fine_label_under_two_coarse_ones(tmp_path: Path) -> None:
    path = write(
        tmp_path / "rows.csv", [*PAIRS, ("슬픔", "안도"), ("상처", "고립된"), ("당황", "고립된 "), ("", "고립된")]
    )
    with pytest.raises(DataError) as error:
        load_emotion_dataset(path, **COLUMNS)
    assert (
        "2 stand under several: '안도': 기쁨 2 (rows 2, 6), 슬픔 1 (rows 7); '고립된': 상처 1 (rows 8), 당황 1 (rows 9)"
        in (error.value.english)
    )
    assert error.value.mend == {"shared_fine_labels": "join"}
    rows, report = load_emotion_dataset_with_report(path, **COLUMNS, shared_fine_labels="join")
    assert named(rows, "label") == (
        ["기쁨/안도", "감사하는", "낙담한", "후회되는", "기쁨/안도", "슬픔/안도", "상처/고립된", "당황/고립된"]
    )
    assert named(rows, "coarse_label")[-3:] == ["슬픔", "상처", "당황"]
    assert any("rows left out whose coarse label is empty: 1" in note.english for note in report.notes)
    names = rows.features["label"].names
    again = load_emotion_dataset(path, **COLUMNS, labels=names, hierarchy=hierarchy_of(rows), unknown_label="drop")
    assert again["label"][:] == rows["label"][:], "a model's names tell the two apart as well"


@pytest.mark.parametrize(
    ("pairs", "labels", "told"),
    [
        ([("상처", "기쁨"), ("당황", "joy"), ("상처", "sad")], ["happy", "sad"], "1 stand under several: 'happy'"),
        ([("상처", "슬픔"), ("당황", "슬픔(0)"), ("상처", "기쁨(1)")], None, "1 stand under several: '슬픔'"),
    ],
)
def test_a_label_is_the_same_under_two_coarse_ones_however_it_is_written(
    tmp_path: Path, pairs: list[tuple[str, str]], labels: list[str] | None, told: str
) -> None:
    path = write(tmp_path / "rows.csv", pairs)
    with pytest.raises(DataError) as error:
        load_emotion_dataset(path, **COLUMNS, labels=labels)
    assert f"{told}: 상처 1 (rows 2), 당황 1 (rows 3). Correct" in error.value.english
    assert "상처 1행(2행), 당황 1행(3행)" in error.value.korean
    assert error.value.mend == {"shared_fine_labels": "join"} | ({} if labels is None else {"labels": "auto"})
    assert ("`labels` auto" in error.value.english) is ("`labels`를 auto로" in error.value.korean) is bool(labels)
    rows = load_emotion_dataset(path, **(COLUMNS | error.value.mend))
    assert len({*zip(named(rows, "coarse_label"), named(rows, "label"), strict=True)}) == 3


def test_rows_of_several_files_are_told_with_their_file(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{name}.csv", [("기쁨", "안도"), (above, "낙담한")]) for name, above in ("a기", "b슬")]
    with pytest.raises(DataError) as error:
        load_emotion_dataset(paths, **COLUMNS)
    assert f"{paths[0]}: expected each fine label" in error.value.english
    assert f"'낙담한': 기 1 (rows 3), 슬 1 (rows {paths[1]} 3). Correct" in error.value.english
    known = Hierarchy(("기쁨", "기"), (0, 1))
    _, report = load_emotion_dataset_with_report(paths, **COLUMNS, labels=["안도", "낙담한"], hierarchy=known)
    assert [note for note in report.notes if "another coarse" in note.english] == [
        Doubt(
            f"대분류가 모델의 것과 다른 행 1개(처음은 {paths[1]} 3행: 슬 / 낙담한, 모델은 기). 대분류는 "
            "소분류에서 정해진 것으로 잽니다.",
            f"1 row(s) have another coarse label than the model's (first in {paths[1]} row 3: 슬 / 낙담한; the model "
            "has 기). The coarse label that follows from the fine one counts.",
        )
    ]


def test_a_name_with_its_coarse_label_before_it_is_meant_where_the_name_alone_is_none(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", [("기쁨", "안도"), ("기쁨 ", "낙담한\u200b"), ("", "슬픔/낙담한")])
    names = ["안도", "기쁨/안도", "기쁨/낙담한", "슬픔/낙담한"]
    rows = load_emotion_dataset(path, **COLUMNS, labels=names, hierarchy=Hierarchy(("기쁨", "슬픔"), (0, 0, 0, 1)))
    assert named(rows, "label") == ["안도", "기쁨/낙담한", "슬픔/낙담한"]


@pytest.mark.parametrize(("more", "kind", "lost"), [([], Note, 0), ([("", "안도")], Doubt, 1)])
def test_what_was_joined_is_told_and_doubted_where_rows_are_lost(
    tmp_path: Path, more: list[tuple[str, str]], kind: type[Note], lost: int
) -> None:
    path = write(tmp_path / "rows.csv", [*PAIRS, ("슬픔", "안도 "), ("슬픔", "nan"), ("슬픔", ""), *more])
    _, report = load_emotion_dataset_with_report(path, **COLUMNS, shared_fine_labels="join")
    [note] = [note for note in report.notes if "told apart" in note.english]
    assert type(note) is kind
    assert note.korean == (f"여러 대분류에 있는 소분류를 나눔: 안도 → 기쁨/안도, 슬픔/안도; 대분류가 비어 뺀 행 {lost}")
    assert note.english == (
        "fine labels under several coarse ones, told apart: 안도 → 기쁨/안도, 슬픔/안도; rows left out whose coarse "
        f"label is empty: {lost}"
    )


def test_a_coarse_label_with_and_without_its_id_is_one(tmp_path: Path) -> None:
    rows = load_emotion_dataset(write(tmp_path / "a.csv", [("상처(1)", "슬픔"), ("상처", "슬픔")]), **COLUMNS)
    assert named(rows, "coarse_label") == ["상처", "상처"]


def test_rows_are_counted_however_a_label_is_written(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", [("가", "x"), ("가 ", "x"), ("나", "x "), ("가", "X"), ("", "x")])
    with pytest.raises(DataError, match=r"'x': 가 3 \(rows 2, 3, 5\), 나 1 \(rows 4\)"):
        load_emotion_dataset(path, **COLUMNS)


def test_rows_with_a_coarse_label_alone_are_told_beside_those_that_differ(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", [("기쁨", "안도"), ("슬픔", ""), ("기쁨", "nan"), ("", ""), ("슬픔", "안도")])
    known = Hierarchy(("기쁨", "슬픔"), (0,))
    _, report = load_emotion_dataset_with_report(path, **COLUMNS, labels=["안도"], hierarchy=known)
    told = [note for note in report.notes if isinstance(note, Doubt)]
    assert told[0].english == "2 row(s) have a coarse label and no fine one: they are not used."
    assert told[0].korean == "대분류만 있고 소분류가 없는 행 2개는 소분류를 몰라 쓰지 않습니다."
    assert "1 row(s) have another coarse label than the model's" in told[1].english


def test_many_places_and_many_labels_are_shortened(tmp_path: Path) -> None:
    fine = [f"소분류{number}" for number in range(6)]
    path = write(tmp_path / "rows.csv", [(above, name) for above in ("가", "나", "가", "가", "가") for name in fine])
    with pytest.raises(DataError) as error:
        load_emotion_dataset(path, **COLUMNS)
    assert "'소분류4': 가 4 (rows 6, 18, 24, …), 나 1 (rows 12), …. Correct" in error.value.english
    assert "'소분류4': 가 4행(6, 18, 24, …행), 나 1행(12행) 외 1개." in error.value.korean
    assert "소분류5" not in str(error.value)
    write(path, [(above, name) for above in ("가", "나", "가", "가") for name in fine[:5]])
    with pytest.raises(DataError) as error:
        load_emotion_dataset(path, **COLUMNS)
    assert f"{path}: expected each fine label" in error.value.english
    assert "'소분류4': 가 3 (rows 6, 16, 21), 나 1 (rows 11). Correct" in error.value.english
    assert "나 1행(11행). 잘못" in error.value.korean
    load_emotion_dataset(write(path, [("가", name) for name in fine]), **COLUMNS)


def test_rows_that_are_streamed_are_told_apart_as_well(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", [("상처", "고립된"), ("당황", "고립된"), ("기쁨", "안도"), ("기쁨", "")])
    names = ["당황/고립된", "상처/고립된", "안도"]
    rows = open_rows(path, names, label_column="감정_대분류", fine_label_column="감정_소분류", chunk_rows=2)
    assert [label for frame in rows.chunks(2) for label in frame["label"].tolist()][:3] == [1, 0, 2]
    alone = open_rows(write(tmp_path / "fine.csv", [("", "안도")]), names, fine_label_column="감정_소분류")
    assert alone.report.label_counts["안도"] == 1


def test_a_models_hierarchy_counts_and_what_differs_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    known = Hierarchy(("기쁨", "슬픔"), (0, 1))
    path = write(tmp_path / "rows.csv", [("기쁨", "안도"), ("슬픔", "안도"), ("모름", "낙담한"), ("", "낙담한")])
    rows, report = load_emotion_dataset_with_report(path, **COLUMNS, labels=["안도", "낙담한"], hierarchy=known)
    assert named(rows, "coarse_label") == ["기쁨", "기쁨", "슬픔", "슬픔"]
    told = "2 row(s) have another coarse label than the model's (first in row 3: 슬픔 / 안도; the model has 기쁨)"
    assert any(told in note.english for note in report.notes)
    assert told in caplog.text
    without = load_emotion_dataset(path, fine_label_column="감정_소분류", labels=["안도", "낙담한"], hierarchy=known)
    assert without["label"][:] == [0, 0, 1, 1]


MODEL: dict[str, Any] = {
    "label_column": "감정_대분류",
    "labels": ["안도", "낙담한"],
    "hierarchy": Hierarchy(("기쁨", "슬픔", *"abcdefg"), (0, 1)),
}
"""How a file is read for a finished model of two levels."""


@pytest.mark.parametrize("cells", [["기쁨", "0"], ["기쁨", "안도"], ["기쁨", "안도(0)"]])
def test_a_column_with_a_fine_label_is_one_of_those(tmp_path: Path, cells: list[str]) -> None:
    with pytest.raises(DataError, match=r"unknown label in 1 row\(s\): row 2, column '감정_대분류': '기쁨'"):
        load_emotion_dataset(write(tmp_path / "a.csv", [(cell, "") for cell in cells]), **MODEL)
    fine = write(tmp_path / "a.csv", [(cell, "") for cell in ("안도", "", "낙담한")])
    assert load_emotion_dataset(fine, **MODEL)["label"][:] == [0, 1]


@pytest.mark.parametrize(
    ("cells", "told"), [(["기쁨", "", "슬픔", "기쁨"], "기쁨, 슬픔"), ([*"abcdefg", "a"], "a, b, c, d, e")]
)
def test_a_column_of_coarse_labels_alone_is_not_read_as_fine_ones(tmp_path: Path, cells: list[str], told: str) -> None:
    path = write(tmp_path / "rows.csv", [(cell, "") for cell in cells])
    with pytest.raises(DataError) as error:
        load_emotion_dataset(path, **MODEL)
    assert error.value.english == (
        f"{path}: column '감정_대분류' holds coarse labels ({told}), and those of the model are fine. Name the column "
        "of the fine labels with `fine_label_column`."
    )
    assert error.value.korean == (
        f"{path}: '감정_대분류' 열은 대분류({told})인데 모델의 레이블은 소분류입니다. 소분류 열을 "
        "`fine_label_column`으로 지정하세요."
    )


@pytest.mark.parametrize("count", [20, 21])
def test_fine_labels_without_a_coarse_one_are_told(tmp_path: Path, count: int) -> None:
    names = [f"이름 {letter}" for letter in "abcdefghijklmnopqrstu"[:count]]
    path = write(tmp_path / "rows.csv", [*PAIRS, *[("", name) for name in names]])
    with pytest.raises(DataError) as error:
        load_emotion_dataset(path, **COLUMNS)
    listed = ", ".join(names[:20]) + (", …" if count > 20 else "")
    assert error.value.english == (
        f"{count} fine label(s) have no coarse label: {listed}. Fill in the coarse column or, where a name has no "
        "rows, leave it out of `labels` (auto takes those in the file)."
    )
    assert error.value.korean == (
        f"소분류 {count}개에 대분류가 없습니다: {listed}. 대분류 열을 채우거나, 행이 없는 이름이면 `labels`에서 빼세요"
        "(auto는 파일에 있는 것만)."
    )
    assert error.value.mend == {"labels": "auto"}


@pytest.mark.parametrize(
    ("settings", "part", "mend"),
    [
        ({"task": "multi-label"}, "for one label a text", {"task": None}),
        ({"shared_fine_labels": "both"}, "Expected one of error, join", {"shared_fine_labels": "join"}),
        ({"label_column": None}, "expected a column with the label", {"label_column": "감정_대분류"}),
        (
            {"labels": ["안도", "감사하는", "낙담한", "후회되는", "없는"]},
            "have no coarse label: 없는",
            {"labels": "auto"},
        ),
        ({"fine_label_column": "감정_세분류"}, "Did you mean '감정_소분류'?", {"fine_label_column": "감정_소분류"}),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, settings: dict[str, Any], part: str, mend: dict[str, Any]) -> None:
    path = write(tmp_path / "rows.csv", PAIRS)
    with pytest.raises(DataError) as error:
        load_emotion_dataset(path, **(COLUMNS | settings))
    assert part in error.value.english
    assert "가" <= max(error.value.korean) <= "힣"
    assert error.value.mend == mend


def test_a_hierarchy_of_a_data_set_is_checked(tmp_path: Path) -> None:
    rows = load_emotion_dataset(write(tmp_path / "rows.csv", PAIRS), **COLUMNS)
    other = rows.remove_columns("coarse_label").add_column(
        "coarse_label", [0, 0, 1, 1, 1], feature=rows.features["coarse_label"]
    )
    with pytest.raises(DataError) as error:
        hierarchy_of(other)
    place = f"{tmp_path / 'rows.csv'} row 5" if "file" in other.column_names else "row 5"
    assert error.value.english == f"'안도' stands under both '기쁨' and '슬픔' ({place})."
    assert error.value.korean == f"'안도'이(가) '기쁨'에도 '슬픔'에도 속합니다({place})."
    numbers = rows.remove_columns("label").add_column("label", rows["label"][:])
    with pytest.raises(DataError, match=r"Expected a datasets\.ClassLabel in 'label' and 'coarse_label'"):
        hierarchy_of(numbers)
    with pytest.raises(DataError, match=r"Expected a datasets\.ClassLabel"):
        hierarchy_of(rows.remove_columns("coarse_label").add_column("coarse_label", [0, 0, 1, 1, 1]))
    assert hierarchy_of(rows.remove_columns("coarse_label")) is None


@pytest.mark.parametrize("unknown", [None, -1, -100])
def test_a_row_without_a_coarse_label_tells_nothing_of_a_hierarchy(tmp_path: Path, unknown: int | None) -> None:
    rows = load_emotion_dataset(write(tmp_path / "rows.csv", PAIRS), **COLUMNS)
    ids = [unknown, 0, 1, 1, 0]
    other = rows.remove_columns("coarse_label").add_column("coarse_label", ids, feature=rows.features["coarse_label"])
    assert hierarchy_of(other) == hierarchy_of(rows)
    with pytest.raises(DataError, match=r"1 fine label\(s\) have no coarse label: 안도"):
        hierarchy_of(other.select([0, 1, 2, 3]))


def test_ids_and_members() -> None:
    found = Hierarchy(("a", "b"), (1, 0, 1))
    assert found.ids(np.array([2, 1, -100, 0, -1])).tolist() == [1, 0, -100, 1, -1]
    assert found.members().tolist() == [[0, 1], [1, 0], [0, 1]]
    assert Hierarchy.from_dict(found.to_dict("xyz"), "xyz") == found
    for wrong in ({"a": ["x"], "b": ["y"]}, {"a": ["x", "z"], "b": ["y", "x"]}, {"a": ["x", "y", "z"], "b": []}):
        with pytest.raises(ValueError, match="expected each of"):
            Hierarchy.from_dict(wrong, "xyz")


def test_a_map_and_joined_labels_go_together(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", [("상처", "고립된"), ("당황", "외딴"), ("기븜", "안도")])
    given = {"외딴": "고립된", "고립된": "고립된", "안도": "안도", "기븜": "기쁨"}
    rows = load_emotion_dataset(path, **COLUMNS, label_map=given, shared_fine_labels="join")
    assert named(rows, "label") == ["상처/고립된", "당황/고립된", "안도"]
    assert named(rows, "coarse_label") == ["상처", "당황", "기쁨"]
