"""Python's garbage collector, kept from looking through what has no cycles to free."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pauses the search for reference cycles while many small containers are made that have none.

    The collector starts again and again as their number grows, and looks through all of them each time: 40% of
    the time of tokenising 20,000 texts. What is freed by its reference count is freed as ever. Where it was off
    already it stays off.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


@contextmanager
def collector_spares_imports() -> Iterator[None]:
    """Pauses the collector while libraries are imported, and counts what they made as old.

    Importing torch and transformers makes a million objects that live as long as the process, and the collector, left
    running, looks through all of them again and again: a quarter of the time to the first prediction. Old objects are
    looked through when Python next makes a full collection, as ever.
    """
    with collector_paused():
        try:
            yield
        finally:
            if not gc.get_freeze_count():  # else the caller's own doing, which unfreezing would undo
                gc.freeze()
                gc.unfreeze()  # puts them into the oldest generation


@contextmanager
def collector_ignores_startup() -> Iterator[None]:
    """Takes what exists already, mostly modules, out of every collection.

    Hugging Face's Trainer asks for a full collection before and after each training; with all of torch and transformers
    to look through it takes a tenth of a second or more, and frees nothing of them.
    """
    if gc.get_freeze_count():  # the caller's own doing
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
