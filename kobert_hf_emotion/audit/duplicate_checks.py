"""Texts that come more than once in one file, and texts with more than one label."""

from __future__ import annotations

import numpy as np

from ..data.near_duplicates import SIMILARITY, near_twins
from ..wording import Wording
from .report import Example, Finding, Split, counted, shortened
from .rows import AuditedRows, Codes, codes
from .thresholds import PROBLEM_CONFLICTING

_EXAMPLES = 3

_ONE_FOLD = Wording(
    "같은 글은 한 겹에 묶여 나뉘므로 점수가 부풀지 않습니다. 모은 과정의 잘못이면 하나만 남기세요.",
    "Equal texts are kept in one fold, so scores are not inflated. If they are an accident of collecting, keep one.",
)


def check_duplicates(rows: AuditedRows, split: Split) -> list[Finding]:
    """Counts the rows whose text came before, word for word and after folding."""
    whole, first_whole = codes(rows.whole)
    keys, first_key = codes(rows.keys)
    index = np.arange(len(rows))
    repeats = first_whole[whole] != index
    folded = (first_key[keys] != index) & ~repeats
    exact_count, folded_count = int(repeats.sum()), int(folded.sum())
    return [
        counted(
            "exact_duplicates",
            exact_count,
            Wording(
                f"앞에 나온 글과 글자까지 같은 행 {exact_count:,}개",
                f"{exact_count:,} row(s) repeat an earlier text word for word",
            ),
            _ONE_FOLD,
            examples=_pairs(rows, np.flatnonzero(repeats), first_whole[whole]),
            split=split,
        ),
        counted(
            "folded_duplicates",
            folded_count,
            Wording(
                f"띄어쓰기, 문장 부호 반복, 대소문자만 다른 행 {folded_count:,}개",
                f"{folded_count:,} further row(s) differ from an earlier text in spacing, case or repeated marks only",
            ),
            _ONE_FOLD,
            examples=_pairs(rows, np.flatnonzero(folded), first_key[keys]),
            split=split,
        ),
    ]


def check_near_duplicates(train: AuditedRows, test: AuditedRows | None) -> tuple[Finding, Codes]:
    """Counts the training texts that are nearly an earlier one, and finds the near twins of test rows.

    Texts that are equal after folding count as duplicates and not here.

    Returns:
        The finding, and for each test row the index of a training row that is nearly the same; -1 where there is
        none, or where the row's text is a training text after folding. Shape (0,) without test rows.
    """
    _, first = codes(train.keys)
    keys = [train.keys[index] for index in first]
    test_keys = [] if test is None else test.keys
    known = set(keys)
    probes = list(dict.fromkeys(key for key in test_keys if key not in known))
    twins, probe_twins = near_twins(keys, probes)
    of_probe = {key: int(first[twin]) for key, twin in zip(probes, probe_twins.tolist(), strict=True) if twin >= 0}
    near = np.flatnonzero(twins >= 0)
    count = len(near)
    finding = counted(
        "near_duplicates",
        count,
        Wording(
            f"앞에 나온 글과 거의 같은 글 {count:,}개(이웃한 두 글자 묶음의 Jaccard {SIMILARITY:g} 이상)",
            f"{count:,} text(s) are nearly an earlier one (Jaccard similarity of character pairs {SIMILARITY:g} or "
            "more)",
        ),
        Wording(
            "한 겹에 묶이지 않으므로 겹 점수가 조금 부풀 수 있습니다. 고쳐 쓴 같은 글이면 하나만 남기세요.",
            "They may fall into different folds and inflate the scores a little. Of edits of one text, keep one.",
        ),
        examples=[_pair(train, int(first[late]), int(first[twins[late]])) for late in near[:_EXAMPLES]],
        details={"similarity": SIMILARITY},
    )
    return finding, np.asarray([of_probe.get(key, -1) for key in test_keys], dtype=np.int64)


def check_conflicts(rows: AuditedRows, split: Split) -> Finding:
    """Counts the texts, after folding, whose rows have different labels."""
    labelled = np.flatnonzero(rows.labels >= 0)
    keys, first = codes([rows.keys[index] for index in labelled])
    labels = rows.labels[labelled]
    differs = labels != labels[first[keys]] if len(labelled) else np.zeros(0, dtype=bool)
    conflicting = np.unique(keys[differs])
    affected = int(np.isin(keys, conflicting).sum())
    share = affected / max(len(labelled), 1)
    count = len(conflicting)
    examples = []
    for key in conflicting[:_EXAMPLES]:
        one, other = int(labelled[first[key]]), int(labelled[np.flatnonzero(differs & (keys == key))[0]])
        examples.append(
            Example(
                int(rows.numbers[other]),
                f"{shortened(rows.whole[other])} → {rows.label_name(other)}",
                int(rows.numbers[one]),
                f"→ {rows.label_name(one)}",
            )
        )
    return counted(
        "conflicting_labels",
        count,
        Wording(
            f"같은 글에 레이블이 여럿인 글 {count:,}개, {affected:,}행({share:.2%}; 한도 {PROBLEM_CONFLICTING:.0%})",
            f"{count:,} text(s) with more than one label, {affected:,} rows ({share:.2%}; limit "
            f"{PROBLEM_CONFLICTING:.0%})",
        ),
        Wording(
            "맥락 없이는 누구도 다 맞힐 수 없습니다. 레이블을 하나로 정하거나 그 행을 빼세요.",
            "Without context nobody can get all of them right: settle on one label or leave the rows out.",
        ),
        is_problem=share > PROBLEM_CONFLICTING,
        examples=examples,
        details={"rows": affected, "share": share, "limit": PROBLEM_CONFLICTING},
        split=split,
    )


def _pairs(rows: AuditedRows, later: Codes, first: Codes) -> tuple[Example, ...]:
    return tuple(_pair(rows, int(index), int(first[index])) for index in later[:_EXAMPLES])


def _pair(rows: AuditedRows, later: int, earlier: int) -> Example:
    other = None if rows.whole[earlier] == rows.whole[later] else shortened(rows.whole[earlier])
    return Example(int(rows.numbers[later]), shortened(rows.whole[later]), int(rows.numbers[earlier]), other)
