"""Emoji at the end of texts: KOTE and NSMC have none at all, and people end their messages with them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kobert_hf_emotion.labels import EMOTION_LABELS

EMOJI = {
    "fear": "😱😨😰",
    "surprise": "😮😲😳🤯",
    "angry": "😡😠🤬👿💢",
    "sad": "😭😢😥😔💔",
    "happy": "😊😄😁😍🥰❤💕👍🎉",
    "disgust": "🤮🤢",
}
"""What goes with each emotion; all are pieces of the default's SentencePiece model. Neutral has none."""


def with_emoji(texts: Sequence[str], emotions: npt.NDArray[np.int64], share: float, seed: int) -> list[str]:
    """Returns the texts, some of them with one to three of an emoji of their emotion at the end.

    Args:
        texts: The texts.
        emotions: The class of each, shape (texts,); texts of -1 and of neutral stay as they are.
        share: Probability of a text to get one.
        seed: Draws texts and emoji.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.random(len(texts)) < share
    which, count = rng.random(len(texts)), rng.integers(1, 4, size=len(texts))
    result = list(texts)
    for index in np.flatnonzero(chosen & (emotions >= 0)):
        emoji = EMOJI.get(EMOTION_LABELS[emotions[index]], "")
        if emoji:
            result[index] += " " + emoji[int(which[index] * len(emoji))] * int(count[index])
    return result
