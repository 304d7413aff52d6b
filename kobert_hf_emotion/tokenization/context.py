"""A line and the turns before it as one row: the line is the first text, and is never cut for the turns.

Where both do not fit, words of the turns are left out, the oldest first, until they do; a line that leaves no room for
a word stands alone, as one does that has no turns before it. What is left is encoded as transformers encodes texts and
pairs: `tokenizer(line, turns)`, and `tokenizer(line)` without turns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..wording import Wording
from .sequences import rows_encoder

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Rows = dict[str, list[list[int]]]


@dataclass(frozen=True)
class ContextCut:
    """What of the turns before lines did not fit.

    Attributes:
        lines: Lines with turns before them.
        cut: Those whose turns were cut.
        alone: Those of them of whose turns nothing is left.
        words: Words left out.
    """

    lines: int
    cut: int
    alone: int
    words: int

    def message(self, limit: int) -> Wording:
        """Returns what to say of it, where rows have at most `limit` tokens."""
        return Wording(
            f"앞말이 있는 줄 {self.lines:,}개 중 {self.cut:,}개는 {limit}토큰에 다 들어가지 않아 오래된 말부터 낱말 "
            f"{self.words:,}개를 뺐습니다(앞말이 하나도 남지 않은 줄 {self.alone:,}개).",
            f"of {self.lines:,} line(s) with turns before them {self.cut:,} do not fit into {limit} tokens: "
            f"{self.words:,} word(s) of the turns were left out, the oldest first ({self.alone:,} stand alone).",
        )


def fit_context(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], contexts: Sequence[str], limit: int
) -> tuple[list[str], ContextCut]:
    """Cuts the turns before lines to what fits beside the lines, the oldest words first.

    Args:
        tokenizer: The model's.
        texts: Lines.
        contexts: The turns before each, the oldest first; the empty string where there are none.
        limit: Tokens of a row, special ones included.

    Returns:
        The turns that are left of each, and what was cut.
    """
    fitted = list(contexts)
    with_turns = [row for row, context in enumerate(contexts) if context]
    lengths = _lengths(tokenizer, [(texts[row], contexts[row]) for row in with_turns])
    too_long = [row for row, length in zip(with_turns, lengths, strict=True) if length > limit]
    words = {row: contexts[row].split() for row in too_long}
    left_out = _fewest_to_leave_out(tokenizer, texts, words, limit)
    for row, found in words.items():
        fitted[row] = " ".join(found[left_out[row] :])
    return fitted, ContextCut(
        lines=len(with_turns),
        cut=len(words),
        alone=sum(not fitted[row] for row in words),
        words=sum(left_out.values()),
    )


def _fewest_to_leave_out(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], words: Mapping[int, Sequence[str]], limit: int
) -> dict[int, int]:
    """Returns how many of the first words of the turns before lines are left out: the fewest that make both fit."""
    least, most = dict.fromkeys(words, 1), {row: len(found) for row, found in words.items()}
    while searched := [row for row in words if least[row] < most[row]]:  # in halves, all rows at once
        middle = {row: (least[row] + most[row]) // 2 for row in searched}
        pairs = [(texts[row], " ".join(words[row][middle[row] :])) for row in searched]
        for row, length in zip(searched, _lengths(tokenizer, pairs), strict=True):
            if length <= limit:
                most[row] = middle[row]
            else:
                least[row] = middle[row] + 1
    return most


def encode_in_context(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], contexts: Sequence[str], limit: int
) -> Rows:
    """Encodes lines with the turns before them, cut to `limit` tokens, without an attention mask.

    Args:
        tokenizer: The model's.
        texts: Lines.
        contexts: As for `fit_context`.
        limit: Tokens of a row, special ones included.

    Returns:
        The columns of the tokenizer's call, a list for each line.
    """
    fitted, _ = fit_context(tokenizer, texts, contexts, limit)
    rows = [*_encode_some(tokenizer, texts, fitted, limit, alone=True)]
    rows += _encode_some(tokenizer, texts, fitted, limit, alone=False)
    rows.sort(key=lambda numbered: numbered[0])
    names = rows[0][1] if rows else _encode(tokenizer, [], None, limit)
    return {name: [columns[name] for _, columns in rows] for name in names}


def _encode_some(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], contexts: Sequence[str], limit: int, alone: bool
) -> Iterator[tuple[int, dict[str, list[int]]]]:
    """Yields the lines that stand alone, or the others, each with its number and its columns."""
    rows = [row for row, context in enumerate(contexts) if alone == (not context)]
    if rows:
        pairs = None if alone else [contexts[row] for row in rows]
        encoded = _encode(tokenizer, [texts[row] for row in rows], pairs, limit)
        for place, row in enumerate(rows):
            yield row, {name: column[place] for name, column in encoded.items()}


def encode_texts(
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    pairs: Sequence[str] | None,
    limit: int,
    in_context: bool = False,
) -> Rows:
    """Encodes texts, or pairs of texts, cut to `limit` tokens, without an attention mask.

    Args:
        tokenizer: The model's.
        texts: The texts.
        pairs: As many second texts, if any.
        limit: Tokens of a row, special ones included.
        in_context: Whether the second texts are the turns before a line, which is then not cut for them.
    """
    if pairs is not None and in_context:
        return encode_in_context(tokenizer, texts, pairs, limit)
    return _encode(tokenizer, texts, pairs, limit)


def _encode(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], pairs: Sequence[str] | None, limit: int) -> Rows:
    if (encode := rows_encoder(tokenizer)) is not None:
        return encode(texts, pairs, limit)
    second = None if pairs is None else list(pairs)
    return dict(tokenizer(list(texts), second, truncation=True, max_length=limit, return_attention_mask=False))


def _lengths(tokenizer: PreTrainedTokenizerBase, pairs: Sequence[tuple[str, str]]) -> list[int]:
    """Returns the tokens of pairs that are not cut."""
    if not pairs:
        return []
    texts, seconds = map(list, zip(*pairs, strict=True))
    return list(map(len, tokenizer(texts, seconds, verbose=False)["input_ids"]))
