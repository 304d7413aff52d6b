"""How much memory and time a run will take: measured on a few steps of the model itself, and said to be an estimate."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..kernels.training import cpu_kernels
from ..modeling.losses import focal_loss
from ..modeling.prediction import use_accelerator

_GROUPS = 5
_WARM_UP_ROWS = 2


@dataclass(frozen=True)
class RunPlan:
    """What a run is going to do.

    Attributes:
        rows: Rows of the data set.
        n_splits: Folds.
        epochs: Passes over the training rows.
        batch_size: Rows a step.
        max_length: Tokens a text is cut to.
    """

    rows: int
    n_splits: int = 5
    epochs: float = 10.0
    batch_size: int = 64
    max_length: int = 64

    @property
    def steps(self) -> int:
        """Optimizer steps of all folds."""
        train_rows = self.rows - self.rows // self.n_splits
        return math.ceil(math.ceil(train_rows / self.batch_size) * self.epochs) * self.n_splits

    @property
    def evaluated_rows(self) -> int:
        """Rows that are predicted: every validation row after each epoch."""
        return self.rows * math.ceil(self.epochs)


@dataclass(frozen=True)
class RunEstimate:
    """An estimate of what a run takes on this machine.

    Attributes:
        device: "cpu", "cuda", …
        threads: Threads that torch computes with on the CPU.
        parameters: Parameters of the model.
        weight_bytes: Memory of the weights.
        gradient_bytes: Memory of the gradients.
        optimizer_bytes: Memory of AdamW's two moments.
        activation_bytes: Memory that a batch of the longest texts keeps for the backward pass.
        available_bytes: Memory of the device, None where it does not tell.
        step_seconds: One optimizer step on a full batch of texts of mixed length.
        steps: Optimizer steps of the run.
        total_seconds: The run: steps and evaluations.
        timed_rows: Rows on which it was measured.
    """

    device: str
    threads: int
    parameters: int
    weight_bytes: int
    gradient_bytes: int
    optimizer_bytes: int
    activation_bytes: int
    available_bytes: int | None
    step_seconds: float
    steps: int
    total_seconds: float
    timed_rows: int

    @property
    def memory_bytes(self) -> int:
        """Memory of the run, without Python, torch and the data."""
        return self.weight_bytes + self.gradient_bytes + self.optimizer_bytes + self.activation_bytes


def estimate_run(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    plan: RunPlan,
    pairs: Sequence[str] | None = None,
    budget_seconds: float = 3.0,
) -> RunEstimate:
    """Trains a copy-free probe of a few batches and extrapolates; the weights of `model` are changed by it.

    Batches of short, middling and long texts are timed, forward and backward, with as many rows as fit into the
    budget; the optimizer's step, which does not depend on the rows, by itself. The memory of activations is counted
    from the tensors that autograd keeps for a batch of the longest texts.

    Args:
        model: The model to train, with a head for its labels.
        tokenizer: Its tokenizer.
        texts: A sample of the texts, some hundreds of them.
        plan: The run.
        pairs: Their second texts, where rows are pairs.
        budget_seconds: About how long to measure. One step on a few rows is taken in any case.
    """
    use_accelerator(model)
    model.train()
    device = model.device
    encoded = tokenizer(
        list(texts), None if pairs is None else list(pairs), truncation=True, max_length=plan.max_length
    )
    order = sorted(range(len(texts)), key=lambda index: len(encoded["input_ids"][index]))
    probe = _Probe(model, tokenizer, {name: encoded[name] for name in tokenizer.model_input_names}, device)
    activations = probe.activation_bytes(order[-_WARM_UP_ROWS:]) / len(order[-_WARM_UP_ROWS:])
    probe.step_seconds(order[-_WARM_UP_ROWS:])  # the first pass also makes the gradients
    row_seconds = probe.step_seconds(order[-_WARM_UP_ROWS:]) / _WARM_UP_ROWS
    rows = max(1, min(plan.batch_size, int(budget_seconds / _GROUPS / row_seconds)))
    batches = [_around(order, (2 * group + 1) / (2 * _GROUPS), rows) for group in range(_GROUPS)]
    row_seconds = sum(probe.step_seconds(batch) / len(batch) for batch in batches) / _GROUPS
    evaluation_seconds = sum(probe.forward_seconds(batch) / len(batch) for batch in batches) / _GROUPS
    step_seconds = row_seconds * plan.batch_size + probe.optimizer_seconds()
    weights = sum(parameter.nbytes for parameter in model.parameters())
    trained = sum(parameter.nbytes for parameter in model.parameters() if parameter.requires_grad)
    return RunEstimate(
        device=device.type,
        threads=torch.get_num_threads(),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        weight_bytes=weights,
        gradient_bytes=trained,
        optimizer_bytes=2 * trained,
        activation_bytes=int(activations * plan.batch_size),
        available_bytes=_available_bytes(device),
        step_seconds=step_seconds,
        steps=plan.steps,
        total_seconds=plan.steps * step_seconds + plan.evaluated_rows * evaluation_seconds,
        timed_rows=sum(map(len, batches)),
    )


class _Probe:
    """Times parts of a training step on rows given by their indices."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        encoded: dict[str, list[list[int]]],
        device: torch.device,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._encoded = encoded
        self._device = device
        self._optimizer = torch.optim.AdamW(model.parameters(), lr=1e-9)

    def step_seconds(self, rows: Sequence[int]) -> float:
        """Seconds of forward and backward pass."""
        batch = self._batch(rows)
        return self._time(lambda: self._loss(batch).backward())  # type: ignore[no-untyped-call]

    def forward_seconds(self, rows: Sequence[int]) -> float:
        """Seconds of a forward pass without gradients."""
        batch = self._batch(rows)
        with torch.no_grad():
            return self._time(lambda: self._loss(batch))

    def optimizer_seconds(self) -> float:
        """Seconds of a step of AdamW; the first, which makes the moments, is not counted."""
        self._optimizer.step()
        return self._time(self._optimizer.step)

    def activation_bytes(self, rows: Sequence[int]) -> int:
        """Bytes that the forward pass keeps for the backward pass, parameters aside."""
        known = {parameter.untyped_storage().data_ptr() for parameter in self._model.parameters()}
        kept: dict[int, int] = {}

        def pack(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in known:
                kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        batch = self._batch(rows)
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            loss = self._loss(batch)
        del loss  # until here the graph holds what it keeps, so that no address is used twice
        return sum(kept.values())

    def _batch(self, rows: Sequence[int]) -> dict[str, Tensor]:
        features = {name: [values[index] for index in rows] for name, values in self._encoded.items()}
        padded = self._tokenizer.pad(features, return_tensors="pt")
        return {name: tensor.to(self._device) for name, tensor in padded.items()}

    def _loss(self, batch: dict[str, Tensor]) -> Tensor:
        with cpu_kernels(self._model):  # as the trainer does
            logits = self._model(**batch).logits
        return focal_loss(logits, torch.zeros(len(logits), dtype=torch.long, device=self._device))

    def _time(self, action: Callable[[], object]) -> float:
        self._wait()
        start = time.perf_counter()
        action()
        self._wait()
        return time.perf_counter() - start

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize()


def _around(order: Sequence[int], quantile: float, rows: int) -> Sequence[int]:
    """Returns up to `rows` neighbours in `order` around a quantile, as batches of similar length are made."""
    start = min(max(int(quantile * len(order)) - rows // 2, 0), max(len(order) - rows, 0))
    return order[start : start + rows]


def _available_bytes(device: torch.device) -> int | None:
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None
