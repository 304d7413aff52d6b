"""Answers without torch are torch's answers; what they are not for is left to torch; the graph is the exporter's."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from paths import ROOT
from safetensors.torch import load_file, save_file
from sentences import sentences

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

import onnx

from kobert_hf_emotion import EmotionClassifier, export_onnx
from kobert_hf_emotion.assets import DEFAULT_MODEL, SKELETONS
from kobert_hf_emotion.configuration import EmotionConfig
from kobert_hf_emotion.export import exporter, light
from kobert_hf_emotion.export.light import light_classifier
from kobert_hf_emotion.export.skeleton import skeleton_of, skeletons
from kobert_hf_emotion.inference.classifier import load_classifier
from kobert_hf_emotion.tokenization.guard import UnknownTexts
from kobert_hf_emotion.tokenization.long_texts import LongTexts
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

TEXTS = [text for text, _ in sentences(3)] + ["", " ", "가나다 " * 300, "ㅋㅋㅋㅠㅠ🎉", "1,234원", "日本語です"]


def saved(folder: Path, word_split: Any = "sentencepiece", **settings: Any) -> Path:
    """Saves a model of the default's shape with random weights and a head that tells texts apart."""
    torch.manual_seed(0)
    shape = json.loads((DEFAULT_MODEL / "config.json").read_text(encoding="utf-8"))
    left_out = {"id2label", "label2id", "architectures", "dtype", "tokenizer_sha256", "transformers_version"}
    kept = {name: value for name, value in shape.items() if name not in left_out}
    model = EmotionClassifier(EmotionConfig(**(kept | settings)))
    with torch.no_grad():
        model.classifier.weight *= 50
    model.tokenizer = KoBERTTokenizer(DEFAULT_MODEL / "spiece.model", word_split=word_split, model_max_length=40)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def of_three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the default's shape with three labels, a temperature and gluonnlp's words; float32."""
    labels = {0: "좋음", 1: "싫음", 2: "모름"}
    folder = tmp_path_factory.mktemp("three") / "model"
    return saved(folder, "gluonnlp", id2label=labels, softmax_temperature=1.7)


def compare(model: Path | str, texts: list[str] = TEXTS) -> None:
    """Asserts that both ways give a model's texts the same answers, and count the same texts as unknown and cut."""
    ours, theirs = light_classifier(str(model), texts), load_classifier(model)
    assert ours is not None
    counted, expected = UnknownTexts(), UnknownTexts()
    logits = theirs.predict_logits(texts, batch_size=7, unknown=expected)
    assert np.abs(ours.predict_logits(texts, batch_size=7, unknown=counted) - logits).max() < 1e-4
    assert counted == expected
    assert (counted.unknown, counted.cut) > (0, 0)
    for our, their in zip(ours.predict(texts), theirs.task.predictions(logits, theirs.labels), strict=True):
        assert our["label"] == their["label"]
        assert our.get("labels") == their.get("labels")
        assert our["score"] == pytest.approx(their["score"], abs=1e-4)
        assert our["probabilities"] == pytest.approx(their["probabilities"], abs=0.011)
    assert ours.labels == theirs.labels
    assert ours.task == theirs.task


@pytest.mark.numeric
def test_the_default_answers_as_in_torch() -> None:
    compare("default")


@pytest.mark.numeric
def test_a_saved_model_answers_as_in_torch(of_three: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """And ONNX Runtime does not warn of a head that is not the default's."""
    compare(of_three)
    assert "onnxruntime" not in capfd.readouterr().err


@pytest.mark.numeric
@pytest.mark.parametrize(
    "settings",
    [
        {"problem_type": "multi_label_classification", "label_thresholds": [0.4] * 7},
        {"label_hierarchy": [{"label": "A", "labels": ["fear", "sad"]}, {"label": "B", "labels": [
            "surprise", "angry", "neutral", "happy", "disgust"]}]},
        {"soft_labels": True},
        {"context_turns": 2},
    ],
    ids=lambda settings: next(iter(settings)),
)  # fmt: skip
def test_models_of_every_task_answer_as_in_torch(tmp_path: Path, settings: dict[str, Any]) -> None:
    folder = saved(tmp_path / "model", **settings)
    compare(folder)
    ours = light_classifier(str(folder), TEXTS)
    assert ours is not None
    assert ours.context_turns == settings.get("context_turns", 0)


@pytest.mark.numeric
def test_long_texts_are_answered_as_in_torch(of_three: Path) -> None:
    ours, theirs = light_classifier(str(of_three), TEXTS), load_classifier(of_three)
    assert ours is not None
    for long in (LongTexts("window", 5), LongTexts("sentence", 5, "max")):
        answer, expected = ours.answer_long(TEXTS, long), theirs.answer_long(TEXTS, long)
        assert answer.pieces == expected.pieces
        assert answer.counts == expected.counts
        assert np.abs(answer.logits - expected.logits).max() < 1e-4


@pytest.mark.numeric
def test_an_exported_folder_is_opened(tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter, "sample_texts", lambda: [text for text, _ in sentences(2)])
    model = EmotionClassifier.from_pretrained(tiny_model_folder)
    export_onnx(model, tmp_path / "exported")
    ours = light_classifier(str(tmp_path / "exported"), TEXTS)
    assert ours is not None
    expected = load_classifier(tiny_model_folder).predict_logits(TEXTS)
    assert np.abs(ours.predict_logits(TEXTS) - expected).max() < 1e-4
    (tmp_path / "exported" / "config.json").write_text("{}", encoding="utf-8")
    assert light_classifier(str(tmp_path / "exported"), TEXTS) is None


def test_another_shape_is_left_to_torch(tiny_model_folder: Path) -> None:
    assert light_classifier(str(tiny_model_folder), ["오늘"]) is None


@pytest.mark.parametrize("model", ["user/name", "no/such/folder", __file__, "."])
def test_whatever_is_no_folder_of_a_model_is_left_to_torch(model: str) -> None:
    assert light_classifier(model, ["오늘"]) is None


def test_texts_that_are_many_or_name_special_tokens_are_left_to_torch() -> None:
    assert light_classifier("default", ["오늘"] * (light.MOST_TEXTS + 1)) is None
    assert light_classifier("default", ["오늘", "[MASK] 내일"]) is None


def test_without_onnxruntime_all_is_left_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert light_classifier("default", ["오늘"]) is None


Change = Callable[[dict[str, torch.Tensor]], Any]
POOLER, WORDS = "bert.pooler.dense.bias", "bert.embeddings.word_embeddings.weight"
HEAD = "classifier.weight"
CHANGES: dict[str, Change] = {
    "a weight is missing": lambda state: state.pop(POOLER),
    "there is one more": lambda state: state.update(more=torch.zeros(2)),
    "one is of another type": lambda state: state.update({POOLER: state[POOLER].bfloat16()}),
    "one is of another precision": lambda state: state.update({POOLER: state[POOLER].double()}),
    "one has another shape": lambda state: state.update({WORDS: state[WORDS][:-1].clone()}),
    "one is not finite": lambda state: state.update({POOLER: state[POOLER] * float("nan")}),
    "the head has other labels": lambda state: state.update({HEAD: state[HEAD][:2].clone()}),
    "one has another rank": lambda state: state.update({POOLER: state[POOLER][None].clone()}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_other_weights_are_left_to_torch(of_three: Path, tmp_path: Path, change: Change) -> None:
    folder = tmp_path / "model"
    shutil.copytree(of_three, folder)
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors")
    assert light_classifier(str(folder), ["오늘"]) is None


@pytest.mark.parametrize(
    "settings",
    [
        {"tokenizer_sha256": "0" * 64},
        {"softmax_temperature": "warm"},
        {"label2id": {"좋음": 2, "싫음": 1, "모름": 0}},
        {"id2label": None},
        {"label_hierarchy": [{"label": "A"}]},
        {"num_attention_heads": 8},
        {"hidden_act": "relu"},
        {"layer_norm_eps": 1e-5},
        {"is_decoder": True},
        {"model_type": "electra"},
        {"position_embedding_type": "relative_key"},
    ],
    ids=str,
)
def test_other_configurations_are_left_to_torch(of_three: Path, tmp_path: Path, settings: dict[str, Any]) -> None:
    folder = tmp_path / "model"
    shutil.copytree(of_three, folder)
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | settings), encoding="utf-8")
    assert light_classifier(str(folder), ["오늘"]) is None


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer_config.json", "spiece.model"])
def test_damaged_files_are_left_to_torch(of_three: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(of_three, folder)
    (folder / name).write_bytes((folder / name).read_bytes()[:300])
    assert light_classifier(str(folder), ["오늘"]) is None


@pytest.mark.parametrize("name", ["adapter_config.json", "pytorch_model.bin", "model.safetensors.index.json"])
def test_folders_of_something_else_are_left_to_torch(of_three: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(of_three, folder)
    (folder / name).write_text("{}", encoding="utf-8")
    assert light_classifier(str(folder), ["오늘"]) is None


def described(graph: bytes, notes: dict[str, Any]) -> list[Any]:
    """Returns the nodes of a graph with weights called by what they are made of, and all between by their order."""
    model = onnx.load_from_string(graph)
    names = {name: json.dumps(recipe) for part in ("weights", "head") for name, recipe in notes[part].items()}
    for small in model.graph.initializer:
        if small.name not in names:
            names[small.name] = str(onnx.numpy_helper.to_array(small))
    found: list[Any] = [sorted((domain.domain, domain.version) for domain in model.opset_import)]
    found.append([str(value.type) for value in (*model.graph.input, *model.graph.output)])
    for node in model.graph.node:
        for output in node.output:
            names.setdefault(output, f"value {len(names)}" if output else "")
        attributes = sorted(str(attribute) for attribute in node.attribute)
        found.append((node.domain, node.op_type, attributes, [names.get(name, name) for name in node.input]))
    return found


@pytest.mark.slow
def test_the_graph_in_the_package_is_what_the_exporter_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from default_model.skeleton import make_skeleton, name_of

    model = EmotionClassifier.from_pretrained("default")
    graph, notes = make_skeleton(model)
    file = SKELETONS / f"{name_of(model.config)}.json"
    again = f"python -m default_model.skeleton writes {file.name} anew"
    shipped = json.loads(file.read_text(encoding="utf-8"))
    assert shipped["config"] == notes["config"], again
    assert described(file.with_suffix(".onnx").read_bytes(), shipped) == described(graph, notes), again
    assert [found.file for found in skeletons()] == [file.with_suffix(".onnx")]
    assert skeleton_of(model.config) is not None
    assert file.with_suffix(".onnx").stat().st_size < 50_000, "no weights in it"
