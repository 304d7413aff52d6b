"""A folder for what is not finished, beside the one that is to be written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..utils.files import check_free, write_json
from .layout import RUN_FILE
from .state import check_same_run, only_process, unfinished_record

SUFFIX = ".in_progress"
"""Of the folder's name, behind that of the one to write."""


@contextmanager
def work_folder(output: str | os.PathLike[str], record: Mapping[str, Any]) -> Iterator[Path]:
    """Yields a folder whose content is there again where the same was begun before; removed when the block ends.

    Where the block raises, or the process is killed, the folder stays for the next call.

    Args:
        output: What is to be written; it must not exist, or be empty.
        record: What is done, as values that JSON has, with `finished` False; all of it must be as it was.

    Raises:
        RunError: `output` is in use, another process is at it, or something else was begun there.
    """
    check_free(output)
    work = Path(f"{os.fspath(output).rstrip(os.sep)}{SUFFIX}")
    begun = unfinished_record(work)
    if begun is not None:
        check_same_run(work, begun, record)
    with only_process(work):
        write_json(work / RUN_FILE, record)
        yield work
        shutil.rmtree(work)
