"""What text-embeddings-inference and infinity require of a folder, as read in their sources; see docs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from safetensors import safe_open
from sentences import sentences
from tokenizers import Tokenizer
from transformers import AutoTokenizer, pipeline

from kobert_hf_emotion import EmotionClassifier, export_onnx
from kobert_hf_emotion.export import exporter
from kobert_hf_emotion.inference.classifier import load_classifier
from kobert_hf_emotion.labels import EMOTION_LABELS

TEXT = "오늘 정말 행복했어"


@pytest.fixture(scope="module")
def exports(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("exports")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporter, "sample_texts", lambda: [text for text, _ in sentences(2)])
        patch.setattr(exporter, "SMALLEST_AGREEMENT", 0.5)  # labels of random weights are nearly ties
        patch.setattr("kobert_hf_emotion.export.parity.SMALLEST_AGREEMENT", 0.5)
        for name, int8 in (("float32", False), ("int8", True)):
            classifier = load_classifier(tiny_model_folder)
            classifier.tokenizer.model_max_length = 32
            export_onnx(classifier, folder / name, int8)
    return {name: folder / name for name in ("float32", "int8")}


@pytest.fixture(params=["saved", "float32", "int8"])
def folder(request: pytest.FixtureRequest, tiny_model_folder: Path) -> Path:
    if request.param == "saved":
        return tiny_model_folder
    found: Path = request.getfixturevalue("exports")[request.param]
    return found


def config_of(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
    return config


def test_the_configuration_says_a_classifier(folder: Path) -> None:
    config = config_of(folder)
    assert config["architectures"] == ["BertForSequenceClassification"]
    assert config["model_type"] == "bert"
    assert config.get("position_embedding_type", "absolute") == "absolute"
    assert config["pad_token_id"] == 1
    assert isinstance(config["max_position_embeddings"], int)
    assert config["id2label"] == {str(index): label for index, label in enumerate(EMOTION_LABELS)}
    assert config["label2id"] == {label: index for index, label in enumerate(EMOTION_LABELS)}


def test_the_tokenizer_needs_no_other_file(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
    engine = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    encoded = engine.encode(TEXT)
    assert encoded.ids == AutoTokenizer.from_pretrained(folder)(TEXT)["input_ids"]
    assert set(encoded.type_ids) == {0}
    assert json.loads((folder / "tokenizer_config.json").read_text("utf-8")).get("padding_side", "right") == "right"


def test_weights_have_the_names_of_bert(tiny_model_folder: Path) -> None:
    config = config_of(tiny_model_folder)
    with safe_open(tiny_model_folder / "model.safetensors", "np") as weights:
        names = set(weights.keys())
        assert {"bert.pooler.dense.weight", "classifier.weight", "classifier.bias"} <= names
        assert "bert.embeddings.word_embeddings.weight" in names
        assert weights.get_tensor("classifier.weight").shape == (len(EMOTION_LABELS), config["hidden_size"])


def test_graphs_lie_where_they_are_looked_for(exports: dict[str, Path]) -> None:
    for name, file in (("float32", "onnx/model.onnx"), ("int8", "onnx/model_quantized.onnx")):
        assert [path.relative_to(exports[name]).as_posix() for path in exports[name].rglob("*.onnx")] == [file]
        session = onnxruntime.InferenceSession(exports[name] / file, providers=["CPUExecutionProvider"])
        assert [put.name for put in session.get_inputs()] == ["input_ids", "attention_mask", "token_type_ids"]
        assert {put.type for put in session.get_inputs()} == {"tensor(int64)"}
        [logits] = session.run(None, {put.name: np.ones((2, 5), np.int64) for put in session.get_inputs()})
        assert logits.shape == (2, len(EMOTION_LABELS))


def test_the_temperature_is_what_they_leave_out(tiny_model: EmotionClassifier, tmp_path: Path) -> None:
    tiny_model.tokenizer  # noqa: B018 - so that it is saved
    tiny_model.config.softmax_temperature = 2.0
    tiny_model.save_pretrained(tmp_path)
    assert config_of(tmp_path)["softmax_temperature"] == 2.0
    [theirs] = pipeline("text-classification", model=str(tmp_path), top_k=None)([TEXT])  # as infinity does
    logits = np.log([entry["score"] for entry in theirs])
    calibrated = np.exp(logits / 2) / np.exp(logits / 2).sum()
    [ours] = EmotionClassifier.from_pretrained(tmp_path).predict([TEXT])
    assert theirs[0]["label"] == ours["label"]
    assert calibrated.max() == pytest.approx(ours["score"], abs=1e-5)
