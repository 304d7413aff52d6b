"""Writes texts with the votes of ten annotators, made up by rule: for the figures of docs/en/soft.md.

    python -m benchmarks.votes --output votes
    python -m benchmarks.votes --test votes/test.csv runs/votes runs/majority

The first writes the texts, the second holds runs against the votes of the test rows, whatever they were trained on.

A text tells of one thing or of two, each of which stands for an emotion. An annotator sees the emotion of one of them,
or now and then any other: some are more reliable than others. Nothing in it is of a data set.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

LABELS = ("fear", "surprise", "angry", "sad", "neutral", "happy", "disgust")
_WHEN = (
    *("오늘 아침에", "어젯밤에", "점심을 먹다가", "집에 오는 길에", "회의가 끝나고", "버스를 기다리다가", "주말 내내"),
    *("친구를 만나서", "비가 그친 뒤에", "전화를 끊고 나서", "시험이 끝난 날", "창문을 열었더니"),
)
_WHAT = {
    "fear": (
        *("뒤에서 발소리가 따라와 몸이 굳었다", "불이 모두 꺼져 숨을 죽였다", "흔들리는 다리 위에서 손이 떨렸다"),
        *("낯선 그림자에 심장이 내려앉았다", "혼자 남을까 봐 겁이 났다"),
    ),
    "surprise": (
        *(
            "생각지도 못한 소식에 눈이 커졌다",
            "갑자기 튀어나온 고양이에 깜짝 놀랐다",
            "이럴 수가 있나 싶어 입이 벌어졌다",
        ),
        *("십 년 만의 연락에 어리둥절했다", "숫자가 두 배라니 믿기지 않았다"),
    ),
    "angry": (
        *("새치기를 당해 화가 치밀었다", "거짓말인 걸 알고 소리를 질렀다", "약속을 또 어겨서 열이 받았다"),
        *("억울한 누명에 주먹을 쥐었다", "시끄러운 공사에 짜증이 폭발했다"),
    ),
    "sad": (
        *("빈자리를 보니 눈물이 났다", "작별 인사를 못 해 마음이 무너졌다", "떨어졌다는 말에 고개를 숙였다"),
        *("낡은 사진을 보고 한참 울었다", "아무도 오지 않아 쓸쓸했다"),
    ),
    "neutral": (
        *("물을 한 잔 마셨다", "서류를 정리해 서랍에 넣었다", "정류장까지 걸어갔다", "달력에 날짜를 적었다"),
        "문을 닫고 자리에 앉았다",
    ),
    "happy": (
        *("합격했다는 말에 만세를 불렀다", "선물을 받고 웃음이 났다", "아이가 처음 걸어서 행복했다"),
        *("따뜻한 차 한 잔에 마음이 환해졌다", "칭찬을 들어 하늘을 나는 기분이었다"),
    ),
    "disgust": (
        *("상한 우유 냄새에 토할 것 같았다", "벌레가 나온 그릇을 밀어냈다", "바닥의 침을 보고 얼굴을 찌푸렸다"),
        *("썩은 과일을 만져 소름이 끼쳤다", "더러운 수건이라 만지기도 싫었다"),
    ),
}
_SECOND = 0.45
"""Share of texts that tell of two things."""
_RELIABLE = (0.97, 0.96, 0.95, 0.93, 0.92, 0.9, 0.88, 0.85, 0.8, 0.55)
"""How often each annotator sees an emotion of the text."""


def texts(count: int, seed: int) -> list[tuple[str, tuple[str, ...]]]:
    """Returns texts, no two the same, with the emotions of what they tell of."""
    random_ = random.Random(seed)  # noqa: S311 - no secret
    found: dict[str, tuple[str, ...]] = {}
    while len(found) < count:
        kinds = random_.sample(LABELS, 2 if random_.random() < _SECOND else 1)
        parts = [random_.choice(_WHAT[kind]) for kind in kinds]
        found.setdefault(f"{random_.choice(_WHEN)} {', 그리고 '.join(parts)}.", tuple(kinds))
    return list(found.items())


def annotate(kinds: Sequence[str], random_: random.Random) -> list[str]:
    """Returns what each annotator says of a text: the first of two things is seen a little more often."""
    said = []
    for reliable in _RELIABLE:
        seen = kinds[0] if len(kinds) == 1 or random_.random() < 0.6 else kinds[1]
        said.append(seen if random_.random() < reliable else random_.choice(LABELS))
    return said


def hold_against(test_file: Path, runs: Sequence[str]) -> None:
    """Prints what the ensemble of each run's folds is beside the votes of a file."""
    from kobert_hf_emotion import load_emotion_dataset
    from kobert_hf_emotion.data.label_ids import label_ids
    from kobert_hf_emotion.inference.ensemble import EmotionEnsemble
    from kobert_hf_emotion.inference.loading import load_checkpoint
    from kobert_hf_emotion.metrics.soft import soft_scores, vote_intervals
    from kobert_hf_emotion.runs.layout import fold_folders

    rows = load_emotion_dataset(test_file, task="soft")
    for run in runs:
        model = EmotionEnsemble([load_checkpoint(fold) for fold in fold_folders(Path(run))])
        logits = model.predict_logits(rows["text"][:])
        shares, answers = label_ids(rows, model.labels), logits.argmax(axis=1)
        scores, between = soft_scores(logits, shares, answers), vote_intervals(logits, shares, answers)
        named = ("vote_share", "log_loss", "jensen_shannon")
        figures = ", ".join(f"{name} {vars(scores)[name]:.4f} [{between[name]}]" for name in named)
        sys.stdout.write(f"{run}: accuracy {scores.accuracy:.4f}, macro F1 {scores.macro_f1:.4f}, {figures}\n")


def write(folder: Path, name: str, rows: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Writes rows with a column for each label (NAME.csv), with one for each annotator, and with the majority alone."""
    with (folder / f"{name}_majority.csv").open("w", encoding="utf-8", newline="") as handle:
        majority = [(text, max(LABELS, key=said.count)) for text, said in rows]
        csv.writer(handle).writerows([("text", "label"), *majority])
    raters = [f"rater_{number}" for number in range(1, len(_RELIABLE) + 1)]
    for path, columns in ((folder / f"{name}.csv", list(LABELS)), (folder / f"{name}_annotators.csv", raters)):
        with path.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(["text", *columns])
            for text, said in rows:
                counts = Counter(said)
                writer.writerow([text, *([counts[label] for label in LABELS] if columns[0] == LABELS[0] else said)])


def main() -> None:
    """Writes train.csv and test.csv, in three layouts, or holds runs against them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("votes"), help="folder to write")
    parser.add_argument("--rows", type=int, default=600, help="rows to train on")
    parser.add_argument("--test-rows", type=int, default=200, help="rows to test on")
    parser.add_argument("--seed", type=int, default=42, help="seed")
    parser.add_argument("--test", type=Path, help="file of votes to hold the runs against; nothing is written then")
    parser.add_argument("runs", nargs="*", help="folders of runs")
    given = parser.parse_args()
    if given.test is not None:
        hold_against(given.test, given.runs)
        return
    given.output.mkdir(parents=True, exist_ok=True)
    random_ = random.Random(given.seed)  # noqa: S311 - no secret
    rows = [(text, annotate(kinds, random_)) for text, kinds in texts(given.rows + given.test_rows, given.seed)]
    write(given.output, "train", rows[: given.rows])
    write(given.output, "test", rows[given.rows :])


if __name__ == "__main__":
    main()
