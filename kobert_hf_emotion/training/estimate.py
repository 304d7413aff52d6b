"""How much memory and time a run will take: measured on a few steps of the model itself, and said to be an estimate."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..data.column_names import TEXT_COLUMN, TEXT_PAIR_COLUMN
from ..data.label_ids import class_names
from ..inference.classifier import start_model
from ..kernels.training import cpu_kernels
from ..modeling.criterion import criterion_of
from ..modeling.prediction import use_accelerator
from ..tasks.choice import task_for
from ..utils.progress import progress
from ..wording import Wording
from .sampling import BATCHES_PER_CHUNK, LengthGroupedSampler

_MOST_STEPS = 50
_LONGEST_ROWS = 2
_SHARE_OF_MEMORY = 0.7


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
    def train_rows(self) -> int:
        """Rows that a fold is trained on."""
        return self.rows - self.rows // self.n_splits

    @property
    def steps(self) -> int:
        """Optimizer steps of all folds."""
        return math.ceil(math.ceil(self.train_rows / self.batch_size) * self.epochs) * self.n_splits

    @property
    def trained_rows(self) -> float:
        """Rows of all these steps: training rows of every fold, once an epoch."""
        return self.train_rows * self.epochs * self.n_splits

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
        step_seconds: An optimizer step, the mean over batches of short and of long texts.
        steps: Optimizer steps of the run.
        total_seconds: The run: steps and evaluations.
        timed_rows: Rows of the steps that were timed.
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
    budget_seconds: float = 5.0,
) -> RunEstimate:
    """Takes a few of the run's steps on a sample of its rows and extrapolates; the weights of `model` are changed.

    The batches are those that the trainer draws: of the run's size, with texts of similar length together. Where so
    large a batch would not fit into the memory, it is made smaller. What is timed is seconds a token, padding
    included, so that it matters little which of the batches the budget has allowed. The memory of activations is
    counted from the tensors that autograd keeps for the longest texts.

    Args:
        model: The model to train, with a head for its labels.
        tokenizer: Its tokenizer.
        texts: A sample of the texts, the more the closer; beyond `BATCHES_PER_CHUNK` batches they add nothing.
        plan: The run.
        pairs: Their second texts, where rows are pairs.
        budget_seconds: About how long to time training steps, after one that is not timed. One is timed in any
            case.
    """
    use_accelerator(model)
    model.train()
    device = model.device
    encoded = tokenizer(
        list(texts), None if pairs is None else list(pairs), truncation=True, max_length=plan.max_length
    )
    lengths = np.array([len(ids) for ids in encoded["input_ids"]])
    probe = _Probe(model, tokenizer, {name: encoded[name] for name in tokenizer.model_input_names}, device)
    longest = np.argsort(lengths, kind="stable")[-_LONGEST_ROWS:].tolist()
    row_bytes = probe.activation_bytes(longest) / len(longest)
    weights = sum(parameter.nbytes for parameter in model.parameters())
    trained = sum(parameter.nbytes for parameter in model.parameters() if parameter.requires_grad)
    available = _available_bytes(device)
    rows = plan.batch_size if available is None else _rows_that_fit(available - weights - 3 * trained, row_bytes)
    batches = draw_batches(lengths, plan, rows)
    training = time_batches(batches, lengths, _timed(probe.train, device), budget_seconds)
    evaluation = time_batches(batches, lengths, _timed(probe.evaluate, device), budget_seconds / 4, warm_up=False)
    tokens = sum(_tokens(lengths, batch) for batch in batches) / sum(map(len, batches))
    train_seconds = plan.trained_rows * tokens * training.token_seconds
    return RunEstimate(
        device=device.type,
        threads=torch.get_num_threads(),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        weight_bytes=weights,
        gradient_bytes=trained,
        optimizer_bytes=2 * trained,
        activation_bytes=int(row_bytes * plan.batch_size),
        available_bytes=available,
        step_seconds=train_seconds / plan.steps,
        steps=plan.steps,
        total_seconds=train_seconds + plan.evaluated_rows * tokens * evaluation.token_seconds,
        timed_rows=training.rows,
    )


def estimate_training(
    source: str, tokenizer: PreTrainedTokenizerBase, dataset: Dataset, plan: RunPlan, budget_seconds: float = 5.0
) -> RunEstimate:
    """Estimates a run from the model it starts from and its rows, as `kobert-emotion doctor` does.

    Args:
        source: "default", a Hub id or a folder.
        tokenizer: The model's.
        dataset: All rows, with `text`, `label` and maybe `text_pair`.
        plan: The run.
        budget_seconds: See `estimate_run`.
    """
    rows = BATCHES_PER_CHUNK * plan.batch_size  # among so many the trainer looks for texts of similar length
    sample = dataset.select(range(0, len(dataset), -(-len(dataset) // rows)))
    network = start_model(source, class_names(dataset) or [], 0.5, tokenizer, task_for(dataset))
    pairs = sample[TEXT_PAIR_COLUMN][:] if TEXT_PAIR_COLUMN in sample.column_names else None
    return estimate_run(network, tokenizer, sample[TEXT_COLUMN][:], plan, pairs, budget_seconds)


def draw_batches(lengths: NDArray[np.integer], plan: RunPlan, most_rows: int) -> list[list[int]]:
    """Returns batches of row numbers as the trainer draws them, from those of middling length to the extremes.

    Args:
        lengths: Tokens of each row of the sample.
        plan: The run, whose folds may have fewer rows than the sample.
        most_rows: Rows of a batch at the most, where the plan's are too many for the memory.
    """
    sample = np.linspace(0, len(lengths) - 1, min(len(lengths), max(1, plan.train_rows))).astype(int)
    size = min(plan.batch_size, most_rows)
    order = sample[list(LengthGroupedSampler(lengths[sample], size, seed=0))]
    batches = [order[start : start + size].tolist() for start in range(0, len(order), size)]
    batches.sort(key=lambda batch: _tokens(lengths, batch))
    middle = (len(batches) - 1) / 2
    return [batches[number] for number in sorted(range(len(batches)), key=lambda number: abs(number - middle))]


@dataclass(frozen=True)
class Pace:
    """How fast batches were.

    Attributes:
        token_seconds: Seconds a token, padding included.
        rows: Rows that were timed.
    """

    token_seconds: float
    rows: int


def time_batches(
    batches: Sequence[Sequence[int]],
    lengths: NDArray[np.integer],
    seconds_of: Callable[[Sequence[int]], float],
    budget_seconds: float,
    warm_up: bool = True,
) -> Pace:
    """Runs batches in turn until the budget is spent, and at least one.

    Args:
        batches: Row numbers of each batch; they are begun anew when they have all been run.
        lengths: Tokens of each row.
        seconds_of: Runs a batch and returns the seconds it took.
        budget_seconds: When to stop.
        warm_up: Whether to run the first once before, untimed: it makes the gradients and the optimizer's moments, and
            finds its memory and kernels.
    """
    if warm_up:
        seconds_of(batches[0])
    seconds, tokens, rows, shown = 0.0, 0, 0, 0
    most = math.ceil(budget_seconds)
    with progress(Wording("걸리는 시간 재기", "timing steps"), most, Wording("초", "seconds")) as advance:
        for step, batch in enumerate(itertools.cycle(batches)):
            if step and (seconds >= budget_seconds or step >= _MOST_STEPS):
                break
            seconds += seconds_of(batch)
            tokens += _tokens(lengths, batch)
            rows += len(batch)
            advance(min(int(seconds), most) - shown)
            shown = min(int(seconds), most)
    return Pace(seconds / tokens, rows)


def _tokens(lengths: NDArray[np.integer], batch: Sequence[int]) -> int:
    """Returns the tokens of a batch, padding included."""
    return int(lengths[list(batch)].max()) * len(batch)


def _timed(run: Callable[[Sequence[int]], None], device: torch.device) -> Callable[[Sequence[int]], float]:
    """Returns `run` as a function that returns the seconds it took, the work of the device included."""

    def seconds_of(batch: Sequence[int]) -> float:
        start = time.perf_counter()
        run(batch)
        if device.type != "cpu":
            torch.accelerator.synchronize(device)
        return time.perf_counter() - start

    return seconds_of


def _rows_that_fit(free_bytes: float, row_bytes: float) -> int:
    """Returns how many rows to train on at once in so much memory, with a reserve for everything else."""
    return max(1, int(_SHARE_OF_MEMORY * free_bytes / max(row_bytes, 1)))


class _Probe:
    """A training step, and what it keeps in memory, on rows given by their indices."""

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
        self._optimizer = torch.optim.AdamW(model.parameters(), lr=1e-9, fused=True)

    def train(self, rows: Sequence[int]) -> None:
        """Does what the trainer does in a step."""
        self._loss(self._batch(rows)).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad()

    def evaluate(self, rows: Sequence[int]) -> None:
        """Computes the loss without gradients."""
        with torch.no_grad():
            self._loss(self._batch(rows))

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
        criterion = criterion_of(self._model.config)
        loss: Tensor = criterion(logits, criterion.neutral_target(logits))
        return loss


def _available_bytes(device: torch.device) -> int | None:
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None
