"""Test texts that are trained on as well."""

from __future__ import annotations

import numpy as np

from ..wording import Wording
from .report import Example, Finding, counted, shortened
from .rows import AuditedRows, Codes
from .thresholds import PROBLEM_NEAR_OVERLAP, PROBLEM_TEST_OVERLAP

_EXAMPLES = 3

_LEAVE_OUT = Wording(
    "이 행들을 학습에서 빼거나, 정확도를 이 행들을 넣고도 빼고도 적으세요.",
    "Leave these rows out of training, or report the accuracy with and without them.",
)


def check_overlap(train: AuditedRows, test: AuditedRows, near: Codes | None) -> list[Finding]:
    """Counts the test rows whose text stands in the training file: word for word, after folding, nearly.

    A row is counted once, under the first that holds.

    Args:
        train: The training rows.
        test: The test rows.
        near: For each test row the index of a training row that is nearly the same, or -1; None to leave that out.
    """
    exact = _lookup(train.whole, test.whole)
    folded = np.where(exact < 0, _lookup(train.keys, test.keys), -1)
    equal = int((exact >= 0).sum() + (folded >= 0).sum())
    is_problem = equal / max(len(test), 1) > PROBLEM_TEST_OVERLAP
    findings = [
        _finding(
            "train_test_overlap",
            train,
            test,
            exact,
            Wording("글자까지 같습니다", "stand word for word in the training file"),
            is_problem,
            PROBLEM_TEST_OVERLAP,
        ),
        _finding(
            "train_test_overlap_folded",
            train,
            test,
            folded,
            Wording(
                "띄어쓰기, 문장 부호 반복, 대소문자만 다릅니다",
                "stand in the training file but for spacing, case or repeated marks",
            ),
            is_problem,
            PROBLEM_TEST_OVERLAP,
        ),
    ]
    if near is not None:
        too_many = (near >= 0).mean() > PROBLEM_NEAR_OVERLAP if len(near) else False
        findings.append(
            _finding(
                "train_test_overlap_near",
                train,
                test,
                near,
                Wording("거의 같습니다", "are nearly a text of the training file"),
                bool(too_many),
                PROBLEM_NEAR_OVERLAP,
            )
        )
    if train.groups is not None and test.groups is not None:
        findings.append(_check_groups(train.groups, test.groups, test))
    return findings


def _lookup(train: list[str], test: list[str]) -> Codes:
    """Returns for each of `test` the index of the first equal one of `train`, -1 where there is none."""
    first: dict[str, int] = {}
    for index, value in enumerate(train):
        first.setdefault(value, index)
    return np.asarray([first.get(value, -1) for value in test], dtype=np.int64)


def _finding(
    check: str,
    train: AuditedRows,
    test: AuditedRows,
    twins: Codes,
    how: Wording,
    is_problem: bool,
    limit: float,
) -> Finding:
    found = np.flatnonzero(twins >= 0)
    count, share = len(found), len(found) / max(len(test), 1)
    both = (test.labels[found] >= 0) & (train.labels[twins[found]] >= 0)
    other_label = int((both & (test.labels[found] != train.labels[twins[found]])).sum())
    return counted(
        check,
        count,
        Wording(
            f"평가 행 {count:,}개({share:.2%})의 글이 학습 파일의 글과 {how.korean}"
            + (f"(그중 {other_label:,}개는 레이블이 다름)" if other_label else ""),
            f"{count:,} test row(s) ({share:.2%}) {how.english}"
            + (f", {other_label:,} of them with another label" if other_label else ""),
        ),
        _LEAVE_OUT,
        is_problem=is_problem,
        examples=[_example(train, test, int(index), int(twins[index])) for index in found[:_EXAMPLES]],
        details={"share": share, "limit": limit, "other_label": other_label},
    )


def _example(train: AuditedRows, test: AuditedRows, late: int, early: int) -> Example:
    other = None if train.whole[early] == test.whole[late] else shortened(train.whole[early])
    return Example(int(test.numbers[late]), shortened(test.whole[late]), int(train.numbers[early]), other)


def _check_groups(train: list[str], test: list[str], rows: AuditedRows) -> Finding:
    known = set(train)
    shared = [index for index, group in enumerate(test) if group in known]
    count = len({test[index] for index in shared})
    return counted(
        "train_test_group_overlap",
        count,
        Wording(
            f"두 파일에 다 있는 그룹 {count:,}개(평가 {len(shared):,}행)",
            f"{count:,} group(s) are in both files ({len(shared):,} test rows)",
        ),
        Wording(
            "같은 화자의 글은 서로 닮았습니다. 새 화자에서의 성능을 재려면 그룹이 겹치지 않게 나누세요.",
            "Texts of one speaker are alike: to measure how it does with new ones, split so that no group is in both.",
        ),
        examples=[Example(int(rows.numbers[index]), shortened(test[index])) for index in shared[:1]],
        details={"rows": len(shared)},
    )
