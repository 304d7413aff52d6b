"""The labels of a data set as the class ids of a model: matched by name, and where there are no names, said."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..labels import EMOTION_LABELS, fold_name, label_aliases
from ..wording import Wording
from .column_names import LABEL_COLUMN, LABELS_COLUMN
from .distributions import to_shares
from .votes import vote_matrix

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset

logger = logging.getLogger(__name__)

IGNORED = -100
"""The label of a row that counts in no loss and no metric, as in torch and transformers."""

Truth: TypeAlias = NDArray[Any]
"""The labels of rows: class ids, shape (rows,); or, of several a row, 1 where it has a label and 0 where not, shape
(rows, labels); both int64. Of votes their shares, which add up to 1 in each row, shape (rows, labels), float64.
`IGNORED` stands in place of what is not known."""


def label_column(dataset: Dataset) -> str | None:
    """Returns the name of the column with the labels, None where there is none.

    Raises:
        DataError: There are both of the names it may have.
    """
    found = [name for name in (LABEL_COLUMN, LABELS_COLUMN) if name in dataset.column_names]
    if len(found) > 1:
        raise DataError(
            f"라벨 열이 둘입니다: {found}. 하나를 빼세요: dataset.remove_columns('{LABEL_COLUMN}')",
            f"There are two columns of labels, {found}: leave one out, dataset.remove_columns('{LABEL_COLUMN}').",
        )
    return found[0] if found else None


def has_several(dataset: Dataset) -> bool:
    """Whether the rows of a data set have lists of labels."""
    column = label_column(dataset)
    return column is not None and _inner(dataset.features[column]) is not None


def has_votes(dataset: Dataset) -> bool:
    """Whether the rows of a data set have a number of votes, or a share of them, for each label."""
    column = label_column(dataset)
    return column is not None and isinstance(dataset.features[column], dict)


def class_names(dataset: Dataset) -> list[str] | None:
    """Returns the names of a data set's labels in the order of their ids, None where it knows none."""
    column = label_column(dataset)
    if column is None:
        return None
    feature = dataset.features[column]
    if isinstance(feature, dict):
        return list(feature)
    names = getattr(_inner(feature) or feature, "names", None)
    return None if names is None else list(names)


def is_labelled(truth: Truth) -> NDArray[np.bool_]:
    """Tells of each row whether its labels are known, shape (rows,)."""
    known: NDArray[np.bool_] = truth != IGNORED if truth.ndim == 1 else (truth != IGNORED).all(axis=1)
    return known


def rows_of_labels(truth: Truth, labels: int) -> NDArray[Any]:
    """Counts the rows of each label, shape (labels,); of votes the sum of the rows' shares."""
    known = truth[is_labelled(truth)]
    return known.sum(axis=0) if truth.ndim == 2 else np.bincount(known, minlength=labels)


def _inner(feature: Any) -> Any:
    """Returns the feature of a list's elements, None where a feature is no list."""
    return getattr(feature, "feature", None) if type(feature).__name__ in ("List", "LargeList", "Sequence") else None


def label_ids(dataset: Dataset, labels: Sequence[str]) -> Truth:
    """Returns the class ids of the rows as a model with `labels` numbers them.

    Of several labels a row it tells which it has, of votes their shares.

    Names (of a `ClassLabel`, or in a column of strings) are compared as label files are read: without regard to case,
    white space and Unicode composition, and an emotion by any of its Korean and English names. Numbers without names
    are taken for the model's own ids, with a warning that says what each is read as.

    Args:
        dataset: Rows with `label` or `labels`.
        labels: The model's label names in the order of their ids.

    Returns:
        See `Truth`; -100 where the row has that in place of an id.

    Raises:
        DataError: There is no such column, or a row has no label, or one that the model has not.
    """
    column = label_column(dataset)
    if column is None:
        raise DataError(
            f"데이터에 라벨 열이 없습니다. '{LABEL_COLUMN}' 열이 필요합니다. 있는 열: {dataset.column_names}",
            f"The data has no labels: expected a column '{LABEL_COLUMN}', found {dataset.column_names}.",
        )
    feature: Any = dataset.features[column]
    values: pa.ChunkedArray = dataset.with_format("arrow")[column][:]
    if values.null_count:
        raise _unfit(dataset, np.asarray(values.is_null()), values, labels)
    if (found := _many_a_row(dataset, column, labels)) is not None:
        return found
    if getattr(feature, "names", None) is not None:
        return _by_name(dataset, np.asarray(values, dtype=np.int64), values, list(feature.names), labels)
    kind = str(getattr(feature, "dtype", feature))
    if "string" in kind:
        encoded = values.combine_chunks().dictionary_encode()
        names = encoded.dictionary.to_pylist()
        return _by_name(dataset, np.asarray(encoded.indices, dtype=np.int64), values, names, labels)
    if "int" not in kind or kind.startswith(("List", "LargeList", "{", "[")):
        raise DataError(
            f"'{column}' 열의 값이 라벨이 아닙니다: {kind}. 라벨 이름이나 정수 번호여야 합니다. 첫 행의 값: "
            f"{values[0] if len(values) else '-'}",
            f"Column '{column}' holds {kind}; expected names of labels or whole numbers. The first row has "
            f"{values[0] if len(values) else '-'}. With whole numbers in it, "
            f"dataset.cast_column('{column}', datasets.Value('int64')) makes it one of these.",
        )
    ids = np.asarray(values, dtype=np.int64)
    _check_range(dataset, ids, values, labels)
    if known := sorted(set(ids.tolist()) - {IGNORED}):
        _say_what_is_assumed(known, labels, column)
    return ids


def _many_a_row(dataset: Dataset, column: str, labels: Sequence[str]) -> Truth | None:
    """Returns the labels, or the shares of votes, of rows with many; None of rows with one label."""
    if has_several(dataset):
        return _several(dataset, column, labels)
    return _shares(dataset, column, labels) if has_votes(dataset) else None


def named_labels(dataset: Dataset) -> Dataset:
    """Returns rows whose `label` is a `ClassLabel`: as it is, or strings that are names of the seven emotions.

    Raises:
        DataError: The labels are numbers without names, or names of something else, or a row has none.
    """
    column = label_column(dataset)
    names = class_names(dataset)
    feature: Any = None if column is None else _inner(dataset.features[column]) or dataset.features[column]
    if column is not None and names is None and "string" not in str(getattr(feature, "dtype", "")):
        raise DataError(
            f"'{column}' 열의 라벨에 이름이 없습니다({dataset.features[column]}). 이름을 번호 순서로 주세요: "
            f"dataset.cast_column('{column}', datasets.ClassLabel(names=[…]))",
            f"The labels of column '{column}' have no names ({dataset.features[column]}). Give them in the order of "
            f"the ids: dataset.cast_column('{column}', datasets.ClassLabel(names=[…])).",
        )
    labels = list(EMOTION_LABELS) if names is None else list(names)
    ids = label_ids(dataset, labels)
    if not (known := is_labelled(ids)).all():
        raise _unfit(dataset, ~known, dataset.with_format("arrow")[column][:], labels)
    if names is not None and column == LABEL_COLUMN:
        return dataset
    return with_labels(dataset.remove_columns([column]), ids, labels, LABEL_COLUMN)


def with_labels(dataset: Dataset, truth: Truth, labels: Sequence[str], column: str = LABELS_COLUMN) -> Dataset:
    """Returns the rows with a `ClassLabel` added, or a list of them: ids never travel without their names."""
    from datasets import ClassLabel, List

    feature: Any = ClassLabel(names=list(labels))
    if truth.ndim == 1:
        return dataset.add_column(column, truth, feature=feature)
    if truth.dtype.kind == "f":
        rows = [dict(zip(labels, row, strict=True)) for row in truth.tolist()]
        return dataset.add_column(column, rows, feature=cast("Any", vote_feature(labels)))
    lists = [[IGNORED] if row.size and row[0] == IGNORED else np.flatnonzero(row).tolist() for row in truth]
    return dataset.add_column(column, lists, feature=List(feature))


def vote_feature(labels: Sequence[str]) -> dict[str, Any]:
    """Returns what a data set calls a column of votes: a number for each label, by its name."""
    from datasets import Value

    return {name: Value("float64") for name in labels}


def votes_of(dataset: Dataset) -> NDArray[np.float64]:
    """Returns the votes of a data set as they are in its file, shape (rows, labels); -100 in rows without any."""
    column = label_column(dataset)
    assert column is not None
    return vote_matrix(dataset[column][:], class_names(dataset) or [])


def _shares(dataset: Dataset, column: str, labels: Sequence[str]) -> Truth:
    """Returns the shares of the votes of each row."""
    names, votes = class_names(dataset) or [], votes_of(dataset)
    ignored = (votes == IGNORED).all(axis=1)
    wrong = ~ignored & ((votes < 0).any(axis=1) | ~np.isfinite(votes).all(axis=1) | (votes.sum(axis=1) <= 0))
    if wrong.any():
        raise _unfit(dataset, wrong, dataset.with_format("arrow")[column][:], labels)
    found = np.where(ignored[:, None], np.float64(IGNORED), np.zeros((len(votes), len(labels))))
    taken: dict[int, str] = {}
    for index, (name, label) in enumerate(zip(names, match_names(names, labels), strict=True)):
        given = votes[:, index] > 0
        if label is None and given.any():
            raise DataError(
                f"모델이 모르는 레이블에 표가 있습니다: {name!r} ({int(given.sum()):,}행). 모델의 레이블: "
                f"{list(labels)}.",
                f"There are votes for a label that the model does not know, {name!r} ({int(given.sum()):,} row(s)); it "
                f"has {list(labels)}.",
            )
        if label is None:
            continue
        if label in taken:
            raise DataError(
                f"데이터의 레이블 {taken[label]!r}과(와) {name!r}이(가) 모델에서는 하나({labels[label]!r})입니다. "
                "데이터에서 하나로 합치세요.",
                f"The labels {taken[label]!r} and {name!r} of the data are one to the model, {labels[label]!r}: make "
                "them one in the data.",
            )
        taken[label] = name
        found[~ignored, label] = votes[~ignored, index]
    return to_shares(found)


def row_place(dataset: Dataset, index: int) -> str:
    """Returns how messages call a row: by its number in its file where the data set knows it."""
    file = f"{dataset[index]['file']} " if "file" in dataset.column_names else ""
    return f"{file}row {dataset[index]['row']}" if "row" in dataset.column_names else f"index {index}"


def match_names(names: Sequence[str], labels: Sequence[str]) -> list[int | None]:
    """Returns for each name the id of the label that it names, None where there is no such label or more than one.

    Example:
        >>> match_names(["슬픔", " Happy", "love"], ["happy", "sad"])
        [1, 0, None]
    """
    own = {fold_name(label): index for index, label in enumerate(labels)}
    emotion = {name: number for name, number in label_aliases().items() if not name.isdecimal()}
    by_emotion: dict[int, list[int]] = {}
    for folded, index in own.items():
        if folded in emotion:
            by_emotion.setdefault(emotion[folded], []).append(index)

    def find(name: str) -> int | None:
        folded = fold_name(name)
        if folded in own:
            return own[folded]
        same = by_emotion.get(emotion[folded], []) if folded in emotion else []
        return same[0] if len(same) == 1 else None

    return [find(name) for name in names]


def _several(dataset: Dataset, column: str, labels: Sequence[str]) -> Truth:
    """Returns which labels each row has: those in its list are read as one label a row would be."""
    table = dataset.with_format("arrow")[column][:].combine_chunks()
    lengths = np.diff(np.asarray(table.offsets))
    rows = np.repeat(np.arange(len(lengths)), lengths)
    truth = np.zeros((len(lengths), len(labels)), dtype=np.int64)
    if len(rows):
        ids = label_ids(_elements(dataset, column, rows), labels)
        truth[rows[ids != IGNORED], ids[ids != IGNORED]] = 1
        truth[rows[ids == IGNORED]] = IGNORED
    return truth


def _elements(dataset: Dataset, column: str, rows: NDArray[np.int64]) -> Dataset:
    """Returns a row for each label of each row, so that errors name the row it stands in."""
    from datasets import Dataset, Features

    values = dataset.with_format("arrow")[column][:].combine_chunks().flatten()
    known = {name: dataset.features[name] for name in ("row", "file") if name in dataset.column_names}
    taken = {name: np.asarray(dataset[name][:])[rows].tolist() for name in known}
    features = Features({LABEL_COLUMN: _inner(dataset.features[column]), **known})
    return Dataset.from_dict({LABEL_COLUMN: values, **taken}, features=features)


def _by_name(
    dataset: Dataset, numbers: NDArray[np.int64], values: Any, names: Sequence[str], labels: Sequence[str]
) -> NDArray[np.int64]:
    """Translates ids of `names` into those of `labels`."""
    _check_range(dataset, numbers, values, names)
    used = set(numbers.tolist()) - {IGNORED}
    found = match_names(names, labels)
    table = np.asarray([-1 if index is None else index for index in found] + [IGNORED], dtype=np.int64)
    ids: NDArray[np.int64] = table[np.where(numbers == IGNORED, len(found), numbers)]
    if (ids == -1).any():
        first = int(np.flatnonzero(ids == -1)[0])
        unknown = sorted({names[number] for number in set(numbers[ids == -1].tolist())})
        place = row_place(dataset, first)
        raise DataError(
            f"모델이 모르는 라벨입니다: {unknown} (처음은 {place}: {names[numbers[first]]!r}). 모델의 라벨: "
            f"{list(labels)}. 새로 학습할 모델이면 라벨을 주세요: from_pretrained(…, id2label={{0: …, 1: …}})",
            f"The model does not know the labels {unknown} (the first at {place}: {names[numbers[first]]!r}); it has "
            f"{list(labels)}. A model that is new gets its labels by from_pretrained(…, id2label={{0: …, 1: …}}).",
        )
    taken: dict[int, str] = {}
    for number in sorted(used):
        index = int(table[number])
        if index in taken:
            raise DataError(
                f"데이터의 라벨 {taken[index]!r}과(와) {names[number]!r}이(가) 모델에서는 하나({labels[index]!r})"
                "입니다. 데이터에서 하나로 합치거나 이름을 고치세요.",
                f"The labels {taken[index]!r} and {names[number]!r} of the data are one to the model, "
                f"{labels[index]!r}: make them one in the data, or rename them.",
            )
        taken[index] = names[number]
    return ids


def _check_range(dataset: Dataset, numbers: NDArray[np.int64], values: Any, names: Sequence[str]) -> None:
    wrong = (numbers != IGNORED) & ((numbers < 0) | (numbers >= len(names)))
    if wrong.any():
        raise _unfit(dataset, wrong, values, names)


def _unfit(dataset: Dataset, wrong: NDArray[np.bool_], values: Any, names: Sequence[str]) -> DataError:
    first = int(np.flatnonzero(wrong)[0])
    place, count = row_place(dataset, first), int(wrong.sum())
    shown = ", ".join(f"{index} {name}" for index, name in enumerate(names[:20]))
    return DataError(
        f"라벨이 아닌 값이 {count:,}행에 있습니다(처음은 {place}: {values[first].as_py()!r}). 쓸 수 있는 값: {shown}. "
        "채우거나 그 행을 빼세요.",
        f"{count:,} row(s) have no label (the first at {place}: {values[first].as_py()!r}); expected one of {shown}. "
        "Fill them in or leave the rows out.",
    )


def _say_what_is_assumed(ids: Sequence[int], labels: Sequence[str], column: str) -> None:
    read = ", ".join(f"{index} = {labels[index]}" for index in ids)
    logger.warning(
        Wording(
            f"'{column}' 열의 이름이 없는 번호를 모델의 라벨 번호로 읽습니다: {read}. 다르면 "
            "datasets.ClassLabel로 이름을 주세요.",
            f"the numbers of column '{column}' have no names and are read as the model's ids: {read}",
        )
    )
