"""Files with faults planted in known numbers, for the tests of the audit."""

from __future__ import annotations

import csv
import unicodedata
from pathlib import Path

PLAIN = {
    "happy": [
        "드디어 바라던 회사에서 연락이 왔어",
        "햇살이 좋아서 콧노래가 절로 나온다",
        "손주가 처음으로 걸음마를 떼었답니다",
        "우승컵을 들어 올리는 순간 소름이 돋았다",
        "고양이가 무릎 위에서 잠들어 버렸네",
        "생일상을 차려 준 아내가 고맙다",
    ],
    "sad": [
        "할아버지 사진을 보다가 또 울고 말았다",
        "십 년을 함께한 강아지가 떠났어요",
        "빈방에 혼자 앉아 있으니 쓸쓸하다",
        "시험에 떨어져 부모님 얼굴을 못 보겠어",
        "옛 편지를 꺼내 읽으니 가슴이 먹먹하다",
        "친했던 언니와 멀어진 게 아직도 아프다",
    ],
    "angry": [
        "새치기하는 사람 때문에 열이 확 올랐다",
        "윗집은 밤마다 왜 망치질을 하는 걸까",
        "환불해 준다더니 석 달째 감감무소식이야",
        "남의 공을 가로채다니 도저히 못 참겠다",
        "주차를 저렇게 해 놓고 전화도 안 받네",
        "거짓말을 하고도 뻔뻔하게 웃고 있더라",
    ],
}
EXACT = ["고양이가 무릎 위에서 잠들어 버렸네", "빈방에 혼자 앉아 있으니 쓸쓸하다", "고양이가 무릎 위에서 잠들어 버렸네"]
FOLDED = ["십년을 함께한 강아지가  떠났어요", "주차를 저렇게 해 놓고 전화도 안받네"]
NEAR = [("우승컵을 들어 올리는 순간 소름이 돋았다네", "happy"), ("옛 편지를 꺼내 읽으니 가슴이 먹먹하군", "sad")]
CONFLICTING = [("윗집은 밤마다 왜 망치질을 하는 걸까", "sad")]  # word for word, so an exact duplicate as well
DROPPED = [("", "happy"), ("   ", "sad"), (".", "angry"), ("레이블을 깜빡한 문장입니다", "")]

TEST_NEW = [
    ("복권 삼등에 당첨됐다고 전화가 왔어", "happy"),
    ("첫눈 오는 날 그 사람이 생각나 울적하다", "sad"),
    ("배달이 두 시간 늦고도 사과 한마디 없네", "angry"),
    ("막내가 그린 그림이 벽에 걸렸다", "happy"),
]
TEST_WORD_FOR_WORD = [("햇살이 좋아서 콧노래가 절로 나온다", "happy"), ("생일상을 차려 준 아내가 고맙다", "sad")]
TEST_FOLDED = [("환불해 준다더니 석달째 감감무소식이야", "angry")]
TEST_NEAR = [("친했던 언니와 멀어진 게 아직도 아프네", "sad"), ("손주가 처음으로 걸음마를 떼었답니다요", "happy")]


def train_rows() -> list[tuple[str, str]]:
    """Returns texts and labels: 18 plain rows, then the planted ones."""
    label_of = {text: label for label, texts in PLAIN.items() for text in texts}
    plain = [(text, label) for label, texts in PLAIN.items() for text in texts]
    exact = [(text, label_of[text]) for text in EXACT]
    folded = [(FOLDED[0], "sad"), (FOLDED[1], "angry")]
    return [*plain, *exact, *folded, *NEAR, *CONFLICTING, *DROPPED]


def rows_to_test() -> list[tuple[str, str]]:
    """Returns the rows of the test file; its first two texts are in NFD."""
    rows = [*TEST_WORD_FOR_WORD, *TEST_NEW, *TEST_FOLDED, *TEST_NEAR]
    return [(unicodedata.normalize("NFD", text) if i < 2 else text, label) for i, (text, label) in enumerate(rows)]


def write_csv(path: Path, rows: list[tuple[str, str]], encoding: str) -> Path:
    with path.open("w", encoding=encoding, newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["Text", "Label"])
        writer.writerows(rows)
    return path
