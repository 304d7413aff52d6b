"""Votes of annotators: how far they agree, which rows are tied, and what accuracy they allow at best."""

from __future__ import annotations

import importlib.util
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.distributions import has_most, is_tied, to_shares
from ..data.label_ids import class_names, votes_of
from ..data.vote_tally import COUNTS, PERCENT, unit_of
from ..utils.progress import progress
from ..wording import Wording
from .report import Finding, Split, counted
from .thresholds import NOTICE_AGREEMENT

if TYPE_CHECKING:
    from datasets import Dataset

Votes = NDArray[np.float64]
"""Votes for each label, shape (rows, labels)."""


def check_votes(dataset: Dataset, split: Split) -> list[Finding]:
    """Looks at the votes of rows; those without any are passed over."""
    votes = votes_of(dataset)
    votes = votes[(votes >= 0).all(axis=1) & (votes.sum(axis=1) > 0)]
    if not len(votes):
        return []
    return [_agreement(votes, split), _ceiling(votes, class_names(dataset) or [], split), _ties(votes, split)]


def _are_counts(votes: Votes) -> bool:
    totals = np.unique(votes.sum(axis=1).round(6)).tolist()
    return unit_of(dict.fromkeys(totals, 1), bool((votes == votes.round()).all())) == COUNTS


def nominal_alpha(votes: Votes) -> float:
    """Returns Krippendorff's alpha of labels, nominal, as the library `krippendorff` computes it; nan without pairs.

    Krippendorff (2011), Computing Krippendorff's Alpha-Reliability. 1 is full agreement, 0 what chance would give.
    """
    import krippendorff

    used = votes[:, votes.any(axis=0)].astype(np.int64)
    if not (used.sum(axis=1) > 1).any():
        return math.nan
    if used.shape[1] < 2:
        return 1.0
    return float(krippendorff.alpha(value_counts=used, level_of_measurement="nominal"))


def _agreement(votes: Votes, split: Split) -> Finding:
    if not _are_counts(votes):
        percent = unit_of(dict.fromkeys(votes.sum(axis=1).tolist(), 1), bool((votes == votes.round()).all())) == PERCENT
        shown = ("백분율", "percent") if percent else ("몫", "shares")
        return _unknown(
            Wording(
                f"평가자 일치도(Krippendorff's alpha)를 셀 수 없습니다: 표의 수가 아니라 {shown[0]}만 있습니다",
                f"agreement (Krippendorff's alpha) cannot be computed: the file has {shown[1]}, not counts of votes",
            ),
            Wording(
                "몇 명이 고른 것인지 알아야 하므로 표의 수가 있는 파일이면 그 열을 쓰세요.",
                "It needs how many annotators chose each label: where there is a file with counts, use that.",
            ),
            split,
        )
    if importlib.util.find_spec("krippendorff") is None:
        return _unknown(
            Wording("평가자 일치도를 세려면 krippendorff가 필요합니다", "agreement needs the library krippendorff"),
            Wording("pip install 'kobert-hf-emotion[review]'", "pip install 'kobert-hf-emotion[review]'"),
            split,
        )
    with progress(Wording("평가자 일치도 세기", "counting how annotators agree")):
        alpha = nominal_alpha(votes)
    if math.isnan(alpha):
        return _unknown(
            Wording(
                "평가자 일치도를 셀 수 없습니다: 두 표 이상 있는 행이 없습니다",
                "agreement cannot be computed: no row has two votes or more",
            ),
            Wording(
                "표가 하나씩이면 한 레이블입니다: --task single-label",
                "With a vote a row, rows have one label: --task single-label",
            ),
            split,
        )
    low = alpha < NOTICE_AGREEMENT
    totals = votes.sum(axis=1)
    return Finding(
        check="annotator_agreement",
        status="notice" if low else "ok",
        value=round(alpha, 4),
        found=Wording(
            f"Krippendorff's alpha(명목) {alpha:.3f}: {len(votes):,}행, 행마다 {totals.min():g}–{totals.max():g}표",
            f"Krippendorff's alpha (nominal) {alpha:.3f}: {len(votes):,} rows of {totals.min():g} to "
            f"{totals.max():g} votes",
        ),
        advice=Wording(
            f"{NOTICE_AGREEMENT:g}보다 낮습니다(Krippendorff가 잠정적 결론에 두는 하한). 평가자들이 자주 갈리므로, "
            "한 레이블로 줄이지 말고 표를 배우게 하세요(--task soft).",
            f"It is below {NOTICE_AGREEMENT:g}, the least that Krippendorff allows for tentative conclusions. "
            "Annotators often differ: learn their votes (--task soft) rather than one label of them.",
        )
        if low
        else None,
        details={"rows": len(votes), "votes": float(totals.sum()), "limit": NOTICE_AGREEMENT},
        split=split,
    )


def _unknown(found: Wording, advice: Wording, split: Split) -> Finding:
    return Finding(check="annotator_agreement", status="notice", value=None, found=found, advice=advice, split=split)


def _ceiling(votes: Votes, names: list[str], split: Split) -> Finding:
    """Tells how often the label with most votes is that of a vote: nothing that answers with one label does better."""
    shares = to_shares(votes)
    best = float(shares.max(axis=1).mean())
    details: dict[str, Any] = {"labels": {}, "annotator_against_others": None}
    most = has_most(shares)
    details["labels"] = {
        name: round(float(shares[most[:, index], index].mean()), 4)
        for index, name in enumerate(names)
        if most[:, index].any()
    }
    human = ("", "")
    if _are_counts(votes) and (votes.sum(axis=1) > 1).any():
        found = annotator_against_others(votes)
        details["annotator_against_others"] = round(found, 4)
        human = (
            f". 평가자 한 사람이 나머지의 다수와 같은 비율 {found:.1%}",
            f". An annotator agrees with the majority of the others in {found:.1%}",
        )
    return Finding(
        check="best_vote_share",
        status="ok",
        value=round(best, 4),
        found=Wording(
            f"늘 다수의 레이블로 답해도 표 하나와 같은 비율은 {best:.1%}입니다(표가 허락하는 최고 정확도){human[0]}",
            f"who always answers with the majority agrees with {best:.1%} of the votes: the best accuracy that the "
            f"votes allow{human[1]}",
        ),
        details=details,
        split=split,
    )


def annotator_against_others(votes: Votes) -> float:
    """Returns how often a vote is for a label that has most of the other votes of its row; any label of a tie is right.

    Args:
        votes: Counts; rows with one vote are passed over.

    Example:
        >>> annotator_against_others(np.array([[2.0, 1.0]]))  # 1 of 2 and 1 of 2 others are tied; 0 of 2 others
        0.6666666666666666
    """
    several = votes[votes.sum(axis=1) > 1]
    agreeing = 0.0
    for label in range(several.shape[1]):
        cast = several[:, label]
        others = several.copy()
        others[:, label] -= 1
        agreeing += float((cast * (others[:, label] >= others.max(axis=1)) * (cast > 0)).sum())
    return agreeing / float(several.sum())


def _ties(votes: Votes, split: Split) -> Finding:
    ties = int(is_tied(to_shares(votes)).sum())
    return counted(
        "tied_votes",
        ties,
        Wording(
            f"표가 가장 많은 레이블이 둘 이상인 행 {ties:,}개({ties / len(votes):.1%})",
            f"{ties:,} row(s) ({ties / len(votes):.1%}) have several labels with most votes",
        ),
        Wording(
            "평가할 때는 그중 어느 레이블로 답해도 맞은 것으로 세고, 겹은 번호가 앞선 레이블로 나눕니다.",
            "In the figures any of these labels counts as right; for the folds such a row is one of the first of them.",
        ),
        split=split,
    )
