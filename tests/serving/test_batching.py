"""The queue: who shares a batch, who waits, and who leaves without a trace."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from kobert_hf_emotion.serving.batching import Batcher, QueueFull, Stopped
from kobert_hf_emotion.serving.options import ServingOptions


class Model:
    """Answers with the texts themselves; waits while `gate` is closed."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.batches: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.seconds = seconds

    def __call__(self, texts: Sequence[str]) -> list[Any]:
        self.batches.append(list(texts))
        assert self.gate.wait(30)
        time.sleep(self.seconds)
        return [f"<{text}>" for text in texts]


def run(talk: Callable[[Batcher], Awaitable[Any]], model: Model, **options: Any) -> Any:
    async def main() -> Any:
        batcher = Batcher(model, ServingOptions(**{"max_texts": 1, "max_queue": 1000} | options))
        batcher.start()
        try:
            return await talk(batcher)
        finally:
            await batcher.stop()

    return asyncio.run(main())


async def busy(batcher: Batcher, model: Model) -> asyncio.Task[Any]:
    """Closes the model's gate behind a first text, so that what comes now waits."""
    model.gate.clear()
    first = asyncio.ensure_future(batcher.submit(["first"]))
    while not model.batches:
        await asyncio.sleep(0.001)
    return first


def later(batcher: Batcher, *texts: str) -> asyncio.Task[Any]:
    return asyncio.ensure_future(batcher.submit(texts))


def test_requests_that_wait_together_go_together() -> None:
    model = Model()

    async def talk(batcher: Batcher) -> Any:
        first = await busy(batcher, model)
        others = [later(batcher, str(n)) for n in range(10)]
        await asyncio.sleep(0.01)
        model.gate.set()
        return [await first, *[await other for other in others]]

    assert run(talk, model) == [["<first>"], *([f"<{n}>"] for n in range(10))]
    assert model.batches == [["first"], [str(n) for n in range(10)]]


def test_no_batch_is_larger_than_was_said_and_all_texts_of_a_long_request_come_back_in_order() -> None:
    model = Model()
    texts = [("x" * (n * 7 % 23)) + str(n) for n in range(50)]
    assert run(lambda batcher: batcher.submit(texts), model, max_batch_size=8) == [f"<{text}>" for text in texts]
    assert max(map(len, model.batches)) == 8
    assert [len(text) for batch in model.batches for text in batch] == sorted(map(len, texts))


def test_a_short_request_does_not_wait_for_all_of_a_long_one() -> None:
    model = Model()

    async def talk(batcher: Batcher) -> None:
        await busy(batcher, model)
        long = later(batcher, *map(str, range(100)))
        await asyncio.sleep(0)
        short = later(batcher, "short")
        await asyncio.sleep(0.01)
        model.gate.set()
        await asyncio.gather(long, short)

    run(talk, model, max_batch_size=8)
    assert "short" in model.batches[1]


def test_who_comes_alone_does_not_wait() -> None:
    model = Model()

    async def talk(batcher: Batcher) -> float:
        start = time.perf_counter()
        for _ in range(5):
            await batcher.submit(["a"])
        return time.perf_counter() - start

    assert run(talk, model, max_wait_ms=5_000) < 2
    assert [len(batch) for batch in model.batches] == [1] * 5


def test_while_requests_come_together_a_batch_waits_for_as_many_as_the_last_had() -> None:
    model = Model()

    async def client(batcher: Batcher, number: int) -> None:
        for turn in range(4):
            await asyncio.sleep(0.002 * number)
            await batcher.submit([f"{number}-{turn}"])

    async def talk(batcher: Batcher) -> None:
        await asyncio.gather(await busy(batcher, model), *(ready(batcher, n) for n in range(8)))

    async def ready(batcher: Batcher, number: int) -> None:
        waiting = later(batcher, f"{number}")
        if number == 7:
            await asyncio.sleep(0.01)
            model.gate.set()
        await waiting
        await client(batcher, number)

    run(talk, model, max_wait_ms=500)
    assert [len(batch) for batch in model.batches] == [1, 8, 8, 8, 8, 8]


def test_a_client_that_left_frees_its_place_and_is_never_computed() -> None:
    model = Model()

    async def talk(batcher: Batcher) -> None:
        first = await busy(batcher, model)
        gone = later(batcher, "a", "b")
        await asyncio.sleep(0.01)
        assert batcher.waiting == 2
        with pytest.raises(QueueFull):
            await batcher.submit(["c"])
        gone.cancel()
        await asyncio.sleep(0.01)
        assert batcher.waiting == 0
        stays = later(batcher, "c")
        first.cancel()  # it is with the model already: computed, and thrown away
        await asyncio.sleep(0.01)
        model.gate.set()
        assert await stays == ["<c>"]
        assert batcher.waiting == 0

    run(talk, model, max_queue=2)
    assert model.batches == [["first"], ["c"]]


def test_a_client_that_leaves_in_the_middle_of_a_long_request() -> None:
    model = Model(seconds=0.01)

    async def talk(batcher: Batcher) -> None:
        gone = later(batcher, *map(str, range(100)))
        while not model.batches:
            await asyncio.sleep(0.001)
        gone.cancel()
        assert await batcher.submit(["c"]) == ["<c>"]
        assert batcher.waiting == 0

    run(talk, model, max_batch_size=4)
    assert len(model.batches) <= 4


def test_retry_after_grows_with_the_queue() -> None:
    model = Model(seconds=0.2)

    async def talk(batcher: Batcher) -> int:
        for _ in range(10):
            await batcher.submit(["a"])
        waiting = [later(batcher, "b")]
        await asyncio.sleep(0.01)
        waiting += [later(batcher, "b") for _ in range(20)]
        await asyncio.sleep(0.01)
        with pytest.raises(QueueFull) as full:
            await batcher.submit(["c"])
        for one in waiting:
            one.cancel()
        return full.value.retry_after

    assert 2 <= run(talk, model, max_queue=20, max_batch_size=1) <= 6


def test_what_waits_when_it_stops_is_told() -> None:
    model = Model()

    async def talk(batcher: Batcher) -> None:
        await busy(batcher, model)
        waits = later(batcher, "a")
        await asyncio.sleep(0.01)
        model.gate.set()
        await batcher.stop()
        for stopped in (waits, later(batcher, "b")):
            with pytest.raises(Stopped):
                await stopped

    run(talk, model)
