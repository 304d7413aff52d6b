"""Figures against the majority of votes, and against the votes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy
from sklearn.metrics import accuracy_score, f1_score

from kobert_hf_emotion.data.distributions import counted_as, has_most, is_tied, majority_ids, to_shares
from kobert_hf_emotion.metrics.bootstrap import score_intervals
from kobert_hf_emotion.metrics.calibration import (
    calibrate_out_of_fold,
    expected_calibration_error,
    fit_temperature,
    reliability_bins,
)
from kobert_hf_emotion.metrics.probabilities import log_loss, softmax
from kobert_hf_emotion.metrics.soft import jensen_shannon, soft_scores, vote_intervals
from kobert_hf_emotion.tasks.soft import Soft
from kobert_hf_emotion.wording import Language

LABELS = 4


def votes(rows: int = 300, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Logits and shares of ten votes, some of them tied."""
    random = np.random.default_rng(seed)
    latent = random.normal(0, 1.5, (rows, LABELS))
    counts = np.stack([random.multinomial(10, line) for line in softmax(latent)])
    return latent + random.normal(0, 1, latent.shape), to_shares(counts)


def test_figures_are_those_of_scipy_and_scikit_learn() -> None:
    logits, shares = votes()
    answers = logits.argmax(axis=1)
    found = soft_scores(logits, shares, answers)
    probabilities = softmax(logits)
    distances = np.array([jensenshannon(p, q) for p, q in zip(probabilities, shares, strict=True)])
    assert found.jensen_shannon == pytest.approx((distances**2).mean(), rel=1e-10)
    nats = [entropy(q) + entropy(q, p) for p, q in zip(probabilities, shares, strict=True)]
    assert found.log_loss == pytest.approx(np.mean(nats), rel=1e-10)
    assert found.entropy == pytest.approx(entropy(shares, axis=1).mean(), rel=1e-10)
    top = np.array([set(np.flatnonzero(np.isclose(row, row.max()))) for row in shares])
    truth = [answer if answer in most else min(most) for answer, most in zip(answers, top, strict=True)]
    assert found.accuracy == pytest.approx(accuracy_score(truth, answers))
    assert found.macro_f1 == pytest.approx(f1_score(truth, answers, average="macro"))
    assert found.ties == sum(len(most) > 1 for most in top) > 0
    clear = np.array([len(most) == 1 for most in top])
    assert found.untied_accuracy == pytest.approx((shares.argmax(axis=1) == answers)[clear].mean())
    assert found.vote_share == pytest.approx(shares[np.arange(len(shares)), answers].mean())
    assert found.best_vote_share == pytest.approx(shares.max(axis=1).mean())
    assert found.vote_share <= found.best_vote_share
    assert found.log_loss >= found.entropy


def test_of_one_vote_a_row_they_are_those_of_one_label() -> None:
    logits, shares = votes()
    ids = shares.argmax(axis=1)
    one_hot = np.eye(LABELS)[ids]
    found = soft_scores(logits, one_hot, logits.argmax(axis=1))
    assert found.log_loss == pytest.approx(log_loss(logits, ids), rel=1e-12)
    assert found.accuracy == pytest.approx((ids == logits.argmax(axis=1)).mean())
    assert found.ties == found.entropy == 0
    assert fit_temperature(logits, one_hot) == pytest.approx(fit_temperature(logits, ids), rel=1e-6)
    assert reliability_bins(softmax(logits), one_hot) == reliability_bins(softmax(logits), ids)


def test_divergence_of_extremes() -> None:
    certain = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    assert jensen_shannon(certain, certain).tolist() == [0.0, 0.0, 0.0]
    assert jensen_shannon(certain[:1], certain[1:2]) == pytest.approx([np.log(2)])
    far = np.array([[1000.0, -1000.0]])
    scores = soft_scores(far, np.array([[0.0, 1.0]]), np.array([0]))
    assert scores.log_loss == 2000
    assert scores.jensen_shannon == pytest.approx(np.log(2))


def test_ties() -> None:
    shares = to_shares(np.array([[1, 1, 0], [2, 1, 0], [1, 1, 1], [1 / 3, 1 / 3 + 1e-7, 1 / 3]]))
    assert is_tied(shares).tolist() == [True, False, True, True]
    assert majority_ids(shares).tolist() == [0, 0, 0, 0]
    assert has_most(shares).sum(axis=1).tolist() == [2, 1, 3, 3]
    answers = np.array([1, 1, 2, 0])
    assert counted_as(shares, answers).tolist() == [1, 0, 2, 0]
    logits = np.eye(3)[answers]
    assert Soft().right(logits, shares).tolist() == [True, False, True, True]
    scores = soft_scores(logits, shares, answers)
    assert (scores.accuracy, scores.ties, scores.untied_accuracy) == (0.75, 3, 0.0)


@pytest.mark.parametrize(
    ("language", "first", "others", "second"),
    [
        (
            "en",
            "rows with a tie: 3/4; any of the tied labels counts as right",
            "; accuracy of the others 0.0000",
            "the best that the votes allow: vote share 0.4583, cross-entropy 0.8817",
        ),
        (
            "ko",
            "표가 같은 행(동률): 3/4; 그중 어느 레이블로 답해도 맞은 것으로 셈",
            "; 나머지 행의 정확도 0.0000",
            "표가 허락하는 최고: 답이 받은 표의 몫 0.4583, 교차 엔트로피 0.8817",
        ),
        (
            "both",
            "표가 같은 행(동률) (rows with a tie): 3/4; "
            "그중 어느 레이블로 답해도 맞은 것으로 셈 (any of the tied labels counts as right)",
            "; 나머지 행의 정확도 (accuracy of the others) 0.0000",
            "표가 허락하는 최고 (the best that the votes allow): "
            "답이 받은 표의 몫 (vote share) 0.4583, 교차 엔트로피 (cross-entropy) 0.8817",
        ),
    ],
)
def test_remarks_tell_how_ties_count_and_what_the_votes_allow(
    language: Language, first: str, others: str, second: str
) -> None:
    shares = to_shares(np.array([[1, 1, 0], [2, 1, 0], [1, 1, 1], [1, 1, 1]]))
    answers = np.array([1, 1, 2, 0])
    found = soft_scores(np.eye(3)[answers], shares, answers)
    # (1/2 + 2/3 + 1/3 + 1/3) / 4, and (log 2 + (log 3 - 2/3 log 2) + 2 log 3) / 4
    assert found.best_vote_share == pytest.approx(11 / 24)
    assert found.entropy == pytest.approx((3 * np.log(3) + np.log(2) / 3) / 4)
    assert found.remarks(language) == [first + others, second]
    tied = soft_scores(np.eye(3)[answers[[0, 2, 3]]], shares[[0, 2, 3]], answers[[0, 2, 3]])
    assert np.isnan(tied.untied_accuracy)
    assert tied.remarks(language)[0] == first.replace("3/4", "3/3")
    one = soft_scores(np.eye(3)[[0, 1]], shares[[1, 2]], np.array([0, 1]))
    assert (one.untied_accuracy, one.ties) == (1.0, 1)


@pytest.mark.parametrize("groups", [None, [row * row // 30 for row in range(15)]])
def test_intervals_are_those_of_the_scores_of_drawn_rows(groups: list[int] | None) -> None:
    logits, shares = votes(15)
    answers = logits.argmax(axis=1)
    names = groups or list(range(15))
    units = [np.flatnonzero(np.array(names) == name) for name in dict.fromkeys(names)]
    random, drawn = np.random.default_rng(6), []
    for _ in range(70):
        rows = np.concatenate([units[unit] for unit in random.integers(0, len(units), len(units))])
        drawn.append(soft_scores(logits[rows], shares[rows], answers[rows]))
    found = vote_intervals(logits, shares, answers, groups, 70, 6)
    assert len(found) == 6
    for name, interval in found.items():
        expected = np.quantile([getattr(scores, name) for scores in drawn], [0.025, 0.975])
        assert (interval.low, interval.high) == pytest.approx(tuple(expected))
    assert vote_intervals(logits, shares, answers) == vote_intervals(logits, shares, answers, None, 2000, 42)


def test_draws_of_tied_rows_alone_are_left_out_of_what_others_are_for() -> None:
    shares = to_shares(np.array([[1, 1], [1, 1], [2, 1]]))
    answers = np.array([0, 0, 0])
    found = vote_intervals(np.eye(2)[answers], shares, answers, resamples=50)["untied_accuracy"]
    assert (found.low, found.high) == (1.0, 1.0)
    assert "untied_accuracy" not in vote_intervals(np.eye(2)[answers[:2]], shares[:2], answers[:2], resamples=5)


@pytest.mark.slow
def test_intervals_are_those_of_drawing_rows() -> None:
    logits, shares = votes(80)
    answers = logits.argmax(axis=1)
    found = vote_intervals(logits, shares, answers)
    random = np.random.default_rng(0)
    values = []
    for _ in range(2000):
        drawn = random.integers(0, 80, 80)
        values.append(soft_scores(logits[drawn], shares[drawn], answers[drawn]))
    for name in ("jensen_shannon", "log_loss", "vote_share", "entropy", "untied_accuracy"):
        low, high = np.quantile([getattr(scores, name) for scores in values], [0.025, 0.975])
        width = high - low
        assert found[name].low == pytest.approx(low, abs=0.12 * width)
        assert found[name].high == pytest.approx(high, abs=0.12 * width)
    grouped = vote_intervals(logits, shares, answers, [row // 20 for row in range(80)])
    assert grouped["log_loss"] != found["log_loss"]
    whole = Soft().intervals(logits, shares)
    assert whole["macro_f1"] == score_intervals(counted_as(shares, answers), answers, LABELS)["macro_f1"]


def test_a_temperature_brings_probabilities_to_the_votes() -> None:
    logits, shares = votes(2000)
    folds = np.arange(2000) % 4
    found = calibrate_out_of_fold(4 * logits, shares, folds)
    grid = np.exp(np.linspace(-1, 3, 4001))
    best = grid[np.argmin([log_loss(4 * logits / t, shares) for t in grid])]
    assert found.temperature == pytest.approx(best, rel=2e-3)
    assert found.log_loss_after < found.log_loss_before
    assert found.ece_after < found.ece_before
    # Against the votes: the mean of what a drawn vote says.
    probabilities = softmax(logits)
    random = np.random.default_rng(5)
    drawn = [
        expected_calibration_error(
            reliability_bins(probabilities, (random.random((2000, 1)) > shares.cumsum(axis=1)).sum(axis=1))
        )
        for _ in range(20)
    ]
    assert expected_calibration_error(reliability_bins(probabilities, shares)) == pytest.approx(
        np.mean(drawn), abs=0.02
    )
