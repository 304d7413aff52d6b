"""What cells of labels were taken for, as lines in Korean, in English and in both."""

from __future__ import annotations

import pytest

from kobert_hf_emotion.data.label_reading import LabelReading, arrows, as_written
from kobert_hf_emotion.data.vote_tally import VoteTally
from kobert_hf_emotion.wording import Language

NAMES = ("sad", "happy", "중립")
READINGS: dict[str, tuple[LabelReading, list[str], list[str]]] = {
    "names": (LabelReading(NAMES), [], []),
    "numbers": (
        LabelReading(NAMES, numbers={"0": 1200, "2": 1}),
        ["숫자 레이블: 0 → sad 1,200, 2 → 중립 1"],
        ["numbers read as: 0 → sad 1,200, 2 → 중립 1"],
    ),
    "numbers of which there may be others": (
        LabelReading(NAMES, numbers={"0": 2, "1": 1}, absent=("중립",), confirmed=1),
        [
            "주의: 숫자를 번호 순서의 레이블로 읽었습니다: 0 → sad 2, 1 → happy 1 (행). 행이 없는 레이블: 중립. 다른 "
            "레이블 "
            "체계의 번호라면 틀린 뜻입니다. 그렇다면 칸에 번호 대신 이름을 쓰거나, 학습할 데이터라면 `labels`에 번호 "
            "순서의 이름들을(값 그대로면 auto를) 주세요."
        ],
        [
            "Mind: The numbers are read as the ids of labels: 0 → sad 2, 1 → happy 1 (rows). No row is left for "
            "중립. If "
            "they belong to another set of labels, this is wrong. Then write names in place of the numbers or, for "
            "rows "
            "to train on, pass the names in the order of the numbers as `labels` (auto takes the values as they are)."
        ],
    ),
    "numbers that a column of names bears out": (
        LabelReading(NAMES, numbers={"1": 2}, absent=("sad", "중립"), confirmed=1),
        ["숫자 레이블: 1 → happy 2"],
        ["numbers read as: 1 → happy 2"],
    ),
    "all sorts of cells": (
        LabelReading(
            NAMES,
            spellings={"sad": {"Sad": 1100, "슬픔": 1}, "중립": {"neutral": 1}},
            ids_beside={"sad": {"sad(0)": 3}},
            empty={"nan": 1300, "": 5, "-": 1},
            second={"sad": {"기쁨": 4}},
            second_alone=1400,
        ),
        [
            "이름으로 읽은 표기: Sad → sad 1,100, 슬픔 → sad 1, neutral → 중립 1",
            "이름 옆의 번호는 보지 않음: sad(0) → sad 3",
            "빈 레이블로 본 값: nan 1,300, - 1",
            "레이블이 비었는데 둘째 레이블 열에는 값이 있는 행: 1,400",
            "둘째 레이블 열의 다른 값: sad ↔ 기쁨 4",
        ],
        [
            "spellings read as: Sad → sad 1,100, 슬픔 → sad 1, neutral → 중립 1",
            "ids beside names, not used: sad(0) → sad 3",
            "taken as empty: nan 1,300, - 1",
            "label empty, second column is not: 1,400",
            "second column differs: sad ↔ 기쁨 4",
        ],
    ),
    "a map": (
        LabelReading(
            NAMES,
            map_source="map.csv",
            mapped={"sad": {"짜증": 1100, "sad": 1000}, "happy": {"happy": 234}, "": {"글쎄": 1}},
            unknown={"?": 1200},
        ),
        [
            "레이블 표 map.csv: 짜증 → sad 1,100, 글쎄 → 없음, 그 행은 뺌 1, 그대로 1,234",
            "모르는 레이블(`unknown_label` drop): ? 1,200",
        ],
        [
            "label map map.csv: 짜증 → sad 1,100, 글쎄 → none, rows left out 1, as it is 1,234",
            "unknown labels (`unknown_label` drop): ? 1,200",
        ],
    ),
    "a map of what is voted for": (
        LabelReading(NAMES, map_source="map.csv", mapped={"": {"글쎄": 1}}, votes=VoteTally({"names": 1})),
        ["레이블 표 map.csv: 글쎄 → 없음, 그 표는 뺌 1"],
        ["label map map.csv: 글쎄 → none, votes left out 1"],
    ),
    "a map that nothing was asked": (
        LabelReading(NAMES, map_source="map.csv"),
        ["레이블 표 map.csv: -"],
        ["label map map.csv: -"],
    ),
    "several labels": (
        LabelReading(
            NAMES,
            splits={"|": 1000, "list": 1, "none": 2, "one": 3, "empty": 1100},
            labels_given=1509,
            blanks=2000,
        ),
        [
            "여러 레이블: 행마다 평균 1.50; 나눈 방법: '|' 1,000, 목록 1, 빈 목록: 레이블 없음 2, 하나뿐 3",
            "0으로 본 빈 칸: 2,000",
            "빈 레이블 칸 1,100: 아무도 레이블을 붙이지 않은 행으로 봄; 레이블이 없다는 뜻이면 `allow_empty`",
        ],
        [
            "several labels a row: mean 1.50; divided by: '|' 1,000, a list in brackets 1, an empty list: none 2, a "
            "single label 3",
            "empty cells taken for 0: 2,000",
            "empty cells 1,100: taken for rows that nobody labelled; where it means none of them: `allow_empty`",
        ],
    ),
    "several labels where an empty cell is an answer": (
        LabelReading(NAMES, splits={"empty": 2}, empty_is_none=True),
        ["여러 레이블: 행마다 평균 0.00; 나눈 방법: ", "빈 레이블 칸 2: 레이블이 없는 행으로 봄"],
        ["several labels a row: mean 0.00; divided by: ", "empty cells 2: taken for rows with none of the labels"],
    ),
    "several labels without an empty cell": (
        LabelReading(NAMES, splits={"one": 1}, labels_given=1),
        ["여러 레이블: 행마다 평균 1.00; 나눈 방법: 하나뿐 1"],
        ["several labels a row: mean 1.00; divided by: a single label 1"],
    ),
}


@pytest.mark.parametrize("what", READINGS)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_what_was_assumed_is_told_in_one_language(what: str, language: Language) -> None:
    reading, korean, english = READINGS[what]
    assert reading.lines(language) == (korean if language == "ko" else english)


def test_both_languages_stand_in_a_line() -> None:
    readings = [READINGS[what][0] for what in ("a map", "several labels", "all sorts of cells")]
    assert [line for reading in readings for line in reading.lines()] == [
        "레이블 표 map.csv (label map map.csv): 짜증 → sad 1,100, 글쎄 → 없음, 그 행은 뺌 (none, rows left out) 1, "
        "그대로 "
        "(as it is) 1,234",
        "모르는 레이블(`unknown_label` drop) (unknown labels (`unknown_label` drop)): ? 1,200",
        "여러 레이블 (several labels a row): 행마다 평균 (mean) 1.50; 나눈 방법 (divided by): '|' 1,000, 목록 (a "
        "list in "
        "brackets) 1, 빈 목록: 레이블 없음 (an empty list: none) 2, 하나뿐 (a single label) 3",
        "0으로 본 빈 칸 (empty cells taken for 0): 2,000",
        "빈 레이블 칸 (empty cells) 1,100: 아무도 레이블을 붙이지 않은 행으로 봄; 레이블이 없다는 뜻이면 `allow_empty` "
        "(taken for rows that nobody labelled; where it means none of them: `allow_empty`)",
        "이름으로 읽은 표기 (spellings read as): Sad → sad 1,100, 슬픔 → sad 1, neutral → 중립 1",
        "이름 옆의 번호는 보지 않음 (ids beside names, not used): sad(0) → sad 3",
        "빈 레이블로 본 값 (taken as empty): nan 1,300, - 1",
        "레이블이 비었는데 둘째 레이블 열에는 값이 있는 행 (label empty, second column is not): 1,400",
        "둘째 레이블 열의 다른 값 (second column differs): sad ↔ 기쁨 4",
    ]
    doubtful = READINGS["numbers of which there may be others"]
    assert doubtful[0].lines() == [*doubtful[1], *doubtful[2]]


def test_numbers_that_begin_with_one_may_count_from_one() -> None:
    reading = LabelReading(NAMES, numbers={"1": 1, "2": 1}, absent=("sad",))
    assert "1부터 센 번호이거나 다른 레이블 체계의 번호라면" in reading.doubt()[0]
    assert "If they count from 1 or belong to another set" in reading.doubt()[1]
    assert not LabelReading(NAMES, absent=("sad",)).doubtful, "there are no numbers"


@pytest.mark.parametrize("count", [24, 25])
def test_of_many_values_twenty_four_are_shown(count: int) -> None:
    cells = {f"값{number}": 1 for number in range(count)}
    more = count > 24
    shown = ", ".join(f"값{number} → sad 1" for number in range(24)) + (", … (+1)" if more else "")
    assert arrows({"sad": cells}) == shown
    unknown = ", ".join(f"값{number} 1" for number in range(24)) + (", …" if more else "")
    assert LabelReading(NAMES, unknown=cells).lines("en") == [f"unknown labels (`unknown_label` drop): {unknown}"]
    absent = LabelReading(("x",), numbers={"0": 1}, absent=tuple(cells)).doubt()
    listed = ", ".join(list(cells)[:24]) + (", …" if more else "")
    assert f"행이 없는 레이블: {listed}. " in absent[0]
    assert f"No row is left for {listed}. " in absent[1]
    mapped = LabelReading(NAMES, map_source="m", mapped={"sad": {f"값{number}": 1 for number in range(76 + count)}})
    assert mapped.lines("en")[0].endswith("값99 → sad 1" + (", … (+1)" if more else ""))


@pytest.mark.parametrize(
    ("cell", "shown"),
    [("  행복 ", "행복"), ("매우 슬픔", "매우 슬픔"), ("Ｓad", "Ｓad"), ("a\tb", r"a\tb"), ("a\u200b", r"a\u200b")],
)
def test_what_is_not_seen_in_a_cell_is_made_visible(cell: str, shown: str) -> None:
    assert as_written(cell) == shown


def test_cells_written_otherwise_are_counted() -> None:
    assert READINGS["all sorts of cells"][0].joined == 1105
