"""Python's garbage collector, paused and spared."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from kobert_hf_emotion.utils.garbage_collection import (
    collector_ignores_startup,
    collector_paused,
    collector_spares_imports,
)


@pytest.fixture(autouse=True)
def as_in_a_program() -> Iterator[None]:
    """`conftest.py` has frozen what the tests imported."""
    gc.unfreeze()
    yield
    gc.freeze()


@pytest.mark.parametrize("pause", [collector_paused, collector_spares_imports])
@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_as_before(enabled: bool, pause: Callable[[], AbstractContextManager[None]]) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with pause():
            assert not gc.isenabled()
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if before else gc.disable)()


class _Looped:
    """An object that only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.slow
def test_what_a_run_makes_is_still_collected() -> None:
    older, gone = _Looped(), []
    gc.collect()
    with collector_ignores_startup():
        assert gc.get_freeze_count() > 0
        weakref.finalize(_Looped(), gone.append, "new")
        weakref.finalize(older, gone.append, "old")
        del older
        gc.collect()
        assert gone == ["new"]
    assert gc.get_freeze_count() == 0
    gc.collect()
    assert gone == ["new", "old"]


def test_what_an_import_makes_is_old_and_still_collected() -> None:
    gone: list[str] = []
    with collector_spares_imports():
        looped = _Looped()
        weakref.finalize(looped, gone.append, "imported")
    assert gc.get_freeze_count() == 0
    assert any(found is looped for found in gc.get_objects(generation=2))
    del looped
    gc.collect()
    assert gone == ["imported"]


@pytest.mark.parametrize("spare", [collector_ignores_startup, collector_spares_imports])
def test_a_caller_that_froze_its_objects_keeps_them_so(spare: Callable[[], AbstractContextManager[None]]) -> None:
    gc.freeze()
    try:
        with spare():
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
