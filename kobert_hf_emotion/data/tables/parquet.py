"""Parquet files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .options import ReadOptions
from .source import Source
from .table import TableFile, cell_text, column_name, no_rows, wrong_format

if TYPE_CHECKING:
    import pandas as pd


def open_parquet(source: Source, options: ReadOptions) -> TableFile:
    """Looks at a Parquet file, which tells its columns and how many rows it has."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path, data = source.path, source.read() if source.is_packed else None

    def open_file() -> Any:
        return pq.ParquetFile(path if data is None else io.BytesIO(data))

    try:
        with open_file() as file:
            names, count = [column_name(name) for name in file.schema_arrow.names], file.metadata.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise wrong_format(path, "Parquet", error) from None
    if count == 0:
        raise no_rows(path, names)

    def frames(size: int | None) -> Iterator[pd.DataFrame]:
        with open_file() as file:
            try:
                for batch in file.iter_batches(batch_size=size or count):
                    yield _string_frame(batch, names)
            except (pa.ArrowInvalid, OSError) as error:
                raise wrong_format(path, "Parquet", error) from None

    return TableFile(path, None, 1, options, source.notes, frames)


def _string_frame(batch: Any, names: list[str]) -> pd.DataFrame:
    import pandas as pd

    columns = [[cell_text(value) for value in column.to_pylist()] for column in batch.columns]
    frame = pd.DataFrame(dict(enumerate(columns)), dtype=str)
    frame.columns = names
    return frame
