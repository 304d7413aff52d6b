"""Training on from a notebook's checkpoint gives what the uninterrupted training would have given."""

from __future__ import annotations

import json
from pathlib import Path

import datasets
import pytest
import torch
from safetensors.torch import load_file
from sentences import sentences, write_seed_csv
from sklearn.metrics import f1_score
from small_trainer import build_model

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.data.dataset import load_emotion_dataset
from kobert_hf_emotion.errors import CheckpointError, DataError, RunError
from kobert_hf_emotion.inference.classifier import load_classifier
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.legacy import convert_legacy_checkpoint, export_legacy_checkpoint, load_optimizer_file
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer
from kobert_hf_emotion.training.arguments import EmotionTrainingArguments
from kobert_hf_emotion.training.continuation import continue_training
from kobert_hf_emotion.training.trainer import EmotionTrainer


def arguments(epochs: int) -> EmotionTrainingArguments:
    return EmotionTrainingArguments(
        num_train_epochs=epochs,
        learning_rate=1e-3,
        lr_scheduler_type="constant",
        warmup_steps=0,
        per_device_train_batch_size=7,
        train_sampling_strategy="sequential",
        logging_steps=1,
        save_strategy="no",
        disable_tqdm=True,
        use_cpu=True,
    )


def losses(trainer: EmotionTrainer) -> list[float]:
    return [line["loss"] for line in trainer.state.log_history if "loss" in line]


@pytest.fixture
def interrupted(
    tokenizer: KoBERTTokenizer, vocab_file: Path, tmp_path: Path
) -> tuple[Path, Path, list[float], dict[str, torch.Tensor]]:
    """A converted `_all.tar` after one epoch, the data, and losses and weights of two epochs without a break."""
    data = write_seed_csv(tmp_path / "data.csv", sentences(4))
    rows = load_emotion_dataset(data)
    whole = EmotionTrainer(build_model(tokenizer), arguments(2), rows)
    whole.train()
    part = EmotionTrainer(build_model(tokenizer), arguments(1), rows)
    part.train()
    *_, tar = export_legacy_checkpoint(part.model, tmp_path / "old", part.optimizer)
    convert_legacy_checkpoint(tar, tmp_path / "converted", vocab_file, 2, word_split="sentencepiece")
    return tmp_path / "converted", data, losses(whole), whole.model.state_dict()


def test_with_the_optimizer_state_the_losses_are_those_of_the_whole_training(
    interrupted: tuple[Path, Path, list[float], dict[str, torch.Tensor]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    converted, data, expected, weights = interrupted
    seen: list[EmotionTrainer] = []
    train = EmotionTrainer.train

    def spy(self: EmotionTrainer, *args: object, **kwargs: object) -> object:
        seen.append(self)
        # The notebook's files do not record that this model was trained without dropout.
        for module in self.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        for layer in self.model.bert.encoder.layer:
            layer.attention.self.dropout.p = 0.0
        return train(self, *args, **kwargs)

    monkeypatch.setattr(EmotionTrainer, "train", spy)
    rows = load_emotion_dataset(data)
    continue_training(converted, rows, tmp_path / "with", arguments(1), resume_optimizer=True)
    continue_training(converted, rows, tmp_path / "without", arguments(1))
    resumed, fresh = map(losses, seen)
    assert len(resumed) == 4
    assert resumed == pytest.approx(expected[4:], rel=1e-6)
    assert fresh[1:] != pytest.approx(expected[5:], rel=1e-4), "the state makes no difference: nothing was tested"
    saved = load_file(tmp_path / "with" / "model.safetensors")
    for name, tensor in weights.items():
        torch.testing.assert_close(saved[name], tensor, rtol=1e-5, atol=1e-6, msg=name)
    steps = {int(entry["step"]) for entry in load_optimizer_file(tmp_path / "with" / "optimizer.pt")["state"].values()}
    assert steps == {8}


def test_the_command(
    interrupted: tuple[Path, Path, list[float], dict[str, torch.Tensor]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    converted, data, *_ = interrupted
    options = ["--resume-optimizer", "--epochs", "1", "--validation-file", str(data), "--output", str(tmp_path / "new")]
    assert main(["continue", str(converted), str(data), *options]) == 0
    assert "epoch 1: loss" in capsys.readouterr().out
    assert (tmp_path / "new" / "history.csv").is_file()


def test_what_cannot_be_continued(tiny_model_folder: Path, tmp_path: Path) -> None:
    rows = load_emotion_dataset(write_seed_csv(tmp_path / "data.csv", sentences(2)))
    with pytest.raises(CheckpointError, match=r"_all\.tar"):
        continue_training(tiny_model_folder, rows, tmp_path / "new", arguments(1), resume_optimizer=True)
    other = rows.cast_column("label", datasets.ClassLabel(names=list("abcdefg")))
    with pytest.raises(DataError, match="does not know"):
        continue_training(tiny_model_folder, other, tmp_path / "new", arguments(1))
    with pytest.raises(RunError):
        continue_training(tiny_model_folder, rows, tmp_path, arguments(1))
    assert not (tmp_path / "new").exists()


def test_an_old_row_counts_as_often_as_it_is_told_to(
    tiny_model_folder: Path, tokenizer: KoBERTTokenizer, tmp_path: Path
) -> None:
    """One step of plain gradient descent on new and old rows, against torch on the same rows."""
    rows = [
        load_emotion_dataset(write_seed_csv(tmp_path / f"{n}.csv", sentences(n)), labels=EMOTION_LABELS) for n in (1, 2)
    ]
    new, old = rows[0], rows[1]
    args = EmotionTrainingArguments(
        num_train_epochs=1, learning_rate=0.5, lr_scheduler_type="constant", warmup_steps=0, optim="sgd", seed=3,
        per_device_train_batch_size=64, max_grad_norm=0, weight_decay=0, report_to="none",
        disable_tqdm=True, use_cpu=True,
    )  # fmt: skip
    model = EmotionClassifier.from_pretrained(tiny_model_folder)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    still = tmp_path / "still"
    model.config.hidden_dropout_prob = model.config.attention_probs_dropout_prob = model.config.classifier_dropout = 0.0
    model.tokenizer = tokenizer
    model.save_pretrained(still)
    continue_training(still, new, tmp_path / "out", args, old_rows=old, old_weight=0.25)
    texts, labels = new["text"][:] + old["text"][:], torch.tensor(new["label"][:] + old["label"][:])
    weights = torch.tensor([1.0] * len(new) + [0.25] * len(old))
    model.train()
    logits = model(**tokenizer(texts, padding=True, return_tensors="pt")).logits
    chance = logits.softmax(-1)[torch.arange(len(texts)), labels]
    (weights * (1 - chance) ** 2 * -chance.log()).sum().div(len(texts)).backward()
    trained = load_file(tmp_path / "out" / "model.safetensors")
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            torch.testing.assert_close(
                trained[name], parameter.detach() - 0.5 * parameter.grad, atol=1e-5, rtol=1e-4, msg=name
            )


@pytest.mark.slow
def test_what_is_forgotten_is_measured(
    tiny_model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = write_seed_csv(tmp_path / "old.csv", sentences(3))
    new = write_seed_csv(tmp_path / "new.csv", [pair for pair in sentences(9) if pair[1] == "happy"])
    settings = ["continue", str(tiny_model_folder), str(new), "--learning-rate", "1e-2", "--epochs", "3"]
    rows = load_emotion_dataset(old, labels=tuple(load_classifier(tiny_model_folder).labels))

    def score(model: Path) -> float:
        logits = load_classifier(model).predict_logits(rows["text"][:])
        return float(f1_score(rows["label"][:], logits.argmax(1), average="macro"))

    weights = []
    for name, more in (("alone", []), ("beside", ["--old-rows", str(old), "--old-weight", "0.5"])):
        out = tmp_path / name
        assert main([*settings, *more, "--old-test", str(old), "--output", str(out)]) == 0
        found = json.loads((out / "forgetting.json").read_text(encoding="utf-8"))["old_test"]
        before, after = found["before"]["macro_f1"], found["after"]["macro_f1"]
        assert (before, after) == (pytest.approx(score(tiny_model_folder)), pytest.approx(score(out)))
        assert found["interval"]["low"] <= after - before <= found["interval"]["high"]
        assert f"macro F1 {before:.4f} → {after:.4f}" in capsys.readouterr().out
        weights.append(load_file(out / "model.safetensors")["classifier.weight"])
    assert not torch.equal(*weights)
    assert main([*settings, "--old-weight", "0.5", "--output", str(tmp_path / "x")]) == 2
    assert "$ kobert-emotion continue" in capsys.readouterr().err
