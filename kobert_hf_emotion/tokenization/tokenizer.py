"""KoBERT's tokenizer on today's transformers, with the ids of the original ones."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from transformers import BatchEncoding
from transformers.tokenization_utils_base import TruncationStrategy
from transformers.utils.generic import PaddingStrategy
from typing_extensions import Self

from ..assets import resolve_default
from ..errors import TokenizerError
from ..hub.errors import hub_error, place_options
from ..utils.garbage_collection import collector_paused
from ..utils.transformers_private.tokenizer import OpenTokenizer
from .fast_tokenizer import tokenizer_json
from .model_files import cap_length, find_file, find_sentencepiece
from .pieces import PIECE_ENCODERS, WordSplit
from .sentencepiece_layout import PIECE_LIST, VOCAB_FILE, check_special_tokens, load_pieces
from .sequences import SequenceBuilder, as_batch

_LONGEST = 512  # KoBERT's positions
# What XLNet's tokenizer can be set to do, and what KoBERT's weights were trained with; a file may only say the same.
_FIXED = {"do_lower_case": False, "remove_space": True, "keep_accents": False}
# Options of `__call__` that only transformers' own, slower path serves.
_UNCOMMON_OPTIONS = (
    "stride",
    "is_split_into_words",
    "return_length",
    "return_overflowing_tokens",
    "return_special_tokens_mask",
    "split_special_tokens",
)


class KoBERTTokenizer(OpenTokenizer):
    """KoBERT's tokenizer: `[CLS] … [SEP]`, padding on the right with `[PAD]` (id 1).

    The text is encoded in batches by the `sentencepiece` library itself, because the `tokenizers` library
    breaks score ties differently and is slower.

    Args:
        vocab_file: Path of `spiece.model`, or of a SentencePiece model that keeps its pieces in another order, such as
            KoBERT's `tokenizer_78b3253a26.model`: ids are those of the vocabulary; see `load_pieces`.
        word_split: "sentencepiece" gives the ids of SKT's `KoBERTTokenizer`; "gluonnlp" those of the
            notebook (gluonnlp's `BERTSPTokenizer`), which splits at punctuation and CJK ideographs first.
            Checkpoints trained by a notebook need the latter.
        **kwargs: As for `PreTrainedTokenizer`.

    Raises:
        TokenizerError: `vocab_file` is no SentencePiece model, or one whose ids are not known; a special token is none
            of its pieces; `word_split` is unknown.

    Example:
        >>> tokenizer = KoBERTTokenizer.from_pretrained("default")
        >>> tokenizer("안녕하세요")["input_ids"][0] == tokenizer.cls_token_id
        True
    """

    vocab_files_names = {"vocab_file": VOCAB_FILE}  # noqa: RUF012 - transformers declares it so
    model_input_names = ["input_ids", "token_type_ids", "attention_mask"]  # noqa: RUF012
    padding_side = "right"

    def __init__(self, vocab_file: str | os.PathLike[str], word_split: WordSplit = "sentencepiece", **kwargs: Any):
        if word_split not in get_args(WordSplit):
            raise TokenizerError(
                f"word_split은 {get_args(WordSplit)} 가운데 하나여야 합니다: {word_split!r}",
                f"word_split must be one of {get_args(WordSplit)}, found {word_split!r}.",
            )
        self.word_split = word_split
        for name, value in _FIXED.items():
            if (found := kwargs.pop(name, value)) != value:
                raise TokenizerError(
                    f"KoBERT의 토크나이저는 {name}={value}입니다. {found!r}(으)로는 쓸 수 없습니다.",
                    f"Expected {name} to be {value}, as KoBERT's weights were trained, found {found!r}.",
                )
        for name in ("unk", "pad", "cls", "sep", "mask"):
            kwargs.setdefault(f"{name}_token", f"[{name.upper()}]")
        # Whatever an older tokenizer_config.json says, this is how KoBERT's inputs are built.
        kwargs.update(special_tokens_pattern="cls_sep", token_type_ids_pattern="bert_style")  # noqa: S106
        kwargs.setdefault("model_max_length", kwargs.pop("max_len", _LONGEST))
        path = os.fspath(vocab_file)
        pieces = load_pieces(path, **kwargs.setdefault("sp_model_kwargs", {}))
        self._pieces = PIECE_ENCODERS[word_split](pieces)
        super().__init__(path, pieces, word_split=word_split, **kwargs)
        check_special_tokens(pieces, dict.fromkeys(self.special_tokens_map.values()), path)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], *args: Any, **kwargs: Any) -> Self:
        """Loads a tokenizer.

        Args:
            pretrained_model_name_or_path: "default", a Hub id, a folder with `spiece.model` or
                `tokenizer_78b3253a26.model` (with or without `tokenizer_config.json` and `vocab.txt`), or the path of
                such a file.
            *args: As for `PreTrainedTokenizer.from_pretrained`.
            **kwargs: As for `PreTrainedTokenizer.from_pretrained`; `word_split` overrides what was saved, and
                `model_max_length` is never more than the model beside the tokenizer has positions for.

        Raises:
            TokenizerError: There is no SentencePiece model, or one whose ids are not known.
        """
        source = resolve_default(pretrained_model_name_or_path)
        if os.path.isfile(source):
            return cls(source, *args, **kwargs)
        options = place_options(kwargs)
        vocab_file = kwargs.pop("vocab_file", None) or find_sentencepiece(source, options)
        if os.path.isdir(source) and vocab_file is None:
            raise TokenizerError(
                f"{source} 폴더에 {VOCAB_FILE} 파일이 없습니다. 있는 파일: {sorted(os.listdir(source))}",
                f"The folder {source} has no {VOCAB_FILE}. Found: {sorted(os.listdir(source))}. Copy KoBERT's "
                f"{VOCAB_FILE} (Hub: skt/kobert-base-v1) into it.",
            )
        find_file(source, PIECE_LIST, options)  # from the Hub: so that it lies beside the model
        try:
            tokenizer: Self = super().from_pretrained(source, *args, vocab_file=vocab_file, **kwargs)
        except TokenizerError:
            raise
        except (OSError, TypeError, ValueError) as error:
            raise hub_error(error, source) or TokenizerError(
                f"토크나이저를 불러올 수 없습니다: {source} — {VOCAB_FILE}이 있는 폴더나 Hub 이름이 필요합니다.",
                f"Cannot load a tokenizer from {source}: expected a Hub id or a folder with {VOCAB_FILE}. "
                f"Cause: {error}",
            ) from error
        cap_length(tokenizer, source, options)
        return tokenizer

    @property
    def vocab_sha256(self) -> str:
        """SHA-256 of the SentencePiece model, which tells whether weights and tokenizer belong together.

        Where tokens were added to the vocabulary it covers these too.
        """
        digest = hashlib.sha256(self.sp_model.serialized_model_proto())
        for index, token in sorted(self.added_tokens_decoder.items()):
            if index >= self.vocab_size:
                digest.update(f"{index}\t{token.content}\n".encode())
        return digest.hexdigest()

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:  # type: ignore[override]
        """Writes `spiece.model`, whatever the order and the name of the file it was read from."""
        path = Path(save_directory, f"{filename_prefix}-{VOCAB_FILE}" if filename_prefix else VOCAB_FILE)
        path.write_bytes(self.sp_model.serialized_model_proto())
        return (str(path),)

    def encode_texts(self, texts: Sequence[str]) -> list[list[int]]:
        """Encodes texts without adding special tokens, all in one call of the C++ encoder.

        Args:
            texts: Any strings; special tokens written out in them become their ids where the original
                tokenizer does the same ("sentencepiece").

        Returns:
            A list of ids for each text.
        """
        rows = self._pieces.ids(texts)
        if self.word_split == "gluonnlp":  # gluonnlp knows no special tokens inside text
            return rows
        # Searched in all texts at once; a special token that two of them form together costs time, no more.
        if self.special_in_text.search("\n".join(texts)) is not None:
            for index, text in enumerate(texts):
                if self.special_in_text.search(text):
                    rows[index] = list(map(self.convert_tokens_to_ids, self.tokenize(text)))  # type: ignore[arg-type]
        return rows

    def tokens_were_added(self) -> None:
        """Notes them: texts with one of them are not left to the C++ encoder."""
        tokens = {*self.all_special_tokens, *self.added_tokens_encoder}
        self.special_in_text = re.compile("|".join(map(re.escape, sorted(tokens))))

    def tokenize(self, text: str, **kwargs: Any) -> list[str]:  # type: ignore[override]
        """Splits `text` into pieces; the text-by-text counterpart of `encode_texts`."""
        if self.word_split == "gluonnlp":
            kwargs["split_special_tokens"] = True  # gluonnlp knows no special tokens inside text
        tokens: list[str] = super().tokenize(text, **kwargs)
        return tokens

    def pieces_of(self, text: str) -> list[str]:
        """Returns the pieces of a text without added tokens in it."""
        return self._pieces.pieces(text)

    def parts_of(self, piece: str) -> list[str]:
        """Returns the pieces that one of SentencePiece's becomes: itself, or a number and its comma."""
        return self._pieces.parts_of(piece)

    def encode_call(
        self,
        text: Any,
        text_pair: Any,
        add_special_tokens: bool = True,
        padding_strategy: PaddingStrategy = PaddingStrategy.DO_NOT_PAD,
        truncation_strategy: TruncationStrategy = TruncationStrategy.DO_NOT_TRUNCATE,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: Any = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        **options: Any,
    ) -> BatchEncoding | None:
        """Encodes plain strings with usual options in one call of the C++ encoder; None leaves it to transformers."""
        batch = as_batch(text, text_pair)
        if batch is None or not add_special_tokens or not self._is_usual(truncation_strategy, options):
            return None
        texts, pairs = batch
        limit = None if truncation_strategy == TruncationStrategy.DO_NOT_TRUNCATE else max_length
        padded = padding_strategy != PaddingStrategy.DO_NOT_PAD and len(texts) > 0
        wanted = {
            "token_type_ids": self._wants("token_type_ids", return_token_type_ids),
            "attention_mask": self._wants("attention_mask", return_attention_mask) and not padded,
        }
        columns = self._encode_batch(texts, pairs, limit, wanted)
        if padded:
            columns = self.pad(
                columns,
                padding=padding_strategy.value,
                max_length=max_length,
                pad_to_multiple_of=pad_to_multiple_of,
                padding_side=padding_side,
                return_attention_mask=return_attention_mask,
            ).data
        if isinstance(text, str) and return_tensors is None:
            return BatchEncoding({name: column[0] for name, column in columns.items()})
        return BatchEncoding(columns, tensor_type=return_tensors)

    def _is_usual(self, truncation: TruncationStrategy, options: Mapping[str, Any]) -> bool:
        """Whether a call asks for nothing that only transformers' own path does."""
        return (
            self.truncation_side == "right"
            and truncation in (TruncationStrategy.LONGEST_FIRST, TruncationStrategy.DO_NOT_TRUNCATE)
            and not any(options.get(option) for option in _UNCOMMON_OPTIONS)
        )

    def _wants(self, name: str, asked: bool | None) -> bool:
        return name in self.model_input_names if asked is None else asked

    def encode_rows(
        self, texts: Sequence[str], pairs: Sequence[str] | None = None, max_length: int | None = None
    ) -> dict[str, list[list[int]]]:
        """Encodes texts as a call of the tokenizer does, special tokens included, without an attention mask.

        A call goes through all of transformers' options first, which takes longer than encoding a short text.

        Args:
            texts: Any strings.
            pairs: Second sentences, as many as `texts`.
            max_length: Tokens to cut a text to; from a pair's longer sentence first.

        Returns:
            `input_ids`, and `token_type_ids` where they are among `model_input_names`: a list for each text.
        """
        if self.truncation_side != "right" or self.split_special_tokens:
            cut = {"truncation": max_length is not None, "max_length": max_length}
            return dict(self(list(texts), pairs and list(pairs), return_attention_mask=False, **cut))
        wanted = {"token_type_ids": self._wants("token_type_ids", None), "attention_mask": False}
        return self._encode_batch(texts, pairs, max_length, wanted)

    def _encode_batch(
        self, texts: Sequence[str], pairs: Sequence[str] | None, limit: int | None, wanted: Mapping[str, bool]
    ) -> dict[str, list[list[int]]]:
        """Encodes a batch, cuts it to `limit` tokens, adds the special tokens and builds the `wanted` columns."""
        builder = SequenceBuilder(self.cls_token_id, self.sep_token_id, limit)
        with collector_paused():
            if pairs is None:
                rows, types = builder.single(self.encode_texts(texts))
            else:
                rows, types = builder.pairs(self.encode_texts(texts), self.encode_texts(pairs))
            columns = {"input_ids": rows}
            if wanted["token_type_ids"]:
                columns["token_type_ids"] = types
            if wanted["attention_mask"]:
                columns["attention_mask"] = [[1] * len(row) for row in rows]
        return columns

    def write_beside(self, folder: Path) -> tuple[str, ...]:
        """Adds a `tokenizer.json`, and names in the configuration the class plain transformers reads it with."""
        config_file = folder / "tokenizer_config.json"
        config = json.loads(config_file.read_text(encoding="utf-8"))
        config["tokenizer_class"] = "PreTrainedTokenizerFast"
        config["model_input_names"] = list(self.model_input_names)  # that class leaves the token types out
        for name in ("backend", "is_local", "local_files_only"):  # how it was loaded here is nobody else's business
            config.pop(name, None)
        config_file.write_text(json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
        json_file = folder / "tokenizer.json"
        added = [token for index, token in sorted(self.added_tokens_decoder.items()) if index >= self.vocab_size]
        json_file.write_text(tokenizer_json(self.sp_model, self.word_split, added), "utf-8", newline="\n")
        return (os.fspath(json_file),)
