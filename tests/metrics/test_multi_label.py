"""Figures of several labels a row, beside scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
from sklearn import metrics

from kobert_hf_emotion.metrics.classification_report import table_report_of_labels, text_report_of_labels
from kobert_hf_emotion.metrics.multi_label import (
    answer_counts,
    average_precision,
    decide,
    fit_thresholds,
    label_calibration_errors,
    label_table,
    multi_label_intervals,
    multi_label_scores,
    precision_interval,
)
from kobert_hf_emotion.metrics.probabilities import sigmoid

NAMES = ["기쁨", "슬픔", "놀람", "없음"]


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    logits = random.normal(size=(400, 4)).round(1)  # ties among them
    truth = (random.random((400, 4)) < scipy.special.expit(logits - 1)).astype(np.int64)
    truth[:, 3] = 0  # a label that no row has
    return logits, truth


def test_scores_are_scikit_learns(rows: tuple[np.ndarray, np.ndarray]) -> None:
    logits, truth = rows
    chosen = decide(sigmoid(logits), np.array([0.4, 0.5, 0.6, 0.99])).astype(int)
    found = multi_label_scores(logits, truth, chosen)
    for name in ("macro", "micro", "weighted"):
        expected = metrics.f1_score(truth, chosen, average=name, zero_division=0)
        assert vars(found)[f"{name}_f1"] == pytest.approx(expected)
    assert found.accuracy == pytest.approx(metrics.accuracy_score(truth, chosen))
    assert found.hamming_loss == pytest.approx(metrics.hamming_loss(truth, chosen))
    probabilities = scipy.special.expit(logits)
    three = [metrics.average_precision_score(truth[:, label], probabilities[:, label]) for label in range(3)]
    assert average_precision(probabilities, truth)[:3].tolist() == pytest.approx(three)
    assert np.isnan(average_precision(probabilities, truth)[3])
    assert found.mean_average_precision == pytest.approx(np.mean(three))
    assert found.log_loss == pytest.approx(metrics.log_loss(truth.ravel(), probabilities.ravel()))
    report = metrics.classification_report(truth, chosen, target_names=NAMES, output_dict=True, zero_division=0)
    table = table_report_of_labels(answer_counts(truth, chosen).sum(axis=0), NAMES)
    assert set(table) == set(report) - {"samples avg"}
    for name, line in table.items():
        assert line == pytest.approx(report[name])
    assert "weighted avg" in text_report_of_labels(answer_counts(truth, chosen).sum(axis=0), NAMES)
    by_label = label_table(probabilities, truth, chosen)
    assert by_label["f1"].tolist() == pytest.approx(metrics.f1_score(truth, chosen, average=None, zero_division=0))
    assert by_label["rows"].tolist() == truth.sum(axis=0).tolist()


def test_thresholds_have_the_highest_f1_there_is(rows: tuple[np.ndarray, np.ndarray]) -> None:
    logits, truth = rows
    probabilities = sigmoid(logits)
    thresholds = fit_thresholds(probabilities, truth)
    assert thresholds[3] == 0.5, "nothing is known of a label that no row has"
    for label in range(3):
        scores = probabilities[:, label]
        found = metrics.f1_score(truth[:, label], scores >= thresholds[label])
        best = max(metrics.f1_score(truth[:, label], scores >= at) for at in np.unique(scores))
        assert found == pytest.approx(best)
        assert thresholds[label] not in scores, "between probabilities, so that the last bit decides nothing"


def test_no_answer_is_empty_unless_it_may_be() -> None:
    probabilities = np.array([[0.9, 0.1], [0.3, 0.04], [0.1, 0.09]])
    thresholds = np.array([0.5, 0.1])
    assert decide(probabilities, thresholds).tolist() == [[True, True], [True, False], [False, True]]
    assert decide(probabilities, thresholds, allow_empty=True).any(axis=1).tolist() == [True, False, False]
    assert decide(np.zeros((2, 2)), np.array([1.0, 0.5])).sum(axis=1).tolist() == [1, 1]
    assert decide(np.zeros((0, 2)), thresholds).shape == (0, 2)


def test_intervals_hold_the_score_and_copies_widen_them(rows: tuple[np.ndarray, np.ndarray]) -> None:
    logits, truth = rows
    chosen = decide(sigmoid(logits), np.full(4, 0.5)).astype(int)
    scores = vars(multi_label_scores(logits, truth, chosen))
    alone = multi_label_intervals(truth, chosen, resamples=300)
    for name, interval in alone.items():
        assert interval.low < scores[name] < interval.high
    doubled = multi_label_intervals(np.repeat(truth, 2, axis=0), np.repeat(chosen, 2, axis=0), resamples=300)
    groups = np.repeat(np.arange(len(truth)), 2).tolist()
    grouped = multi_label_intervals(np.repeat(truth, 2, axis=0), np.repeat(chosen, 2, axis=0), groups, resamples=300)
    width = {
        name: found["macro_f1"].high - found["macro_f1"].low
        for name, found in (("alone", alone), ("doubled", doubled), ("grouped", grouped))
    }
    assert width["doubled"] < 0.85 * width["grouped"], "copies of a row tell no more than the row"
    assert grouped == alone


@pytest.mark.parametrize("grouped", [False, True])
def test_the_interval_of_the_mean_average_precision(rows: tuple[np.ndarray, np.ndarray], grouped: bool) -> None:
    """Against scikit-learn's average precision of the same rows, drawn one by one."""
    logits, truth = (part[:60] for part in rows)
    groups = (np.arange(60) // 3).tolist() if grouped else None
    units = 20 if grouped else 60
    random, means = np.random.default_rng(42), []
    for _ in range(100):
        drawn = random.integers(0, units, units)
        chosen = np.concatenate([np.arange(3) + 3 * unit for unit in drawn]) if grouped else drawn
        means.append(
            np.mean(
                [
                    metrics.average_precision_score(truth[chosen, label], logits[chosen, label])
                    for label in range(4)
                    if truth[chosen, label].any()
                ]
            )
        )
    found = precision_interval(sigmoid(logits), truth, groups, resamples=100)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])))
    none = precision_interval(sigmoid(logits), np.zeros_like(truth))
    assert np.isnan([none.low, none.high]).all()


def test_calibration_errors() -> None:
    probabilities = np.array([[0.8, 0.3]] * 10)
    truth = np.array([[1, 0]] * 8 + [[0, 1]] * 2)
    assert label_calibration_errors(probabilities, truth).tolist() == pytest.approx([0.0, 0.1])


def test_extreme_logits_keep_their_probabilities_and_losses() -> None:
    logits = np.array([[1000.0, -1000.0], [-1000.0, 1000.0]], dtype=np.float32)
    truth = np.array([[1, 0], [1, 0]])
    assert sigmoid(logits).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert multi_label_scores(logits, truth, truth).log_loss == pytest.approx(500.0)


@pytest.mark.filterwarnings("error")
def test_draws_without_any_label_have_no_average_precision_and_are_left_out() -> None:
    probabilities = np.array([[0.9, 0.4], [0.8, 0.3], [0.7, 0.2]])
    truth = np.array([[0, 0], [1, 0], [0, 0]])
    # The row that has it comes behind the first one: 1 where that was not drawn, and less the oftener it was.
    random, precisions = np.random.default_rng(42), []
    for _ in range(200):
        times = np.bincount(random.integers(0, 3, 3), minlength=3)
        if times[1]:
            precisions.append(times[1] / (times[0] + times[1]))
    assert len(precisions) < 200
    found = precision_interval(probabilities, truth, resamples=200)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(precisions, [0.025, 0.975])))
