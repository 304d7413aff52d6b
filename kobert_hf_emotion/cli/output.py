"""What the commands print: people read stdout, progress goes to stderr, `--json` is one object."""

from __future__ import annotations

import copy
import json
import logging
import math
import os
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..utils.progress import shown_by
from ..wording import Doubt, Note, Wording
from .language import said, spoken, words
from .loudness import is_quiet
from .progress import Bars

if TYPE_CHECKING:
    from ..data.report import LoadReport


def say(line: str = "") -> None:
    """Prints a line of the result, so that who reads it through a pipe has it at once."""
    print(line, flush=True)  # noqa: T201


def say_json(content: Mapping[str, Any]) -> None:
    """Prints `content` as one JSON object."""
    say(json.dumps(_plain(content), ensure_ascii=False, indent=2, allow_nan=False))


def say_next(command: str) -> None:
    """Prints the command that comes next, but where no more than the result is asked for."""
    if not is_quiet():
        say(f"{words('다음', 'next')}: {command}")


def note(line: str | Wording) -> None:
    """Prints a line that is not part of the result, on stderr, unless the command is to be quiet."""
    if not is_quiet():
        warn(line)


def warn(line: str | Wording) -> None:
    """Prints a line that everybody has to see, however quiet the command is to be, on stderr."""
    print(said(line), file=sys.stderr)  # noqa: T201


def note_fine(has_levels: bool) -> None:
    """Says, where labels have two levels, that a command is about the fine ones."""
    if has_levels:
        note(Wording("두 단계 레이블의 모델: 소분류로 합니다", "labels of two levels: this is about the fine ones"))


def note_reading(report: LoadReport) -> None:
    """Prints what was read and how, with options in place of the arguments that the report names.

    A quiet command still says which rows were left out, and what is doubtful.
    """
    if not is_quiet():
        note(as_options(report.summary(spoken())))
    elif doubts := report.doubts(spoken()):
        warn(as_options(doubts))


def as_options(text: str) -> str:
    """Puts options in place of the arguments that a text names in backticks.

    >>> as_options("`header_row` says otherwise")
    '--header-row says otherwise'
    """
    return re.sub(r"`(\w+)`", lambda found: "--" + found[1].replace("_", "-"), text)


def _plain(value: Any) -> Any:
    """Returns a value as JSON has it, where no number is infinite or none at all."""
    if hasattr(value, "__dataclass_fields__"):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


class _OptionFormatter(logging.Formatter):
    """Calls arguments, which messages name in backticks, by their options, and keeps the language that is spoken."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the message."""
        shown = copy.copy(record)
        shown.msg = said(record.msg)
        if isinstance(record.args, tuple):
            shown.args = tuple(map(said, record.args))
        return as_options(super().format(shown))


def _is_shown(record: logging.LogRecord) -> bool:
    """Whether a line of the log is shown: of a quiet command no note."""
    said_of = (record.msg, *(record.args if isinstance(record.args, tuple) else ()))
    return not is_quiet() or not any(isinstance(part, Note) and not isinstance(part, Doubt) for part in said_of)


@contextmanager
def quiet_libraries(needs_transformers: bool = True, shows_progress: bool = True) -> Iterator[None]:
    """Keeps what libraries print off stdout, and their bars for loading and saving off the screen.

    Our own progress is shown, on stderr, and our log; of a quiet command its warnings alone.

    Args:
        needs_transformers: Whether transformers is used inside, or may come to be; else it is told where it is loaded.
        shows_progress: Whether this process shows progress, and not another one that it works for.
    """
    if needs_transformers or "transformers" in sys.modules:
        import huggingface_hub
        import transformers

        # The bars of loading weights say nothing that a command's own lines do not; errors are exceptions.
        transformers.utils.logging.disable_progress_bar()
        transformers.utils.logging.set_verbosity_error()
        if not is_quiet() and "HF_HUB_DISABLE_PROGRESS_BARS" not in os.environ:
            # What comes and goes through the network takes long.
            huggingface_hub.utils.enable_progress_bars()  # type: ignore[attr-defined]
    if datasets := sys.modules.get("datasets"):  # where it is not loaded yet, `main` has told it by a variable
        datasets.utils.logging.disable_progress_bar()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # retries without a network; the error says it once
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OptionFormatter("%(message)s"))
    handler.addFilter(_is_shown)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("kobert_hf_emotion").setLevel(logging.WARNING if is_quiet() else logging.INFO)
    bars = None if is_quiet() or not shows_progress else Bars(sys.stderr)
    with redirect_stdout(sys.stderr), warnings.catch_warnings(), shown_by(bars):
        yield
