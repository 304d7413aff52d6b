"""Dynamic batching: texts of requests that wait together go through the model together.

All of it runs in the event loop but the model, which has a thread of its own, so that nothing needs a lock.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from .options import ServingOptions
from .predictor import Answer, Failure, Line


class QueueFull(Exception):  # noqa: N818 - the name says what was found
    """There is no room for the texts of a request.

    Attributes:
        retry_after: Seconds after which there should be.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class Stopped(Exception):  # noqa: N818 - the name says what was found
    """Nothing is predicted any more."""


@dataclass(eq=False)
class Job:
    """The texts of a request, those of similar length one after the other.

    Attributes:
        done: Its answers; None where it was left.
    """

    texts: Sequence[str | Line]
    done: asyncio.Future[list[Answer | Failure] | None]
    order: list[int] = field(init=False)
    answers: dict[int, Answer | Failure] = field(default_factory=dict)
    taken: int = 0

    def __post_init__(self) -> None:
        self.order = sorted(range(len(self.texts)), key=lambda index: len(self.texts[index]))

    @property
    def waiting(self) -> int:
        """Texts that no batch has taken yet."""
        return len(self.order) - self.taken

    def take(self, count: int) -> list[int]:
        """Returns the indices of the next texts."""
        chosen = self.order[self.taken : self.taken + count]
        self.taken += len(chosen)
        return chosen


class Batcher:
    """A bounded queue before a model.

    The texts of one request may be spread over several batches, and a batch shares its places among the requests that
    wait, so that a request of one text never waits for all of a long one. Where nothing else is under way a request is
    predicted at once.

    Args:
        predict: The model; it is called in a thread, by one caller at a time.
        options: Sizes and times.
        on_batch: Called with the number of texts of each batch, if anything.
    """

    def __init__(
        self,
        predict: Callable[[Sequence[str | Line]], list[Answer | Failure]],
        options: ServingOptions,
        on_batch: Callable[[int], object] | None = None,
    ) -> None:
        self._predict = predict
        self._size, self._room = options.max_batch_size, options.max_queue
        self._max_wait = options.max_wait_ms / 1000
        self._on_batch = on_batch
        self._jobs: deque[Job] = deque()
        self._waiting = 0
        self._wake = asyncio.Event()
        self._enough = 1
        self._expected = 1
        self._ended = -math.inf
        self._seconds_a_text = 0.01
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    @property
    def waiting(self) -> int:
        """Texts that wait for the model."""
        return self._waiting

    def start(self) -> None:
        """Begins to take batches, in the running event loop."""
        self._task = asyncio.create_task(self._run())

    async def call(self, function: Callable[[], object]) -> None:
        """Calls a function where the model is called."""
        await asyncio.get_running_loop().run_in_executor(self._executor, function)

    async def stop(self) -> None:
        """Ends once the batch that is under way is done; requests that still wait, or come, raise `Stopped`."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        for job in list(self._jobs):
            self._forget(job)
            if not job.done.done():
                job.done.set_exception(Stopped())
        self._executor.shutdown()

    async def submit(self, texts: Sequence[str | Line]) -> list[Answer | Failure]:
        """Returns an answer for each text; where the caller is cancelled, what has not begun is never computed.

        Raises:
            QueueFull: There is no room for them.
            Stopped: The model answers no more.
        """
        job = self.put(texts)
        try:
            return await job.done or []
        finally:
            self.leave(job)

    def put(self, texts: Sequence[str | Line]) -> Job:
        """Returns texts that are answered from now on, until `leave`; see `submit`."""
        if self._stopped:
            raise Stopped
        if self._waiting + len(texts) > self._room:
            raise QueueFull(max(1, math.ceil(self._waiting * self._seconds_a_text)))
        job = Job(texts, asyncio.get_running_loop().create_future())
        if not texts:
            job.done.set_result([])
            return job
        self._jobs.append(job)
        self._waiting += len(texts)
        if len(self._jobs) >= self._enough or self._waiting >= self._size:
            self._wake.set()
        return job

    def leave(self, job: Job) -> None:
        """Has what has not begun of texts never computed; they are left without answers where they have none yet."""
        if job.waiting:
            self._forget(job)
        if not job.done.done():
            job.done.set_result(None)

    def _forget(self, job: Job) -> None:
        with suppress(ValueError):  # all of its texts have been taken
            self._jobs.remove(job)
        self._waiting -= job.waiting
        job.taken = len(job.order)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if not self._jobs:
                self._enough = 1
                self._wake.clear()
                await self._wake.wait()
            await self._gather()
            batch = self._take()
            if not batch:
                continue
            self._expected = len({id(job) for job, _ in batch})
            start = time.perf_counter()
            answers = await loop.run_in_executor(self._executor, self._predict, [job.texts[i] for job, i in batch])
            self._ended = time.perf_counter()
            self._seconds_a_text += 0.2 * ((self._ended - start) / len(batch) - self._seconds_a_text)
            if self._on_batch is not None:
                self._on_batch(len(batch))
            for (job, index), answer in zip(batch, answers, strict=True):
                job.answers[index] = answer
                if len(job.answers) == len(job.order) and not job.done.done():
                    job.done.set_result([job.answers[i] for i in range(len(job.order))])

    async def _gather(self) -> None:
        """Waits for as many requests as the last batch had, where that has just ended: their clients ask again."""
        now = time.perf_counter()
        if now - self._ended > self._max_wait:
            return
        self._enough = self._expected  # it is woken once, not by each
        until = now + self._max_wait
        while len(self._jobs) < self._expected and self._waiting < self._size:
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), until - time.perf_counter())
            except (TimeoutError, asyncio.TimeoutError):
                return

    def _take(self) -> list[tuple[Job, int]]:
        """Returns the texts of the next batch, its places shared among the requests."""
        batch: list[tuple[Job, int]] = []
        share = max(1, self._size // max(1, len(self._jobs)))
        while self._jobs and len(batch) < self._size:
            job = self._jobs.popleft()
            chosen = job.take(min(share, self._size - len(batch)))
            batch += [(job, index) for index in chosen]
            self._waiting -= len(chosen)
            if job.waiting:
                self._jobs.append(job)
        return batch
