"""Several labels a row: how many each row has, which rows have none, and which labels go together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.label_ids import class_names, is_labelled, label_ids
from ..wording import Wording
from .report import Finding, Split, counted
from .thresholds import NOTICE_SAME_LABEL

if TYPE_CHECKING:
    from datasets import Dataset

Sets = NDArray[np.int64]
"""1 where a row has a label, shape (rows, labels)."""
_SHOWN = 5
"""Pairs of labels that are named."""


def check_label_sets(dataset: Dataset, split: Split) -> list[Finding]:
    """Looks at the labels that rows have together; rows whose labels are not known are passed over."""
    names = class_names(dataset) or []
    sets = label_ids(dataset, names)
    sets = sets[is_labelled(sets)]
    return [_cardinality(sets, split), _empty(sets, split), _together(sets, names, split)] if len(sets) else []


def _cardinality(sets: Sets, split: Split) -> Finding:
    """Tells how many labels rows have (label cardinality and density; Tsoumakas and Katakis, 2007, section 4)."""
    sizes = sets.sum(axis=1)
    mean = float(sizes.mean())
    spread = {str(size): rows for size, rows in sorted(Counter(sizes.tolist()).items())}
    distinct = len(np.unique(sets, axis=0))
    alone = int(sizes.max()) < 2
    listed = ", ".join(f"{size}: {rows:,}" for size, rows in spread.items())
    return Finding(
        check="labels_per_row",
        status="notice" if alone else "ok",
        value=round(mean, 4),
        found=Wording(
            f"행마다 레이블 평균 {mean:.2f}개(전체 {sets.shape[1]}개의 {mean / sets.shape[1]:.1%}), 서로 다른 조합 "
            f"{distinct:,}개. 레이블 수: 행 수 — {listed}",
            f"{mean:.2f} labels a row on average ({mean / sets.shape[1]:.1%} of {sets.shape[1]}), {distinct:,} "
            f"distinct sets. Labels: rows — {listed}",
        ),
        advice=Wording(
            "레이블이 둘 이상인 행이 없습니다. 행마다 하나면 --task single-label이 맞습니다.",
            "No row has two labels. With one each, --task single-label is the task.",
        )
        if alone
        else None,
        details={"density": round(mean / sets.shape[1], 4), "distinct_sets": distinct, "rows": spread},
        split=split,
    )


def _empty(sets: Sets, split: Split) -> Finding:
    empty = int((sets.sum(axis=1) == 0).sum())
    return counted(
        "rows_without_labels",
        empty,
        Wording(
            f"레이블이 하나도 없다고 적힌 행 {empty:,}개({empty / len(sets):.1%})",
            f"{empty:,} row(s) ({empty / len(sets):.1%}) are known to have none of the labels",
        ),
        Wording(
            "모델도 빈 답을 내야 하면 --allow-empty로 학습하세요. 없으면 가장 가까운 레이블 하나를 냅니다.",
            "Where the model is to give empty answers too, train with --allow-empty; without it the nearest label is "
            "given.",
        ),
        split=split,
    )


def _together(sets: Sets, names: list[str], split: Split) -> Finding:
    """Tells which labels rows have together most, and which are nearly one and the same (by their Jaccard index)."""
    both = sets.T @ sets
    rows = np.diag(both)
    either = rows[:, None] + rows[None, :] - both
    jaccard = both / np.maximum(either, 1)
    first, second = np.triu_indices(len(names), 1)
    order = np.argsort(-both[first, second], kind="stable")
    pairs: list[dict[str, Any]] = [
        {
            "labels": [names[first[at]], names[second[at]]],
            "rows": int(both[first[at], second[at]]),
            "jaccard": round(float(jaccard[first[at], second[at]]), 4),
        }
        for at in order
        if both[first[at], second[at]]
    ]
    same = [pair for pair in pairs if pair["jaccard"] >= NOTICE_SAME_LABEL]
    listed = ", ".join(f"{'+'.join(pair['labels'])} {pair['rows']:,}" for pair in pairs[:_SHOWN]) or "-"
    nearly = ", ".join(f"{'='.join(pair['labels'])} {pair['jaccard']:.2f}" for pair in same[:_SHOWN])
    return Finding(
        check="labels_together",
        status="notice" if same else "ok",
        value=len(same),
        found=Wording(
            f"가장 자주 함께 있는 레이블(행 수): {listed}" + (f"; 거의 같은 레이블(자카드): {nearly}" if same else ""),
            f"labels together most often (rows): {listed}" + (f"; nearly the same (Jaccard): {nearly}" if same else ""),
        ),
        advice=Wording(
            "늘 함께 있는 레이블은 모델이 가를 수 없습니다. --label-map으로 하나로 합칠지 보세요.",
            "Labels that are always there together cannot be told apart. See whether --label-map should make them one.",
        )
        if same
        else None,
        details={"limit": NOTICE_SAME_LABEL, "pairs": pairs[:20], "nearly_same": same[:20]},
        split=split,
    )
