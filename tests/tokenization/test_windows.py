"""Long texts in windows and in sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobert_hf_emotion.assets import resolve_default
from kobert_hf_emotion.errors import KoBERTEmotionError
from kobert_hf_emotion.tokenization.long_texts import LongTexts
from kobert_hf_emotion.tokenization.tokenizer import VOCAB_FILE, KoBERTTokenizer
from kobert_hf_emotion.tokenization.windows import Divider, sentences

TOKENIZER = KoBERTTokenizer(f"{resolve_default('default')}/{VOCAB_FILE}")
WORDS = st.sampled_from(
    ["네", "그래.", "오늘", "행복했어!", "아이스아메리카노를", "ㅋ" * 70, "1,000원", "끝?\n", "가나다라" * 30]
)
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
    assert sentences(" \n ") == []
    assert sentences("...") == [(0, 3)]


def test_settings_that_mean_nothing_are_refused() -> None:
    with pytest.raises(KoBERTEmotionError) as error:
        Divider(TOKENIZER, 20, LongTexts(stride=18))
    assert error.value.mend == {"stride": 9}
    for wrong in ({"mode": "word"}, {"pool": "sum"}, {"stride": -1}):
        with pytest.raises(KoBERTEmotionError):
            LongTexts(**wrong)  # type: ignore[arg-type]
