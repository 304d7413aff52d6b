"""The data sets the default model is trained and tested on: reading, cleaning, and keeping test rows out.

NSMC (CC0), KOTE (MIT) and GoEmotions-Korean (Apache-2.0) are read from one folder with the layout

    nsmc/reviews_rest.tsv.xz  nsmc/ratings_train.tsv.xz  nsmc/ratings_test.tsv.xz
    kote/val.tsv              kote/test.tsv
    goemotions_ko/{train,dev,test}.tsv.xz  goemotions_ko/labels.txt

A row whose text stands in a test part, compared without case and white space, is left out of every
training part: see `held_out_keys`.
"""

from __future__ import annotations

import hashlib
import html
import lzma
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from kobert_hf_emotion.labels import EMOTION_LABELS, GOEMOTIONS_TO_EMOTION, KOTE_TO_EMOTION, LABEL2ID

DATA_FILES: tuple[str, ...] = (
    "nsmc/reviews_rest.tsv.xz",
    "nsmc/ratings_train.tsv.xz",
    "nsmc/ratings_test.tsv.xz",
    "kote/val.tsv",
    "kote/test.tsv",
    "goemotions_ko/train.tsv.xz",
    "goemotions_ko/dev.tsv.xz",
    "goemotions_ko/test.tsv.xz",
    "goemotions_ko/labels.txt",
)
KOTE_LABELS: tuple[str, ...] = tuple(KOTE_TO_EMOTION)


@dataclass(frozen=True)
class Review:
    """A film review and its rating, 1 to 10 (NSMC's raw crawl) or 0 and 1 (its official splits)."""

    text: str
    rating: int


@dataclass(frozen=True)
class EmotionRow:
    """A text and the labels it carries in the taxonomy of its data set."""

    text: str
    labels: tuple[str, ...]


Row = TypeVar("Row", Review, EmotionRow)


def clean(text: str) -> str:
    """Returns `text` in NFC, without HTML entities, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", html.unescape(text)).split())


def text_key(text: str) -> str:
    """Returns `text` as texts are compared for overlap: NFKC, lower case, no white space."""
    return "".join(unicodedata.normalize("NFKC", clean(text)).casefold().split())


def read_reviews(path: Path) -> list[Review]:
    """Reads a file of NSMC; its columns are found by name."""
    lines = _lines(path)
    header = next(lines).split("\t")
    text_column = header.index("document")
    rating_column = header.index("rating" if "rating" in header else "label")
    fields = (line.split("\t", len(header) - 1) for line in lines)
    return [Review(clean(row[text_column]), int(row[rating_column])) for row in fields if row[text_column].strip()]


def read_kote(path: Path) -> list[EmotionRow]:
    """Reads a file of KOTE: id, text, comma-separated label indices."""
    fields = (line.split("\t") for line in _lines(path))
    return [EmotionRow(clean(text), tuple(KOTE_LABELS[int(i)] for i in ids.split(","))) for _, text, ids in fields]


def read_goemotions(path: Path) -> list[EmotionRow]:
    """Reads a file of GoEmotions-Korean: text, comma-separated label indices; `labels.txt` lies beside it."""
    names = (path.parent / "labels.txt").read_text(encoding="utf-8").split()
    fields = (line.split("\t") for line in _lines(path))
    return [EmotionRow(clean(text), tuple(names[int(i)] for i in ids.split(","))) for text, ids in fields]


def held_out_keys(data_dir: Path) -> frozenset[str]:
    """Returns the keys of all texts in the test parts of the three data sets."""
    reviews = read_reviews(data_dir / "nsmc/ratings_test.tsv.xz")
    kote = read_kote(data_dir / "kote/test.tsv")
    goemotions = read_goemotions(data_dir / "goemotions_ko/test.tsv.xz")
    texts = [row.text for row in reviews] + [row.text for row in kote] + [row.text for row in goemotions]
    return frozenset(map(text_key, texts))


def without(rows: Sequence[Row], keys: Collection[str]) -> list[Row]:
    """Returns the rows whose text is not among `keys`."""
    return [row for row in rows if text_key(row.text) not in keys]


def file_hashes(data_dir: Path) -> dict[str, str]:
    """Returns the SHA-256 of every data file."""
    return {name: hashlib.sha256((data_dir / name).read_bytes()).hexdigest() for name in DATA_FILES}


def _lines(path: Path) -> Iterator[str]:
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "rt", encoding="utf-8", newline="\n") as stream:
        for line in stream:
            yield line.rstrip("\r\n")


def emotion_counts(rows: Sequence[EmotionRow], table: Mapping[str, str | None]) -> npt.NDArray[np.float64]:
    """Counts how many labels of each row map to each of the seven emotions, shape (rows, 7)."""
    counts = np.zeros((len(rows), len(EMOTION_LABELS)))
    for index, row in enumerate(rows):
        for name in row.labels:
            emotion = table[name]
            if emotion is not None:
                counts[index, LABEL2ID[emotion]] += 1
    return counts


def emotion_targets(
    counts: npt.NDArray[np.float64], mean_counts: npt.NDArray[np.float64], sharpness: float = 2.0
) -> npt.NDArray[np.float64]:
    """Turns the label counts of multi-label rows into a distribution over the seven emotions.

    KOTE gives a text up to 44 labels, and an emotion with many labels (15 of happiness, 3 of fear) would
    win by their number alone. So a count is divided by the square root of its mean over KOTE's validation
    part before the counts are raised to `sharpness` and normalised. A row without any mapped label is
    uniform.

    Args:
        counts: As `emotion_counts` returns them, shape (rows, 7).
        mean_counts: Mean of the counts over the rows the scale is taken from, shape (7,).
        sharpness: 1 gives shares; a larger one favours the dominant emotion.

    Returns:
        Rows that sum to 1, shape (rows, 7).
    """
    scores = (counts / np.sqrt(mean_counts)) ** sharpness
    totals = scores.sum(axis=1, keepdims=True)
    uniform = np.full_like(scores, 1 / scores.shape[1])
    return np.where(totals > 0, scores / np.where(totals > 0, totals, 1), uniform)


def dominant_emotions(targets: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Returns the id of each row's dominant emotion, -1 where two or more tie for the first place."""
    best = targets.max(axis=1, keepdims=True)
    unique = (np.isclose(targets, best)).sum(axis=1) == 1
    return np.where(unique, targets.argmax(axis=1), -1)


@dataclass(frozen=True)
class EmotionData:
    """Texts with a distribution over the seven emotions and the multi-hot labels of their own taxonomy."""

    texts: list[str]
    targets: npt.NDArray[np.float64]
    labels: npt.NDArray[np.float32]

    def select(self, chosen: npt.NDArray[np.int64]) -> EmotionData:
        """Returns the rows `chosen`."""
        return EmotionData([self.texts[i] for i in chosen], self.targets[chosen], self.labels[chosen])


def kote_data(data_dir: Path, part: str, held_out: Collection[str] = ()) -> EmotionData:
    """Reads KOTE's `part` ("val" or "test"); the scale of the targets is always that of "val"."""
    reference = emotion_counts(read_kote(data_dir / "kote/val.tsv"), KOTE_TO_EMOTION).mean(axis=0)
    rows = without(read_kote(data_dir / f"kote/{part}.tsv"), held_out)
    targets = emotion_targets(emotion_counts(rows, KOTE_TO_EMOTION), reference)
    return EmotionData([row.text for row in rows], targets, _multi_hot(rows, KOTE_LABELS))


def goemotions_data(data_dir: Path, part: str, held_out: Collection[str] = ()) -> EmotionData:
    """Reads GoEmotions-Korean's `part` ("train", "dev" or "test"); a target is the share of each emotion."""
    names = tuple((data_dir / "goemotions_ko/labels.txt").read_text(encoding="utf-8").split())
    rows = without(read_goemotions(data_dir / f"goemotions_ko/{part}.tsv.xz"), held_out)
    counts = emotion_counts(rows, GOEMOTIONS_TO_EMOTION)
    targets = emotion_targets(counts, np.ones(counts.shape[1]), sharpness=1.0)
    return EmotionData([row.text for row in rows], targets, _multi_hot(rows, names))


def _multi_hot(rows: Sequence[EmotionRow], names: Sequence[str]) -> npt.NDArray[np.float32]:
    ids = {name: index for index, name in enumerate(names)}
    hot = np.zeros((len(rows), len(names)), dtype=np.float32)
    for index, row in enumerate(rows):
        hot[index, [ids[name] for name in row.labels]] = 1
    return hot
