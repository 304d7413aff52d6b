"""The sections of a report, each from the parts of the run that it shows.

A section raises `MissingPartError`, or one of `DAMAGED`, where the run has not what it shows.
"""

from __future__ import annotations

from collections.abc import Callable

from ..content import RunContent
from .audit import audit
from .examples import mistakes, suspects
from .matrix import confusion
from .origin import arguments, card, tests
from .reliability import calibration
from .scores import classes, curves, folds, summary

DAMAGED = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""What reading a record raises that another version wrote, or that was changed by hand."""

SECTIONS: tuple[tuple[str, tuple[str, str], Callable[[RunContent], str]], ...] = (
    ("summary", ("요약", "Summary"), summary),
    ("folds", ("겹별 점수", "Scores by fold"), folds),
    ("curves", ("학습 곡선", "Curves of the training"), curves),
    ("confusion", ("혼동 행렬", "Confusion matrix"), confusion),
    ("classes", ("라벨별 점수", "Scores by label"), classes),
    ("calibration", ("확률 보정", "Calibration"), calibration),
    ("mistakes", ("가장 확신하고 틀린 행", "The most confident mistakes"), mistakes),
    ("suspects", ("의심되는 라벨", "Suspected labels"), suspects),
    ("tests", ("시험 파일", "Test files"), tests),
    ("audit", ("데이터 검사", "Audit of the data"), audit),
    ("arguments", ("인자와 버전", "Arguments and versions"), arguments),
    ("card", ("모델 카드", "Model card"), card),
)
"""Name, title in both languages, and what returns the HTML."""
