"""What a label cell is read as, and which labels a column holds."""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from collections.abc import Mapping

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kobert_hf_emotion.data.label_parsing import (
    LabelParser,
    as_cells,
    is_empty_label,
    label_key,
    label_names,
    named_labels,
    names_in,
    nearest,
)
from kobert_hf_emotion.errors import DataError
from kobert_hf_emotion.labels import EMOTION_LABELS, EMOTION_LABELS_KO, clean_name, fold_name

INVISIBLE = ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u3164", "\ufe0f"]
BLANKS = [" ", "\t", "\xa0", "\u3000", "\u2003"]
KNOWN = [*EMOTION_LABELS, *EMOTION_LABELS_KO, "anger", "기쁨", "불안", "joy"]


@st.composite
def written(draw: st.DrawFn, names: st.SearchStrategy[str]) -> tuple[str, str]:
    """A name, and the same name as some program or hand wrote it: what is seen is equal but for case and width."""
    name = draw(names)
    other = draw(st.sampled_from([str, str.upper, str.title, wide]))(name)
    other = unicodedata.normalize(draw(st.sampled_from(["NFC", "NFD"])), other)
    for mark in draw(st.lists(st.sampled_from(INVISIBLE), max_size=3)):
        place = draw(st.integers(0, len(other)))
        other = other[:place] + mark + other[place:]
    around = st.text(st.sampled_from(BLANKS + INVISIBLE), max_size=3)
    return name, draw(around) + other + draw(around)


def wide(name: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in name)


@given(written(st.sampled_from(KNOWN)))
def test_reading_is_invariant_under_how_a_name_is_written(pair: tuple[str, str]) -> None:
    parse = LabelParser(EMOTION_LABELS).parse
    name, other = pair
    assert parse(other) == parse(name)
    assert parse(name).kind == "name"


@given(written(st.integers(0, 6).map(str)))
def test_so_is_that_of_a_number(pair: tuple[str, str]) -> None:
    reading = LabelParser(EMOTION_LABELS).parse(pair[1])
    assert (reading.id, reading.kind) == (int(pair[0]), "number")


@given(st.text(max_size=20))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold_name(fold_name(text)) == fold_name(text)
    assert clean_name(clean_name(text)) == clean_name(text)
    assert label_key(label_key(text)) == label_key(text)


@given(
    st.text(max_size=12), st.lists(st.sampled_from([*KNOWN, "부정", "긍정", "x(1)"]), min_size=1, unique_by=fold_name)
)
def test_whatever_a_cell_holds_it_is_an_id_or_none(cell: str, names: list[str]) -> None:
    index, kind = LabelParser(names).parse(cell)
    assert (index is None) == (kind in ("empty", "unknown"))
    assert index is None or 0 <= index < len(names)


@settings(max_examples=50)
@given(
    st.lists(written(st.sampled_from(["Positive", "negative", "중립", "매우 슬픔"])), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
def test_labels_of_a_column_are_one_a_name_in_any_order(cells: list[tuple[str, str]], shuffler: random.Random) -> None:
    counts = Counter(other for _, other in cells)
    names = names_in(counts)
    assert sorted(map(fold_name, names)) == sorted({fold_name(name) for name, _ in cells})
    items = list(counts.items())
    shuffler.shuffle(items)
    assert names_in(dict(items)) == names
    parser = LabelParser(names)
    for name, other in cells:
        assert fold_name(names[parser.parse(other).id or 0]) == fold_name(name)


@pytest.mark.parametrize(
    "cell",
    [
        *("", "  ", "\u200b", "nan", "NaN", "NULL", "null", "\\N", "#NAME?", "#N/A", "#DIV/0!", "N/A", "<NA>", "-"),
        *("—", "(null)", "ＮＡＮ", "\ufeffnan"),
    ],
)
def test_cells_that_are_empty_in_all_but_name(cell: str) -> None:
    assert LabelParser(EMOTION_LABELS).parse(cell).kind == "empty"
    assert names_in({cell: 5, "좋음": 1}) == ("좋음",)


def test_a_label_that_is_called_so_is_not_empty() -> None:
    assert LabelParser(["nan", "n/a"]).parse("NaN ").id == 0


@pytest.mark.parametrize("cell", ["none", "None", "없는 값", "?", "x", "기쁨!", "7", "-1", "1.5", "①", "٣", "5e0"])
def test_what_is_not_understood_is_unknown(cell: str) -> None:
    assert LabelParser(EMOTION_LABELS).parse(cell).kind == "unknown"


def test_none_is_a_class_of_real_data_sets() -> None:
    assert names_in({"none": 3, "hate": 2, "offensive": 1}) == ("hate", "none", "offensive")


@pytest.mark.parametrize(
    "cell",
    [
        *("happy(5)", "행복 (3)", "행복（3）", "행복[1]", "(5) 행복", "5: 행복", "행복:5", "5_happy", "happy_5"),
        *("5.happy", "5-행복", "Happy <5>", "행복\u200b(5)"),
    ],
)
def test_an_id_beside_a_name_is_not_looked_at(cell: str) -> None:
    reading = LabelParser(EMOTION_LABELS).parse(cell)
    assert (reading.id, reading.kind) == (5, "id_beside")


def test_ids_beside_names_go_where_each_has_one() -> None:
    assert names_in({"슬픔(0)": 2, "행복(1)": 1, "행복": 4}) == ("슬픔", "행복")
    assert names_in({"level(1)": 2, "level(2)": 2}) == ("level(1)", "level(2)")  # two ids of one name
    assert names_in({"a(1)": 1, "b(1)": 1}) == ("a(1)", "b(1)")  # two names of one id
    assert names_in({"흐뭇함(귀여움/예쁨)": 1, "covid-19": 1}) == ("covid-19", "흐뭇함(귀여움/예쁨)")


def test_a_label_is_called_as_most_cells_call_it() -> None:
    assert names_in({"positive": 2, "Positive": 3, "ＰＯＳＩＴＩＶＥ": 1}) == ("Positive",)
    assert names_in({"positive": 2, "Positive": 2}) == ("Positive",)
    assert names_in({"a(1)": 2, "A": 3, "a (1)": 2}) == ("a",), "of all that are called so"
    assert names_in({"01": 1, "1": 1, "10.0": 1, "9": 2}) == ("1", "9", "10")


def test_numbers_as_names_are_no_ids() -> None:
    parser = LabelParser(["1", "2", "10"])
    assert parser.parse("2.0").id == 1
    assert parser.parse("0").kind == "unknown"


def test_capitals_of_an_emotion_keep_its_synonyms() -> None:
    assert LabelParser(["Sad", "Happy"]).parse("행복").id == 1


def test_a_number_beside_a_number_is_no_id() -> None:
    """Of "1(2)" nobody can tell which is the label."""
    assert LabelParser(["1", "2"]).parse("1(2)").kind == "unknown"
    assert LabelParser(EMOTION_LABELS).parse("3: 5").kind == "unknown"
    assert names_in({"1(2)": 1, "3(4)": 1}) == ("1(2)", "3(4)")


def test_ids_after_a_colon_go_as_those_in_brackets_do() -> None:
    assert names_in({"0: 슬픔": 2, "1: 행복": 1}) == ("슬픔", "행복")
    assert names_in({"슬픔:0": 2, "행복(1)": 1}) == ("슬픔", "행복")


def test_a_tab_in_a_name_is_a_blank() -> None:
    assert clean_name("매우\t슬픔") == "매우 슬픔"
    assert clean_name("매우\u200b슬픔") == "매우슬픔"


def labelled(cells: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"raw_label": cells, "label_name": "감정"})


@pytest.mark.parametrize("labels", [[], [""], ["좋다", " "], ["Sad", "sad "], ["1", "01"]])
def test_names_that_are_given_are_some_and_distinct(labels: list[str]) -> None:
    with pytest.raises(DataError, match="one or more distinct names, none of them empty"):
        label_names(labelled(["좋다"]), labels)


def test_names_of_a_column() -> None:
    cells = ["b", "a", "nan", "b"]
    assert label_names(labelled(cells), None) == label_names(labelled(cells), " Auto") == ("a", "b")
    assert label_names(labelled(cells), ["좋다", "싫다"]) == ("좋다", "싫다")
    assert label_names(pd.DataFrame({"text": cells}), ["a"]) is None
    with pytest.raises(DataError, match="found the string 'a,b'"):
        label_names(labelled(cells), "a,b")


def test_a_thousand_names_are_labels_and_more_are_texts() -> None:
    names = [f"이름 {index}번" for index in range(1001)]
    assert len(label_names(labelled(names[:1000]), None) or ()) == 1000
    with pytest.raises(DataError, match="Column '감정' has 1,001 distinct values"):
        label_names(labelled(names), None)


def test_what_is_empty_where_no_label_is_called_so() -> None:
    assert all(is_empty_label(cell) for cell in ("", " NaN", "#N/A", "\u200b-"))
    assert not any(is_empty_label(cell) for cell in ("none", "0", "슬픔"))


def test_ids_of_a_column() -> None:
    cells = pd.Series(["b", "?", "A ", "", "1", "nan", "b"], index=[3, 1, 4, 1, 5, 9, 2])
    found = LabelParser(["a", "b"]).ids(cells)
    assert found.dtype == pd.Int64Dtype()
    assert found.index.tolist() == cells.index.tolist()
    assert [None if pd.isna(index) else index for index in found] == [1, None, 0, None, 1, None, 1]
    assert LabelParser(["a"]).ids(pd.Series(["?"])).dtype == pd.Int64Dtype()


@pytest.mark.parametrize(
    ("names", "cell", "index"),
    [
        (["a", "b"], "2", None),
        (["a", "b"], "1", 1),
        (["a", "b"], "00", 0),
        (["a", "b"], "-1", None),
        (["3", "a"], "0", None),  # of names some of which are numbers none is an id
        (["3", "a"], "3.0", 0),
        (["3", "a"], "a", 1),
        (["happy", "기쁨"], "기쁨", 1),
        (["happy", "기쁨"], "행복", 0),
        (["Happy ", "x"], "joy", 0),
        (["a(1)", "a"], "a(1)", 0),
        (["a(1)", "a"], "a(2)", 1),
        (["a(1)", "b"], "b(a)", None),
    ],
)
def test_which_label_a_cell_is(names: list[str], cell: str, index: int | None) -> None:
    assert LabelParser(names).parse(cell).id == index


def test_a_name_with_an_id_beside_it_has_the_id_without_zeros() -> None:
    assert names_in({"슬픔(01)": 1, "행복(1)": 1}) == ("슬픔(01)", "행복(1)"), "two names of one id"
    assert names_in({"슬픔(01)": 1, "슬픔: 1": 1, "1: Ａ": 0}) == ("1: A", "슬픔(01)", "슬픔: 1")
    assert names_in({"슬픔(01)": 1, "슬픔 (1)": 1, "[1] 슬픔": 1, "2:행복": 1, "<3> c": 1}) == ("c", "슬픔", "행복")
    assert names_in({"슬픔_0": 1, "행복-1": 1}) == ("슬픔_0", "행복-1"), "these may be names"
    assert names_in({"(1)": 1, "1": 1}) == ("(1)", "1"), "no name stands beside the first"


def test_the_nearest_label_is_one_of_those_in_question() -> None:
    parser = LabelParser(["fear", "disgust", "sad"])
    assert parser.nearest("혐호") == parser.nearest("disgustt") == 1
    assert parser.nearest("혐호", {0, 1}) == 1
    assert parser.nearest("혐호", [0, 2]) is None
    assert parser.nearest("saddd", [2]) == 2
    assert nearest("abcd", ["abce", "abcf", "xbcd"]) in ("abce", "abcf", "xbcd")
    assert nearest("abcdefg", ["abcdefx", "abcdxxx"]) == "abcdefx"
    assert nearest("abcdefghij", ["abcdefgxyz"]) == "abcdefgxyz", "seven of ten letters are as many as it takes"
    assert nearest("abcdefghij", ["abcdefwxyz"]) is None
    assert nearest("abcdefghij", ["abcdefwxyz"], cutoff=0.5) == "abcdefwxyz"
    assert nearest(" ABCD", ["abcd"]) == "abcd"


def test_names_that_are_wrong_are_told_in_both_languages() -> None:
    for wrong in ([], ["a", "A "], ["a", ""]):
        with pytest.raises(DataError) as error:
            label_names(labelled(["a"]), wrong)
        assert error.value.english == (
            f"Expected one or more distinct names, none of them empty, as `labels`, found {wrong}."
        )
        assert error.value.korean == (
            f"`labels`에는 비어 있지 않은 서로 다른 이름이 하나 이상 있어야 하는데 {wrong}입니다."
        )
    with pytest.raises(DataError) as error:
        label_names(labelled(["a"]), "a,b")
    assert error.value.english == (
        "Expected a list of names or auto as `labels`, found the string 'a,b'. Write a list."
    )
    assert error.value.korean == "`labels`에는 이름의 목록이나 auto가 와야 하는데 문자열 'a,b'입니다. 목록으로 쓰세요."
    with pytest.raises(DataError) as error:
        label_names(labelled([f"이름 {index}번" for index in range(1234)]), None)
    assert error.value.english == (
        "Column '감정' has 1,234 distinct values; expected labels. Name the label column with `label_column`."
    )
    assert error.value.korean == (
        "'감정' 열에 서로 다른 값이 1,234개 있어 레이블 열로 볼 수 없습니다. `label_column`으로 레이블 열을 지정하세요."
    )


def test_names_of_a_column_are_found_by_what_is_given() -> None:
    given = []

    def names_of(counts: Mapping[str, int]) -> tuple[str, ...]:
        given.append(dict(counts))
        return ("x",)

    assert label_names(labelled(["b", "a", "b"]), "auto", names_of) == ("x",)
    assert given == [{"b": 2, "a": 1}]
    assert label_names(labelled(["b"]), [1, 2], names_of) == ("1", "2")  # type: ignore[list-item]


def test_labels_of_a_command() -> None:
    assert named_labels(EMOTION_LABELS) == named_labels(list(EMOTION_LABELS)) == {}
    assert named_labels(["a", "b, c"]) == {"labels": 'a,"b, c"'}
    assert as_cells([]) == ""
