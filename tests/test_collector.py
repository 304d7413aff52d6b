"""Python's garbage collector, paused and spared."""

from __future__ import annotations

import gc
import weakref

import pytest

from kobert_hf_emotion.collector import collector_ignores_startup, collector_paused


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_as_before(enabled: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with collector_paused():
            assert not gc.isenabled()
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if before else gc.disable)()


class _Looped:
    """An object that only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


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


def test_a_caller_that_froze_its_objects_keeps_them_so() -> None:
    gc.freeze()
    try:
        with collector_ignores_startup():
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
