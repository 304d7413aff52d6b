"""Every kind of file that notebooks left, read without running it, against plain torch and expected.json."""

from __future__ import annotations

import functools
import json
import shlex
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from legacy_files import SIZES, STEM, assert_same, rezip
from torch import nn
from transformers import BertConfig, BertForSequenceClassification, BertModel

from kobert_hf_emotion.errors import CheckpointError
from kobert_hf_emotion.legacy import import_legacy_checkpoint, read_legacy_checkpoint
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.notebook import BERTClassifier
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

Save = Callable[..., Path]


@pytest.mark.parametrize("suffix", [".pt", "_state_dict.pt", "_all.tar"])
class TestSharedFiles:
    def test_logits_from_texts(self, shared: Path, suffix: str) -> None:
        expected = json.loads((shared / "legacy" / "expected.json").read_text("utf-8"))
        heads = None if suffix == ".pt" else 2
        model = import_legacy_checkpoint(shared / "legacy" / f"{STEM}{suffix}", heads)
        tokenizer = KoBERTTokenizer.from_pretrained(shared / "kobert" / "spiece.model", word_split="gluonnlp")
        batch = tokenizer(expected["texts"], truncation=True, max_length=64, padding="max_length", return_tensors="pt")
        assert batch["input_ids"].tolist() == expected["token_ids"]
        with torch.no_grad():
            logits = model(**batch).logits
        torch.testing.assert_close(logits, torch.tensor(expected["logits"]), rtol=0, atol=1e-6)

    def test_configuration(self, shared: Path, suffix: str) -> None:
        expected = json.loads((shared / "legacy" / "expected.json").read_text("utf-8"))
        checkpoint = read_legacy_checkpoint(shared / "legacy" / f"{STEM}{suffix}", num_attention_heads=2)
        for name in ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"):
            assert getattr(checkpoint.config, name) == expected[name]
        assert checkpoint.config.classifier_dropout == expected["dr_rate"]
        assert len(checkpoint.config.labels) == expected["num_classes"]
        assert (checkpoint.missing, checkpoint.unexpected, checkpoint.dropped) == ((), (), ())
        assert checkpoint.unknown_settings is (suffix != ".pt")
        assert (checkpoint.optimizer_state is not None) is (suffix == "_all.tar")

    def test_tensors_are_those_of_plain_torch(self, shared: Path, suffix: str) -> None:
        weights = torch.load(shared / "legacy" / f"{STEM}_state_dict.pt", weights_only=True)
        checkpoint = read_legacy_checkpoint(shared / "legacy" / f"{STEM}{suffix}", num_attention_heads=2)
        assert_same(dict(weights), checkpoint.state_dict)
        if suffix == "_all.tar":
            whole = torch.load(shared / "legacy" / f"{STEM}{suffix}", weights_only=True)
            assert_same(whole["optimizer"], checkpoint.optimizer_state)


class TestKinds:
    @pytest.mark.parametrize("name", ["model", "model_state_dict", "state_dict", "net"])
    def test_state_dict_under_a_key(self, tiny: EmotionClassifier, saved: Save, name: str) -> None:
        checkpoint = read_legacy_checkpoint(saved({"epoch": 3, name: tiny.state_dict(), "loss": 0.5}), 2)
        assert checkpoint.kind == "checkpoint"
        assert_same(dict(tiny.state_dict()), checkpoint.state_dict)

    @pytest.mark.parametrize("prefix", ["module.", "model.", "module._orig_mod."])
    def test_prefix(self, tiny: EmotionClassifier, saved: Save, prefix: str) -> None:
        state = {prefix + name: value for name, value in tiny.state_dict().items()}
        assert_same(dict(tiny.state_dict()), read_legacy_checkpoint(saved(state), 2).state_dict)

    def test_sequence_classification_dict(self, plain_bert: BertForSequenceClassification, saved: Save) -> None:
        model = import_legacy_checkpoint(saved(plain_bert.state_dict()), 2)
        assert model.config.labels == ["LABEL_0", "LABEL_1", "LABEL_2"]
        assert_same(dict(plain_bert.state_dict()), dict(model.state_dict()))

    def test_whole_sequence_classification_model(self, plain_bert: BertForSequenceClassification, saved: Save) -> None:
        plain_bert.eval()
        model = import_legacy_checkpoint(saved(plain_bert))
        ids = torch.tensor([[2, 5, 6, 3, 1, 1]])
        with torch.no_grad():
            torch.testing.assert_close(model(ids).logits, plain_bert(ids).logits, rtol=0, atol=0)
        assert (model.config.hidden_act, model.config.layer_norm_eps) == ("relu", 1e-5)

    def test_whole_model_in_data_parallel(self, saved: Save) -> None:
        whole = nn.DataParallel(BERTClassifier(BertModel(BertConfig(**SIZES)), 8, 7, dr_rate=0.25))
        checkpoint = read_legacy_checkpoint(saved(whole))
        assert checkpoint.config.classifier_dropout == 0.25
        assert_same(dict(whole.module.state_dict()), checkpoint.state_dict)

    def test_whole_model_under_a_key(self, saved: Save) -> None:
        whole = BERTClassifier(BertModel(BertConfig(**SIZES)), 8, 7)
        checkpoint = read_legacy_checkpoint(saved({"model": whole, "epoch": 1}))
        assert checkpoint.kind == "checkpoint"
        assert checkpoint.config.classifier_dropout == 0.0
        assert_same(dict(whole.state_dict()), checkpoint.state_dict)

    def test_two_models_need_a_choice(self, tiny: EmotionClassifier, saved: Save) -> None:
        with pytest.raises(CheckpointError, match=r"\['a', 'b'\]"):
            read_legacy_checkpoint(saved({"a": tiny.state_dict(), "b": tiny.state_dict()}), 2)

    def test_told_apart_by_content_not_name(self, tiny: EmotionClassifier, saved: Save) -> None:
        assert read_legacy_checkpoint(saved(tiny.state_dict(), "x_all.tar"), 2).kind == "state_dict"

    def test_a_dictionary_without_a_bert(self, saved: Save) -> None:
        with pytest.raises(CheckpointError, match=r"word_embeddings.*found keys \['fc.weight'\]"):
            read_legacy_checkpoint(saved({"fc.weight": torch.ones(2, 2)}))

    def test_real_tar_around_one_file(self, tiny: EmotionClassifier, saved: Save, tmp_path: Path) -> None:
        import tarfile

        inner = saved(tiny.state_dict())
        with tarfile.open(tmp_path / "real_all.tar", "w") as tar:
            tar.add(inner, "folder/weights.pt")
        assert_same(dict(tiny.state_dict()), read_legacy_checkpoint(tmp_path / "real_all.tar", 2).state_dict)


class TestContainers:
    @pytest.mark.parametrize("protocol", [2, 3, 4, 5])
    @pytest.mark.parametrize("zipped", [True, False])
    def test_protocols(self, tiny: EmotionClassifier, saved: Save, protocol: int, zipped: bool) -> None:
        path = saved(tiny.state_dict(), pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
        checkpoint = read_legacy_checkpoint(path, 2)
        assert checkpoint.container == ("zip" if zipped else "stream")
        assert_same(dict(tiny.state_dict()), checkpoint.state_dict)

    def test_whole_model_before_torch_1_6(self, saved: Save) -> None:
        whole = BERTClassifier(BertModel(BertConfig(**SIZES)), 8, 7, dr_rate=0.5)
        checkpoint = read_legacy_checkpoint(saved(whole, _use_new_zipfile_serialization=False))
        assert (checkpoint.kind, checkpoint.container) == ("model", "stream")
        assert_same(dict(whole.state_dict()), checkpoint.state_dict)

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
    def test_dtypes(self, tiny: EmotionClassifier, saved: Save, dtype: torch.dtype) -> None:
        state = {name: value.to(dtype) for name, value in tiny.state_dict().items()}
        path = saved(state)
        assert_same(state, dict(import_legacy_checkpoint(path, 2, dtype=None).state_dict()))
        as_float = {name: value.float() for name, value in state.items()}
        assert_same(as_float, dict(import_legacy_checkpoint(path, 2).state_dict()))

    @pytest.mark.parametrize("location", [b"cuda:0", b"cuda:7", b"mps", b"xla:1"])
    def test_tensors_of_another_device(self, tiny: EmotionClassifier, saved: Save, location: bytes) -> None:
        def move(name: str, content: bytes) -> bytes:
            here, there = (b"X" + len(place).to_bytes(4, "little") + place for place in (b"cpu", location))
            assert name != "data.pkl" or here in content
            return content.replace(here, there) if name.endswith("data.pkl") else content

        path = rezip(saved(tiny.state_dict()), move)
        assert_same(dict(tiny.state_dict()), read_legacy_checkpoint(path, 2).state_dict)

    def test_big_endian(self, tiny: EmotionClassifier, saved: Save) -> None:
        def swap(name: str, content: bytes) -> bytes:
            if name.endswith("byteorder"):
                return b"big"
            return np.frombuffer(content, "<f4").byteswap().tobytes() if "/data/" in name else content

        path = rezip(saved(tiny.state_dict()), swap)
        assert_same(dict(tiny.state_dict()), read_legacy_checkpoint(path, 2).state_dict)

    def test_views_are_read_as_what_they_show(self, tiny: EmotionClassifier, saved: Save) -> None:
        state = dict(tiny.state_dict())
        base = torch.randn(9, 40)
        state["bert.pooler.dense.weight"] = base[1:, 3:11]
        state["bert.embeddings.word_embeddings.weight"] = torch.randn(8, 30).t()
        for zipped in (True, False):
            path = saved(state, _use_new_zipfile_serialization=zipped)
            assert_same(state, read_legacy_checkpoint(path, 2).state_dict)


class TestKeys:
    @pytest.mark.parametrize("prefix", ["", "module."])
    def test_old_buffers_are_dropped_by_name(self, tiny: EmotionClassifier, saved: Save, prefix: str) -> None:
        state = {prefix + name: value for name, value in tiny.state_dict().items()}
        names = [prefix + "bert.embeddings.position_ids", prefix + "bert.embeddings.token_type_ids"]
        state |= {name: torch.zeros(1, 16, dtype=torch.long) for name in names}
        checkpoint = read_legacy_checkpoint(saved(state), 2)
        assert checkpoint.dropped == tuple(names)
        assert checkpoint.unexpected == ()

    def test_layer_norm_of_2018(self, tiny: EmotionClassifier, saved: Save) -> None:
        renames = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
        state = {
            functools.reduce(lambda n, pair: n.replace(*pair), renames.items(), name): value
            for name, value in tiny.state_dict().items()
        }
        assert any("gamma" in name for name in state)
        assert_same(dict(tiny.state_dict()), read_legacy_checkpoint(saved(state), 2).state_dict)

    def test_missing_and_unexpected_are_both_reported(self, tiny: EmotionClassifier, saved: Save) -> None:
        state = dict(tiny.state_dict())
        del state["bert.encoder.layer.1.output.dense.bias"]
        state["extra.weight"] = torch.ones(2)
        state["bert.pooler.dense.bias"] = torch.ones(9)
        path = saved(state)
        with pytest.raises(CheckpointError) as caught:
            import_legacy_checkpoint(path, 2)
        for name in ("bert.encoder.layer.1.output.dense.bias", "extra.weight", "bert.pooler.dense.bias"):
            assert name in caught.value.korean
            assert name in caught.value.english
        checkpoint = read_legacy_checkpoint(path, 2)
        assert checkpoint.missing == ("bert.encoder.layer.1.output.dense.bias", "bert.pooler.dense.bias")
        assert checkpoint.unexpected == ("extra.weight", "bert.pooler.dense.bias")

    def test_not_strict_keeps_what_is_there(
        self, tiny: EmotionClassifier, saved: Save, caplog: pytest.LogCaptureFixture
    ) -> None:
        state = dict(tiny.state_dict())
        kept = state.pop("bert.pooler.dense.bias")
        model = import_legacy_checkpoint(saved(state), 2, strict=False)
        found = dict(model.state_dict())
        assert found.pop("bert.pooler.dense.bias").shape == kept.shape
        assert_same(state, found)
        assert "bert.pooler.dense.bias" in caplog.text

    def test_gaps_in_the_layers(self, tiny: EmotionClassifier, saved: Save) -> None:
        state = {name.replace("layer.1.", "layer.9999."): value for name, value in tiny.state_dict().items()}
        with pytest.raises(CheckpointError, match="most are missing"):
            read_legacy_checkpoint(saved(state), 2)

    def test_no_classifier(self, tiny: EmotionClassifier, saved: Save) -> None:
        state = {name: value for name, value in tiny.state_dict().items() if not name.startswith("classifier")}
        with pytest.raises(CheckpointError, match=r"found none\. The file holds an encoder without"):
            read_legacy_checkpoint(saved(state), 2)


class TestHeads:
    """Heads that are not BERT's: what was found is named, and what would be understood."""

    def renamed(self, tiny: EmotionClassifier, head: dict[str, tuple[int, ...]], prefix: str = "") -> dict[str, Any]:
        encoder = {n: value for n, value in tiny.state_dict().items() if not n.startswith("classifier")}
        return {prefix + n: value for n, value in (encoder | {n: torch.ones(s) for n, s in head.items()}).items()}

    @pytest.mark.parametrize("prefix", ["", "module.", "model."])
    @pytest.mark.parametrize("name", ["fc", "out", "linear", "cls_layer"])
    def test_one_layer_of_another_name(self, tiny: EmotionClassifier, saved: Save, name: str, prefix: str) -> None:
        state = self.renamed(tiny, {f"{name}.weight": (7, 8), f"{name}.bias": (7,)}, prefix)
        with pytest.raises(CheckpointError) as caught:
            import_legacy_checkpoint(saved(state, "낡은 모델.pt"), 2)
        for text in (caught.value.korean, caught.value.english):
            assert f"{prefix}{name}.weight [7, 8], {prefix}{name}.bias [7]" in text
            assert "classifier.weight" in text
        assert caught.value.try_this is not None
        assert caught.value.try_this.startswith("python -c ")

    @pytest.mark.slow
    def test_the_renaming_runs(self, tiny: EmotionClassifier, saved: Save, tmp_path: Path) -> None:
        path = saved(self.renamed(tiny, {"fc.weight": (7, 8), "fc.bias": (7,)}, "module."), "it's 낡은.pt")
        with pytest.raises(CheckpointError) as caught:
            import_legacy_checkpoint(path, 2)
        command = shlex.split(str(caught.value.try_this))
        subprocess.run([sys.executable, *command[1:]], check=True, timeout=600)
        [written] = set(tmp_path.iterdir()) - {path}
        assert torch.equal(import_legacy_checkpoint(written, 2).classifier.weight, torch.ones(7, 8))

    @pytest.mark.parametrize(
        "head",
        [
            {"classifier.0.weight": (16, 8), "classifier.0.bias": (16,), "classifier.3.weight": (7, 16)},
            {"fc1.weight": (16, 8), "fc1.bias": (16,), "fc2.weight": (7, 16), "fc2.bias": (7,)},
            {"fc.0.weight": (8, 8), "fc.2.weight": (7, 8)},
        ],
    )
    def test_two_layers(self, tiny: EmotionClassifier, saved: Save, head: dict[str, tuple[int, ...]]) -> None:
        with pytest.raises(CheckpointError, match="A head of 2 layers is no head of BERT's") as caught:
            read_legacy_checkpoint(saved(self.renamed(tiny, head)), 2)
        assert all(name in str(caught.value) for name in head)
        assert caught.value.try_this is None

    @pytest.mark.parametrize(
        "head",
        [
            {"classifier.weight": (7, 16), "classifier.bias": (7,)},
            {"classifier.bias": (7,)},
            {"lstm.weight_ih_l0": (32, 8), "fc.weight": (7, 8), "fc.bias": (7,)},
        ],
    )
    def test_none_of_berts(self, tiny: EmotionClassifier, saved: Save, head: dict[str, tuple[int, ...]]) -> None:
        with pytest.raises(CheckpointError, match="can't be converted") as caught:
            read_legacy_checkpoint(saved(self.renamed(tiny, head)), 2)
        assert all(name in str(caught.value) for name in head)

    def test_in_a_checkpoint_and_a_whole_model(self, tiny: EmotionClassifier, saved: Save) -> None:
        state = self.renamed(tiny, {"fc.weight": (7, 8), "fc.bias": (7,)})
        with pytest.raises(CheckpointError, match=r"found fc\.weight \[7, 8\]") as caught:
            read_legacy_checkpoint(saved({"model_state_dict": state, "epoch": 3}), 2)
        assert caught.value.try_this is None
        whole = BERTClassifier(BertModel(BertConfig(**SIZES)), 8, 7)
        whole.fc = whole.classifier
        del whole.classifier
        with pytest.raises(CheckpointError, match=r"found fc\.weight \[7, 8\]"):
            read_legacy_checkpoint(saved(whole))

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_weights_that_are_no_numbers(self, tiny: EmotionClassifier, saved: Save, value: float) -> None:
        with torch.no_grad():
            tiny.classifier.bias[2] = value
        with pytest.raises(CheckpointError, match=r"hold NaN or infinity, such as classifier\.bias"):
            import_legacy_checkpoint(saved(tiny.state_dict()), 2)

    def test_labels_that_are_assumed(
        self, tiny: EmotionClassifier, plain_bert: BertForSequenceClassification, saved: Save
    ) -> None:
        path = saved(tiny.state_dict())
        assert read_legacy_checkpoint(path, 2).assumed_labels
        assert not read_legacy_checkpoint(path, 2, list("abcdefg")).assumed_labels
        assert read_legacy_checkpoint(saved(plain_bert)).assumed_labels  # LABEL_0, …
        plain_bert.config.id2label = dict(enumerate("abc"))
        assert not read_legacy_checkpoint(saved(plain_bert)).assumed_labels


class TestSettings:
    def test_heads_of_kobert_are_known(self, saved: Save) -> None:
        config = BertConfig(vocab_size=5, hidden_size=768, num_hidden_layers=0, intermediate_size=4)
        config.max_position_embeddings = 2
        state = {
            **{f"bert.{name}": value for name, value in BertModel(config).state_dict().items()},
            **{f"bert.encoder.layer.0.{name}": torch.zeros(shape) for name, shape in _layer_shapes(768, 4).items()},
            "classifier.weight": torch.zeros(7, 768),
            "classifier.bias": torch.zeros(7),
        }
        assert read_legacy_checkpoint(saved(state)).config.num_attention_heads == 12

    def test_heads_are_asked_for(self, tiny: EmotionClassifier, saved: Save) -> None:
        with pytest.raises(CheckpointError, match="`num_attention_heads`"):
            read_legacy_checkpoint(saved(tiny.state_dict()))

    def test_heads_that_do_not_divide(self, tiny: EmotionClassifier, saved: Save) -> None:
        with pytest.raises(CheckpointError, match="divides the hidden size 8, found 3"):
            read_legacy_checkpoint(saved(tiny.state_dict()), 3)

    def test_labels(self, tiny: EmotionClassifier, saved: Save) -> None:
        path = saved(tiny.state_dict())
        names = list("abcdefg")
        assert read_legacy_checkpoint(path, 2, names).config.labels == names
        with pytest.raises(CheckpointError, match="7 different labels"):
            read_legacy_checkpoint(path, 2, ["a", "b"])

    def test_rates_come_from_the_file(self, saved: Save) -> None:
        config = BertConfig(**SIZES, hidden_dropout_prob=0.2, attention_probs_dropout_prob=0.3, layer_norm_eps=1e-6)
        found = read_legacy_checkpoint(saved(BERTClassifier(BertModel(config), 8, 7))).config
        assert (found.hidden_dropout_prob, found.attention_probs_dropout_prob) == (0.2, 0.3)
        assert (found.layer_norm_eps, found.pad_token_id) == (1e-6, 1)

    @pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu", "silu", "gelu_python"])
    def test_activation(self, saved: Save, activation: str) -> None:
        whole = BERTClassifier(BertModel(BertConfig(**SIZES, hidden_act=activation)), 8, 7)
        found = read_legacy_checkpoint(saved(whole)).config.hidden_act
        assert found == ("gelu" if activation == "gelu_python" else activation)

    def test_activation_that_is_a_function(self, saved: Save) -> None:
        """As in models of transformers 2 to 4.15, and where no configuration was saved."""
        whole = BERTClassifier(BertModel(BertConfig(**SIZES)), 8, 7)
        for layer in whole.bert.encoder.layer:
            del layer.intermediate.intermediate_act_fn
            layer.intermediate.intermediate_act_fn = nn.functional.relu
        for module in whole.modules():
            vars(module).pop("config", None)
        found = read_legacy_checkpoint(saved(whole)).config
        assert (found.hidden_act, found.num_attention_heads) == ("relu", 2)
        for layer in whole.bert.encoder.layer:
            layer.intermediate.intermediate_act_fn = nn.functional.hardswish
        with pytest.raises(CheckpointError, match="activation"):
            read_legacy_checkpoint(saved(whole))

    def test_labels_of_a_pickled_configuration(self, plain_bert: BertForSequenceClassification, saved: Save) -> None:
        names = {0: "부정", 1: "중립", 2: "긍정"}
        plain_bert.config.id2label = names
        assert read_legacy_checkpoint(saved(plain_bert)).config.labels == list(names.values())

    def test_classes_that_no_longer_exist(self, saved: Save, monkeypatch: pytest.MonkeyPatch) -> None:
        """A model of classes in modules that are gone when the file is read."""
        gone = types.ModuleType("my_old_project")
        source = "class BERTClassifier(Base):\n    pass\n"
        exec(source, {"Base": BERTClassifier, "__name__": "my_old_project"}, vars(gone))  # noqa: S102 - our own text
        monkeypatch.setitem(sys.modules, "my_old_project", gone)
        whole = gone.BERTClassifier(BertModel(BertConfig(**SIZES)), 8, 7)
        path = saved(whole)
        monkeypatch.delitem(sys.modules, "my_old_project")
        assert_same(dict(whole.state_dict()), read_legacy_checkpoint(path).state_dict)
        assert "my_old_project" not in sys.modules


class TestUse:
    def test_random_state_is_left_alone(self, tiny: EmotionClassifier, saved: Save) -> None:
        path = saved(tiny.state_dict())
        before = torch.random.get_rng_state()
        import_legacy_checkpoint(path, 2)
        assert torch.equal(before, torch.random.get_rng_state())

    def test_model_trains_and_saves(self, tiny: EmotionClassifier, saved: Save, tmp_path: Path) -> None:
        model = import_legacy_checkpoint(saved(tiny.state_dict()), 2)
        ids = torch.tensor([[2, 5, 3]])
        before = model(ids).logits
        model(ids, labels=torch.tensor([1])).loss.backward()
        assert all(parameter.grad is not None for parameter in model.parameters())
        model.save_pretrained(tmp_path / "folder")
        again = EmotionClassifier.from_pretrained(tmp_path / "folder").eval()
        assert torch.equal(before, again(ids).logits)

    def test_numbers_of_numpy_in_a_checkpoint(self, tiny: EmotionClassifier, saved: Save) -> None:
        content: dict[str, Any] = {"model": tiny.state_dict(), "acc": np.float64(0.5), "curve": np.arange(3.0)}
        content["optimizer"] = torch.optim.AdamW(tiny.parameters(), lr=1e-3).state_dict()
        content["optimizer"]["param_groups"][0]["lr"] = np.float64(0.001)
        state = read_legacy_checkpoint(saved(content), 2).optimizer_state
        assert state is not None
        assert state["param_groups"][0]["lr"] == 0.001

    @pytest.mark.parametrize("content", [b"", b"PK", b"hello\n" * 100, b"\x80\x02.", b"\x1f\x8b\x08\x00" * 20])
    def test_files_that_are_none(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "x.pt").write_bytes(content)
        with pytest.raises(CheckpointError, match=r"torch\.save"):
            read_legacy_checkpoint(tmp_path / "x.pt")

    @pytest.mark.parametrize(
        ("content", "reason"),
        [(b"\n<!DOCTYPE html><html>", "web page"), (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull")],
    )
    def test_what_downloads_leave(self, tmp_path: Path, content: bytes, reason: str) -> None:
        (tmp_path / "x.pt").write_bytes(content)
        with pytest.raises(CheckpointError, match=reason):
            read_legacy_checkpoint(tmp_path / "x.pt")

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(CheckpointError, match="found none at"):
            read_legacy_checkpoint(tmp_path / "x.pt")
        with pytest.raises(CheckpointError, match="found none at"):
            read_legacy_checkpoint(tmp_path)


def _layer_shapes(hidden: int, inner: int) -> dict[str, tuple[int, ...]]:
    config = BertConfig(hidden_size=hidden, intermediate_size=inner, num_attention_heads=1)
    with torch.device("meta"):
        layer = BertModel(config).encoder.layer[0]
    return {name: tuple(value.shape) for name, value in layer.state_dict().items()}
