"""Refuses tokenizers that do not fit the model, instead of training or predicting on garbage in silence.

A tokenizer of the wrong class on KoBERT's files raises no error: it turns every row into a handful of
`[UNK]`, or gives ids beyond the embedding, and the model then learns next to nothing.

What is judged is the tokenizer, on the same few Korean sentences everywhere, whenever the texts at hand look badly
read. Where it reads those well, the texts are to blame: nothing should be trained on them, but a prediction goes on
and says how many it could not read.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..configuration import longest_input
from ..errors import TokenizerError
from ..wording import Wording
from .vocabulary import vocabulary_sha256

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

SAMPLE_SIZE = 2000
MAX_UNKNOWN_SHARE = 0.2
"""KoBERT's own tokenizer leaves about 0.01 of the tokens of reviews and comments unknown."""
MIN_DISTINCT_SHARE = 0.5
MIN_TEXTS = 20
"""Fewer texts say little: a chat of ㅠㅠ and emoji can be all unknown to KoBERT."""
PROBES = (
    "오늘은 아침부터 기분이 좋았다",
    "친구가 약속을 잊어버려서 화가 났어요",
    "어두운 골목을 혼자 걷는 것이 무서웠다",
    "갑자기 큰 소리가 나서 깜짝 놀랐습니다",
    "시험에 떨어져서 하루 종일 울었다",
    "점심에는 김치찌개를 먹고 커피를 마셨다",
    "음식에서 이상한 냄새가 나서 먹을 수 없었다",
    "내일은 비가 온다고 하니 우산을 챙기자",
)
"""Plain Korean that any tokenizer of a Korean model reads."""


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


@dataclass
class UnknownTexts:
    """Counts, over any number of calls, the texts that a prediction could not read."""

    texts: int = 0
    """Texts predicted."""
    unknown: int = 0
    """Those that have no token, or of whose tokens half or more are unknown: their prediction says nothing."""

    cut: int = 0
    """Those longer than the model reads, the end of which was left out."""

    def cut_message(self) -> Wording | None:
        """Returns what to say of texts that were cut, None where none was."""
        if not self.cut:
            return None
        return Wording(
            f"글 {self.texts:,}개 중 {self.cut:,}개는 모델이 읽는 길이보다 길어 끝을 잘랐습니다. `long` window로 모두 "
            "읽습니다.",
            f"{self.cut:,} of {self.texts:,} text(s) are longer than the model reads and were cut; `long` window reads "
            "all of them.",
        )

    def message(self) -> Wording | None:
        """Returns what to say of them, None where all could be read."""
        if not self.unknown:
            return None
        return Wording(
            f"문장 {self.texts:,}개 중 {self.unknown:,}개는 토큰이 없거나 절반 이상이 [UNK]라 예측을 믿을 수 없습니다.",
            f"{self.unknown:,} of {self.texts:,} texts have no token, or half or more are [UNK]: their predictions "
            "say nothing.",
        )


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
        TokenizerError: `check_vocabulary` or `check_encoded` fails, or `max_length` is more than the model has
            positions for.
    """
    check_vocabulary(tokenizer, config)
    if max_length > longest_input(config):
        raise TokenizerError(
            f"`max_length` {max_length}이 모델이 받을 수 있는 {longest_input(config)}토큰보다 깁니다.",
            f"`max_length` {max_length} is more than the {longest_input(config)} tokens the model has positions for.",
            mend={"max_length": longest_input(config)},
        )
    sample = [texts[index] for index in _sample(len(texts))]
    rows = tokenizer(sample, verbose=False)["input_ids"] if sample else []
    check_encoded(tokenizer, config, sample, rows)
    report = _describe(sample, rows, tokenizer)
    return replace(report, truncated_share=sum(len(row) > max_length for row in rows) / max(len(rows), 1))


def check_encoded(
    tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig, texts: Sequence[str], rows: Sequence[list[int]]
) -> None:
    """Does what `check_tokenization` does with texts that are tokenized already, special tokens included.

    Args:
        tokenizer: The tokenizer in use.
        config: The model's configuration.
        texts: All texts; a sample of them is looked at.
        rows: The ids of each text, not cut to a length.

    Raises:
        TokenizerError: An id lies beyond the embedding; or more than `MAX_UNKNOWN_SHARE` of the tokens of the sample
            are unknown, or distinct texts share too few distinct rows, and either the sample has at least `MIN_TEXTS`
            texts or the tokenizer does as badly on plain Korean.
    """
    _refuse_ids(config, rows)
    indices = _sample(len(texts))
    sample, chosen = [texts[index] for index in indices], [rows[index] for index in indices]
    report = _describe(sample, chosen, tokenizer)
    if not _looks_wrong(report):
        return
    _refuse_tokenizer(tokenizer)
    if report.texts < MIN_TEXTS:
        return
    if report.unknown_share > MAX_UNKNOWN_SHARE:
        raise TokenizerError(
            f"토큰의 {report.unknown_share:.0%}가 [UNK]입니다(한도 {MAX_UNKNOWN_SHARE:.0%}). 토크나이저는 한국어를 "
            "읽으니 문장이 한국어가 아니거나 깨져 있습니다. 이대로 쓰면 정확도가 조용히 무너집니다. 글 열과 인코딩을 "
            "확인하세요.",
            f"{report.unknown_share:.0%} of the tokens are [UNK] (limit {MAX_UNKNOWN_SHARE:.0%}). The tokenizer reads "
            "Korean well, so these texts are of another language, or garbled: check the column of the text and the "
            f"encoding. The first text gives {_example(chosen)}.",
        )
    raise TokenizerError(
        f"서로 다른 문장 가운데 {report.distinct_share:.0%}만 서로 다른 토큰열이 됩니다. "
        "토크나이저가 이 문장들을 구별하지 못합니다.",
        f"Only {report.distinct_share:.0%} of the distinct texts give distinct token rows: the tokenizer cannot "
        f"tell them apart. The first text gives {_example(chosen)}.",
    )


def check_predicted(
    tokenizer: PreTrainedTokenizerBase,
    config: PreTrainedConfig,
    texts: Sequence[str],
    rows: Sequence[list[int]],
    found: UnknownTexts | None = None,
    limit: int | None = None,
) -> None:
    """Refuses another model's tokenizer before the first answer, and counts the texts that cannot be read.

    Args:
        tokenizer: The tokenizer in use.
        config: The model's configuration.
        texts: The texts to predict.
        rows: Their ids, special tokens included; they may be cut to a length.
        found: What the texts are counted in. Where it has counted some already, as in the later parts of a file, the
            tokenizer has been judged. None logs the count.
        limit: The tokens that rows were cut to; the texts that are longer are counted.

    Raises:
        TokenizerError: An id lies beyond the embedding, or the texts look badly read and the tokenizer does as badly
            on plain Korean; at any number of texts.
    """
    _refuse_ids(config, rows)
    counted = UnknownTexts() if found is None else found
    if not counted.texts:
        _judge_tokenizer(tokenizer, texts, rows)
    special = _special_ids(tokenizer)
    counted.texts += len(rows)
    counted.unknown += sum(_is_unknown(row, special, tokenizer.unk_token_id) for row in rows)
    counted.cut += 0 if limit is None else _count_cut(tokenizer, texts, rows, limit)
    if found is None and (message := counted.message()) is not None:
        logger.warning(message)


def _judge_tokenizer(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], rows: Sequence[list[int]]) -> None:
    """Raises `TokenizerError` where texts look badly read and the tokenizer does as badly on plain Korean."""
    indices = _sample(len(texts))
    sample = [texts[index] for index in indices]
    if _looks_wrong(_describe(sample, [rows[index] for index in indices], tokenizer)):
        _refuse_tokenizer(tokenizer)


def _count_cut(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], rows: Sequence[list[int]], limit: int) -> int:
    """Returns how many texts are longer than the limit that their rows were cut to."""
    full = [text for text, row in zip(texts, rows, strict=True) if len(row) >= limit]
    whole = tokenizer(full, verbose=False)["input_ids"] if full else []
    return sum(len(row) > limit for row in whole)


def _is_unknown(row: list[int], special: set[int], unknown_id: int | None) -> bool:
    unknown = 0 if unknown_id is None else row.count(unknown_id)
    if not unknown and len(row) > len(special):  # most texts are done here
        return False
    content = sum(token not in special for token in row)
    return 2 * unknown >= content


def _special_ids(tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """Returns the ids of the special tokens but the unknown one."""
    return set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}


def _sample(count: int) -> range:
    """Returns at most `SAMPLE_SIZE` indices below `count`, evenly spaced."""
    step = max(1, -(-count // SAMPLE_SIZE))
    return range(0, count, step)


def _describe(
    sample: Sequence[str], rows: Sequence[list[int]], tokenizer: PreTrainedTokenizerBase
) -> TokenizationReport:
    special, unknown_id = _special_ids(tokenizer), tokenizer.unk_token_id
    tokens = sum(token not in special for row in rows for token in row)
    distinct_texts = len(set(sample))
    unknown = 0 if unknown_id is None else sum(row.count(unknown_id) for row in rows)
    return TokenizationReport(
        texts=len(sample),
        unknown_share=unknown / tokens if tokens else 0.0,
        distinct_share=len(set(map(tuple, rows))) / distinct_texts if distinct_texts >= MIN_TEXTS else 1.0,
        largest_id=_largest_id(rows),
        truncated_share=0.0,
    )


def _looks_wrong(report: TokenizationReport) -> bool:
    return report.unknown_share > MAX_UNKNOWN_SHARE or report.distinct_share < MIN_DISTINCT_SHARE


def _refuse_tokenizer(tokenizer: PreTrainedTokenizerBase) -> None:
    """Raises `TokenizerError` where the tokenizer does not read plain Korean."""
    rows = tokenizer(list(PROBES), verbose=False)["input_ids"]
    special = _special_ids(tokenizer)
    kept = [[token for token in row if token not in special] for row in rows]
    tokens, unknown = sum(map(len, kept)), sum(row.count(tokenizer.unk_token_id) for row in kept)
    distinct = len(set(map(tuple, kept)))
    if unknown <= MAX_UNKNOWN_SHARE * tokens and distinct == len(PROBES):
        return
    raise TokenizerError(
        f"토크나이저가 한국어를 읽지 못합니다: 쉬운 한국어 문장 {len(PROBES)}개의 토큰 {tokens}개 중 {unknown}개가 "
        f"[UNK]이고 서로 다른 토큰열은 {distinct}개입니다. 이 모델의 토크나이저가 아니거나 파일이 빠졌으니 모델과 같은 "
        "폴더에 저장된 토크나이저를 쓰세요.",
        f"The tokenizer does not read Korean: of {tokens} tokens of {len(PROBES)} plain sentences {unknown} are [UNK], "
        f"and {distinct} of their token rows are distinct. It is not this model's, or a file of it is missing: use the "
        f"tokenizer saved beside the model. {PROBES[0]!r} gives {_example(rows)}.",
    )


def _refuse_ids(config: PreTrainedConfig, rows: Sequence[list[int]]) -> None:
    """Raises `TokenizerError` where the largest id lies beyond the embedding."""
    largest = _largest_id(rows)
    if largest >= config.vocab_size:
        raise TokenizerError(
            f"토큰 번호 {largest}가 임베딩 크기 {config.vocab_size}를 벗어납니다. 모델에 맞는 토크나이저가 아닙니다.",
            f"Token id {largest} lies beyond the embedding of {config.vocab_size}: this is not the model's "
            f"tokenizer. The first text gives {_example(rows)}.",
        )


def _largest_id(rows: Sequence[list[int]]) -> int:
    return max(map(max, filter(None, rows)), default=0)


def _example(rows: Sequence[list[int]]) -> list[int]:
    return rows[0][:12]
