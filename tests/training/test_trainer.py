"""The trainer's gradients, losses and order of rows, against plain torch."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from forked import run_forked
from paths import SUPPORT
from preloaded import Preloaded
from sklearn.metrics import accuracy_score, f1_score
from small_trainer import LABELS, TEXTS, KeptGradients, arguments, build_model, rows
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from kobert_hf_emotion.errors import DataError, KoBERTEmotionError
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.modeling.losses import focal_loss
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer
from kobert_hf_emotion.training.trainer import EmotionTrainer


def reference_gradients(model: EmotionClassifier, alpha: float = 1.0, gamma: float = 2.0) -> dict[str, torch.Tensor]:
    """One pass over all rows in plain torch."""
    model = copy.deepcopy(model).train()
    encoded = model.tokenizer(TEXTS, padding=True, return_tensors="pt")
    probability = model(**encoded).logits.softmax(-1)[torch.arange(16), torch.tensor(LABELS)]
    (alpha * (1 - probability) ** gamma * -probability.log()).mean().backward()
    return {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}


@pytest.mark.numeric
@pytest.mark.parametrize(("batch", "accumulation"), [(16, 1), (4, 4), (5, 4)])
def test_gradient_of_a_step_does_not_depend_on_accumulation(
    tokenizer: KoBERTTokenizer, tmp_path: Path, batch: int, accumulation: int
) -> None:
    model = build_model(tokenizer)
    expected = reference_gradients(model)
    args = arguments(
        tmp_path, per_device_train_batch_size=batch, gradient_accumulation_steps=accumulation, max_grad_norm=0
    )
    found = KeptGradients(model, args, rows()).train_and_keep()
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-5, atol=1e-6, msg=name)


WORKER = """
import sys, torch
sys.path.insert(0, {tests!r})
from small_trainer import KeptGradients, arguments, build_model, rows
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer
from pathlib import Path
tokenizer = KoBERTTokenizer.from_pretrained("default")
args = arguments(Path({folder!r}), per_device_train_batch_size={batch}, max_grad_norm=0, eval_strategy="epoch")
trainer = KeptGradients(build_model(tokenizer), args, rows({rows}), rows(15))
kept = trainer.train_and_keep()
output = trainer.predict(rows(15))
own = arguments(Path({folder!r}), per_device_train_batch_size={batch}, max_grad_norm=0)
own.average_tokens_across_devices = False
apart = KeptGradients(build_model(tokenizer), own, rows(16)).train_and_keep()
assert args.world_size == {processes}
if args.process_index == 0:
    torch.save((kept, torch.tensor(output.predictions), vars(trainer.history[0]), apart), {result!r})
"""


@pytest.mark.slow
@pytest.mark.numeric
def test_two_processes_train_as_one(tokenizer: KoBERTTokenizer, tmp_path: Path, preloaded: Preloaded) -> None:
    jobs = []
    # 13 rows and a batch of 2 times 8: the processes cannot share the rows evenly.
    for processes, batch in ((1, 16), (2, 8)):
        script = tmp_path / f"worker_{processes}.py"
        named = {"folder": str(tmp_path / "out"), "result": str(tmp_path / f"{processes}.pt")}
        script.write_text(
            WORKER.format(tests=str(SUPPORT), processes=processes, batch=batch, rows=13, **named), encoding="utf-8"
        )
        jobs.append((processes, script))
    run_forked(preloaded, *jobs)
    one, two = (torch.load(tmp_path / f"{processes}.pt", weights_only=True) for processes, _ in jobs)
    for name, gradient in one[0].items():
        torch.testing.assert_close(two[0][name], gradient, rtol=1e-5, atol=1e-6, msg=name)
    torch.testing.assert_close(two[1], one[1], rtol=1e-5, atol=1e-5)
    for name, value in one[2].items():
        assert two[2][name] == pytest.approx(value, rel=1e-5), name
    # Each counting its own rows, 8 of 16, and with the sum of 16 at once.
    expected = reference_gradients(build_model(tokenizer))
    for found in (one[3], two[3]):
        for name, gradient in expected.items():
            torch.testing.assert_close(found[name], gradient, rtol=1e-5, atol=1e-6, msg=name)


@pytest.mark.numeric
def test_criterion_and_training_figures_are_those_of_the_rows(tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
    model = build_model(tokenizer)
    with torch.no_grad():
        logits = model(**tokenizer(TEXTS, padding=True, return_tensors="pt")).logits
    alpha = [1.0, 2.0, 1.0, 0.5, 1.0, 1.0, 3.0]
    args = arguments(
        tmp_path,
        per_device_train_batch_size=8,
        per_device_eval_batch_size=5,
        learning_rate=0.0,
        focal_gamma=1.5,
        focal_alpha=json.dumps(alpha),
        eval_strategy="epoch",
    )
    trainer = EmotionTrainer(model, args, rows(), rows(13))
    trainer.train()
    [record] = trainer.history
    whole = focal_loss(logits, torch.tensor(LABELS), alpha, 1.5).item()
    part = focal_loss(logits[:13], torch.tensor(LABELS[:13]), alpha, 1.5).item()
    predicted = logits.argmax(-1).tolist()
    assert record.train_loss == pytest.approx(whole, rel=1e-5)
    assert record.train_accuracy == pytest.approx(accuracy_score(LABELS, predicted))
    assert record.val_loss == pytest.approx(part, rel=1e-5)
    assert record.val_accuracy == pytest.approx(accuracy_score(LABELS[:13], predicted[:13]))
    assert record.val_macro_f1 == pytest.approx(f1_score(LABELS[:13], predicted[:13], average="macro"))
    assert (record.epoch, record.step) == (1.0, 2)
    [evaluated] = [line for line in trainer.state.log_history if "eval_loss" in line]
    assert (evaluated["train_loss"], evaluated["train_accuracy"]) == (record.train_loss, record.train_accuracy)
    logged = [line for line in trainer.state.log_history if "accuracy" in line]
    assert len(logged) == 2
    assert np.mean([line["loss"] for line in logged]) == pytest.approx(whole, rel=1e-5)
    assert (model.config.focal_alpha, model.config.focal_gamma) == (alpha, 1.5)


@pytest.mark.numeric
def test_predictions_come_in_the_order_of_the_rows(tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
    model = build_model(tokenizer)
    trainer = EmotionTrainer(model, arguments(tmp_path, per_device_eval_batch_size=3), eval_dataset=rows())
    output = trainer.predict(trainer.eval_dataset)
    with torch.no_grad():
        expected = [model.eval()(**tokenizer(text, return_tensors="pt")).logits[0].tolist() for text in TEXTS]
    np.testing.assert_allclose(output.predictions, expected, atol=1e-5)
    assert output.label_ids.tolist() == LABELS


def test_alpha_by_label_name_reaches_the_criterion(tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
    trainer = EmotionTrainer(build_model(tokenizer), arguments(tmp_path, focal_alpha='{"sad": 4}'), rows())
    assert trainer.criterion.alpha == [1, 1, 1, 4, 1, 1, 1]


def test_no_weight_decay_on_biases_and_layer_norms(tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
    trainer = EmotionTrainer(build_model(tokenizer), arguments(tmp_path), rows())
    trainer.create_optimizer()
    names = {id(parameter): name for name, parameter in trainer.model.named_parameters()}
    decayed = {names[id(p)] for g in trainer.optimizer.param_groups if g["weight_decay"] > 0 for p in g["params"]}
    plain = {names[id(p)] for g in trainer.optimizer.param_groups if g["weight_decay"] == 0 for p in g["params"]}
    assert plain == {name for name in names.values() if name.endswith("bias") or "LayerNorm" in name}
    assert decayed | plain == set(names.values())


@pytest.mark.numeric
def test_inputs_stay_as_they_are_and_training_twice_works(tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
    data = rows()
    trainer = EmotionTrainer(build_model(tokenizer), arguments(tmp_path), data)
    trainer.train()
    trainer.train()
    assert data.column_names == ["text", "label"]
    assert data["text"][:] == TEXTS


def test_label_smoothing_is_refused(tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
    with pytest.raises(KoBERTEmotionError, match="label_smoothing_factor"):
        EmotionTrainer(build_model(tokenizer), arguments(tmp_path, label_smoothing_factor=0.1), rows())


def named(labels: list[int], names: list[str], texts: list[str] = TEXTS) -> datasets.Dataset:
    data = datasets.Dataset.from_dict({"text": texts, "label": labels})
    return data.cast_column("label", datasets.ClassLabel(names=names))


def turned(labels: list[int] = LABELS, names: tuple[str, ...] = EMOTION_LABELS) -> datasets.Dataset:
    """The rows with the labels they have, whose names stand in the reverse order."""
    return named([label if label < 0 else len(names) - 1 - label for label in labels], list(names[::-1]))


def test_a_model_learns_the_names_and_not_the_numbers(tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
    model = build_model(tokenizer)
    args = arguments(tmp_path, num_train_epochs=20, learning_rate=5e-3, per_device_train_batch_size=16, focal_gamma=0)
    trainer = EmotionTrainer(model, args, turned(), named(LABELS, list(EMOTION_LABELS)))
    trainer.train()
    predicted = [found["label"] for found in model.predict(TEXTS)]
    right = accuracy_score([EMOTION_LABELS[label] for label in LABELS], predicted)
    assert right > 3 / 16, "more than the most frequent label alone"
    assert trainer.evaluate()["eval_accuracy"] == right
    assert trainer.evaluate(turned())["eval_accuracy"] == right
    assert trainer.predict(turned()).label_ids.tolist() == LABELS


def test_weights_by_count_are_those_of_the_names(tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
    trainer = EmotionTrainer(build_model(tokenizer), arguments(tmp_path, focal_alpha="balanced"), turned())
    counts = [LABELS.count(label) for label in range(7)]
    assert trainer.criterion.alpha == pytest.approx([16 / 7 / count for count in counts])


@pytest.mark.parametrize("wrong", [-1, None, 7])
@pytest.mark.parametrize("where", ["train_dataset", "eval_dataset", "evaluate", "predict"])
def test_rows_without_a_label_are_an_error(
    wrong: int | None, where: str, tokenizer: KoBERTTokenizer, tmp_path: Path
) -> None:
    data = datasets.Dataset.from_dict({"text": TEXTS, "label": [*LABELS[:15], wrong]})

    def give() -> None:
        if where.endswith("dataset"):
            EmotionTrainer(build_model(tokenizer), arguments(tmp_path), **{where: data})
        else:
            getattr(EmotionTrainer(build_model(tokenizer), arguments(tmp_path)), where)(data)

    with pytest.raises(DataError, match=f"index 15: {wrong}"):
        give()


@pytest.mark.numeric
def test_ignored_rows_count_in_no_figure(tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
    some = [-100 if index % 3 == 0 else label for index, label in enumerate(LABELS)]
    kept = [index for index in range(16) if index % 3]
    args = arguments(tmp_path, eval_strategy="epoch", learning_rate=0.0, per_device_train_batch_size=5)
    records = []
    for data in (turned(some), turned().select(kept)):
        trainer = EmotionTrainer(build_model(tokenizer), args, data, data)
        trainer.train()
        [record] = trainer.history
        records.append([getattr(record, name) for name in vars(record) if name.startswith(("train", "val"))])
    assert records[0] == pytest.approx(records[1], rel=1e-5)
    found = trainer.evaluate(turned(some))
    loss_only = EmotionTrainer(build_model(tokenizer), args, eval_dataset=turned(some), compute_metrics=None)
    assert loss_only.evaluate()["eval_loss"] == pytest.approx(found["eval_loss"], rel=1e-5)


@pytest.mark.parametrize("given", [{"train": rows()}, iter([]), datasets.DatasetDict({"train": rows()})])
def test_what_is_no_data_set_is_refused(given: object, tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"found a {type(given).__name__}"):
        EmotionTrainer(build_model(tokenizer), arguments(tmp_path), given)


def test_rows_without_text_or_without_labels_are_refused(tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column text; found sentence, label"):
        EmotionTrainer(build_model(tokenizer), arguments(tmp_path), rows().rename_column("text", "sentence"))
    with pytest.raises(DataError, match="train_dataset has no labels"):
        EmotionTrainer(build_model(tokenizer), arguments(tmp_path), rows().remove_columns("label"))
    trainer = EmotionTrainer(build_model(tokenizer), arguments(tmp_path))
    assert trainer.predict(rows().remove_columns("label")).predictions.shape == (16, 7)


@pytest.mark.numeric
def test_several_evaluation_sets(tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
    model = build_model(tokenizer)
    args = arguments(tmp_path, eval_strategy="epoch", learning_rate=0.0)
    trainer = EmotionTrainer(model, args, rows(), {"a": turned(), "나": rows(9)})
    trainer.train()
    alone = [EmotionTrainer(model, args, eval_dataset=data).evaluate() for data in (rows(), rows(9))]
    lines = {name: line for line in trainer.state.log_history for name in line}
    assert lines["eval_a_loss"]["eval_a_loss"] == pytest.approx(alone[0]["eval_loss"], rel=1e-5)
    assert lines["eval_나_loss"]["eval_나_accuracy"] == pytest.approx(alone[1]["eval_accuracy"])
    assert lines["eval_a_loss"]["train_loss"] == pytest.approx(alone[0]["eval_loss"], rel=1e-5)
    assert "train_loss" not in lines["eval_나_loss"]
    assert trainer.evaluate(rows(9))["eval_loss"] == pytest.approx(alone[1]["eval_loss"], rel=1e-5)


def test_evaluation_of_the_loss_alone(tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
    model = build_model(tokenizer)
    whole = EmotionTrainer(model, arguments(tmp_path), eval_dataset=rows()).evaluate()
    args = arguments(tmp_path, prediction_loss_only=True, per_device_eval_batch_size=3, eval_strategy="epoch")
    trainer = EmotionTrainer(model, args, rows(), eval_dataset=rows())
    found = trainer.evaluate()
    assert found["eval_loss"] == pytest.approx(whole["eval_loss"], rel=1e-5)
    assert "eval_accuracy" not in found
    trainer.train()
    [record] = trainer.history
    assert record.val_loss > 0
    assert np.isnan(record.val_accuracy)


@pytest.mark.parametrize("name", ["compute_loss_func", "preprocess_logits_for_metrics"])
def test_functions_that_would_not_be_called_are_refused(name: str, tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
    with pytest.raises(KoBERTEmotionError, match=name):
        EmotionTrainer(build_model(tokenizer), arguments(tmp_path), rows(), **{name: lambda *_: 0})


@pytest.mark.parametrize(
    ("name", "value"),
    [("eval_do_concat_batches", False), ("batch_eval_metrics", True), ("hub_strategy", "all_checkpoints")],
)
def test_settings_that_would_be_left_out_are_refused(
    name: str, value: object, tokenizer: KoBERTTokenizer, tmp_path: Path
) -> None:
    with pytest.raises(KoBERTEmotionError, match=name):
        EmotionTrainer(build_model(tokenizer), arguments(tmp_path, push_to_hub=True, **{name: value}), rows())


class NoFloat64(TorchDispatchMode):
    """A device without float64, such as Apple's GPUs."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        found = func(*args, **(kwargs or {}))
        for tensor in tree_leaves((args, kwargs, found)):
            if isinstance(tensor, torch.Tensor) and tensor.dtype == torch.float64:
                raise TypeError(f"Cannot convert a tensor to float64 on this device: {func}")
        return found


@pytest.mark.numeric
def test_a_device_without_float64_trains_and_evaluates(tokenizer: KoBERTTokenizer, tmp_path: Path) -> None:
    args = arguments(tmp_path, eval_strategy="epoch", per_device_train_batch_size=4, focal_alpha="balanced")
    trainer = EmotionTrainer(build_model(tokenizer), args, rows(), rows(9))
    with NoFloat64():
        trainer.train()
        logits = trainer.predict(rows(9)).predictions
    assert len(trainer.history) == 1
    assert logits.dtype == np.float32
    with pytest.raises(TypeError, match="float64"), NoFloat64():
        torch.ones(1, dtype=torch.float64)
