"""The same vocabulary for the `tokenizers` engine, so that plain `AutoTokenizer` can load it.

So can whatever else reads a `tokenizer.json`, such as text-embeddings-inference or transformers.js. The latter has no
`Nmt`, with which SentencePiece's normalization begins, so this is written out: what the model at hand removes, and what
it takes for a space (KoBERT's does otherwise than `Nmt`). Characters stand as themselves in regular expressions, for
Oniguruma and JavaScript have no escape in common for all of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal

from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram

from .sequences import SPECIAL_TOKENS

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

# A score no segmentation ever picks: control pieces, which SentencePiece never produces from text.
_NEVER = -1e6
# Beside control and format characters: what the model's normalization takes for a space or may.
_BLANKS = "\u2581\ufffd"
_LAST_SCRIPT = 0x20000  # ideographs follow


def tokenizer_json(
    sp_model: SentencePieceProcessor,
    word_split: Literal["sentencepiece", "gluonnlp"],
    added_tokens: Sequence[AddedToken] = (),
) -> str:
    """Returns the content of `tokenizer.json`; arguments are those of `build_tokenizer_json`.

    Without added tokens it is made once for a model and kept: every fold of a run writes it, which took longer than
    all else there is to write of a small model.
    """
    if added_tokens:
        return build_tokenizer_json(sp_model, word_split, added_tokens).to_str(pretty=True)
    return _of_model(sp_model.serialized_model_proto(), word_split)


@lru_cache(maxsize=4)
def _of_model(content: bytes, word_split: Literal["sentencepiece", "gluonnlp"]) -> str:
    from sentencepiece import SentencePieceProcessor

    return build_tokenizer_json(SentencePieceProcessor(model_proto=content), word_split).to_str(pretty=True)


def build_tokenizer_json(
    sp_model: SentencePieceProcessor,
    word_split: Literal["sentencepiece", "gluonnlp"],
    added_tokens: Sequence[AddedToken] = (),
) -> Tokenizer:
    """Builds a `tokenizers.Tokenizer` from a SentencePiece model in KoBERT's layout.

    The engine cannot reproduce SentencePiece exactly: it breaks ties between equal scores differently.

    Args:
        sp_model: A loaded `SentencePieceProcessor`.
        word_split: How words are split beforehand; see `KoBERTTokenizer`.
        added_tokens: Tokens that were added behind the vocabulary, in the order of their ids.
    """
    vocabulary = []
    for index in range(sp_model.get_piece_size()):
        piece, score = sp_model.id_to_piece(index), sp_model.get_score(index)
        vocabulary.append((piece, _NEVER if sp_model.is_control(index) or _ends_in_digit_comma(piece) else score))
    tokenizer = Tokenizer(Unigram(vocabulary, unk_id=sp_model.unk_id(), byte_fallback=False))
    classes = character_classes(sp_model)
    spaces = normalizers.Replace(Regex(f"{classes['spaces']}+"), " ")
    composed = [normalizers.NFKC(), spaces, normalizers.Strip()]
    if classes["removed"]:
        composed.insert(1, normalizers.Replace(Regex(classes["removed"]), ""))  # what it parts is not put together
    metaspace = pre_tokenizers.Metaspace(prepend_scheme="always")
    if word_split == "sentencepiece":
        quotes = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"')]
        marks = normalizers.Replace(Regex(classes["marks"]), "")
        tokenizer.normalizer = normalizers.Sequence([*quotes, normalizers.NFKD(), marks, *composed])
        tokenizer.pre_tokenizer = metaspace
    else:
        spaced = normalizers.BertNormalizer(clean_text=True, strip_accents=False, lowercase=False)
        marks = normalizers.Replace(Regex(r"\p{Mn}"), "")
        tokenizer.normalizer = normalizers.Sequence([spaced, normalizers.NFD(), marks, *composed])
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.BertPreTokenizer(), metaspace])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[(name, sp_model.piece_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in SPECIAL_TOKENS])
    for token in added_tokens:
        tokenizer.add_tokens([token])
    return tokenizer


def _ends_in_digit_comma(piece: str) -> bool:
    return len(piece) > 1 and piece[-1] == "," and piece[-2].isdigit()


def character_classes(sp_model: SentencePieceProcessor) -> dict[str, str]:
    """Returns regular expressions for one character: `removed`, `spaces` and `marks`; empty where there is none."""
    removed, spaces = _invisible_characters(sp_model)
    return {
        "removed": _character_class(removed),
        "spaces": _character_class(spaces),
        "marks": _combining_characters(),
    }


def scores_never_used(sp_model: SentencePieceProcessor) -> dict[str, float]:
    """Returns the pieces that end in a digit and a comma with the scores that `tokenizer.json` withholds.

    SentencePiece finds them in a text, and XLNet's tokenizer then splits them again.
    """
    pieces = ((sp_model.id_to_piece(index), index) for index in range(sp_model.get_piece_size()))
    return {piece: sp_model.get_score(index) for piece, index in pieces if _ends_in_digit_comma(piece)}


def _invisible_characters(sp_model: SentencePieceProcessor) -> tuple[list[int], list[int]]:
    """Returns the characters that a model takes out of a text, and those it takes for a space.

    What is white space to Python is collapsed before the model sees it.
    """
    removed, spaces = [], []
    for code in range(0x10000):
        character = chr(code)
        if character.isspace():
            spaces.append(code)
        elif unicodedata.category(character) in ("Cc", "Cf") or character in _BLANKS:
            normalized = sp_model.normalize(f"가{character}나")
            if normalized.endswith("가나"):
                removed.append(code)
            elif normalized.endswith(("가 나", "가▁나")):
                spaces.append(code)
    return removed, spaces


@cache
def _combining_characters() -> str:
    """Returns the class of the characters that XLNet's tokenizer takes for accents.

    The property `Mn` has others as well, such as the variation selector behind an emoji.
    """
    return _character_class(code for code in range(_LAST_SCRIPT) if unicodedata.combining(chr(code)))


def _character_class(codes: Iterable[int]) -> str:
    """Returns a regular expression for one of the characters, which are given in order; none for none."""
    ranges: list[tuple[int, int]] = []
    for code in codes:
        follows = bool(ranges) and ranges[-1][1] == code - 1
        ranges.append((ranges.pop()[0] if follows else code, code))
    return f"[{''.join(f'{chr(first)}-{chr(last)}' for first, last in ranges)}]" if ranges else ""
