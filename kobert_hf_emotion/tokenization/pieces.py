"""Texts to pieces of a SentencePiece model, in the two ways KoBERT has been used with; special tokens come later."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import chain
from typing import Literal, TypeAlias

from sentencepiece import SentencePieceProcessor

from .normalization import prepare_gluonnlp, prepare_xlnet

WordSplit: TypeAlias = Literal["sentencepiece", "gluonnlp"]
# Below so many strings the encoder's call for many does not pay.
_FEW = 16


class PieceEncoder(ABC):
    """Encodes texts without special tokens in them.

    Args:
        model: With its pieces in the order of the vocabulary.
    """

    def __init__(self, model: SentencePieceProcessor) -> None:
        self.model = model

    @abstractmethod
    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns a list of ids for each text, those of `pieces`, made in one call of the C++ encoder."""

    @abstractmethod
    def pieces(self, text: str) -> list[str]:
        """Returns the pieces of one text."""

    def parts_of(self, piece: str) -> list[str]:
        """Returns what a piece of SentencePiece's is taken apart into: by default itself."""
        return [piece]

    def encode(self, strings: list[str]) -> list[list[int]]:
        """Encodes many strings in one call, and few one by one.

        The call for many hands them to a thread of its own, which a few strings wait longer for than they take.
        """
        if len(strings) < _FEW:
            return [self.model.encode(string, out_type=int) for string in strings]
        rows: list[list[int]] = self.model.encode(strings, out_type=int, num_threads=1)
        return rows


class GluonnlpPieces(PieceEncoder):
    """As the notebook (gluonnlp's `BERTSPTokenizer`): each word by itself.

    The encoder breaks ties between equal scores differently where a word stands inside a sentence.
    """

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Encodes each distinct word once."""
        split = [prepare_gluonnlp(text) for text in texts]
        words = list({word: None for text in split for word in text})
        encoded = dict(zip(words, self.encode(words), strict=True))
        return [list(chain.from_iterable(map(encoded.__getitem__, text))) for text in split]

    def pieces(self, text: str) -> list[str]:
        """Returns the pieces of one text."""
        return [piece for word in prepare_gluonnlp(text) for piece in self.model.encode(word, out_type=str)]


class XlnetPieces(PieceEncoder):
    """As SKT's `KoBERTTokenizer`, which is XLNet's: it takes pieces that end in a digit and a comma apart once more.

    Args:
        model: With its pieces in the order of the vocabulary.
    """

    def __init__(self, model: SentencePieceProcessor) -> None:
        super().__init__(model)
        self._digit_comma = self._split_digit_comma_pieces()
        self._split_again = frozenset(map(model.piece_to_id, self._digit_comma))

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Encodes all at once, and those again in which a piece is taken apart."""
        rows = self.encode([prepare_xlnet(text) for text in texts])
        for index, row in enumerate(rows):
            if not self._split_again.isdisjoint(row):
                rows[index] = list(map(self.model.piece_to_id, self.pieces(texts[index])))
        return rows

    def pieces(self, text: str) -> list[str]:
        """Returns the pieces of one text."""
        pieces: list[str] = self.model.encode(prepare_xlnet(text), out_type=str)
        return [part for piece in pieces for part in self.parts_of(piece)]

    def parts_of(self, piece: str) -> list[str]:
        """Returns what a piece of SentencePiece's is taken apart into."""
        return self._digit_comma.get(piece, [piece])

    def _split_digit_comma_pieces(self) -> dict[str, list[str]]:
        """Maps pieces that end in a digit and a comma to what XLNet's tokenizer makes of them."""
        split: dict[str, list[str]] = {}
        for index in range(self.model.get_piece_size()):
            piece: str = self.model.id_to_piece(index)
            if len(piece) > 1 and piece[-1] == "," and piece[-2].isdigit():
                parts: list[str] = self.model.encode(piece[:-1].replace("▁", ""), out_type=str)
                if not piece.startswith("▁") and parts[0].startswith("▁"):
                    parts = parts[1:] if parts[0] == "▁" else [parts[0][1:], *parts[1:]]
                split[piece] = [*parts, ","]
        return split


PIECE_ENCODERS: dict[WordSplit, type[PieceEncoder]] = {"sentencepiece": XlnetPieces, "gluonnlp": GluonnlpPieces}
