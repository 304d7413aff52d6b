"""Trains the default model and writes it as `EmotionClassifier.from_pretrained` reads it.

    python -m training.train_default --data ../shared/data --spiece spiece.model --work work --output out

Stages, each of which writes `work/<stage>.pt` and is skipped when that is there:

1. embeddings: word embeddings from co-occurrence counts (`training.embeddings`);
2. teacher: soft ratings and soft labels of KOTE and GoEmotions for all texts (`training.teacher`);
3. bag: the encoder as a bag of embeddings learns those, a hundred times as fast as its layers could;
4. reviews: all layers learn them too, and the masked tokens of all texts;
5. emotions: the seven emotions of KOTE (val) and GoEmotions-Korean (train), with their own labels beside;
6. export: a temperature fitted on held-out rows goes into the classifier, then float16 on disk.

An interrupted stage goes on from `work/<stage>.partial.pt`. Test rows are in no stage: see `training.corpora`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sentencepiece
import torch
from joblib import Parallel, delayed
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from kobert_hf_emotion.labels import EMOTION_LABELS
from training import corpora
from training.embeddings import ppmi_embeddings
from training.network import BagOfEmbeddings, MovingAverage, MultiTaskNetwork, default_config, start_as_bag
from training.teacher import soft_labels, soft_ratings

VOCAB_SIZE = 8002
PAD, CLS, SEP, MASK, FIRST_ORDINARY = 1, 2, 3, 4, 5
CHECKPOINT_SECONDS = 150.0
LOG_STEPS = 50
HELD_OUT_KOTE = 500
TEACHER_HEADS = {"kote": 8, "goemotions": 3}
"""Label sets and what brings a sum over their labels to the size of one cross-entropy."""
Ids = list[int]


@dataclass(frozen=True)
class Settings:
    """What decides the result beside the data; part of the record."""

    seed: int = 20261122
    layers: int = 4
    hidden_size: int = 256
    bag_steps: int = 1200
    bag_batch: int = 256
    bag_learning_rate: float = 1e-3
    bag_mask_share: float = 0.2
    bag_dropout: float = 0.3
    review_steps: int = 6300
    review_batch: int = 128
    review_tokens: int = 64
    review_learning_rate: float = 8e-4
    review_mask_share: float = 0.15
    reviews_a_rating: int = 120_000
    review_dropout: float = 0.0
    emotion_steps: int = 2000
    emotion_batch: int = 64
    emotion_tokens: int = 128
    emotion_learning_rate: float = 3e-4
    emotion_dropout: float = 0.1
    kote_repeats: int = 6
    mask_share: float = 0.1
    mlm_weight: float = 0.3
    auxiliary_weight: float = 1.0
    no_space_share: float = 0.1
    sampled_share: float = 0.5
    average_decay: float = 0.995
    warmup_share: float = 0.06
    weight_decay: float = 0.01


@dataclass(frozen=True)
class Batch:
    """Ids padded to the longest row, and the row numbers they come from."""

    ids: Tensor
    rows: npt.NDArray[np.int64]


class Encoder:
    """Texts to ids in KoBERT's form: [CLS] pieces [SEP]."""

    def __init__(self, model: Path) -> None:
        self.processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
        self.sha256 = hashlib.sha256(model.read_bytes()).hexdigest()

    def __call__(self, texts: list[str], max_tokens: int) -> list[Ids]:
        """Encodes `texts`, cut to `max_tokens` with the special tokens."""
        pieces = self.processor.encode(texts, out_type=int, num_threads=2)
        return [[CLS, *row[: max_tokens - 2], SEP] for row in pieces]

    def noisy(self, texts: list[str], max_tokens: int, settings: Settings, seed: int) -> list[Ids]:
        """Encodes `texts` with segmentations drawn at random and some texts without their spaces."""
        rng = np.random.default_rng(seed)
        sentencepiece.set_random_generator_seed(seed % 2**32)
        spaces = rng.random(len(texts)) < settings.no_space_share
        sampled = rng.random(len(texts)) < settings.sampled_share
        rows = []
        for text, drop, sample in zip(texts, spaces, sampled, strict=True):
            kept = text.replace(" ", "") if drop else text
            pieces = self.processor.encode(kept, enable_sampling=bool(sample), alpha=0.2, nbest_size=-1)
            rows.append([CLS, *pieces[: max_tokens - 2], SEP])
        return rows


def batches(rows: list[Ids], size: int, seed: int) -> Iterator[Batch]:
    """Yields one epoch of batches of rows of similar length, in random order."""
    rng = np.random.default_rng(seed)
    lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
    order = rng.permutation(len(rows))
    pools = [order[i : i + 64 * size] for i in range(0, len(order), 64 * size)]
    chosen: list[npt.NDArray[np.int64]] = []
    for pool in pools:
        by_length = pool[np.argsort(lengths[pool], kind="stable")]
        chosen.extend(by_length[i : i + size] for i in range(0, len(by_length), size))
    for index in rng.permutation(len(chosen)):
        numbers = chosen[index]
        yield Batch(pad([rows[i] for i in numbers]), numbers)


def pad(rows: list[Ids]) -> Tensor:
    """Returns `rows` as one tensor, padded with [PAD] to the longest."""
    longest = max(map(len, rows))
    return torch.tensor([row + [PAD] * (longest - len(row)) for row in rows])


def mask_tokens(ids: Tensor, share: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Replaces a share of the ordinary tokens by [MASK]; returns the new ids and where they differ."""
    hidden = (torch.rand(ids.shape, generator=generator) < share) & (ids >= FIRST_ORDINARY)
    return ids.masked_fill(hidden, MASK), hidden


class Stage:
    """A training loop that can be interrupted: steps, learning rate, averaging, log, checkpoints.

    Args:
        name: Name of the files in `work`.
        network: What is trained; it starts as it is and ends with the averaged weights.
        settings: Settings of the run.
        work: Folder for checkpoints.
        steps: Number of updates.
        learning_rate: Peak of the schedule (warm-up, then cosine to 0).
    """

    def __init__(
        self, name: str, network: MultiTaskNetwork, settings: Settings, work: Path, *, steps: int, learning_rate: float
    ) -> None:
        self.name, self.network, self.settings, self.steps = name, network, settings, steps
        self.done_file, self.partial_file = work / f"{name}.pt", work / f"{name}.partial.pt"
        decayed = [p for p in network.parameters() if p.ndim > 1]
        others = [p for p in network.parameters() if p.ndim <= 1]
        groups = [
            {"params": decayed, "weight_decay": settings.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.98), fused=True)
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, self._rate)
        self.average = MovingAverage(network, settings.average_decay)
        self.step, self.seconds, self.log = 0, 0.0, []  # type: int, float, list[dict[str, float]]

    def _rate(self, step: int) -> float:
        warmup = max(1, int(self.steps * self.settings.warmup_share))
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + float(np.cos(np.pi * min(1.0, (step - warmup) / max(1, self.steps - warmup)))))

    def run(
        self,
        epoch_batches: Callable[[int], Iterator[Batch]],
        loss: Callable[[Batch, torch.Generator], Tensor],
        report: Callable[[], dict[str, float]] | None = None,
    ) -> dict[str, Any]:
        """Trains to the end, or returns at once where the stage is done.

        Args:
            epoch_batches: Gives the batches of an epoch; the same number gives the same batches.
            loss: Loss of a batch; all its randomness comes from the generator and torch's own.
            report: Figures on held-out rows, for the log, with the averaged weights in place.

        Returns:
            Steps, seconds and log of the stage.
        """
        if self.done_file.exists():
            state = torch.load(self.done_file, weights_only=True)
            self.network.load_state_dict(state["network"])
            record: dict[str, Any] = state["record"]
            return record
        self._resume()
        started, saved, running = time.monotonic() - self.seconds, time.monotonic(), []
        self.network.train()
        position = 0
        for epoch in range(1_000_000):
            for batch in epoch_batches(epoch):
                position += 1
                if position <= self.step:
                    continue
                running.append(self._update(batch, loss))
                self.seconds = time.monotonic() - started
                if self.step % LOG_STEPS == 0:
                    self._note({"loss": float(np.mean(running))})
                    running = []
                if time.monotonic() - saved > CHECKPOINT_SECONDS:
                    self._save_partial()
                    saved = time.monotonic()
                if self.step >= self.steps:
                    return self._finish(report)
        raise AssertionError("unreachable")

    def _update(self, batch: Batch, loss: Callable[[Batch, torch.Generator], Tensor]) -> float:
        torch.manual_seed(self.settings.seed + self.step)
        generator = torch.Generator().manual_seed(self.settings.seed + self.step)
        value = loss(batch, generator)
        self.optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.scheduler.step()
        self.average.update(self.network)
        self.step += 1
        return float(value.detach())

    def _note(self, figures: dict[str, float]) -> None:
        entry = {"step": self.step, "seconds": round(self.seconds, 1), **figures}
        self.log.append(entry)
        print(self.name, json.dumps(entry), flush=True)

    def _save_partial(self) -> None:
        state = {
            "network": self.network.state_dict(),
            "average": self.average.average,
            "updates": self.average.updates,
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "log": self.log,
        }
        save_atomically(state, self.partial_file)

    def _resume(self) -> None:
        if not self.partial_file.exists():
            return
        state = torch.load(self.partial_file, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.average, self.average.updates = state["average"], state["updates"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.step, self.seconds, self.log = state["step"], state["seconds"], state["log"]

    def _finish(self, report: Callable[[], dict[str, float]] | None) -> dict[str, Any]:
        self.network.load_state_dict(self.average.average)
        if report is not None:
            self._note(report())
        record = {"steps": self.step, "seconds": round(self.seconds, 1), "log": self.log}
        save_atomically({"network": self.network.state_dict(), "record": record}, self.done_file)
        self.partial_file.unlink(missing_ok=True)
        return record


def save_atomically(state: dict[str, Any], path: Path) -> None:
    """Writes with `torch.save` so that `path` is either the old file or the whole new one."""
    partial = path.with_name(path.name + ".tmp")
    torch.save(state, partial)
    os.replace(partial, path)


def distinct_reviews(data_dir: Path, held_out: frozenset[str], seed: int) -> list[corpora.Review]:
    """Returns NSMC's other reviews in random order, each text once, without the test parts' texts."""
    reviews = corpora.without(corpora.read_reviews(data_dir / "nsmc/reviews_rest.tsv.xz"), held_out)
    distinct = list({corpora.text_key(row.text): row for row in reviews}.values())
    return [distinct[index] for index in np.random.default_rng(seed).permutation(len(distinct))]


def balanced(reviews: list[corpora.Review], limit: int) -> list[corpora.Review]:
    """Returns the first `limit` reviews of each rating: almost half of NSMC's are tens."""
    left = dict.fromkeys(range(1, 11), limit)
    chosen = []
    for row in reviews:
        if left[row.rating] > 0:
            left[row.rating] -= 1
            chosen.append(row)
    return chosen


def compute_embeddings(rows: list[Ids], settings: Settings, work: Path) -> None:
    """Writes the co-occurrence vectors of the tokens in `rows`."""
    started = time.monotonic()
    ordinary = [row[1:-1] for row in rows]
    vectors = ppmi_embeddings(ordinary, VOCAB_SIZE, settings.hidden_size, seed=settings.seed)
    record = {"rows": len(rows), "seconds": round(time.monotonic() - started, 1)}
    save_atomically({"vectors": torch.from_numpy(vectors), "record": record}, work / "embeddings.pt")


def load_embeddings(network: MultiTaskNetwork, work: Path) -> dict[str, Any]:
    """Puts the co-occurrence vectors in place of the random word embeddings, special tokens excepted."""
    state = torch.load(work / "embeddings.pt", weights_only=True)
    vectors, record = state["vectors"], dict(state["record"])
    with torch.no_grad():
        network.classifier.bert.embeddings.word_embeddings.weight[FIRST_ORDINARY:] = vectors[FIRST_ORDINARY:]
    return record


def smoothed_ratings() -> Tensor:
    """Returns the target distribution of each rating, spread over its neighbours, shape (10, 10)."""
    values = np.arange(1, 11)
    kernel = np.exp(-0.5 * ((values[None, :] - values[:, None]) / 0.8) ** 2)
    return torch.from_numpy((kernel / kernel.sum(axis=1, keepdims=True)).astype(np.float32))


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


@dataclass(frozen=True)
class Pool:
    """All texts that the encoder is pre-trained on: rated reviews first, then the rows of KOTE and GoEmotions."""

    reviews: list[str]
    ratings: npt.NDArray[np.int64]
    parts: EmotionParts

    @property
    def texts(self) -> list[str]:
        """The texts in their order."""
        return self.reviews + self.parts.kote.texts + self.parts.goemotions.texts


def teach(pool: Pool, settings: Settings, work: Path) -> dict[str, Any]:
    """Returns targets for each text of `pool`, float16, by head; computes them where `work` has none.

    The target of "rating" is, for a review, half its own rating, smoothed, and half the soft one.

    Args:
        pool: The texts.
        settings: Settings of the run.
        work: Folder for the result.
    """
    file = work / "teacher.pt"
    if not file.exists():
        started = time.monotonic()
        kote, goemotions = pool.parts.kote, pool.parts.goemotions
        emotion_texts = kote.texts + goemotions.texts
        # The order of `soft_labels` is others first, then its own texts.
        ratings, from_kote, from_goemotions = Parallel(n_jobs=os.cpu_count())(
            [
                delayed(soft_ratings)(pool.reviews, pool.ratings, emotion_texts, settings.seed),
                delayed(soft_labels)(kote.texts, kote.labels, pool.reviews + goemotions.texts, settings.seed),
                delayed(soft_labels)(goemotions.texts, goemotions.labels, pool.reviews + kote.texts, settings.seed),
            ]
        )
        rated, kote_rows = len(pool.reviews), len(kote.texts)
        own = smoothed_ratings().numpy()[pool.ratings - 1]
        ratings[:rated] = (ratings[:rated] + own) / 2
        from_kote = np.concatenate([from_kote[:rated], from_kote[-kote_rows:], from_kote[rated:-kote_rows]])
        targets = {"rating": ratings, "kote": from_kote, "goemotions": from_goemotions}
        state: dict[str, Any] = {name: torch.from_numpy(shares).half() for name, shares in targets.items()}
        state["record"] = {"rows": len(ratings), "seconds": round(time.monotonic() - started, 1)}
        save_atomically(state, file)
    return dict(torch.load(file, weights_only=True))


def taught_loss(
    network: MultiTaskNetwork | BagOfEmbeddings, pooled: Tensor, teacher: dict[str, Tensor], batch: Batch
) -> Tensor:
    """Returns the loss of rating and soft labels, each of the size of one cross-entropy."""
    numbers = torch.from_numpy(batch.rows)
    rating = functional.cross_entropy(network.heads["rating"](pooled), teacher["rating"][numbers].to(pooled))
    total = rating
    for name, scale in TEACHER_HEADS.items():
        shares = teacher[name][numbers].to(pooled)
        each = functional.binary_cross_entropy_with_logits(network.heads[name](pooled), shares, reduction="sum")
        total = total + each / scale / len(numbers)
    return total


def train_bag(
    network: MultiTaskNetwork, rows: list[Ids], teacher: dict[str, Tensor], settings: Settings, work: Path
) -> dict[str, Any]:
    """Trains embeddings, pooler and heads as a bag of embeddings.

    It gets soft labels alone: its embeddings would know the few rows of KOTE by heart before the layers learn.
    """
    bag = BagOfEmbeddings(network, settings.bag_dropout)
    bag.train()

    def loss(batch: Batch, generator: torch.Generator) -> Tensor:
        ids, _ = mask_tokens(batch.ids, settings.bag_mask_share, generator)
        return taught_loss(bag, bag(ids), teacher, batch)

    stage = Stage("bag", network, settings, work, steps=settings.bag_steps, learning_rate=settings.bag_learning_rate)
    return stage.run(lambda epoch: batches(rows, settings.bag_batch, settings.seed + epoch), loss)


def train_reviews(
    network: MultiTaskNetwork, rows: list[Ids], teacher: dict[str, Tensor], settings: Settings, work: Path
) -> dict[str, Any]:
    """Trains all layers on ratings, soft labels and masked tokens."""
    network.set_dropout(settings.review_dropout)

    def loss(batch: Batch, generator: torch.Generator) -> Tensor:
        ids, hidden = mask_tokens(batch.ids, settings.review_mask_share, generator)
        pooled, scores = network.with_masked_tokens(ids, hidden)
        wanted = batch.ids[hidden].to(network.device)
        masked = functional.cross_entropy(scores, wanted)
        return settings.mlm_weight * masked + taught_loss(network, pooled, teacher, batch)

    stage = Stage(
        "reviews", network, settings, work, steps=settings.review_steps, learning_rate=settings.review_learning_rate
    )
    return stage.run(lambda epoch: batches(rows, settings.review_batch, settings.seed + epoch), loss)


class EmotionTask:
    """KOTE and GoEmotions as one training set: noisy batches, and the loss of a network's heads on them.

    Args:
        parts: The rows.
        encoder: Turns them into ids, with noise that differs from epoch to epoch.
        settings: Settings of the run.
    """

    def __init__(self, parts: EmotionParts, encoder: Encoder, settings: Settings) -> None:
        repeats = np.tile(np.arange(len(parts.kote.texts)), settings.kote_repeats)
        self.kote, self.goemotions = parts.kote.select(repeats), parts.goemotions
        self.texts = self.kote.texts + self.goemotions.texts
        self.is_kote = np.arange(len(self.texts)) < len(self.kote.texts)
        self.targets = np.concatenate([self.kote.targets, self.goemotions.targets]).astype(np.float32)
        frequency = self.targets.mean(axis=0)
        self.weights = torch.from_numpy((frequency.mean() / frequency) ** 0.5)
        self.encoder, self.settings = encoder, settings

    def batches(self, epoch: int, size: int) -> Iterator[Batch]:
        """Yields the batches of an epoch."""
        seed = self.settings.seed + epoch
        rows = self.encoder.noisy(self.texts, self.settings.emotion_tokens, self.settings, seed)
        return batches(rows, size, seed)

    def loss(self, network: MultiTaskNetwork, ids: Tensor, rows: npt.NDArray[np.int64]) -> Tensor:
        """Returns the loss of the seven emotions with balanced classes, plus that of the data sets' own labels."""
        pooled = network(ids)
        target = (torch.from_numpy(self.targets[rows]) * self.weights).to(pooled)
        total = -(target * network.emotion_logits(pooled).log_softmax(dim=-1)).sum(dim=-1).mean()
        from_kote = self.is_kote[rows]
        for name, chosen, labels, offset in (
            ("kote", from_kote, self.kote.labels, 0),
            ("goemotions", ~from_kote, self.goemotions.labels, len(self.kote.texts)),
        ):
            if chosen.any():
                scores = network.heads[name](pooled[torch.from_numpy(chosen).to(pooled.device)])
                wanted = torch.from_numpy(labels[rows[chosen] - offset]).to(pooled)
                each = functional.binary_cross_entropy_with_logits(scores, wanted, reduction="sum")
                total = total + self.settings.auxiliary_weight * each / TEACHER_HEADS[name] / len(rows)
        return total


def train_emotions(network: MultiTaskNetwork, parts: EmotionParts, task: EmotionTask, work: Path) -> dict[str, Any]:
    """Trains the whole encoder on both emotion data sets."""
    settings = task.settings
    network.set_dropout(settings.emotion_dropout)

    def loss(batch: Batch, generator: torch.Generator) -> Tensor:
        ids, _ = mask_tokens(batch.ids, settings.mask_share, generator)
        return task.loss(network, ids, batch.rows)

    stage = Stage(
        "emotions", network, settings, work, steps=settings.emotion_steps, learning_rate=settings.emotion_learning_rate
    )
    return stage.run(
        lambda epoch: task.batches(epoch, settings.emotion_batch),
        loss,
        lambda: held_out_figures(network, parts, task.encoder, settings),
    )


@torch.inference_mode()
def emotion_logits(network: MultiTaskNetwork, texts: list[str], encoder: Encoder, max_tokens: int) -> Tensor:
    """Returns the logits of `texts`, shape (texts, 7), without dropout."""
    network.eval()
    rows = encoder(texts, max_tokens)
    order = np.argsort([len(row) for row in rows], kind="stable")
    logits = torch.empty(len(rows), len(EMOTION_LABELS))
    for start in range(0, len(order), 128):
        chosen = order[start : start + 128]
        logits[torch.from_numpy(chosen)] = network.emotion_logits(network(pad([rows[i] for i in chosen]))).cpu()
    network.train()
    return logits


def held_out_figures(
    network: MultiTaskNetwork, parts: EmotionParts, encoder: Encoder, settings: Settings
) -> dict[str, float]:
    """Returns macro-F1 on the rows held out from both emotion data sets."""
    from sklearn.metrics import f1_score

    figures = {}
    for name, data in (("kote", parts.kote_held_out), ("goemotions", parts.goemotions_held_out)):
        gold = corpora.dominant_emotions(data.targets)
        guesses = emotion_logits(network, data.texts, encoder, settings.emotion_tokens).argmax(dim=-1).numpy()
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
        logits.append(emotion_logits(network, data.texts, encoder, settings.emotion_tokens)[kept])
        gold.append(dominant[kept])
        row_weights.append(torch.full((int(kept.sum()),), 1 / float(kept.sum())))
    temperature = fit_temperature(torch.cat(logits), torch.cat(gold), torch.cat(row_weights))
    with torch.no_grad():
        head = network.classifier.classifier
        head.weight /= temperature
        head.bias /= temperature
    return temperature


def export(network: MultiTaskNetwork, encoder: Encoder, record: dict[str, Any], output: Path) -> None:
    """Writes `model.safetensors` (float16), `config.json` and `training_record.json`, each at one stroke."""
    output.mkdir(parents=True, exist_ok=True)
    model = network.classifier
    config = model.config
    config.architectures = ["BertForSequenceClassification"]
    config.tokenizer_sha256 = encoder.sha256
    # The file is float16 to save space; computing in float32 is what plain transformers then does.
    config.dtype = "float32"
    config.name_or_path = ""
    with tempfile.TemporaryDirectory(dir=output) as folder:
        staging = Path(folder)
        weights = {name: value.detach().cpu().half().contiguous() for name, value in model.state_dict().items()}
        save_file(weights, staging / "model.safetensors", metadata={"format": "pt"})
        config.save_pretrained(staging)
        text = json.dumps(record, ensure_ascii=False, indent=1) + "\n"
        (staging / "training_record.json").write_text(text, encoding="utf-8")
        for name in ("config.json", "training_record.json", "model.safetensors"):
            (staging / name).chmod(0o644)
            os.replace(staging / name, output / name)


def environment(bfloat16: bool) -> dict[str, Any]:
    """Returns hardware, precision and versions."""
    names = ("torch", "transformers", "sentencepiece", "numpy", "scipy", "scikit-learn", "safetensors")
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "precision": "bfloat16" if bfloat16 else "float32",
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "versions": {name: version(name) for name in names},
    }


def main() -> None:
    """Runs the stages that are not done yet and exports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with nsmc, kote and goemotions_ko")
    parser.add_argument("--spiece", type=Path, required=True, help="SentencePiece model in KoBERT's layout")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--output", type=Path, required=True, help="folder for the finished model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--float32", action="store_true", help="train in float32 instead of bfloat16")
    for field, default in Settings().__dict__.items():
        parser.add_argument(f"--{field.replace('_', '-')}", type=type(default), default=default)
    arguments = parser.parse_args()
    settings = Settings(**{field: getattr(arguments, field) for field in Settings().__dict__})
    torch.set_num_threads(arguments.threads)
    arguments.work.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()

    encoder = Encoder(arguments.spiece)
    torch.manual_seed(settings.seed)
    network = MultiTaskNetwork(default_config(settings.hidden_size, settings.layers), not arguments.float32)
    held_out = corpora.held_out_keys(arguments.data)
    parts = emotion_parts(arguments.data, held_out, settings)
    record: dict[str, Any] = {
        "data_sha256": corpora.file_hashes(arguments.data),
        "tokenizer_sha256": encoder.sha256,
        "settings": settings.__dict__,
        "environment": environment(network.bfloat16),
        "parameters": sum(p.numel() for p in network.classifier.parameters()),
        "rows": {name: len(data.texts) for name, data in parts.__dict__.items()},
        "stages": {},
    }
    start_as_bag(network.classifier)
    network.to(arguments.device)
    task = EmotionTask(parts, encoder, settings)
    reviews = balanced(distinct_reviews(arguments.data, held_out, settings.seed), settings.reviews_a_rating)
    pool = Pool([row.text for row in reviews], np.array([row.rating for row in reviews]), parts)
    rows = encoder(pool.texts, settings.review_tokens)
    record["rows"]["reviews"] = len(pool.reviews)
    stages = record["stages"]
    if not (arguments.work / "embeddings.pt").exists():
        compute_embeddings(rows, settings, arguments.work)
    stages["embeddings"] = load_embeddings(network, arguments.work)
    teacher = teach(pool, settings, arguments.work)
    stages["teacher"] = teacher.pop("record")
    stages["bag"] = train_bag(network, rows, teacher, settings, arguments.work)
    stages["reviews"] = train_reviews(network, rows, teacher, settings, arguments.work)
    stages["emotions"] = train_emotions(network, parts, task, arguments.work)
    record["temperature"] = calibrate(network, parts, encoder, settings)
    record["seconds_of_this_call"] = round(time.monotonic() - started, 1)
    export(network, encoder, record, arguments.output)


if __name__ == "__main__":
    main()
