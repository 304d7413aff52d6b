"""The 44 labels of KOTE, several a comment: the model beside TF-IDF on the same rows."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import datasets
import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from transformers import set_seed

from kobert_hf_emotion import EmotionTrainer, EmotionTrainingArguments, load_emotion_dataset
from kobert_hf_emotion.data.label_ids import Truth, label_ids
from kobert_hf_emotion.inference.classifier import start_model
from kobert_hf_emotion.labels import LABEL_SETS
from kobert_hf_emotion.metrics.label_calibration import fit_label_scales, label_losses
from kobert_hf_emotion.metrics.probabilities import Logits
from kobert_hf_emotion.modeling.prediction import predict_logits
from kobert_hf_emotion.splits.folds import fold_indices
from kobert_hf_emotion.splits.groups import row_groups
from kobert_hf_emotion.tasks.multi_label import MultiLabel
from kobert_hf_emotion.tokenization.loading import load_tokenizer

LABELS = LABEL_SETS["kote"]
LogitsOf: TypeAlias = Callable[["Rows", list[list[str]]], list[Logits]]
"""Trains on rows and returns the logits of several lists of texts."""
EPOCHS, RATE, BATCH, LENGTH, SEED = 6, 5e-4, 32, 96, 42


@dataclass(frozen=True)
class Rows:
    """Comments and the labels that they have."""

    dataset: datasets.Dataset
    truth: Truth

    @property
    def texts(self) -> list[str]:
        """The comments."""
        return list(self.dataset["text"][:])

    def part(self, rows: npt.NDArray[np.int64]) -> Rows:
        """Returns some of the rows."""
        return Rows(self.dataset.select(rows), self.truth[rows])


def read(data_dir: Path, part: str) -> Rows:
    """Reads one of KOTE's files."""
    path = data_dir / "kote" / f"{part}.tsv"
    rows = load_emotion_dataset(path, "2", "3", no_header=True, labels=LABELS, task="multi-label")
    return Rows(rows, label_ids(rows, LABELS))


def kote_lines(model_dir: Path, data_dir: Path, keep: Path | None = None) -> Iterator[str]:
    """Trains on nine tenths of KOTE's validation part, fits scales and thresholds on the tenth, and measures.

    Args:
        model_dir: The model whose encoder is fine-tuned.
        data_dir: The data.
        keep: Folder for the logits of each model; those that are there are read, and nothing is trained.

    Yields:
        Lines, each as soon as it is known.
    """
    rows, test = read(data_dir, "val"), read(data_dir, "test")
    train_rows, held_rows = fold_indices(rows.truth, 10, SEED, row_groups(rows.dataset), label_names=LABELS)[0]
    train, held = rows.part(train_rows), rows.part(held_rows)
    yield f"KOTE, 44 labels: {len(train.truth)} rows to train on, {len(held.truth)} for scales and thresholds"
    yield f"  {EPOCHS} epochs, batch {BATCH}, learning rate {RATE:g}, {LENGTH} tokens; test part {len(test.truth)}"
    for name, logits_of in (("TF-IDF, one-vs-rest", _tfidf), ("default model", _fine_tuned(model_dir))):
        held_logits, logits = _kept(keep, name, partial(logits_of, train, [held.texts, test.texts]))
        yield from _figures(name, held_logits, held.truth, logits, test.truth)


def _kept(folder: Path | None, name: str, make: Callable[[], list[Logits]]) -> list[Logits]:
    """Returns logits, from a folder where they are there."""
    if folder is None:
        return make()
    path = folder / f"{name.partition(',')[0].replace(' ', '_')}.npz"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(path, *make())
    with np.load(path) as arrays:
        return [arrays[key] for key in arrays.files]


def _figures(name: str, held_logits: Logits, held: Truth, logits: Logits, truth: Truth) -> Iterator[str]:
    """Yields the figures of a model's logits: as they are, and by scales that were fitted on the held-out rows."""
    scales = fit_label_scales(held_logits, held, np.zeros(len(held), dtype=np.int64))
    ways = {
        "as trained": (held_logits, logits),
        f"calibrated, {sum(scales.kept)} of {len(scales.kept)} labels": (
            scales.apply(held_logits),
            scales.apply(logits),
        ),
    }
    for way, (fitted_on, measured) in ways.items():
        task = MultiLabel().fitted(fitted_on, held)
        scores, intervals = task.score(measured, truth), task.intervals(measured, truth)
        half = MultiLabel().score(measured, truth)
        figures = [
            f"{title} {vars(scores)[key]:.4f}" + (f" [{intervals[key]}]" if key in intervals else "")
            for key, title in scores.TITLES.items()
        ]
        figures.append(f"macro F1 at 0.5 {half.macro_f1:.4f}")
        figures.append(f"log loss {label_losses(measured, truth).mean():.4f}")
        figures.append(f"calibration error {task.calibration_error(measured, truth):.4f}")
        yield f"  {name}, {way}: {', '.join(figures)}"


def _tfidf(train: Rows, texts: list[list[str]]) -> list[Logits]:
    """Returns the log odds of TF-IDF over character 1-4-grams with a logistic regression for each label."""
    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True, max_features=200_000)
    each = OneVsRestClassifier(LogisticRegression(C=2.0, class_weight="balanced", max_iter=200, solver="liblinear"))
    model = make_pipeline(vectors, each).fit(train.texts, train.truth)
    return [np.asarray(model.decision_function(part)) for part in texts]


def _fine_tuned(model_dir: Path) -> LogitsOf:
    """Returns what trains the encoder with a new head, and gives logits."""

    def logits_of(train: Rows, texts: list[list[str]]) -> list[Logits]:
        tokenizer = load_tokenizer(model_dir, model_max_length=LENGTH)
        set_seed(SEED)
        model = start_model(model_dir, LABELS, 0.1, tokenizer, MultiLabel())
        with tempfile.TemporaryDirectory() as place:
            args = EmotionTrainingArguments(
                place,
                num_train_epochs=EPOCHS,
                per_device_train_batch_size=BATCH,
                learning_rate=RATE,
                max_length=LENGTH,
                seed=SEED,
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
            )
            EmotionTrainer(model, args, train.dataset, processing_class=tokenizer).train()
        return [predict_logits(model, tokenizer, part) for part in texts]

    return logits_of
