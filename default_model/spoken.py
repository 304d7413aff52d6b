"""Lines of conversation with their emotion, written for this project, and patterns of negation and degree.

KOTE is comments, NSMC reviews, GoEmotions translated English; few of them say `안 무서워` or `화난 거 아니야`. The
lines of `spoken_lines.txt` were written one by one by an AI language model for the training of the default model; the
patterns put words of emotion into what people say with them. None is in the sample data or in the tests.
"""

from __future__ import annotations

from pathlib import Path

from kobert_hf_emotion.labels import EMOTION_LABELS, LABEL2ID

LINES = Path(__file__).with_name("spoken_lines.txt")
Row = tuple[str, list[float]]

# Each word as it stands before `지`, then now, in the past, and before a noun.
PREDICATES: tuple[tuple[str, str, str, str, str], ...] = (
    ("fear", "무섭", "무서워", "무서웠어", "무서운"),
    ("fear", "두렵", "두려워", "두려웠어", "두려운"),
    ("fear", "불안하", "불안해", "불안했어", "불안한"),
    ("fear", "겁나", "겁나", "겁났어", "겁나는"),
    ("fear", "걱정되", "걱정돼", "걱정됐어", "걱정되는"),
    ("fear", "떨리", "떨려", "떨렸어", "떨리는"),
    ("surprise", "놀랍", "놀라워", "놀라웠어", "놀라운"),
    ("surprise", "신기하", "신기해", "신기했어", "신기한"),
    ("surprise", "당황스럽", "당황스러워", "당황스러웠어", "당황스러운"),
    ("angry", "화나", "화나", "화났어", "화나는"),
    ("angry", "짜증 나", "짜증 나", "짜증 났어", "짜증 나는"),
    ("angry", "열받", "열받아", "열받았어", "열받는"),
    ("angry", "억울하", "억울해", "억울했어", "억울한"),
    ("angry", "분하", "분해", "분했어", "분한"),
    ("sad", "슬프", "슬퍼", "슬펐어", "슬픈"),
    ("sad", "우울하", "우울해", "우울했어", "우울한"),
    ("sad", "외롭", "외로워", "외로웠어", "외로운"),
    ("sad", "서운하", "서운해", "서운했어", "서운한"),
    ("sad", "속상하", "속상해", "속상했어", "속상한"),
    ("sad", "서럽", "서러워", "서러웠어", "서러운"),
    ("sad", "허전하", "허전해", "허전했어", "허전한"),
    ("happy", "기쁘", "기뻐", "기뻤어", "기쁜"),
    ("happy", "행복하", "행복해", "행복했어", "행복한"),
    ("happy", "즐겁", "즐거워", "즐거웠어", "즐거운"),
    ("happy", "신나", "신나", "신났어", "신나는"),
    ("happy", "재밌", "재밌어", "재밌었어", "재밌는"),
    ("happy", "뿌듯하", "뿌듯해", "뿌듯했어", "뿌듯한"),
    ("happy", "고맙", "고마워", "고마웠어", "고마운"),
    ("happy", "설레", "설레", "설렜어", "설레는"),
    ("disgust", "역겹", "역겨워", "역겨웠어", "역겨운"),
    ("disgust", "징그럽", "징그러워", "징그러웠어", "징그러운"),
    ("disgust", "더럽", "더러워", "더러웠어", "더러운"),
    ("disgust", "혐오스럽", "혐오스러워", "혐오스러웠어", "혐오스러운"),
    ("disgust", "메스껍", "메스꺼워", "메스꺼웠어", "메스꺼운"),
)

TOPICS = ("그 얘기 들으니까", "오늘은", "솔직히", "그때는", "혼자 있으니까", "집에 오는 길에", "생각할수록", "사실 나")
SAID = (
    "{topic} {now}",
    "{topic} {past}",
    "{now}, 진짜로.",
    "나 지금 {now}",
    "얼마나 {before}는지 몰라",
    "{attributive} 하루였다",
    "{topic} {now}요",
    "{past}요",
    "정말 {past}요",
    "얼마나 {before}는지 몰라요",
)
STRONG = (
    "너무 {now}",
    "진짜 {now}",
    "정말 너무 {past}",
    "엄청 {past}",
    "완전 {now}",
    "미치도록 {now}",
    "이렇게 {before}던 적이 없어",
)
WEAK = ("조금 {now}", "약간 {now}", "살짝 {past}", "좀 {past}", "아주 조금 {past}")
DENIED = (
    "하나도 안 {now}",
    "전혀 안 {now}",
    "안 {now}",
    "별로 안 {past}",
    "{stem}지 않아",
    "{stem}지 않았어",
    "전혀 {stem}지 않았어요",
    "그렇게 {stem}지는 않더라",
    "{stem}지도 않은데 왜 그래",
    "{attributive} 건 아니야",
    "난 안 {past}",
    "이제는 안 {now}",
)
DENIED_POSITIVE = {"sad": 0.5, "neutral": 0.25, "angry": 0.15, "disgust": 0.1}
DENIED_NEGATIVE = {"neutral": 0.75, "happy": 0.25}
DENIED_SURPRISE = {"neutral": 0.9, "happy": 0.1}


STAND_IN_TESTS = frozenset({"정말 화났어요", "진짜 짜증 나", "너무 외로워", "너무 고마워"})
"""What the patterns give and a test asks."""


def target(shares: dict[str, float]) -> list[float]:
    """Returns a distribution over the seven emotions."""
    row = [0.0] * len(EMOTION_LABELS)
    for name, share in shares.items():
        row[LABEL2ID[name]] = share
    return row


def written_rows() -> list[Row]:
    """Returns the lines that were written one by one."""
    rows, label = [], ""
    for line in LINES.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            label = line.removeprefix("# ")
        else:
            rows.append((line, target({label: 0.9, "neutral": 0.1} if label != "neutral" else {label: 1.0})))
    return rows


def pattern_rows() -> list[Row]:
    """Returns what the patterns give: emotions said, weakly and strongly, and denied."""
    rows = []
    for number, (label, stem, now, past, attributive) in enumerate(PREDICATES):
        words = {"stem": stem, "now": now, "past": past, "attributive": attributive}
        words |= {"before": past.removesuffix("어"), "topic": TOPICS[number % len(TOPICS)]}
        for patterns, shares in (
            (SAID, {label: 0.9, "neutral": 0.1}),
            (STRONG, {label: 1.0}),
            (WEAK, {label: 0.6, "neutral": 0.4}),
            (DENIED, _denied(label)),
        ):
            rows.extend((pattern.format(**words), target(shares)) for pattern in patterns)
    return rows


def _denied(label: str) -> dict[str, float]:
    if label == "happy":
        return DENIED_POSITIVE
    return DENIED_SURPRISE if label == "surprise" else DENIED_NEGATIVE


def spoken_rows() -> list[Row]:
    """Returns all lines with a distribution over the seven emotions each."""
    rows = {text: (text, shares) for text, shares in [*pattern_rows(), *written_rows()]}
    return [row for text, row in rows.items() if text not in STAND_IN_TESTS]
