"""What is loaded is all of a model, or an error; what is saved is all of it, whatever was called before."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from model_folders import change_config
from safetensors.torch import load_file, save_file
from small_encoders import SIZES, word_piece
from tiny import TINY
from transformers import (
    BertConfig,
    BertForMaskedLM,
    ElectraConfig,
    ElectraForSequenceClassification,
    PreTrainedModel,
    RobertaConfig,
    RobertaForSequenceClassification,
    Trainer,
    TrainingArguments,
    pipeline,
)

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.configuration import EmotionConfig
from kobert_hf_emotion.errors import CheckpointError, TokenizerError
from kobert_hf_emotion.inference.classifier import Classifier, load_classifier, save_classifier, start_model
from kobert_hf_emotion.inference.ensemble import EmotionEnsemble
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.modeling.prediction import predict_logits
from kobert_hf_emotion.tokenization.loading import load_tokenizer
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

FILES = {"config.json", "model.safetensors", "spiece.model", "tokenizer.json", "tokenizer_config.json"}
LONG = "오늘 정말 행복했어 " * 400  # of syllables that the small tokenizer knows
WORDPIECE = word_piece()
Change = Callable[[dict[str, torch.Tensor]], None]


@pytest.fixture
def folder(tiny_model_folder: Path, tmp_path: Path) -> Path:
    """A model of our own, to damage."""
    return Path(shutil.copytree(tiny_model_folder, tmp_path / "model"))


def change_weights(folder: Path, change: Change) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def write_other(kind: str, folder: Path, positions: int = 66) -> Path:
    """Writes a trained classifier of another kind with its tokenizer, which has no length of its own."""
    sizes = {**SIZES, "vocab_size": len(WORDPIECE), "num_labels": 7, "max_position_embeddings": positions}
    torch.manual_seed(5)
    model: PreTrainedModel
    if kind == "electra":
        model = ElectraForSequenceClassification(ElectraConfig(**sizes, embedding_size=16))
    else:
        model = RobertaForSequenceClassification(RobertaConfig(**sizes, type_vocab_size=1))
    model.config.id2label = dict(enumerate(EMOTION_LABELS))
    model.config.label2id = {name: index for index, name in enumerate(EMOTION_LABELS)}
    model.save_pretrained(folder)
    WORDPIECE.save_pretrained(folder)
    return folder


class TestOtherModels:
    @pytest.mark.parametrize("kind", ["electra", "roberta"])
    def test_are_not_read_as_bert(self, kind: str, tmp_path: Path) -> None:
        folder = write_other(kind, tmp_path)
        with pytest.raises(CheckpointError, match=f"Expected the config.json of a 'bert' model, .* found '{kind}'"):
            EmotionClassifier.from_pretrained(folder)
        with pytest.raises(CheckpointError, match=f"found '{kind}'"):
            EmotionConfig.from_pretrained(folder)
        change_config(folder, model_type="bert")  # the weights' names tell as well
        with pytest.raises(CheckpointError, match=r"are missing, such as bert\.embeddings"):
            EmotionClassifier.from_pretrained(folder)
        with pytest.raises(CheckpointError, match="are missing"):
            start_model(folder, EMOTION_LABELS, 0.1, WORDPIECE)

    @pytest.mark.parametrize("kind", ["electra", "roberta"])
    @pytest.mark.parametrize(
        "key", ["encoder.layer.0.output.dense.bias", "classifier.dense.weight", "classifier.out_proj.bias"]
    )
    def test_with_a_weight_missing(self, kind: str, key: str, tmp_path: Path) -> None:
        folder = write_other(kind, tmp_path)
        name = key if key.startswith("classifier") else f"{kind}.{key}"
        change_weights(folder, lambda tensors: tensors.pop(name))
        with pytest.raises(CheckpointError, match=rf"1 are missing, such as {name}"):
            load_classifier(folder)


LAYER = "bert.encoder.layer.1.output.dense"


class TestWeights:
    @pytest.mark.parametrize(
        ("change", "found"),
        [
            (lambda t: t.pop(f"{LAYER}.bias"), rf"1 are missing, such as {LAYER}\.bias"),
            (lambda t: t.pop("classifier.bias"), r"1 are missing, such as classifier\.bias"),
            (lambda t: t.pop("bert.pooler.dense.weight"), r"1 are missing, such as bert\.pooler\.dense\.weight"),
            (lambda t: t.update({"fc.weight": torch.ones(7, 32)}), r"1 have no place in it, such as fc\.weight"),
            (lambda t: t.update({LAYER.replace("1", "2") + ".bias": torch.ones(32)}), "1 have no place in it"),
            (lambda t: t.update({f"{LAYER}.bias": torch.ones(31)}), rf"{LAYER}\.bias \[31\]≠\[32\]"),
            (lambda t: t.update({"classifier.weight": torch.ones(6, 32)}), r"classifier\.weight \[6, 32\]≠\[7, 32\]"),
            (lambda t: t[f"{LAYER}.bias"].__setitem__(3, float("nan")), "hold NaN or infinity"),
            (lambda t: t["classifier.weight"].fill_(float("inf")), r"NaN or infinity, such as classifier\.weight"),
        ],
    )
    def test_that_are_not_the_models(self, folder: Path, change: Change, found: str) -> None:
        change_weights(folder, change)
        for load in (EmotionClassifier.from_pretrained, load_classifier):
            with pytest.raises(CheckpointError, match=found):
                load(folder)

    def test_missing_ones_in_an_ensemble(
        self, tiny_model: EmotionClassifier, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        members = [Classifier(tiny_model, tiny_model.tokenizer)] * 2
        EmotionEnsemble(members).save_pretrained(tmp_path / "both")
        change_weights(tmp_path / "both" / "member_2", lambda tensors: tensors.pop(f"{LAYER}.weight"))
        assert main(["predict", str(tmp_path / "both"), "가"]) == 2
        assert "member_2" in (err := capsys.readouterr().err)
        assert f"{LAYER}.weight" in err

    @pytest.mark.parametrize("cut", [1, 100])
    def test_cut_off_file(self, folder: Path, cut: int) -> None:
        content = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(content[:-cut])
        with pytest.raises(CheckpointError, match="Cannot load a model from"):
            EmotionClassifier.from_pretrained(folder)

    def test_large_but_finite_float16(self, folder: Path) -> None:
        def fill(tensors: dict[str, torch.Tensor]) -> None:
            tensors.update({name: tensor.half() for name, tensor in tensors.items()})
            tensors["classifier.weight"].fill_(60000.0)  # whose sum is beyond float16

        change_weights(folder, fill)
        assert EmotionClassifier.from_pretrained(folder, dtype=torch.float16).dtype == torch.float16

    def test_buffers_of_older_files(self, folder: Path, tiny_model: EmotionClassifier) -> None:
        expected = tiny_model.predict(["가"])
        buffers = {f"bert.embeddings.{name}": torch.zeros(1, 512).long() for name in ("position_ids", "token_type_ids")}
        change_weights(folder, lambda tensors: tensors.update(buffers))
        assert EmotionClassifier.from_pretrained(folder).predict(["가"]) == expected

    def test_layers_beyond_the_configurations(self, folder: Path) -> None:
        change_config(folder, num_hidden_layers=1)
        for load in (load_classifier, lambda place: start_model(place, ["a", "b"], 0.1, load_tokenizer(place))):
            with pytest.raises(CheckpointError, match=r"have no place in it, such as bert\.encoder\.layer\.1"):
                load(folder)


class TestNewHeads:
    @pytest.fixture
    def pretrained(self, vocab_file: Path, tmp_path: Path) -> Path:
        """What masked-language-model training leaves: an encoder without pooler, with another head."""
        torch.manual_seed(2)
        BertForMaskedLM(BertConfig(vocab_size=8002, pad_token_id=1, **TINY)).save_pretrained(tmp_path / "mlm")
        shutil.copy(vocab_file, tmp_path / "mlm")
        return tmp_path / "mlm"

    def test_are_said(self, pretrained: Path, caplog: pytest.LogCaptureFixture) -> None:
        model = EmotionClassifier.from_pretrained(pretrained)
        assert model.config.labels == list(EMOTION_LABELS)
        for name in ("classifier.weight", "bert.pooler.dense.weight", "cls.predictions.bias"):
            assert name in caplog.text

    def test_are_no_answer(self, pretrained: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(
            CheckpointError, match=r"without a trained head\. Missing: .*classifier\.bias.*cls\.predictions"
        ):
            load_classifier(pretrained)
        assert main(["predict", str(pretrained), "오늘 행복해"]) == 2
        assert "classifier.weight" in capsys.readouterr().err

    def test_replaced_ones_may_have_any_size(self, folder: Path) -> None:
        model = start_model(folder, ["a", "b", "c"], 0.1, load_tokenizer(folder))
        assert tuple(model.classifier.weight.shape) == (3, 32)

    def test_resized_on_request_alone(self, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
        model = EmotionClassifier.from_pretrained(folder, num_labels=3, ignore_mismatched_sizes=True)
        assert tuple(model.classifier.weight.shape) == (3, 32)
        assert "classifier.weight" in caplog.text
        change_config(folder, intermediate_size=48)
        with pytest.raises(CheckpointError, match=r"≠\[48, 32\]"):
            EmotionClassifier.from_pretrained(folder, ignore_mismatched_sizes=True)


class TestLabels:
    @pytest.mark.parametrize(
        ("id2label", "label2id", "found"),
        [
            ({"1": "a", "2": "b"}, None, "the ids 0, 1, … a name each"),
            ({"0": "a", "1": "a"}, None, "the ids 0, 1, … a name each"),
            ({"0": "a", "1": "b"}, {"a": 1, "b": 0}, "label2id of config.json to agree"),
        ],
    )
    def test_that_contradict(self, folder: Path, id2label: Any, label2id: Any, found: str) -> None:
        change_config(folder, id2label=id2label, label2id=label2id)
        change_weights(
            folder, lambda t: t.update({n: t[n][:2].clone() for n in ("classifier.weight", "classifier.bias")})
        )
        with pytest.raises(CheckpointError, match=found):
            load_classifier(folder)

    def test_fewer_than_the_head_has(self, folder: Path) -> None:
        change_config(folder, id2label={"0": "a", "1": "b"}, label2id=None)
        with pytest.raises(CheckpointError, match="head in the file has 7 classes: name them by their ids in id2label"):
            load_classifier(folder)

    def test_that_are_assumed_are_said(self, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
        EmotionClassifier.from_pretrained(folder)
        assert caplog.text == ""
        change_config(folder, id2label=None, label2id=None)
        assert EmotionClassifier.from_pretrained(folder).config.labels == list(EMOTION_LABELS)
        assert "id2label" in caplog.text
        assert "0 fear" in caplog.text

    def test_plain_names_stay_plain(self, folder: Path) -> None:
        names = {str(index): f"LABEL_{index}" for index in range(7)}
        change_config(folder, id2label=names, label2id=None)
        assert load_classifier(folder).labels == list(names.values())


class TestSaving:
    def test_nothing_needs_to_be_called_first(self, folder: Path, tmp_path: Path) -> None:
        model = EmotionClassifier.from_pretrained(folder)
        expected = EmotionClassifier.from_pretrained(folder).predict(["오늘 행복해", "화가 난다"])
        shutil.rmtree(folder)
        model.save_pretrained(tmp_path / "saved")
        assert set(os.listdir(tmp_path / "saved")) == FILES
        found = pipeline("text-classification", model=str(tmp_path / "saved"))(["오늘 행복해", "화가 난다"])
        assert [row["label"] for row in found] == [row["label"] for row in expected]

    def test_files_do_not_depend_on_a_prediction(self, folder: Path, tmp_path: Path) -> None:
        asked, silent = EmotionClassifier.from_pretrained(folder), EmotionClassifier.from_pretrained(folder)
        asked.predict(["가"])
        for name, model in (("asked", asked), ("silent", silent)):
            model.save_pretrained(tmp_path / name)
        for file in FILES:
            assert (tmp_path / "asked" / file).read_bytes() == (tmp_path / "silent" / file).read_bytes()

    def test_by_a_trainer(self, folder: Path, tmp_path: Path) -> None:
        arguments = TrainingArguments(output_dir=str(tmp_path / "out"), report_to=[], use_cpu=True)
        Trainer(EmotionClassifier.from_pretrained(folder), arguments).save_model(str(tmp_path / "saved"))
        assert set(os.listdir(tmp_path / "saved")) >= FILES

    def test_another_working_folder(self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(folder.parent)
        model = EmotionClassifier.from_pretrained(folder.name)
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert len(model.predict(["가"])) == 1
        model.save_pretrained("saved")
        assert set(os.listdir("saved")) == FILES

    def test_without_one_it_is_said(self, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        for name in FILES - {"config.json", "model.safetensors"}:
            (folder / name).unlink()
        EmotionClassifier.from_pretrained(folder).save_pretrained(tmp_path / "saved")
        assert "saved without a tokenizer" in caplog.text
        assert "has no spiece.model" in caplog.text
        caplog.clear()
        EmotionClassifier(EmotionConfig(**TINY)).save_pretrained(tmp_path / "bare")
        assert "built from a configuration" in caplog.text

    def test_the_tokenizer_that_is_given(self, folder: Path, tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
        for name in ("spiece.model", "tokenizer.json", "tokenizer_config.json"):
            (folder / name).unlink()
        model = EmotionClassifier.from_pretrained(folder)
        save_classifier(model, tokenizer, tmp_path / "a")
        EmotionEnsemble([Classifier(EmotionClassifier.from_pretrained(folder), tokenizer)]).save_pretrained(
            tmp_path / "b"
        )
        EmotionClassifier.from_pretrained(folder, tokenizer=tokenizer).save_pretrained(tmp_path / "c")
        for saved in ("a", "b/member_1", "c"):
            assert set(os.listdir(tmp_path / saved)) == FILES


class TestLength:
    def test_default(self, tmp_path: Path) -> None:
        assert KoBERTTokenizer.from_pretrained("default").model_max_length == 128
        assert KoBERTTokenizer.from_pretrained("default", model_max_length=48).model_max_length == 48
        model = EmotionClassifier.from_pretrained("default")
        for tokenizer in (load_tokenizer("default"), KoBERTTokenizer.from_pretrained("default"), model.tokenizer):
            [found] = pipeline("text-classification", model=model, tokenizer=tokenizer)([LONG], truncation=True)
            assert found["label"] == model.predict([LONG])[0]["label"]

    def test_a_longer_one_is_attached_as_a_copy(self, vocab_file: Path, tmp_path: Path) -> None:
        tokenizer = KoBERTTokenizer(vocab_file)
        model = EmotionClassifier(EmotionConfig(**TINY, max_position_embeddings=20))
        model.tokenizer = tokenizer
        assert (model.tokenizer.model_max_length, tokenizer.model_max_length) == (20, 512)
        model.save_pretrained(tmp_path)
        assert json.loads((tmp_path / "tokenizer_config.json").read_text())["model_max_length"] == 20
        [found] = pipeline("text-classification", model=str(tmp_path))([LONG], truncation=True)
        assert found["label"] in EMOTION_LABELS

    @pytest.mark.parametrize(("kind", "longest"), [("electra", 66), ("roberta", 65)])  # RoBERTa's pad id is 0 here
    def test_encoders_without_the_setting(self, kind: str, longest: int, tmp_path: Path) -> None:
        folder = write_other(kind, tmp_path / kind)
        assert WORDPIECE.model_max_length > 10**9
        classifier = load_classifier(folder)
        assert classifier.tokenizer.model_max_length == longest
        assert load_tokenizer(folder).model_max_length == longest
        cut = predict_logits(classifier.model, WORDPIECE, [LONG])  # a tokenizer that knows no limit
        assert (predict_logits(classifier.model, classifier.tokenizer, [LONG], max_length=10**6) == cut).all()
        save_classifier(classifier.model, classifier.tokenizer, tmp_path / "saved")
        [found] = pipeline("text-classification", model=str(tmp_path / "saved"))([LONG], truncation=True)
        assert found["label"] == EMOTION_LABELS[int(cut.argmax())]


def test_a_tokenizer_of_another_model_is_still_refused(folder: Path) -> None:
    with pytest.raises(TokenizerError):
        EmotionClassifier.from_pretrained(folder, tokenizer=WORDPIECE)
