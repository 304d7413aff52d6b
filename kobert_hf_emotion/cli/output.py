"""What the commands print: people read stdout, progress goes to stderr, `--json` is one object."""

from __future__ import annotations

import copy
import json
import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..wording import Wording
from .language import said, spoken

if TYPE_CHECKING:
    from ..data.report import LoadReport


def say(line: str = "") -> None:
    """Prints a line of the result, so that who reads it through a pipe has it at once."""
    print(line, flush=True)  # noqa: T201


def say_json(content: Mapping[str, Any]) -> None:
    """Prints `content` as one JSON object."""
    say(json.dumps(content, ensure_ascii=False, indent=2, default=_plain))


def note(line: str | Wording) -> None:
    """Prints a line that is not part of the result, on stderr."""
    print(said(line), file=sys.stderr)  # noqa: T201


def note_fine(has_levels: bool) -> None:
    """Says, where labels have two levels, that a command is about the fine ones."""
    if has_levels:
        note(Wording("두 단계 레이블의 모델: 소분류로 합니다", "labels of two levels: this is about the fine ones"))


def note_reading(report: LoadReport) -> None:
    """Prints what was read and how, with options in place of the arguments that the report names."""
    note(as_options(report.summary(spoken())))


def as_options(text: str) -> str:
    """Puts options in place of the arguments that a text names in backticks.

    >>> as_options("`header_row` says otherwise")
    '--header-row says otherwise'
    """
    return re.sub(r"`(\w+)`", lambda found: "--" + found[1].replace("_", "-"), text)


def _plain(value: Any) -> Any:
    return asdict(value) if hasattr(value, "__dataclass_fields__") else str(value)


class _OptionFormatter(logging.Formatter):
    """Calls arguments, which messages name in backticks, by their options, and keeps the language that is spoken."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the message."""
        shown = copy.copy(record)
        shown.msg = said(record.msg)
        if isinstance(record.args, tuple):
            shown.args = tuple(map(said, record.args))
        return as_options(super().format(shown))


@contextmanager
def quiet_libraries(needs_transformers: bool = True) -> Iterator[None]:
    """Keeps what libraries print off stdout, and their bars for loading and saving off the screen.

    Progress of training and prediction stays, on stderr.

    Args:
        needs_transformers: Whether transformers is used inside, or may come to be; else it is told where it is loaded.
    """
    if needs_transformers or "transformers" in sys.modules:
        import transformers

        # The bars of loading weights say nothing that a command's own lines do not; errors are exceptions.
        transformers.utils.logging.disable_progress_bar()
        transformers.utils.logging.set_verbosity_error()
    if datasets := sys.modules.get("datasets"):  # where it is not loaded yet, `main` has told it by a variable
        datasets.utils.logging.disable_progress_bar()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # retries without a network; the error says it once
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OptionFormatter("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("kobert_hf_emotion").setLevel(logging.INFO)
    with redirect_stdout(sys.stderr), warnings.catch_warnings():
        yield


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Shows a bar on stderr where that is a terminal; yields what is called with each number of things done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=total)
        yield lambda done: progress.advance(task, done)
