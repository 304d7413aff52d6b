"""Sentences for tests: as people write them, enough of each emotion for folds."""

from __future__ import annotations

import csv
import random
from pathlib import Path

from kobert_hf_emotion.labels import EMOTION_LABELS

_STEMS = {
    "fear": ["무서워서 잠을 못 자겠어", "뒤에서 발소리가 들려", "떨려서 말이 안 나와"],
    "surprise": ["헐 진짜야", "깜짝 놀랐잖아", "이게 무슨 일이야"],
    "angry": ["왜 자꾸 늦는 거야", "그만 좀 하라고 했지", "짜증 나 죽겠네"],
    "sad": ["눈물이 멈추지 않아", "너무 보고 싶다ㅠㅠ", "허전해서 밥도 안 넘어가"],
    "neutral": ["회의는 세 시에 시작합니다", "내일 비가 온대요", "서류는 책상 위에 있어요"],
    "happy": ["오늘 정말 행복했어", "ㅋㅋㅋ 너무 웃겨", "합격했어요!! 🎉"],
    "disgust": ["토할 것 같아", "더러워 죽겠네", "꼴도 보기 싫다"],
}
_TAILS = ["", " 진짜", "...", " 어제부터", "!!", " 엄마", "ㅎ", " 아침에", " 그치", " ok"]


def sentences(per_label: int, seed: int = 0) -> list[tuple[str, str]]:
    """Returns shuffled pairs of a text and a label name, `per_label` of each and no text twice."""
    pairs = [
        (f"{stem}{tail}{number or ''}", label)
        for label in EMOTION_LABELS
        for stem, tail, number in [(_STEMS[label][i % 3], _TAILS[i // 3 % 10], i // 30) for i in range(per_label)]
    ]
    random.Random(seed).shuffle(pairs)
    return pairs


def write_seed_csv(path: Path, pairs: list[tuple[str, str]], encoding: str = "utf-8") -> Path:
    """Writes pairs in the layout of the notebook's files."""
    with path.open("w", encoding=encoding, errors="ignore", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["ID", "Emotion", "Label", "WavPath", "Text"])
        for number, (text, label) in enumerate(pairs):
            identifier = f"S{number % 8:03d}_F_{number:04d}"
            writer.writerow([identifier, label, EMOTION_LABELS.index(label), f"wav/{identifier}.wav", text])
    return path
