"""The seven emotions of KOTE and GoEmotions-Korean: rows, the loss on them, and what a network makes of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from joblib import Parallel, delayed
from torch import Tensor
from torch.nn import functional

from default_model import corpora
from default_model.batches import Batch, Encoder, batches, mask_tokens
from default_model.emoji import with_emoji
from default_model.network import MultiTaskNetwork, default_config
from default_model.prediction import predict_logits
from default_model.settings import Settings
from default_model.stage import Stage

HELD_OUT_KOTE = 500
LABEL_SETS = {"kote": 8, "goemotions": 3}
"""Label sets and what brings a sum over their labels to the size of one cross-entropy."""


@dataclass(frozen=True)
class EmotionParts:
    """Rows of the last stage and the rows held out from it."""

    kote: corpora.EmotionData
    goemotions: corpora.EmotionData
    kote_held_out: corpora.EmotionData
    goemotions_held_out: corpora.EmotionData


def emotion_parts(data_dir: Path, held_out: frozenset[str], settings: Settings) -> EmotionParts:
    """Splits KOTE's val by a pinned seed; GoEmotions has a dev part of its own."""
    kote = corpora.kote_data(data_dir, "val", held_out)
    order = np.random.default_rng(settings.seed).permutation(len(kote.texts))
    dev = corpora.goemotions_data(data_dir, "dev", held_out)
    dev_keys = {corpora.text_key(text) for text in dev.texts}
    return EmotionParts(
        kote.select(order[HELD_OUT_KOTE:]),
        corpora.goemotions_data(data_dir, "train", held_out | dev_keys),
        kote.select(order[:HELD_OUT_KOTE]),
        dev.select(np.arange(2 * HELD_OUT_KOTE)),
    )


def balancing_weights(targets: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Returns a weight for each class of targets of shape (rows, classes): the root of how rare it is."""
    frequency = targets.mean(axis=0)
    weights: npt.NDArray[np.float64] = (frequency.mean() / frequency) ** 0.5
    return weights


class EmotionTask:
    """The emotion rows as one training set: noisy batches with some emoji, and the loss of a network's heads on them.

    Args:
        parts: The rows.
        answers: A teacher's probabilities for the heads "emotion", "kote" and "goemotions", rows of KOTE first; they
            take `emotion_teacher_share` of the targets.
        encoder: Turns the rows into ids, with noise that differs from epoch to epoch.
        settings: Settings of the run.
    """

    def __init__(self, parts: EmotionParts, answers: dict[str, Tensor], encoder: Encoder, settings: Settings) -> None:
        kote_rows = len(parts.kote.texts)
        repeats = np.tile(np.arange(kote_rows), settings.kote_repeats)
        rows = np.concatenate([repeats, kote_rows + np.arange(len(parts.goemotions.texts))])
        kote = parts.kote.select(repeats)
        self.texts = kote.texts + parts.goemotions.texts
        own = np.concatenate([kote.targets, parts.goemotions.targets])
        self.dominant = corpora.dominant_emotions(own)
        taught = {name: value.float().numpy()[rows] for name, value in answers.items()}
        share = settings.emotion_teacher_share
        self.targets = ((1 - share) * own * balancing_weights(own) + share * taught["emotion"]).astype(np.float32)
        labels = {"kote": kote.labels, "goemotions": parts.goemotions.labels}
        taught["kote"], taught["goemotions"] = taught["kote"][: len(repeats)], taught["goemotions"][len(repeats) :]
        self.labels = {name: (1 - share) * value + share * taught[name] for name, value in labels.items()}
        self.encoder, self.settings = encoder, settings

    def batches(self, epoch: int, size: int) -> Iterator[Batch]:
        """Yields the batches of an epoch."""
        seed = self.settings.seed + epoch
        texts = with_emoji(self.texts, self.dominant, self.settings.emoji_share, seed)
        rows = self.encoder.noisy(texts, self.settings.packed_tokens, self.settings, seed)
        return batches(rows, size, seed)

    def loss(self, network: MultiTaskNetwork, ids: Tensor, rows: npt.NDArray[np.int64]) -> Tensor:
        """Returns the loss of the seven emotions with balanced classes, plus that of the data sets' own labels."""
        pooled = network(ids)
        target = torch.from_numpy(self.targets[rows]).to(pooled)
        total = -(target * network.classifier.classifier(pooled).log_softmax(dim=-1)).sum(dim=-1).mean()
        first = 0
        for name, labels in self.labels.items():
            chosen = (first <= rows) & (rows < first + len(labels))
            if chosen.any():
                scores = network.heads[name](pooled[torch.from_numpy(chosen).to(pooled.device)])
                wanted = torch.from_numpy(labels[rows[chosen] - first]).to(pooled)
                each = functional.binary_cross_entropy_with_logits(scores, wanted, reduction="sum")
                total = total + self.settings.auxiliary_weight * each / LABEL_SETS[name] / len(rows)
            first += len(labels)
        return total


@dataclass(frozen=True)
class EmotionRuns:
    """The runs of the last stage, each from the same weights, in processes of their own side by side.

    One run decides cases near a boundary by chance; the average of the weights of several, and of those before, does so
    less (Wortsman et al., 2022, "Model soups" and "Robust fine-tuning of zero-shot models").

    Attributes:
        task: Rows and loss.
        parts: Where the rows held out are.
        start: State of the network that every run starts from.
        in_bfloat16: Whether to train in bfloat16.
        device: Where to train.
        work: Folder for checkpoints.
    """

    task: EmotionTask
    parts: EmotionParts
    start: dict[str, Tensor]
    in_bfloat16: bool
    device: str
    work: Path

    def train(self, network: MultiTaskNetwork) -> dict[str, Any]:
        """Does all runs and puts the average of their weights into `network`, and `emotion_start_share` of the start's.

        Returns:
            The record of each run, and figures of the average on the rows held out.
        """
        settings = self.task.settings
        jobs = min(settings.emotion_runs, os.cpu_count() or 1)
        records = Parallel(n_jobs=jobs)(delayed(self.run)(index) for index in range(settings.emotion_runs))
        files = [self.work / f"emotions_{index}.pt" for index in range(settings.emotion_runs)]
        states = [torch.load(file, weights_only=True, map_location=network.device)["network"] for file in files]
        share = settings.emotion_start_share
        for name, value in network.state_dict().items():
            average = torch.stack([state[name] for state in states]).mean(dim=0)
            value.copy_(average.lerp(self.start[name].to(average), share))
        return {"runs": records, **held_out_figures(network, self.parts, self.task.encoder, settings)}

    def run(self, index: int) -> dict[str, Any]:
        """Trains the whole encoder on the rows of the task once; reports on the rows held out."""
        settings, task = self.task.settings, self.task
        network = MultiTaskNetwork(default_config(settings.hidden_size, settings.layers), self.in_bfloat16)
        network.load_state_dict(self.start)
        network.to(self.device)
        network.set_dropout(settings.emotion_dropout)

        def loss(batch: Batch, generator: torch.Generator) -> Tensor:
            ids, _ = mask_tokens(batch.ids, settings.emotion_mask_share, generator)
            return task.loss(network, ids, batch.rows)

        stage = Stage(
            f"emotions_{index}",
            network,
            settings,
            self.work,
            steps=settings.emotion_steps,
            learning_rate=settings.emotion_learning_rate,
        )
        return stage.run(
            lambda epoch: task.batches(1000 * index + epoch, settings.emotion_batch),
            loss,
            lambda: held_out_figures(network, self.parts, task.encoder, settings),
        )


def held_out_figures(
    network: MultiTaskNetwork, parts: EmotionParts, encoder: Encoder, settings: Settings
) -> dict[str, float]:
    """Returns macro-F1 on the rows held out from both emotion data sets."""
    from sklearn.metrics import f1_score

    figures = {}
    for name, data in (("kote", parts.kote_held_out), ("goemotions", parts.goemotions_held_out)):
        gold = corpora.dominant_emotions(data.targets)
        guesses = predict_logits(network.classifier, encoder, data.texts, settings.packed_tokens).argmax(dim=-1).numpy()
        kept = gold >= 0
        figures[f"{name}_macro_f1"] = round(float(f1_score(gold[kept], guesses[kept], average="macro")), 4)
    return figures


def fit_temperature(logits: Tensor, gold: Tensor, row_weights: Tensor) -> float:
    """Returns the temperature with the lowest weighted negative log-likelihood, found on a fine grid."""
    grid = torch.exp(torch.linspace(np.log(0.25), np.log(4.0), 401))
    losses = [float((functional.cross_entropy(logits / t, gold, reduction="none") * row_weights).sum()) for t in grid]
    return float(grid[int(np.argmin(losses))])


def calibrate(network: MultiTaskNetwork, parts: EmotionParts, encoder: Encoder, settings: Settings) -> float:
    """Fits a temperature on the held-out rows, both data sets weighing the same, and folds it into the head."""
    logits, gold, row_weights = [], [], []
    for data in (parts.kote_held_out, parts.goemotions_held_out):
        dominant = torch.from_numpy(corpora.dominant_emotions(data.targets))
        kept = dominant >= 0
        logits.append(predict_logits(network.classifier, encoder, data.texts, settings.packed_tokens)[kept])
        gold.append(dominant[kept])
        row_weights.append(torch.full((int(kept.sum()),), 1 / float(kept.sum())))
    temperature = fit_temperature(torch.cat(logits), torch.cat(gold), torch.cat(row_weights))
    divide_logits(network, temperature)
    return temperature


@torch.no_grad()
def divide_logits(network: MultiTaskNetwork, temperature: float) -> None:
    """Folds a temperature into the head."""
    head = network.classifier.classifier
    head.weight /= temperature
    head.bias /= temperature
