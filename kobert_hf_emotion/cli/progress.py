"""Bars on a terminal, with rate and time left, for what takes longer than a moment; a line now and then elsewhere.

All of it goes to stderr, so that stdout is the result alone.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TextIO

from ..utils.progress import Advance
from ..wording import Language, Wording, titled
from .language import spoken

DELAY = 1.0
"""Seconds after which something is shown: what ends sooner leaves no trace."""
TICK = 0.25
"""Seconds between two looks at how far it has come."""
FIRST_LINE, LATER_LINES = 10.0, 60.0
"""Seconds to the first line where there is no terminal, and from one to the next."""
_LINE = "{desc}: {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}]"
_COUNTED, _RUNNING = "{desc}: {n_fmt} [{elapsed}, {rate_fmt}]", "{desc}: [{elapsed}]"


@dataclass(eq=False)
class _Task:
    """One thing that is being done."""

    title: str
    unit: str
    total: int | None
    whole: bool
    hidden: bool
    before: int
    done: int
    started: float = field(default_factory=time.monotonic)
    bar: Any = None
    next_line: float = field(default_factory=lambda: FIRST_LINE)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def line(self) -> str:
        """Returns how far it has come, in words."""
        from tqdm import tqdm

        given = {"prefix": self.title, "unit": self.unit, "initial": self.before}
        form = self.form() or _LINE
        return str(tqdm.format_meter(self.done, self.total, self.seconds, bar_format=form, **given))

    def form(self) -> str | None:
        """Returns what is shown where nobody knows how much there is to do; None where it is known."""
        if self.total is not None:
            return None
        return _COUNTED if self.done else _RUNNING


class _Drawing:
    """A thread that draws now and then, as long as there is something to show."""

    def __init__(self, draw: Callable[[_Drawing], None]) -> None:
        self._draw = draw
        self._over = threading.Event()
        self._logs = ExitStack()
        self._passes = False
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
        self._thread.start()

    def lets_logs_pass(self, redirected: Callable[[], AbstractContextManager[None]]) -> None:
        """Has lines of the log written above the bars until the end."""
        if not self._passes:
            self._passes = True
            self._logs.enter_context(redirected())

    def end(self) -> None:
        """Waits for the last picture."""
        self._over.set()
        self._thread.join()
        self._logs.close()

    def _run(self) -> None:
        with suppress(OSError):  # nobody looks any more
            while not self._over.wait(TICK):
                self._draw(self)


class Bars:
    """Shows how far things have come; a `utils.progress.Shows`.

    Nobody waits for it: what works counts, and a thread of this object draws.

    Args:
        stream: Where to: stderr.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._tasks: list[_Task] = []
        self._lock = threading.RLock()
        self._drawing: _Drawing | None = None

    @contextmanager
    def __call__(self, title: Wording, total: int | None, unit: Wording, before: int, whole: bool) -> Iterator[Advance]:
        """Shows one thing until the block ends, below those that it is a part of."""
        language: Language = "ko" if spoken() == "ko" else "en"
        unit_shown = f" {unit.in_language(language)}"
        with self._lock:
            hidden = any(other.whole for other in self._tasks)
            task = _Task(titled(*title, spoken()), unit_shown, total, whole, hidden, before, before)
            self._tasks.append(task)
            if self._drawing is None:
                self._drawing = _Drawing(self._draw)

        def advance(done: int) -> None:
            with self._lock:
                task.done += done

        try:
            yield advance
        finally:
            with self._lock:
                self._tasks.remove(task)
                if task.bar is not None:
                    task.bar.close()
                drawing = None if self._tasks else self._drawing
                if drawing is not None:
                    self._drawing = None
            if drawing is not None:
                drawing.end()

    def _draw(self, drawing: _Drawing) -> None:
        with self._lock:
            for task in self._tasks:
                if not task.hidden and task.seconds >= DELAY:
                    self._show(task, drawing)

    def _show(self, task: _Task, drawing: _Drawing) -> None:
        if not self._is_terminal:
            if task.seconds >= task.next_line:
                task.next_line = task.seconds + LATER_LINES
                print(task.line(), file=self._stream, flush=True)
            return
        if task.bar is None:
            from tqdm import tqdm
            from tqdm.contrib.logging import logging_redirect_tqdm

            drawing.lets_logs_pass(logging_redirect_tqdm)
            columns, rows = os.get_terminal_size(self._stream.fileno())
            # Of a terminal that does not tell its size tqdm would show nothing.
            size: dict[str, Any] = (
                {"dynamic_ncols": True} if columns and rows else {"ncols": columns or 80, "nrows": 20}
            )
            # The delay keeps tqdm from drawing before the line below.
            look: dict[str, Any] = {"file": self._stream, "leave": False, "delay": 1e-9, **size}
            task.bar = tqdm(total=task.total, desc=task.title, unit=task.unit, initial=task.before, **look)
            task.bar.start_t -= task.seconds
        task.bar.n, task.bar.bar_format = task.done, task.form()
        task.bar.refresh()
