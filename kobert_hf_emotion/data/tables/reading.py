"""Reads one table file, whatever its format and encoding, into DataFrames of strings: whole, or in chunks."""

from __future__ import annotations

import io
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from ...utils.file_suffixes import EXCEL_SUFFIXES, JSON_SUFFIXES, TEXT_SUFFIXES
from ...wording import Doubt, Note
from ..text_encoding import find_encoding
from .csv import open_csv
from .excel import open_excel
from .json_array import open_json
from .options import ReadOptions
from .parquet import open_parquet
from .source import UNREADABLE, Source, open_source, unreadable
from .table import Table, TableFile
from .wrong_content import refuse_other_content

logger = logging.getLogger(__name__)


def read_table(path: str | os.PathLike[str], options: ReadOptions | None = None) -> Table:
    """Reads a CSV, TSV, TXT, XLSX, JSON, JSON Lines or Parquet file, by its suffix.

    With the extra `xls` .xls, .xlsb and .ods are read as well. Any file can be compressed (`.csv.gz`, `.tsv.xz`,
    `.jsonl.bz2`) or be the one table in a `.zip`. Blank rows stay in, so that row numbers can be told.

    Args:
        path: The file.
        options: What is prescribed; the rest is found out, and said as warnings where it is a guess.

    Raises:
        DataError: The file is missing, empty, of another format than its suffix says, or broken.
    """
    [table] = open_table(path, options).chunks()
    return table


def open_table(path: str | os.PathLike[str], options: ReadOptions | None = None) -> TableFile:
    """Looks a table file through without keeping its rows, so that whatever is broken in it is known beforehand.

    What is held in memory is a chunk at a time, with these exceptions: the texts that an Excel file shares between
    its cells, a compressed Excel or Parquet file, a JSON array, and a text file in an encoding that is hard to find
    out.

    Args:
        path: As for `read_table`.
        options: As for `read_table`.

    Raises:
        DataError: As for `read_table`.
    """
    options = options or ReadOptions()
    source = open_source(Path(path))
    refuse_other_content(source)
    table = _open(source, options)
    table = replace(table, notes=(*table.notes, *_unused(source, options)))
    for note in table.notes:
        logger.warning("%s", note)
    return table


def _open(source: Source, options: ReadOptions) -> TableFile:
    if source.suffix == ".parquet":
        return open_parquet(source, options)
    if source.suffix in EXCEL_SUFFIXES:
        return open_excel(source, options)
    try:
        encoding = find_encoding(source.open_bytes, source.path.name, options.encoding)
    except UNREADABLE as error:
        raise unreadable(source.path, error) from error

    def open_text(newline: str | None) -> TextIO:
        return io.TextIOWrapper(source.open_bytes(), encoding=encoding, newline=newline)

    if source.suffix in JSON_SUFFIXES:
        return open_json(source.path, open_text, encoding, options, source.notes)
    return open_csv(source.path, source.suffix, open_text, encoding, options, source.notes)


def _unused(source: Source, options: ReadOptions) -> list[Note]:
    """Returns a note where an option was given that says nothing about a file of this format."""
    of_rows = ("no_header", "header_row", "layout")
    of_text = ("delimiter", "quoted")
    meaningless: tuple[str, ...]
    if source.suffix in EXCEL_SUFFIXES:
        meaningless = ("encoding", *of_text)
    elif source.suffix in TEXT_SUFFIXES:
        meaningless = ("sheet",)
    else:
        meaningless = ("sheet", *of_rows, *of_text) + (("encoding",) if source.suffix == ".parquet" else ())
    unused = [name for name in meaningless if getattr(options, name) not in (None, False)]
    if not unused:
        return []
    listed = ", ".join(f"`{name}`" for name in unused)
    return [
        Doubt(
            f"{source.path}: 이 형식에는 뜻이 없어 쓰지 않은 설정: {listed}.",
            f"{source.path}: settings that mean nothing for this format and were not used: {listed}.",
        )
    ]
