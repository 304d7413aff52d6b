"""The classifier: loading, saving, plain transformers' view of it, the loss and prediction."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from code_process import CodeProcess
from model_folders import change_config
from safetensors.torch import load_file, save_file
from scipy.special import softmax as scipy_softmax
from tiny import TINY
from transformers import BertConfig, BertForSequenceClassification, BertModel

from kobert_hf_emotion.configuration import EmotionConfig
from kobert_hf_emotion.errors import CheckpointError, DataError, TokenizerError
from kobert_hf_emotion.inference.classifier import weights_sha256
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.metrics.probabilities import softmax
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.modeling.losses import focal_loss
from kobert_hf_emotion.modeling.prediction import predict_logits
from kobert_hf_emotion.tasks.single_label import to_predictions
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

TEXTS = ["오늘 정말 행복했어", "화가 난다", "", "무서워서 잠을 잘 수가 없었고 밤새 불을 켜 두었다", "그래", "ㅠㅠ"]


def state(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def assert_same_state(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert sorted(a) == sorted(b)
    assert [name for name in a if not torch.equal(a[name], b[name])] == []


class TestSaving:
    def test_files(self, tiny_model_folder: Path) -> None:
        names = {"config.json", "model.safetensors", "spiece.model", "tokenizer.json", "tokenizer_config.json"}
        assert set(os.listdir(tiny_model_folder)) == names
        stored = json.loads((tiny_model_folder / "config.json").read_text())
        assert stored["architectures"] == ["BertForSequenceClassification"]
        assert stored["model_type"] == "bert"
        assert stored["tokenizer_sha256"] == KoBERTTokenizer.from_pretrained(tiny_model_folder).vocab_sha256

    def test_save_load_save_is_bit_equal(
        self, tiny_model: EmotionClassifier, tiny_model_folder: Path, tmp_path: Path
    ) -> None:
        before = predict_logits(tiny_model, tiny_model.tokenizer, TEXTS)
        tiny_model.save_pretrained(tmp_path)
        assert_same_state(load_file(tmp_path / "model.safetensors"), load_file(tiny_model_folder / "model.safetensors"))
        loaded = EmotionClassifier.from_pretrained(tmp_path)
        assert_same_state(state(loaded), state(tiny_model))
        assert weights_sha256(loaded) == weights_sha256(tiny_model)
        assert np.array_equal(predict_logits(loaded, loaded.tokenizer, TEXTS), before)
        assert (tmp_path / "config.json").read_text() == (tiny_model_folder / "config.json").read_text()

    def test_trained_in_memory_and_loaded_are_bit_equal(self, tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
        model = EmotionClassifier(EmotionConfig(**TINY)).eval()
        model.tokenizer = tokenizer
        before = predict_logits(model, tokenizer, TEXTS)
        model.save_pretrained(tmp_path)
        loaded = EmotionClassifier.from_pretrained(tmp_path)
        assert np.array_equal(predict_logits(loaded, tokenizer, TEXTS), before)

    def test_weights_are_not_mapped_from_the_file(self, tiny_model_folder: Path, tmp_path: Path) -> None:
        folder = Path(shutil.copytree(tiny_model_folder, tmp_path / "model"))
        model = EmotionClassifier.from_pretrained(folder)
        before = weights_sha256(model)
        with (folder / "model.safetensors").open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(size // 2)
            file.write(bytes(size - size // 2))
        assert weights_sha256(model) == before

    def test_without_tokenizer(self, tmp_path: Path) -> None:
        EmotionClassifier(EmotionConfig(**TINY)).save_pretrained(tmp_path)
        assert set(os.listdir(tmp_path)) == {"config.json", "model.safetensors"}

    def test_hash_sees_every_weight(self, tiny_model: EmotionClassifier) -> None:
        before = weights_sha256(tiny_model)
        with torch.no_grad():
            tiny_model.classifier.bias[3] += 1e-6
        assert weights_sha256(tiny_model) != before


@pytest.mark.numeric
class TestPlainTransformers:
    @pytest.mark.slow
    def test_same_logits_and_labels_without_this_package(
        self, tiny_model: EmotionClassifier, tiny_model_folder: Path, plain: CodeProcess
    ) -> None:
        texts = TEXTS[:2] + TEXTS[3:]
        found = plain.run(f"""
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline
folder = {str(tiny_model_folder)!r}
model = AutoModelForSequenceClassification.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)
pair = tokenizer({texts!r}, {texts[::-1]!r}, padding=True, return_tensors="pt")
batch = tokenizer({texts!r}, padding=True, return_tensors="pt")
with torch.inference_mode():
    logits = [model(**inputs).logits.tolist() for inputs in (batch, pair)]
labels = pipeline("text-classification", model=model, tokenizer=tokenizer)({texts!r})
result = [type(model).__name__, logits, labels]
""")
        name, (logits, pair_logits), labels = found
        assert name == "BertForSequenceClassification"
        ours = predict_logits(tiny_model, tiny_model.tokenizer, texts)
        assert np.abs(ours - np.array(logits)).max() < 1e-6
        ours = predict_logits(tiny_model, tiny_model.tokenizer, texts, texts[::-1])
        assert np.abs(ours - np.array(pair_logits)).max() < 1e-6
        predictions = tiny_model.predict(texts)
        assert [p["label"] for p in labels] == [p["label"] for p in predictions]
        assert [p["score"] for p in labels] == pytest.approx([p["score"] for p in predictions], abs=1e-5)

    def test_parameters_are_berts(self) -> None:
        with torch.device("meta"):
            ours, plain = EmotionClassifier(EmotionConfig()), BertForSequenceClassification(BertConfig(num_labels=7))
        assert sorted(ours.state_dict()) == sorted(plain.state_dict())

    def test_kobert_has_92_million_parameters(self) -> None:
        with torch.device("meta"):
            model = EmotionClassifier(EmotionConfig())
        hidden, inner, layers = 768, 3072, 12
        embeddings = (8002 + 512 + 2) * hidden + 2 * hidden
        layer = 4 * (hidden + 1) * hidden + (hidden + 1) * inner + (inner + 1) * hidden + 4 * hidden
        expected = embeddings + layers * layer + (hidden + 1) * hidden + (hidden + 1) * 7
        assert sum(p.numel() for p in model.parameters()) == expected
        assert round(expected / 1e6) == 92
        assert model.dropout.p == 0.5


@pytest.fixture(scope="module")
def encoder() -> BertModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        return BertModel(BertConfig(vocab_size=8002, pad_token_id=1, **TINY))


def kobert_folder(encoder: BertModel, folder: Path, weights: str, vocab_file: Path, prefix: str = "") -> Path:
    """Writes the layout of skt/kobert-base-v1: an encoder's weights, a config without labels, `spiece.model`."""
    tensors = {prefix + name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    if weights == "pytorch_model.bin":
        torch.save(tensors, folder / weights)
    else:
        save_file(tensors, folder / weights, metadata={"format": "pt"})
    config = {"model_type": "bert", "architectures": ["BertModel"], "vocab_size": 8002, "pad_token_id": 1, **TINY}
    (folder / "config.json").write_text(json.dumps(config))
    shutil.copy(vocab_file, folder)
    return folder


class TestFromKoBERT:
    @pytest.mark.parametrize("prefix", ["", "bert."])
    @pytest.mark.parametrize("weights", ["pytorch_model.bin", "model.safetensors"])
    def test_encoder_weights_arrive(
        self, encoder: BertModel, vocab_file: Path, tmp_path: Path, weights: str, prefix: str
    ) -> None:
        folder = kobert_folder(encoder, tmp_path, weights, vocab_file, prefix)
        model = EmotionClassifier.from_pretrained(folder, num_labels=7)
        assert_same_state(state(model.bert), state(encoder))
        assert model.config.labels == list(EMOTION_LABELS)
        assert tuple(model.classifier.weight.shape) == (7, 32)
        assert model.dtype == torch.float32
        assert not model.training
        assert len(model.predict(TEXTS)) == len(TEXTS)

    def test_head_follows_the_seed(self, encoder: BertModel, vocab_file: Path, tmp_path: Path) -> None:
        folder = kobert_folder(encoder, tmp_path, "model.safetensors", vocab_file)
        heads = []
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            heads.append(EmotionClassifier.from_pretrained(folder, num_labels=3).classifier.weight)
        assert torch.equal(heads[0], heads[1])
        assert not torch.equal(heads[0], heads[2])
        assert heads[0].shape == (3, 32)

    def test_settings_override_the_file(self, encoder: BertModel, vocab_file: Path, tmp_path: Path) -> None:
        folder = kobert_folder(encoder, tmp_path, "model.safetensors", vocab_file)
        model = EmotionClassifier.from_pretrained(
            folder, focal_gamma=1.0, classifier_dropout=0.25, id2label={0: "a", 1: "b"}
        )
        assert model.config.focal_gamma == 1.0
        assert model.dropout.p == 0.25
        assert model.config.labels == ["a", "b"]

    def test_float16_file_is_computed_in_float32(self, encoder: BertModel, vocab_file: Path, tmp_path: Path) -> None:
        half = BertModel(encoder.config).half()
        half.load_state_dict(encoder.state_dict())
        folder = kobert_folder(half, tmp_path, "model.safetensors", vocab_file)
        assert EmotionClassifier.from_pretrained(folder).dtype == torch.float32
        assert EmotionClassifier.from_pretrained(folder, dtype=torch.float16).dtype == torch.float16
        assert EmotionClassifier.from_pretrained(folder, torch_dtype=torch.float16).dtype == torch.float16

    def test_loading_report(self, encoder: BertModel, vocab_file: Path, tmp_path: Path) -> None:
        folder = kobert_folder(encoder, tmp_path, "model.safetensors", vocab_file)
        model, info = EmotionClassifier.from_pretrained(folder, output_loading_info=True)  # type: ignore[misc]
        assert isinstance(model, EmotionClassifier)
        assert set(info["missing_keys"]) == {"classifier.weight", "classifier.bias"}


class Payload:
    """Pickles into a call that leaves a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.trace),)


class TestBadFiles:
    @pytest.fixture
    def folder(self, tiny_model_folder: Path, tmp_path: Path) -> Path:
        return Path(shutil.copytree(tiny_model_folder, tmp_path / "model"))

    def test_code_in_a_weights_file_is_not_run(self, folder: Path, tmp_path: Path) -> None:
        (folder / "model.safetensors").unlink()
        trace = tmp_path / "ran"
        torch.save({"bert.pooler.dense.bias": Payload(trace)}, folder / "pytorch_model.bin")
        with pytest.raises(CheckpointError, match="holds more than weights") as caught:
            EmotionClassifier.from_pretrained(folder)
        assert not trace.exists()
        assert "weights_only" not in str(caught.value), "torch's advice to load it anyway must not be passed on"
        torch.load(folder / "pytorch_model.bin", weights_only=False)
        assert trace.exists(), "the payload would not have worked, so the test shows nothing"

    @pytest.mark.parametrize("content", [b"", b"garbage", None])
    @pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
    def test_damaged_weights(self, folder: Path, name: str, content: bytes | None) -> None:
        whole = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").unlink()
        (folder / name).write_bytes(whole[: len(whole) // 2] if content is None else content)
        with pytest.raises(CheckpointError, match="Cannot load a model from"):
            EmotionClassifier.from_pretrained(folder)

    @pytest.mark.parametrize("content", ["", "{nope", "[]", '{"model_type": "bert", "hidden_size": "wide"}'])
    def test_damaged_config(self, folder: Path, content: str) -> None:
        (folder / "config.json").write_text(content)
        with pytest.raises(CheckpointError, match="Cannot load a model from"):
            EmotionClassifier.from_pretrained(folder)

    def test_nothing_there(self, tmp_path: Path) -> None:
        with pytest.raises(CheckpointError, match=r"expected a Hub id or a folder with config\.json") as caught:
            EmotionClassifier.from_pretrained(tmp_path)
        assert "모델을 불러올 수 없습니다" in caught.value.korean

    def test_unreachable_hub(self) -> None:
        with pytest.raises(CheckpointError, match="Cannot load a model from nobody/has-this"):
            EmotionClassifier.from_pretrained("nobody/has-this")

    def test_head_of_another_size(self, folder: Path) -> None:
        with pytest.raises(CheckpointError, match="Cannot load a model from"):
            EmotionClassifier.from_pretrained(folder, num_labels=3)


class TestTokenizer:
    def test_comes_from_the_folder(self, tiny_model: EmotionClassifier, tokenizer: KoBERTTokenizer) -> None:
        assert tiny_model.tokenizer.vocab_sha256 == tokenizer.vocab_sha256
        assert tiny_model.tokenizer is tiny_model.tokenizer

    def test_bare_configuration_has_none(
        self, vocab_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shutil.copy(vocab_file, tmp_path)
        monkeypatch.chdir(tmp_path)  # a vocabulary that lies about is not this model's
        model = EmotionClassifier(EmotionConfig(**TINY))
        with pytest.raises(TokenizerError, match=r"built from a configuration.*Set `model\.tokenizer = "):
            model.predict(["가"])

    def test_folder_without_vocabulary(self, tiny_model_folder: Path, tmp_path: Path) -> None:
        for name in ("config.json", "model.safetensors"):
            shutil.copy(tiny_model_folder / name, tmp_path)
        model = EmotionClassifier.from_pretrained(tmp_path)
        with pytest.raises(TokenizerError, match=r"has no spiece\.model"):
            model.predict(["가"])

    def test_wrong_one_is_refused(self, tiny_model_folder: Path, tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
        folder = Path(shutil.copytree(tiny_model_folder, tmp_path / "model"))
        change_config(folder, tokenizer_sha256="0" * 64)
        model = EmotionClassifier.from_pretrained(folder)
        with pytest.raises(TokenizerError, match="not the one these weights were trained with"):
            model.tokenizer = tokenizer
        with pytest.raises(TokenizerError, match="not the one these weights were trained with"):
            model.predict(["가"])

    def test_hash_is_recorded(self, tokenizer: KoBERTTokenizer) -> None:
        model = EmotionClassifier(EmotionConfig(**TINY))
        model.tokenizer = tokenizer
        assert model.config.tokenizer_sha256 == tokenizer.vocab_sha256


@pytest.mark.numeric
class TestForward:
    @pytest.fixture
    def batch(self, tokenizer: KoBERTTokenizer) -> Any:
        return tokenizer(TEXTS, padding=True, return_tensors="pt")

    def test_loss_is_the_focal_loss_of_the_configuration(self, tiny_model: EmotionClassifier, batch: Any) -> None:
        labels = torch.tensor([0, 1, 2, 3, 4, 5])
        for alpha, gamma in ((1.0, 2.0), ([0.5, 1, 2, 3, 4, 5, 6], 0.5), (2.0, 0.0)):
            tiny_model.config.focal_alpha, tiny_model.config.focal_gamma = alpha, gamma
            output = tiny_model(**batch, labels=labels)
            assert torch.equal(output.loss, focal_loss(output.logits, labels, alpha, gamma))

    def test_logits_are_berts(self, tiny_model: EmotionClassifier, batch: Any, tiny_model_folder: Path) -> None:
        plain = BertForSequenceClassification.from_pretrained(tiny_model_folder)
        assert torch.allclose(tiny_model(**batch).logits, plain(**batch).logits, atol=1e-6)
        assert tiny_model(**batch).loss is None

    def test_ignored_rows(self, tiny_model: EmotionClassifier, batch: Any) -> None:
        labels = torch.tensor([0, -100, 2, -100, 4, 5])
        output = tiny_model(**batch, labels=labels)
        kept = labels != -100
        assert torch.allclose(output.loss, focal_loss(output.logits[kept], labels[kept]))
        assert tiny_model(**batch, labels=torch.full((6,), -100)).loss.item() == 0.0

    def test_tuple(self, tiny_model: EmotionClassifier, batch: Any) -> None:
        labels = torch.zeros(6, dtype=torch.long)
        loss, logits = tiny_model(**batch, labels=labels, return_dict=False)
        output = tiny_model(**batch, labels=labels)
        assert list(output) == ["loss", "logits"]
        assert torch.equal(output[0], output["loss"])
        assert torch.equal(loss, output.loss)
        assert torch.equal(logits, output.logits)

    def test_dropout_is_on_in_training_only(self, tiny_model: EmotionClassifier, batch: Any) -> None:
        assert torch.equal(tiny_model(**batch).logits, tiny_model(**batch).logits)
        tiny_model.train()
        assert not torch.equal(tiny_model(**batch).logits, tiny_model(**batch).logits)


@pytest.mark.numeric
class TestPredict:
    def test_against_a_text_at_a_time(self, tiny_model: EmotionClassifier) -> None:
        found = tiny_model.predict(TEXTS, batch_size=2)
        assert len(found) == len(TEXTS)
        for text, prediction in zip(TEXTS, found, strict=True):
            with torch.no_grad():
                logits = tiny_model(**tiny_model.tokenizer(text, return_tensors="pt")).logits[0]
            probabilities = scipy_softmax(logits.double().numpy())
            assert prediction["label"] == EMOTION_LABELS[int(probabilities.argmax())]
            assert prediction["score"] == pytest.approx(probabilities.max(), abs=1e-5)
            assert list(prediction["probabilities"]) == list(EMOTION_LABELS)
            assert list(prediction["probabilities"].values()) == pytest.approx(100 * probabilities, abs=0.0051)
            assert sum(prediction["probabilities"].values()) == pytest.approx(100, abs=0.04)

    def test_order_is_kept(self, tiny_model: EmotionClassifier) -> None:
        texts = [f"{'아주 ' * (i * 7 % 20)}좋은 날 {i}" for i in range(40)]
        forward = predict_logits(tiny_model, tiny_model.tokenizer, texts, batch_size=8)
        backward = predict_logits(tiny_model, tiny_model.tokenizer, texts[::-1], batch_size=8)
        assert np.abs(forward - backward[::-1]).max() < 1e-5
        assert np.abs(forward - forward[::-1]).max() > 1e-4, "the texts are too alike to show an order"

    @pytest.mark.parametrize("batch_size", [1, 2, 5, 6, 64])
    def test_batch_size_does_not_matter(self, tiny_model: EmotionClassifier, batch_size: int) -> None:
        expected = predict_logits(tiny_model, tiny_model.tokenizer, TEXTS, batch_size=3)
        found = predict_logits(tiny_model, tiny_model.tokenizer, TEXTS, batch_size=batch_size)
        assert found.dtype == np.float32
        assert np.abs(found - expected).max() < 1e-5

    @pytest.mark.parametrize("training", [True, False])
    def test_mode_is_restored(self, tiny_model: EmotionClassifier, training: bool) -> None:
        tiny_model.train(training)
        tiny_model.bert.encoder.layer[0].train(not training)
        before = [module.training for module in tiny_model.modules()]
        assert len(set(before)) == 2
        tiny_model.predict(TEXTS)
        assert [module.training for module in tiny_model.modules()] == before

    def test_training_mode_changes_nothing(self, tiny_model: EmotionClassifier) -> None:
        expected = tiny_model.predict(TEXTS)
        assert tiny_model.train().predict(TEXTS) == expected

    def test_no_texts(self, tiny_model: EmotionClassifier) -> None:
        assert tiny_model.predict([]) == []
        assert predict_logits(tiny_model, tiny_model.tokenizer, []).shape == (0, 7)

    def test_any_sequence(self, tiny_model: EmotionClassifier) -> None:
        assert tiny_model.predict(tuple(TEXTS)) == tiny_model.predict(TEXTS)
        assert tiny_model.predict(np.array(TEXTS)) == tiny_model.predict(TEXTS)  # type: ignore[arg-type]

    def test_max_length(self, tiny_model: EmotionClassifier) -> None:
        long = "정말 좋다 " * 30
        cut = tiny_model.tokenizer.convert_tokens_to_ids(tiny_model.tokenizer.tokenize(long))[:6]
        with torch.no_grad():
            logits = tiny_model(input_ids=torch.tensor([[2, *cut, 3]])).logits.numpy()
        assert np.abs(predict_logits(tiny_model, tiny_model.tokenizer, [long], max_length=8) - logits).max() < 1e-5

    def test_text_longer_than_the_positions(self) -> None:
        model = EmotionClassifier.from_pretrained("default")
        assert model.config.max_position_embeddings < 512, "no longer shows the trap"
        long = "정말 좋다 " * 600
        for max_length in (None, 512):
            assert len(model.predict([long], max_length=max_length)) == 1

    def test_pairs(self, tiny_model: EmotionClassifier) -> None:
        found = tiny_model.predict(["가", "나"], text_pairs=["다", "라 마"])
        with torch.no_grad():
            logits = tiny_model(**tiny_model.tokenizer("나", "라 마", return_tensors="pt")).logits
        assert found[1]["score"] == pytest.approx(logits.softmax(-1).max().item(), abs=1e-5)
        with pytest.raises(DataError, match=r"Expected as many second texts as texts \(2\), found 1"):
            tiny_model.predict(["가", "나"], text_pairs=["다"])

    @pytest.mark.parametrize("texts", [["가", None], ["가", 3], ["가", float("nan")], ["가", ["나"]]])
    def test_no_string(self, tiny_model: EmotionClassifier, texts: Any) -> None:
        with pytest.raises(DataError, match=r"Text 1 \(from 0\) of texts is not a string"):
            tiny_model.predict(texts)

    def test_one_string(self, tiny_model: EmotionClassifier) -> None:
        with pytest.raises(
            DataError,
            match=r"Expected a list of texts as `texts`, found a single text\. Put it in brackets: \[text\]\.",
        ):
            tiny_model.predict("가")

    def test_default_model(self) -> None:
        assert os.environ["HF_HUB_OFFLINE"] == "1"
        model = EmotionClassifier.from_pretrained("default")
        assert model.dtype == torch.float32
        found = model.predict(["오늘 정말 행복했어", "정말 화가 난다"])
        assert [p["label"] for p in found] == ["happy", "angry"]


@pytest.mark.numeric
class TestSoftmax:
    def test_extremes(self) -> None:
        logits = np.array([[1000.0, -1000, 0], [-1e30, -1e30, -1e30], [3, 1, 2]], dtype=np.float32)
        assert np.allclose(softmax(logits), scipy_softmax(logits.astype(np.float64), axis=-1))

    def test_predictions(self) -> None:
        [found] = to_predictions(np.log(np.array([[0.12345, 0.62655, 0.25]])), ["a", "b", "c"])
        assert found == {
            "label": "b",
            "score": pytest.approx(0.62655),
            "probabilities": {"a": 12.35, "b": 62.66, "c": 25.0},
        }

    def test_number_of_labels(self) -> None:
        with pytest.raises(ValueError, match="zip"):
            to_predictions(np.zeros((1, 3)), ["a", "b"])
