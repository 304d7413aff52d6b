"""Logits by length: every row once, short ones first, and each result in the place of its row."""

from __future__ import annotations

import threading

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kobert_hf_emotion.modeling.batches import Batch, logits_by_length


@settings(max_examples=60, deadline=None)
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=40), batch_size=st.integers(1, 12))
def test_results_stand_where_their_rows_do(lengths: list[int], batch_size: int) -> None:
    ids = [[row] * length for row, length in enumerate(lengths)]
    seen: list[int] = []

    def compute(batch: Batch) -> NDArray[np.float32]:
        rows = batch.columns["input_ids"]
        assert batch.columns["token_type_ids"] == [[0] * len(row) for row in rows]
        assert batch.lengths == list(map(len, rows))
        assert batch.is_even == (len(set(batch.lengths)) == 1)
        assert len(rows) <= batch_size
        seen.extend(batch.lengths)
        return np.array([[row[0], len(row)] for row in rows], dtype=np.float32)

    encoded = {"input_ids": ids, "token_type_ids": [[0] * length for length in lengths]}
    logits = logits_by_length(encoded, batch_size, compute)
    assert logits.tolist() == [[row, length] for row, length in enumerate(lengths)]
    assert seen == sorted(lengths)


def test_another_model_is_asked_in_the_thread_that_called() -> None:
    threads = set()

    def compute(batch: Batch) -> NDArray[np.float32]:
        threads.add(threading.get_ident())
        return np.zeros((len(batch.lengths), 1), dtype=np.float32)

    logits_by_length({"input_ids": [[1]] * 64}, 1, compute)
    assert threads == {threading.get_ident()}
