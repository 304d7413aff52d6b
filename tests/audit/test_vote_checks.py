"""Agreement of annotators, ties, and the best that votes allow."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
from datasets import Dataset, Features, Value

from kobert_hf_emotion.audit import audit_dataset
from kobert_hf_emotion.audit.report import Finding
from kobert_hf_emotion.audit.vote_checks import annotator_against_others, check_votes, nominal_alpha
from kobert_hf_emotion.data.label_ids import vote_feature

NAMES = ["fear", "happy", "sad", "angry"]


def rows(votes: Any) -> Dataset:
    labels = [dict(zip(NAMES, map(float, row), strict=True)) for row in votes]
    texts = [f"{number}번째 일" for number in range(len(labels))]
    features = Features({"text": Value("string"), "label": vote_feature(NAMES)})
    return Dataset.from_dict({"text": texts, "label": labels}, features=features)


def alpha_by_pairs(votes: np.ndarray) -> float:
    """Krippendorff's own rendering (2011): pairs of values within units against pairs of all values."""
    units = [np.repeat(np.arange(votes.shape[1]), row) for row in votes.astype(int) if row.sum() > 1]
    observed = sum(
        (first != second) / (len(unit) - 1)
        for unit in units
        for i, first in enumerate(unit)
        for j, second in enumerate(unit)
        if i != j
    )
    values = np.concatenate(units)
    expected = sum((first != values).sum() for first in values) / (len(values) - 1)
    return float(1 - observed / expected)


def test_alpha_is_that_of_counting_pairs() -> None:
    pytest.importorskip("krippendorff")
    random = np.random.default_rng(1)
    votes = random.multinomial(10, [0.4, 0.3, 0.2, 0.1], 40)
    votes[0] = [1, 0, 0, 0]
    assert nominal_alpha(votes.astype(float)) == pytest.approx(alpha_by_pairs(votes), abs=1e-9)
    agreed = np.array([[5, 0, 0, 0], [0, 5, 0, 0]])
    assert nominal_alpha(agreed.astype(float)) == pytest.approx(1.0)
    assert np.isnan(nominal_alpha(np.array([[1.0, 0.0], [0.0, 1.0]])))


def test_an_annotator_against_the_others_is_counted_vote_by_vote() -> None:
    random = np.random.default_rng(2)
    votes = random.multinomial(7, [0.4, 0.3, 0.2, 0.1], 50)
    agreeing, total = 0, 0
    for row in votes:
        cast = np.repeat(np.arange(4), row)
        for index, label in enumerate(cast):
            others = np.bincount(np.delete(cast, index), minlength=4)
            agreeing += others[label] == others.max()
            total += 1
    assert annotator_against_others(votes.astype(float)) == pytest.approx(agreeing / total)


def found(votes: Any) -> dict[str, Finding]:
    return {finding.check: finding for finding in check_votes(rows(votes), "train")}


def test_what_is_said_of_votes() -> None:
    votes = [[6, 4, 0, 0], [5, 5, 0, 0], [0, 1, 9, 0], [2, 2, 2, 4]]
    report = audit_dataset(rows(votes), n_splits=None)
    assert report["best_vote_share"].value == pytest.approx((0.6 + 0.5 + 0.9 + 0.4) / 4)
    assert report["tied_votes"].value == 1
    assert report["tied_votes"].status == "notice"
    if importlib.util.find_spec("krippendorff"):
        assert report["annotator_agreement"].value == pytest.approx(alpha_by_pairs(np.array(votes)), abs=1e-4)
        assert report["annotator_agreement"].status == "notice", "below 0.667"
    assert report["imbalance_ratio"].details["classes"] == {"fear": 2, "happy": 0, "sad": 1, "angry": 1}


@pytest.mark.parametrize(
    ("votes", "part"),
    [
        ([[0.6, 0.4, 0, 0], [0.5, 0.5, 0, 0]], "has shares, not counts"),
        ([[60, 40, 0, 0], [50, 50, 0, 0]], "has percent, not counts"),
        ([[1, 0, 0, 0], [0, 1, 0, 0]], "no row has two votes"),
    ],
)
def test_agreement_needs_counts(votes: Any, part: str) -> None:
    pytest.importorskip("krippendorff")
    agreement = found(votes)["annotator_agreement"]
    assert agreement.value is None
    assert part in agreement.found.english


def test_without_the_library_the_way_to_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    agreement = found([[6, 4, 0, 0], [5, 5, 0, 0]])["annotator_agreement"]
    assert agreement.advice is not None
    assert "kobert-hf-emotion[review]" in agreement.advice.english
