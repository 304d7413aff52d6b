"""Parquet files, with the names of labels that Hugging Face's `datasets` writes beside their ids."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import DataError
from ...wording import Note
from .options import ReadOptions
from .source import Source
from .table import Structure, TableFile, cell_text, column_name, no_rows, wrong_format

if TYPE_CHECKING:
    import pandas as pd

_NO_LABEL = -1
"""What `datasets` writes where a row has no label."""


def open_parquet(source: Source, options: ReadOptions) -> TableFile:
    """Looks at a Parquet file, which tells its columns and how many rows it has.

    Raises:
        DataError: It is no Parquet file, or has no rows.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path, data = source.path, source.read() if source.is_packed else None

    def open_file() -> Any:
        return pq.ParquetFile(path if data is None else io.BytesIO(data))

    try:
        with open_file() as file:
            schema, count = file.schema_arrow, file.metadata.num_rows
            structures = tuple(_structures(file, pa.types)) if count else ()
    except (pa.ArrowInvalid, OSError) as error:
        raise wrong_format(path, "Parquet", error) from None
    names = [column_name(name) for name in schema.names]
    if count == 0:
        raise no_rows(path, names)
    labels = _class_labels(schema.metadata or {})

    def frames(size: int | None) -> Iterator[pd.DataFrame]:
        row = 1
        with open_file() as file:
            try:
                for batch in file.iter_batches(batch_size=size or count):
                    yield _string_frame(path, batch, names, labels, row)
                    row += batch.num_rows
            except (pa.ArrowInvalid, OSError) as error:
                raise wrong_format(path, "Parquet", error) from None

    return TableFile(path, None, 1, options, (*source.notes, *_notes(path, labels)), frames, structures=structures)


def _structures(file: Any, types: Any) -> Iterator[Structure]:
    """Yields the first cell of each column of lists or objects, and of bytes that are no UTF-8."""
    for name, kind in zip(file.schema_arrow.names, file.schema_arrow.types, strict=True):
        is_binary = types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)
        if not (is_binary or types.is_nested(kind)):
            continue
        row = 0
        for batch in file.iter_batches(batch_size=1000, columns=[name]):
            values = batch.column(0).to_pylist()
            place = next((place for place, value in enumerate(values, 1) if _is_structure(value)), None)
            if place is not None:
                yield Structure(column_name(name), row + place, _text(values[place - 1]))
                break
            row += len(values)


def _is_structure(value: Any) -> bool:
    if isinstance(value, bytes):
        try:
            value.decode()
        except UnicodeDecodeError:
            return True
    return isinstance(value, list | dict | tuple)


def _text(value: Any) -> str:
    """Returns a cell's text; bytes, which older writers of Parquet made of texts, are UTF-8 where they can be."""
    return cell_text(value) if not isinstance(value, bytes) or _is_structure(value) else value.decode()


def _class_labels(metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
    """Returns the names of the labels in columns that `datasets` wrote as ids, or as lists of ids."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):  # written by something else
        return {}
    if not isinstance(features, dict):
        return {}
    found = {column_name(name): _names_of(feature) for name, feature in features.items()}
    return {name: labels for name, labels in found.items() if labels is not None}


def _names_of(feature: Any) -> list[str] | None:
    if isinstance(feature, list) and len(feature) == 1:
        return _names_of(feature[0])
    if not isinstance(feature, dict):
        return None
    if feature.get("_type") == "ClassLabel":
        return list(map(str, feature.get("names") or ())) or None
    return _names_of(feature.get("feature"))


def _notes(path: Path, labels: Mapping[str, Sequence[str]]) -> Iterator[Note]:
    for column, names in labels.items():
        shown = ", ".join(f"{index} {name}" for index, name in enumerate(names[:10])) + ", …" * (len(names) > 10)
        yield Note(
            f"{path}: '{column}' 열의 번호는 파일에 적힌 이름으로 읽습니다: {shown}.",
            f"{path}: the ids in column '{column}' are read as the names that the file has for them: {shown}.",
        )


def _string_frame(
    path: Path, batch: Any, names: Sequence[str], labels: Mapping[str, Sequence[str]], first_row: int
) -> pd.DataFrame:
    import pandas as pd

    columns = []
    for name, column in zip(names, batch.columns, strict=True):
        values = column.to_pylist()
        if name in labels:
            values = [_named(path, name, row, value, labels[name]) for row, value in enumerate(values, start=first_row)]
        columns.append(list(map(_text, values)))
    frame = pd.DataFrame(dict(enumerate(columns)), dtype=str)
    frame.columns = list(names)
    return frame


def _named(path: Path, column: str, row: int, value: Any, names: Sequence[str]) -> Any:
    """Returns the name of an id, or a list of those of several.

    Raises:
        DataError: The file has no name for it.
    """
    if isinstance(value, list):
        return [_named(path, column, row, one, names) for one in value]
    if value is None or value == _NO_LABEL or isinstance(value, str):  # a name tells itself
        return None if value == _NO_LABEL else value
    if isinstance(value, float) and value.is_integer():  # as a column with empty cells has them
        value = int(value)
    if not isinstance(value, int) or not 0 <= value < len(names):
        raise DataError(
            f"{path}: {row}행 '{column}' 열의 {value!r}에 해당하는 이름이 파일에 없습니다. 이름은 0에서 "
            f"{len(names) - 1}까지의 번호에 있습니다. 값을 고쳐 다시 저장하세요.",
            f"{path}: row {row}, column '{column}': the file has no name for {value!r}, only for the ids from 0 to "
            f"{len(names) - 1}. Correct the value and save it again.",
        )
    return names[value]
