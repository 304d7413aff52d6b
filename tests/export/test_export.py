"""Exports: the graph computes what torch does, a bad one is refused, and it runs without torch."""

from __future__ import annotations

import gzip
import importlib.util
import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from paths import ROOT
from sentences import sentences, write_seed_csv

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

import onnx
from int8_arithmetic import int8_weights, signed, with_exact_products, with_saturating_products
from transformers import ElectraConfig, ElectraForSequenceClassification

from kobert_hf_emotion import KoBERTTokenizer, OnnxClassifier, export_onnx
from kobert_hf_emotion.cli import main
from kobert_hf_emotion.errors import CheckpointError, RunError
from kobert_hf_emotion.export import exporter, is_export
from kobert_hf_emotion.export.manifest import load_manifest, sha256
from kobert_hf_emotion.export.parity import LARGEST_DIFFERENCE, Inputs, Parity, check_parity
from kobert_hf_emotion.export.probes import Probes, check_probes
from kobert_hf_emotion.export.runtime import Graph
from kobert_hf_emotion.inference.classifier import Classifier, load_classifier
from kobert_hf_emotion.modeling.classifier import EmotionClassifier

EXAMPLE = ROOT / "examples" / "onnx_inference.py"
Tokenize: TypeAlias = Callable[[str, int], list[int]]
PIECES = [*"가힣ㄱㄶ a1,0.９é\t\u3000`'\"😀", "[MASK]", "[SEP]", "10,", "``", "마ㄶ"]
TEXTS = [text for text, _ in sentences(5)] + ["", " ", "가나다 " * 300, "ㅋㅋㅋㅠㅠ🎉", "[MASK] 1,234원"]


@pytest.fixture(scope="module")
def sharp_folder(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with a head whose labels are no ties, and a temperature."""
    model = EmotionClassifier.from_pretrained(tiny_model_folder)
    model.tokenizer.model_max_length = 64
    with torch.no_grad():
        model.classifier.weight *= 50
    model.config.softmax_temperature = 1.7
    folder = tmp_path_factory.mktemp("sharp") / "model"
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def exported(sharp_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("exports")
    for name, int8 in (("float32", False), ("int8", True)):
        export_onnx(load_classifier(sharp_folder), folder / name, int8)
    return {name: folder / name for name in ("float32", "int8")}


@pytest.mark.numeric
def test_predictions_are_those_of_torch(sharp_folder: Path, exported: dict[str, Path]) -> None:
    model = OnnxClassifier.from_pretrained(exported["float32"], threads=1)
    expected = load_classifier(sharp_folder).predict_logits(TEXTS, batch_size=7)
    assert np.abs(model.predict_logits(TEXTS, batch_size=7) - expected).max() < 1e-4
    theirs = EmotionClassifier.from_pretrained(sharp_folder).predict(TEXTS)
    for ours, their in zip(model.predict(TEXTS, batch_size=7), theirs, strict=True):
        assert ours["label"] == their["label"]
        assert ours["score"] == pytest.approx(their["score"], abs=1e-5)
        assert ours["probabilities"] == pytest.approx(their["probabilities"], abs=0.011)
    assert model.predict([]) == []


@pytest.mark.numeric
def test_sentence_pairs(sharp_folder: Path, exported: dict[str, Path]) -> None:
    model = OnnxClassifier.from_pretrained(exported["float32"])
    expected = load_classifier(sharp_folder).predict_logits(TEXTS, TEXTS[::-1])
    assert np.abs(model.predict_logits(TEXTS, TEXTS[::-1]) - expected).max() < 1e-4


@pytest.mark.numeric
def test_int8_is_smaller_and_says_how_well_it_agrees(exported: dict[str, Path]) -> None:
    manifests = {name: json.loads((folder / "export.json").read_text("utf-8")) for name, folder in exported.items()}
    assert manifests["int8"]["model_file"] == "onnx/model_quantized.onnx"
    assert manifests["int8"]["parity"]["agreement"] >= 0.995
    assert manifests["int8"]["int8_products"] >= 3, "both feed-forward products of the first layer, keys of the second"
    assert manifests["int8"]["parity"]["largest_difference"] > manifests["float32"]["parity"]["largest_difference"]
    sizes = [(folder / manifests[name]["model_file"]).stat().st_size for name, folder in exported.items()]
    assert sizes[1] < sizes[0]
    assert not (exported["int8"] / "onnx/model.onnx").exists()


def test_the_folder_says_what_is_in_it(sharp_folder: Path, exported: dict[str, Path]) -> None:
    manifest = json.loads((exported["float32"] / "export.json").read_text("utf-8"))
    config = EmotionClassifier.from_pretrained(sharp_folder).config
    assert manifest["labels"] == config.labels
    assert manifest["temperature"] == 1.7
    assert manifest["word_split"] == "sentencepiece"
    folder = exported["float32"]
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    assert set(manifest["files"]) == files - {"export.json"}
    assert {"config.json", "spiece.model", "onnx/model.onnx"} <= set(manifest["files"])
    assert is_export(exported["float32"])
    assert not is_export(sharp_folder)


def test_every_length_is_compared(exported: dict[str, Path], sharp_folder: Path) -> None:
    manifest = json.loads((exported["float32"] / "export.json").read_text("utf-8"))
    assert manifest["parity"]["texts"] == len(exporter.sample_texts()) + manifest["max_length"] - 1


@pytest.mark.parametrize("parity", [Parity(100, 2e-4, 1.0), Parity(100, 1e-6, 0.99), Parity(100, float("nan"), 1.0)])
def test_a_float32_graph_that_differs_is_refused(parity: Parity) -> None:
    with pytest.raises(CheckpointError, match="Nothing was written"):
        check_parity(parity, "float32")


def test_the_limits_are_those_documented() -> None:
    assert LARGEST_DIFFERENCE == 1e-4
    check_parity(Parity(1000, 0.3, 0.995), "int8")
    with pytest.raises(CheckpointError, match=r"99\.40%"):
        check_parity(Parity(1000, 0.01, 0.994), "int8")


def test_a_refused_export_leaves_nothing_behind(
    sharp_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write = exporter.write_graph

    def other_weights(model: EmotionClassifier, inputs: list[str], path: Path) -> None:
        with torch.no_grad():
            model.classifier.bias += 0.01
        write(model, inputs, path)
        with torch.no_grad():
            model.classifier.bias -= 0.01

    monkeypatch.setattr(exporter, "write_graph", other_weights)
    assert main(["export", str(sharp_folder), "--output", str(tmp_path / "bad")]) == 2
    assert "0.01" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tries", "products"),
    [
        (1, 3),  # both products of the first layer's feed-forward part, keys of the last layer
        (2, 2),  # no keys
        (3, 2),  # keys, and the first product alone
    ],
)
def test_int8_keeps_other_products_exact_where_it_must(
    sharp_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tries: int, products: int
) -> None:
    agreements = iter([0.9] * (tries - 1) + [0.999])
    monkeypatch.setattr(exporter, "sample_texts", lambda: TEXTS[:20])
    batches: list[int] = []
    forward = EmotionClassifier.forward
    monkeypatch.setattr(EmotionClassifier, "forward", lambda *a, **k: (batches.append(1), forward(*a, **k))[1])
    monkeypatch.setattr(exporter.Reference, "compare", lambda *_: Parity(1000, 0.1, next(agreements)))
    report = export_onnx(load_classifier(sharp_folder), tmp_path / "a", int8=True)
    assert (report.int8_products, report.parity.agreement) == (products, 0.999)
    rows = 20 + 63  # texts, and of 2 to 64 tokens
    assert len(batches) == math.ceil(rows / 16) + 1, "torch computes each batch once, and one to be traced"
    monkeypatch.setattr(exporter.Reference, "compare", lambda *_: Parity(1000, 0.1, 0.9))
    with pytest.raises(CheckpointError):
        export_onnx(load_classifier(sharp_folder), tmp_path / "b", int8=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert next(agreements, None) is None


@pytest.mark.slow
@pytest.mark.numeric
def test_the_default_model_keeps_its_labels_in_int8(tmp_path: Path) -> None:
    report = export_onnx(load_classifier("default"), tmp_path / "default", int8=True)
    assert report.parity.agreement >= 0.995
    assert report.int8_products >= 8
    graph = onnx.load(tmp_path / "default" / "onnx/model_quantized.onnx")
    assert len(int8_weights(graph)) == report.int8_products
    assert_exact(graph, tmp_path / "default")


def assert_exact(graph: onnx.ModelProto, folder: Path) -> None:
    """The products of this processor are those of exact integers, to the last bit, on real texts."""
    tokenizer = KoBERTTokenizer.from_pretrained(folder)
    exact, here = (Graph(model.SerializeToString(), threads=1) for model in (with_exact_products(graph), graph))
    for text in TEXTS[:8]:
        columns = dict(tokenizer(text, truncation=True, max_length=64, return_tensors="np"))
        assert np.abs(exact(columns) - here(columns)).max() < 1e-5


@pytest.mark.numeric
@given(seed=st.integers(0, 2**32 - 1), kept=st.sampled_from([0.0, 0.5, 1.0]), columns=st.integers(1, 70))
@settings(max_examples=30, deadline=None)
def test_no_sum_of_unsigned_products_saturates(seed: int, kept: float, columns: int) -> None:
    # Numbers at the ends of their range, where sums of pairs in 16 bits would be clipped.
    draw = np.random.default_rng(seed)
    inputs = np.where(draw.random((5, 96)) < kept, 255, draw.integers(0, 256, (5, 96))).astype(np.uint8)
    weights = np.where(draw.random((96, columns)) < kept, 255, draw.integers(0, 256, (96, columns))).astype(np.uint8)
    zeros = draw.integers(0, 256, columns).astype(np.uint8)
    node = onnx.helper.make_node("MatMulInteger", ["a", "b", "a0", "b0"], ["y"])
    known = {"b": weights, "a0": np.uint8(3), "b0": zeros}
    graph = onnx.helper.make_graph(
        [node], "product",
        [onnx.helper.make_tensor_value_info("a", onnx.TensorProto.UINT8, [5, 96])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.INT32, [5, columns])],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in known.items()],
    )  # fmt: skip
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    [found] = Graph(model.SerializeToString(), threads=1).run(["y"], {"a": inputs})
    assert np.array_equal(found, (inputs.astype(np.int64) - 3) @ (weights.astype(np.int64) - zeros))


@pytest.mark.numeric
def test_int8_weights_are_those_that_no_processor_adds_up_wrongly(exported: dict[str, Path]) -> None:
    weights = int8_weights(onnx.load(exported["int8"] / "onnx/model_quantized.onnx"))
    assert {values.dtype for values in weights.values()} == {np.dtype(np.uint8)}


def test_a_folder_of_the_former_layout_opens(exported: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "former"
    shutil.copytree(exported["int8"], folder)
    (folder / "onnx" / "model_quantized.onnx").rename(folder / "model_int8.onnx")
    manifest = json.loads((folder / "export.json").read_text("utf-8"))
    manifest |= {"format_version": 2, "model_file": "model_int8.onnx"}
    manifest["files"]["model_int8.onnx"] = manifest["files"].pop("onnx/model_quantized.onnx")
    (folder / "export.json").write_text(json.dumps(manifest), encoding="utf-8")
    now = OnnxClassifier.from_pretrained(exported["int8"], threads=1).predict_logits(TEXTS)
    assert np.array_equal(OnnxClassifier.from_pretrained(folder, threads=1).predict_logits(TEXTS), now)


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "onnx/../../secret"])
def test_no_file_outside_the_folder_is_read(exported: dict[str, Path], tmp_path: Path, name: str) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(exported["int8"], folder)
    (tmp_path / "secret").write_text("not the export's")
    manifest = json.loads((folder / "export.json").read_text("utf-8"))
    manifest["files"][name] = sha256(tmp_path / "secret")
    (folder / "export.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(CheckpointError, match="is missing"):
        OnnxClassifier.from_pretrained(folder)


@pytest.mark.numeric
class TestProbes:
    """Inputs with their answers, which a graph is asked for wherever it is loaded."""

    @pytest.fixture(scope="class")
    @classmethod
    def loud_folder(cls, tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Exported from a model whose weights are all at the ends of their range in eight bits."""
        model = EmotionClassifier.from_pretrained(tiny_model_folder)
        model.tokenizer.model_max_length = 64
        with torch.no_grad():
            model.classifier.weight *= 50
            for name, weight in model.bert.encoder.named_parameters():
                if name.endswith("dense.weight"):
                    weight.copy_(weight.sign() * 0.05)
        folder = tmp_path_factory.mktemp("loud")
        model.save_pretrained(folder / "model")
        export_onnx(load_classifier(folder / "model"), folder / "int8", int8=True)
        return folder / "int8"

    @staticmethod
    def with_graph(folder: Path, copy: Path, graph: onnx.ModelProto) -> Path:
        """A copy of an exported folder with another graph in it."""
        shutil.copytree(folder, copy)
        onnx.save(graph, copy / "onnx/model_quantized.onnx")
        manifest = json.loads((copy / "export.json").read_text("utf-8"))
        manifest["files"]["onnx/model_quantized.onnx"] = sha256(copy / "onnx/model_quantized.onnx")
        (copy / "export.json").write_text(json.dumps(manifest), encoding="utf-8")
        return copy

    def test_a_processor_that_computes_the_same_loads_it(self, loud_folder: Path, tmp_path: Path) -> None:
        exact = with_exact_products(onnx.load(loud_folder / "onnx/model_quantized.onnx"))
        OnnxClassifier.from_pretrained(self.with_graph(loud_folder, tmp_path / "copy", exact))

    def test_a_processor_whose_sums_saturate_is_refused(
        self, loud_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        graph = signed(onnx.load(loud_folder / "onnx/model_quantized.onnx"))
        OnnxClassifier.from_pretrained(self.with_graph(loud_folder, tmp_path / "vnni", with_exact_products(graph)))
        folder = self.with_graph(loud_folder, tmp_path / "avx2", with_saturating_products(graph))
        with pytest.raises(CheckpointError, match=r"(?s)Of 4 probes \d .*label: expected \w+, found \w+.*Export again"):
            OnnxClassifier.from_pretrained(folder)
        assert main(["predict", str(folder), "오늘 정말 행복했어"]) == 2
        assert "avx2" in capsys.readouterr().err

    def test_the_refusal_ends_in_the_command_that_exports_again(
        self, loud_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        graph = with_saturating_products(signed(onnx.load(loud_folder / "onnx/model_quantized.onnx")))
        folder = self.with_graph(loud_folder, tmp_path / "avx2", graph)
        manifest = json.loads((folder / "export.json").read_text("utf-8"))
        (folder / "export.json").write_text(json.dumps(manifest | {"source": "default"}), encoding="utf-8")
        assert main(["predict", str(folder), "오늘 정말 행복했어"]) == 2
        last = capsys.readouterr().err.splitlines()[-1]
        assert last == f"  $ kobert-emotion export default --int8 --output {tmp_path / 'avx2_2'}"

    @pytest.mark.slow
    def test_the_folder_exported_is_found_where_both_have_moved(self, tiny_model_folder: Path, tmp_path: Path) -> None:
        (tmp_path / "here").mkdir()
        shutil.copytree(tiny_model_folder, tmp_path / "here" / "model")
        argv = ["export", str(tmp_path / "here" / "model"), "--output", str(tmp_path / "here" / "deep" / "x")]
        assert main(argv) == 0
        moved = (tmp_path / "here").rename(tmp_path / "there") / "deep" / "x"
        manifest = load_manifest(moved)
        assert manifest.source == "../../model"
        assert manifest.export_again(moved) == (
            f"kobert-emotion export {tmp_path / 'there' / 'model'} --output {tmp_path / 'there' / 'deep' / 'x_2'}"
        )
        shutil.rmtree(tmp_path / "there" / "model")
        assert manifest.export_again(moved) is None

    def test_other_rounding_is_not_refused(self, loud_folder: Path, tmp_path: Path) -> None:
        graph = onnx.load(loud_folder / "onnx/model_quantized.onnx")
        draw = np.random.default_rng(0)
        for tensor in graph.graph.initializer:
            if tensor.data_type == onnx.TensorProto.FLOAT:
                values = onnx.numpy_helper.to_array(tensor)
                noise = 1 + 1e-6 * draw.standard_normal(values.shape)
                tensor.CopyFrom(onnx.numpy_helper.from_array((values * noise).astype(np.float32), tensor.name))
        OnnxClassifier.from_pretrained(self.with_graph(loud_folder, tmp_path / "copy", graph))

    @pytest.mark.parametrize("off", [0.03, -0.03, float("nan")])
    def test_what_was_found_is_said(self, off: float) -> None:
        probes = Probes([[2, 3], [2, 5, 3]], [[0.0, 1.0], [0.5, 0.49]], tolerance=0.02)

        def run(inputs: Inputs) -> NDArray[np.float32]:
            assert set(inputs) == {"input_ids", "attention_mask"}
            other = [0.019, 1.0] if inputs["input_ids"].shape == (1, 2) else [0.5, 0.49 + off]
            return np.array([other], dtype=np.float32)

        with pytest.raises(CheckpointError) as refused:
            check_probes(run, probes, ["input_ids", "attention_mask"], ["sad", "happy"], Path("exported"))
        assert "Of 2 probes 1 have" in str(refused.value)
        assert "number 2" in str(refused.value)
        assert "expected sad" in str(refused.value)
        assert ("found happy" in str(refused.value)) is (off > 0 or math.isnan(off))

    def test_every_export_carries_them(self, exported: dict[str, Path]) -> None:
        for name, folder in exported.items():
            manifest = json.loads((folder / "export.json").read_text("utf-8"))
            probes = manifest["probes"]
            assert len(probes["input_ids"]) == len(probes["logits"]) == 4
            assert len({len(row) for row in probes["input_ids"]}) == 4, "of several lengths"
            # the tokenizer's own ids of sentences of the sample
            rows = KoBERTTokenizer.from_pretrained(folder)(exporter.sample_texts(), truncation=True)["input_ids"]
            assert all(row in rows for row in probes["input_ids"])
            limit = manifest["parity"]["largest_difference"] if name == "int8" else 0
            assert probes["tolerance"] == max(limit, 1e-3)

    def test_a_folder_of_an_earlier_version_is_read(
        self, exported: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        folder = tmp_path / "old"
        shutil.copytree(exported["int8"], folder)
        manifest = json.loads((folder / "export.json").read_text("utf-8"))
        del manifest["probes"]
        (folder / "export.json").write_text(json.dumps(manifest | {"format_version": 1}), encoding="utf-8")
        assert len(OnnxClassifier.from_pretrained(folder).predict(TEXTS)) == len(TEXTS)
        assert "without probes" in caplog.text
        (folder / "export.json").write_text(json.dumps(manifest), encoding="utf-8")
        with pytest.raises(CheckpointError, match="probes"):
            OnnxClassifier.from_pretrained(folder)
        (folder / "export.json").write_text(json.dumps(manifest | {"format_version": 4, "probes": None}), "utf-8")
        with pytest.raises(CheckpointError, match="format 4"):
            OnnxClassifier.from_pretrained(folder)


def test_a_comparison_ends_where_it_cannot_pass(sharp_folder: Path) -> None:
    classifier = load_classifier(sharp_folder)
    reference = exporter.Reference(classifier.model, classifier.tokenizer, exporter.sample_texts()[:150], 51)
    found = reference.compare(lambda batch: np.full((len(batch["input_ids"]), 7), np.nan, dtype=np.float32), 0.6)
    assert found.texts < len(reference.rows) == 200
    assert found.agreement < 0.6
    assert math.isnan(found.largest_difference)


def test_texts_with_other_labels_come_first_when_the_next_graph_is_compared(sharp_folder: Path) -> None:
    classifier = load_classifier(sharp_folder)
    reference = exporter.Reference(classifier.model, classifier.tokenizer, exporter.sample_texts()[:150], 51)
    model = EmotionClassifier.from_pretrained(sharp_folder).eval()
    asked: list[Inputs] = []

    def wrong_of(*indices: int) -> Callable[[Inputs], NDArray[np.float32]]:
        def run(batch: Inputs) -> NDArray[np.float32]:
            asked.append(batch)
            with torch.inference_mode():
                logits = model(**{name: torch.from_numpy(ids) for name, ids in batch.items()}).logits.numpy()
            return -logits if any(batch is reference.batches[index] for index in indices) else logits

        return run

    assert reference.compare(wrong_of(), 0.99) == Parity(200, pytest.approx(0, abs=1e-4), 1.0)
    assert reference.compare(wrong_of(7, 11)).agreement == pytest.approx(1 - 32 / 200, abs=0.01)
    asked.clear()
    assert reference.compare(wrong_of(11), 0.99).texts == 32
    assert [next(i for i, own in enumerate(reference.batches) if own is batch) for batch in asked] == [7, 11]
    asked.clear()
    assert reference.compare(wrong_of(11), 0.99).texts == 16


def test_a_folder_in_use_is_not_touched(sharp_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(RunError):
        export_onnx(load_classifier(sharp_folder), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("change", ["onnx/model.onnx", "spiece.model", "export.json"])
def test_a_changed_file_is_found(exported: dict[str, Path], tmp_path: Path, change: str) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(exported["float32"], folder)
    content = bytearray((folder / change).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / change).write_bytes(content if change != "export.json" else b"{}")
    with pytest.raises(CheckpointError, match=change):
        OnnxClassifier.from_pretrained(folder)


@pytest.mark.slow
@pytest.mark.numeric
def test_commands(
    exported: dict[str, Path], sharp_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(sharp_folder), "--format", "onnx", "--output", str(tmp_path / "new"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["precision"] == "float32"
    data = str(write_seed_csv(tmp_path / "a.csv", sentences(4)))
    outputs = []
    for model in (tmp_path / "new", sharp_folder):
        assert main(["predict", str(model), data, "--output", str(tmp_path / "p.csv"), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        outputs.append((found["predicted"], found["scores"]["macro_f1"]))
    assert outputs[0] == outputs[1]
    assert main(["predict", str(exported["int8"]), "오늘 정말 행복했어"]) == 0
    assert "%" in capsys.readouterr().out


@pytest.mark.numeric
def test_another_encoder(tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
    settings_ = {"embedding_size": 16, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = ElectraForSequenceClassification(
            ElectraConfig(
                vocab_size=8002, num_attention_heads=2, max_position_embeddings=64, pad_token_id=1, num_labels=3,
                **settings_,
            )
        ).eval()  # fmt: skip
    report = export_onnx(Classifier(model, tokenizer), tmp_path / "electra")
    assert report.parity.agreement == 1
    expected = Classifier(model, tokenizer).predict_logits(TEXTS)
    assert np.abs(OnnxClassifier.from_pretrained(tmp_path / "electra").predict_logits(TEXTS) - expected).max() < 1e-4


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("onnx_inference", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def ours(example: ModuleType, vocab_file: Path) -> Tokenize:
    tokenize: Tokenize = example.Tokenizer(vocab_file)
    return tokenize


class TestExample:
    """`examples/onnx_inference.py`, which knows nothing of this package."""

    def test_it_runs_without_torch(self, exported: dict[str, Path], sharp_folder: Path) -> None:
        blocked = "import sys\nfor name in ('torch', 'transformers', 'kobert_hf_emotion'): sys.modules[name] = None\n"
        code = f"{blocked}import runpy\nsys.argv = sys.argv[1:]\nrunpy.run_path(sys.argv[0], run_name='__main__')"
        texts = ["오늘 정말 행복했어", "1,000원이나 올랐네 ㅠㅠ"]
        done = subprocess.run(
            [sys.executable, "-c", code, str(EXAMPLE), str(exported["float32"]), *texts],
            check=True, capture_output=True, text=True, timeout=600,
        )  # fmt: skip
        expected = EmotionClassifier.from_pretrained(sharp_folder).predict(texts)
        found = [line.split("\t") for line in done.stdout.splitlines()]
        assert [row[:2] for row in found] == [[text, e["label"]] for text, e in zip(texts, expected, strict=True)]
        assert [float(row[2]) for row in found] == pytest.approx([e["score"] for e in expected], abs=1e-4)

    @given(parts=st.lists(st.sampled_from(PIECES), max_size=12))
    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_its_ids_are_the_tokenizers(self, ours: Tokenize, tokenizer: KoBERTTokenizer, parts: list[str]) -> None:
        text = "".join(parts)
        assert ours(text, 64) == tokenizer(text, truncation=True, max_length=64)["input_ids"]

    @pytest.mark.parametrize("name", ["nsmc", "kote"])
    def test_its_ids_on_real_texts(self, ours: Tokenize, tokenizer: KoBERTTokenizer, shared: Path, name: str) -> None:
        with gzip.open(shared / "golden" / f"tokenization_{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            texts = [json.loads(line)["text"] for line in lines][:3000]
        expected = tokenizer(texts, truncation=True, max_length=128)["input_ids"]
        assert [ours(text, 128) for text in texts] == expected

    def test_gluonnlp_is_refused(self, example: ModuleType, exported: dict[str, Path], tmp_path: Path) -> None:
        manifest = json.loads((exported["float32"] / "export.json").read_text("utf-8")) | {"word_split": "gluonnlp"}
        (tmp_path / "export.json").write_text(json.dumps(manifest), encoding="utf-8")
        with pytest.raises(SystemExit, match="gluonnlp"):
            example.Model(tmp_path)

    def test_its_probes_are_asked(self, example: ModuleType, exported: dict[str, Path], tmp_path: Path) -> None:
        folder = tmp_path / "copy"
        shutil.copytree(exported["float32"], folder)
        manifest = json.loads((folder / "export.json").read_text("utf-8"))
        manifest["probes"]["logits"][2][0] += 0.01
        (folder / "export.json").write_text(json.dumps(manifest), encoding="utf-8")
        with pytest.raises(SystemExit, match=r"probe 3 has logits off by 0\.01"):
            example.Model(folder)
