"""Looks at what callers hand in, where it comes in: texts, counts and data sets."""

from __future__ import annotations

import difflib
import io
import math
import operator
import os
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import DataError, KoBERTEmotionError

if TYPE_CHECKING:
    from datasets import Dataset

FILE_SUFFIXES = (
    *(".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx", ".xlsm", ".xls", ".ods"),
    *(".gz", ".bz2", ".xz", ".zip"),
)
"""Names of data files end in these, whether or not they can be read."""


def as_texts(texts: Iterable[str], name: str = "texts") -> list[str]:
    """Returns the texts that a caller gave as a list.

    Args:
        texts: A list, tuple, Series, array, generator or column of a data set; not a table, whose elements are the
            names of its columns, nor a single string, whose elements are letters.
        name: The name of the argument.

    Raises:
        DataError: It is something else, or an element is no string.
    """
    if isinstance(texts, str | bytes | bytearray):
        raise DataError(
            f"`{name}`에는 문장 하나가 아니라 문장의 목록이 필요합니다. 대괄호로 감싸세요: predict([text])",
            f"Expected a list of texts as `{name}`, found a single text. Put it in brackets: predict([text]).",
        )
    if isinstance(texts, os.PathLike | io.IOBase):
        raise _no_texts(name, texts, 'load_emotion_dataset(path, require_labels=False)["text"]')
    if isinstance(texts, Mapping) or any(hasattr(type(texts), column) for column in ("columns", "column_names")):
        raise _no_texts(name, texts, f'data["{_text_column(texts)}"]')
    if isinstance(texts, set | frozenset) or getattr(texts, "ndim", 1) != 1:
        raise _no_texts(name, texts, "list(…)")
    if not isinstance(texts, Iterable):
        raise _no_texts(name, texts, "[text]")
    convert = next((found for way in ("to_pylist", "tolist", "to_list") if (found := getattr(texts, way, None))), None)
    listed = list(texts) if convert is None else list(convert())
    for index, text in enumerate(listed):
        if not isinstance(text, str):
            raise _no_string(name, index, text)
    return listed


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


def exists(path: str) -> bool:
    """Whether there is a file or folder of that name, `~` being the home folder; also of texts too long for a name."""
    try:
        return os.path.exists(os.path.expanduser(path))
    except ValueError:  # a NUL in it
        return False


def nearest_path(path: str | os.PathLike[str]) -> str | None:
    """Returns the file or folder whose name is most like that of a path that is not there."""
    wanted = Path(os.path.expanduser(os.fspath(path).replace("\\", "/")))
    if exists(str(wanted)):
        return str(wanted)
    try:
        names = sorted(entry.name for entry in wanted.parent.iterdir() if not entry.name.startswith("."))
    except (OSError, ValueError):
        return None
    same_stem = [name for name in names if name.lower().endswith(FILE_SUFFIXES) and Path(name).stem == wanted.name]
    near = same_stem or difflib.get_close_matches(wanted.name, names, n=1, cutoff=0.6)
    return str(wanted.parent / near[0]) if near else None


def check_count(name: str, value: Any, least: int = 1, below: float = math.inf) -> int:
    """Returns a whole number of at least `least`, and below `below`.

    Raises:
        KoBERTEmotionError: `value` is something else; True and False are no numbers here.
    """
    try:
        count = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        count = None
    if count is None or not least <= count < below:
        top_ko, top_en = (f" {below} 미만", f" and below {below}") if below < math.inf else ("", "")
        raise KoBERTEmotionError(
            f"`{name}`은(는) {least} 이상{top_ko}의 정수여야 하는데 {value!r} ({type(value).__name__})입니다.",
            f"Expected a whole number, {least} or more{top_en}, as `{name}`, found {value!r} ({type(value).__name__}).",
        )
    return count


def check_number(name: str, value: Any, least: float = 0.0, below: float = math.inf, *, above: bool = False) -> float:
    """Returns a number in [least, below), or in (least, below) where `above` is True.

    Raises:
        KoBERTEmotionError: `value` is something else; texts, True and False are no numbers here.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not (value > least if above else value >= least) or not value < below:
        low_ko, low_en = ("초과", "above") if above else ("이상", "at least")
        high_ko, high_en = (f" {below:g} 미만", f" and below {below:g}") if below < math.inf else ("", " and finite")
        raise KoBERTEmotionError(
            f"`{name}`은(는) {least:g} {low_ko}{high_ko}인 수여야 하는데 {value!r} ({type(value).__name__})입니다.",
            f"Expected a number {low_en} {least:g}{high_en} as `{name}`, found {value!r} ({type(value).__name__}).",
        )
    return float(value)


def check_path(name: str, value: Any) -> None:
    """Raises `KoBERTEmotionError` where `value` is neither the text of a path nor a path, or is empty."""
    if not isinstance(value, str | os.PathLike) or not os.fspath(value):
        raise KoBERTEmotionError(
            f"`{name}`에는 경로나 이름이 필요한데 {value!r} ({type(value).__name__})입니다.",
            f"Expected a path or a name as `{name}`, found {value!r} ({type(value).__name__}).",
        )


def check_type(name: str, value: Any, expected: type | tuple[type, ...], how: str) -> None:
    """Raises `KoBERTEmotionError` where `value` is not of an expected type; `how` is code that makes one."""
    if not isinstance(value, expected):
        kinds = expected if isinstance(expected, tuple) else (expected,)
        names = ", ".join(kind.__name__ for kind in kinds)
        raise KoBERTEmotionError(
            f"`{name}`에는 {names}이(가) 필요한데 {value!r:.80} ({type(value).__name__})입니다. 예: {how}",
            f"Expected {names} as `{name}`, found {value!r:.80} ({type(value).__name__}), for example {how}.",
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
    if len(dataset) == 0 and not may_be_empty:
        raise DataError(
            f"`{name}`에 행이 하나도 없습니다. 한 행 이상 넣으세요.", f"`{name}` has no rows; expected one or more."
        )
    for column in ("text", "text_pair"):
        if column in columns or (column in found and "text" in columns):
            _check_text_column(dataset, column, name)
    return dataset


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
    from .columns import TEXT_NAMES

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
