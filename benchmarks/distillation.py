"""What a student learns from a teacher beside what it learns from the labels alone, and how fast both answer."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import datasets
import numpy as np

from kobert_hf_emotion.assets import SAMPLE_TEST, SAMPLE_TRAIN
from kobert_hf_emotion.data.dataset import load_emotion_dataset
from kobert_hf_emotion.data.label_ids import label_ids
from kobert_hf_emotion.data.text_keys import text_key
from kobert_hf_emotion.distillation.student import distill
from kobert_hf_emotion.distillation.teacher import open_teacher
from kobert_hf_emotion.inference.classifier import load_classifier
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.metrics.scores import Scores
from kobert_hf_emotion.runs.cross_validation import cross_validate
from kobert_hf_emotion.training.arguments import EmotionTrainingArguments

from .report import Report
from .unseen import Parts, divide, rows_of

SETS = ("sample", "kote", "nsmc")
MOST_FOLDS = 3


@dataclass(frozen=True)
class Settings:
    """What is trained how long.

    Attributes:
        model: The encoder of teacher and student.
        labelled: Rows with a label.
        unlabelled: Texts without.
        tested: Rows to test on.
        epochs: Passes over the rows that a model learns from.
        seeds: How often all is done, each time with other rows.
    """

    model: str = "default"
    labelled: int = 1000
    unlabelled: int = 4000
    tested: int = 2000
    epochs: float = 5.0
    seeds: int = 3


def measure(name: str, data: Path, settings: Settings) -> Report:
    """Trains a teacher (the folds of a run), and students from the same start on labels alone and on its answers.

    Args:
        name: One of `SETS`.
        data: Folder with the data sets.
        settings: How much of it.
    """
    found: dict[str, list[Scores]] = {}
    seconds: dict[str, list[float]] = {"teacher": [], "student": []}
    for seed in range(settings.seeds):
        parts = load_parts(name, data, settings, seed)
        with TemporaryDirectory() as folder:
            for kind, scores in _one(parts, settings, Path(folder), seed, seconds).items():
                found.setdefault(kind, []).append(scores)
    parts = load_parts(name, data, settings, 0)
    speed = {kind: len(parts.test) / statistics.median(taken) for kind, taken in seconds.items()}
    facts: dict[str, object] = {
        "rows with a label": len(parts.labelled),
        "texts without": len(parts.texts),
        "rows to test on": len(parts.test),
        "seeds": settings.seeds,
        **{kind: _figures(scores) for kind, scores in found.items()},
        "texts a second, teacher": speed["teacher"],
        "texts a second, student": speed["student"],
    }
    return Report(
        title=f"Distillation: {folds_of(parts.labelled)} folds of {settings.model} teach {settings.model} on {name}",
        facts=facts,
    )


def _one(
    parts: Parts, settings: Settings, folder: Path, seed: int, seconds: dict[str, list[float]]
) -> dict[str, Scores]:
    """Returns the scores of teacher and students on the test rows."""
    args = _arguments(settings.epochs, seed)
    cross_validate(parts.labelled, folder / "teacher", settings.model, args, n_splits=folds_of(parts.labelled))
    teacher = open_teacher(folder / "teacher")
    times = (len(parts.labelled) + len(parts.texts)) / len(parts.labelled)
    students = {
        "labels alone": ([], 0.0, settings.epochs),
        "labels alone, as many steps": ([], 0.0, settings.epochs * times),
        "distilled": (parts.texts, 0.5, settings.epochs),
        "distilled, teacher alone": (parts.texts, 1.0, settings.epochs),
    }
    texts = list(parts.test["text"][:])
    truth = label_ids(parts.test, teacher.labels)
    began = time.perf_counter()
    scores = {"teacher": teacher.task.score(teacher.answer(texts).logits, truth)}
    seconds["teacher"].append(time.perf_counter() - began)
    for number, (kind, (unlabelled, mixture, epochs)) in enumerate(students.items()):
        output = folder / f"student_{number}"
        distill(
            teacher, unlabelled, output, settings.model, parts.labelled, None, _arguments(epochs, seed), 2.0, mixture
        )
        began = time.perf_counter()
        student = load_classifier(output)  # opened for each file, as the teacher's folds are
        scores[kind] = student.task.score(student.predict_logits(texts), truth)
        seconds["student"].append(time.perf_counter() - began)
    return scores


def _arguments(epochs: float, seed: int) -> EmotionTrainingArguments:
    return EmotionTrainingArguments(
        num_train_epochs=epochs, learning_rate=1e-3, dropout=0.1, seed=seed, disable_tqdm=True, report_to="none"
    )


def folds_of(rows: datasets.Dataset) -> int:
    """Returns how many folds a teacher has: three, or as many as there are rows of the rarest label."""
    counts = np.bincount(rows["label"][:])
    return int(min(MOST_FOLDS, counts[counts > 0].min()))


def load_parts(name: str, data: Path, settings: Settings, seed: int) -> Parts:
    """Returns the parts of a data set: of rows that the default has never seen, or of the sample.

    Args:
        name: One of `SETS`.
        data: Folder with the data sets.
        settings: How many rows.
        seed: Of the choice.
    """
    if name != "sample":
        return divide(name, data, settings.labelled, settings.unlabelled, settings.tested, seed)
    columns = [
        (list(rows["text"]), list(rows["label"])) for rows in map(load_emotion_dataset, (SAMPLE_TRAIN, SAMPLE_TEST))
    ]
    random = np.random.default_rng(seed)
    (texts, labels), (test_texts, test_labels) = columns
    tested = random.permutation(len(test_texts))[: settings.tested]
    kept = {text_key(test_texts[index]) for index in tested}
    order = [index for index in random.permutation(len(texts)) if text_key(texts[index]) not in kept]
    # A third has labels, so that there are texts without.
    count = min(settings.labelled, len(order) // 3)
    learned, rest = order[:count], order[count : count + settings.unlabelled]
    return Parts(
        rows_of(texts, labels, learned, EMOTION_LABELS),
        [texts[index] for index in rest],
        rows_of(test_texts, test_labels, tested.tolist(), EMOTION_LABELS),
    )


def _figures(scores: Sequence[Scores]) -> str:
    """Returns mean and standard deviation over the seeds."""

    def shown(values: list[float]) -> str:
        spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
        return f"{statistics.mean(values):.4f}{spread}"

    return ", ".join(
        f"{title} {shown([getattr(found, name) for found in scores])}"
        for name, title in (("accuracy", "accuracy"), ("macro_f1", "macro F1"), ("log_loss", "log loss"))
    )
