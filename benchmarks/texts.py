"""Labelled texts to measure with: NSMC and KOTE where they are, else made-up ones of similar length."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from default_model.corpora import emotion_counts, read_kote, read_reviews
from kobert_hf_emotion.labels import EMOTION_LABELS, KOTE_TO_EMOTION

_GOOD = ("최고예요", "감동이었다", "재밌어요", "행복했어", "훌륭하네", "추천합니다", "멋지다", "고마워")
_BAD = ("최악이다", "실망했어", "지루해요", "아까운", "별로예요", "화나네", "짜증난다", "싫어")
_PLAIN = (
    *(
        "오늘",
        "어제",
        "친구랑",
        "혼자",
        "영화를",
        "점심을",
        "버스에서",
        "회사",
        "앞에서",
        "갑자기",
        "비가",
        "와서",
        "우산도",
    ),
    *(
        "없이",
        "다시",
        "처음부터",
        "끝까지",
        "보고",
        "나니",
        "생각보다",
        "조금",
        "정말",
        "그냥",
        "너무",
        "배우가",
        "음악이",
    ),
    *(
        "이야기는",
        "동생이",
        "엄마한테",
        "전화해서",
        "주말에",
        "집에서",
        "천천히",
        "그래도",
        "아무튼",
        "역시",
        "ㅋㅋ",
        "ㅠㅠ",
    ),
)
# Words a text: with these, 20 tokens on average and one text in fifty cut at 64, as in the notebook's data.
_LOG_MEAN, _LOG_SD = 2.32, 0.62


@dataclass(frozen=True)
class Texts:
    """Texts with class ids, and the names of the classes."""

    name: str
    texts: list[str]
    labels: list[int]
    label_names: list[str]


def load_texts(name: str, data: Path, count: int, seed: int = 0) -> Texts:
    """Returns `count` texts of a data set in random order.

    Args:
        name: "nsmc" (reviews, two classes), "kote" (comments, seven emotions) or "generated".
        data: Folder with the data sets as `default_model/corpora.py` describes it.
        count: Number of texts; fewer where the data set has fewer.
        seed: Seed of the choice.

    Raises:
        FileNotFoundError: The data set is not in `data`.
    """
    random = np.random.default_rng(seed)
    if name == "generated":
        return _generated(count, random)
    if name == "nsmc":
        reviews = read_reviews(data / "nsmc/ratings_train.tsv.xz")
        texts, labels = [row.text for row in reviews], [row.rating for row in reviews]
        names = ["negative", "positive"]
    else:
        rows = read_kote(data / "kote/val.tsv")
        counts = emotion_counts(rows, KOTE_TO_EMOTION)
        texts, labels = [row.text for row in rows], counts.argmax(axis=1).tolist()
        names = list(EMOTION_LABELS)
    chosen = random.permutation(len(texts))[:count].tolist()
    return Texts(name, [texts[i] for i in chosen], [labels[i] for i in chosen], names)


def available(data: Path) -> list[str]:
    """Returns the data sets that can be had, made-up texts where there is no other."""
    files = {"nsmc": "nsmc/ratings_train.tsv.xz", "kote": "kote/val.tsv"}
    return [name for name, file in files.items() if (data / file).is_file()] or ["generated"]


def _generated(count: int, random: np.random.Generator) -> Texts:
    """Makes sentences of random words, of which one in four tells the class."""
    labels = random.integers(0, 2, count).tolist()
    lengths = np.clip(random.lognormal(_LOG_MEAN, _LOG_SD, count), 1, 40).astype(int).tolist()
    texts = []
    for label, length in zip(labels, lengths, strict=True):
        telling = random.choice(_GOOD if label else _BAD, length)
        words = np.where(random.random(length) < 0.25, telling, random.choice(_PLAIN, length))
        texts.append(" ".join(words.tolist()))
    return Texts("generated", texts, labels, ["negative", "positive"])
