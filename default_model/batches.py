"""Texts as padded batches of ids: segmentation, order, masks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import sentencepiece
import torch
from torch import Tensor

from default_model.settings import Settings

PAD, CLS, SEP, MASK, FIRST_ORDINARY = 1, 2, 3, 4, 5
WORD_START = "▁"
Ids = list[int]


@dataclass(frozen=True)
class Batch:
    """Ids padded to the longest row, and the row numbers they come from."""

    ids: Tensor
    rows: npt.NDArray[np.int64]


class Encoder:
    """Texts to ids in KoBERT's form: [CLS] pieces [SEP]."""

    def __init__(self, model: Path) -> None:
        self.processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
        self.sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
        pieces = [self.processor.id_to_piece(index) for index in range(self.processor.get_piece_size())]
        self.starts_word = torch.tensor(
            [index < FIRST_ORDINARY or piece.startswith(WORD_START) for index, piece in enumerate(pieces)]
        )

    def __call__(self, texts: list[str], max_tokens: int) -> list[Ids]:
        """Encodes `texts`, cut to `max_tokens` with the special tokens."""
        pieces = self.processor.encode(texts, out_type=int, num_threads=os.cpu_count() or 1)
        return [[CLS, *row[: max_tokens - 2], SEP] for row in pieces]

    def noisy(self, texts: list[str], max_tokens: int, settings: Settings, seed: int) -> list[Ids]:
        """Encodes `texts` with segmentations drawn at random and some texts without their spaces."""
        rng = np.random.default_rng(seed)
        sentencepiece.set_random_generator_seed(seed % 2**32)
        spaces = rng.random(len(texts)) < settings.no_space_share
        sampled = rng.random(len(texts)) < settings.sampled_share
        rows = []
        for text, drop, sample in zip(texts, spaces, sampled, strict=True):
            kept = text.replace(" ", "") if drop else text
            pieces = self.processor.encode(kept, enable_sampling=bool(sample), alpha=0.2, nbest_size=-1)
            rows.append([CLS, *pieces[: max_tokens - 2], SEP])
        return rows


def batches(rows: list[Ids], size: int, seed: int) -> Iterator[Batch]:
    """Yields one epoch of batches of rows of similar length, in random order."""
    rng = np.random.default_rng(seed)
    lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
    order = rng.permutation(len(rows))
    pools = [order[i : i + 64 * size] for i in range(0, len(order), 64 * size)]
    chosen: list[npt.NDArray[np.int64]] = []
    for pool in pools:
        by_length = pool[np.argsort(lengths[pool], kind="stable")]
        chosen.extend(by_length[i : i + size] for i in range(0, len(by_length), size))
    for index in rng.permutation(len(chosen)):
        numbers = chosen[index]
        yield Batch(pad([rows[i] for i in numbers]), numbers)


def pad(rows: list[Ids]) -> Tensor:
    """Returns `rows` as one tensor, padded with [PAD] to the longest."""
    longest = max(map(len, rows))
    return torch.tensor([row + [PAD] * (longest - len(row)) for row in rows])


def mask_tokens(ids: Tensor, share: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Replaces a share of the ordinary tokens by [MASK]; returns the new ids and where they differ."""
    hidden = (torch.rand(ids.shape, generator=generator) < share) & (ids >= FIRST_ORDINARY)
    return ids.masked_fill(hidden, MASK), hidden
