"""A line and the turns before it as one row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_encoders import word_piece
from transformers import PreTrainedTokenizerBase

from kobert_hf_emotion.assets import resolve_default
from kobert_hf_emotion.tokenization.context import ContextCut, encode_in_context, encode_texts, fit_context
from kobert_hf_emotion.tokenization.tokenizer import VOCAB_FILE, KoBERTTokenizer

WORDS = st.sampled_from(
    ["네", "그래.", "오늘", "정말", "행복했어", "왜", "늦었어?", "아이스아메리카노", "ㅋㅋㅋ", "1,000원"]
)
LINES = st.lists(WORDS, min_size=1, max_size=14).map(" ".join)
TURNS = st.lists(WORDS, max_size=30).map(" ".join)
TOKENIZER = KoBERTTokenizer(f"{resolve_default('default')}/{VOCAB_FILE}")


@given(rows=st.lists(st.tuples(LINES, TURNS), min_size=1, max_size=5), limit=st.integers(4, 40))
def test_ids_are_those_of_the_tokenizers_call_and_a_line_is_never_cut_for_its_turns(
    rows: list[tuple[str, str]], limit: int
) -> None:
    lines, turns = [line for line, _ in rows], [before for _, before in rows]
    fitted, cut = fit_context(TOKENIZER, lines, turns, limit)
    encoded = encode_in_context(TOKENIZER, lines, turns, limit)
    for row, (line, before) in enumerate(rows):
        alone = TOKENIZER(line, truncation=True, max_length=limit)
        pair = TOKENIZER(line, fitted[row]) if fitted[row] else alone
        assert encoded["input_ids"][row] == pair["input_ids"]
        assert encoded["token_type_ids"][row] == pair["token_type_ids"]
        assert len(encoded["input_ids"][row]) <= limit
        first = encoded["token_type_ids"][row].count(0)
        assert encoded["input_ids"][row][:first] == alone["input_ids"]
        words = before.split()
        assert fitted[row].split() == words[len(words) - len(fitted[row].split()) :]  # the oldest are cut first
        if len(fitted[row].split()) < len(words):  # and no more of them than must be
            one_more = " ".join(words[len(words) - len(fitted[row].split()) - 1 :])
            assert len(TOKENIZER(line, one_more)["input_ids"]) > limit
    kept = sum(len(before.split()) for before in fitted)
    assert cut.words == sum(len(before.split()) for before in turns) - kept
    assert cut.lines == sum(map(bool, turns))
    assert cut.alone == sum(bool(before) and not left for before, left in zip(turns, fitted, strict=True))


def test_another_models_tokenizer_is_asked_the_same_way() -> None:
    tokenizer = word_piece()
    lines, turns = ["오늘 행복했어", "네", "오늘"], ["", "오늘 오늘 행복했어 오늘", "네"]
    fitted, cut = fit_context(tokenizer, lines, turns, 8)
    encoded = encode_in_context(tokenizer, lines, turns, 8)
    assert cut.lines == 2
    for row, before in enumerate(fitted):
        expected = tokenizer(lines[row], before) if before else tokenizer(lines[row], truncation=True, max_length=8)
        assert encoded["input_ids"][row] == expected["input_ids"]
    long = ["오늘 행복했어 오늘 행복했어", "오늘 행복했어 오늘"]
    for before in (["", ""], ["네", "네 네"]):
        encoded = encode_in_context(tokenizer, long, before, 6)
        assert encoded["input_ids"] == tokenizer(long, truncation=True, max_length=6)["input_ids"]


def test_nothing_is_something() -> None:
    assert encode_in_context(TOKENIZER, [], [], 8)["input_ids"] == []


@pytest.mark.parametrize("limit", [8, 64])
def test_the_message_counts(limit: int) -> None:
    _, cut = fit_context(TOKENIZER, ["네", "네", "오늘 정말 행복했어 " * 9], ["왜 늦었어 오늘 정말", "", "왜"], limit)
    message = cut.message(limit).english
    assert message.startswith("of 2 line(s) with turns before them 2 do" if limit == 8 else "of 2 line(s)")
    assert f"into {limit} tokens" in message


def test_the_message_tells_each_count_in_both_languages() -> None:
    message = ContextCut(lines=1200, cut=34, alone=5, words=6789).message(64)
    assert message.english == (
        "of 1,200 line(s) with turns before them 34 do not fit into 64 tokens: 6,789 word(s) of the turns were left "
        "out, the oldest first (5 stand alone)."
    )
    for part in ("줄 1,200개 중 34개는 64토큰에", "낱말 6,789개를", "않은 줄 5개"):
        assert part in message.korean


def test_pairs_are_turns_where_they_are_said_to_be() -> None:
    lines, others = ["네", "오늘 정말 행복했어"], ["왜 늦었어 그래 오늘 정말 행복했어", "왜"]
    pairs = TOKENIZER(lines, others, truncation=True, max_length=8)["input_ids"]
    assert encode_texts(TOKENIZER, lines, others, 8)["input_ids"] == pairs
    turns = encode_texts(TOKENIZER, lines, others, 8, in_context=True)
    assert turns == encode_in_context(TOKENIZER, lines, others, 8)
    assert turns["input_ids"] != pairs
    for in_context in (False, True):
        alone = encode_texts(TOKENIZER, lines, None, 4, in_context)
        assert alone["input_ids"] == TOKENIZER(lines, truncation=True, max_length=4)["input_ids"]


def test_what_just_fits_is_not_cut() -> None:
    line, turns = "오늘", "왜 늦었어 정말"
    whole = TOKENIZER(line, turns)["input_ids"]
    for limit, words in ((len(whole), 3), (len(whole) - 1, 2)):
        [fitted], cut = fit_context(TOKENIZER, [line], [turns], limit)
        assert len(fitted.split()) == words
        assert (cut.lines, cut.cut, cut.alone, cut.words) == (1, int(words < 3), 0, 3 - words)


@pytest.mark.parametrize("tokenizer", [TOKENIZER, word_piece()], ids=["kobert", "another model's"])
@pytest.mark.parametrize("pairs", [None, ["오늘 행복했어 오늘 오늘", "네"]])
def test_rows_are_cut_and_have_no_mask(tokenizer: PreTrainedTokenizerBase, pairs: list[str] | None) -> None:
    texts = ["오늘 정말 행복했어 오늘", "네"]
    expected = tokenizer(texts, pairs, truncation=True, max_length=7)
    found = encode_texts(tokenizer, texts, pairs, 7)
    assert found == {name: expected[name] for name in ("input_ids", "token_type_ids")}
    assert max(map(len, found["input_ids"])) == 7
