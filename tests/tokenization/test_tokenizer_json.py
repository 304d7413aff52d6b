"""The `tokenizer.json` that other engines read: steps that they know, and normalization as the model's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from golden_tokens import TRICKY
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer
from transformers import AutoTokenizer

from kobert_hf_emotion import KoBERTTokenizer
from kobert_hf_emotion.tokenization.fast_tokenizer import build_tokenizer_json, tokenizer_json
from kobert_hf_emotion.tokenization.normalization import prepare_gluonnlp, prepare_xlnet

# Of `@huggingface/tokenizers` 0.2, which transformers.js 4 reads the file with.
KNOWN_TO_JAVASCRIPT = {"Sequence", "Replace", "NFC", "NFD", "NFKC", "NFKD", "Strip", "BertNormalizer"}
HARD = [
    *"가힣각ㄱㅏㄶᄒ\u1161\u11ab\u1112 a1é½①㎏％ﾊ漢豈Ⅳ",
    *"\t\n\v\f\r\x1c\x1f\x85\xa0\u1680\u2003\u2028\u2029\u202f\u3000",  # white space
    *"\u00ad\u061c\u200b\u200c\u200d\u200e\u2060\ufeff\ufffd\u2581",  # zero width, and what stands for a space
    *"\x00\x01\x08\x0e\x1b\x7f\x8f\x9f",
    *"\u0301\u0345\ufe0f\u20e3\u0904\u0941",  # combining, or Mn alone
    *"😀👍🏽❤🇰",
    "``",
    "''",
    *TRICKY[:10],
]
TEXTS = st.lists(st.sampled_from(HARD), max_size=12).map("".join)


@pytest.fixture(scope="module", params=["default", "kobert"])
def vocab(request: pytest.FixtureRequest, vocab_file: Path) -> Path:
    if request.param == "default":
        return vocab_file
    found: Path = request.getfixturevalue("shared") / "kobert" / "spiece.model"
    return found


@pytest.fixture(scope="module")
def plain(vocab: Path) -> KoBERTTokenizer:
    return KoBERTTokenizer(vocab)


@pytest.fixture(scope="module")
def engines(plain: KoBERTTokenizer) -> dict[str, Tokenizer]:
    return {split: build_tokenizer_json(plain.sp_model, split) for split in ("sentencepiece", "gluonnlp")}


def test_it_is_made_once_and_stays_each_models_own(
    engines: dict[str, Tokenizer], plain: KoBERTTokenizer, tmp_path: Path
) -> None:
    for split, engine in engines.items():
        engine.save(str(tmp_path / split))
        expected = (tmp_path / split).read_text("utf-8")
        assert tokenizer_json(plain.sp_model, split) == expected
        longer = json.loads(tokenizer_json(plain.sp_model, split, [AddedToken("뷁뷁")]))
        assert longer["normalizer"] == json.loads(expected)["normalizer"]
        added = longer["added_tokens"]
        assert (added[-1]["content"], added[-1]["id"]) == ("뷁뷁", 8002)
        assert tokenizer_json(plain.sp_model, split) == expected
        assert split == "sentencepiece" or expected != tokenizer_json(plain.sp_model, "sentencepiece")


def test_javascript_knows_every_step(engines: dict[str, Tokenizer]) -> None:
    for engine in engines.values():
        steps = json.loads(engine.to_str())["normalizer"]["normalizers"]
        assert {step["type"] for step in steps} <= KNOWN_TO_JAVASCRIPT
        for step in steps:
            if "Regex" in step.get("pattern", {}):
                assert step["pattern"]["Regex"] == r"\p{Mn}" or "\\" not in step["pattern"]["Regex"]


def normalized(tokenizer: KoBERTTokenizer, text: str) -> str:
    """What SentencePiece makes of a text before it looks for pieces, with spaces as such."""
    found: str = tokenizer.sp_model.normalize(text)
    return found.replace("▁", " ").strip()


@given(text=TEXTS)
@example(text="가\x01\u11ab")  # a final consonant that a dropped character keeps from its syllable
@settings(max_examples=300, deadline=None)
def test_normalization_is_the_models_own(engines: dict[str, Tokenizer], plain: KoBERTTokenizer, text: str) -> None:
    assert engines["sentencepiece"].normalizer.normalize_str(text) == normalized(plain, prepare_xlnet(text))


@given(text=TEXTS)
@settings(max_examples=300, deadline=None)
def test_words_are_gluonnlps(engines: dict[str, Tokenizer], plain: KoBERTTokenizer, text: str) -> None:
    engine = engines["gluonnlp"]
    words = [word for word, _ in engine.pre_tokenizer.pre_tokenize_str(engine.normalizer.normalize_str(text))]
    expected = " ".join(normalized(plain, word) for word in prepare_gluonnlp(text))
    assert [word.removeprefix("▁") for word in words] == expected.split()


def test_a_folder_with_the_former_steps_still_opens(tmp_path: Path, plain: KoBERTTokenizer) -> None:
    plain.save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "tokenizer.json").read_text("utf-8"))
    quotes = [step for step in saved["normalizer"]["normalizers"] if "String" in step.get("pattern", {})]
    marks = {"type": "Replace", "pattern": {"Regex": r"\p{Mn}"}, "content": ""}
    spaces = {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "}
    strip = {"type": "Strip", "strip_left": True, "strip_right": True}
    former = [*quotes, {"type": "NFKD"}, marks, {"type": "Nmt"}, {"type": "NFKC"}, spaces, strip]
    saved["normalizer"]["normalizers"] = former
    (tmp_path / "tokenizer.json").write_text(json.dumps(saved), "utf-8")
    text = "오늘 정말 행복했어"
    assert AutoTokenizer.from_pretrained(tmp_path)(text)["input_ids"] == plain(text)["input_ids"]
    assert KoBERTTokenizer.from_pretrained(tmp_path)(text)["input_ids"] == plain(text)["input_ids"]
