"""What names of data files end in: those that are read, and those that are known not to be."""

from __future__ import annotations

TEXT_SUFFIXES = (".csv", ".tsv", ".tab", ".txt")
JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")
OLD_EXCEL_SUFFIXES = (".xls", ".xlsb", ".ods")
EXCEL_SUFFIXES = (".xlsx", ".xlsm", *OLD_EXCEL_SUFFIXES)
TABLE_SUFFIXES = (*TEXT_SUFFIXES, *EXCEL_SUFFIXES, *JSON_SUFFIXES, ".parquet")
OTHER_WORKBOOKS = (".numbers",)
"""Workbooks that are not read."""
FILE_SUFFIXES = (*TABLE_SUFFIXES, *OTHER_WORKBOOKS, ".gz", ".bz2", ".xz", ".zip")
"""Whether or not they can be read."""
