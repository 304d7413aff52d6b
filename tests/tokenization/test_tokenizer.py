"""The tokenizer against the recorded originals, independent references and transformers' own path."""

from __future__ import annotations

import copy
import json
import os
import pickle
import re
import shutil
import unicodedata
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece
import torch
from code_process import CodeProcess
from golden_tokens import GLUON_LENGTH, TRICKY, read_golden
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizer_references import IDEOGRAPHS, gluon_ids, gluon_words, skt_ids, xlnet_pieces
from transformers import BatchEncoding
from transformers.tokenization_utils_base import TruncationStrategy
from transformers.tokenization_utils_sentencepiece import SentencePieceBackend

from kobert_hf_emotion.errors import TokenizerError
from kobert_hf_emotion.tokenization.fast_tokenizer import build_tokenizer_json
from kobert_hf_emotion.tokenization.normalization import prepare_gluonnlp
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

CLS, SEP, PAD, UNK, MASK = 2, 3, 1, 0, 4
SURROGATE_FREE = [text for text in TRICKY if "\ud83d" not in text]

hangul = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)
anything = st.text(
    alphabet=st.one_of(
        hangul,
        hangul,
        st.characters(min_codepoint=32, max_codepoint=126),
        st.characters(min_codepoint=0x1100, max_codepoint=0x11FF),
        st.characters(min_codepoint=0x3130, max_codepoint=0x318F),
        st.characters(min_codepoint=0x1F300, max_codepoint=0x1F6FF),
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from(" \t\n.,!?0123456789`'[]"),
    ),
    max_size=40,
)
with_specials = st.lists(st.one_of(anything, st.sampled_from(["[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]"]))).map(
    "".join
)


@pytest.fixture(scope="module")
def sp(vocab_file: Path) -> sentencepiece.SentencePieceProcessor:
    return sentencepiece.SentencePieceProcessor(model_file=str(vocab_file))


@pytest.fixture(scope="module")
def golden(shared: Path) -> list[dict[str, Any]]:
    files = ("tokenization_kote.jsonl.gz", "tokenization_nsmc.jsonl.gz")
    return list(chain.from_iterable(read_golden(shared / "golden" / name) for name in files))


@pytest.fixture(scope="module")
def golden_pairs(shared: Path) -> list[dict[str, Any]]:
    return read_golden(shared / "golden" / "tokenization_pairs.jsonl.gz")


@pytest.fixture(scope="module")
def kobert(shared: Path) -> KoBERTTokenizer:
    """A tokenizer with KoBERT's own vocabulary, which is not the embedded one."""
    return KoBERTTokenizer(shared / "kobert" / "spiece.model")


@pytest.fixture(scope="module")
def kobert_gluon(shared: Path) -> KoBERTTokenizer:
    return KoBERTTokenizer(shared / "kobert" / "spiece.model", word_split="gluonnlp")


@pytest.fixture(params=["sentencepiece", "gluonnlp"])
def either(request: pytest.FixtureRequest, tokenizer: KoBERTTokenizer, gluon_tokenizer: KoBERTTokenizer) -> Any:
    return tokenizer if request.param == "sentencepiece" else gluon_tokenizer


def slow(tokenizer: KoBERTTokenizer, text: Any, pair: Any = None, **kwargs: Any) -> BatchEncoding:
    """What transformers' own, text-by-text path gives."""
    return SentencePieceBackend._encode_plus(tokenizer, text, pair, **kwargs)


class TestGolden:
    def test_all_lines_are_there(self, golden: list[dict[str, Any]], golden_pairs: list[dict[str, Any]]) -> None:
        assert len(golden) == 20_000
        assert len(golden_pairs) == 500

    def test_skt_batched(self, golden: list[dict[str, Any]], kobert: KoBERTTokenizer) -> None:
        ids = kobert([row["text"] for row in golden])["input_ids"]
        assert [i for i, row in enumerate(golden) if ids[i] != row["hf"]] == []

    def test_gluonnlp_batched(self, golden: list[dict[str, Any]], kobert_gluon: KoBERTTokenizer) -> None:
        encoded = kobert_gluon([row["text"] for row in golden], truncation=True, max_length=GLUON_LENGTH)
        ids, masks = encoded["input_ids"], encoded["attention_mask"]
        assert [i for i, row in enumerate(golden) if ids[i] != row["gluon"] or sum(masks[i]) != row["n"]] == []

    def test_skt_text_by_text(self, golden: list[dict[str, Any]], kobert: KoBERTTokenizer) -> None:
        found = [kobert.convert_tokens_to_ids(kobert.tokenize(row["text"])) for row in golden]
        assert [i for i, row in enumerate(golden) if [CLS, *found[i], SEP] != row["hf"]] == []

    def test_gluonnlp_text_by_text(self, golden: list[dict[str, Any]], kobert_gluon: KoBERTTokenizer) -> None:
        tokenizer, room = kobert_gluon, GLUON_LENGTH - 2
        found = [tokenizer.convert_tokens_to_ids(tokenizer.tokenize(row["text"])) for row in golden]
        assert [i for i, row in enumerate(golden) if [CLS, *found[i][:room], SEP] != row["gluon"]] == []

    def test_skt_pairs(self, golden_pairs: list[dict[str, Any]], kobert: KoBERTTokenizer) -> None:
        encoded = kobert([row["text"] for row in golden_pairs], [row["text_pair"] for row in golden_pairs])
        assert encoded["input_ids"] == [row["hf"] for row in golden_pairs]
        assert encoded["token_type_ids"] == [row["hf_type"] for row in golden_pairs]

    @pytest.mark.parametrize("batched", [True, False])
    def test_gluonnlp_pairs(
        self, golden_pairs: list[dict[str, Any]], kobert_gluon: KoBERTTokenizer, batched: bool
    ) -> None:
        options = {"padding": "max_length", "truncation": True, "max_length": GLUON_LENGTH}
        texts, seconds = [row["text"] for row in golden_pairs], [row["text_pair"] for row in golden_pairs]
        if batched:
            rows = dict(kobert_gluon(texts, seconds, **options))
        else:
            each = [kobert_gluon(a, b, **options) for a, b in zip(texts, seconds, strict=True)]
            rows = {name: [row[name] for row in each] for name in each[0]}
        assert rows["input_ids"] == [row["gluon"] for row in golden_pairs]
        assert rows["token_type_ids"] == [row["gluon_segment"] for row in golden_pairs]
        assert [sum(mask) for mask in rows["attention_mask"]] == [row["gluon_valid_length"] for row in golden_pairs]

    def test_readme_check(self, kobert: KoBERTTokenizer) -> None:
        expected = [2, 4958, 6855, 2046, 7088, 1050, 7843, 54, 3]
        assert kobert("한국어 모델을 공유합니다.")["input_ids"] == expected


class TestReferences:
    """Ours against the slow renderings of the originals in tokenizer_references.py."""

    @pytest.mark.parametrize("text", SURROGATE_FREE)
    def test_skt_on_tricky_text(self, sp: Any, tokenizer: KoBERTTokenizer, text: str) -> None:
        expected = skt_ids(sp, text)
        assert tokenizer.encode_texts([text]) == [expected]
        assert tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text)) == expected

    @pytest.mark.parametrize("text", SURROGATE_FREE)
    def test_gluonnlp_on_tricky_text(self, sp: Any, gluon_tokenizer: KoBERTTokenizer, text: str) -> None:
        expected = gluon_ids(sp, text)
        assert gluon_tokenizer.encode_texts([text]) == [expected]
        assert gluon_tokenizer.convert_tokens_to_ids(gluon_tokenizer.tokenize(text)) == expected

    @settings(max_examples=300, deadline=None)
    @given(text=with_specials)
    def test_skt_on_random_text(self, sp: Any, tokenizer: KoBERTTokenizer, text: str) -> None:
        assert tokenizer.encode_texts([text]) == [skt_ids(sp, text)]

    @settings(max_examples=300, deadline=None)
    @given(text=with_specials)
    @example("ᄒ\u200dᅡᆫ")
    def test_gluonnlp_on_random_text(self, sp: Any, gluon_tokenizer: KoBERTTokenizer, text: str) -> None:
        assert gluon_tokenizer.encode_texts([text]) == [gluon_ids(sp, text)]

    @pytest.mark.slow
    def test_every_character_of_the_basic_plane(
        self, sp: Any, tokenizer: KoBERTTokenizer, gluon_tokenizer: KoBERTTokenizer
    ) -> None:
        # Hangul syllables are in every other test; they would only cost time here.
        blocks = (range(0xAC00), range(0xD7A4, 0xD800), range(0xE000, 0x10000), range(0x20000, 0x20040))
        texts = [f"가{chr(code)}나 {chr(code)}ㅏ" for code in chain(*blocks) if unicodedata.category(chr(code)) != "Cn"]
        texts = [f"{a} {b} {c}" for a, b, c in zip(texts[::3], texts[1::3], texts[2::3], strict=False)]
        wrong = [t for t, ids in zip(texts, tokenizer.encode_texts(texts), strict=True) if ids != skt_ids(sp, t)]
        assert wrong == []
        found = gluon_tokenizer.encode_texts(texts)
        assert [t for t, ids in zip(texts, found, strict=True) if ids != gluon_ids(sp, t)] == []

    def test_ideographs_are_words_up_to_the_edges_of_their_blocks(self) -> None:
        # Beyond the first plane no other test goes to the edges.
        edges = [ord(edge) for block in IDEOGRAPHS for edge in block]
        for code in [edge + step for edge in edges for step in (-1, 0, 1)]:
            found, expected = (
                [unicodedata.normalize("NFC", word) for word in split(f"가{chr(code)}나")]
                for split in (prepare_gluonnlp, gluon_words)
            )
            assert found == expected, hex(code)


class TestDigitComma:
    """KoBERT's vocabulary has no piece that ends in a digit and a comma, so these come from a model made here."""

    TEXTS = ("1, 2, 3,", "12, 112, 1200,", "10,000원", "0, 33, 333,", "a1, b2, a2,", ",", "1,", "가격 12,000원 3,")

    def test_rule(self, digit_model: Path) -> None:
        sp = sentencepiece.SentencePieceProcessor(model_file=str(digit_model))
        tokenizer = KoBERTTokenizer(digit_model)
        plain = [sp.encode_as_pieces(text) for text in self.TEXTS]
        expected = [xlnet_pieces(sp, text) for text in self.TEXTS]
        assert sum(a != b for a, b in zip(plain, expected, strict=True)) >= 5, "the texts do not meet the rule"
        assert [tokenizer.tokenize(text) for text in self.TEXTS] == expected
        assert tokenizer.encode_texts(self.TEXTS) == [[sp.piece_to_id(p) for p in row] for row in expected]

    def test_every_piece_that_is_taken_apart(self, digit_model: Path) -> None:
        sp = sentencepiece.SentencePieceProcessor(model_file=str(digit_model))
        tokenizer = KoBERTTokenizer(digit_model)
        pieces = [sp.id_to_piece(index) for index in range(sp.get_piece_size())]
        pieces = [piece for piece in pieces if re.search(r"\d,\Z", piece)]
        parts = [tokenizer.parts_of(piece) for piece in pieces]
        assert max(map(len, parts)) > 3, "none has several parts before its comma"
        for piece, found in zip(pieces, parts, strict=True):
            assert "".join(found) == piece
            text = piece.replace("▁", " ") if piece.startswith("▁") else f"가{piece}"
            assert tokenizer.tokenize(text) == xlnet_pieces(sp, text)

    @settings(max_examples=100, deadline=None)
    @given(text=st.text(alphabet="0123, 가a", max_size=20))
    def test_rule_on_random_text(self, digit_model: Path, text: str) -> None:
        sp = sentencepiece.SentencePieceProcessor(model_file=str(digit_model))
        assert self.loaded(digit_model).encode_texts([text]) == [skt_ids(sp, text)]

    _loaded: dict[Path, KoBERTTokenizer] = {}  # noqa: RUF012

    def loaded(self, digit_model: Path) -> KoBERTTokenizer:
        return self._loaded.setdefault(digit_model, KoBERTTokenizer(digit_model))

    def test_gluonnlp_has_no_such_rule(self, digit_model: Path) -> None:
        sp = sentencepiece.SentencePieceProcessor(model_file=str(digit_model))
        tokenizer = KoBERTTokenizer(digit_model, word_split="gluonnlp")
        assert tokenizer.encode_texts(self.TEXTS) == [gluon_ids(sp, text) for text in self.TEXTS]


class TestQuirks:
    def test_modes_differ(self, tokenizer: KoBERTTokenizer, gluon_tokenizer: KoBERTTokenizer) -> None:
        assert tokenizer.tokenize("좋다.")[-1] == "."
        assert gluon_tokenizer.tokenize("좋다.")[-2:] == ["▁", "."]

    def test_special_tokens_in_text(self, tokenizer: KoBERTTokenizer, gluon_tokenizer: KoBERTTokenizer) -> None:
        assert tokenizer("[MASK]")["input_ids"] == [CLS, MASK, SEP]
        assert MASK not in gluon_tokenizer("[MASK]")["input_ids"]

    def test_added_tokens(self, vocab_file: Path) -> None:
        tokenizer = KoBERTTokenizer(vocab_file)
        assert tokenizer.add_tokens(["뷁뷁"]) == 1
        assert len(tokenizer) == 8003
        ids = tokenizer("나는 뷁뷁 좋아")["input_ids"]
        assert 8002 in ids
        assert ids == slow(tokenizer, "나는 뷁뷁 좋아")["input_ids"]

    def test_settings_reach_it_from_every_door(self, vocab_file: Path, tmp_path: Path) -> None:
        shutil.copy(vocab_file, tmp_path / "my.model")
        for load in (KoBERTTokenizer, KoBERTTokenizer.from_pretrained):
            loaded = load(vocab_file, word_split="gluonnlp", model_max_length=17)
            assert (loaded.word_split, loaded.model_max_length) == ("gluonnlp", 17)
            assert load(vocab_file, "gluonnlp").word_split == "gluonnlp"
        assert KoBERTTokenizer(vocab_file, max_len=33).model_max_length == 33
        found = KoBERTTokenizer.from_pretrained(tmp_path, vocab_file=str(vocab_file))
        assert Path(found.vocab_file) == vocab_file
        sampling = {"enable_sampling": True, "nbest_size": -1, "alpha": 0.1}
        drawn = KoBERTTokenizer(vocab_file, sp_model_kwargs=sampling)
        assert len({tuple(drawn.tokenize("아이스아메리카노를 마셨다")) for _ in range(50)}) > 1

    def test_the_model_is_saved_under_the_name_that_is_asked_for(self, vocab_file: Path, tmp_path: Path) -> None:
        tokenizer = KoBERTTokenizer(vocab_file)
        for prefix, name in ((None, "spiece.model"), ("mine", "mine-spiece.model")):
            assert tokenizer.save_vocabulary(str(tmp_path), prefix) == (str(tmp_path / name),)
            assert (tmp_path / name).read_bytes() == vocab_file.read_bytes()

    def test_what_plain_transformers_reads(self, vocab_file: Path, tmp_path: Path) -> None:
        tokenizer = KoBERTTokenizer(vocab_file, model_input_names=["input_ids", "attention_mask"])
        tokenizer.add_tokens(["뷁뷁"])
        tokenizer.save_pretrained(tmp_path / "a")
        KoBERTTokenizer.from_pretrained(tmp_path / "a").save_pretrained(tmp_path / "b")
        for folder in (tmp_path / "a", tmp_path / "b"):
            content = (folder / "tokenizer_config.json").read_text("utf-8")
            config = json.loads(content)
            assert config["tokenizer_class"] == "PreTrainedTokenizerFast"
            assert config["model_input_names"] == ["input_ids", "attention_mask"]
            assert not {"backend", "is_local", "local_files_only"} & set(config)
            assert "뷁뷁" in content, "as it is written, and not in escapes"
            [added] = [
                token
                for token in json.loads((folder / "tokenizer.json").read_text("utf-8"))["added_tokens"]
                if token["id"] >= tokenizer.vocab_size
            ]
            assert (added["content"], added["id"]) == ("뷁뷁", 8002)

    def test_a_folder_without_a_model_is_told_with_its_files(self, tmp_path: Path) -> None:
        (tmp_path / "readme.md").touch()
        with pytest.raises(TokenizerError) as caught:
            KoBERTTokenizer.from_pretrained(tmp_path)
        assert f"The folder {tmp_path} has no spiece.model. Found: ['readme.md']." in caught.value.english
        assert f"{tmp_path} 폴더에 spiece.model 파일이 없습니다. 있는 파일: ['readme.md']" in caught.value.korean

    def test_a_way_to_split_words_that_there_is_not(self, vocab_file: Path) -> None:
        with pytest.raises(TokenizerError) as caught:
            KoBERTTokenizer(vocab_file, word_split="mecab")  # type: ignore[arg-type]
        ways = "('sentencepiece', 'gluonnlp')"
        assert caught.value.english == f"word_split must be one of {ways}, found 'mecab'."
        assert caught.value.korean == f"word_split은 {ways} 가운데 하나여야 합니다: 'mecab'"

    def test_latex_quotes(self, tokenizer: KoBERTTokenizer) -> None:
        assert tokenizer.encode_texts(["``가''"]) == tokenizer.encode_texts(['"가"'])

    def test_decomposed_hangul(self, either: KoBERTTokenizer) -> None:
        text = "오늘 정말 행복했어! 최고예요… ㅋㅋ"
        assert unicodedata.normalize("NFD", text) != text
        assert either(unicodedata.normalize("NFD", text))["input_ids"] == either(text)["input_ids"]

    def test_lone_jamo_are_known(self, either: KoBERTTokenizer) -> None:
        ids = either.encode_texts(["ㅋㅋ", "ㅠㅠ"])
        assert UNK not in chain(*ids)
        assert ids[0] != ids[1]

    def test_halves_of_surrogate_pairs(self, either: KoBERTTokenizer) -> None:
        text = "좋다 \ud83d"
        assert either(text)["input_ids"][:2] == either("좋다")["input_ids"][:2]
        assert either([text])["input_ids"][0][1:-1] == either.convert_tokens_to_ids(either.tokenize(text))

    @pytest.mark.parametrize("text", ["", " ", "\n\t", "\u3000"])
    def test_blank(self, either: KoBERTTokenizer, text: str) -> None:
        assert either(text)["input_ids"] == [CLS, SEP]

    def test_very_long(self, either: KoBERTTokenizer) -> None:
        text = "좋아요. " * 20_000
        assert len(either(text)["input_ids"]) > 20_000
        assert len(either(text, truncation=True)["input_ids"]) == 512


class TestCall:
    texts = ("오늘 정말 행복했어", "싫다", "", "아침에 일어나니 비가 오고 있어서 우산을 들고 나갔다")
    seconds = ("정말?", "왜 그래 무슨 일이 있었어", "아무 말이나", "")

    def test_single_text_gives_flat_lists(self, either: KoBERTTokenizer) -> None:
        encoded = either("싫다")
        n = len(encoded["input_ids"])
        assert encoded["input_ids"][0] == CLS
        assert encoded["input_ids"][-1] == SEP
        assert encoded["token_type_ids"] == [0] * n
        assert encoded["attention_mask"] == [1] * n

    def test_list_of_one_gives_nested_lists(self, either: KoBERTTokenizer) -> None:
        assert either(["싫다"])["input_ids"] == [either("싫다")["input_ids"]]

    def test_tuple_is_a_batch(self, either: KoBERTTokenizer) -> None:
        assert either(self.texts)["input_ids"] == either(list(self.texts))["input_ids"]

    def test_empty_batch(self, either: KoBERTTokenizer) -> None:
        assert dict(either([])) == {"input_ids": [], "token_type_ids": [], "attention_mask": []}
        assert either([], padding=True)["input_ids"] == []

    def test_pairs(self, either: KoBERTTokenizer) -> None:
        a, b = either.encode_texts([self.texts[0], self.seconds[0]])
        encoded = either(self.texts[0], self.seconds[0])
        assert encoded["input_ids"] == [CLS, *a, SEP, *b, SEP]
        assert encoded["token_type_ids"] == [0] * (len(a) + 2) + [1] * (len(b) + 1)
        assert either([(self.texts[0], self.seconds[0])])["input_ids"] == [encoded["input_ids"]]

    def test_pairs_of_unequal_number(self, either: KoBERTTokenizer) -> None:
        with pytest.raises(ValueError, match="same length"):
            either(["가", "나"], ["다"])

    @pytest.mark.parametrize("value", [None, 3, 1.5, ["가", None], ["가", 3]])
    def test_no_text(self, either: KoBERTTokenizer, value: Any) -> None:
        with pytest.raises((ValueError, TypeError)):
            either(value)

    def test_padding_is_on_the_right(self, either: KoBERTTokenizer) -> None:
        encoded = either(list(self.texts), padding=True)
        longest = max(map(len, either(list(self.texts))["input_ids"]))
        for name, filler in (("input_ids", PAD), ("token_type_ids", 0), ("attention_mask", 0)):
            bare = either(list(self.texts))[name]
            assert encoded[name] == [row + [filler] * (longest - len(row)) for row in bare]

    @pytest.mark.parametrize("kind", ["pt", "np"])
    def test_tensors(self, either: KoBERTTokenizer, kind: str) -> None:
        encoded = either(list(self.texts), padding="max_length", max_length=20, truncation=True, return_tensors=kind)
        ids = encoded["input_ids"]
        assert isinstance(ids, torch.Tensor if kind == "pt" else np.ndarray)
        assert tuple(ids.shape) == (4, 20)
        assert str(ids.dtype).endswith("int64")
        single = either("싫다", return_tensors=kind)["input_ids"]
        assert single.tolist() == [either("싫다")["input_ids"]]

    def test_one_text_is_padded_too(self, either: KoBERTTokenizer) -> None:
        for text in ("싫다", ["싫다"]):
            [*row] = np.ravel(either(text, padding="max_length", max_length=9)["input_ids"])
            assert row == either("싫다")["input_ids"] + [PAD] * (9 - len(either("싫다")["input_ids"]))

    def test_without_types_and_mask(self, either: KoBERTTokenizer) -> None:
        assert list(either("가", return_token_type_ids=False, return_attention_mask=False)) == ["input_ids"]
        padded = either(["가", "가 나"], padding=True, return_attention_mask=False)
        assert sorted(padded) == ["input_ids", "token_type_ids"]

    def test_model_input_names_decide_columns(self, vocab_file: Path) -> None:
        tokenizer = KoBERTTokenizer(vocab_file, model_input_names=["input_ids", "attention_mask"])
        assert sorted(tokenizer("가")) == ["attention_mask", "input_ids"] == sorted(slow(tokenizer, "가"))
        assert "token_type_ids" in tokenizer("가", return_token_type_ids=True)

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"truncation": True, "max_length": 8},
            {"truncation": "longest_first", "max_length": 7, "padding": "max_length"},
            {"truncation": "only_first", "max_length": 9},
            {"padding": True, "pad_to_multiple_of": 8},
            {"padding": "max_length", "max_length": 40},
            {"padding": True, "padding_side": "left"},
            {"add_special_tokens": False},
            {"return_length": True},
            {"padding": True, "truncation": False, "max_length": 5},
            {"return_special_tokens_mask": True},
            {"padding": True, "return_tensors": "np"},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("paired", [False, True])
    def test_equals_transformers_own_path(self, either: KoBERTTokenizer, options: dict[str, Any], paired: bool) -> None:
        texts = [text + " 그리고 길게 덧붙인 말이 있다" for text in self.texts]
        pairs = list(self.seconds) if paired else None
        base = copy.copy(either)
        base.__class__ = type("Plain", (KoBERTTokenizer,), {"_encode_plus": SentencePieceBackend._encode_plus})
        ours, theirs = either(texts, pairs, **options), base(texts, pairs, **options)
        assert sorted(ours) == sorted(theirs)
        for name in ours:
            assert np.array_equal(np.asarray(ours[name], object), np.asarray(theirs[name], object)), name

    def test_truncation_side(self, vocab_file: Path) -> None:
        tokenizer = KoBERTTokenizer(vocab_file, truncation_side="left")
        ids = tokenizer.encode_texts(["가 나 다 라 마"])[0]
        assert tokenizer("가 나 다 라 마", truncation=True, max_length=4)["input_ids"] == [CLS, *ids[-2:], SEP]

    def test_split_into_words(self, tokenizer: KoBERTTokenizer) -> None:
        words = ["오늘", "정말", "행복했어"]
        expected = list(chain.from_iterable(tokenizer.encode_texts(words)))
        assert tokenizer(words, is_split_into_words=True)["input_ids"] == [CLS, *expected, SEP]

    def test_overflowing_tokens(self, tokenizer: KoBERTTokenizer) -> None:
        text = "가 나 다 라 마 바"
        encoded = tokenizer(text, truncation=True, max_length=5, return_overflowing_tokens=True)
        assert encoded["overflowing_tokens"] == tokenizer.encode_texts([text])[0][3:]

    def test_split_special_tokens(self, tokenizer: KoBERTTokenizer) -> None:
        assert MASK in tokenizer("가 [MASK] 나")["input_ids"]
        assert MASK not in tokenizer("가 [MASK] 나", split_special_tokens=True)["input_ids"]

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"truncation_side": "left"},
            {"split_special_tokens": True},
            {"model_input_names": ["input_ids", "attention_mask"]},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("limit", [None, 7])
    @pytest.mark.parametrize("paired", [False, True])
    def test_rows_are_those_of_a_call(
        self, either: KoBERTTokenizer, options: dict[str, Any], limit: int | None, paired: bool
    ) -> None:
        tokenizer = KoBERTTokenizer(either.vocab_file, word_split=either.word_split, **options)
        texts, pairs = (*self.texts, "가 [MASK] 나"), (*self.seconds, "[SEP] 다") if paired else None
        expected = slow(
            tokenizer,
            list(texts),
            pairs and list(pairs),
            truncation_strategy=TruncationStrategy("do_not_truncate" if limit is None else "longest_first"),
            max_length=limit,
            split_special_tokens=tokenizer.split_special_tokens,
            return_attention_mask=False,
        )
        assert tokenizer.encode_rows(texts, pairs, limit) == dict(expected)

    @settings(max_examples=150, deadline=None)
    @given(
        texts=st.lists(with_specials, min_size=1, max_size=4),
        limit=st.one_of(st.none(), st.integers(3, 20)),
        gluon=st.booleans(),
        paired=st.booleans(),
    )
    def test_random_batches_equal_transformers_own_path(
        self,
        tokenizer: KoBERTTokenizer,
        gluon_tokenizer: KoBERTTokenizer,
        texts: list[str],
        limit: int | None,
        gluon: bool,
        paired: bool,
    ) -> None:
        chosen = gluon_tokenizer if gluon else tokenizer
        pairs = texts[::-1] if paired else None
        truncation = TruncationStrategy.DO_NOT_TRUNCATE if limit is None else TruncationStrategy.LONGEST_FIRST
        theirs = slow(chosen, texts, pairs, truncation_strategy=truncation, max_length=limit)
        ours = chosen(texts, pairs, truncation=limit is not None, max_length=limit)
        assert {name: ours[name] for name in ours} == {name: theirs[name] for name in theirs}

    def test_order_and_batch_do_not_matter(self, either: KoBERTTokenizer) -> None:
        alone = [either(text)["input_ids"] for text in TRICKY]
        assert either(TRICKY)["input_ids"] == alone
        assert either(TRICKY[::-1])["input_ids"] == alone[::-1]


class TestDecode:
    def test_text_comes_back(self, tokenizer: KoBERTTokenizer) -> None:
        text = "한국어 모델을 공유합니다."
        assert tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True) == text

    def test_special_tokens_are_shown(self, tokenizer: KoBERTTokenizer) -> None:
        shown = tokenizer.decode(tokenizer("가")["input_ids"])
        assert shown.replace(" ", "") == "[CLS]가[SEP]"

    def test_batch(self, tokenizer: KoBERTTokenizer) -> None:
        texts = ["오늘 정말 행복했어", "화나"]
        assert tokenizer.batch_decode(tokenizer(texts, padding=True)["input_ids"], skip_special_tokens=True) == texts

    def test_vocabulary(self, tokenizer: KoBERTTokenizer) -> None:
        assert len(tokenizer) == tokenizer.vocab_size == 8002
        assert tokenizer.convert_ids_to_tokens([0, 1, 2, 3, 4]) == ["[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]"]
        assert sorted(tokenizer.get_vocab().values()) == list(range(8002))


class TestFiles:
    def test_round_trip(self, either: KoBERTTokenizer, vocab_file: Path, tmp_path: Path) -> None:
        saved = KoBERTTokenizer(vocab_file, word_split=either.word_split, model_max_length=48)
        saved.save_pretrained(tmp_path)
        loaded = KoBERTTokenizer.from_pretrained(tmp_path)
        assert loaded.word_split == either.word_split
        assert loaded.model_max_length == 48
        assert loaded.vocab_sha256 == either.vocab_sha256
        assert loaded(TRICKY)["input_ids"] == either(TRICKY)["input_ids"]
        assert (tmp_path / "spiece.model").read_bytes() == vocab_file.read_bytes()

    def test_saving_twice_writes_the_same(self, tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
        tokenizer.save_pretrained(tmp_path / "a")
        KoBERTTokenizer.from_pretrained(tmp_path / "a").save_pretrained(tmp_path / "b")
        KoBERTTokenizer.from_pretrained(tmp_path / "b").save_pretrained(tmp_path / "b")  # onto itself
        names = sorted(os.listdir(tmp_path / "a"))
        assert (
            names == ["spiece.model", "tokenizer.json", "tokenizer_config.json"] == sorted(os.listdir(tmp_path / "b"))
        )
        for name in ("spiece.model", "tokenizer.json"):
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()

    def test_word_split_can_be_overridden(self, tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
        tokenizer.save_pretrained(tmp_path)
        assert KoBERTTokenizer.from_pretrained(tmp_path, word_split="gluonnlp").word_split == "gluonnlp"

    def test_bare_folder_file_and_default(self, tokenizer: KoBERTTokenizer, vocab_file: Path, tmp_path: Path) -> None:
        shutil.copy(vocab_file, tmp_path)
        expected = tokenizer(TRICKY)["input_ids"]
        for source in (tmp_path, str(tmp_path), tmp_path / "spiece.model", str(tmp_path / "spiece.model"), "default"):
            loaded = KoBERTTokenizer.from_pretrained(source)
            assert loaded(TRICKY)["input_ids"] == expected
            assert loaded.model_max_length == (128 if source == "default" else 512)
            assert loaded.pad_token_id == PAD

    def test_hub_layout(self, tokenizer: KoBERTTokenizer, vocab_file: Path, tmp_path: Path) -> None:
        shutil.copy(vocab_file, tmp_path)
        mask = {"content": "[MASK]", "single_word": False, "lstrip": True, "rstrip": False, "normalized": False}
        config = {
            "do_lower_case": False,
            "remove_space": True,
            "keep_accents": False,
            "bos_token": "[CLS]",
            "eos_token": "[SEP]",
            "unk_token": "[UNK]",
            "sep_token": "[SEP]",
            "pad_token": "[PAD]",
            "cls_token": "[CLS]",
            "mask_token": {"__type": "AddedToken", **mask},
            "additional_special_tokens": None,
            "special_tokens_map_file": None,
            "name_or_path": "skt/kobert-base-v1",
            "tokenizer_class": "XLNetTokenizer",
        }
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
        special = {name: config[name] for name in config if name.endswith("_token") and name != "mask_token"}
        (tmp_path / "special_tokens_map.json").write_text(json.dumps({**special, "mask_token": mask}))
        loaded = KoBERTTokenizer.from_pretrained(tmp_path)
        assert loaded(TRICKY, TRICKY[::-1]).data == tokenizer(TRICKY, TRICKY[::-1]).data
        assert loaded.padding_side == "right"
        assert len(loaded) == 8002
        assert loaded(["가", "가 나"], padding=True)["input_ids"][0][-1] == PAD

    def test_folder_without_vocabulary(self, tmp_path: Path) -> None:
        (tmp_path / "vocab.txt").write_text("x")
        with pytest.raises(TokenizerError) as caught:
            KoBERTTokenizer.from_pretrained(tmp_path)
        assert "has no spiece.model" in caught.value.english
        assert "spiece.model 파일이 없습니다" in caught.value.korean
        assert "vocab.txt" in str(caught.value)

    @pytest.mark.parametrize("content", [b"", b"garbage", b"\x00" * 1000])
    @pytest.mark.parametrize("bare", [True, False])
    def test_garbage(self, tmp_path: Path, content: bytes, bare: bool) -> None:
        file = tmp_path / "spiece.model"
        file.write_bytes(content)
        with pytest.raises(TokenizerError, match=r"Not a readable SentencePiece model: .*spiece\.model"):
            KoBERTTokenizer.from_pretrained(file if bare else tmp_path)

    def test_unreachable_hub(self) -> None:
        with pytest.raises(TokenizerError, match="Cannot load a tokenizer from nobody/has-this"):
            KoBERTTokenizer.from_pretrained("nobody/has-this")

    def test_unknown_word_split(self, vocab_file: Path) -> None:
        with pytest.raises(TokenizerError, match=r"word_split must be one of .* found 'mecab'"):
            KoBERTTokenizer(vocab_file, word_split="mecab")  # type: ignore[arg-type]

    def test_pickle_and_copy(self, either: KoBERTTokenizer) -> None:
        expected = either(TRICKY)["input_ids"]
        for twin in (pickle.loads(pickle.dumps(either)), copy.deepcopy(either)):  # noqa: S301 - our own bytes
            assert twin(TRICKY)["input_ids"] == expected
            assert twin.word_split == either.word_split


class TestTokenizerJson:
    def test_plain_auto_tokenizer(self, either: KoBERTTokenizer, tmp_path: Path, plain: CodeProcess) -> None:
        saved = copy.copy(either)
        saved.save_pretrained(tmp_path)
        rows, specials, side, length = plain.run(f"""
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained({str(tmp_path)!r})
texts = ["오늘 정말 행복했어", "좋다. 정말?", "ㅠㅠ 싫다"]
rows = tokenizer(texts, texts[::-1], padding=True)
specials = [tokenizer.pad_token_id, tokenizer.cls_token_id, tokenizer.sep_token_id, len(tokenizer)]
result = [dict(rows), specials, tokenizer.padding_side, tokenizer.model_max_length]
""")
        texts = ["오늘 정말 행복했어", "좋다. 정말?", "ㅠㅠ 싫다"]
        assert rows == dict(either(texts, texts[::-1], padding=True))
        assert specials == [PAD, CLS, SEP, 8002]
        assert (side, length) == ("right", 512)

    def test_measured_share(
        self, golden: list[dict[str, Any]], kobert: KoBERTTokenizer, kobert_gluon: KoBERTTokenizer
    ) -> None:
        texts = [row["text"] for row in golden[::2]]
        engine = build_tokenizer_json(kobert.sp_model, "sentencepiece")
        same = [e.ids == row["hf"] for e, row in zip(engine.encode_batch(texts), golden[::2], strict=True)]
        assert np.mean(same) >= 0.998
        engine = build_tokenizer_json(kobert_gluon.sp_model, "gluonnlp")
        engine.enable_truncation(GLUON_LENGTH)
        same = [e.ids == row["gluon"] for e, row in zip(engine.encode_batch(texts), golden[::2], strict=True)]
        assert np.mean(same) >= 0.9995
