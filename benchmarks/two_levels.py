"""`python -m benchmarks.two_levels FOLDER`: files with coarse and fine labels, and what TF-IDF makes of them.

The sentences are put together from parts written here; none is taken from a data set. A quarter of them carry a cue
that all fine labels under a coarse one share, so that the coarse label can be told where the fine one cannot, and a
tenth one that stands under any label.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np

TEXT, COARSE, FINE = "사람문장", "감정_대분류", "감정_소분류"

FEELINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "기쁨": {
        "감사하는": (
            "도와준 분께 고맙다는 말을 꼭 하고 싶어",
            "덕분에 해냈다고 생각하니 고마울 뿐이야",
            "은혜를 어떻게 갚지",
        ),
        "편안한": (
            "이제야 한숨 돌리고 푹 쉬고 있어",
            "따뜻한 차를 마시니 몸이 노곤노곤해",
            "아무 걱정 없이 누워 있으니 좋네",
        ),
        "신이 난": (
            "어깨춤이 절로 나오고 소리를 지르고 싶어",
            "두근두근해서 폴짝폴짝 뛰었어",
            "콧노래가 멈추지를 않아",
        ),
        "만족스러운": (
            "이 정도면 더 바랄 게 없어",
            "공들인 만큼 잘 나와서 흐뭇해",
            "생각한 그대로 되어서 마음에 쏙 들어",
        ),
    },
    "슬픔": {
        "우울한": (
            "아무것도 하기 싫고 이불 속에만 있어",
            "세상이 온통 잿빛으로 보여",
            "기운이 쭉 빠지고 멍하니 있게 돼",
        ),
        "실망한": ("기대를 많이 했는데 고작 이거라니", "이럴 줄은 몰랐는데 김이 다 샜어", "믿은 만큼 허탈하네"),
        "후회되는": (
            "그때 다르게 했더라면 하고 자꾸 되짚어",
            "왜 그런 선택을 했을까 싶어",
            "시간을 되돌릴 수만 있다면",
        ),
        "외로운": ("옆에 말 붙일 사람 하나 없어", "혼자 밥을 먹는데 전화 한 통이 없네", "다들 모였다는데 나만 빠졌어"),
    },
    "분노": {
        "짜증 나는": (
            "사소한 것까지 자꾸 건드려서 신경질이 나",
            "몇 번을 말해도 똑같으니 성가셔",
            "귀찮게 굴어서 열이 올라",
        ),
        "억울한": (
            "내가 한 일도 아닌데 덤터기를 썼어",
            "아무도 내 말은 들어 주지 않고 뒤집어씌워",
            "잘못은 남이 했는데 왜 내가 혼나",
        ),
        "미워하는": ("그 사람 얼굴도 보기 싫어", "이름만 들어도 이가 갈려", "잘되는 꼴을 못 보겠어"),
        "툴툴대는": ("왜 맨날 나만 시키는 건데", "해 봤자 뻔한데 또 하라네", "입이 한 발이나 나왔어"),
    },
    "불안": {
        "걱정스러운": ("혹시 잘못되면 어쩌나 자꾸 살피게 돼", "괜찮을지 마음이 놓이지를 않아", "별일 없어야 할 텐데"),
        "두려운": ("등골이 서늘하고 발이 떨어지지 않아", "무서워서 문을 몇 번이나 잠갔어", "누가 뒤에 있는 것만 같아"),
        "초조한": (
            "시계만 보며 손톱을 물어뜯고 있어",
            "연락이 언제 오나 안절부절못해",
            "자리에 가만히 앉아 있지를 못하겠어",
        ),
        "혼란스러운": (
            "뭐가 맞는지 도무지 갈피를 못 잡겠어",
            "머릿속이 뒤죽박죽이야",
            "이랬다저랬다 하니 종잡을 수가 없네",
        ),
    },
    "당황": {
        "부끄러운": ("얼굴이 빨개져서 고개를 못 들겠어", "쥐구멍에라도 숨고 싶어", "다들 쳐다봐서 귀까지 달아올랐어"),
        "죄책감이 드는": (
            "나 때문인 것 같아 미안해서 잠이 안 와",
            "내가 조금만 잘했어도 하고 자꾸 빌게 돼",
            "면목이 없어",
        ),
        "어색한": (
            "무슨 말을 해야 할지 몰라 물만 마셨어",
            "서로 눈도 못 맞추고 뻣뻣하게 있었어",
            "분위기가 서먹서먹해",
        ),
        "놀란": ("갑자기 그러니 눈이 휘둥그레졌어", "깜짝이야 하고 소리부터 질렀어", "전혀 생각지도 못한 일이야"),
    },
    "상처": {
        "배신당한": ("믿던 사람이 뒤에서 그랬다니", "등에 칼을 꽂힌 것 같아", "약속해 놓고 남의 편을 들었어"),
        "무시당한": ("인사를 해도 본체만체하더라", "내 의견은 들은 척도 안 했어", "사람을 투명 인간 취급해"),
        "버려진": ("다들 나만 두고 가 버렸어", "쓸모가 없어지니 내쳐졌어", "연락을 끊고 사라졌어"),
        "질투하는": (
            "걔만 예뻐하는 걸 보니 속이 쓰려",
            "나는 왜 저렇게 못 되나 배가 아파",
            "남의 자랑을 듣고 샘이 났어",
        ),
    },
}
SHARED: dict[str, tuple[str, ...]] = {
    "기쁨": ("참 좋은 날이야", "웃음이 나", "기분이 정말 좋아"),
    "슬픔": ("눈물이 나", "마음이 무겁고 가라앉아", "슬퍼"),
    "분노": ("화가 치밀어", "못 참겠어", "속에서 불이 나"),
    "불안": ("가슴이 조마조마해", "마음이 편치 않아", "자꾸 떨려"),
    "당황": ("어쩔 줄을 모르겠어", "말문이 막혔어", "식은땀이 나"),
    "상처": ("마음이 찢어지는 것 같아", "가슴에 못이 박혔어", "서운하고 아파"),
}
ANYWHERE = ("자꾸 그 생각만 나", "밤늦도록 잠을 못 잤어", "말이 잘 나오지 않아", "뭐라고 해야 할까")
PLACES = (
    "회사에서",
    "학교에서",
    "집에 오는 길에",
    "동아리 모임에서",
    "가족 모임에서",
    "시장에서",
    "병원에서",
    "버스에서",
)
EVENTS = (
    *(
        "이야기를 듣고 나서",
        "전화를 받고",
        "일이 끝나고",
        "사람들을 만나고",
        "편지를 읽고",
        "약속이 바뀌고",
        "결과를 보고",
    ),
    *("줄을 서 있다가", "짐을 옮기다가", "회의를 하다가"),
)
SHARE_OF_SHARED, SHARE_OF_ANYWHERE = 0.25, 0.1


def rows(count: int, seed: int) -> list[tuple[str, str, str]]:
    """Returns sentences with their coarse and fine labels, as many of each fine label as of the others."""
    random_ = random.Random(seed)  # noqa: S311 - no secret
    fine = [(coarse, name) for coarse, names in FEELINGS.items() for name in names]
    found = []
    for index in range(count):
        coarse, name = fine[index % len(fine)]
        at = random_.random()
        cues = FEELINGS[coarse][name]
        if at < SHARE_OF_SHARED + SHARE_OF_ANYWHERE:
            cues = SHARED[coarse] if at < SHARE_OF_SHARED else ANYWHERE
        found.append((f"{random_.choice(PLACES)} {random_.choice(EVENTS)} {random_.choice(cues)}", coarse, name))
    random_.shuffle(found)
    return found


def write(path: Path, found: list[tuple[str, str, str]]) -> None:
    """Writes a CSV."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow([TEXT, COARSE, FINE])
        writer.writerows(found)


def baseline(train: list[tuple[str, str, str]], test: list[tuple[str, str, str]]) -> dict[str, tuple[float, float]]:
    """Returns accuracy and macro F1 of TF-IDF of characters with a logistic regression: fine, its sums, and coarse."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score, f1_score
    from sklearn.pipeline import make_pipeline

    def fitted(level: int) -> Any:
        model = make_pipeline(
            TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4)), LogisticRegression(C=10, max_iter=1000)
        )
        return model.fit([row[0] for row in train], [row[level] for row in train])

    def scores(answers: list[str], level: int) -> tuple[float, float]:
        truth = [row[level] for row in test]
        return accuracy_score(truth, answers), f1_score(truth, answers, average="macro")

    texts = [row[0] for row in test]
    fine, coarse = fitted(2), fitted(1)
    above = {name: label for label, names in FEELINGS.items() for name in names}
    labels = list(FEELINGS)
    sums = np.stack(
        [fine.predict_proba(texts)[:, [above[name] == label for name in fine.classes_]].sum(axis=1) for label in labels]
    )
    return {
        "fine": scores(fine.predict(texts).tolist(), 2),
        "coarse, sums of the fine": scores([labels[index] for index in sums.argmax(axis=0)], 1),
        "coarse, trained on the coarse": scores(coarse.predict(texts).tolist(), 1),
    }


def main(argv: list[str] | None = None) -> None:
    """Writes train.csv and test.csv, and prints the baseline."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.two_levels", description=__doc__)
    parser.add_argument("folder", type=Path, help="where train.csv and test.csv are written")
    parser.add_argument("--rows", type=int, default=960, help="rows to train on; half as many to test")
    args = parser.parse_args(argv)
    train, test = rows(args.rows, 1), rows(args.rows // 2, 2)
    known = {text for text, *_ in train}
    test = [row for row in test if row[0] not in known]
    args.folder.mkdir(parents=True, exist_ok=True)
    write(args.folder / "train.csv", train)
    write(args.folder / "test.csv", test)
    lines = [f"{len(train)} rows to train on, {len(test)} to test, whose texts are not among them"]
    for name, (accuracy, macro_f1) in baseline(train, test).items():
        lines.append(f"TF-IDF, {name}: accuracy {accuracy:.4f}, macro F1 {macro_f1:.4f}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
