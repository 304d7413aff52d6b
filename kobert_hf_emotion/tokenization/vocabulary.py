"""Whether two tokenizers have one vocabulary; nothing here loads torch or transformers."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def vocabulary_sha256(tokenizer: PreTrainedTokenizerBase) -> str:
    """Returns a SHA-256 that tells whether two tokenizers have the same vocabulary.

    For KoBERT's tokenizer it is that of `spiece.model`, for others that of the entries in the order of their ids.
    """
    of_model: str | None = getattr(tokenizer, "vocab_sha256", None)
    if of_model is not None:
        return of_model
    digest = hashlib.sha256()
    for token, index in sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1]):
        digest.update(f"{index}\t{token}\n".encode())
    return digest.hexdigest()
