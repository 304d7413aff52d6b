"""The order of rows, with texts of similar length in one batch: random in training, by length in evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import datasets
import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray
from torch.utils.data import Sampler

BATCHES_PER_CHUNK = 50


class LengthGroupedSampler(Sampler[int]):
    """Yields row indices so that every `batch_size` of them in a row have similar lengths.

    The rows are shuffled, cut into chunks of `BATCHES_PER_CHUNK` batches, sorted by length inside a chunk and
    cut into batches, whose order is shuffled as well. Unlike transformers' sampler of that name, the order
    within a chunk does not run from long to short, and it depends on `batch_size`, `seed` and the epoch only:
    it is the same for any number of processes and of accumulation steps that make up the same batch.

    Args:
        lengths: Tokens of each row.
        batch_size: Rows of one update step, over all processes and accumulation steps.
        seed: Seed of the order; the epoch is added to it.
        padding: Rows after those of `lengths` that fill the last batch; they come last in every epoch.
    """

    def __init__(
        self, lengths: Sequence[int] | NDArray[np.integer], batch_size: int, seed: int, padding: int = 0
    ) -> None:
        self.lengths = np.asarray(lengths)
        self.batch_size = batch_size
        self.seed = seed
        self.padding = padding
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.lengths) + self.padding

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch; accelerate's data loader calls it before each pass."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        random = np.random.default_rng((self.seed, self.epoch))
        order = random.permutation(len(self.lengths))
        chunk = self.batch_size * BATCHES_PER_CHUNK
        order = np.concatenate(
            [
                part[np.argsort(self.lengths[part], kind="stable")]
                for part in np.split(order, range(chunk, len(order), chunk))
            ]
        )
        whole = len(order) // self.batch_size * self.batch_size
        batches = order[:whole].reshape(-1, self.batch_size)
        # The last, smaller batch stays last: a batch in the middle must be whole.
        return iter(
            [*random.permutation(batches).ravel().tolist(), *order[whole:].tolist(), *range(len(order), len(self))]
        )


class LongestFirst(Sampler[int]):
    """Yields row indices from the longest row to the shortest, the order in which they are evaluated.

    Args:
        dataset: Tokenised rows.
    """

    def __init__(self, dataset: datasets.Dataset) -> None:
        self.order = np.argsort(-token_counts(dataset), kind="stable")

    def __len__(self) -> int:
        return len(self.order)

    def __iter__(self) -> Iterator[int]:
        return iter(self.order.tolist())

    def undo(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Returns what was computed in this order in the order of the data set."""
        return np.asarray(rows)[np.argsort(self.order)]


def token_counts(dataset: datasets.Dataset) -> NDArray[np.int64]:
    """Returns the tokens of each row."""
    lengths: NDArray[np.int64] = pc.list_value_length(dataset.with_format("arrow")["input_ids"][:]).to_numpy()
    return lengths
