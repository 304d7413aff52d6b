"""Reads one table file, whatever its format and encoding, into DataFrames of strings: whole, or in chunks.

Names resolve lazily: options of the command line need what can be prescribed, and none of the readers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...utils.lazy_names import lazy_names
from .options import ReadOptions

if TYPE_CHECKING:
    from .reading import open_table, read_table
    from .table import Gap, Table, TableFile

__all__ = [
    "Gap",
    "ReadOptions",
    "Table",
    "TableFile",
    "open_table",
    "read_table",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Gap": "table",
        "Table": "table",
        "TableFile": "table",
        "open_table": "reading",
        "read_table": "reading",
    },
)
