"""Looks at texts and data sets that callers hand in, where they come in."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from ..utils.argument_checks import exists
from ..utils.file_suffixes import FILE_SUFFIXES

if TYPE_CHECKING:
    from datasets import Dataset


def as_texts(texts: Iterable[str], name: str = "texts") -> list[str]:
    """Returns the texts that a caller gave as a list.

    Args:
        texts: A list, tuple, Series, array, generator or column of a data set; not a table, whose elements are the
            names of its columns, nor a single string, whose elements are letters.
        name: The name of the argument.

    Raises:
        DataError: It is something else, or an element is no string.
    """
    _refuse_no_list(texts, name)
    convert = next((found for way in ("to_pylist", "tolist", "to_list") if (found := getattr(texts, way, None))), None)
    listed = list(texts) if convert is None else list(convert())
    for index, text in enumerate(listed):
        if not isinstance(text, str):
            raise _no_string(name, index, text)
    return listed


def _refuse_no_list(texts: object, name: str) -> None:
    """Raises `DataError` where something is no list of texts: a text, a file, a table, a set, or no iterable."""
    if isinstance(texts, str | bytes | bytearray):
        raise DataError(
            f"`{name}`에는 문장 하나가 아니라 문장의 목록이 필요합니다. 대괄호로 감싸세요: [text]",
            f"Expected a list of texts as `{name}`, found a single text. Put it in brackets: [text].",
        )
    if isinstance(texts, os.PathLike | io.IOBase):
        raise _no_texts(name, texts, 'load_emotion_dataset(path, require_labels=False)["text"]')
    if isinstance(texts, Mapping) or any(hasattr(type(texts), column) for column in ("columns", "column_names")):
        raise _no_texts(name, texts, f'data["{_text_column(texts)}"]')
    if isinstance(texts, set | frozenset) or getattr(texts, "ndim", 1) != 1:
        raise _no_texts(name, texts, "list(…)")
    if not isinstance(texts, Iterable):
        raise _no_texts(name, texts, "[text]")


def as_pairs(texts: Iterable[str], text_pairs: Iterable[str] | None) -> tuple[list[str], list[str] | None]:
    """Returns texts and their second sentences as lists.

    Raises:
        DataError: An element is no string, or there are not as many of the one as of the other.
    """
    firsts = as_texts(texts)
    if text_pairs is None:
        return firsts, None
    seconds = as_texts(text_pairs, "text_pairs")
    if len(seconds) != len(firsts):
        raise DataError(
            f"두 번째 문장의 수({len(seconds)})가 첫 번째 문장의 수({len(firsts)})와 다릅니다.",
            f"Expected as many second texts as texts ({len(firsts)}), found {len(seconds)}.",
        )
    return firsts, seconds


def refuse_files(texts: Sequence[str]) -> None:
    """Raises `DataError` where a text is the name of a data file that is there: its content was meant."""
    for text in texts:
        if text.lower().endswith(FILE_SUFFIXES) and exists(text):
            raise DataError(
                f"{text!r}는 문장이 아니라 있는 파일의 이름입니다. 파일을 읽어 글 열을 넣으세요: "
                f'predict(load_emotion_dataset({text!r}, require_labels=False)["text"])',
                f"{text!r} is the name of a file that is there. Read it and pass the texts in it: "
                f'predict(load_emotion_dataset({text!r}, require_labels=False)["text"]).',
            )


def check_dataset(
    dataset: Any, columns: Sequence[str] = ("text",), name: str = "dataset", *, may_be_empty: bool = False
) -> Dataset:
    """Returns a data set that has rows and the columns asked for, with a text in each row.

    Raises:
        DataError: It is something else, such as a `DatasetDict`, or a column or a text is missing.
    """
    from datasets import Dataset

    if not isinstance(dataset, Dataset):
        korean, english = _how_to_get_a_dataset(dataset)
        raise DataError(
            f"`{name}`에는 datasets.Dataset이 필요한데 {type(dataset).__name__}입니다. {korean}",
            f"Expected a datasets.Dataset as `{name}`, found a {type(dataset).__name__}. {english}",
        )
    _check_columns(dataset, columns, name)
    if len(dataset) == 0 and not may_be_empty:
        raise DataError(
            f"`{name}`에 행이 하나도 없습니다. 한 행 이상 넣으세요.", f"`{name}` has no rows; expected one or more."
        )
    for column in ("text", "text_pair"):
        if column in columns or (column in dataset.column_names and "text" in columns):
            _check_text_column(dataset, column, name)
    return dataset


def _check_columns(dataset: Dataset, columns: Sequence[str], name: str) -> None:
    """Raises `DataError` where a column is missing."""
    found = dataset.column_names
    missing = [column for column in columns if column not in found]
    if missing:
        renamed = f'dataset.rename_column("{_text_column(dataset)}", "{missing[0]}")'
        raise DataError(
            f"`{name}`에 {', '.join(missing)} 열이 없습니다. 있는 열: {', '.join(found) or '-'}. 열 이름을 바꾸세요, "
            f"예: {renamed}",
            f"`{name}` has no column {', '.join(missing)}; found {', '.join(found) or 'none'}. Rename a column, such "
            f"as {renamed}.",
        )


def _check_text_column(dataset: Dataset, column: str, name: str) -> None:
    for index, text in enumerate(dataset[column][:]):
        if not isinstance(text, str):
            raise _no_string(f"{name}[{column!r}]", index, text)


def _no_texts(name: str, found: object, instead: str) -> DataError:
    return DataError(
        f"`{name}`에는 문장의 목록이 필요한데 {type(found).__name__}입니다. 문장만 꺼내어 넣으세요: {instead}",
        f"Expected a list of texts as `{name}`, found a {type(found).__name__}. Pass the texts alone: {instead}.",
    )


def _no_string(name: str, index: int, value: object) -> DataError:
    is_missing = value is None or type(value).__name__ == "NAType" or (isinstance(value, float) and math.isnan(value))
    korean, english = (
        (
            "빈 값이니 먼저 빼거나 채우세요(pandas: dropna).",
            "It is a missing value: leave it out first (pandas: dropna).",
        )
        if is_missing
        else ("문자열로 바꾸거나 빼세요.", "Turn it into a string, or leave it out.")
    )
    return DataError(
        f"{name}의 {index}번째(0부터)가 문자열이 아닙니다: {value!r} ({type(value).__name__}). {korean}",
        f"Text {index} (from 0) of {name} is not a string: {value!r} ({type(value).__name__}). {english}",
    )


def _text_column(table: Any) -> str:
    """Returns the column of a table that most likely holds its texts, "text" where that cannot be told."""
    from .known_columns import TEXT_NAMES

    names = getattr(table, "column_names", None) or getattr(table, "columns", None)
    names = list(table) if names is None and isinstance(table, Mapping) else names
    known = [str(found) for found in names] if isinstance(names, Iterable) else []
    return next((found for found in known if found.strip().lower() in TEXT_NAMES), "text")


def _how_to_get_a_dataset(found: object) -> tuple[str, str]:
    if isinstance(found, Mapping) and found and all(hasattr(part, "column_names") for part in found.values()):
        part = next(iter(found))
        return f'한 부분을 고르세요: dataset["{part}"]', f'Choose a part of it: dataset["{part}"].'
    if hasattr(type(found), "iloc"):
        return "Dataset.from_pandas(df)로 바꾸세요.", "Turn it into one: Dataset.from_pandas(df)."
    if isinstance(found, str | os.PathLike):
        return "load_emotion_dataset(path)로 읽으세요.", "Read it: load_emotion_dataset(path)."
    return (
        "load_emotion_dataset(path)나 Dataset.from_dict({…})로 만드세요.",
        "Make one with load_emotion_dataset(path) or Dataset.from_dict({…}).",
    )
