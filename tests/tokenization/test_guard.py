"""The guard refuses tokenizers that do not fit, and lets real data pass."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from small_encoders import word_piece
from transformers import BertConfig

from kobert_hf_emotion.assets import SAMPLE_TRAIN
from kobert_hf_emotion.configuration import EmotionConfig
from kobert_hf_emotion.errors import TokenizerError
from kobert_hf_emotion.tokenization.guard import (
    PROBES,
    SAMPLE_SIZE,
    UnknownTexts,
    check_encoded,
    check_predicted,
    check_tokenization,
    check_vocabulary,
)
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

TEXTS = [f"오늘은 {i}번째로 기분이 좋은 날이다" for i in range(40)]


class Stub:
    """A tokenizer that gives whatever rows it is told to."""

    unk_token_id = 0
    pad_token_id = 1
    all_special_ids = (0, 1, 2, 3, 4)

    def __init__(self, encode: Any, size: int = 8002) -> None:
        self.encode, self.size, self.seen = encode, size, []

    def __len__(self) -> int:
        return self.size

    def __call__(self, texts: Sequence[str], verbose: bool) -> dict[str, Any]:
        self.seen = list(texts)
        return {"input_ids": [[2, *self.encode(text), 3] for text in texts]}

    def get_vocab(self) -> dict[str, int]:
        return {str(index): index for index in range(self.size)}


def reads(text: str) -> list[int]:
    """Encodes as a tokenizer that tells texts apart does."""
    return [5 + sum(map(ord, text)) % 7000, 6, 7]


def check(encode: Any, texts: Sequence[str] = TEXTS, size: int = 8002, config: Any = None) -> Any:
    return check_tokenization(Stub(encode, size), config or EmotionConfig(), texts, 64)  # type: ignore[arg-type]


@pytest.fixture
def config(tokenizer: KoBERTTokenizer) -> EmotionConfig:
    return EmotionConfig(tokenizer_sha256=tokenizer.vocab_sha256)


def test_the_rows_of_the_kobert_thread() -> None:
    # SKTBrain/KoBERT#104: every row [2, 0, 0, 0, 3, 1, …].
    for count in (1, 40):
        with pytest.raises(TokenizerError, match=r"of 24 tokens of 8 plain sentences 24 are \[UNK\]") as caught:
            check(lambda _: [0, 0, 0], TEXTS[:count])
        assert "쉬운 한국어 문장 8개의 토큰 24개 중 24개가 [UNK]이고 서로 다른 토큰열은 1개" in caught.value.korean
        assert f"{PROBES[0]!r} gives [2, 0, 0, 0, 3]." in caught.value.english


def test_collapsed_rows_without_unknown_tokens() -> None:
    with pytest.raises(TokenizerError, match=r"1 of their token rows are distinct"):
        check(lambda _: [5, 6, 7])


def test_a_tokenizer_that_reads_korean_but_not_these_texts() -> None:
    with pytest.raises(TokenizerError, match=r"Only 2% of the distinct texts give distinct token rows"):
        check(lambda text: [5, 6, 7] if text in TEXTS else reads(text))
    with pytest.raises(TokenizerError, match=r"100% of the tokens are \[UNK\].*reads Korean well") as caught:
        check(lambda text: [0, 0] if text in TEXTS else reads(text))
    assert "정확도가 조용히 무너집니다" in caught.value.korean


def test_few_texts_may_be_alike() -> None:
    def encode(text: str) -> list[int]:
        return [5, 6, 7] if text in TEXTS else reads(text)

    assert check(encode, TEXTS[:19]).distinct_share == 1.0
    with pytest.raises(TokenizerError):
        check(encode, TEXTS[:20])


def test_repeated_texts_are_no_collapse() -> None:
    assert check(lambda text: [len(text), 7], ["굿"] * 500).distinct_share == 1.0


def test_ids_beyond_the_embedding() -> None:
    for beyond in (8002, 8005):
        with pytest.raises(TokenizerError, match=f"Token id {beyond} lies beyond the embedding of 8002") as caught:
            check(lambda text, beyond=beyond: [5 + TEXTS.index(text), beyond, *range(7, 20)])
        assert f"토큰 번호 {beyond}가 임베딩 크기 8002를" in caught.value.korean
        assert f"gives {[2, 5, beyond, *range(7, 16)]}." in caught.value.english, "the first dozen"
    assert check(lambda text: [5 + TEXTS.index(text), 8001]).largest_id == 8001


@pytest.mark.parametrize(("unknown", "refused"), [(2, False), (3, True)])
def test_limit_of_unknown_tokens(unknown: int, refused: bool) -> None:
    def encode(text: str) -> list[int]:
        return [0] * unknown + [5 + TEXTS.index(text)] * (10 - unknown) if text in TEXTS else reads(text)

    if refused:
        with pytest.raises(TokenizerError, match="30% of the tokens are"):
            check(encode)
    else:
        assert check(encode).unknown_share == pytest.approx(unknown / 10)


def test_few_texts_may_be_unknown() -> None:
    def encode(text: str) -> list[int]:
        return [0, 0] if text in TEXTS else reads(text)

    assert check(encode, TEXTS[:19]).unknown_share == 1.0
    with pytest.raises(TokenizerError, match=r"\[UNK\]"):
        check(encode, TEXTS[:20])


def test_more_tokens_than_positions() -> None:
    stub, config = Stub(lambda text: [5 + TEXTS.index(text)]), EmotionConfig(max_position_embeddings=64)
    check_tokenization(stub, config, TEXTS, 64)  # type: ignore[arg-type]
    with pytest.raises(TokenizerError, match="`max_length` 65 is more than the 64 tokens") as caught:
        check_tokenization(stub, config, TEXTS, 65)  # type: ignore[arg-type]
    assert "`max_length` 65이 모델이 받을 수 있는 64토큰보다" in caught.value.korean
    assert caught.value.mend == {"max_length": 64}


class TestEncodedRows:
    """The same refusals for rows that are tokenized already, with special tokens and cut to a length."""

    @staticmethod
    def check(rows: list[list[int]], texts: Sequence[str] = TEXTS) -> None:
        check_encoded(Stub(reads), EmotionConfig(), texts, rows)  # type: ignore[arg-type]

    def test_good_rows_pass(self, tokenizer: KoBERTTokenizer, config: EmotionConfig) -> None:
        check_encoded(tokenizer, config, TEXTS, tokenizer(TEXTS)["input_ids"])
        check_encoded(tokenizer, config, [], [])

    def test_rows_of_the_kobert_thread(self) -> None:
        with pytest.raises(TokenizerError, match=r"100% of the tokens are \[UNK\].*gives \[2, 0, 0, 0, 3, 1, 1\]"):
            self.check([[2, 0, 0, 0, 3, 1, 1]] * len(TEXTS))

    def test_special_tokens_do_not_count(self) -> None:
        # 1 of 4 tokens between [CLS] and [SEP] is unknown: 25%, but only 17% with the special tokens.
        rows = [[2, 0, 5 + i, 6, 7, 3] for i in range(len(TEXTS))]
        with pytest.raises(TokenizerError, match=r"25% of the tokens"):
            self.check(rows)

    def test_collapsed_rows(self) -> None:
        with pytest.raises(TokenizerError, match=r"distinct token rows.* The first text gives \[2, 9, 3\]"):
            self.check([[2, 9, 3]] * len(TEXTS))
        with pytest.raises(TokenizerError, match="Only 2% of the distinct texts"):  # a fifth unknown is none too many
            self.check([[2, 0, 9, 8, 7, 6, 3]] * len(TEXTS))

    def test_ids_beyond_the_embedding(self) -> None:
        with pytest.raises(TokenizerError, match="Token id 8002 lies beyond"):
            self.check([[2, 8002, 3]], ["가"])


def test_larger_tokenizer_than_embedding() -> None:
    with pytest.raises(TokenizerError, match="has 8008 entries, the model's embedding only 8002") as caught:
        check(lambda text: [len(text)], size=8008)
    assert "어휘(8008개)가 모델의 임베딩(8002개)보다" in caught.value.korean


def test_padding_ids() -> None:
    with pytest.raises(TokenizerError, match="The model pads with id 0, the tokenizer with 1") as caught:
        check_vocabulary(Stub(None), EmotionConfig(pad_token_id=0))  # type: ignore[arg-type]
    assert "모델 0, 토크나이저 1" in caught.value.korean


def test_other_vocabulary(tokenizer: KoBERTTokenizer) -> None:
    with pytest.raises(TokenizerError, match=r"Expected vocabulary sha256 000000000000…, found") as caught:
        check_vocabulary(tokenizer, EmotionConfig(tokenizer_sha256="0" * 64))
    found = tokenizer.vocab_sha256[:12]
    assert caught.value.english.endswith(f"Expected vocabulary sha256 000000000000…, found {found}….")
    assert "같은 폴더에 저장된 토크나이저" in caught.value.korean
    assert caught.value.korean.endswith(f"(기대한 어휘 sha256 000000000000…, 실제 {found}…)")


def test_unknown_origin_passes(tokenizer: KoBERTTokenizer, config: EmotionConfig) -> None:
    check_vocabulary(tokenizer, EmotionConfig(tokenizer_sha256=None))
    check_vocabulary(tokenizer, config)
    check_vocabulary(tokenizer, SimpleNamespace(vocab_size=8002, pad_token_id=1))  # type: ignore[arg-type]


def test_sample_data_passes_with_the_right_figures(tokenizer: KoBERTTokenizer, config: EmotionConfig) -> None:
    texts = pd.read_csv(SAMPLE_TRAIN)["Text"].tolist()[:SAMPLE_SIZE]
    limit = 12
    report = check_tokenization(tokenizer, config, texts, limit)
    rows = [tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text)) for text in texts]
    ids = [i for row in rows for i in row]
    assert report.texts == len(texts)
    assert report.unknown_share == pytest.approx(sum(i == 0 for i in ids) / len(ids))
    assert report.largest_id == max(ids)
    assert report.distinct_share == pytest.approx(len({tuple(row) for row in rows}) / len(set(texts)))
    assert report.truncated_share == pytest.approx(sum(len(row) + 2 > limit for row in rows) / len(rows))
    assert 0 < report.truncated_share < 1, "the limit does not show a difference"


@pytest.mark.parametrize("rows", [0, 1, 100, SAMPLE_SIZE, SAMPLE_SIZE + 1, 2 * SAMPLE_SIZE - 1, 3 * SAMPLE_SIZE + 7])
def test_sample_is_spread_over_all_texts(rows: int) -> None:
    stub = Stub(lambda text: [5 + int(text) % 7000, 6])
    report = check_tokenization(stub, EmotionConfig(), [str(i) for i in range(rows)], 64)  # type: ignore[arg-type]
    places = [int(text) for text in stub.seen]
    assert report.texts == len(places) <= SAMPLE_SIZE
    assert len(places) >= min(rows, SAMPLE_SIZE / 2)
    assert len({b - a for a, b in pairwise(places)}) <= 1, "not evenly spaced"
    if rows:
        step = places[1] - places[0] if len(places) > 1 else 1
        assert places[0] == 0
        assert places[-1] + step >= rows, "the end is never looked at"


def test_text_of_another_script_is_refused(tokenizer: KoBERTTokenizer, config: EmotionConfig) -> None:
    check_tokenization(tokenizer, config, TEXTS, 64)
    ethiopic = [chr(0x1200 + i) * 5 for i in range(30)]
    with pytest.raises(TokenizerError, match=r"50% of the tokens are \[UNK\]"):
        check_tokenization(tokenizer, config, ethiopic, 64)


class TestPredictions:
    """A prediction goes on over texts that cannot be read, counts them, and refuses another model's tokenizer."""

    JAPANESE = ("今日はとても嬉しかった", "夜道が怖くて走って帰った")

    @staticmethod
    def predicted(encode: Any, texts: Sequence[str], found: UnknownTexts | None = None) -> None:
        stub = Stub(encode)
        check_predicted(stub, EmotionConfig(), texts, stub(texts, verbose=False)["input_ids"], found)  # type: ignore[arg-type]

    def test_texts_of_another_script_are_counted(self, tokenizer: KoBERTTokenizer, config: EmotionConfig) -> None:
        ethiopic = [chr(0x1200 + i) * 5 for i in range(30)]
        texts = [*TEXTS, *ethiopic]
        found = UnknownTexts()
        check_predicted(tokenizer, config, texts, tokenizer(texts)["input_ids"], found)
        rows = [tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text)) for text in texts]
        assert (found.texts, found.unknown) == (70, sum(2 * row.count(0) >= len(row) for row in rows))
        message = found.message()
        assert message is not None
        assert found.unknown == 30
        assert f"70개 중 {found.unknown}개" in message.korean

    @pytest.mark.parametrize(
        ("row", "unknown"), [([], 1), ([0], 1), ([0, 5], 1), ([0, 0, 5], 1), ([0, 5, 6], 0), ([5], 0)]
    )
    def test_half_unknown_or_nothing_at_all(self, row: list[int], unknown: int) -> None:
        found = UnknownTexts()
        self.predicted(lambda text: row if text == "가" else reads(text), ["가"], found)
        assert (found.texts, found.unknown) == (1, unknown)
        assert (found.message() is not None) == bool(unknown)

    @pytest.mark.parametrize("count", [1, 19, 20, 40])
    def test_another_models_tokenizer_at_any_number_of_texts(self, count: int) -> None:
        with pytest.raises(TokenizerError, match="does not read Korean"):
            self.predicted(lambda _: [0, 0], TEXTS[:count])
        with pytest.raises(TokenizerError, match="lies beyond the embedding"):
            self.predicted(lambda text: [*reads(text), 8002], TEXTS[:count])

    def test_it_is_judged_before_the_first_answer_and_not_in_the_midst_of_a_file(self) -> None:
        def encode(text: str) -> list[int]:
            return reads(text) if text in TEXTS else [0, 0]

        found = UnknownTexts()
        self.predicted(encode, TEXTS, found)
        self.predicted(encode, self.JAPANESE * 20, found)
        assert (found.texts, found.unknown) == (80, 40)
        self.predicted(encode, self.JAPANESE, found)
        assert (found.texts, found.unknown) == (82, 42)
        with pytest.raises(TokenizerError):
            self.predicted(encode, self.JAPANESE, UnknownTexts())

    def test_texts_cut_to_the_same_tokens_are_no_wrong_tokenizer(self) -> None:
        self.predicted(lambda text: [5, 6] if text in TEXTS else reads(text), TEXTS)

    def test_the_log_tells_where_nobody_counts(self, caplog: pytest.LogCaptureFixture) -> None:
        self.predicted(lambda text: [0] if text == "ㅠ" else reads(text), ["ㅠ", "가"])
        assert "1 of 2 texts" in caplog.text
        caplog.clear()
        self.predicted(reads, ["가"])
        assert caplog.text == ""

    def test_who_counts_says_it_himself(self, caplog: pytest.LogCaptureFixture) -> None:
        found = UnknownTexts()
        self.predicted(lambda text: [0] if text == "ㅠ" else reads(text), ["ㅠ", "가"], found)
        assert found.unknown == 1
        assert caplog.text == ""

    def test_texts_are_cut_where_they_are_longer_than_the_limit_and_not_where_they_just_fit(self) -> None:
        texts, found = ["가", "나나", "다다다", "라라라라"], UnknownTexts()
        stub = Stub(lambda text: [5 + ord(letter) % 7000 for letter in text])
        for limit, cut in ((None, 0), (6, 0), (5, 1), (4, 2)):
            rows = [row[:limit] for row in stub(texts, verbose=False)["input_ids"]]
            before = found.cut
            check_predicted(stub, EmotionConfig(), texts, rows, found, limit)  # type: ignore[arg-type]
            assert found.cut - before == cut
        assert (found.texts, found.unknown, found.cut) == (16, 0, 3)
        message = found.cut_message()
        assert message is not None
        assert message.english.startswith("3 of 16 text(s) are longer than the model reads")
        assert message.korean.startswith("글 16개 중 3개는 모델이 읽는 길이보다 길어")
        assert UnknownTexts(texts=9).cut_message() is None
        check_predicted(stub, EmotionConfig(), [], [], found, 4)  # type: ignore[arg-type]
        assert found.texts == 16

    def test_an_answer_that_says_nothing_is_told_of_in_both_languages(self) -> None:
        message = UnknownTexts(texts=1200, unknown=7).message()
        assert message is not None
        assert message.english.startswith("7 of 1,200 texts have no token, or half or more are [UNK]")
        assert message.korean.startswith("문장 1,200개 중 7개는 토큰이 없거나 절반 이상이 [UNK]라")

    def test_a_text_of_special_tokens_alone_has_none(self) -> None:
        found = UnknownTexts()
        self.predicted(lambda text: [3, 2] if text == "가" else reads(text), ["가", "나"], found)
        assert found.unknown == 1


class TestBounds:
    """The limits themselves, on either side."""

    @pytest.mark.parametrize(("unknown", "reason"), [(2, "reads Korean well"), (3, "24 are .UNK., and 8 of their")])
    def test_unknown_tokens_of_plain_korean(self, unknown: int, reason: str) -> None:
        def encode(text: str) -> list[int]:
            return [0] * unknown + [5 + PROBES.index(text)] * (10 - unknown) if text in PROBES else [0, 0]

        with pytest.raises(TokenizerError, match=reason):
            check(encode)

    @pytest.mark.parametrize(("rows", "refused"), [(20, False), (19, True)])
    def test_half_of_the_texts_may_be_alike(self, rows: int, refused: bool) -> None:
        def encode(text: str) -> list[int]:
            return [5 + TEXTS.index(text) % rows, 6] if text in TEXTS else reads(text)

        if refused:
            with pytest.raises(TokenizerError, match="Only 48% of the distinct texts"):
                check(encode)
        else:
            assert check(encode).distinct_share == 0.5

    def test_no_texts_and_no_tokens(self) -> None:
        empty = check(reads, [])
        assert (empty.texts, empty.unknown_share, empty.largest_id, empty.truncated_share) == (0, 0, 0, 0)
        assert check(lambda text: [] if text == "" else reads(text), [""]).unknown_share == 0
        assert check(lambda _: list(range(5, 75)), ["가" * 70]).truncated_share == 1

    def test_no_texts_for_a_tokenizer_that_refuses_none(self) -> None:
        other, config, found = word_piece(), BertConfig(pad_token_id=0), UnknownTexts()
        with pytest.raises(IndexError):
            other([])
        assert check_tokenization(other, config, [], 64).texts == 0
        check_predicted(other, config, [], [], found, 64)
        check_predicted(other, config, ["오늘"], other(["오늘"])["input_ids"], found, 64)
        assert (found.texts, found.cut) == (1, 0)

    def test_a_tokenizer_without_an_unknown_token(self) -> None:
        stub, found = Stub(reads), UnknownTexts()
        stub.unk_token_id = None  # type: ignore[assignment]
        assert check_tokenization(stub, EmotionConfig(), TEXTS, 64).unknown_share == 0  # type: ignore[arg-type]
        check_predicted(stub, EmotionConfig(), ["가"], [[2, 5, 3]], found)  # type: ignore[arg-type]
        check_predicted(stub, EmotionConfig(), ["나"], [[2, 5, 6, 3]], found)  # type: ignore[arg-type]
        assert (found.texts, found.unknown) == (2, 0)

    def test_a_model_that_names_no_padding_takes_any(self) -> None:
        config = EmotionConfig()
        config.pad_token_id = None
        check_vocabulary(Stub(reads), config)  # type: ignore[arg-type]
