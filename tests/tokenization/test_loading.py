"""Which files of a folder become its tokenizer, and how many tokens of a text it keeps."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any, get_args

import pytest
import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as protobuf
from small_encoders import word_piece
from tokenizers import Tokenizer
from transformers import BertConfig, RobertaConfig

from kobert_hf_emotion.errors import TokenizerError
from kobert_hf_emotion.tokenization.fast_tokenizer import character_classes, scores_never_used, tokenizer_json
from kobert_hf_emotion.tokenization.loading import load_tokenizer
from kobert_hf_emotion.tokenization.model_files import cap_length, find_file, find_sentencepiece, fit_length
from kobert_hf_emotion.tokenization.pieces import WordSplit
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer
from kobert_hf_emotion.tokenization.vocabulary import vocabulary_sha256


def test_files_are_found_in_a_folder_and_in_one_below_it(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "vocab.json").touch()
    (tmp_path / "vocab.txt").mkdir()
    below = {"subfolder": "below"}
    assert find_file(str(tmp_path), "vocab.json", below) == str(tmp_path / "below" / "vocab.json")
    assert find_file(str(tmp_path), "vocab.json", {}) is None
    assert find_file(str(tmp_path), "vocab.json", {"subfolder": ""}) is None
    assert find_file(str(tmp_path), "vocab.txt", {}) is None, "a folder of that name"
    assert find_file("nobody/has-this", "vocab.txt", {}) is None


@pytest.mark.parametrize("options", [{}, {"subfolder": "below"}])
def test_a_sentencepiece_model_of_any_name_is_found_where_there_is_no_other_vocabulary(
    vocab_file: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    folder = tmp_path / options.get("subfolder", "")
    folder.mkdir(exist_ok=True)
    assert find_sentencepiece(str(tmp_path), options) is None
    (folder / "notes.txt").touch()
    (folder / "a.model").mkdir()
    shutil.copy(vocab_file, folder / "mine.spiece")
    assert find_sentencepiece(str(tmp_path), options) == str(folder / "mine.spiece")
    (folder / "vocab.txt").write_text("[UNK]\n오늘\n##은\n", encoding="utf-8")
    assert find_sentencepiece(str(tmp_path), options) is None, "that is WordPiece's"
    (folder / "vocab.txt").write_text("[UNK]\n▁오늘\n▁은\n", encoding="utf-8")
    assert find_sentencepiece(str(tmp_path), options) == str(folder / "mine.spiece")
    (folder / "tokenizer.json").touch()
    assert find_sentencepiece(str(tmp_path), options) is None, "the folder's tokenizer is made of something else"
    for name in ("tokenizer_78b3253a26.model", "spiece.model"):  # the names it is published under come first
        shutil.copy(vocab_file, folder / name)
        assert find_sentencepiece(str(tmp_path), options) == str(folder / name)


def test_a_tokenizer_keeps_no_more_tokens_than_the_model_beside_it_reads(tmp_path: Path) -> None:
    tokenizer = word_piece()
    for written, before, after in (
        (None, 99, 99),
        ({"model_type": "bert", "max_position_embeddings": 40}, 99, 40),
        ({"model_type": "bert", "max_position_embeddings": 40}, 30, 30),
        ({"model_type": "roberta", "max_position_embeddings": 40, "pad_token_id": 1}, 99, 38),
        ({"model_type": "nothing like it"}, 99, 99),
    ):
        if written is not None:
            (tmp_path / "config.json").write_text(json.dumps(written), encoding="utf-8")
        tokenizer.model_max_length = before
        cap_length(tokenizer, str(tmp_path), {})
        assert tokenizer.model_max_length == after
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    cap_length(tokenizer, str(tmp_path), {})
    assert tokenizer.model_max_length == 99


@pytest.mark.parametrize(
    "config", ["[]", "3", '{"model_type": "bert", "max_position_embeddings": "many"}', '{"model_type": 7}']
)
def test_a_configuration_that_says_nothing_is_left_to_the_model(tmp_path: Path, config: str) -> None:
    (tmp_path / "config.json").write_text(config, encoding="utf-8")
    tokenizer = word_piece()
    tokenizer.model_max_length = 99
    cap_length(tokenizer, str(tmp_path), {})
    assert tokenizer.model_max_length == 99


@pytest.mark.parametrize("below", ["", "below"])
@pytest.mark.parametrize("kind", ["kobert", "other"])
def test_settings_and_places_reach_what_is_loaded(vocab_file: Path, tmp_path: Path, kind: str, below: str) -> None:
    folder = tmp_path / below
    place = {"subfolder": below} if below else {}
    folder.mkdir(exist_ok=True)
    (word_piece() if kind == "other" else KoBERTTokenizer(vocab_file)).save_pretrained(folder)
    config = {"model_type": "bert", "max_position_embeddings": 40}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    loaded = load_tokenizer(tmp_path, **place)
    assert isinstance(loaded, KoBERTTokenizer) == (kind == "kobert")
    assert loaded.model_max_length == 40
    assert load_tokenizer(tmp_path, model_max_length=17, **place).model_max_length == 17
    assert load_tokenizer(tmp_path, padding_side="left", **place).padding_side == "left"


def test_one_that_another_model_uses_too_is_left_as_it_is() -> None:
    tokenizer = word_piece()
    tokenizer.model_max_length = 40
    for config in (BertConfig(max_position_embeddings=40), BertConfig(max_position_embeddings=64)):
        assert fit_length(tokenizer, config) is tokenizer
    fitted = fit_length(tokenizer, RobertaConfig(max_position_embeddings=40, pad_token_id=1))
    assert (fitted.model_max_length, tokenizer.model_max_length) == (38, 40)
    assert fitted("오늘")["input_ids"] == tokenizer("오늘")["input_ids"]


def test_words_are_split_in_another_way_by_kobert_alone(tmp_path: Path) -> None:
    word_piece().save_pretrained(tmp_path)
    assert load_tokenizer(tmp_path, word_split=None)("오늘")["input_ids"] == word_piece()("오늘")["input_ids"]
    with pytest.raises(TokenizerError) as caught:
        load_tokenizer(tmp_path, word_split="gluonnlp")
    assert caught.value.english.endswith(f"and {tmp_path} has no spiece.model.")
    assert f"{tmp_path}에는 spiece.model이 없습니다" in caught.value.korean


def test_one_that_is_written_in_python_opens_too(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "ctrl"}', encoding="utf-8")
    (tmp_path / "vocab.json").write_text(json.dumps({"<unk>": 0, "오@@": 1, "늘": 2}), encoding="utf-8")
    (tmp_path / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    loaded = load_tokenizer(tmp_path)
    assert not loaded.is_fast
    assert loaded("오늘")["input_ids"] == [1, 2]


def test_what_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match=re.escape(f"The folder {tmp_path} has no spiece.model. Found: [].")):
        load_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(TokenizerError) as caught:
        load_tokenizer(tmp_path)
    assert caught.value.english.startswith(f"Cannot load the tokenizer of {tmp_path}. Cause: ")
    assert caught.value.korean.endswith(str(tmp_path))


def test_a_vocabulary_is_known_by_its_entries_in_the_order_of_their_ids(tokenizer: KoBERTTokenizer) -> None:
    other = word_piece()
    entries = other.convert_ids_to_tokens(range(len(other)))
    lines = "".join(f"{number}\t{entry}\n" for number, entry in enumerate(entries))
    assert vocabulary_sha256(other) == hashlib.sha256(lines.encode()).hexdigest()
    assert vocabulary_sha256(tokenizer) == hashlib.sha256(Path(tokenizer.vocab_file).read_bytes()).hexdigest()


def test_pieces_that_are_split_again_are_known_with_their_scores(digit_model: Path) -> None:
    model = sentencepiece.SentencePieceProcessor(model_file=str(digit_model))
    pieces = {model.id_to_piece(number): model.get_score(number) for number in range(model.get_piece_size())}
    again = {piece: score for piece, score in pieces.items() if re.search(r"\d,\Z", piece)}
    assert {"▁1,", "2,", "33,"} <= set(again)
    assert scores_never_used(model) == again
    for split in get_args(WordSplit):
        written = dict(json.loads(tokenizer_json(model, split))["model"]["vocab"])
        withheld = {piece for piece, score in written.items() if score == -1e6}
        assert withheld == {*again, "[PAD]", "[CLS]", "[SEP]", "[MASK]"}
        assert {piece: written[piece] for piece in set(written) - withheld} == {
            piece: score for piece, score in pieces.items() if piece not in withheld
        }


def test_a_model_that_removes_nothing(vocab_file: Path) -> None:
    written = protobuf.ModelProto.FromString(vocab_file.read_bytes())
    written.normalizer_spec.ClearField("precompiled_charsmap")
    model = sentencepiece.SentencePieceProcessor(model_proto=written.SerializeToString())
    assert model.normalize("가\u200b나") == "▁가\u200b나"
    assert character_classes(model)["removed"] == ""
    engine = Tokenizer.from_str(tokenizer_json(model, "sentencepiece"))
    assert engine.normalizer.normalize_str("가\u200b나  다") == "가\u200b나 다"


def test_a_browser_is_told_what_the_model_removes(vocab_file: Path) -> None:
    model = sentencepiece.SentencePieceProcessor(model_file=str(vocab_file))
    classes = character_classes(model)
    for character in map(chr, [*range(0x250), *range(0x2000, 0x2070), *range(0xFE00, 0xFE10), 0x3000, 0xFEFF]):
        if character in "-[]\\^":
            continue
        normalized = model.normalize(f"가{character}나").replace("▁", " ").strip()
        removed = re.fullmatch(classes["removed"] or r"(?!)", character)
        if character.isspace() or normalized == "가 나":
            assert re.fullmatch(classes["spaces"], character)
            assert not removed
        else:
            assert bool(removed) == (normalized == "가나")
