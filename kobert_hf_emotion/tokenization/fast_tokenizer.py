"""The same vocabulary for the `tokenizers` engine, so that plain `AutoTokenizer` can load it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

SPECIAL_TOKENS = ("[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]")
# A score no segmentation ever picks: control pieces, which SentencePiece never produces from text.
_NEVER = -1e6


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
    marks = normalizers.Replace(Regex(r"\p{Mn}"), "")
    composed = [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    metaspace = pre_tokenizers.Metaspace(prepend_scheme="always")
    if word_split == "sentencepiece":
        quotes = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"')]
        tokenizer.normalizer = normalizers.Sequence([*quotes, normalizers.NFKD(), marks, *composed])
        tokenizer.pre_tokenizer = metaspace
    else:
        spaced = normalizers.BertNormalizer(clean_text=True, strip_accents=False, lowercase=False)
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
