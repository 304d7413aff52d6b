"""Batches side by side on the CPU, each computed by its share of the threads.

Threads that share one product of small matrices spend some of their time on waiting for each other: NSMC's reviews in
batches of 12 or 64 take 1.10 times as long with two threads a batch as with two batches of one thread each (two cores
of an AMD EPYC, the small model of the benchmarks, in turn). Beside one other busy program it is 1.8 to 2.3 times, since
all wait for the thread that was interrupted.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import cache
from typing import TypeVar

import torch
from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(compute: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Computes something of each item, without gradients, as many at once as torch has threads here.

    Args:
        compute: Called in several threads at once; in each, what torch computes has its share of the threads.
        items: Of about the same size, or the greatest last, which are begun first.

    Returns:
        The results, in the order of the items.
    """
    threads = torch.get_num_threads()
    workers = min(threads, len(items))
    if workers < 2 or not _threads_can_be_shared_out():
        with torch.inference_mode():
            return [compute(item) for item in items]
    share = threads // workers
    futures = [_pool(threads).submit(_with_threads, share, compute, item) for item in reversed(items)]
    try:
        wait(futures, return_when=FIRST_EXCEPTION)
    finally:
        for future in futures:
            future.cancel()  # what has not begun where one failed, or the user interrupts
    wait(futures)
    for future in futures:
        if not future.cancelled() and (error := future.exception()):
            raise error
    return [future.result() for future in reversed(futures)]


def _with_threads(count: int, compute: Callable[[Item], Result], item: Item) -> Result:
    with _openmp().limit(limits=count), torch.inference_mode():  # both hold for this thread alone
        return compute(item)


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    # Kept, since what oneDNN makes for a thread is lost with it. A thread of torch's asks for all of them at first.
    return ThreadPoolExecutor(threads, "side_by_side", initializer=torch.get_num_threads)


@cache
def _openmp() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="openmp")


@cache
def _threads_can_be_shared_out() -> bool:
    """Whether this build of torch takes the number of threads from OpenMP, for each thread that calls it."""
    with ThreadPoolExecutor(1, initializer=torch.get_num_threads) as pool:
        before = torch.get_num_threads()
        return pool.submit(_with_threads, 1, lambda _: torch.get_num_threads(), None).result() == 1 and (
            torch.get_num_threads() == before
        )


def _forget_threads() -> None:
    _pool.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)  # threads are not copied
