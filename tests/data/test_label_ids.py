"""Labels of data sets as a model's ids: names are matched, numbers without names are said, and nothing is guessed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import datasets
import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

from kobert_hf_emotion.data.label_ids import (
    Truth,
    class_names,
    has_several,
    has_votes,
    is_labelled,
    label_column,
    label_ids,
    match_names,
    named_labels,
    rows_of_labels,
    with_labels,
)
from kobert_hf_emotion.errors import DataError
from kobert_hf_emotion.labels import EMOTION_LABELS

KOREAN = ["기쁨", "화남", "공포", "중립", "놀람", "혐오", "슬픔"]
"""The emotions by names of their own, in an order of their own."""
IDS_OF_KOREAN = [5, 2, 0, 4, 1, 6, 3]


def rows(labels: Sequence[Any], feature: Any, column: str = "label", **more: list[Any]) -> Dataset:
    data = Dataset.from_dict({"text": [f"글 {i}" for i in range(len(labels))], **more})
    kind = Value("int64") if isinstance(feature, ClassLabel) else feature
    values = Dataset.from_dict({column: list(labels)}, features=Features({column: kind})).cast_column(column, feature)
    return datasets.concatenate_datasets([data, values], axis=1)


def failure(data: Dataset, labels: Sequence[str] = EMOTION_LABELS) -> DataError:
    with pytest.raises(DataError) as caught:
        label_ids(data, labels)
    return caught.value


@pytest.mark.parametrize("column", ["label", "labels"])
def test_names_in_another_order(column: str) -> None:
    data = rows([6, 0, 3, 3, 1], ClassLabel(names=list(EMOTION_LABELS[::-1])), column)
    assert label_ids(data, EMOTION_LABELS).tolist() == [0, 6, 3, 3, 5]


def test_names_are_compared_as_label_files_are_read() -> None:
    assert label_ids(rows(range(7), ClassLabel(names=KOREAN)), EMOTION_LABELS).tolist() == IDS_OF_KOREAN
    decomposed = [" Happy", "SAD", "\u1107\u116e\u11ab\u1102\u1169", "중립 "]  # 분노 as macOS writes it
    assert label_ids(rows(range(4), ClassLabel(names=decomposed)), EMOTION_LABELS).tolist() == [5, 3, 2, 4]
    assert label_ids(rows([0, 1], ClassLabel(names=["angry", "sad"])), ["슬픔", "분노", "불안"]).tolist() == [1, 0]
    assert match_names(["불안", "두려움"], ["공포", "불안"]) == [1, None], "two of the model's labels are fear"


@pytest.mark.parametrize("kind", ["string", "large_string"])
def test_names_in_a_column_of_strings(kind: str) -> None:
    assert label_ids(rows(KOREAN * 2, Value(kind)), EMOTION_LABELS).tolist() == IDS_OF_KOREAN * 2
    error = failure(rows(["sad", "happy", "그저그래", "happy"], Value(kind), row=[2, 3, 5, 8]))
    assert "row 5: '그저그래'" in error.english
    assert "row 5: '그저그래'" in error.korean


@pytest.mark.parametrize("kind", ["int8", "uint8", "int32", "int64"])
def test_numbers_without_names_are_said(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    assert label_ids(rows([1, 0, 1], Value(kind)), EMOTION_LABELS).tolist() == [1, 0, 1]
    assert "0 = fear, 1 = surprise" in caplog.text
    assert "sad" not in caplog.text


def test_names_say_nothing(caplog: pytest.LogCaptureFixture) -> None:
    label_ids(rows([1, 0], ClassLabel(names=["happy", "sad"])), EMOTION_LABELS)
    assert not caplog.text


@pytest.mark.parametrize("feature", [ClassLabel(names=list(EMOTION_LABELS)), Value("int64"), Value("int32")])
@pytest.mark.parametrize("wrong", [-1, None, -99])
def test_what_is_no_label_is_an_error_with_its_row(feature: Any, wrong: int | None) -> None:
    data = rows([0, 3, wrong, 6, wrong], feature)
    error = failure(data)
    assert f"2 row(s) have no label (the first at index 2: {wrong})" in error.english
    assert f"index 2: {wrong}" in error.korean
    assert (
        f"a.csv row 8: {wrong}"
        in failure(data.add_column("row", [2, 4, 8, 9, 11]).add_column("file", ["a.csv"] * 5)).english
    )


def test_a_number_beyond_the_labels() -> None:
    assert "(the first at index 1: 7)" in failure(rows([6, 7], Value("int64"))).english
    assert label_ids(rows([6, 7], Value("int64")), [str(i) for i in range(8)]).tolist() == [6, 7]


@pytest.mark.parametrize("feature", [ClassLabel(names=list(EMOTION_LABELS[::-1])), Value("int64")])
def test_ignored_rows_stay_ignored(feature: Any) -> None:
    assert label_ids(rows([-100, 3, -100], feature), EMOTION_LABELS).tolist() == [-100, 3, -100]


@pytest.mark.parametrize(
    ("labels", "feature", "shown"),
    [
        ([1.0, 0.0], Value("float64"), "float64"),
        ([True, False], Value("bool"), "bool"),
        ([[0.1, 0.9], [1.0, 0.0]], List(Value("float32")), "float"),
    ],
)
def test_what_is_neither_name_nor_number_is_refused(labels: list[Any], feature: Any, shown: str) -> None:
    error = failure(rows(labels, feature))
    assert shown in error.english
    assert "Value('int64')" in error.english


def test_labels_of_another_set_are_refused_where_rows_have_them() -> None:
    data = rows([0, 1, 0], ClassLabel(names=["sad", "love"]))
    assert "['love'] (the first at index 1: 'love')" in failure(data).english
    assert label_ids(data.select([0, 2]), EMOTION_LABELS).tolist() == [3, 3], "a name no row has is no matter"
    assert "['0', '1']" in failure(rows([0, 1], ClassLabel(num_classes=2))).english, "NSMC's numbers are no emotions"
    assert "id2label" in failure(data, ["LABEL_0", "LABEL_1"]).english


def test_two_labels_that_are_one_to_the_model_are_refused() -> None:
    assert "'불안' and '공포'" in failure(rows([0, 1], ClassLabel(names=["불안", "공포"]))).english


def test_both_columns_or_none() -> None:
    data = rows([0, 1], ClassLabel(names=["sad", "happy"]))
    assert "found ['text']" in failure(data.remove_columns("label")).english
    error = failure(data.add_column("labels", [0, 1]))
    assert error.english == (
        "There are two columns of labels, ['label', 'labels']: leave one out, dataset.remove_columns('label')."
    )
    assert error.korean == ("라벨 열이 둘입니다: ['label', 'labels']. 하나를 빼세요: dataset.remove_columns('label')")


def test_rows_taken_out_and_other_formats() -> None:
    data = rows(range(7), ClassLabel(names=KOREAN))
    assert label_ids(data.select([4, 0]), EMOTION_LABELS).tolist() == [1, 5]
    for form in ("torch", "numpy", "pandas"):
        assert label_ids(data.shuffle(seed=1).with_format(form), KOREAN).tolist() == data.shuffle(seed=1)["label"][:]
    assert label_ids(data.select([]), EMOTION_LABELS).dtype == np.int64


def test_strings_get_the_numbers_of_the_seven_emotions() -> None:
    named = named_labels(rows(KOREAN, Value("string")))
    assert named.features["label"] == ClassLabel(names=list(EMOTION_LABELS))
    assert named["label"][:] == IDS_OF_KOREAN
    with pytest.raises(DataError, match="have no names"):
        named_labels(rows([0, 1], Value("int64")))
    with pytest.raises(DataError, match=r"index 1: -100"):
        named_labels(rows([0, -100], ClassLabel(names=["a", "b"])))


def test_labels_that_have_names_stay_and_stand_in_one_column() -> None:
    data = rows([1, 0, 1], ClassLabel(names=["sad", "happy"]))
    assert named_labels(data) is data
    moved = named_labels(data.rename_column("label", "labels"))
    assert moved.column_names == ["text", "label"]
    assert moved.features["label"] == ClassLabel(names=["sad", "happy"])
    assert moved["label"][:] == [1, 0, 1]
    with pytest.raises(DataError, match="The data has no labels"):
        named_labels(data.remove_columns("label"))


@pytest.mark.parametrize("feature", [Value("string"), Value("int64"), ClassLabel(names=["sad", "happy"])])
def test_no_number_is_made_of_a_missing_label(feature: Any) -> None:
    """Numpy makes one that depends on the processor, and warns."""
    data = rows([None, "sad" if feature == Value("string") else 0], feature)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "1 row(s) have no label (the first at index 0: None)" in failure(data).english


def test_of_many_labels_twenty_are_shown() -> None:
    error = failure(rows([30], Value("int64")), [f"이름{index}" for index in range(25)])
    assert error.english.count("이름") == 20
    assert "19 이름19" in error.english


VOTES = {"happy": Value("float64"), "sad": Value("float64")}


def votes(cells: Sequence[Any], feature: Any = None, **more: list[Any]) -> Dataset:
    data = Dataset.from_dict({"label": list(cells)}, features=Features({"label": feature or VOTES}))
    return datasets.concatenate_datasets([data, Dataset.from_dict(more)], axis=1) if more else data


def of_two(happy: float | None, sad: float | None) -> dict[str, float | None]:
    return {"happy": happy, "sad": sad}


def test_shares_of_votes_by_the_names_of_the_model() -> None:
    data = votes([of_two(3, 1), of_two(-100, -100), of_two(None, 2), of_two(0.5, 0.5)])
    found = label_ids(data, ["슬픔", "angry", "Happy"])
    assert found.tolist() == [[0.25, 0, 0.75], [-100, -100, -100], [1, 0, 0], [0.5, 0, 0.5]]
    assert found.dtype == np.float64
    assert is_labelled(found).tolist() == [True, False, True, True]
    assert rows_of_labels(found, 3).tolist() == [1.75, 0, 1.25]


@pytest.mark.parametrize(
    "wrong", [(1, -1), (-100, 1), (float("nan"), 1), (float("inf"), 1), (0, 0), (None, None), (-1, -1)]
)
def test_a_row_whose_votes_are_none_is_told(wrong: tuple[float | None, float | None]) -> None:
    cells = [of_two(-100, -100), of_two(1, 2), of_two(*wrong), of_two(-100, -100), of_two(*wrong)]
    error = failure(votes(cells), ["sad", "happy"])
    assert "2 row(s) have no label (the first at index 2: {'happy': " in error.english
    assert "expected one of 0 sad, 1 happy." in error.english
    with_places = votes(cells, row=[2, 3, 5, 8, 9], file=["a.csv"] * 5)
    assert "a.csv row 5: {'happy': " in failure(with_places, ["sad", "happy"]).korean


@pytest.mark.parametrize("first", [True, False])
def test_a_label_that_the_model_has_not_and_nobody_votes_for_changes_nothing(first: bool) -> None:
    unknown = {"love": Value("float64")}
    three = {**unknown, **VOTES} if first else {**VOTES, **unknown}
    found = label_ids(votes([of_two(3, 1) | {"love": 0}, of_two(0, 2) | {"love": 0}], three), ["sad", "happy"])
    assert found.tolist() == [[0.25, 0.75], [1, 0]]


def test_votes_for_labels_that_the_model_has_not() -> None:
    three = {**VOTES, "love": Value("float64")}
    cells = [of_two(1, 1) | {"love": love} for love in (0, 2, -100, 1)]
    cells[2] = dict.fromkeys(three, -100.0)
    error = failure(votes(cells, three), ["sad", "happy"])
    assert error.english == (
        "There are votes for a label that the model does not know, 'love' (2 row(s)); it has ['sad', 'happy']."
    )
    assert error.korean == ("모델이 모르는 레이블에 표가 있습니다: 'love' (2행). 모델의 레이블: ['sad', 'happy'].")
    none = votes([cells[0], cells[2]], three)
    assert label_ids(none, ["sad", "happy"]).tolist() == [[0.5, 0.5], [-100, -100]], "one without votes is no matter"
    same = votes([{"기쁨": 1.0, "joy": 1.0}], {"기쁨": Value("float64"), "joy": Value("float64")})
    error = failure(same, ["sad", "happy"])
    assert error.english == (
        "The labels '기쁨' and 'joy' of the data are one to the model, 'happy': make them one in the data."
    )
    assert error.korean == (
        "데이터의 레이블 '기쁨'과(와) 'joy'이(가) 모델에서는 하나('happy')입니다. 데이터에서 하나로 합치세요."
    )


@pytest.mark.parametrize(
    "truth",
    [
        np.array([1, -100, 0, 2]),
        np.array([[1, 0, 1], [-100, -100, -100], [0, 0, 0], [0, 1, 0]]),
        np.array([[0.5, 0, 0.5], [-100, -100, -100], [1, 0, 0], [0.25, 0.25, 0.5]]),
    ],
    ids=["one", "several", "votes"],
)
@pytest.mark.parametrize("column", ["label", "labels"])
def test_labels_that_are_added_are_read_back(truth: Truth, column: str) -> None:
    names = ["기쁨", "슬픔", "중립"]
    data = with_labels(Dataset.from_dict({"text": list("가나다라")}), truth, names, column)
    assert label_column(data) == column
    assert class_names(data) == names
    assert (has_several(data), has_votes(data)) == (truth.ndim == 2 and truth.dtype == np.int64, truth.dtype == float)
    found = label_ids(data, names)
    assert found.tolist() == truth.tolist()
    assert found.dtype == truth.dtype
    assert label_ids(data, names[::-1]).tolist() == (truth[:, ::-1].tolist() if truth.ndim == 2 else [1, -100, 2, 0])
    known = [row for row in truth.tolist() if row not in (-100, [-100] * 3)]
    assert is_labelled(truth).tolist() == [True, False, True, True]
    counts = np.sum(known, axis=0) if truth.ndim == 2 else [known.count(label) for label in range(3)]
    assert rows_of_labels(truth, 3).tolist() == list(counts)
    assert rows_of_labels(truth[:2], 3).tolist() == (truth[0].tolist() if truth.ndim == 2 else [0, 1, 0])


def test_no_labels_at_all_of_rows_with_several() -> None:
    data = rows([[], []], List(ClassLabel(names=["a", "b"])))
    assert label_ids(data, ["b", "a"]).tolist() == [[0, 0], [0, 0]]
    assert label_ids(data.select([]), ["b", "a"]).shape == (0, 2)
    assert label_ids(data, ["b", "a"]).dtype == np.int64


@pytest.mark.parametrize("feature", [List(Value("string")), List(ClassLabel(names=["sad", "love"]))])
def test_one_of_several_labels_that_is_unknown_is_told_with_its_row(feature: Any) -> None:
    cells = [["sad"], [], ["sad", "love"]] if feature.feature == Value("string") else [[0], [], [0, 1]]
    data = Dataset.from_dict(
        {"label": cells, "row": [2, 3, 7], "file": ["a.csv", "b.csv", "longer.csv"]},
        features=Features({"label": feature, "row": Value("int64"), "file": Value("string")}),
    )
    assert "['love'] (the first at longer.csv row 7: 'love')" in failure(data).english
    assert label_ids(data, ["love", "sad"]).tolist() == [[0, 1], [0, 0], [1, 1]]
    named = named_labels(data.rename_column("label", "labels").select([0, 1]))
    assert named["label"][:] == [[EMOTION_LABELS.index("sad")], []] if "string" in str(feature) else [[0], []]
    with pytest.raises(DataError, match=r"The labels of column 'label' have no names .*cast_column\('label'"):
        named_labels(rows([[0], [1]], List(Value("int64"))))


def test_numbers_without_names_are_said_in_both_languages(caplog: pytest.LogCaptureFixture) -> None:
    label_ids(rows([2, 0, -100, 2], Value("int64"), "labels"), ["a", "b", "c"])
    assert caplog.messages == [
        "'labels' 열의 이름이 없는 번호를 모델의 라벨 번호로 읽습니다: 0 = a, 2 = c. 다르면 "
        "datasets.ClassLabel로 이름을 주세요. / "
        "the numbers of column 'labels' have no names and are read as the model's ids: 0 = a, 2 = c"
    ]
    caplog.clear()
    label_ids(rows([0, 0], Value("int64")).select([]), ["a"])
    label_ids(rows([-100, -100], Value("int64")), ["a"])
    assert not caplog.messages


def test_what_is_no_label_is_shown_by_the_first_row() -> None:
    data = rows([1.5, 0.0], Value("float64"))
    error = failure(data)
    assert error.english == (
        "Column 'label' holds float64; expected names of labels or whole numbers. The first row has 1.5. With whole "
        "numbers in it, dataset.cast_column('label', datasets.Value('int64')) makes it one of these."
    )
    assert error.korean == (
        "'label' 열의 값이 라벨이 아닙니다: float64. 라벨 이름이나 정수 번호여야 합니다. 첫 행의 값: 1.5"
    )
    assert "The first row has -. With" in failure(data.select([])).english
    assert failure(data.select([])).korean.endswith("첫 행의 값: -")
