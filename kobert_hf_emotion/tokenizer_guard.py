"""Refuses tokenizers that do not fit the model or the data, instead of training on garbage in silence.

A tokenizer of the wrong class on KoBERT's files raises no error: it turns every row into a handful of
`[UNK]`, or gives ids beyond the embedding, and the model then learns next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .configuration import longest_input
from .errors import TokenizerError
from .tokenizer_loading import vocabulary_sha256

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase

SAMPLE_SIZE = 2000
MAX_UNKNOWN_SHARE = 0.2
"""KoBERT's own tokenizer leaves about 0.01 of the tokens of reviews and comments unknown."""
MIN_DISTINCT_SHARE = 0.5
MIN_TEXTS = 20
"""Fewer texts say little: a chat of ㅠㅠ and emoji can be all unknown to KoBERT."""


@dataclass(frozen=True)
class TokenizationReport:
    """What a tokenizer makes of a sample of texts."""

    texts: int
    """Texts in the sample."""
    unknown_share: float
    """Unknown tokens among all tokens but the special ones, 0 to 1."""
    distinct_share: float
    """Distinct rows of ids among distinct texts, 0 to 1."""
    largest_id: int
    """The largest token id."""
    truncated_share: float
    """Texts longer than the maximum length, 0 to 1."""


def check_vocabulary(tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig) -> None:
    """Checks that a tokenizer is the one a model's weights were trained with.

    Args:
        tokenizer: The tokenizer in use.
        config: The model's configuration; one without `tokenizer_sha256` passes the check of the vocabulary.

    Raises:
        TokenizerError: The vocabularies, their sizes or the padding ids differ.
    """
    expected = getattr(config, "tokenizer_sha256", None)
    if expected is not None and expected != (found := vocabulary_sha256(tokenizer)):
        raise TokenizerError(
            "토크나이저의 어휘가 이 체크포인트를 학습할 때 쓴 어휘와 다릅니다. 같은 폴더에 저장된 토크나이저를 쓰세요. "
            f"(기대한 어휘 sha256 {expected[:12]}…, 실제 {found[:12]}…)",
            "The tokenizer's vocabulary is not the one these weights were trained with. Use the tokenizer saved beside "
            f"the model. Expected vocabulary sha256 {expected[:12]}…, found {found[:12]}….",
        )
    if len(tokenizer) > config.vocab_size:
        raise TokenizerError(
            f"토크나이저의 어휘({len(tokenizer)}개)가 모델의 임베딩({config.vocab_size}개)보다 큽니다.",
            f"The tokenizer has {len(tokenizer)} entries, the model's embedding only {config.vocab_size}: they do not "
            "belong together.",
        )
    if config.pad_token_id is not None and tokenizer.pad_token_id != config.pad_token_id:
        raise TokenizerError(
            f"패딩 번호가 다릅니다: 모델 {config.pad_token_id}, 토크나이저 {tokenizer.pad_token_id}",
            f"The model pads with id {config.pad_token_id}, the tokenizer with {tokenizer.pad_token_id}.",
        )


def check_tokenization(
    tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig, texts: Sequence[str], max_length: int
) -> TokenizationReport:
    """Tokenizes a sample of texts and refuses results no training should start from.

    Args:
        tokenizer: The tokenizer in use.
        config: The model's configuration.
        texts: All texts; at most `SAMPLE_SIZE` of them, evenly spaced, are looked at.
        max_length: Tokens a text is cut to.

    Returns:
        The figures of the sample.

    Raises:
        TokenizerError: `check_vocabulary` fails, `max_length` is more than the model has positions for, an id
            lies beyond the embedding or, in a sample of at least `MIN_TEXTS` texts, more than
            `MAX_UNKNOWN_SHARE` of the tokens are unknown or distinct texts share too few distinct rows.
    """
    check_vocabulary(tokenizer, config)
    if max_length > longest_input(config):
        raise TokenizerError(
            f"max_length {max_length}이 모델이 받을 수 있는 {longest_input(config)}토큰보다 깁니다.",
            f"max_length {max_length} is more than the {longest_input(config)} tokens the model has positions for.",
        )
    sample = [texts[index] for index in _sample(len(texts))]
    rows = tokenizer(sample, verbose=False)["input_ids"] if sample else []
    report = _describe(sample, _without_special(rows, tokenizer), tokenizer.unk_token_id)
    _refuse(report, config, rows)
    return replace(report, truncated_share=sum(len(row) > max_length for row in rows) / max(len(rows), 1))


def check_encoded(
    tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig, texts: Sequence[str], rows: Sequence[list[int]]
) -> None:
    """Does what `check_tokenization` does with texts that are tokenized already, special tokens included.

    Args:
        tokenizer: The tokenizer in use.
        config: The model's configuration.
        texts: All texts; a sample of them is looked at.
        rows: The ids of each text.

    Raises:
        TokenizerError: As for `check_tokenization`.
    """
    if len(texts) < MIN_TEXTS:  # judged by their ids alone
        _refuse_ids(_largest_id(rows), config, rows)
        return
    indices = _sample(len(texts))
    sample, chosen = [texts[index] for index in indices], [rows[index] for index in indices]
    _refuse(_describe(sample, _without_special(chosen, tokenizer), tokenizer.unk_token_id), config, chosen)


def _without_special(rows: Sequence[list[int]], tokenizer: PreTrainedTokenizerBase) -> list[list[int]]:
    """Returns the rows without special tokens but the unknown one."""
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    return [[token for token in row if token not in special] for row in rows]


def _sample(count: int) -> range:
    """Returns at most `SAMPLE_SIZE` indices below `count`, evenly spaced."""
    step = max(1, -(-count // SAMPLE_SIZE))
    return range(0, count, step)


def _describe(sample: Sequence[str], rows: Sequence[list[int]], unknown_id: int | None) -> TokenizationReport:
    tokens = sum(map(len, rows))
    distinct_texts = len(set(sample))
    unknown = 0 if unknown_id is None else sum(row.count(unknown_id) for row in rows)
    return TokenizationReport(
        texts=len(sample),
        unknown_share=unknown / tokens if tokens else 0.0,
        distinct_share=len(set(map(tuple, rows))) / distinct_texts if distinct_texts >= MIN_TEXTS else 1.0,
        largest_id=_largest_id(rows),
        truncated_share=0.0,
    )


def _largest_id(rows: Sequence[list[int]]) -> int:
    return max(map(max, filter(None, rows)), default=0)


def _refuse(report: TokenizationReport, config: PreTrainedConfig, rows: Sequence[list[int]]) -> None:
    """Raises `TokenizerError` where the figures are those of a wrong tokenizer."""
    _refuse_ids(report.largest_id, config, rows)
    example = _example(rows)
    if report.texts >= MIN_TEXTS and report.unknown_share > MAX_UNKNOWN_SHARE:
        raise TokenizerError(
            f"토큰의 {report.unknown_share:.0%}가 [UNK]입니다(한도 {MAX_UNKNOWN_SHARE:.0%}). 토크나이저가 잘못되었거나 "
            "한국어 문장이 아닙니다. 이대로 쓰면 정확도가 조용히 무너집니다.",
            f"{report.unknown_share:.0%} of the tokens are [UNK] (limit {MAX_UNKNOWN_SHARE:.0%}): the wrong tokenizer, "
            f"or text it was not made for. The first text gives {example}.",
        )
    if report.distinct_share < MIN_DISTINCT_SHARE:
        raise TokenizerError(
            f"서로 다른 문장 가운데 {report.distinct_share:.0%}만 서로 다른 토큰열이 됩니다. "
            "토크나이저가 문장을 구별하지 못합니다.",
            f"Only {report.distinct_share:.0%} of the distinct texts give distinct token rows: the tokenizer cannot "
            f"tell them apart. The first text gives {example}.",
        )


def _refuse_ids(largest: int, config: PreTrainedConfig, rows: Sequence[list[int]]) -> None:
    """Raises `TokenizerError` where the largest id lies beyond the embedding."""
    if largest >= config.vocab_size:
        raise TokenizerError(
            f"토큰 번호 {largest}가 임베딩 크기 {config.vocab_size}를 벗어납니다. 모델에 맞는 토크나이저가 아닙니다.",
            f"Token id {largest} lies beyond the embedding of {config.vocab_size}: this is not the model's "
            f"tokenizer. The first text gives {_example(rows)}.",
        )


def _example(rows: Sequence[list[int]]) -> list[int]:
    return rows[0][:12] if rows else []
