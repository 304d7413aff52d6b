"""The seven emotions, the names people give them, and how other taxonomies map onto them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

EMOTION_LABELS: tuple[str, ...] = ("fear", "surprise", "angry", "sad", "neutral", "happy", "disgust")
"""The emotions in the order of their ids, 0 to 6."""

EMOTION_LABELS_KO: tuple[str, ...] = ("공포", "놀람", "분노", "슬픔", "중립", "행복", "혐오")
"""The same emotions in Korean, in the same order."""

ID2LABEL: dict[int, str] = dict(enumerate(EMOTION_LABELS))
LABEL2ID: dict[str, int] = {name: index for index, name in enumerate(EMOTION_LABELS)}

_SYNONYMS: dict[str, tuple[str, ...]] = {
    "fear": ("공포", "두려움", "무서움", "불안", "fearful", "scared"),
    "surprise": ("놀람", "놀라움", "surprised"),
    "angry": ("분노", "화남", "화", "anger"),
    "sad": ("슬픔", "sadness"),
    "neutral": ("중립", "무감정", "없음"),
    "happy": ("행복", "기쁨", "happiness", "joy"),
    "disgust": ("혐오", "역겨움", "disgusted"),
}

GOEMOTIONS_TO_EMOTION: dict[str, str] = {
    "admiration": "happy",
    "amusement": "happy",
    "anger": "angry",
    "annoyance": "angry",
    "approval": "happy",
    "caring": "happy",
    "confusion": "surprise",
    "curiosity": "surprise",
    "desire": "happy",
    "disappointment": "sad",
    "disapproval": "angry",
    "disgust": "disgust",
    "embarrassment": "sad",
    "excitement": "happy",
    "fear": "fear",
    "gratitude": "happy",
    "grief": "sad",
    "joy": "happy",
    "love": "happy",
    "nervousness": "fear",
    "optimism": "happy",
    "pride": "happy",
    "realization": "surprise",
    "relief": "happy",
    "remorse": "sad",
    "sadness": "sad",
    "surprise": "surprise",
    "neutral": "neutral",
}
"""GoEmotions' 28 labels by the Ekman grouping of its authors (Demszky et al., 2020, table 1)."""

KOTE_TO_EMOTION: dict[str, str | None] = {
    "불평/불만": "angry",
    "환영/호의": "happy",
    "감동/감탄": "happy",
    "지긋지긋": "disgust",
    "고마움": "happy",
    "슬픔": "sad",
    "화남/분노": "angry",
    "존경": "happy",
    "기대감": "happy",
    "우쭐댐/무시함": "disgust",
    "안타까움/실망": "sad",
    "비장함": None,
    "의심/불신": None,
    "뿌듯함": "happy",
    "편안/쾌적": "happy",
    "신기함/관심": "surprise",
    "아껴주는": "happy",
    "부끄러움": "sad",
    "공포/무서움": "fear",
    "절망": "sad",
    "한심함": "disgust",
    "역겨움/징그러움": "disgust",
    "짜증": "angry",
    "어이없음": "angry",
    "없음": "neutral",
    "패배/자기혐오": "sad",
    "귀찮음": None,
    "힘듦/지침": "sad",
    "즐거움/신남": "happy",
    "깨달음": "surprise",
    "죄책감": "sad",
    "증오/혐오": "disgust",
    "흐뭇함(귀여움/예쁨)": "happy",
    "당황/난처": "surprise",
    "경악": "surprise",
    "부담/안_내킴": "fear",
    "서러움": "sad",
    "재미없음": None,
    "불쌍함/연민": "sad",
    "놀람": "surprise",
    "행복": "happy",
    "불안/걱정": "fear",
    "기쁨": "happy",
    "안심/신뢰": "happy",
}
"""KOTE's 44 labels in their index order; `None` where a label belongs to no single one of the seven."""

LABEL_SETS: dict[str, tuple[str, ...]] = {
    "kote": tuple(KOTE_TO_EMOTION),
    "goemotions": tuple(GOEMOTIONS_TO_EMOTION),
}
"""Names of labels by what their corpus is called, in the order of the ids in its files."""


_NUMBER = re.compile(r"(-?[0-9]+)(\.0+)?")
_FULL_WIDTH = re.compile("[\uff01-\uffef]+")
BLANKS = "\u115f\u1160\u3164\u2800\ufe0e\ufe0f"
"""Characters without ink that Unicode counts as letters, symbols or marks: fillers, variation selectors."""


def clean_name(name: str) -> str:
    r"""Returns a name as it is seen: without format and control characters or superfluous blanks, full width as usual.

    It is in NFC and not in NFKC, which makes other letters of ㅋ and ㅠ.

    >>> clean_name("\ufeff매우\xa0 Ｓａｄ\u200b")
    '매우 Sad'
    """
    if not (name.isascii() and name.isprintable()):
        narrow = _FULL_WIDTH.sub(lambda found: unicodedata.normalize("NFKC", found[0]), name)
        name = "".join(char for char in narrow if not _is_invisible(char))
    return unicodedata.normalize("NFC", " ".join(name.split()))


def _is_invisible(char: str) -> bool:
    return char in BLANKS or (unicodedata.category(char) in ("Cf", "Cc") and not char.isspace())


def fold_name(name: str) -> str:
    r"""Returns `name` as labels and columns are compared: as `clean_name` does, and in lower case.

    >>> fold_name("\u200bＨａｐｐｙ\xa0")
    'happy'
    """
    return unicodedata.normalize("NFC", clean_name(name).casefold())


def whole_number(cell: str) -> str | None:
    """Returns a whole number as it is written without a decimal part, or None.

    >>> whole_number(" 3.0"), whole_number("3.5"), whole_number("happy")
    ('3', None, None)
    """
    match = _NUMBER.fullmatch(cell.strip())
    return match[1] if match else None


def label_aliases(labels: Sequence[str] = EMOTION_LABELS) -> dict[str, int]:
    """Maps every accepted spelling of a label to its id.

    Args:
        labels: Label names in the order of their ids.

    Returns:
        The names themselves, the ids written as text ("0", "1", …) and, for names among
        `EMOTION_LABELS`, their Korean and English synonyms. Keys are folded by `fold_name`.
    """
    aliases = {str(index): index for index in range(len(labels))}
    for index, name in enumerate(labels):
        for synonym in _SYNONYMS.get(fold_name(name), ()):
            aliases.setdefault(fold_name(synonym), index)
    # A user's own name outranks a synonym of another label.
    aliases.update({fold_name(name): index for index, name in enumerate(labels)})
    return aliases


def map_taxonomy(names: Sequence[str], table: Mapping[str, str | None]) -> tuple[str, ...]:
    """Maps the labels one text carries in another taxonomy onto the seven emotions.

    Args:
        names: Labels of one text, such as KOTE's multi-label annotation.
        table: `KOTE_TO_EMOTION`, `GOEMOTIONS_TO_EMOTION`, or a table of the same form.

    Returns:
        The distinct emotions in the order of `EMOTION_LABELS`; empty where every label maps to `None`.

    Raises:
        KeyError: A name is not in the table.
    """
    found = {table[name] for name in names}
    return tuple(label for label in EMOTION_LABELS if label in found)
