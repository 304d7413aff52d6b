"""How many trials of a search are over, for whoever shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..utils.progress import progress
from ..wording import Wording
from .storage import ended

if TYPE_CHECKING:
    import optuna

    from .plan import SearchPlan


@contextmanager
def trials_counted(search: SearchPlan, study: optuna.Study) -> Iterator[Callable[[], None]]:
    """Counts the trials of a search, those of other processes as well; what is yielded looks how many are over."""
    seen = ended(study)
    title, unit = Wording("탐색", "searching"), Wording("시도", "trials")
    with progress(title, search.trials, unit, before=seen, whole=True) as advance:

        def look() -> None:
            nonlocal seen
            before, seen = seen, ended(study)
            advance(seen - before)

        yield look
