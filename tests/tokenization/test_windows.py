"""Long texts in windows and in sentences."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from small_encoders import character_tokens

from kobert_hf_emotion.assets import resolve_default
from kobert_hf_emotion.errors import KoBERTEmotionError
from kobert_hf_emotion.tokenization.long_texts import LongTexts
from kobert_hf_emotion.tokenization.tokenizer import VOCAB_FILE, KoBERTTokenizer
from kobert_hf_emotion.tokenization.windows import Divider, sentences

TOKENIZER = KoBERTTokenizer(f"{resolve_default('default')}/{VOCAB_FILE}")
WORDS = st.sampled_from(
    ["네", "그래.", "오늘", "행복했어!", "아이스아메리카노를", "ㅋ" * 70, "1,000원", "끝?\n", "가나다라" * 30]
)
LETTERS = character_tokens("가나다라마바사 .\n")
TEXTS = st.lists(WORDS, max_size=60).flatmap(
    lambda words: st.sampled_from([" ", "  ", "\t", "\n"]).map(lambda blank: blank.join(words))
)


def tokens(text: str) -> int:
    return len(TOKENIZER(text, add_special_tokens=False, verbose=False)["input_ids"])


@given(text=TEXTS, limit=st.integers(5, 40), share=st.floats(0, 0.99), mode=st.sampled_from(["window", "sentence"]))
def test_pieces_fit_and_cover_every_token(text: str, limit: int, share: float, mode: str) -> None:
    stride = int(share * (limit - 2))
    [found] = Divider(TOKENIZER, limit, LongTexts(mode, stride)).divide([text])  # type: ignore[arg-type]
    assert found.fits == (tokens(text) + 2 <= limit)
    if found.fits and mode == "window":
        assert found.spans == [(0, len(text))]
        return
    assert all(tokens(text[start:end]) + 2 <= limit for start, end in found.spans)
    covered = {place for start, end in found.spans for place in range(start, end)}
    assert covered.issuperset(place for place, letter in enumerate(text) if not letter.isspace())
    assert found.spans == sorted(found.spans)
    assert all(end < later for (_, end), (_, later) in zip(found.spans, found.spans[1:], strict=False))
    if mode == "window":
        for (_, end), (start, _) in zip(found.spans, found.spans[1:], strict=False):
            assert start >= end or sum(tokens(word) for word in text[start:end].split()) <= stride
            assert not text[end:start].strip()  # nothing lies between two windows


def test_a_window_shares_the_stride_with_the_one_before() -> None:
    text = " ".join(["네"] * 30)
    [found] = Divider(TOKENIZER, 12, LongTexts(stride=4)).divide([text])
    word = tokens("네")
    room = 10 // word
    starts = [start // 2 for start, _ in found.spans]
    assert starts == [number * (room - 4 // word) for number in range(len(starts))]


def windows_of(lengths: list[int], room: int, stride: int) -> list[tuple[int, int]]:
    """Windows over words of these lengths to a tokenizer that counts characters: tried out, one word after another."""
    starts = [sum(lengths[:word]) + word for word in range(len(lengths))]
    ends = [start + length for start, length in zip(starts, lengths, strict=True)]
    found, first, reached = [], 0, 0
    while reached < len(lengths):
        last = max(word for word in range(len(lengths)) if ends[word] - starts[first] <= room) + 1
        if last > reached:  # what the window before holds whole is none
            found.append((starts[first], ends[last - 1]))
            reached = last
        if reached < len(lengths):
            share = min(stride, room - lengths[last])
            first = min(word for word in range(first + 1, last + 1) if sum(lengths[word:last]) <= share)
    return found


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=30), room=st.integers(9, 14), stride=st.integers(0, 8))
@example(lengths=[1, 1, 1, 1, 6], room=10, stride=8)  # the first three words of the second window fit into the first
@example(lengths=[9, 3, 9, 1, 2, 2, 9], room=9, stride=6)
@example(lengths=[4, 4], room=9, stride=0)  # fits to the last token
def test_windows_where_a_space_is_a_token_as_well(lengths: list[int], room: int, stride: int) -> None:
    text = " ".join("가나다라마바사"[place % 7] * length for place, length in enumerate(lengths))
    [found] = Divider(LETTERS, room + 2, LongTexts(stride=stride)).divide([text])
    assert found.fits == (len(text) <= room)
    assert found.spans == windows_of(lengths, room, stride)


def test_words_that_do_not_fit_are_halved() -> None:
    [found] = Divider(LETTERS, 12, LongTexts(stride=0)).divide(["가" * 10 + " " + "나" * 21])
    assert found.spans == [(0, 10), (11, 21), (21, 26), (26, 32)]
    [found] = Divider(TOKENIZER, 3, LongTexts(stride=0)).divide(["🦄 🦄"])
    assert tokens("🦄") == 2, "more than there is room for, and no half of it"
    assert found.spans == [(0, 1), (2, 3)]


def test_a_window_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, encode = [], KoBERTTokenizer.encode_rows
    monkeypatch.setattr(KoBERTTokenizer, "encode_rows", lambda *args: calls.append(1) or encode(*args))  # type: ignore[func-returns-value]
    [found] = Divider(TOKENIZER, 12, LongTexts(stride=4)).divide([" ".join(["네", "그래.", "오늘"] * 40)])
    assert len(found.spans) > 20
    assert len(calls) == len(found.spans) + 3


def test_long_sentences_alone_are_divided() -> None:
    text = "가 나 다.\n라마 바사 가나다. 라라라라."
    [found, blank, empty] = Divider(LETTERS, 8, LongTexts("sentence", 2)).divide([text, "  ", ""])
    assert [text[start:end] for start, end in found.spans] == ["가 나 다.", "라마 바사", "가나다.", "라라라라."]
    assert (found.fits, blank.fits, empty.fits) == (False, True, True)
    assert (blank.spans, empty.spans) == ([(0, 2)], [(0, 0)])


def test_sentences_end_where_people_end_them() -> None:
    text = '좋았다. 정말?! "끝."  그런데... 3.5점이라니 ㅠㅠ\n\n1. 아침\n2. 저녁 …\n!!!'
    assert [text[start:end] for start, end in sentences(text)] == [
        "좋았다.",
        "정말?!",
        '"끝."',
        "그런데...",
        "3.5점이라니 ㅠㅠ",
        "1. 아침",
        "2. 저녁 …\n!!!",
    ]
    assert [("끝.  \n다음."[start:end]) for start, end in sentences("끝.  \n다음.")] == ["끝.", "다음."]
    assert sentences(" \n ") == []
    assert sentences("...") == [(0, 3)]


def test_settings_that_mean_nothing_are_refused() -> None:
    with pytest.raises(KoBERTEmotionError) as error:
        Divider(TOKENIZER, 21, LongTexts(stride=19))
    assert error.value.mend == {"stride": 9}
    assert isinstance(error.value.mend["stride"], int)
    assert "below the 19 tokens of a window, found 19" in error.value.english
    assert "`stride` 19이(가) 창 하나에 드는 19토큰보다" in error.value.korean
    assert Divider(TOKENIZER, 20, LongTexts(stride=17)).divide([]) == []


@pytest.mark.parametrize(
    ("wrong", "named", "known"),
    [
        ({"mode": "word"}, "long", "window, sentence"),
        ({"pool": "sum"}, "pool", "mean, max"),
        ({"stride": -1}, "stride", "0"),
    ],
)
def test_ways_to_read_a_long_text_that_there_are_not(wrong: dict[str, Any], named: str, known: str) -> None:
    with pytest.raises(KoBERTEmotionError) as error:
        LongTexts(**wrong)
    for sentence in (error.value.english, error.value.korean):
        assert f"`{named}`" in sentence
        assert known in sentence
        assert repr(next(iter(wrong.values()))) in sentence
    assert error.value.mend == {"long": {"long": "window"}, "pool": {"pool": "mean"}, "stride": {"stride": None}}[named]


def test_usually_windows_share_32_tokens_and_their_mean_is_taken() -> None:
    assert LongTexts() == LongTexts("window", 32, "mean")
    assert LongTexts("sentence", 0, "max").stride == 0
