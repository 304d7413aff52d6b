"""A larger network that is trained first, and its answers for all texts.

It learns masked words of all texts; then, once for each fold, ratings and emotions of the texts outside that fold. A
text's answer for a label that it carries itself comes from the network of its own fold alone, which has not seen it
(cross-fitting); any other answer is the mean over the networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import f1_score
from torch import Tensor

from default_model import corpora
from default_model.network import MultiTaskNetwork
from default_model.packing import PackedBatch, PackedTexts
from default_model.pool import Pool
from default_model.settings import Settings
from default_model.stage import Stage, save_atomically
from default_model.targets import HEADS, SOURCES_OF_HEAD, own_targets

Answers = dict[str, Tensor]


def pretrain(network: MultiTaskNetwork, texts: PackedTexts, settings: Settings, work: Path) -> dict[str, Any]:
    """Trains the teacher on masked words of all texts."""
    network.set_dropout(settings.teacher_dropout)
    everything = np.arange(len(texts.lengths))

    def loss(batch: PackedBatch, _: torch.Generator) -> Tensor:
        states, _ = network.packed(batch)
        return network.masked_token_loss(states, batch)

    stage = Stage(
        "teacher", network, settings, work, steps=settings.teacher_steps, learning_rate=settings.teacher_learning_rate
    )
    size, share = settings.teacher_sequences, settings.mask_share
    return stage.run(lambda epoch: texts.batches(everything, size, share, settings.seed + epoch), loss)


def answer_by_folds(
    network: MultiTaskNetwork, texts: PackedTexts, pool: Pool, settings: Settings, work: Path
) -> tuple[Answers, dict[str, Any]]:
    """Trains the network once for each fold and lets it answer; the result is kept in `answers.pt`.

    Args:
        network: The pre-trained teacher.
        texts: The texts of `pool`.
        pool: Texts and labels.
        settings: Settings of the run.
        work: Folder for checkpoints.

    Returns:
        Probabilities by head, float16, each of shape (texts, outputs), and a record with figures of the answers for
        labels the networks had not seen.
    """
    file = work / "answers.pt"
    if not file.exists():
        folds = np.random.default_rng(settings.seed).integers(settings.folds, size=len(pool.sources))
        start = {name: value.clone() for name, value in network.state_dict().items()}
        targets = own_targets(pool).to(network.device)
        totals: dict[str, Tensor] = {}
        counts: dict[str, Tensor] = {}
        runs = []

        def loss(batch: PackedBatch, _: torch.Generator) -> Tensor:
            return targets.loss(network, network.packed(batch)[1], batch.rows)

        for fold in range(settings.folds):
            network.load_state_dict(start)
            stage = Stage(
                f"teacher_{fold}",
                network,
                settings,
                work,
                steps=settings.fold_steps,
                learning_rate=settings.fold_learning_rate,
            )

            def epoch_batches(epoch: int, fold: int = fold) -> Iterator[PackedBatch]:
                seed = settings.seed + 1000 * fold + epoch
                rows = _training_rows(pool, folds != fold, settings, seed)
                return texts.batches(rows, settings.fold_sequences, settings.emotion_mask_share, seed)

            runs.append(stage.run(epoch_batches, loss))
            for name, shares in all_answers(network, texts, settings.teacher_sequences).items():
                labelled = np.isin(pool.sources, SOURCES_OF_HEAD[name])
                asked = torch.from_numpy(~labelled | (folds == fold)).to(shares)
                totals[name] = totals.get(name, 0) + shares * asked[:, None]
                counts[name] = counts.get(name, 0) + asked
        answers = {name: (totals[name] / counts[name][:, None]).half().cpu() for name in HEADS}
        record = {"runs": runs, "unseen": figures_of_answers(pool, answers)}
        print("answers", record["unseen"], flush=True)
        save_atomically({"answers": answers, "record": record}, file)
    state = torch.load(file, weights_only=True)
    return state["answers"], state["record"]


def _training_rows(pool: Pool, allowed: npt.NDArray[np.bool_], settings: Settings, seed: int) -> npt.NDArray[np.int64]:
    """Draws an epoch: NSMC's train part, other reviews up to a number for each rating, KOTE repeated, GoEmotions."""
    rng = np.random.default_rng(seed)
    reviews = np.flatnonzero(allowed[: len(pool.reviews)])
    others = rng.permutation(reviews[~pool.in_nsmc_train[reviews]])
    ratings = pool.ratings[others]
    capped = [others[ratings == value][: settings.fold_reviews_a_rating] for value in range(1, 11)]
    kote = np.flatnonzero(allowed & (pool.sources == 1))
    goemotions = np.flatnonzero(allowed & (pool.sources == 2))
    return np.concatenate(
        [reviews[pool.in_nsmc_train[reviews]], *capped, np.tile(kote, settings.kote_repeats), goemotions]
    )


@torch.no_grad()
def all_answers(network: MultiTaskNetwork, texts: PackedTexts, sequences: int) -> Answers:
    """Returns the probabilities of all heads for all texts in their order, float32, by head."""
    network.eval()
    count = len(texts.lengths)
    answers: Answers = {}
    for batch in texts.batches(np.arange(count), sequences, mask_share=0.0, seed=0):
        for name, logits in network.answers(network.packed(batch)[1]).items():
            shares = logits.softmax(dim=-1) if name in ("rating", "emotion") else logits.sigmoid()
            if name not in answers:
                answers[name] = shares.new_empty(count, shares.shape[1])
            answers[name][batch.rows] = shares
    network.train()
    return answers


def figures_of_answers(pool: Pool, answers: Answers) -> dict[str, float]:
    """Returns how answers agree with labels: accuracy of NSMC's two classes on its train part, macro-F1 of emotions."""
    reviews = np.flatnonzero(pool.in_nsmc_train)
    rating = answers["rating"][: len(pool.reviews)].float().numpy()[reviews]
    positive = rating[:, 5:].sum(axis=1) > 0.5
    figures = {"nsmc_accuracy": round(float((positive == (pool.ratings[reviews] > 5)).mean()), 4)}
    for name, source, data in (("kote", 1, pool.parts.kote), ("goemotions", 2, pool.parts.goemotions)):
        guesses = answers["emotion"].float().numpy()[pool.sources == source].argmax(axis=1)
        gold = corpora.dominant_emotions(data.targets)
        kept = gold >= 0
        figures[f"{name}_macro_f1"] = round(float(f1_score(gold[kept], guesses[kept], average="macro")), 4)
    return figures
