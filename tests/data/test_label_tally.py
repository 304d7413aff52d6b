"""What is counted of label cells: the same as a plain loop over the rows counts, whatever the chunks."""

from __future__ import annotations

import logging
from collections import Counter

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kobert_hf_emotion.data.label_map import LabelMap
from kobert_hf_emotion.data.label_parsing import LabelParser, label_key
from kobert_hf_emotion.data.label_tally import LabelTally, encode_labels
from kobert_hf_emotion.data.several_labels import ONE
from kobert_hf_emotion.errors import DataError
from kobert_hf_emotion.labels import EMOTION_LABELS, clean_name

NAMES = ("sad", "happy", "중립")
CELLS = ["sad", "Sad ", "슬픔", "happy", "행복(9)", "0", "1.0", "2", "7", "?", "짜증", "", "nan", "중립"]
SECOND = [*CELLS, None]
Row = tuple[str, str | None, str]
ROWS = st.lists(
    st.tuples(st.sampled_from(CELLS), st.sampled_from(SECOND), st.sampled_from(["", "", "empty_text"])), max_size=20
)


def frame_of(rows: list[Row], start: int = 2) -> pd.DataFrame:
    """Rows of a file whose first stands in its row `start`."""
    raw, other, reason = ([row[part] for row in rows] for part in range(3))
    columns = {"raw_label": raw, "other_label": other, "reason": reason}
    frame = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
    numbers = [start + row for row in range(len(rows))]
    return frame.assign(file="a.csv", file_row=numbers, label_name="label", other_name="emotion")


def tally_of(*frames: pd.DataFrame) -> LabelTally:
    found = LabelTally()
    for frame in frames:
        part = LabelTally()
        part.add(frame, NAMES)
        found += part
    return found


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_rows_are_counted_as_one_by_one(rows: list[Row]) -> None:
    parse = LabelParser(NAMES).parse
    labels, cells, second, numbers, unknown = (Counter[object]() for _ in range(5))
    conflicts = second_alone = confirmed = 0
    for raw, other, reason in rows:
        (index, kind), (other_index, other_kind) = parse(raw), parse(other or "")
        numbers[label_key(raw)] += raw in ("0", "1.0", "2", "7")
        unknown[raw] += kind == "unknown"
        conflicts += index is not None and other_index is not None and index != other_index
        if reason:
            continue
        labels[index] += index is not None
        cells[kind, -1 if index is None else index] += kind != "unknown"
        if other_kind != "empty":
            second_alone += index is None
            confirmed += index is not None and index == other_index and kind == "number" and other_kind != "number"
            second[index, clean_name(other or "")] += index is not None and index != other_index
    frame = frame_of(rows)
    found = LabelTally()
    found.add(frame, NAMES)
    assert [None if pd.isna(label) else label for label in frame["label"]] == [parse(row[0]).id for row in rows]
    assert found.rows == len(rows)
    assert (found.labels, found.numbers, found.unknown_cells, found.second) == (+labels, +numbers, +unknown, +second)
    assert Counter({key: n for key, n in cells.items() if n}) == sum_by_kind(found)
    assert (found.conflicts, found.second_alone, found.confirmed) == (conflicts, second_alone, confirmed)
    assert (found.unknown, found.unknown_numbers) == (unknown.total(), unknown["7"])
    wrong = [number for number, row in enumerate(rows, 2) if parse(row[0]).kind == "unknown"]
    assert [row["file_row"] for row in found.first_unknown] == wrong[:5]


def sum_by_kind(tally: LabelTally) -> Counter[object]:
    found: Counter[object] = Counter()
    for (kind, index, _), rows in tally.cells.items():
        found[kind, index] += rows
    return found


@settings(max_examples=15, deadline=None)
@given(ROWS, st.integers(0, 12))
def test_two_parts_of_a_file_are_counted_as_the_whole(rows: list[Row], cut: int) -> None:
    cut = min(cut, len(rows))
    whole = tally_of(frame_of(rows))
    assert tally_of(frame_of(rows[:cut]), frame_of(rows[cut:], 2 + cut)) == whole
    both = LabelTally()
    for part in (frame_of(rows[:cut]), frame_of(rows[cut:], 2 + cut)):
        both.add(part, NAMES)
    assert both == whole, "so are frames that one tally is given"


def test_what_a_whole_file_is_asked_stays_with_its_parts() -> None:
    parts = [LabelTally(), LabelTally()]
    settle = LabelMap("map.csv", ("a",), ("sad",))
    for number, part in enumerate(parts, 1):
        part.splits.update({ONE: number, ",": 1})
        part.blanks = number
        part.mapped.update({("a", "sad"): number})
        part.votes.add({0: 2.0, 1: 1.0}, "columns", number)
        part.votes.blanks = number
    parts[0].empty_is_none, parts[1].drops_unknown, parts[0].label_map = True, True, settle
    whole = parts[0]
    whole += parts[1]
    whole += LabelTally()  # of rows of which nothing of all that is to be said
    assert (whole.splits, whole.blanks, whole.mapped) == ({ONE: 3, ",": 2}, 3, {("a", "sad"): 3})
    assert (whole.empty_is_none, whole.drops_unknown, whole.label_map) == (True, True, settle)
    assert (whole.votes.totals, whole.votes.ways, whole.votes.blanks) == ({3.0: 3}, {"columns": 3}, 3)


def test_columns_that_disagree_are_told_with_the_first_row_and_all_pairs(caplog: pytest.LogCaptureFixture) -> None:
    cells = [("sad", "슬픔"), ("sad", None), ("sad", "happy"), ("중립", "happy"), ("0", "?")]
    frame = frame_of([(*pair, "") for pair in cells])
    with caplog.at_level(logging.WARNING):
        found = encode_labels(frame, NAMES)
    assert frame["label"].tolist() == [0, 0, 0, 2, 0]
    assert found.conflicts == 2
    assert caplog.messages == [
        "5행 중 2행에서 'label' 열과 'emotion' 열이 다릅니다(처음은 a.csv 4행: sad, happy). 'label'을(를) 씁니다: "
        "sad ↔ ? 1, sad ↔ happy 1, 중립 ↔ happy 1 / "
        "Columns 'label' and 'emotion' disagree in 2 of 5 rows (first in a.csv, row 4: sad, happy); 'label' is used: "
        "sad ↔ ? 1, sad ↔ happy 1, 중립 ↔ happy 1"
    ]


def unknown_labels(cells: list[str], names: tuple[str, ...] = NAMES) -> DataError:
    frame = frame_of([(cell, None, "") for cell in cells]).drop(columns=["other_label", "other_name"])
    with pytest.raises(DataError) as caught:
        encode_labels(frame, names)
    return caught.value


def test_unknown_labels_are_told_with_their_rows_in_both_languages() -> None:
    error = unknown_labels(["sad", "행보", "행보", "중립", "sad"] * 2)
    assert error.english == (
        "a.csv: unknown label in 4 row(s): row 3, column 'label': '행보', row 4, column 'label': '행보', row 8, column "
        "'label': '행보', row 9, column 'label': '행보'. Accepted: 0 sad(슬픔), 1 happy(행복), 2 중립. Unknown values "
        "with their rows: 행보 4 (Did you mean '행복'?). Correct them, or give a table of what they mean as "
        "`label_map` (--write-label-map of `kobert-emotion doctor` writes one). To leave these rows out use "
        "`unknown_label` drop."
    )
    assert error.korean == (
        "a.csv: 알 수 없는 레이블이 4행에 있습니다: 3행 'label' 열의 '행보', 4행 'label' 열의 '행보', 8행 'label' 열의 "
        "'행보', 9행 'label' 열의 '행보'. 쓸 수 있는 값: 0 sad(슬픔), 1 happy(행복), 2 중립. 모르는 값과 행 수: 행보 4 "
        "(혹시 '행복'인가요?). 그 값을 고치거나, 뜻을 적은 표를 `label_map`으로 주세요(`kobert-emotion doctor`의 "
        "--write-label-map이 써 줍니다). 그 행들을 빼려면 `unknown_label`을 drop으로 하세요."
    )


def test_a_row_with_an_unknown_label_is_told_with_its_file() -> None:
    frame = frame_of([("?", None, ""), ("sad", None, ""), ("!", None, "")]).assign(file=["a.csv", "a.csv", "b.csv"])
    with pytest.raises(DataError) as caught:
        encode_labels(frame, NAMES)
    assert "a.csv: unknown label in 2 row(s): row 2, column 'label': '?', b.csv row 4, column" in caught.value.english
    assert "a.csv: 알 수 없는 레이블이 2행에 있습니다: 2행 'label' 열의 '?', b.csv 4행 'label'" in caught.value.korean


@pytest.mark.parametrize(("count", "more"), [(5, ""), (6, " and 1 more"), (1005, " and 1,000 more")])
def test_five_rows_with_an_unknown_label_are_shown(count: int, more: str) -> None:
    error = unknown_labels(["?"] * count)
    assert f"row 6, column 'label': '?'{more}. Accepted" in error.english
    assert ("6행 'label' 열의 '?'" + more.replace(" and ", " 외 ").replace(" more", "") + ". 쓸 수") in error.korean


@pytest.mark.parametrize("count", [20, 21])
def test_twenty_unknown_values_are_shown_and_twenty_labels(count: int) -> None:
    cells = [f"짜증 {letter}" for letter in "abcdefghijklmnopqrstu"[:count]]
    names = tuple(f"이름 {letter}" for letter in "abcdefghijklmnopqrstu"[:count])
    error = unknown_labels([*cells, cells[-1]], names)
    assert f"{cells[count - 1]} 2, {cells[0]} 1" in error.english, "the most frequent first"
    shown = f"{cells[18]} 1" + (". Correct" if count == 20 else ", …. Correct")
    assert shown in error.english
    assert ("19 이름 t. Unknown" if count == 20 else "19 이름 t, …. Unknown") in error.english
    assert ("19 이름 t. 모르는" if count == 20 else "19 이름 t, …. 모르는") in error.korean


def test_ids_are_no_values_where_names_are_numbers() -> None:
    assert "Accepted: 1, 2, 3. " in unknown_labels(["5"], ("1", "2", "3")).english


def test_numbers_of_another_scheme_are_all_shown() -> None:
    """Those that are ids as well, the smallest first, twenty of them."""
    error = unknown_labels([str(number) for number in (11, *range(25), 11)], EMOTION_LABELS)
    shown = ", ".join(f"{number} {3 if number == 11 else 1}" for number in range(20))
    assert error.english.endswith(
        f"Numbers are read as ids from 0 to 6; those of the file, with their rows, are {shown}, …. They seem to belong "
        "to another set of labels: write names in place of the numbers or, for rows to train on, pass the names in the "
        "order of the numbers as `labels` (auto takes the values as they are)."
    )
    assert f"숫자는 0부터 6까지의 번호로 읽는데, 파일의 숫자와 행 수는 {shown}, …입니다. 다른" in error.korean
    assert error.mend == {"labels": "auto"}


@pytest.mark.parametrize(
    ("cells", "is_scheme"),
    [
        (["0"] * 38 + ["7", "7"], True),  # one of twenty
        (["0"] * 39 + ["7", "7"], False),
        (["0"] * 40 + ["7", "7"], False),
        (["sad"] * 4 + ["0"] * 3 + ["7"], True),  # half are numbers
        (["sad"] * 5 + ["0"] * 3 + ["7"], False),
        (["sad"] * 4 + ["", "nan"] + ["0"] * 3 + ["7"], True),  # of those with a label
        (["0"] * 3 + ["7", "?"], False),
    ],
)
def test_how_many_numbers_are_another_scheme(cells: list[str], is_scheme: bool) -> None:
    error = unknown_labels(cells)
    assert ("another set of labels: write names" in error.english) is is_scheme
    assert (error.mend == {"labels": "auto"}) is is_scheme


def test_numbers_from_one_are_a_scheme_however_few() -> None:
    assert "They seem to count from 1" in unknown_labels(["sad"] * 90 + ["1", "2", "3"]).english
    assert "count from 1" not in unknown_labels(["sad"] * 90 + ["1", "2", "3", "4"]).english


def test_of_many_distinct_values_the_most_frequent_thousand_are_kept() -> None:
    cells = [f"글 {number}" for number in range(1002)]
    tally = tally_of(frame_of([(cell, cell, "") for cell in [*cells, cells[-1]]]))
    assert (tally.unknown, len(tally.unknown_cells)) == (1003, 1000)
    assert tally.unknown_cells[cells[-1]] == 2
    assert tally.unknown_cells.total() == 1001
    assert cells[999] not in tally.unknown_cells, "the last by name of the equal ones"
    second = tally_of(frame_of([("sad", cell, "") for cell in [*cells, cells[0], cells[-1]]]))
    assert (len(second.second), second.second[0, cells[0]], second.second.total()) == (1000, 2, 1001)
    numbers = tally_of(frame_of([(str(number), None, "") for number in [*range(1002), 1001, 0]]))
    assert (len(numbers.numbers), numbers.numbers["0"], numbers.unknown_numbers) == (1000, 2, 1000)


def test_what_was_read_stands_in_the_order_of_the_labels() -> None:
    names = tuple(f"이름 {letter}" for letter in "abcdefghijkl")
    tally = LabelTally()
    tally.add(frame_of([(cell, None, "") for cell in ("10", "2", "9", "2.0", "11", "?", "이름 b", "", "nan")]), names)
    reading = tally.reading(names)
    assert list(reading.numbers.items()) == [("2", 2), ("9", 1), ("10", 1), ("11", 1)]
    assert reading.absent == tuple(name for name in names if name[-1] not in "bcjkl")
    assert list(reading.empty) == ["", "nan"]
    assert reading.unknown == {}, "an error, and not left out"
    tally.drops_unknown = True
    assert tally.reading(names).unknown == {"?": 1}


def test_what_a_map_was_asked_stands_in_the_order_of_the_labels() -> None:
    tally = LabelTally(label_map=LabelMap("map.csv", (), ()))
    asked = {("-", ""): 9, ("z", "중립"): 1, ("y", "슬픔"): 1, ("x", "SAD"): 2, ("y", "sad"): 2, ("w", "no label"): 1}
    tally.mapped.update(asked)
    found = tally.reading(NAMES).mapped
    assert found == {"sad": {"y": 3, "x": 2}, "중립": {"z": 1}, "no label": {"w": 1}, "": {"-": 9}}
    assert list(found) == ["sad", "중립", "no label", ""]
    assert list(found["sad"]) == ["y", "x"]


def test_a_second_label_is_counted_however_both_are_written() -> None:
    pairs = [("sad", "happy"), ("Sad ", "happy"), ("sad", "happy "), ("0", "happy")]
    assert tally_of(frame_of([(*pair, "") for pair in pairs])).second == {(0, "happy"): 4}
