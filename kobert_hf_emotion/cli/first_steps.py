"""What `kobert-emotion` alone shows: what to type first."""

from __future__ import annotations

from ..wording import Language, Wording, titled

_STEPS = (
    (
        Wording("먼저, 들어 있는 모델로 한 문장", "first, a text with the model that is inside"),
        ('kobert-emotion predict default "오늘 정말 행복했어"', 'kobert-emotion explain default "오늘 정말 행복했어"'),
    ),
    (
        Wording(
            "내 데이터로: 검사, 학습, 시험, 예측, 서버", "with your data: audit, training, test, prediction, server"
        ),
        (
            "kobert-emotion doctor train.csv test.csv",
            "kobert-emotion train train.csv --output runs/a",
            "kobert-emotion test runs/a test.csv",
            "kobert-emotion predict runs/a/best test.csv --output predictions.csv",
            "kobert-emotion serve runs/a/best",
        ),
    ),
    (
        Wording("옛 노트북의 .pt가 있으면", "where there is a .pt of an old notebook"),
        ("kobert-emotion convert old_fold_5.pt --tokenizer skt/kobert-base-v1 --output converted",),
    ),
    (
        Wording("모든 명령, 그리고 명령마다의 선택지", "all commands, and the options of one"),
        ("kobert-emotion --help", "kobert-emotion train --help"),
    ),
)


def first_steps(language: Language) -> str:
    """Returns the commands that lead in, each group below what it is for."""
    parts = []
    for purpose, commands in _STEPS:
        parts.append("\n".join([f"{titled(*purpose, language)}:", *(f"  {command}" for command in commands)]))
    return "\n\n".join(parts)
