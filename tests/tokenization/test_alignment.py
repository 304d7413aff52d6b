"""Where tokens come from: against the text itself, whatever is normalized away."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sentences import sentences
from small_encoders import word_piece

from kobert_hf_emotion.errors import TokenizerError
from kobert_hf_emotion.tokenization.alignment import token_spans, word_spans
from kobert_hf_emotion.tokenization.normalization import prepare_gluonnlp, prepare_xlnet
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

WRITTEN = [
    "오늘 정말 행복했어ㅋㅋ", "  시험에   떨어져서\t너무 슬프다 ㅠㅠ ", "띄어쓰기없이쓴글도읽는다",
    "12,000원이나 했어, 3,", "🙂좋아🙂 ok!! café", "마ㄶ이 좋아해 ㄳ", "``인용''했대", "漢字와 한글ﬁ½",
    "[SEP] 나[MASK]너", "정말 행복했어요[SEP]오늘 시험에 떨어져서[MASK] 너무", "\u200b가\u200b나",
]  # fmt: skip


@pytest.fixture(params=["sentencepiece", "gluonnlp"])
def either(request: pytest.FixtureRequest, tokenizer: KoBERTTokenizer, gluon_tokenizer: KoBERTTokenizer):
    return tokenizer if request.param == "sentencepiece" else gluon_tokenizer


def check(tokenizer: KoBERTTokenizer, text: str) -> None:
    ids, spans = token_spans(tokenizer, text)
    assert ids == tokenizer(text, add_special_tokens=False)["input_ids"]
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    assert all(before[0] <= after[0] and before[1] <= after[1] for before, after in pairwise(spans))
    for token, (start, end) in zip(tokenizer.convert_ids_to_tokens(ids), spans, strict=True):
        plain = token.lstrip("▁")
        if plain and all("가" <= letter <= "힣" for letter in plain):  # what it says is what stands there
            assert unicodedata.normalize("NFKC", text[start:end]).strip("\u200b") == plain


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("text", [*WRITTEN, "", " ", *(text for text, _ in sentences(2))])
def test_tokens_are_found_where_they_stand(either: KoBERTTokenizer, text: str, form: str) -> None:
    check(either, unicodedata.normalize(form, text))


@settings(max_examples=150, deadline=None)
@given(st.text("가나다좋아행복했어ㅋㅠㄳ각\u1100\u1161\u11a8 .,!?12,3`'[]aB🙂漢é\u200b\u00a0\t\n\x1c½ﬁ", max_size=24))
def test_any_text_keeps_its_ids_and_order(
    tokenizer: KoBERTTokenizer, gluon_tokenizer: KoBERTTokenizer, text: str
) -> None:
    for each in (tokenizer, gluon_tokenizer):
        ids, spans = token_spans(each, text)
        assert ids == each(text, add_special_tokens=False)["input_ids"]
        assert all(0 <= start <= end <= len(text) for start, end in spans)
        assert sorted(spans) == spans


@settings(max_examples=150)
@given(st.text("가나다좋아행복했어ㅋㅠㄳ각\u1100\u1161\u11a8 .,!?12,3`'[]aB🙂漢é\u200b\u00a0\t\n\x1c", max_size=24))
def test_what_a_token_says_is_what_is_prepared_from_where_it_stands(
    tokenizer: KoBERTTokenizer, gluon_tokenizer: KoBERTTokenizer, text: str
) -> None:
    for each in (tokenizer, gluon_tokenizer):
        ids, spans = token_spans(each, text)
        for token, (start, end) in zip(each.convert_ids_to_tokens(ids), spans, strict=True):
            if token in each.all_special_tokens:
                continue
            part = text[start:end]
            prepared = "".join(prepare_gluonnlp(part)) if each is gluon_tokenizer else prepare_xlnet(part)
            said = unicodedata.normalize("NFKC", prepared).replace("\u200b", "").replace(" ", "")
            assert said == token.replace("▁", "")
            assert part == part.strip()


@pytest.mark.parametrize("text", WRITTEN[:4])
def test_nothing_that_is_written_belongs_to_no_token(either: KoBERTTokenizer, text: str) -> None:
    covered = {index for start, end in token_spans(either, text)[1] for index in range(start, end)}
    assert covered >= {index for index, letter in enumerate(text) if not letter.isspace()}


@settings(max_examples=100, deadline=None)
@given(st.text("0123, 가a", max_size=16))
@example("가격 12,000원 3,")
@example("10,000,1, 2,")
def test_a_number_and_its_comma_that_were_one_piece(digit_model: Path, text: str) -> None:
    tokenizer = KoBERTTokenizer(digit_model)
    ids, spans = token_spans(tokenizer, text)
    assert ids == tokenizer(text, add_special_tokens=False)["input_ids"]
    said = [token.replace("▁", "") for token in tokenizer.tokenize(text)]
    assert [text[start:end] for start, end in spans] == said


def test_a_fast_tokenizer_tells_itself() -> None:
    assert token_spans(word_piece(), "회의는 세")[1] == [(0, 1), (1, 2), (2, 3), (4, 5)]


def test_one_that_tells_nothing_is_refused() -> None:
    class Silent:
        is_fast = False

    with pytest.raises(TokenizerError, match=r"tokenizer\.json") as caught:
        token_spans(Silent(), "나")  # type: ignore[arg-type]
    assert caught.value.english.startswith("Silent does not tell")
    assert caught.value.korean.startswith("Silent은(는) 토큰의 위치를")


def test_a_token_without_a_place_is_told_of(vocab_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = KoBERTTokenizer(vocab_file)
    monkeypatch.setattr(tokenizer, "encode_texts", lambda texts: [[5, 6, 7, 8, 9, 10]] * len(texts))
    with pytest.raises(TokenizerError) as caught:
        token_spans(tokenizer, "나")
    assert "for each of its 6 tokens, found 1: '나'" in caught.value.english
    assert "토큰 6개 가운데 1개만 자리를 찾았습니다: '나'" in caught.value.korean


def test_words_stand_between_white_space() -> None:
    text = "오늘\u3000정말  행복했어ㅋㅋ 🙂 "
    assert [text[slice(*span)] for span in word_spans(text)] == text.split()
