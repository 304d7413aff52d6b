"""The sampler: every row once, batches of like lengths, an order that only seed and epoch decide."""

from __future__ import annotations

from itertools import chain
from typing import Any

import datasets
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kobert_hf_emotion.training.sampling import BATCHES_PER_CHUNK, LengthGroupedSampler, LongestFirst, token_counts


def lengths(rows: int, seed: int = 0) -> Any:
    """Token counts as skewed as those of comments: most are short, some run to the limit."""
    return np.clip(np.random.default_rng(seed).lognormal(3, 0.7, rows), 3, 128).astype(int)


def efficiency(order: list[int], tokens: Any, batch_size: int) -> float:
    """Tokens that are no padding, 0 to 1, where each batch is padded to its longest row."""
    batches = [tokens[order[i : i + batch_size]] for i in range(0, len(order), batch_size)]
    return float(tokens.sum() / sum(batch.max() * len(batch) for batch in batches))


@settings(max_examples=60, deadline=None)
@given(rows=st.integers(0, 400), batch_size=st.integers(1, 20), seed=st.integers(0, 5), epoch=st.integers(0, 3))
def test_every_row_once(rows: int, batch_size: int, seed: int, epoch: int) -> None:
    sampler = LengthGroupedSampler(lengths(rows), batch_size, seed)
    sampler.set_epoch(epoch)
    order = list(sampler)
    assert len(sampler) == rows
    assert sorted(order) == list(range(rows))
    assert all(type(index) is int for index in order)


@pytest.mark.parametrize("batch_size", [16, 64])
def test_little_padding(batch_size: int) -> None:
    tokens = lengths(6000)
    grouped = efficiency(list(LengthGroupedSampler(tokens, batch_size, 1)), tokens, batch_size)
    shuffled = efficiency(np.random.default_rng(1).permutation(6000).tolist(), tokens, batch_size)
    assert grouped >= 0.9
    assert shuffled < 0.5


def test_deterministic_and_different_by_epoch_and_seed() -> None:
    tokens = lengths(500)
    sampler = LengthGroupedSampler(tokens, 8, 42)
    first = list(sampler)
    assert list(sampler) == first == list(LengthGroupedSampler(tokens, 8, 42))
    sampler.set_epoch(1)
    second = list(sampler)
    assert second != first
    assert list(LengthGroupedSampler(tokens, 8, 43)) not in (first, second), "seed + 1 must not be the next epoch"
    sampler.set_epoch(0)
    assert list(sampler) == first


def test_global_randomness_is_neither_used_nor_moved() -> None:
    np.random.seed(0)
    torch.manual_seed(0)
    first = list(LengthGroupedSampler(lengths(100), 8, 1))
    torch.rand(1)
    before = torch.get_rng_state()
    assert list(LengthGroupedSampler(lengths(100), 8, 1)) == first
    assert torch.equal(torch.get_rng_state(), before)


def test_batches_are_neither_in_order_of_length_nor_the_same_rows_each_epoch() -> None:
    tokens = lengths(800)
    sampler = LengthGroupedSampler(tokens, 8, 0)
    means = tokens[np.array(list(sampler))].reshape(-1, 8).mean(1)
    assert abs(np.corrcoef(means, np.arange(100))[0, 1]) < 0.4
    assert means.std() > 5, "the batches do not differ in length"
    together = {frozenset(batch) for batch in np.array(list(sampler)).reshape(-1, 8).tolist()}
    sampler.set_epoch(1)
    again = {frozenset(batch) for batch in np.array(list(sampler)).reshape(-1, 8).tolist()}
    assert len(together & again) < 10


def test_the_last_smaller_batch_is_last() -> None:
    tokens = np.arange(1, 104)
    order = list(LengthGroupedSampler(tokens, 10, 0))
    for start in range(0, 100, 10):
        batch = sorted(order[start : start + 10])
        assert batch == list(range(batch[0], batch[0] + 10)), "one chunk: rows of a batch are neighbours by length"


@pytest.mark.parametrize("ways", [(1, 16), (4, 4), (2, 8), (16, 1)])
def test_the_split_of_a_batch_does_not_matter(ways: tuple[int, int]) -> None:
    """A step's rows are the same for one device, several devices, and accumulation."""
    tokens, (parts, each) = lengths(163), ways
    whole = list(LengthGroupedSampler(tokens, 16, 5))
    loader = torch.utils.data.DataLoader(range(163), batch_size=each, sampler=LengthGroupedSampler(tokens, 16, 5))  # type: ignore[arg-type]
    batches = [batch.tolist() for batch in loader]
    steps = [list(chain.from_iterable(batches[i : i + parts])) for i in range(0, len(batches), parts)]
    assert steps == [whole[i : i + 16] for i in range(0, 163, 16)]


def test_longest_first_and_back() -> None:
    data = datasets.Dataset.from_dict({"input_ids": [[1], [1, 2, 3], [1, 2], [4], [5, 6]]})
    order = LongestFirst(data)
    assert list(order) == [1, 2, 4, 0, 3]
    assert len(order) == 5
    assert order.undo(np.array([10, 20, 40, 0, 30])).tolist() == [0, 10, 20, 30, 40]


def test_rows_of_one_length_are_evaluated_in_their_order() -> None:
    counts = np.random.default_rng(0).integers(1, 4, 300).tolist()
    data = datasets.Dataset.from_dict({"input_ids": [[7] * count for count in counts]})
    order = LongestFirst(data)
    assert list(order) == sorted(range(300), key=lambda row: -counts[row])
    assert order.undo(np.array(list(order))).tolist() == list(range(300))
    assert token_counts(data).tolist() == counts


@pytest.mark.parametrize("padding", [0, 3])
def test_batches_are_the_neighbours_by_length_of_each_chunk(padding: int) -> None:
    """Written out plainly, from the same shuffling."""
    tokens = lengths(1203)
    sampler = LengthGroupedSampler(tokens, 4, 7, padding)
    sampler.set_epoch(2)
    shuffled = np.random.default_rng((7, 2)).permutation(1203).tolist()
    expected = []
    for start in range(0, 1203, 4 * BATCHES_PER_CHUNK):
        expected += sorted(shuffled[start : start + 4 * BATCHES_PER_CHUNK], key=lambda row: tokens[row])
    order = list(sampler)
    assert len(order) == len(sampler) == 1203 + padding
    batches = {tuple(expected[start : start + 4]) for start in range(0, 1200, 4)}
    assert {tuple(order[start : start + 4]) for start in range(0, 1200, 4)} == batches
    assert order[:1200] != expected[:1200]
    assert order[1200:] == [*expected[1200:], *range(1203, 1203 + padding)]
