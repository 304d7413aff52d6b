"""`SentencePieceBackend` with public methods in place of the private ones that a subclass has to replace."""

# ruff: noqa: ARG002 - methods that a subclass replaces take what they are given

from __future__ import annotations

from pathlib import Path
from typing import Any

from sentencepiece import SentencePieceProcessor
from transformers import BatchEncoding, PreTrainedTokenizer
from transformers.tokenization_utils_sentencepiece import SentencePieceBackend


class OpenTokenizer(SentencePieceBackend):
    """A tokenizer around a SentencePiece model that is loaded already, in whatever order its pieces were.

    Transformers encodes text by text, in Python, and has no public method between `__call__`, which sorts out the
    options, and that; nor one for files of one's own beside those of `save_pretrained`, or for tokens being added.

    Args:
        vocab_file: Where the model was read from.
        sp_model: The model.
        **kwargs: As for `PreTrainedTokenizer`.
    """

    def __init__(self, vocab_file: str, sp_model: SentencePieceProcessor, **kwargs: Any) -> None:
        # In place of `SentencePieceBackend.__init__`, which takes a file and its order of pieces as they are.
        self.vocab_file = vocab_file
        self.legacy = True
        self.sp_model_kwargs = kwargs.get("sp_model_kwargs", {})
        self.sp_model = sp_model
        self.total_vocab_size = sp_model.get_piece_size()
        PreTrainedTokenizer.__init__(self, vocab_file=vocab_file, **{"backend": "sentencepiece", **kwargs})
        self._update_trie()

    def pieces_of(self, text: str) -> list[str]:
        """Returns the pieces of a text without added tokens in it."""
        pieces: list[str] = super()._tokenize(text)  # type: ignore[no-untyped-call]
        return pieces

    def tokens_were_added(self) -> None:
        """Called when tokens were added to the vocabulary, the special ones of the beginning included."""

    def encode_call(self, text: Any, text_pair: Any, **options: Any) -> BatchEncoding | None:
        """Encodes what a call of the tokenizer was given, its options sorted out; None leaves it to transformers."""
        return None

    def write_beside(self, folder: Path) -> tuple[str, ...]:
        """Writes more files to a folder that `save_pretrained` has filled, and returns their paths."""
        return ()

    def _tokenize(self, text: str, **_: Any) -> list[str]:
        return self.pieces_of(text)

    def _update_trie(self, unique_no_split_tokens: list[str] | None = None) -> None:
        super()._update_trie(unique_no_split_tokens)
        self.tokens_were_added()

    def _encode_plus(self, text: Any, text_pair: Any = None, **options: Any) -> BatchEncoding:  # type: ignore[override]
        encoded = self.encode_call(text, text_pair, **options)
        return super()._encode_plus(text, text_pair, **options) if encoded is None else encoded

    def _save_pretrained(self, save_directory: Any, file_names: Any, *args: Any, **kwargs: Any) -> tuple[str, ...]:
        saved: tuple[str, ...] = super()._save_pretrained(save_directory, file_names, *args, **kwargs)
        return (*saved, *self.write_beside(Path(save_directory)))
