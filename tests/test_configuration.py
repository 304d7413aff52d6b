"""The configuration: KoBERT's shape, label names, and the file plain transformers reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers import AutoConfig, BertConfig

from kobert_hf_emotion.configuration import EmotionConfig
from kobert_hf_emotion.labels import EMOTION_LABELS


def test_defaults_are_kobert_and_the_notebook() -> None:
    config = EmotionConfig()
    shape = (config.hidden_size, config.num_hidden_layers, config.num_attention_heads, config.intermediate_size)
    assert shape == (768, 12, 12, 3072)
    assert (config.vocab_size, config.pad_token_id, config.max_position_embeddings, config.type_vocab_size) == (
        8002,
        1,
        512,
        2,
    )
    assert (config.hidden_act, config.layer_norm_eps) == ("gelu", 1e-12)
    assert config.classifier_dropout == 0.5
    assert (config.focal_alpha, config.focal_gamma) == (1.0, 2.0)


def test_labels() -> None:
    config = EmotionConfig()
    assert config.num_labels == 7
    assert config.labels == list(EMOTION_LABELS)
    assert config.id2label == dict(enumerate(EMOTION_LABELS))
    assert config.label2id == {name: i for i, name in enumerate(EMOTION_LABELS)}
    assert EmotionConfig(num_labels=7).labels == list(EMOTION_LABELS)


def test_other_number_of_labels() -> None:
    config = EmotionConfig(num_labels=3)
    assert config.labels == ["LABEL_0", "LABEL_1", "LABEL_2"]
    assert config.label2id == {"LABEL_0": 0, "LABEL_1": 1, "LABEL_2": 2}


def test_own_labels_from_either_table() -> None:
    for config in (EmotionConfig(id2label={0: "no", 1: "yes"}), EmotionConfig(label2id={"no": 0, "yes": 1})):
        assert config.labels == ["no", "yes"]
        assert config.label2id == {"no": 0, "yes": 1}
        assert config.num_labels == 2


def test_more_than_ten_labels_stay_in_order(tmp_path: Path) -> None:
    names = [f"name {i}" for i in range(12)]
    EmotionConfig(id2label=dict(enumerate(names))).save_pretrained(tmp_path)
    assert EmotionConfig.from_pretrained(tmp_path).labels == names


def test_configurations_share_nothing() -> None:
    EmotionConfig().id2label[0] = "changed"  # type: ignore[index]
    assert EmotionConfig().labels[0] == "fear"


def test_round_trip(tmp_path: Path) -> None:
    config = EmotionConfig(focal_alpha=[1.0, 2.0], focal_gamma=0.5, tokenizer_sha256="ab", id2label={0: "a", 1: "b"})
    config.save_pretrained(tmp_path)
    loaded = EmotionConfig.from_pretrained(tmp_path)
    assert loaded.to_dict() == config.to_dict()
    assert loaded.focal_alpha == [1.0, 2.0]
    assert (loaded.focal_gamma, loaded.tokenizer_sha256) == (0.5, "ab")
    stored = json.loads((tmp_path / "config.json").read_text())
    assert stored["model_type"] == "bert"


def test_plain_transformers_reads_it(tmp_path: Path) -> None:
    EmotionConfig().save_pretrained(tmp_path)
    plain = AutoConfig.from_pretrained(tmp_path)
    assert type(plain) is BertConfig
    assert plain.id2label == dict(enumerate(EMOTION_LABELS))
    assert plain.pad_token_id == 1


def test_kobert_layout_has_no_labels(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "bert", "vocab_size": 8002, "pad_token_id": 1, "architectures": ["BertModel"]})
    )
    assert EmotionConfig.from_pretrained(tmp_path).labels == list(EMOTION_LABELS)
    assert EmotionConfig.from_pretrained(tmp_path, num_labels=7).labels == list(EMOTION_LABELS)
    assert EmotionConfig.from_pretrained(tmp_path, num_labels=4).num_labels == 4


def test_temperature(tmp_path: Path) -> None:
    config = EmotionConfig(softmax_temperature=1.5)
    # some releases of transformers 5 refuse to save a setting of text generation
    assert not set(vars(config)) & {"temperature", "top_k", "top_p"}
    config.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))["softmax_temperature"] == 1.5
    assert EmotionConfig.from_pretrained(tmp_path).softmax_temperature == 1.5
    assert EmotionConfig.from_pretrained(tmp_path, softmax_temperature=1.0).softmax_temperature == 1
    assert EmotionConfig().softmax_temperature == 1


def test_wrong_types_are_refused() -> None:
    with pytest.raises(Exception, match="focal_gamma"):
        EmotionConfig(focal_gamma="two")  # type: ignore[arg-type]
