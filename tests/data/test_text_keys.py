"""When two texts count as the same."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobert_hf_emotion.data.text_keys import duplicate_groups, text_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("오늘 날씨가 좋다", "오늘날씨가  좋다\n"),
        ("좋다ㅋㅋㅋㅋ", "좋다ㅋㅋㅋ"),
        ("정말???", "정말?"),
        ("OK 알겠어", "ok알겠어"),
        ("행복해♥♥♥", "행복해♥"),
        (unicodedata.normalize("NFD", "한글"), "한글"),
    ],
)
def test_spellings_of_one_text_have_one_key(one: str, other: str) -> None:
    assert text_key(one) == text_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2000원", "200원"),  # digits are no emphasis
        ("큐", "ㅋㅠ"),  # NFKC would compose them
        ("좋아", "좋아?"),
        ("좋다", "좋다ㅋㅋ"),
        ("안 좋아", "좋아"),
    ],
)
def test_different_texts_have_different_keys(one: str, other: str) -> None:
    assert text_key(one) != text_key(other)


def test_two_letters_are_left_alone_and_more_become_two() -> None:
    assert text_key("하하") == "하하"
    assert text_key("하하하하하") == "하하"
    assert text_key("ㅠ") != text_key("ㅠㅠ") == text_key("ㅠㅠㅠㅠ")


def test_pairs_are_compared_as_pairs() -> None:
    assert text_key("좋다", "정말?") == text_key("좋 다", "정말??")
    assert text_key("좋다", "정말") != text_key("좋다정말")
    assert text_key("가", "나") != text_key("나", "가")


@given(st.text(max_size=30))
def test_folding_settles_in_two_steps(text: str) -> None:
    once = text_key(text_key(text))
    assert text_key(once) == once


@given(st.lists(st.sampled_from(["좋다", "좋 다", "싫다", "싫다!", "싫다!!", "그래"]), max_size=12))
def test_groups_point_at_the_first_equal_text(texts: list[str]) -> None:
    groups = duplicate_groups(texts)
    for index, first in enumerate(groups):
        equal = [other for other, text in enumerate(texts) if text_key(text) == text_key(texts[index])]
        assert first == min(equal)


def test_groups_of_pairs() -> None:
    assert duplicate_groups(["가", "가", "가"], ["나", "다", "나 "]) == [0, 1, 0]
    assert duplicate_groups(["가", "나"], ["다", "다"]) == [0, 1]
