"""Self-training: what networks that learned from a part of the emotion rows say of the others, and of reviews.

Four and a half thousand comments are known by heart after a few epochs. Networks that each miss a fold of the rows
answer for that fold, and all of them together for reviews; the network that is shipped learns from their answers too.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from joblib import Parallel, delayed
from sklearn.model_selection import KFold

from training.batches import Encoder
from training.corpora import EmotionData
from training.emotions import Answers, EmotionParts, EmotionTask, train_emotions
from training.network import MultiTaskNetwork
from training.prediction import predict_logits
from training.settings import Settings
from training.stage import save_atomically

Shares = npt.NDArray[np.float32]


def answer_by_folds(
    network: MultiTaskNetwork,
    parts: EmotionParts,
    reviews: list[str],
    encoder: Encoder,
    settings: Settings,
    work: Path,
    processes: int,
) -> tuple[Answers, dict[str, Any]]:
    """Fine-tunes a copy of `network` for each fold; returns their answers and the record of their training.

    Args:
        network: After the stage on reviews; it stays as it is.
        parts: The labelled rows.
        reviews: Texts without an emotion.
        encoder: The tokenizer.
        settings: Settings of the run.
        work: Folder for checkpoints.
        processes: How many copies are trained at a time, each on one thread.
    """
    file = work / "answers.pt"
    if not file.exists():
        folds = list(
            zip(_folds(parts.kote, settings), _folds(parts.goemotions, settings), range(settings.folds), strict=True)
        )
        found = Parallel(n_jobs=processes)(
            delayed(_answer)(number, kote, goemotions, network, parts, reviews, encoder, settings, work)
            for kote, goemotions, number in folds
        )
        own = {"kote": _empty(parts.kote), "goemotions": _empty(parts.goemotions)}
        for (kote, goemotions, _), (answers, _) in zip(folds, found, strict=True):
            own["kote"][kote[1]], own["goemotions"][goemotions[1]] = answers["kote"], answers["goemotions"]
        state: dict[str, Any] = {name: torch.from_numpy(shares) for name, shares in own.items()}
        state["reviews"] = torch.from_numpy(np.mean([answers["reviews"] for answers, _ in found], axis=0))
        state["record"] = {f"fold_{number + 1}": record for number, (_, record) in enumerate(found)}
        save_atomically(state, file)
    state = torch.load(file, weights_only=True)
    shares = {name: state[name].numpy() for name in ("kote", "goemotions", "reviews")}
    return Answers(**shares, review_texts=reviews), state["record"]


def _folds(data: EmotionData, settings: Settings) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    return list(KFold(settings.folds, shuffle=True, random_state=settings.seed).split(data.texts))


def _empty(data: EmotionData) -> Shares:
    return np.empty(data.targets.shape, np.float32)


def _answer(
    number: int,
    kote: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    goemotions: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    network: MultiTaskNetwork,
    parts: EmotionParts,
    reviews: list[str],
    encoder: Encoder,
    settings: Settings,
    work: Path,
) -> tuple[dict[str, Shares], dict[str, Any]]:
    """Trains without a fold; returns the answers for the fold and for reviews, shape (rows, 7), and the record."""
    torch.set_num_threads(1)
    seen = EmotionParts(
        parts.kote.select(kote[0]),
        parts.goemotions.select(goemotions[0]),
        parts.kote.select(kote[1]),
        parts.goemotions.select(goemotions[1]),
    )
    student = copy.deepcopy(network)
    task = EmotionTask(seen, encoder, settings)
    record = train_emotions(f"fold_{number + 1}", student, seen, task, work, settings.fold_steps)
    texts = {"kote": seen.kote_held_out.texts, "goemotions": seen.goemotions_held_out.texts, "reviews": reviews}
    answers = {
        name: predict_logits(student.classifier, encoder, rows, settings.emotion_tokens).softmax(dim=-1).numpy()
        for name, rows in texts.items()
    }
    return answers, record
