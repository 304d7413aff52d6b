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
    text = metrics.classification_report(truth, chosen, target_names=NAMES, digits=4, zero_division=0)
    expected = [line.split() for line in text.splitlines() if "samples avg" not in line]
    found_text = text_report_of_labels(answer_counts(truth, chosen).sum(axis=0), NAMES)
    assert [line.split() for line in found_text.splitlines()] == expected
    assert len({len(line) for line in found_text.splitlines() if line}) == 1, "columns end below each other"


@pytest.mark.parametrize("seed", range(24))
def test_figures_of_few_rows_are_scikit_learns(seed: int) -> None:
    random = np.random.default_rng(seed)
    count = 1 + seed % 5
    probabilities = random.integers(1, 8, (count, 3)) / 8
    truth, chosen = (random.random((2, count, 3)) < random.choice([0.3, 0.7])).astype(np.int64)
    answers = answer_counts(truth, chosen)
    assert answers.dtype == np.int64
    names = NAMES[:3]
    expected = metrics.classification_report(truth, chosen, target_names=names, output_dict=True, zero_division=0)
    found = table_report_of_labels(answers.sum(axis=0), names)
    for name, line in found.items():
        assert line == pytest.approx(expected[name])
    scores = multi_label_scores(scipy.special.logit(probabilities), truth, chosen)
    assert scores.rows == count
    for average in ("macro", "micro", "weighted"):
        assert vars(scores)[f"{average}_f1"] == pytest.approx(expected[f"{average} avg"]["f1-score"])
    assert scores.accuracy == pytest.approx(metrics.accuracy_score(truth, chosen))
    assert scores.hamming_loss == pytest.approx(metrics.hamming_loss(truth, chosen))
    precisions = [
        metrics.average_precision_score(truth[:, label], probabilities[:, label]) if truth[:, label].any() else np.nan
        for label in range(3)
    ]
    assert average_precision(probabilities, truth).tolist() == pytest.approx(precisions, nan_ok=True)
    known = [value for value in precisions if not np.isnan(value)]
    assert scores.mean_average_precision == pytest.approx(np.mean(known) if known else np.nan, nan_ok=True)
    by_label = label_table(probabilities, truth, chosen)
    for name, figure in (("f1", "f1-score"), ("precision", "precision"), ("recall", "recall"), ("rows", "support")):
        assert by_label[name].tolist() == pytest.approx([expected[label][figure] for label in names])
    assert by_label["given"].tolist() == chosen.sum(axis=0).tolist()
    assert by_label["ece"].tolist() == label_calibration_errors(probabilities, truth).tolist()


@pytest.mark.filterwarnings("error")
def test_where_no_row_has_a_label_there_is_no_mean_average_precision() -> None:
    nothing = np.zeros((2, 3), dtype=np.int64)
    found = multi_label_scores(np.zeros((2, 3)), nothing, nothing)
    assert np.isnan(found.mean_average_precision)
    assert (found.rows, found.accuracy, found.macro_f1, found.micro_f1, found.weighted_f1) == (2, 1.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("seed", range(40))
def test_a_threshold_lies_halfway_below_the_highest_cut_with_the_highest_f1(seed: int) -> None:
    random = np.random.default_rng(seed)
    count = 1 + seed % 8
    scores, has = random.integers(0, 9, count) / 8, random.random(count) < random.choice([0.2, 0.6, 1.0])
    threshold = fit_thresholds(scores[:, None], has[:, None])[0]
    if not has.any():
        assert threshold == 0.5
        return
    cuts = np.unique(scores)
    f1 = [metrics.f1_score(has, scores >= cut) for cut in cuts]
    above = max(cut for cut, value in zip(cuts, f1, strict=True) if value > max(f1) - 1e-12)
    assert threshold == (above + max(cuts[cuts < above], default=0.0)) / 2


def test_a_threshold_is_above_the_next_probability_however_near() -> None:
    lower = np.array([0.25, np.nextafter(0.25, 1), 0.7, np.nextafter(0.7, 1), 1 - 2**-52])
    upper = np.nextafter(lower, 2)
    for pair in zip(lower, upper, strict=True):
        probabilities, truth = np.array(pair)[:, None], np.array([[0], [1]])
        thresholds = fit_thresholds(probabilities, truth)
        assert decide(probabilities, thresholds, allow_empty=True).tolist() == [[False], [True]]


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


def test_of_no_answer_the_nearest_in_odds_is_given() -> None:
    random = np.random.default_rng(2)
    thresholds = random.uniform(0.05, 0.95, 5)
    probabilities = thresholds * random.uniform(0.2, 0.99, (200, 5))
    margins = scipy.special.logit(probabilities) - scipy.special.logit(thresholds)
    np.testing.assert_array_equal(decide(probabilities, thresholds), margins == margins.max(axis=1, keepdims=True))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("probabilities", "thresholds", "given"),
    [
        ([0.0, 0.0], [0.5, 0.1], 1),
        ([0.2, 0.7], [1.0, 1.0], 1),
        ([0.0, 1e-9], [1.0, 1.0], 1),
        ([0.4, 0.4], [0.5, 1.0], 0),
    ],
)
def test_probabilities_and_thresholds_of_0_and_1_have_finite_odds(
    probabilities: list[float], thresholds: list[float], given: int
) -> None:
    assert decide(np.array([probabilities]), np.array(thresholds)).argmax() == given
    assert decide(np.array([probabilities]), np.array(thresholds)).sum() == 1


@pytest.mark.parametrize("groups", [None, [row * row // 30 for row in range(15)]])
def test_intervals_are_those_of_the_scores_of_drawn_rows(
    rows: tuple[np.ndarray, np.ndarray], groups: list[int] | None
) -> None:
    logits, truth = (part[:15] for part in rows)
    chosen = decide(sigmoid(logits), np.full(4, 0.4)).astype(int)
    names = groups or list(range(15))
    units = [np.flatnonzero(np.array(names) == name) for name in dict.fromkeys(names)]
    random, drawn = np.random.default_rng(6), []
    for _ in range(70):
        some = np.concatenate([units[unit] for unit in random.integers(0, len(units), len(units))])
        drawn.append(multi_label_scores(logits[some], truth[some], chosen[some]))
    found = multi_label_intervals(truth, chosen, groups, 70, 6)
    assert set(found) == {"accuracy", "macro_f1", "micro_f1", "weighted_f1", "hamming_loss"}
    for name, interval in found.items():
        expected = np.quantile([getattr(scores, name) for scores in drawn], [0.025, 0.975])
        assert (interval.low, interval.high) == pytest.approx(tuple(expected))
    assert multi_label_intervals(truth, chosen) == multi_label_intervals(truth, chosen, None, 2000, 42)


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


@pytest.mark.parametrize("bins", [4, 15])
@pytest.mark.parametrize("count", [1, 3, 200])
def test_calibration_errors_are_those_of_a_loop_over_the_bins(bins: int, count: int) -> None:
    random = np.random.default_rng(count)
    probabilities = random.random((count, 3))
    probabilities[0] = [0.0, 1.0, 0.999]
    probabilities[-1, 0] = 1.0
    truth = random.integers(0, 2, (count, 3))
    probabilities[1:2, 1], truth[:2, 1] = 0.99, [0, 1][:count]  # 1 is in the last bin, with what is just below it
    expected = np.zeros(3)
    for label in range(3):
        scores, has = probabilities[:, label], truth[:, label]
        for number in range(bins):
            low, high = number / bins, (number + 1) / bins
            inside = (scores >= low) & ((scores < high) | (number == bins - 1))
            if inside.any():
                expected[label] += inside.sum() / count * abs(has[inside].mean() - scores[inside].mean())
    assert label_calibration_errors(probabilities, truth, bins).tolist() == pytest.approx(expected.tolist())


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
