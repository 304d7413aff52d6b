"""Texts of similar length computed together, for little padding; the results in the order of the texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..utils.progress import TEXTS, progress
from ..wording import Wording

DEFAULT_BATCH_SIZE = 64


@dataclass(frozen=True)
class Batch:
    """Rows of what a tokenizer returned, in the order of their length.

    Attributes:
        columns: Their token ids, and token types where there are some.
        lengths: Their tokens, shape (rows,).
    """

    columns: dict[str, list[list[int]]]
    lengths: list[int]

    @property
    def is_even(self) -> bool:
        """Whether all rows have the same length: there is nothing to pad, and nothing to mask."""
        return self.lengths[0] == self.lengths[-1]


def logits_by_length(
    encoded: Mapping[str, Sequence[list[int]]],
    batch_size: int,
    compute: Callable[[Batch], NDArray[np.float32]],
    at_once: bool = False,
) -> NDArray[np.float32]:
    """Computes the logits of at least one row, the shortest rows first.

    Args:
        encoded: The columns of a tokenizer's call, `input_ids` among them, without padding.
        batch_size: Rows a batch.
        compute: Returns the logits of a batch, shape (rows, classes).
        at_once: Whether `compute` may be called in several threads at once; it then is.

    Returns:
        Shape (rows, classes), in the order of `encoded`.
    """
    lengths = list(map(len, encoded["input_ids"]))
    order = sorted(range(len(lengths)), key=lengths.__getitem__)

    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    with progress(Wording("예측", "predicting"), len(order), TEXTS) as advance:

        def compute_rows(rows: Sequence[int]) -> NDArray[np.float32]:
            columns = {name: [column[row] for row in rows] for name, column in encoded.items()}
            logits = compute(Batch(columns, [lengths[row] for row in rows]))
            advance(len(rows))
            return logits

        if at_once:
            from ..kernels.side_by_side import side_by_side  # with torch, which no graph needs

            found = side_by_side(compute_rows, batches)
        else:
            found = list(map(compute_rows, batches))
    logits = np.empty((len(order), found[0].shape[1]), dtype=np.float32)
    logits[order] = np.concatenate(found)
    return logits
