"""The whole k-fold job, from texts to saved folds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import datasets
import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import nn

from kobert_hf_emotion.kernels import onednn
from kobert_hf_emotion.kernels.training import CPUKernels
from kobert_hf_emotion.runs.cross_validation import cross_validate
from kobert_hf_emotion.splits.folds import fold_indices
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer
from kobert_hf_emotion.training.arguments import EmotionTrainingArguments
from kobert_hf_emotion.training.sampling import LengthGroupedSampler

from .baselines import NotebookLoop, Settings, Shard, hf_trainer_fold
from .models import MAX_LENGTH, model_flops, save_model, widths
from .report import OURS, Disagreement, Report
from .texts import Texts
from .timing import interleave

Curves = list[tuple[float, float]]
"""Training and validation loss, one pair for each fold and epoch."""
MIN_P = 0.01
"""Loss curves count as different where a t-test says so at this level."""


class KFoldJobs:
    """The same folds trained in the three ways, each from the texts to the saved model."""

    def __init__(self, texts: Texts, size: str, n_splits: int, settings: Settings, folder: Path) -> None:
        self.texts, self.n_splits, self.settings, self.folder = texts, n_splits, settings, folder
        self.tokenizer = KoBERTTokenizer.from_pretrained("default", model_max_length=MAX_LENGTH)
        self.model_folder = save_model(size, texts.label_names, self.tokenizer, folder / "model")
        self.runs = 0

    def _new_folder(self) -> Path:
        self.runs += 1
        return self.folder / f"run_{self.runs}"

    def _shards(self) -> list[tuple[Shard, Shard]]:
        folds = fold_indices(self.texts.labels, self.n_splits, self.settings.seed)
        return [tuple(self._shard(rows) for rows in fold) for fold in folds]  # type: ignore[misc]

    def _shard(self, rows: NDArray[np.int64]) -> Shard:
        return Shard([self.texts.texts[i] for i in rows], [self.texts.labels[i] for i in rows])

    def notebook(self, seed: int) -> Curves:
        """Trains as the notebook does."""
        settings = with_seed(self.settings, seed)
        curves: Curves = []
        for train, validation in self._shards():
            path = self._new_folder()
            path.mkdir()
            loop = NotebookLoop(self.model_folder, self.tokenizer, len(self.texts.label_names), settings)
            curves.extend(loop.fit(train, validation, path))
        return curves

    def hf_trainer(self, seed: int) -> Curves:
        """Trains with Hugging Face's Trainer."""
        settings = with_seed(self.settings, seed)
        curves: Curves = []
        for train, validation in self._shards():
            curves.extend(hf_trainer_fold(self.model_folder, train, validation, self._new_folder(), settings))
        return curves

    def ours(self, seed: int) -> Curves:
        """Trains with `cross_validate`."""
        rows = dataset_of(self.texts)
        args = emotion_arguments(with_seed(self.settings, seed))
        result = cross_validate(rows, self._new_folder(), os.fspath(self.model_folder), args, n_splits=self.n_splits)
        return [(record.train_loss, record.val_loss) for fold in result.folds for record in fold.history]


def dataset_of(texts: Texts) -> datasets.Dataset:
    """Returns the rows as `cross_validate` and `EmotionTrainer` take them."""
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=texts.label_names)}
    )
    return datasets.Dataset.from_dict({"text": texts.texts, "label": texts.labels}, features=features)


def emotion_arguments(settings: Settings) -> EmotionTrainingArguments:
    """Returns our training arguments for the settings."""
    return EmotionTrainingArguments(
        num_train_epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=settings.batch_size,
        max_length=settings.max_length,
        seed=settings.seed,
        report_to="none",
        disable_tqdm=True,
        use_cpu=settings.device == "cpu",
        bf16=settings.bf16,
    )


def measure(texts: Texts, size: str, n_splits: int, settings: Settings, repeats: int) -> Report:
    """Times the k-fold job in three ways, with another seed in every round.

    Raises:
        Disagreement: The losses of the last epochs, means over the folds, differ by more than the seeds explain
            (Welch's t-test between ours and the notebook's, p below 0.01).
    """
    curves: dict[str, list[Curves]] = {}

    with TemporaryDirectory() as folder:
        jobs = KFoldJobs(texts, size, n_splits, settings, Path(folder))
        warm = KFoldJobs(_part(texts, 4 * n_splits), "tiny", n_splits, settings, Path(folder) / "warm")
        for job in (warm.ours, warm.notebook, warm.hf_trainer):
            job(0)
        ways = {OURS: jobs.ours, "notebook's loop": jobs.notebook, "HF Trainer": jobs.hf_trainer}

        def run(name: str) -> Callable[[], None]:
            return lambda: curves.setdefault(name, []).append(ways[name](len(curves.get(name, []))))

        timings = interleave({name: run(name) for name in ways}, repeats)
        lengths = token_counts(texts, jobs.tokenizer)
    checks = _compare(curves, settings.epochs)
    train = lengths[fold_indices(np.arange(len(lengths)) % 2, n_splits, 0)[0][0]]
    # Backward is twice forward; each row is validated after every epoch of its fold.
    flops = model_flops(size, lengths) * (3 * (n_splits - 1) + 1) * settings.epochs
    return Report(
        title=f"{n_splits}-fold training, {settings.epochs} epoch(s), {len(texts.texts):,} texts of {texts.name}, "
        f"{size}, {settings.device}{', bf16' if settings.bf16 else ''}",
        checks=checks,
        timings=timings,
        items=len(texts.texts) * (n_splits - 1) * settings.epochs,
        facts={
            "tokens a text": float(lengths.mean()),
            **facts(train, flops / timings[OURS].median, size, settings),
        },
    )


def _part(texts: Texts, count: int) -> Texts:
    """Returns `count` rows with as many of each of two classes, enough for a run that only warms up."""
    labels = [index % 2 for index in range(count)]
    return Texts(texts.name, texts.texts[:count], labels, texts.label_names[:2])


def with_seed(settings: Settings, seed: int) -> Settings:
    """Returns the settings with another seed."""
    return Settings(**{**vars(settings), "seed": seed})


def _compare(curves: dict[str, list[Curves]], epochs: int) -> dict[str, str]:
    """Compares the training and validation losses of the last epochs."""
    checks = {}
    for column, name in enumerate(("training loss", "validation loss")):
        last = {
            way: [float(np.mean([fold[column] for fold in run[epochs - 1 :: epochs]])) for run in runs]
            for way, runs in curves.items()
        }
        if len(last[OURS]) > 1:
            p = float(stats.ttest_ind(last[OURS], last["notebook's loop"], equal_var=False).pvalue)
            if p < MIN_P:
                raise Disagreement(f"{name} of the last epoch differs: {last}, p = {p:.3g}")
            checks[f"p of equal {name}"] = f"{p:.2f}"
        means = (f"{way} {np.mean(losses):.4f} ± {np.std(losses):.4f}" for way, losses in last.items())
        checks[f"{name}, last epoch"] = ", ".join(means)
    return checks


def token_counts(texts: Texts, tokenizer: KoBERTTokenizer) -> NDArray[np.int64]:
    """Returns the tokens of each text."""
    return np.array([len(row) for row in tokenizer(texts.texts, truncation=True, max_length=MAX_LENGTH)["input_ids"]])


def facts(lengths: NDArray[np.int64], rate: float, size: str, settings: Settings) -> dict[str, float]:
    """Returns what of a training is arithmetic that the model needs.

    Args:
        lengths: Tokens of each training row.
        rate: Multiplications and additions of the model a second, padding not counted.
        size: A name in `SIZES`.
        settings: The hyper-parameters.
    """
    order = np.array(list(LengthGroupedSampler(lengths, settings.batch_size, settings.seed)))
    batches = [lengths[order[i : i + settings.batch_size]] for i in range(0, len(order), settings.batch_size)]
    padded = sum(int(batch.max()) * len(batch) for batch in batches)
    tokens = int(lengths.mean()) * settings.batch_size
    bare = _gemm_flops(size, tokens, settings)
    found = {
        "useful share of 64 columns": float(lengths.mean() / MAX_LENGTH),
        "useful share of our batches": float(lengths.sum() / padded),
        "model GFLOP/s, end to end": rate / 1e9,
        "GFLOP/s of the layer's matrix products alone": bare / 1e9,
        "share": rate / bare,
    }
    if settings.device == "cpu" and not settings.bf16 and onednn.is_available():
        with CPUKernels():
            bare = _gemm_flops(size, tokens, settings)
        found |= {"GFLOP/s of the same products by oneDNN": bare / 1e9, "share of that": rate / bare}
    return found


def _gemm_flops(size: str, tokens: int, settings: Settings, runs: int = 30) -> float:
    """Returns the rate of the layer's largest products, forward and backward, with nothing around them.

    They are computed as torch does, or as whatever stands for its functions does.
    """
    hidden, inner = widths(size)
    dtype = torch.bfloat16 if settings.bf16 else torch.float32
    layers = nn.ModuleList([nn.Linear(hidden, inner), nn.Linear(inner, hidden)]).to(settings.device, dtype)
    inputs = [
        torch.randn(tokens, width, device=settings.device, dtype=dtype, requires_grad=True) for width in (hidden, inner)
    ]
    gradients = [torch.randn(tokens, width, device=settings.device, dtype=dtype) for width in (inner, hidden)]
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        for layer, x, gradient in zip(layers, inputs, gradients, strict=True):
            layer(x).backward(gradient)
        if settings.device != "cpu":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return 3 * 2 * 2 * tokens * hidden * inner / float(np.median(seconds))
