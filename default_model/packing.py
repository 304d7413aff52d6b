"""Texts of all lengths laid out in sequences of one length: little padding, and one shape to compile for a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from default_model.batches import FIRST_ORDINARY, MASK, PAD, Ids


@dataclass(frozen=True)
class PackedBatch:
    """Several texts a sequence.

    Attributes:
        ids: Tokens, some of them masked, shape (sequences, tokens).
        positions: Place of each token in its own text, shape (sequences, tokens).
        owners: Which text of its sequence each token belongs to, -1 for padding, shape (sequences, tokens).
        first: Where the texts begin in the flattened ids, shape (texts,).
        rows: Row number of each text, shape (texts,).
        hidden: Where masked tokens are in the flattened ids, shape (places,).
        wanted: What stood there, shape (places,).
    """

    ids: Tensor
    positions: Tensor
    owners: Tensor
    first: Tensor
    rows: Tensor
    hidden: Tensor
    wanted: Tensor


class PackedTexts:
    """Rows of ids on a device, ready to be packed in a new order for every epoch.

    Args:
        rows: Ids of the texts, none longer than `tokens`.
        tokens: Length of a sequence.
        starts_word: Whether each token of the vocabulary begins a word, shape (vocabulary,).
        device: Where they are laid out.
    """

    def __init__(self, rows: list[Ids], tokens: int, starts_word: Tensor, device: torch.device) -> None:
        lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        flat = np.fromiter((token for row in rows for token in row), dtype=np.int16, count=int(lengths.sum()))
        self._lay_out(flat, lengths, tokens, starts_word, device)

    @classmethod
    def of_flat(
        cls,
        flat: npt.NDArray[np.int16],
        lengths: npt.NDArray[np.int64],
        tokens: int,
        starts_word: Tensor,
        device: torch.device,
    ) -> PackedTexts:
        """Returns texts whose ids stand one after the other in `flat`, `lengths` of them each."""
        texts = cls.__new__(cls)
        texts._lay_out(flat, lengths, tokens, starts_word, device)
        return texts

    def _lay_out(
        self,
        flat: npt.NDArray[np.int16],
        lengths: npt.NDArray[np.int64],
        tokens: int,
        starts_word: Tensor,
        device: torch.device,
    ) -> None:
        self.lengths = lengths
        self.flat = torch.from_numpy(flat).to(device)
        self.starts = np.cumsum(lengths) - lengths
        self.tokens, self.device = tokens, device
        self.starts_word = starts_word.to(device)

    def batches(
        self, rows: npt.NDArray[np.int64], sequences: int, mask_share: float, seed: int
    ) -> Iterator[PackedBatch]:
        """Yields the texts `rows` once in random order, whole words of them masked; the last batch ends in padding.

        Args:
            rows: Numbers of the texts; one that stands there twice comes twice.
            sequences: Sequences a batch.
            mask_share: Probability of a word to be masked.
            seed: Draws order and masks.
        """
        order = np.random.default_rng(seed).permutation(rows)
        lengths = self.lengths[order]
        sequence, offset = _next_fit(lengths, self.tokens)
        count = -(-(int(sequence[-1]) + 1) // sequences) * sequences
        place = torch.from_numpy(sequence * self.tokens + offset).to(self.device)
        size = torch.from_numpy(lengths).to(self.device)
        first_of_sequence = torch.from_numpy(np.searchsorted(sequence, sequence)).to(self.device)
        owner = torch.arange(len(order), device=self.device) - first_of_sequence
        before = size.cumsum(0) - size
        position = torch.arange(int(lengths.sum()), device=self.device) - before.repeat_interleave(size)
        target = place.repeat_interleave(size) + position
        source = torch.from_numpy(self.starts[order]).to(self.device).repeat_interleave(size) + position

        def laid_out(values: Tensor, empty: int) -> Tensor:
            return torch.full((count * self.tokens,), empty, device=self.device).index_copy_(0, target, values)

        text_ids = self.flat[source].long()
        generator = torch.Generator(self.device).manual_seed(seed)
        word = self.starts_word[text_ids].cumsum(0)
        drawn = torch.rand(int(word[-1]) + 1, generator=generator, device=self.device) < mask_share
        masked = drawn[word] & (text_ids >= FIRST_ORDINARY)
        ids, positions = laid_out(text_ids.masked_fill(masked, MASK), PAD), laid_out(position, 0)
        owners = laid_out(owner.repeat_interleave(size), -1)
        # One synchronisation an epoch instead of one a batch.
        ends = torch.arange(sequences, count + 1, sequences, device=self.device) * self.tokens
        masked_at = target[masked]
        text_ends = torch.searchsorted(place, ends).tolist()
        masked_ends = torch.searchsorted(masked_at, ends).tolist()
        wanted, numbers = text_ids[masked], torch.from_numpy(order).to(self.device)
        text, hidden = 0, 0
        for index, (text_end, hidden_end) in enumerate(zip(text_ends, masked_ends, strict=True)):
            here = slice(index * sequences * self.tokens, (index + 1) * sequences * self.tokens)
            shape = (sequences, self.tokens)
            yield PackedBatch(
                ids[here].view(shape),
                positions[here].view(shape),
                owners[here].view(shape),
                place[text:text_end] - here.start,
                numbers[text:text_end],
                masked_at[hidden:hidden_end] - here.start,
                wanted[hidden:hidden_end],
            )
            text, hidden = text_end, hidden_end


def _next_fit(lengths: npt.NDArray[np.int64], tokens: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Returns the sequence of each text and its offset there: the next sequence begins where a text does not fit."""
    sequence, offset = np.empty_like(lengths), np.empty_like(lengths)
    number, used = 0, 0
    for index, length in enumerate(lengths.tolist()):
        if used + length > tokens:
            number, used = number + 1, 0
        sequence[index], offset[index] = number, used
        used += length
    return sequence, offset
