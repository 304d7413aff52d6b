"""The three files that are written, against plain torch, and the way there and back to the bit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from legacy_files import STEM, assert_same
from torch.optim import SGD, AdamW, Optimizer

import kobert_hf_emotion.legacy.exporter as exporter_module
from kobert_hf_emotion.errors import CheckpointError
from kobert_hf_emotion.legacy import (
    build_classifier,
    export_legacy_checkpoint,
    import_legacy_checkpoint,
    read_legacy_checkpoint,
    resume_optimizer,
)
from kobert_hf_emotion.modeling.classifier import EmotionClassifier

Save = Callable[..., Path]
IDS = torch.tensor([[2, 5, 6, 7, 3, 1], [2, 9, 3, 1, 1, 1]])
MASK = (IDS != 1).long()


def train(model: EmotionClassifier, optimizer: Optimizer, steps: int) -> list[float]:
    """Trains without dropout, so that two runs can be compared to the bit."""
    model.eval()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model(IDS, attention_mask=MASK, labels=torch.tensor([1, 5])).loss
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def decay_groups(model: EmotionClassifier) -> list[dict[str, Any]]:
    """The groups that notebooks make."""
    plain = ["bias", "LayerNorm.weight"]
    named = list(model.named_parameters())
    return [
        {"params": [p for n, p in named if not any(part in n for part in plain)], "weight_decay": 0.01},
        {"params": [p for n, p in named if any(part in n for part in plain)], "weight_decay": 0.0},
    ]


class TestFiles:
    def test_layout(self, tiny: EmotionClassifier, tmp_path: Path) -> None:
        optimizer = AdamW(tiny.parameters(), lr=1e-3)
        train(tiny, optimizer, 2)
        paths = export_legacy_checkpoint(tiny, tmp_path / STEM, optimizer)
        assert [path.name for path in paths] == [f"{STEM}.pt", f"{STEM}_state_dict.pt", f"{STEM}_all.tar"]
        state_dict = torch.load(paths[1], weights_only=True)
        whole = torch.load(paths[2], weights_only=True)
        assert list(whole) == ["model", "optimizer"]
        assert_same(dict(tiny.state_dict()), dict(state_dict))
        assert_same(dict(tiny.state_dict()), dict(whole["model"]))
        assert_same(optimizer.state_dict(), whole["optimizer"])
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths)

    @pytest.mark.slow
    def test_plain_torch_unpickles_and_computes_the_same(self, tiny: EmotionClassifier, tmp_path: Path) -> None:
        path, _, _ = export_legacy_checkpoint(tiny, tmp_path / STEM)
        program = f"""
import torch
model = torch.load({str(path)!r}, weights_only=False)
assert type(model.bert.config).__module__.startswith("transformers."), type(model.bert.config)
ids = torch.tensor({IDS.tolist()})
with torch.no_grad():
    logits = model.eval()(ids, (ids != 1).sum(1), torch.zeros_like(ids))
torch.save([type(model).__module__, logits, model.state_dict()], {str(tmp_path / "out.bin")!r})
"""
        subprocess.run([sys.executable, "-c", program], check=True, timeout=600)
        module, logits, state_dict = torch.load(tmp_path / "out.bin", weights_only=True)
        with torch.no_grad():
            expected = tiny(IDS, attention_mask=MASK).logits
        torch.testing.assert_close(logits, expected, rtol=0, atol=1e-6)
        assert module == "kobert_hf_emotion.notebook"
        assert_same(dict(tiny.state_dict()), dict(state_dict))

    def test_nothing_more_than_the_tensors_is_written(self, tiny: EmotionClassifier, tmp_path: Path) -> None:
        """A parameter that is a view must not drag its whole storage into the file."""
        tiny.classifier.weight.data = torch.randn(100_000, 8)[:7]
        _, path, _ = export_legacy_checkpoint(tiny, tmp_path / STEM)
        assert path.stat().st_size < 100_000

    def test_without_an_optimizer_the_notebook_can_still_load(self, tiny: EmotionClassifier, tmp_path: Path) -> None:
        *_, path = export_legacy_checkpoint(tiny, tmp_path / STEM)
        AdamW(tiny.parameters()).load_state_dict(torch.load(path, weights_only=True)["optimizer"])

    def test_the_model_is_not_changed(self, tiny: EmotionClassifier, tmp_path: Path) -> None:
        tiny.train()
        before = {name: value.clone() for name, value in tiny.state_dict().items()}
        export_legacy_checkpoint(tiny, tmp_path / STEM)
        assert_same(before, dict(tiny.state_dict()))
        assert all(module.training for module in tiny.modules())
        assert all(parameter.requires_grad for parameter in tiny.parameters())

    def test_unknown_buffers(self, tiny: EmotionClassifier, tmp_path: Path) -> None:
        with pytest.raises(CheckpointError, match="found \\['weights'\\]"):
            export_legacy_checkpoint(tiny, tmp_path / STEM, buffers=["weights"])


class TestRoundTrip:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
    def test_import_of_export(self, tiny: EmotionClassifier, tmp_path: Path, dtype: torch.dtype) -> None:
        model = tiny.to(dtype)
        optimizer = AdamW(tiny.parameters(), lr=1e-3)
        if dtype == torch.float32:
            train(tiny, optimizer, 2)
        for path in export_legacy_checkpoint(model, tmp_path / STEM, optimizer):
            checkpoint = read_legacy_checkpoint(path, 2)
            assert_same(dict(model.state_dict()), dict(build_classifier(checkpoint, dtype=None).state_dict()))
            for name in ("hidden_act", "layer_norm_eps", "classifier_dropout", "pad_token_id", "num_attention_heads"):
                assert getattr(checkpoint.config, name) == getattr(model.config, name)
        assert_same(optimizer.state_dict(), checkpoint.optimizer_state)

    def test_export_of_import(self, shared: Path, tmp_path: Path) -> None:
        theirs = shared / "legacy" / STEM
        checkpoint = read_legacy_checkpoint(f"{theirs}_all.tar", 2)
        ours, *_ = export_legacy_checkpoint(build_classifier(checkpoint), tmp_path / STEM, checkpoint.optimizer_state)
        del ours
        for suffix in ("_state_dict.pt", "_all.tar"):
            old = torch.load(f"{theirs}{suffix}", weights_only=True)
            new = torch.load(tmp_path / f"{STEM}{suffix}", weights_only=True)
            assert_same(old, new)
        assert_same(
            read_legacy_checkpoint(f"{theirs}.pt").state_dict,
            dict(torch.load(tmp_path / f"{STEM}.pt", weights_only=False).state_dict()),
        )

    def test_buffers_of_older_files(self, tiny: EmotionClassifier, saved: Save, tmp_path: Path) -> None:
        buffers = {"bert.embeddings.position_ids": torch.arange(16)[None]}
        old = {**buffers, **tiny.state_dict()}
        checkpoint = read_legacy_checkpoint(saved(old), 2)
        _, path, _ = export_legacy_checkpoint(build_classifier(checkpoint), tmp_path / STEM, buffers=checkpoint.dropped)
        assert_same(old, dict(torch.load(path, weights_only=True)))


class TestResume:
    @pytest.fixture(params=["one group", "decay groups", "no-decay group first"])
    def groups(self, request: pytest.FixtureRequest) -> Callable[[EmotionClassifier], Any]:
        return {
            "one group": lambda model: model.parameters(),
            "decay groups": decay_groups,
            "no-decay group first": lambda model: decay_groups(model)[::-1],
        }[request.param]

    def test_losses_of_the_uninterrupted_run(
        self, tiny: EmotionClassifier, tmp_path: Path, groups: Callable[[EmotionClassifier], Any]
    ) -> None:
        optimizer = AdamW(groups(tiny), lr=1e-2)
        train(tiny, optimizer, 3)
        *_, path = export_legacy_checkpoint(tiny, tmp_path / STEM, optimizer)
        uninterrupted = train(tiny, optimizer, 4)

        checkpoint = read_legacy_checkpoint(path, 2)
        model = build_classifier(checkpoint)
        fresh = AdamW(groups(model), lr=1e-2)
        assert checkpoint.optimizer_state is not None
        resume_optimizer(fresh, model, checkpoint.optimizer_state)
        assert train(model, fresh, 4) == uninterrupted
        restarted = build_classifier(checkpoint)
        assert train(restarted, AdamW(groups(restarted), lr=1e-2), 4) != uninterrupted

    def test_into_other_groups(self, tiny: EmotionClassifier, tmp_path: Path) -> None:
        """The state finds its parameters where the new run groups them differently."""
        optimizer = AdamW(tiny.parameters(), lr=1e-2, weight_decay=0.0)
        train(tiny, optimizer, 3)
        state = optimizer.state_dict()
        model = import_legacy_checkpoint(export_legacy_checkpoint(tiny, tmp_path / STEM)[1], 2)
        groups = [{**group, "weight_decay": 0.0} for group in decay_groups(model)]
        fresh = AdamW(groups, lr=1e-2)
        resume_optimizer(fresh, model, state)
        assert train(model, fresh, 3) == train(tiny, optimizer, 3)

    def test_integer_steps_of_transformers_adamw(self, tiny: EmotionClassifier) -> None:
        optimizer = AdamW(tiny.parameters(), lr=1e-2)
        train(tiny, optimizer, 2)
        state = optimizer.state_dict()
        old = {**state, "state": {i: {**entry, "step": 2} for i, entry in state["state"].items()}}
        fresh = AdamW(tiny.parameters(), lr=1e-2)
        resume_optimizer(fresh, tiny, old)
        assert_same(state["state"], fresh.state_dict()["state"])

    def test_of_another_model(self, tiny: EmotionClassifier) -> None:
        other = SGD([torch.nn.Parameter(torch.ones(2))], lr=0.1, momentum=0.9)
        with pytest.raises(CheckpointError, match="1 parameters do not fit"):
            resume_optimizer(AdamW(tiny.parameters()), tiny, other.state_dict())


class TestAtomicity:
    def test_full_disk_in_the_middle(
        self, tiny: EmotionClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = {path: path.read_bytes() for path in export_legacy_checkpoint(tiny, tmp_path / STEM)}
        real, calls = torch.save, []

        def fail_in_the_third(content: object, handle: Any) -> None:
            calls.append(content)
            if len(calls) == 3:
                handle.write(b"half")
                raise OSError(28, "No space left on device")
            real(content, handle)

        monkeypatch.setattr(exporter_module.torch, "save", fail_in_the_third)
        tiny.classifier.bias.data += 1
        with pytest.raises(CheckpointError, match="No space left"):
            export_legacy_checkpoint(tiny, tmp_path / STEM)
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == old

    @pytest.mark.slow
    def test_kill_in_the_middle(self, tmp_path: Path) -> None:
        program = f"""
import os, signal, torch
import kobert_hf_emotion.legacy.exporter as exporter
from kobert_hf_emotion.configuration import EmotionConfig
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
sizes = dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, vocab_size=30)
model = EmotionClassifier(EmotionConfig(**sizes))
stem = {str(tmp_path / STEM)!r}
exporter.export_legacy_checkpoint(model, stem)
torch.save(model.state_dict(), {str(tmp_path / "reference")!r})
real, calls = torch.save, []
def kill_in_the_third(content, handle):
    calls.append(content)
    real(content, handle)
    if len(calls) == 3:
        handle.flush()
        os.kill(os.getpid(), signal.SIGKILL)
torch.save = kill_in_the_third
model.classifier.bias.data += 1
exporter.export_legacy_checkpoint(model, stem)
"""
        done = subprocess.run([sys.executable, "-c", program], check=False, timeout=600)
        assert done.returncode == -9
        names = sorted(path.name for path in tmp_path.iterdir())
        assert names == sorted([f"{STEM}.pt", f"{STEM}_state_dict.pt", f"{STEM}_all.tar", "reference"])
        reference = dict(torch.load(tmp_path / "reference", weights_only=True))
        assert_same(reference, dict(torch.load(tmp_path / f"{STEM}_state_dict.pt", weights_only=True)))
        assert_same(reference, dict(torch.load(tmp_path / f"{STEM}_all.tar", weights_only=True)["model"]))
