"""What the model's tokenizer makes of the texts, and whether it is the model's."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..configuration import longest_input
from ..errors import TokenizerError
from ..tokenization.guard import check_encoded, check_vocabulary
from ..utils.garbage_collection import collector_paused
from ..utils.progress import TEXTS, progress
from ..wording import Wording
from .report import Finding, Split, counted
from .rows import AuditedRows, codes
from .thresholds import NOTICE_TRUNCATED, NOTICE_UNKNOWN, PROBLEM_MIN_TEXTS, PROBLEM_UNKNOWN

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase

_EXAMPLES = 3
_PART = 20_000
"""Texts that are tokenized at once."""


def check_tokens(
    rows: AuditedRows,
    tokenizer: PreTrainedTokenizerBase,
    config: PreTrainedConfig,
    max_length: int,
    split: Split,
) -> list[Finding]:
    """Tokenizes all texts and looks at lengths and unknown tokens; of the training rows also at the tokenizer."""
    # Equal texts have equal tokens; the word-for-word copies of a file are tokenized once.
    of_row, first = codes(rows.whole)
    texts = [rows.texts[index] for index in first]
    second = rows.cut_pairs
    pairs = None if second is None else [second[index] for index in first]
    ids = _ids(tokenizer, texts, pairs)
    lengths = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids))
    findings = [
        _unknown(rows, of_row, lengths, _count_unknown(tokenizer, ids, lengths), tokenizer, split),
        _truncated(rows, lengths[of_row], max_length, longest_input(config), split),
    ]
    if split == "train":
        findings.insert(0, _match(tokenizer, config, texts, ids))
    return findings


def _ids(tokenizer: PreTrainedTokenizerBase, texts: list[str], pairs: list[str] | None) -> list[list[int]]:
    """Returns the token ids of each text, or pair of texts."""
    ids: list[list[int]] = []
    parts = [slice(start, start + _PART) for start in range(0, len(texts), _PART)]
    with collector_paused(), progress(Wording("토큰으로 나누기", "tokenizing"), len(texts), TEXTS) as advance:
        for part in parts:
            second = None if pairs is None else pairs[part]
            encoded = tokenizer(
                texts[part], second, verbose=False, return_token_type_ids=False, return_attention_mask=False
            )
            ids += encoded["input_ids"]
            advance(len(encoded["input_ids"]))
    return ids


def _match(
    tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig, texts: list[str], ids: list[list[int]]
) -> Finding:
    try:
        check_vocabulary(tokenizer, config)
        check_encoded(tokenizer, config, texts, ids)
    except TokenizerError as error:
        count, found = 1, Wording(error.korean, error.english)
    else:
        entries = f"{len(tokenizer):,}"
        count = 0
        found = Wording(
            f"토크나이저({entries}개 어휘)가 모델과 맞습니다", f"the tokenizer ({entries} entries) is the model's"
        )
    return counted(
        "tokenizer_mismatch",
        count,
        found,
        Wording(
            "체크포인트와 같은 폴더에 저장된 토크나이저를 쓰세요.", "Use the tokenizer saved beside the checkpoint."
        ),
        is_problem=True,
    )


def _count_unknown(
    tokenizer: PreTrainedTokenizerBase, ids: list[list[int]], lengths: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Returns the unknown tokens of each text; shape (texts,)."""
    if tokenizer.unk_token_id is None:
        return np.zeros(len(ids), dtype=np.int64)
    flat = np.fromiter(chain.from_iterable(ids), dtype=np.int64, count=int(lengths.sum()))
    text = np.repeat(np.arange(len(ids)), lengths)
    return np.bincount(text[flat == tokenizer.unk_token_id], minlength=len(ids))


def _unknown(
    rows: AuditedRows,
    of_row: NDArray[np.int64],
    lengths: NDArray[np.int64],
    unknown: NDArray[np.int64],
    tokenizer: PreTrainedTokenizerBase,
    split: Split,
) -> Finding:
    special = tokenizer.num_special_tokens_to_add(pair=rows.cut_pairs is not None)
    tokens = int((lengths - special)[of_row].sum())
    count = int(unknown[of_row].sum())
    share = count / max(tokens, 1)
    affected = np.flatnonzero(unknown[of_row] > 0)
    is_problem = share > PROBLEM_UNKNOWN and len(rows) >= PROBLEM_MIN_TEXTS
    return Finding(
        check="unk_share",
        status="problem" if is_problem else "notice" if share > NOTICE_UNKNOWN else "ok",
        value=share,
        found=Wording(
            f"토큰의 {share:.2%}가 [UNK]입니다({len(affected):,}행에 {count:,}개; 한도 {PROBLEM_UNKNOWN:.0%})",
            f"{share:.2%} of the tokens are [UNK] ({count:,} in {len(affected):,} rows; limit {PROBLEM_UNKNOWN:.0%})",
        ),
        advice=Wording(
            "모델이 읽지 못하는 글자입니다. 토크나이저와 인코딩이 맞는지, 이모지나 한자가 많은지 보세요.",
            "The model cannot read these characters: check tokenizer and encoding, and look for emoji or hanja.",
        )
        if share > NOTICE_UNKNOWN
        else None,
        examples=tuple(rows.example(int(index)) for index in affected[:_EXAMPLES]) if share > NOTICE_UNKNOWN else (),
        details={"tokens": tokens, "unknown": count, "rows": len(affected), "limit": PROBLEM_UNKNOWN},
        split=split,
    )


def _truncated(
    rows: AuditedRows, lengths: NDArray[np.int64], max_length: int, model_limit: int, split: Split
) -> Finding:
    long = np.flatnonzero(lengths > max_length)
    share = len(long) / max(len(rows), 1)
    half, most, nearly_all = (int(np.percentile(lengths, p, method="higher")) for p in (50, 95, 99))
    longest = int(lengths.max())
    return Finding(
        check="truncated_share",
        status="notice" if share > NOTICE_TRUNCATED else "ok",
        value=share,
        found=Wording(
            f"{len(long):,}행({share:.2%})이 {max_length}토큰에서 잘립니다. 토큰 수: 중앙값 {half}, 95% {most}, "
            f"99% {nearly_all}, 최대 {longest}",
            f"{len(long):,} row(s) ({share:.2%}) are cut at {max_length} tokens. Tokens: median {half}, 95% {most}, "
            f"99% {nearly_all}, longest {longest}",
        ),
        advice=_longer(nearly_all, model_limit) if share > NOTICE_TRUNCATED else None,
        examples=tuple(rows.example(int(index)) for index in long[:1]),
        details={
            "rows": len(long),
            "max_length": max_length,
            "median_tokens": half,
            "p95_tokens": most,
            "p99_tokens": nearly_all,
            "longest_tokens": longest,
        },
        split=split,
    )


def _longer(wanted: int, model_limit: int) -> Wording:
    if wanted > model_limit:
        return Wording(
            f"이 모델은 {model_limit}토큰까지만 받습니다. 긴 글은 중요한 부분이 앞에 오게 나누세요.",
            f"This model takes {model_limit} tokens at most: split long texts so that what matters comes first.",
        )
    return Wording(
        f"--max-length {wanted}이면 99%가 온전히 들어갑니다. 길수록 느리고 메모리를 더 씁니다.",
        f"--max-length {wanted} keeps 99% whole; longer is slower and takes more memory.",
    )
