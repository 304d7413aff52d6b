"""Batches computed side by side: the same results, each thread with its share, nothing left behind."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from kobert_hf_emotion import EmotionClassifier
from kobert_hf_emotion.kernels.side_by_side import side_by_side
from kobert_hf_emotion.modeling.prediction import predict_logits

TEXTS = [f"{text} {number}" for number in range(40) for text in ("오늘 정말 행복했어ㅋㅋ", "헐", "무서워 ㅠㅠ " * 5)]


@pytest.fixture(params=[1, 2, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_results_stand_in_the_order_of_the_items_and_every_thread_has_its_share(threads: int) -> None:
    def compute(item: int) -> tuple[int, int, bool]:
        return item, torch.get_num_threads(), torch.is_inference_mode_enabled()

    assert side_by_side(compute, range(20)) == [(item, 1, True) for item in range(20)]
    assert side_by_side(compute, [7]) == [(7, threads, True)]
    assert side_by_side(compute, []) == []
    assert torch.get_num_threads() == threads
    assert not torch.is_inference_mode_enabled()


def test_few_items_have_several_threads_each() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(5)
    try:
        assert side_by_side(lambda _: torch.get_num_threads(), range(2)) == [2, 2]
    finally:
        torch.set_num_threads(before)


def test_as_many_as_threads_run_at_once(threads: int) -> None:
    meet = threading.Barrier(threads, timeout=60)  # opens when all of them wait for it
    assert sorted(side_by_side(lambda _: meet.wait(), range(threads))) == list(range(threads))


def test_an_error_reaches_the_caller_and_the_rest_is_not_begun(threads: int) -> None:
    begun = []

    def compute(item: int) -> None:
        begun.append(item)
        if item in (0, 49):  # begun first by one thread, and by several
            raise ValueError(item)
        time.sleep(0.05)

    with pytest.raises(ValueError, match=r"^(0|49)$"):
        side_by_side(compute, range(50))
    assert len(begun) < 25
    assert side_by_side(lambda item: item, range(5)) == list(range(5))


def test_logits_are_those_of_one_thread(
    threads: int, tiny_model: EmotionClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    logits = predict_logits(tiny_model, tiny_model.tokenizer, TEXTS, batch_size=7)
    name = "kobert_hf_emotion.kernels.side_by_side.side_by_side"
    monkeypatch.setattr(name, lambda compute, items: list(map(compute, items)))
    in_turn = predict_logits(tiny_model, tiny_model.tokenizer, TEXTS, batch_size=7)
    np.testing.assert_allclose(logits, in_turn, rtol=0, atol=1e-5)


def test_many_callers_at_once(threads: int, tiny_model: EmotionClassifier) -> None:
    expected = tiny_model.predict(TEXTS)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda size: tiny_model.predict(TEXTS, batch_size=size), range(5, 21)):
            assert [row["label"] for row in found] == [row["label"] for row in expected]
            np.testing.assert_allclose([r["score"] for r in found], [r["score"] for r in expected], rtol=0, atol=1e-5)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_computes_as_well(threads: int) -> None:
    assert side_by_side(lambda item: item, range(3)) == [0, 1, 2]
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply_async(_next_of_each, [9]).get(timeout=60) == list(range(1, 10))


def _next_of_each(count: int) -> list[int]:
    return side_by_side(lambda item: item + 1, range(count))
