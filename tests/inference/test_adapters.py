"""LoRA adapters through the commands, beside plain peft and plain transformers; and the fast kernels under them."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import peft
import pytest
import torch
from safetensors.torch import load_file
from sentences import sentences, write_seed_csv
from small_runs import make_args, make_dataset
from transformers import AutoModelForSequenceClassification, BertForSequenceClassification

from kobert_hf_emotion import EmotionClassifier, cross_validate
from kobert_hf_emotion.cli import main
from kobert_hf_emotion.errors import CheckpointError, KoBERTEmotionError, RunError
from kobert_hf_emotion.inference.adapters import LoraSettings, add_adapters
from kobert_hf_emotion.inference.classifier import load_classifier
from kobert_hf_emotion.kernels import onednn
from kobert_hf_emotion.kernels.packed_bert import packed_bert
from kobert_hf_emotion.modeling.prediction import predict_logits
from kobert_hf_emotion.runs.push import files_to_push
from kobert_hf_emotion.training.arguments import EmotionTrainingArguments
from kobert_hf_emotion.training.trainer import EmotionTrainer

TEXTS = ["오늘 정말 행복했어", "무서워서 잠이 안 와ㅠㅠ 정말로 그래서 불을 켜 두었다", "회의는 두 시", "ㅠㅠ"]


class StopHereError(Exception):
    """What a test stops a run with."""


def lora(**settings: Any) -> EmotionTrainingArguments:
    return make_args(**({"lora": 4, "learning_rate": 5e-3, "per_device_train_batch_size": 8} | settings))


@pytest.fixture(scope="module")
def run(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "lora"
    cross_validate(make_dataset(6), folder, tiny_model_folder, lora(), n_splits=2)
    return folder


def randomized(model: EmotionClassifier, target: str = "query,value") -> EmotionClassifier:
    """Puts adapters on a model that change what it computes."""
    add_adapters(model, LoraSettings(4, 8.0, 0.0, target.split(",")), "default")
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.5, generator=torch.Generator().manual_seed(len(name)))
    return model


def plainly(model: EmotionClassifier, texts: list[str]) -> np.ndarray:
    """Logits of texts one by one, by the model's own modules."""
    with torch.no_grad():
        return torch.cat([model(**model.tokenizer(text, return_tensors="pt")).logits for text in texts]).numpy()


def test_a_fold_is_what_peft_writes(run: Path, tiny_model_folder: Path) -> None:
    """Plain peft on the plain encoder gives the logits that the commands give."""
    fold = run / "fold_1"
    assert not (fold / "model.safetensors").exists()
    weights = load_file(fold / "adapter_model.safetensors")
    assert {name.split(".")[2] for name in weights} == {"bert", "classifier"}
    base = BertForSequenceClassification.from_pretrained(tiny_model_folder, num_labels=7)
    wrapped = peft.PeftModel.from_pretrained(base, str(fold)).eval()
    ours = load_classifier(fold)
    with torch.no_grad():
        rows = ours.tokenizer(TEXTS, padding=True, return_tensors="pt")
        expected = wrapped(**rows).logits.numpy() / ours.temperature
    np.testing.assert_allclose(ours.predict_logits(TEXTS), expected, atol=1e-5)
    assert type(ours.model) is EmotionClassifier
    assert all(weight.requires_grad for weight in ours.model.parameters())


def test_the_run_predicts_what_its_folds_learned(run: Path) -> None:
    """The logits that the trainer computed through peft's modules are those of the merged model."""
    with (run / "oof_predictions.csv").open(encoding="utf-8-sig", newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["fold"] == "2"]
    model = load_classifier(run / "fold_2")
    logits = model.predict_logits([row["text"] for row in rows]) * model.temperature
    np.testing.assert_allclose(logits, np.load(run / "fold_2" / "validation_logits.npy"), atol=1e-5)


@pytest.mark.parametrize("target", ["query,value", "all-linear"])
def test_fast_kernels_give_wrapped_modules_their_logits(tiny_model: EmotionClassifier, target: str) -> None:
    """A model that was packed before it got adapters is not predicted with what was packed."""
    before = predict_logits(tiny_model, tiny_model.tokenizer, TEXTS)
    assert (packed_bert(tiny_model) is not None) == onednn.is_available()
    randomized(tiny_model, target)
    assert packed_bert(tiny_model) is None
    found = predict_logits(tiny_model, tiny_model.tokenizer, TEXTS * 3, batch_size=2)
    np.testing.assert_allclose(found, np.tile(plainly(tiny_model, TEXTS), (3, 1)), atol=1e-5)
    assert np.abs(found[: len(TEXTS)] - before).max() > 1e-3, "the adapters change nothing: nothing was tested"


def test_the_last_layer_computes_one_token_through_adapters(tiny_model: EmotionClassifier) -> None:
    randomized(tiny_model, "all-linear").eval()
    rows = tiny_model.tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        narrow, whole = tiny_model(**rows).logits, tiny_model(**rows, output_hidden_states=True).logits
    torch.testing.assert_close(narrow, whole, rtol=0, atol=1e-6)


def test_merged_while_wrapped(tiny_model: EmotionClassifier) -> None:
    """peft can merge in place and keep its modules; the kernels leave such a model alone too."""
    randomized(tiny_model)
    expected = predict_logits(tiny_model, tiny_model.tokenizer, TEXTS)
    for module in tiny_model.modules():
        if isinstance(module, peft.tuners.lora.Linear):
            module.merge()
    np.testing.assert_allclose(predict_logits(tiny_model, tiny_model.tokenizer, TEXTS), expected, atol=1e-5)


def test_only_adapters_and_what_follows_the_layers_learn(tiny_model_folder: Path, run: Path) -> None:
    base = load_file(tiny_model_folder / "model.safetensors")
    merged = load_classifier(run / "fold_1").model.state_dict()
    changed = {name for name, weight in base.items() if not torch.equal(weight, merged[name])}
    expected = {
        f"bert.encoder.layer.{layer}.attention.self.{part}.weight" for layer in (0, 1) for part in ("query", "value")
    }
    ends = {"bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias"}
    assert changed == expected | ends


def test_merge_writes_a_plain_folder(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["merge", str(run / "best"), "--output", str(tmp_path / "merged")]) == 0
    assert not (tmp_path / "merged" / "adapter_config.json").exists()
    ours = load_classifier(run / "best")
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "merged").eval()
    with torch.no_grad():
        logits = plain(**ours.tokenizer(TEXTS, padding=True, return_tensors="pt")).logits.numpy()
    np.testing.assert_allclose(logits / ours.temperature, ours.predict_logits(TEXTS), atol=1e-5)
    card = (tmp_path / "merged" / "README.md").read_text(encoding="utf-8")
    assert "EmotionClassifier.from_pretrained" in card
    assert "merge ADAPTERS" in (run / "best" / "README.md").read_text(encoding="utf-8")
    capsys.readouterr()
    assert main(["merge", str(tmp_path / "merged"), "--output", str(tmp_path / "again")]) == 2
    assert "holds no adapters" in capsys.readouterr().err


@pytest.mark.slow
def test_every_command_takes_adapters(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_seed_csv(tmp_path / "data.csv", sentences(3, seed=2))
    fold = str(run / "fold_1")
    commands = [
        ["predict", fold, str(data), "--output", str(tmp_path / "p.csv")],
        ["test", str(run), str(data)],
        ["ensemble", str(run), "--output", str(tmp_path / "ensemble")],
        ["ensemble", str(run), "--method", "weights", "--output", str(tmp_path / "soup")],
        ["predict", str(tmp_path / "ensemble"), TEXTS[0]],
        ["export", fold, "--output", str(tmp_path / "onnx")],
        ["predict", str(tmp_path / "onnx"), TEXTS[0]],
        ["explain", fold, TEXTS[0]],
        ["continue", fold, str(data), "--epochs", "1", "--output", str(tmp_path / "continued")],
        ["predict", str(tmp_path / "continued"), TEXTS[0]],
        ["review", str(run), "--output", str(tmp_path / "review.csv")],
        ["compare", str(run), str(run)],
        ["report", str(run), "--output", str(tmp_path / "report.html")],
    ]
    for argv in commands:
        assert main(argv) == 0, (argv, capsys.readouterr().err)
    assert not list((tmp_path / "ensemble").rglob("adapter_config.json"))


def test_what_needs_a_whole_model_names_the_command(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_seed_csv(tmp_path / "data.csv", sentences(3))
    options = ["--model", str(run / "fold_1"), "--folds", "2", "--output", str(tmp_path / "new")]
    assert main(["train", str(data), *options]) == 2
    assert f"$ kobert-emotion merge {run / 'fold_1'}" in capsys.readouterr().err
    with pytest.raises(CheckpointError, match="merge"):
        EmotionClassifier.from_pretrained(run / "fold_1")
    with pytest.raises(CheckpointError, match="merge"):
        files_to_push(run)
    with pytest.raises(RunError, match="legacy_export"):
        cross_validate(make_dataset(3), tmp_path / "run", "default", lora(), n_splits=2, legacy_export=True)


def test_another_base_is_refused_and_a_moved_one_can_be_named(
    run: Path, tiny_model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved, fold = tmp_path / "moved", tmp_path / "fold"
    shutil.copytree(tiny_model_folder, moved)
    shutil.copytree(run / "fold_1", fold)
    config = json.loads((fold / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == str(tiny_model_folder)
    (fold / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": "/no/where"}))
    assert main(["merge", str(fold), "--output", str(tmp_path / "a")]) == 2
    assert "merge --base" in capsys.readouterr().err
    assert main(["merge", str(fold), "--base", str(moved), "--output", str(tmp_path / "a")]) == 0
    model = EmotionClassifier.from_pretrained(moved)
    with torch.no_grad():
        model.bert.embeddings.LayerNorm.bias[0] += 1
    model.save_pretrained(moved)
    capsys.readouterr()
    assert main(["merge", str(fold), "--base", str(moved), "--output", str(tmp_path / "b")]) == 2
    assert "other weights" in capsys.readouterr().err
    assert not (tmp_path / "b").exists()


@pytest.mark.slow
def test_a_run_that_was_stopped_ends_with_the_same_bits(
    run: Path, tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, left = EmotionTrainer.training_step, iter(range(8))

    def once(self: EmotionTrainer, *args: Any) -> Any:
        if next(left, None) is None:
            raise StopHereError
        return step(self, *args)

    args = lora(checkpoint_seconds=0)
    with monkeypatch.context() as patch:
        patch.setattr(EmotionTrainer, "training_step", once)
        with pytest.raises(StopHereError):
            cross_validate(make_dataset(6), tmp_path / "broken", tiny_model_folder, args, n_splits=2)
    assert (tmp_path / "broken" / "fold_1").is_dir()
    cross_validate(make_dataset(6), tmp_path / "broken", tiny_model_folder, args, n_splits=2)
    for number in (1, 2):
        file = f"fold_{number}/adapter_model.safetensors"
        assert (tmp_path / "broken" / file).read_bytes() == (run / file).read_bytes()
    assert (tmp_path / "broken" / "oof_predictions.csv").read_bytes() == (run / "oof_predictions.csv").read_bytes()


@pytest.mark.parametrize("target", ["quary", "classifier", "all-linear,query", ""])
def test_no_such_layers(tiny_model: EmotionClassifier, target: str) -> None:
    with pytest.raises(KoBERTEmotionError, match="lora_target"):
        add_adapters(tiny_model, LoraSettings(4, 8.0, 0.0, target.split(",")), "default")


@pytest.mark.parametrize("wrong", [{"lora": -1}, {"lora": 1.5}, {"lora_alpha": 0.0}, {"lora_dropout": 1.0}])
def test_no_such_settings(wrong: dict[str, Any]) -> None:
    with pytest.raises(KoBERTEmotionError, match=next(iter(wrong))):
        make_args(**wrong)


def test_without_peft_the_extra_is_named(tiny_model: EmotionClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(KoBERTEmotionError, match=r"pip install 'kobert-hf-emotion\[lora\]'"):
        add_adapters(tiny_model, LoraSettings(4, 8.0, 0.0, ["query"]), "default")
