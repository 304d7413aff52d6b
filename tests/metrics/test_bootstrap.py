"""Bootstrap intervals against rows drawn one by one, and against the binomial distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support
from sklearn.metrics import confusion_matrix as sklearn_confusion_matrix

from kobert_hf_emotion.errors import KoBERTEmotionError
from kobert_hf_emotion.metrics.bootstrap import (
    Interval,
    class_scores,
    confusion_matrix,
    confusion_scores,
    percentile_interval,
    resample_counts,
    resampled_sums,
    score_intervals,
    selection_optimism,
)

RANDOM = np.random.default_rng(3)
LABELS = RANDOM.integers(0, 4, 120)
PREDICTIONS = np.where(RANDOM.random(120) < 0.6, LABELS, RANDOM.integers(0, 4, 120))


def test_confusion_matrix_is_scikit_learns() -> None:
    expected = sklearn_confusion_matrix(LABELS, PREDICTIONS, labels=range(5))
    np.testing.assert_array_equal(confusion_matrix(LABELS, PREDICTIONS, 5), expected)


def test_scores_of_many_matrices_are_scikit_learns() -> None:
    draws = [(RANDOM.integers(0, 3, size), RANDOM.integers(0, 4, size)) for size in (1, 2, 3, 10, 40)]
    found = confusion_scores(np.stack([confusion_matrix(labels, predicted, 4) for labels, predicted in draws]))
    for index, (labels, predicted) in enumerate(draws):
        assert found["accuracy"][index] == pytest.approx(accuracy_score(labels, predicted))
        for average in ("macro", "weighted"):
            expected = f1_score(labels, predicted, average=average, zero_division=0)
            assert found[f"{average}_f1"][index] == pytest.approx(expected)


def test_scores_of_classes_are_scikit_learns() -> None:
    draws = [(RANDOM.integers(0, 3, size), RANDOM.integers(0, 4, size)) for size in (2, 10, 40)]
    draws += [(np.array([2]), np.array([2])), (np.array([1]), np.array([3]))]
    found = class_scores(np.stack([confusion_matrix(labels, predicted, 4) for labels, predicted in draws]))
    for index, (labels, predicted) in enumerate(draws):
        expected = precision_recall_fscore_support(labels, predicted, labels=range(4), zero_division=0)[:3]
        for name, values in zip(("precision", "recall", "f1-score"), expected, strict=True):
            np.testing.assert_allclose(found[name][index], values)


def macro_f1(labels: np.ndarray, predicted: np.ndarray) -> float:
    """From the definition, over the classes that occur; scikit-learn's takes milliseconds a call."""
    classes = np.union1d(labels, predicted)
    return float(
        np.mean(
            [
                2 * ((labels == c) & (predicted == c)).sum() / ((labels == c).sum() + (predicted == c).sum())
                for c in classes
            ]
        )
    )


@pytest.mark.parametrize("grouped", [False, True])
def test_intervals_are_those_of_drawing_row_by_row(grouped: bool) -> None:
    groups = np.arange(120) // 3 if grouped else np.arange(120)
    random = np.random.default_rng(0)
    units = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    draws = []
    for _ in range(800):
        rows = np.concatenate([units[i] for i in random.integers(0, len(units), len(units))])
        labels, predicted = LABELS[rows], PREDICTIONS[rows]
        draws.append([(labels == predicted).mean(), macro_f1(labels, predicted)])
    expected = np.quantile(draws, [0.025, 0.975], axis=0)
    found = score_intervals(LABELS, PREDICTIONS, 4, groups.tolist() if grouped else None, resamples=4000)
    for column, name in enumerate(("accuracy", "macro_f1")):
        # 800 draws place an end of the interval to about 0.005.
        assert (found[name].low, found[name].high) == pytest.approx(tuple(expected[:, column]), abs=0.02)


def test_an_accuracys_interval_is_the_binomial_one() -> None:
    labels = np.zeros(200, dtype=int)
    predictions = (np.arange(200) >= 150).astype(int)  # 150 of 200 are right
    found = score_intervals(labels, predictions, 2, resamples=20_000)["accuracy"]
    assert (found.low, found.high) == pytest.approx(tuple(binom(200, 0.75).ppf([0.025, 0.975]) / 200), abs=0.006)


def test_copies_do_not_make_an_interval_narrower() -> None:
    once = score_intervals(LABELS, PREDICTIONS, 4, list(range(120)))
    copies = score_intervals(np.tile(LABELS, 5), np.tile(PREDICTIONS, 5), 4, list(range(120)) * 5)
    naive = score_intervals(np.tile(LABELS, 5), np.tile(PREDICTIONS, 5), 4)
    for name, interval in once.items():
        width = interval.high - interval.low
        assert copies[name].high - copies[name].low == pytest.approx(width, rel=0.1)
        assert naive[name].high - naive[name].low < 0.6 * width


def test_equal_seeds_give_equal_intervals() -> None:
    assert score_intervals(LABELS, PREDICTIONS, 4) == score_intervals(LABELS, PREDICTIONS, 4)
    assert score_intervals(LABELS, PREDICTIONS, 4) != score_intervals(LABELS, PREDICTIONS, 4, seed=1)


def test_groups_of_equal_content_are_drawn_as_often_as_there_are_of_them() -> None:
    cells = np.array([0, 1, 0, 1, 2, 2, 1])  # groups a {0, 1}, b {0, 1}, c {1, 2, 2}
    counts = resample_counts(cells, 3, ["a", "a", "b", "b", "c", "c", "c"], resamples=4000)
    assert np.issubdtype(counts.dtype, np.integer)
    assert set(map(tuple, counts)) == {(3 - c, 3, 2 * c) for c in range(4)}
    assert counts[:, 2].mean() / 2 == pytest.approx(1, abs=0.05)  # three draws of one in three


def test_ids_of_few_bits_do_not_overflow() -> None:
    labels, predictions = np.array([19, 19, 0], dtype=np.int8), np.array([19, 18, 1], dtype=np.uint8)
    expected = sklearn_confusion_matrix(labels, predictions, labels=range(20))
    np.testing.assert_array_equal(confusion_matrix(labels, predictions, 20), expected)


def test_the_interval_leaves_a_fortieth_out_on_each_side() -> None:
    found = percentile_interval(np.arange(1001))
    assert (found.low, found.high) == pytest.approx((25, 975))
    assert str(Interval(0.12345678, 0.5)) == "0.1235–0.5000"


def test_an_interval_draws_2000_times_unless_told_otherwise() -> None:
    """`report.json` names the number and the seed, so that they can be drawn again."""
    found = score_intervals(LABELS, PREDICTIONS, 4)
    assert found == score_intervals(LABELS, PREDICTIONS, 4, resamples=2000, seed=42)
    assert found != score_intervals(LABELS, PREDICTIONS, 4, resamples=1999, seed=42)
    cells = LABELS * 4 + PREDICTIONS
    for groups in (None, LABELS.tolist()):
        counts = resample_counts(cells, 16, groups)
        assert counts.shape == (2000, 16)
        np.testing.assert_array_equal(counts, resample_counts(cells, 16, groups, 2000, 42))


@pytest.mark.parametrize("groups", [None, ["b", "a", "b", "c", "c", "c", "d"]])
def test_sums_are_those_of_drawing_rows(groups: list[str] | None) -> None:
    profiles = np.arange(14).reshape(7, 2) ** 2
    names = groups or list("abcdefg")
    units = [[row for row in range(7) if names[row] == name] for name in dict.fromkeys(names)]
    random = np.random.default_rng(3)
    expected = []
    for _ in range(130):
        drawn = random.integers(0, len(units), len(units))
        expected.append(sum(profiles[row] for unit in drawn for row in units[unit]))
    np.testing.assert_array_equal(resampled_sums(profiles, groups, 130, 3), expected)
    np.testing.assert_array_equal(resampled_sums(profiles / 4, groups, 130, 3), np.array(expected) / 4)


def test_rows_and_groups_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="zip"):
        resample_counts(np.array([0, 1, 1]), 2, ["a", "b"])


class TestOptimism:
    @pytest.mark.parametrize("grouped", [False, True])
    def test_it_is_that_of_drawing_rows(self, grouped: bool) -> None:
        random = np.random.default_rng(8)
        correct = {name: random.random(30) < 0.6 for name in "abc"}
        names = [f"글 {index * index // 40}" for index in range(30)] if grouped else list(range(30))
        units = [[row for row in range(30) if names[row] == name] for name in dict.fromkeys(names)]
        random = np.random.default_rng(42)
        gaps = []
        for _ in range(500):
            drawn = random.integers(0, len(units), len(units)).tolist()
            inside = [row for unit in drawn for row in units[unit]]
            outside = [row for unit in range(len(units)) if unit not in drawn for row in units[unit]]
            best = max(correct, key=lambda name: correct[name][inside].mean())
            gaps.append(correct[best][inside].mean() - correct[best][outside].mean())
        found = selection_optimism(correct, names if grouped else None)
        assert found.bootstrap == pytest.approx(np.mean(gaps))
        assert found.chosen == pytest.approx(max(values.mean() for values in correct.values()))
        assert found.mean == pytest.approx(np.mean([values.mean() for values in correct.values()]))

    def test_draws_that_leave_nothing_out_tell_nothing(self) -> None:
        assert selection_optimism({"a": np.array([True]), "b": np.array([False])}).bootstrap == 0
        # Of two rows half the draws hold both; in the others one is drawn twice, and the other judges.
        found = selection_optimism({"a": np.array([True, False]), "b": np.array([False, True])})
        assert found.bootstrap == 1

    def test_of_one_model_there_is_none(self) -> None:
        found = selection_optimism({"only": PREDICTIONS == LABELS}, resamples=2000)
        assert found.chosen == found.mean == accuracy_score(LABELS, PREDICTIONS)
        assert found.bootstrap == pytest.approx(0, abs=0.01)

    def test_of_equally_good_models_it_is_what_luck_adds(self) -> None:
        """Over many test files the estimate is, on average, what the best loses on rows it was not chosen on."""
        random = np.random.default_rng(5)
        gained, estimated = [], []
        for _ in range(150):
            correct = {str(model): random.random(100) < 0.7 for model in range(8)}
            gained.append(max(found.mean() for found in correct.values()) - 0.7)
            estimated.append(selection_optimism(correct, resamples=50, seed=int(random.integers(1e6))).bootstrap)
        assert np.mean(gained) > 0.05
        # Choosing on a resample, where the noise of the rows comes twice, overstates the luck somewhat.
        assert np.mean(gained) < np.mean(estimated) < 1.7 * np.mean(gained)

    def test_of_a_clear_winner_it_is_small(self) -> None:
        correct = {"good": np.arange(100) % 10 != 0, "bad": np.arange(100) % 2 == 0}
        found = selection_optimism(correct, resamples=2000)
        assert found.chosen == 0.9
        assert found.mean == pytest.approx(0.7)
        assert found.bootstrap == pytest.approx(0, abs=0.01)
        assert found.corrected == found.chosen - found.bootstrap

    def test_groups_are_left_out_as_a_whole(self) -> None:
        correct = {str(model): np.repeat(RANDOM.random(60) < 0.6, 4) for model in range(5)}
        by_group = selection_optimism(correct, np.repeat(np.arange(60), 4).tolist(), resamples=2000)
        once = selection_optimism({name: found[::4] for name, found in correct.items()}, resamples=2000)
        assert by_group.bootstrap == pytest.approx(once.bootstrap, abs=0.01)


def test_draws_in_parts_are_those_of_one_call() -> None:
    cells = np.random.default_rng(3).integers(0, 9, 500)
    shares = np.bincount(cells, minlength=9) / 500
    whole = np.random.default_rng(5).multinomial(500, shares, size=201)
    np.testing.assert_array_equal(resample_counts(cells, 9, None, 201, 5), whole)


@pytest.mark.parametrize("resamples", [0, -1, 2.5, True])
@pytest.mark.parametrize("groups", [None, ["a", "b"]])
def test_a_number_of_draws_that_is_none_is_refused(resamples: Any, groups: list[str] | None) -> None:
    with pytest.raises(KoBERTEmotionError, match="`resamples`"):
        score_intervals(np.array([0, 1]), np.array([0, 1]), 2, groups, resamples)
    with pytest.raises(KoBERTEmotionError, match="`resamples`"):
        resampled_sums(np.ones((2, 3)), groups, resamples, 0)
