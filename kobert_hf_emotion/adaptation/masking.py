"""Which tokens are hidden: those of a batch, the same in every run, and others in every epoch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerBase

from ..errors import KoBERTEmotionError

ROW_COLUMN = "row"
"""Of the rows that are masked: their number."""
_STARTS, _CONTINUES = ("▁", "Ġ"), "##"
"""What the first piece of a word begins with (SentencePiece, byte-level BPE), or a later one (WordPiece)."""


class Masks:
    """Pads rows to a batch and hides tokens of it: of those chosen 80% become [MASK], 10% a random token, 10% stay.

    Devlin et al. (2019), by transformers' `DataCollatorForLanguageModeling`. The draws depend on the seed, the epoch
    and the rows of the batch alone, so that a training that is continued hides what it would have hidden.

    Args:
        tokenizer: The model's.
        probability: The share of tokens that are chosen.
        whole_words: Whether a word is chosen with all of its pieces.
        seed: Of the draws.
        epoch: Returns the number of the epoch.

    Raises:
        KoBERTEmotionError: The tokenizer has no [MASK].
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        probability: float,
        whole_words: bool,
        seed: int,
        epoch: Callable[[], int] = lambda: -1,
    ) -> None:
        if tokenizer.mask_token_id is None:
            raise KoBERTEmotionError(
                "토크나이저에 [MASK]가 없어 가린 말 맞히기로 학습할 수 없습니다.",
                "The tokenizer has no [MASK] token: there is no masked-language-model training with it.",
            )
        self._tokenizer = tokenizer
        self._draw = DataCollatorForLanguageModeling(tokenizer, mlm_probability=probability)
        self._probability = probability
        self._seed, self.epoch = seed, epoch
        size = len(tokenizer)
        self._special = torch.zeros(size, dtype=torch.bool)
        self._special[[index for index in tokenizer.all_special_ids if index < size]] = True
        self._begins = _word_beginnings(tokenizer) if whole_words else None

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        """Returns the columns of a batch, with `labels` of -100 where nothing is hidden."""
        numbers = [int(row[ROW_COLUMN]) for row in rows]
        kept = [{name: column for name, column in row.items() if name != ROW_COLUMN} for row in rows]
        batch = dict(self._tokenizer.pad(kept, return_tensors="pt"))
        text = f"{self._seed} {self.epoch()} {numbers}"
        number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
        self._draw.generator = torch.Generator().manual_seed(number)
        ids = batch["input_ids"]
        if self._begins is None:
            batch["input_ids"], batch["labels"] = self._draw.torch_mask_tokens(
                ids, special_tokens_mask=self._special[ids]
            )
        else:
            batch["input_ids"], batch["labels"] = self._mask_words(ids, self._begins)
        return batch

    def _mask_words(self, ids: Tensor, begins: Tensor) -> tuple[Tensor, Tensor]:
        """Does for words what `torch_mask_tokens` does for tokens; what becomes of a token is drawn for itself."""
        generator = self._draw.generator
        words = begins[ids].long().cumsum(1)
        chosen = torch.bernoulli(torch.full((len(ids), int(words.max()) + 1), self._probability), generator=generator)
        hidden = chosen.bool().gather(1, words) & ~self._special[ids]
        labels = torch.where(hidden, ids, torch.full_like(ids, -100))
        fate = torch.rand(ids.shape, generator=generator)
        random = torch.randint(len(self._tokenizer), ids.shape, generator=generator)
        masked = torch.full_like(ids, self._tokenizer.mask_token_id)
        changed = torch.where(fate < 0.8, masked, torch.where(fate < 0.9, random, ids))
        return torch.where(hidden, changed, ids), labels


def _word_beginnings(tokenizer: PreTrainedTokenizerBase) -> Tensor:
    """Tells of each token id whether a word begins with it, shape (vocabulary,); special tokens are words."""
    tokens = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    special = set(tokenizer.all_special_ids)
    mark = next((mark for mark in _STARTS if sum(token.startswith(mark) for token in tokens) > 1), None)
    if mark is None:
        return torch.tensor([not token.startswith(_CONTINUES) for token in tokens])
    return torch.tensor([index in special or token.startswith(mark) for index, token in enumerate(tokens)])
