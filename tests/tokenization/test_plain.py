"""The tokenizer without transformers gives the ids of `KoBERTTokenizer`, and leaves to it what it does not know."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from golden_tokens import TRICKY
from hypothesis import given, settings
from hypothesis import strategies as st
from sentences import sentences

from kobert_hf_emotion.tokenization.plain import PlainTokenizer
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

TEXTS = [*TRICKY, *(text for text, _ in sentences(3)), "1,000원과 2,500,000원 3, 4,", "ㅋㅋㅋ ㅠㅠ 🎉", "가나다 " * 300]
WRITTEN_OUT = "[CLS] 문장 [SEP][MASK]"
SPLITS = ("sentencepiece", "gluonnlp")
PIECES = [*"가힣ㄱㄶ a1,0.９é\t\u3000`'\"😀", "10,", "``", "마ㄶ", "1,234"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, vocab_file: Path) -> dict[str, Path]:
    """A folder that `save_pretrained` wrote for each way of splitting words."""
    found = {}
    for split in SPLITS:
        found[split] = tmp_path_factory.mktemp(split)
        KoBERTTokenizer(vocab_file, word_split=split, model_max_length=40).save_pretrained(found[split])  # type: ignore[arg-type]
    return found


def both(folder: Path) -> tuple[PlainTokenizer, KoBERTTokenizer]:
    plain = PlainTokenizer.of_folder(folder)
    assert plain is not None
    return plain, KoBERTTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def opened(folders: dict[str, Path]) -> list[tuple[PlainTokenizer, KoBERTTokenizer]]:
    return list(map(both, folders.values()))


@pytest.mark.parametrize("split", SPLITS)
def test_the_ids_are_those_of_kobert_tokenizer(folders: dict[str, Path], split: str) -> None:
    plain, full = both(folders[split])
    texts = [text for text in TEXTS if plain.reads([text])]
    assert len(texts) >= len(TEXTS) - 1
    assert plain(texts, verbose=False)["input_ids"] == full(texts, verbose=False)["input_ids"]
    assert plain.encode_rows(texts, max_length=12) == full.encode_rows(texts, max_length=12)
    turned = texts[::-1]
    assert plain.encode_rows(texts, turned, 12) == full.encode_rows(texts, turned, 12)
    assert plain.encode_rows(texts, turned) == full.encode_rows(texts, turned)
    assert plain(texts, turned, verbose=False)["input_ids"] == full(texts, turned, verbose=False)["input_ids"]
    with pytest.raises(TypeError, match="truncation"):
        plain(texts, truncation=True)


@pytest.mark.parametrize("split", SPLITS)
def test_what_predicting_asks_of_it_is_the_same(folders: dict[str, Path], split: str) -> None:
    plain, full = both(folders[split])
    names = ("unk_token_id", "pad_token_id", "cls_token_id", "sep_token_id", "pad_token_type_id", "vocab_sha256")
    for name in (*names, "model_max_length", "model_input_names", "word_split"):
        assert getattr(plain, name) == getattr(full, name), name
    assert sorted(plain.all_special_ids) == sorted(full.all_special_ids)
    assert len(plain) == len(full)
    assert plain.num_special_tokens_to_add() == full.num_special_tokens_to_add()
    for pair in (False, True):
        assert plain.num_special_tokens_to_add(pair) == full.num_special_tokens_to_add(pair)


def test_special_tokens_written_out_are_left_to_transformers(folders: dict[str, Path]) -> None:
    plain, full = both(folders["sentencepiece"])
    assert not plain.reads(["오늘", WRITTEN_OUT])
    assert plain([WRITTEN_OUT])["input_ids"] != full([WRITTEN_OUT])["input_ids"], "else it need not be left to it"
    gluon, full = both(folders["gluonnlp"])
    assert gluon.reads([WRITTEN_OUT]), "gluonnlp knows none inside text"
    assert gluon([WRITTEN_OUT])["input_ids"] == full([WRITTEN_OUT])["input_ids"]


@settings(deadline=None)
@given(text=st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text_has_the_same_ids(opened: list[tuple[PlainTokenizer, KoBERTTokenizer]], text: str) -> None:
    for plain, full in opened:
        assert plain.encode_rows([text]) == full.encode_rows([text])


def test_the_file_of_the_known_hash_is_not_looked_through(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folders["sentencepiece"]
    expected = PlainTokenizer.of_folder(folder)
    assert expected is not None
    monkeypatch.setattr("kobert_hf_emotion.tokenization.plain.load_pieces", None)
    known = PlainTokenizer.of_folder(folder, expected.vocab_sha256)
    assert known is not None
    assert known(TEXTS[:4]) == expected(TEXTS[:4])
    with pytest.raises(TypeError):
        PlainTokenizer.of_folder(folder, "0" * 64)


@pytest.mark.parametrize(
    "unusual",
    [
        {"cls_token": "<s>"},
        {"mask_token": {"content": "[MASK]", "lstrip": True}},
        {"additional_special_tokens": ["[NAME]"]},
        {"added_tokens_decoder": {"8002": {"content": "[NAME]"}}},
        {"added_tokens_decoder": {"7": {"content": "[CLS]"}}},
        {"do_lower_case": True},
        {"padding_side": "left"},
        {"truncation_side": "left"},
        {"sp_model_kwargs": {"enable_sampling": True}},
        {"word_split": "spaces"},
        {"model_max_length": "64"},
        {"something_new": 1},
    ],
    ids=str,
)
def test_unusual_settings_are_left_to_transformers(
    folders: dict[str, Path], tmp_path: Path, unusual: dict[str, Any]
) -> None:
    folder = tmp_path / "tokenizer"
    shutil.copytree(folders["sentencepiece"], folder)
    assert PlainTokenizer.of_folder(folder) is not None
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | unusual), encoding="utf-8")
    assert PlainTokenizer.of_folder(folder) is None


@pytest.mark.parametrize("written", [None, {}, {"tokenizer_class": "KoBERTTokenizer", "do_lower_case": False}], ids=str)
def test_settings_that_say_little_are_the_usual_ones(
    vocab_file: Path, tmp_path: Path, written: dict[str, Any] | None
) -> None:
    shutil.copy(vocab_file, tmp_path / "spiece.model")
    if written is not None:
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(written), encoding="utf-8")
    plain, full = both(tmp_path)
    assert plain(TEXTS[:4])["input_ids"] == full(TEXTS[:4])["input_ids"]
    assert (plain.model_max_length, plain.word_split) == (full.model_max_length, full.word_split)


@pytest.mark.parametrize("name", ["added_tokens.json", "special_tokens_map.json"])
def test_other_files_of_settings_are_left_to_transformers(folders: dict[str, Path], tmp_path: Path, name: str) -> None:
    folder = tmp_path / "tokenizer"
    shutil.copytree(folders["sentencepiece"], folder)
    (folder / name).write_text("{}", encoding="utf-8")
    assert PlainTokenizer.of_folder(folder) is None


def test_a_folder_without_a_sentencepiece_model_is_another_tokenizers(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[UNK]\n오늘\n##은\n", encoding="utf-8")
    assert PlainTokenizer.of_folder(tmp_path) is None
