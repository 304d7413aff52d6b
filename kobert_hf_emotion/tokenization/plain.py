"""KoBERT's tokenizer without transformers, for a process that is to answer at once: the ids, and little else.

The pieces, and how rows are made of them, are those of `KoBERTTokenizer`. What a folder's settings may say beside the
usual, and texts that transformers takes apart at special tokens, are left to it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from sentencepiece import SentencePieceProcessor
from typing_extensions import Self

from .pieces import PIECE_ENCODERS, WordSplit
from .sentencepiece_layout import PIECE_LIST, VOCAB_FILE, check_special_tokens, load_pieces
from .sequences import SPECIAL_TOKENS, SequenceBuilder

SETTINGS_FILE = "tokenizer_config.json"
LONGEST = 512
"""Tokens of a text where a folder says nothing: KoBERT's positions."""
_OTHER_SETTINGS = ("added_tokens.json", "special_tokens_map.json")
"""Files that settings may stand in as well: transformers reads them."""
_READ = {"added_tokens_decoder", "model_input_names", "model_max_length", "word_split"}
_MEANINGLESS = {"backend", "clean_up_tokenization_spaces", "is_local", "name_or_path", "tokenizer_class"}
_USUAL: dict[str, Any] = {
    **{f"{token[1:-1].lower()}_token": token for token in SPECIAL_TOKENS},
    "do_lower_case": False,
    "keep_accents": False,
    "padding_side": "right",
    "remove_space": True,
    "sp_model_kwargs": {},
    "split_special_tokens": False,
    "truncation_side": "right",
}


class PlainTokenizer:
    """Gives texts the ids that `KoBERTTokenizer` gives them, where `reads` says that it does.

    Its attributes are those of transformers' tokenizers that predicting asks for.

    Args:
        model: With its pieces in the order of the vocabulary, special tokens among them.
        word_split: See `KoBERTTokenizer`.
        model_max_length: Tokens a text is cut to.
        model_input_names: Columns that the model takes.
    """

    pad_token_type_id = 0

    def __init__(
        self,
        model: SentencePieceProcessor,
        word_split: WordSplit = "sentencepiece",
        model_max_length: int = LONGEST,
        model_input_names: Sequence[str] = ("input_ids", "token_type_ids", "attention_mask"),
    ) -> None:
        self._model = model
        self._pieces = PIECE_ENCODERS[word_split](model)
        self.word_split = word_split
        self.model_max_length = model_max_length
        self.model_input_names = list(model_input_names)
        ids = {token: int(model.piece_to_id(token)) for token in SPECIAL_TOKENS}
        self.all_special_ids = list(ids.values())
        self.unk_token_id, self.pad_token_id, self.cls_token_id, self.sep_token_id, _ = self.all_special_ids

    @classmethod
    def of_folder(cls, folder: Path, known_sha256: str | None = None) -> Self | None:
        """Opens the tokenizer of a model's folder; None where it is another one, or set up in an unusual way.

        Args:
            folder: The folder.
            known_sha256: Of the SentencePiece model that the weights were trained with, as their configuration says:
                a file of these bytes has been looked through.

        Raises:
            TokenizerError: Its SentencePiece model cannot be used.
            OSError: A file cannot be read.
            ValueError: The settings are no JSON.
        """
        settings = _settings_of(folder)
        if settings is None or not (folder / VOCAB_FILE).is_file():
            return None
        model = _known(folder, known_sha256) or load_pieces(folder / VOCAB_FILE)
        check_special_tokens(model, SPECIAL_TOKENS, VOCAB_FILE)
        added = {int(index): token["content"] for index, token in settings.pop("added_tokens_decoder", {}).items()}
        if any(token not in SPECIAL_TOKENS or model.piece_to_id(token) != index for index, token in added.items()):
            return None
        return cls(model, **{name: settings[name] for name in _READ & set(settings)})

    def __len__(self) -> int:
        """Returns the number of entries of the vocabulary."""
        return int(self._model.get_piece_size())

    @property
    def vocab_sha256(self) -> str:
        """As that of `KoBERTTokenizer`."""
        return hashlib.sha256(self._model.serialized_model_proto()).hexdigest()

    def reads(self, texts: Sequence[str]) -> bool:
        """Whether the ids of texts are those of `KoBERTTokenizer`: where no special token is written out in them."""
        if self.word_split == "gluonnlp":  # knows none inside text
            return True
        return not any(token in text for text in texts for token in SPECIAL_TOKENS)

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """Returns how many special tokens stand around a text, or around a pair and between."""
        return 3 if pair else 2

    def __call__(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None = None,
        *,
        verbose: bool = False,  # noqa: ARG002 - it says nothing either way
        return_attention_mask: bool = False,  # noqa: ARG002 - of rows without padding it is all ones
    ) -> dict[str, list[list[int]]]:
        """Encodes texts, or pairs of them, without cutting them; what it cannot do besides is no argument of it."""
        return self.encode_rows(texts, pairs)

    def encode_rows(
        self, texts: Sequence[str], pairs: Sequence[str] | None = None, max_length: int | None = None
    ) -> dict[str, list[list[int]]]:
        """As that of `KoBERTTokenizer`."""
        builder = SequenceBuilder(self.cls_token_id, self.sep_token_id, max_length)
        firsts = self._pieces.ids(texts)
        rows, types = builder.single(firsts) if pairs is None else builder.pairs(firsts, self._pieces.ids(pairs))
        columns = {"input_ids": rows, "token_type_ids": types}
        return {name: column for name, column in columns.items() if name in self.model_input_names}


def _known(folder: Path, sha256: str | None) -> SentencePieceProcessor | None:
    """Returns the SentencePiece model of a folder without looking through its pieces, where it is the known one."""
    content = (folder / VOCAB_FILE).read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256 or (folder / PIECE_LIST).exists():
        return None
    return SentencePieceProcessor(model_proto=content)


def _settings_of(folder: Path) -> dict[str, Any] | None:
    """Returns what a folder says of its tokenizer, None where it says something unusual."""
    if any((folder / name).exists() for name in _OTHER_SETTINGS):
        return None
    file = folder / SETTINGS_FILE
    settings = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return settings if isinstance(settings, dict) and _are_usual(settings) else None


def _are_usual(settings: Mapping[str, Any]) -> bool:
    """Whether settings say nothing but what is done here."""
    others = {name: value for name, value in settings.items() if name not in _READ | _MEANINGLESS}
    return (
        all(name in _USUAL and _USUAL[name] == value for name, value in others.items())
        and settings.get("word_split", "sentencepiece") in get_args(WordSplit)
        and isinstance(settings.get("model_max_length", LONGEST), int)
        and isinstance(settings.get("added_tokens_decoder", {}), dict)
        and isinstance(settings.get("model_input_names", []), list)
    )
