"""Rows of three data sets that the embedded default has never seen: their test parts, divided anew.

The default learned from the other parts of all three (`default_model/corpora.py` keeps whatever stands in a test part
out of them). A method that is tried on rows whose labels the start already knows looks better or worse than it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import datasets
import numpy as np

from default_model.corpora import dominant_emotions, goemotions_data, kote_data, read_reviews
from kobert_hf_emotion.data.text_keys import text_key
from kobert_hf_emotion.labels import EMOTION_LABELS

UNSEEN_SETS = ("kote", "goemotions", "nsmc")


@dataclass(frozen=True)
class Parts:
    """Rows with labels to learn from, texts whose labels nobody looks at, and rows to test on; no text is in two."""

    labelled: datasets.Dataset
    texts: list[str]
    test: datasets.Dataset


def divide(name: str, data: Path, labelled: int, unlabelled: int, tested: int, seed: int) -> Parts:
    """Returns parts of a data set's test file, drawn at random; each text stands in it once.

    Args:
        name: One of `UNSEEN_SETS`; of KOTE and GoEmotions-Korean the rows in which one of the seven emotions leads.
        data: Folder with the data sets.
        labelled: Rows to learn from.
        unlabelled: Texts without a label; fewer where the file has no more.
        tested: Rows to test on.
        seed: Of the draw. The rows that are tested on are drawn first: they are the same whatever else is asked for.
    """
    texts, labels, names = _read(name, data)
    order = np.random.default_rng(seed).permutation(len(texts)).tolist()
    test, learned, rest = order[:tested], order[tested : tested + labelled], order[tested + labelled :][:unlabelled]
    return Parts(
        rows_of(texts, labels, learned, names),
        [texts[index] for index in rest],
        rows_of(texts, labels, test, names),
    )


def rows_of(
    texts: Sequence[str], labels: Sequence[int], indices: Sequence[int], names: Sequence[str]
) -> datasets.Dataset:
    """Returns the rows `indices` as `text` and `label`, the label with its names."""
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=list(names))})
    columns = {"text": [texts[index] for index in indices], "label": [labels[index] for index in indices]}
    return datasets.Dataset.from_dict(columns, features=features)


@lru_cache
def _read(name: str, data: Path) -> tuple[list[str], list[int], tuple[str, ...]]:
    if name == "nsmc":
        reviews = read_reviews(data / "nsmc/ratings_test.tsv.xz")
        texts, labels = [row.text for row in reviews], [row.rating for row in reviews]
        names: tuple[str, ...] = ("negative", "positive")
    else:
        found = {"kote": kote_data, "goemotions": goemotions_data}[name](data, "test")
        texts, labels, names = found.texts, dominant_emotions(found.targets).tolist(), tuple(EMOTION_LABELS)
    once = {text_key(text): (text, label) for text, label in zip(texts, labels, strict=True) if label >= 0}
    return [text for text, _ in once.values()], [label for _, label in once.values()], names
