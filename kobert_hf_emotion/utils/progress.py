"""How far something has come, for whoever shows it: a library shows nothing by itself.

What takes long counts what it has done, `with progress(title, total) as advance: advance(1)`, or `each(items, title)`.
The command line shows it (`cli.progress`); without anybody who does it costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeAlias, TypeVar

from ..wording import Wording

Item = TypeVar("Item")
Advance: TypeAlias = Callable[[int], None]
"""Called with the number of things that have been done since the last call, in any thread."""

ROWS, TEXTS, STEPS = Wording("행", "rows"), Wording("글", "texts"), Wording("단계", "steps")


class Shows(Protocol):
    """What shows how far things have come; see `progress` for the arguments."""

    def __call__(
        self, title: Wording, total: int | None, unit: Wording, before: int, whole: bool
    ) -> AbstractContextManager[Advance]:
        """Shows one thing until the block ends."""


class _Shown:
    """Who shows it, in this process; a thread that a command starts is shown by the same."""

    by: Shows | None = None


@contextmanager
def shown_by(shows: Shows | None) -> Iterator[None]:
    """Has everything in the block shown by `shows`, or by nobody."""
    before, _Shown.by = _Shown.by, shows
    try:
        yield
    finally:
        _Shown.by = before


@contextmanager
def progress(
    title: Wording, total: int | None = None, unit: Wording = STEPS, *, before: int = 0, whole: bool = False
) -> Iterator[Advance]:
    """Counts what is done in a block.

    Args:
        title: What is being done.
        total: How many things there are to do; None where nobody knows, and then no time left is shown.
        unit: What is counted.
        before: How many of them were done earlier; they tell nothing of the rate.
        whole: Whether this tells all that there is to tell: what counts within the block is not shown.
    """
    if _Shown.by is None:
        yield _nothing
        return
    with _Shown.by(title, total, unit, before, whole) as advance:
        yield advance


def each(items: Sequence[Item], title: Wording, unit: Wording = STEPS) -> Iterator[Item]:
    """Yields items; each counts as done when the next one is asked for."""
    with progress(title, len(items), unit) as advance:
        for item in items:
            yield item
            advance(1)


def _nothing(done: int) -> None:
    """Does nothing."""
