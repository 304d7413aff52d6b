"""The gradient of a step on votes, however its rows are accumulated and shared among processes."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from forked import run_forked
from paths import SUPPORT
from preloaded import Preloaded
from small_trainer import TEXTS, KeptGradients, arguments, build_model, vote_rows

from kobert_hf_emotion.data.label_ids import label_ids
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer


def reference(model: EmotionClassifier, count: int) -> tuple[float, dict[str, torch.Tensor]]:
    """The loss and its gradients of one pass over all rows in plain torch."""
    model = copy.deepcopy(model).train()
    encoded = model.tokenizer(TEXTS[:count], padding=True, return_tensors="pt")
    logs = model(**encoded).logits.log_softmax(-1)
    shares = torch.from_numpy(label_ids(vote_rows(count), EMOTION_LABELS)).float()
    loss = (shares * (1 - logs.exp()) ** 2 * -logs).sum(-1).mean()
    loss.backward()
    return loss.item(), {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.numeric
@pytest.mark.parametrize(("batch", "accumulation"), [(16, 1), (4, 4), (5, 4)])
def test_a_step_does_not_depend_on_accumulation(
    tokenizer: KoBERTTokenizer, tmp_path: Path, batch: int, accumulation: int
) -> None:
    model = build_model(tokenizer, soft_labels=True)
    loss, expected = reference(model, 16)
    args = arguments(
        tmp_path, per_device_train_batch_size=batch, gradient_accumulation_steps=accumulation, max_grad_norm=0
    )
    trainer = KeptGradients(model, args, vote_rows(), vote_rows())
    assert trainer.evaluate()["eval_loss"] == pytest.approx(loss, rel=1e-5)
    found = trainer.train_and_keep()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-5, atol=1e-6, msg=name)
    assert trainer.state.log_history[0]["loss"] == pytest.approx(loss, rel=1e-5)


WORKER = """
import sys, torch
sys.path.insert(0, {tests!r})
from small_trainer import KeptGradients, arguments, build_model, vote_rows
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer
from pathlib import Path
model = build_model(KoBERTTokenizer.from_pretrained("default"), soft_labels=True)
args = arguments(Path({folder!r}), per_device_train_batch_size=8, max_grad_norm=0, eval_strategy="epoch")
trainer = KeptGradients(model, args, vote_rows(13), vote_rows(15))
kept = trainer.train_and_keep()
assert args.world_size == 2
if args.process_index == 0:
    torch.save((kept, vars(trainer.history[0])), {result!r})
"""


@pytest.mark.slow
@pytest.mark.numeric
def test_two_processes_train_as_one(tokenizer: KoBERTTokenizer, tmp_path: Path, preloaded: Preloaded) -> None:
    script = tmp_path / "worker.py"
    named = {"folder": str(tmp_path / "out"), "result": str(tmp_path / "two.pt")}
    script.write_text(WORKER.format(tests=str(SUPPORT), **named), encoding="utf-8")
    run_forked(preloaded, (2, script))
    kept, history = torch.load(tmp_path / "two.pt", weights_only=True)
    model = build_model(tokenizer, soft_labels=True)
    loss, expected = reference(model, 13)
    for name, gradient in expected.items():
        torch.testing.assert_close(kept[name], gradient, rtol=1e-5, atol=1e-6, msg=name)
    assert history["train_loss"] == pytest.approx(loss, rel=1e-5)
