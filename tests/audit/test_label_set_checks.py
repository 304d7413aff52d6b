"""Several labels a row: how many, how many rows with none, and which go together."""

from __future__ import annotations

from datasets import ClassLabel, Dataset, Features, List, Value

from kobert_hf_emotion.audit import audit_dataset
from kobert_hf_emotion.audit.label_set_checks import check_label_sets

NAMES = ["fear", "happy", "sad", "angry"]


def rows(sets: list[list[int]]) -> Dataset:
    features = Features({"text": Value("string"), "label": List(ClassLabel(names=NAMES))})
    texts = [f"{number}번째 일" for number in range(len(sets))]
    return Dataset.from_dict({"text": texts, "label": sets}, features=features)


SETS = [[0, 1], [0, 1], [0, 1, 2], [2], [2, 3], [], [], [0, 1]]


def test_what_rows_have_together_is_counted() -> None:
    size, empty, together = check_label_sets(rows(SETS), "train")
    assert size.value == sum(map(len, SETS)) / len(SETS)
    assert size.details["rows"] == {"0": 2, "1": 1, "2": 4, "3": 1}
    assert size.details["distinct_sets"] == len(set(map(tuple, SETS)))
    assert (empty.value, empty.status) == (2, "notice")
    assert "--allow-empty" in str(empty.advice)
    assert together.details["nearly_same"] == [{"labels": ["fear", "happy"], "rows": 4, "jaccard": 1.0}]
    for pair in together.details["pairs"]:
        first, second = (NAMES.index(name) for name in pair["labels"])
        both = sum({first, second} <= set(found) for found in SETS)
        either = sum(bool({first, second} & set(found)) for found in SETS)
        assert (pair["rows"], pair["jaccard"]) == (both, round(both / either, 4))


def test_rows_with_one_label_each_are_another_task() -> None:
    size, empty, together = check_label_sets(rows([[0], [1], [2]]), "test")
    assert size.status == "notice"
    assert "single-label" in str(size.advice)
    assert (empty.value, empty.status, together.status) == (0, "ok", "ok")


def test_an_audit_has_them_and_those_of_other_rows_do_not() -> None:
    names = {"labels_per_row", "rows_without_labels", "labels_together"}
    assert names <= {finding.check for finding in audit_dataset(rows(SETS)).findings}
    one = Dataset.from_dict({"text": ["가", "나"], "label": [0, 2]}).cast_column("label", ClassLabel(names=NAMES))
    assert not names & {finding.check for finding in audit_dataset(one).findings}
