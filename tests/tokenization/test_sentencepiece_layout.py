"""SentencePiece models as KoBERT's files hold them: every door gives the vocabulary's ids, or an error."""

from __future__ import annotations

import json
import random
import runpy
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from golden_tokens import GLUON_LENGTH, TRICKY, read_golden
from hub_server import WRITE_TOKEN, HubClient, running_hub
from paths import ROOT
from sentencepiece import sentencepiece_model_pb2 as protobuf
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.errors import KoBERTEmotionError, TokenizerError
from kobert_hf_emotion.inference.classifier import load_classifier
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.tokenization.loading import load_tokenizer
from kobert_hf_emotion.tokenization.sentencepiece_layout import are_pieces, read_piece_list
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

RAW = "tokenizer_78b3253a26.model"
SPECIAL = ["[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]"]
TEXTS = [*TRICKY, "오늘 정말 행복했어ㅎㅎ", "화가 난다", "밤길에 누가 따라와서 무서웠어ㅠㅠ"]
SENTENCE = "한국어 모델을 공유합니다."
KOBERT_IDS = [2, 4958, 6855, 2046, 7088, 1050, 7843, 54, 3]


def write_model(path: Path, like: Path, names: Sequence[str]) -> Path:
    """Writes the SentencePiece model `like` with its pieces in another order and other special ones.

    Names in angle brackets become control pieces, the first one the unknown one.
    """
    model = protobuf.ModelProto.FromString(like.read_bytes())
    scores = {piece.piece: piece.score for piece in model.pieces}
    del model.pieces[:]
    kinds = protobuf.ModelProto.SentencePiece
    for index, name in enumerate(names):
        kind = kinds.NORMAL if name in scores and name not in SPECIAL else kinds.CONTROL if index else kinds.UNKNOWN
        model.pieces.add(piece=name, score=scores.get(name, 0.0), type=kind)
    model.trainer_spec.unk_piece, model.trainer_spec.pad_piece = names[0], "<pad>"
    model.trainer_spec.bos_piece, model.trainer_spec.eos_piece = "<s>", "</s>"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture(scope="module")
def pieces(vocab_file: Path) -> list[str]:
    """The pieces of the embedded vocabulary, without the special ones, by their score: the order of a raw model."""
    model = sentencepiece.SentencePieceProcessor(model_file=str(vocab_file))
    ids = range(len(SPECIAL), model.get_piece_size())
    return [model.id_to_piece(index) for index in sorted(ids, key=model.get_score, reverse=True)]


@pytest.fixture(scope="module")
def raw(vocab_file: Path, pieces: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A raw model of unknown hash."""
    return write_model(tmp_path_factory.mktemp("raw") / "raw.model", vocab_file, ["<unk>", "<s>", "</s>", *pieces])


@pytest.fixture(scope="module")
def vocabulary(vocab_file: Path) -> list[str]:
    """The embedded vocabulary in the order of its ids: what `vocab.txt` holds."""
    model = sentencepiece.SentencePieceProcessor(model_file=str(vocab_file))
    return [model.id_to_piece(index) for index in range(model.get_piece_size())]


@pytest.fixture
def layout(raw: Path, vocabulary: list[str], tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder of the raw model and a `vocab.txt`, as monologg/kobert has them."""

    def make(name: str = RAW, entries: Sequence[str] = vocabulary, end: str = "\n", encoding: str = "utf-8") -> Path:
        shutil.copy(raw, tmp_path / name)
        (tmp_path / "vocab.txt").write_bytes("".join(entry + end for entry in entries).encode(encoding))
        config = {"do_lower_case": False, "max_len": 512, "tokenizer_class": "BertTokenizer"}
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
        return tmp_path

    return make


class TestKoBERTsRawModel:
    @pytest.fixture
    def raw_kobert(self, shared: Path, tmp_path: Path) -> Path:
        """The file on its own, under a name of the user's."""
        return Path(shutil.copy(shared / "kobert" / RAW, tmp_path / "내 모델.model"))

    def test_is_spiece_model_in_another_order(self, raw_kobert: Path, shared: Path, tmp_path: Path) -> None:
        tokenizer = KoBERTTokenizer(raw_kobert)
        assert tokenizer(SENTENCE)["input_ids"] == KOBERT_IDS
        expected = (shared / "kobert" / "spiece.model").read_bytes()
        assert tokenizer.sp_model.serialized_model_proto() == expected
        tokenizer.save_pretrained(tmp_path / "saved")
        assert (tmp_path / "saved" / "spiece.model").read_bytes() == expected
        for loaded in (KoBERTTokenizer.from_pretrained(tmp_path / "saved"), load_tokenizer(raw_kobert)):
            assert loaded(SENTENCE)["input_ids"] == KOBERT_IDS
        assert AutoTokenizer.from_pretrained(tmp_path / "saved")(SENTENCE)["input_ids"] == KOBERT_IDS

    @pytest.mark.parametrize("word_split", ["sentencepiece", "gluonnlp"])
    @pytest.mark.parametrize("source", ["kote", "nsmc"])
    def test_golden_lines(self, raw_kobert: Path, shared: Path, word_split: Any, source: str) -> None:
        rows = read_golden(shared / "golden" / f"tokenization_{source}.jsonl.gz")
        tokenizer = KoBERTTokenizer(raw_kobert, word_split=word_split)
        texts = [row["text"] for row in rows]
        if word_split == "sentencepiece":
            assert tokenizer.encode_rows(texts)["input_ids"] == [row["hf"] for row in rows]
        else:
            found = tokenizer.encode_rows(texts, max_length=GLUON_LENGTH)["input_ids"]
            assert found == [row["gluon"] for row in rows]
        assert len(rows) == 10_000

    def test_folder_of_the_first_release(self, raw_kobert: Path) -> None:
        (raw_kobert.parent / "kobertvocab_f38b8a4d6d.json").write_text("{}")
        for load in (KoBERTTokenizer.from_pretrained, load_tokenizer):
            assert load(raw_kobert.parent)(SENTENCE)["input_ids"] == KOBERT_IDS

    def test_called_spiece_model(self, raw_kobert: Path) -> None:
        folder = raw_kobert.rename(raw_kobert.with_name("spiece.model")).parent
        assert load_tokenizer(folder)(SENTENCE)["input_ids"] == KOBERT_IDS


class TestVocabularyBesideAModel:
    @pytest.mark.parametrize("name", [RAW, "spiece.model", "kobert_news_wiki_ko_cased.spiece", "모델.model"])
    def test_ids_are_the_vocabularys(
        self, layout: Callable[..., Path], tokenizer: KoBERTTokenizer, name: str, tmp_path: Path
    ) -> None:
        folder = layout(name)
        expected = tokenizer(TEXTS)["input_ids"]
        for loaded in (
            KoBERTTokenizer(folder / name),
            KoBERTTokenizer.from_pretrained(folder),
            KoBERTTokenizer.from_pretrained(folder / name),
            load_tokenizer(folder),
        ):
            assert isinstance(loaded, KoBERTTokenizer)
            assert loaded(TEXTS)["input_ids"] == expected
            assert loaded.model_max_length == 512
        loaded.save_pretrained(folder)  # beside the old files
        assert load_tokenizer(folder)(TEXTS)["input_ids"] == expected

    @pytest.mark.parametrize(("end", "encoding"), [("\r\n", "utf-8"), ("\n", "utf-8-sig"), ("\r\n", "utf-8-sig")])
    def test_as_windows_writes_it(
        self, layout: Callable[..., Path], tokenizer: KoBERTTokenizer, end: str, encoding: str
    ) -> None:
        loaded = load_tokenizer(layout(end=end, encoding=encoding))
        assert loaded(TEXTS)["input_ids"] == tokenizer(TEXTS)["input_ids"]

    def test_any_order_and_entries_of_its_own(
        self, layout: Callable[..., Path], vocabulary: list[str], tokenizer: KoBERTTokenizer, tmp_path: Path
    ) -> None:
        entries = [*vocabulary, *(f"[unused{number}]" for number in range(6))]
        random.Random(3).shuffle(entries)
        loaded = load_tokenizer(layout(entries=entries))
        places = {entry: index for index, entry in enumerate(entries)}
        expected = [[places[vocabulary[index]] for index in row] for row in tokenizer(TEXTS)["input_ids"]]
        assert loaded(TEXTS)["input_ids"] == expected
        assert (loaded.pad_token_id, loaded.unk_token_id) == (places["[PAD]"], places["[UNK]"])
        loaded.save_pretrained(tmp_path / "saved")
        again = load_tokenizer(tmp_path / "saved")
        assert again(TEXTS)["input_ids"] == expected
        assert again.vocab_sha256 == loaded.vocab_sha256
        plain = AutoTokenizer.from_pretrained(tmp_path / "saved")
        assert plain(TEXTS[-3:])["input_ids"] == expected[-3:]

    def test_it_counts_more_than_the_models_own_order(
        self, vocab_file: Path, vocabulary: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        shutil.copy(vocab_file, tmp_path / "spiece.model")
        entries = [*vocabulary[:5], *vocabulary[:4:-1]]
        (tmp_path / "vocab.txt").write_text("\n".join(entries), encoding="utf-8")
        loaded = load_tokenizer(tmp_path)
        assert loaded.convert_tokens_to_ids(vocabulary[5]) == len(entries) - 1
        model = tmp_path / "spiece.model"
        assert f"{model}: ids are those of the vocab.txt beside it, which has the pieces in another" in caplog.text
        assert f"{model}: 번호는 옆에 있는 vocab.txt를 따릅니다. 조각의 순서가 다릅니다." in caplog.text
        (tmp_path / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
        caplog.clear()
        load_tokenizer(tmp_path)
        assert caplog.text == ""

    def test_of_another_model(self, layout: Callable[..., Path], vocabulary: list[str]) -> None:
        folder = layout(entries=[*vocabulary[:100], *vocabulary[103:]])
        with pytest.raises(TokenizerError, match=r"found 3 missing, such as .*do not belong together"):
            load_tokenizer(folder)

    @pytest.mark.parametrize("token", SPECIAL)
    def test_without_a_special_token(self, layout: Callable[..., Path], vocabulary: list[str], token: str) -> None:
        folder = layout(entries=[entry for entry in vocabulary if entry != token])
        with pytest.raises(TokenizerError, match=rf"missing, such as \['\[{token[1:-1]}"):
            load_tokenizer(folder)

    def test_with_a_piece_twice(self, layout: Callable[..., Path], vocabulary: list[str]) -> None:
        folder = layout(entries=[*vocabulary[:50], vocabulary[7], *vocabulary[50:]])
        with pytest.raises(TokenizerError, match="in lines 8 and 51"):
            load_tokenizer(folder)

    def test_with_an_empty_line(self, layout: Callable[..., Path], vocabulary: list[str]) -> None:
        folder = layout(entries=[*vocabulary[:50], "", *vocabulary[50:]])
        with pytest.raises(TokenizerError, match="found line 51 empty"):
            load_tokenizer(folder)

    def test_pieces_stay_what_they_are(self, layout: Callable[..., Path], raw: Path, vocabulary: list[str]) -> None:
        model = protobuf.ModelProto.FromString(raw.read_bytes())
        kinds = protobuf.ModelProto.SentencePiece
        changed = {model.pieces[10].piece: kinds.USER_DEFINED, model.pieces[11].piece: kinds.UNUSED}
        for piece in model.pieces:
            piece.type = changed.get(piece.piece, piece.type)
        folder = layout()
        (folder / RAW).write_bytes(model.SerializeToString())
        found = protobuf.ModelProto.FromString(KoBERTTokenizer(folder / RAW).sp_model.serialized_model_proto())
        assert [piece.piece for piece in found.pieces] == vocabulary
        special = {name: kinds.UNKNOWN if name == "[UNK]" else kinds.CONTROL for name in SPECIAL}
        for piece in found.pieces:
            assert piece.type == ({**changed, **special}).get(piece.piece, kinds.NORMAL)
        sampling = {"enable_sampling": True, "nbest_size": -1, "alpha": 0.1}
        drawn = KoBERTTokenizer(folder / RAW, sp_model_kwargs=sampling)
        assert len({tuple(drawn.tokenize("아이스아메리카노를 마셨다")) for _ in range(50)}) > 1

    def test_without_any_model(self, layout: Callable[..., Path]) -> None:
        folder = layout()
        (folder / RAW).unlink()
        with pytest.raises(TokenizerError, match="WordPiece would make"):
            load_tokenizer(folder)

    def test_saved_by_plain_transformers_as_wordpiece(self, layout: Callable[..., Path], tmp_path: Path) -> None:
        folder = layout()
        AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path / "again")
        with pytest.raises(TokenizerError, match="WordPiece would make"):
            load_tokenizer(tmp_path / "again")

    def test_as_wordpiece_of_another_class(self, vocabulary: list[str], tmp_path: Path) -> None:
        engine = Tokenizer(WordPiece({entry: index for index, entry in enumerate(vocabulary)}, unk_token="[UNK]"))
        PreTrainedTokenizerFast(tokenizer_object=engine, unk_token="[UNK]").save_pretrained(tmp_path)
        with pytest.raises(TokenizerError, match="WordPiece would make") as caught:
            load_tokenizer(tmp_path)
        assert f"beside the vocabulary of {tmp_path}, whose entries" in caught.value.english
        assert f"{tmp_path}의 어휘는 SentencePiece 조각" in caught.value.korean

    def test_two_models(self, layout: Callable[..., Path]) -> None:
        folder = layout("a.model")
        shutil.copy(folder / "a.model", folder / "b.spiece")
        with pytest.raises(TokenizerError, match=r"found \['a\.model', 'b\.spiece'\]"):
            load_tokenizer(folder)


XLNET = ["<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>"]
ALBERT = ["<unk>", "<pad>", "[CLS]", "[SEP]", "[MASK]"]
T5 = ["<unk>", "<pad>", "</s>"]
USER_DEFINED = ["<unk>", "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


class TestUnknownOrder:
    @pytest.mark.parametrize("special", [["<unk>", "<s>", "</s>"], XLNET, ALBERT, T5, USER_DEFINED])
    def test_is_refused_at_every_door(
        self, vocab_file: Path, pieces: list[str], tiny_model_folder: Path, tmp_path: Path, special: list[str]
    ) -> None:
        folder = Path(shutil.copytree(tiny_model_folder, tmp_path / "model"))
        for name in ("tokenizer.json", "tokenizer_config.json"):
            (folder / name).unlink()
        file = write_model(folder / "spiece.model", vocab_file, [*special, *pieces])
        doors: list[Callable[[], Any]] = [
            lambda: KoBERTTokenizer(file),
            lambda: KoBERTTokenizer.from_pretrained(folder),
            lambda: KoBERTTokenizer.from_pretrained(file),
            lambda: load_tokenizer(folder),
            lambda: EmotionClassifier.from_pretrained(folder).predict(["가"]),
            lambda: load_classifier(folder),
        ]
        for door in doors:
            with pytest.raises(TokenizerError, match="the ids that the weights were trained with are not known"):
                door()

    @pytest.mark.parametrize(
        ("special", "lacking"),
        [
            (["<unk>", "<s>"], "[UNK], [PAD], [CLS], [SEP], [MASK]"),
            (ALBERT, "[UNK], [PAD]"),
            (USER_DEFINED, "[UNK] (unk)"),  # all are there, and another one is the unknown piece
        ],
    )
    def test_what_is_lacking_is_named(
        self, vocab_file: Path, pieces: list[str], tmp_path: Path, special: list[str], lacking: str
    ) -> None:
        file = write_model(tmp_path / "spiece.model", vocab_file, [*special, *pieces])
        with pytest.raises(TokenizerError) as caught:
            KoBERTTokenizer(file)
        first = [*special, *pieces][:5]
        assert f"{file} has no {lacking} and begins with {first}, so" in caught.value.english
        assert f"{lacking} 조각이 없고 처음 조각은 {first}입니다" in caught.value.korean

    def test_special_tokens_outside_the_vocabulary(self, vocab_file: Path, tmp_path: Path) -> None:
        shutil.copy(vocab_file, tmp_path)
        (tmp_path / "special_tokens_map.json").write_text(json.dumps({"cls_token": "<cls>"}))
        with pytest.raises(TokenizerError, match="<cls> is none and would get an id beyond the embedding"):
            KoBERTTokenizer.from_pretrained(tmp_path)
        with pytest.raises(TokenizerError) as caught:
            KoBERTTokenizer(vocab_file, mask_token="<m>")
        assert f"among the pieces of {vocab_file}; <m> is none" in caught.value.english

    @pytest.mark.parametrize(("name", "value"), [("do_lower_case", True), ("keep_accents", True), ("remove_space", 0)])
    def test_settings_that_would_give_other_ids(self, vocab_file: Path, tmp_path: Path, name: str, value: Any) -> None:
        shutil.copy(vocab_file, tmp_path)
        (tmp_path / "tokenizer_config.json").write_text(json.dumps({name: value}))
        with pytest.raises(TokenizerError, match=f"Expected {name} to be"):
            KoBERTTokenizer.from_pretrained(tmp_path)


def test_added_tokens(vocab_file: Path, tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
    longer = KoBERTTokenizer(vocab_file)
    longer.add_tokens(["ㅋㅋㅋㅋㅋ", "[EMO]"])
    text = "아 [EMO] ㅋㅋㅋㅋㅋ 좋다"
    ids = longer(text)["input_ids"]
    assert {8002, 8003} <= set(ids)
    assert longer.vocab_sha256 != tokenizer.vocab_sha256  # a model with two more embeddings is not the other one's
    longer.save_pretrained(tmp_path)
    assert KoBERTTokenizer.from_pretrained(tmp_path).vocab_sha256 == longer.vocab_sha256
    assert KoBERTTokenizer.from_pretrained(tmp_path)(text)["input_ids"] == ids
    plain = AutoTokenizer.from_pretrained(tmp_path)
    assert [plain.convert_tokens_to_ids(token) for token in ("ㅋㅋㅋㅋㅋ", "[EMO]")] == [8002, 8003]


def test_convert_with_the_raw_file(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], raw: Path, vocab_file: Path
) -> None:
    file = shared / "legacy" / "Focal_KoBERT_e10_b64_fold_1_state_dict.pt"
    options = ["--num-attention-heads", "2", "--output"]
    rows = []
    for name in ("spiece.model", RAW):
        source = shared / "kobert" / name
        assert main(["convert", str(file), "--tokenizer", str(source), *options, str(tmp_path / name)]) == 0
        rows.append(EmotionClassifier.from_pretrained(tmp_path / name).predict(TEXTS))
    assert rows[0] == rows[1]
    capsys.readouterr()
    assert main(["convert", str(file), "--tokenizer", str(raw), *options, str(tmp_path / "c")]) == 2
    assert "not known" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], False),
        (["[UNK]", "▁"], False),  # a mark on its own is in the vocabulary of other models too
        (["[UNK]", "▁가"], True),
        (["▁가", "##나"], False),
        (["▁가", "▁나", "##나"], True),
    ],
)
def test_pieces_begin_words_and_word_pieces_go_on(entries: list[str], expected: bool, tmp_path: Path) -> None:
    assert are_pieces(iter(entries)) is expected
    (tmp_path / "vocab.txt").write_text("\n".join(entries), encoding="utf-8")
    assert read_piece_list(tmp_path / "vocab.txt") == (entries if expected else None)


def test_errors_are_the_librarys(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_bytes("▁가\n".encode("cp949", errors="replace") + b"\xb0\xa1\xff\n")
    (tmp_path / "spiece.model").write_bytes(b"x")
    with pytest.raises(KoBERTEmotionError, match="Not a readable SentencePiece model"):
        load_tokenizer(tmp_path)
    with pytest.raises(TokenizerError) as caught:
        read_piece_list(tmp_path / "vocab.txt")
    assert f"Cannot read {tmp_path / 'vocab.txt'} as UTF-8. Cause: " in caught.value.english
    assert caught.value.korean == f"{tmp_path / 'vocab.txt'}을(를) UTF-8로 읽을 수 없습니다."


def test_byte_pair_encoding(vocab_file: Path, tmp_path: Path) -> None:
    model = protobuf.ModelProto.FromString(vocab_file.read_bytes())
    model.trainer_spec.model_type = model.trainer_spec.BPE
    for rank, piece in enumerate(model.pieces[5:]):
        piece.score = -rank
    (tmp_path / "spiece.model").write_bytes(model.SerializeToString())
    with pytest.raises(TokenizerError, match="found one of byte-pair encoding"):
        load_tokenizer(tmp_path)


def test_the_example_without_this_package(raw: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path = ROOT / "examples" / "onnx_inference.py"
    example = runpy.run_path(str(path))
    with pytest.raises(SystemExit, match="not in KoBERT's order"):
        example["Tokenizer"](raw)


UPLOAD = """
from huggingface_hub import HfApi
HfApi().create_repo(repo)
HfApi().upload_folder(repo_id=repo, folder_path=folder)
"""
LOAD = """
from kobert_hf_emotion import KoBERTTokenizer
from kobert_hf_emotion.tokenization.loading import load_tokenizer
result = []
for load in (KoBERTTokenizer.from_pretrained, load_tokenizer):
    tokenizer = load(repo)
    result.append([tokenizer(texts)["input_ids"], tokenizer.model_max_length])
"""


@pytest.mark.slow
def test_repository_on_the_hub(
    layout: Callable[..., Path], tokenizer: KoBERTTokenizer, tiny_model_folder: Path, tmp_path: Path
) -> None:
    folder = layout()
    config = json.loads((tiny_model_folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 40}))
    texts = ["오늘 정말 행복했어ㅎㅎ", "화가 난다", "ㅠㅠ"]
    (tmp_path / "home").mkdir()
    with running_hub() as hub:
        client = HubClient(hub, tmp_path / "home", WRITE_TOKEN)
        try:
            client.run(UPLOAD, repo="tester/kobert", folder=folder)
            found = client.run(LOAD, repo="tester/kobert", texts=texts)
        finally:
            client.close()
    assert found == [[tokenizer(texts)["input_ids"], 40]] * 2
