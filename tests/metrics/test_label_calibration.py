"""The scales of labels, against a logistic regression of scikit-learn's, and what they must never touch."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from kobert_hf_emotion.configuration import EmotionConfig
from kobert_hf_emotion.errors import CheckpointError
from kobert_hf_emotion.metrics.label_calibration import (
    LabelScales,
    calibrate_labels,
    fit_label_scales,
    label_losses,
    platt_scales,
    scales_without_each,
)
from kobert_hf_emotion.metrics.multi_label import average_precision, label_calibration_errors
from kobert_hf_emotion.metrics.probabilities import sigmoid
from kobert_hf_emotion.tasks.calibration import as_trained, calibrated

SLOPES, SHIFTS = np.array([2.0, 0.5, 1.0]), np.array([1.0, -2.0, 0.0])


def rows(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels that are there as often as other logits say."""
    random = np.random.default_rng(seed)
    logits = random.normal(-0.5, 1.5, (count, 3))
    truth = random.random((count, 3)) < 1 / (1 + np.exp(-(logits * SLOPES + SHIFTS)))
    return logits.astype(np.float32), truth.astype(np.int64)


def flatness(logits: np.ndarray, has: np.ndarray, pair: list[float]) -> tuple[float, float]:
    """The slopes of what a scale makes least, the sum over the rows and of the slope's prior, in slope and shift."""
    slope, shift = pair
    target = np.where(has, (has.sum() + 1) / (has.sum() + 2), 1 / ((1 - has).sum() + 2))
    wrong = sigmoid(logits * slope + shift) - target
    return float((wrong * logits).sum() + slope - 1), float(wrong.sum())


@pytest.mark.parametrize(("count", "close"), [(40, 0.3), (20_000, 1e-3)])
def test_a_scale_is_that_of_a_logistic_regression_with_platts_targets(count: int, close: float) -> None:
    """The prior of the slope is all that sets them apart, which of many rows is nothing."""
    logits, truth = rows(count)
    found = platt_scales(logits, truth)
    for label in range(3):
        scores, has = logits[:, [label]].astype(float), truth[:, label]
        target = np.where(has, (has.sum() + 1) / (has.sum() + 2), 1 / ((1 - has).sum() + 2))

        def objective(pair: np.ndarray, scores: np.ndarray = scores, target: np.ndarray = target) -> float:
            p = 1 / (1 + np.exp(-(pair[0] * scores[:, 0] + pair[1])))
            return float(-(target * np.log(p) + (1 - target) * np.log(1 - p)).sum() + (pair[0] - 1) ** 2 / 2)

        least = minimize(objective, [0.5, 0.0], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10})
        assert found.pairs[label] == pytest.approx(least.x, abs=1e-4)
        model = LogisticRegression(C=1e12, tol=1e-12, max_iter=10_000)
        model.fit(np.vstack([scores, scores]), np.repeat([1, 0], len(has)), np.concatenate([target, 1 - target]))
        assert found.pairs[label] == pytest.approx([model.coef_[0, 0], model.intercept_[0]], rel=close, abs=close)


def test_what_is_wrong_with_probabilities_is_found_and_mended() -> None:
    logits, truth = rows(30_000)
    found = calibrate_labels(logits, truth, np.arange(len(logits)) % 5)
    np.testing.assert_allclose(found.scales.slopes, SLOPES, atol=0.1)
    np.testing.assert_allclose(found.scales.shifts, SHIFTS, atol=0.1)
    assert (found.ece_after[:2] < 0.3 * found.ece_before[:2]).all()
    np.testing.assert_allclose(found.ece_before, label_calibration_errors(sigmoid(logits), truth))
    for label in range(3):
        expected = log_loss(truth[:, label], sigmoid(logits)[:, label])
        assert found.loss_before[label] == pytest.approx(expected, rel=1e-5)


def test_the_rows_of_a_fold_have_no_say_in_their_own_scales() -> None:
    logits, truth = rows(200)
    folds = np.arange(200) % 4
    before = scales_without_each(logits, truth, folds)
    changed = truth.copy()
    changed[folds == 2] = 1 - changed[folds == 2]
    after = scales_without_each(logits, changed, folds)
    assert after[2] == before[2]
    assert after[1] != before[1]


def test_a_scale_that_does_not_lower_the_loss_on_other_rows_is_not_kept() -> None:
    logits, truth = rows(400)
    folds = np.arange(400) % 2
    truth[:, 0] = np.where(folds == 0, logits[:, 0] > 0, logits[:, 0] < 0)  # what one fold teaches misleads the other
    found = fit_label_scales(logits, truth, folds)
    assert found.kept[:2] == [False, True]
    for label, kept in enumerate(found.kept):
        scaled = logits.copy()
        for fold in (0, 1):
            other = platt_scales(logits[folds != fold], truth[folds != fold])
            scaled[folds == fold] = other.apply(logits[folds == fold])
        assert kept == (label_losses(scaled, truth) < label_losses(logits, truth))[label]


def test_labels_that_none_or_all_have_and_those_that_logits_tell_wrongly_keep_their_logits() -> None:
    logits, _ = rows(50)
    truth = np.stack([np.zeros(50), np.ones(50), logits[:, 2] < 0], axis=1).astype(np.int64)
    assert platt_scales(logits, truth) == LabelScales.none(3)
    assert not any(LabelScales.none(3).kept)


def test_logits_that_hardly_differ_have_a_slope_near_1() -> None:
    random = np.random.default_rng(5)
    logits = (-2 + random.normal(0, 1e-3, (30, 2))).astype(np.float32)
    truth = random.integers(0, 2, (30, 2))
    found = platt_scales(logits, truth)
    assert np.abs(np.array(found.slopes) - 1).max() < 0.1
    np.testing.assert_allclose(sigmoid(found.apply(logits)).mean(axis=0), truth.mean(axis=0), atol=0.05)


def test_labels_told_apart_without_a_mistake_and_huge_logits_have_finite_scales() -> None:
    logits = np.array([[-1000.0, -3.0], [1000.0, 3.0]] * 20, dtype=np.float32)
    truth = np.array([[0, 0], [1, 1]] * 20)
    found = platt_scales(logits, truth)
    assert np.isfinite(found.pairs).all()
    assert (np.array(found.slopes) > 0).all()
    assert (label_losses(found.apply(logits), truth) < 0.05).all()


def test_the_order_of_rows_and_so_average_precision_stays() -> None:
    logits, truth = rows(500)
    scales = platt_scales(logits, truth)
    before, after = (average_precision(sigmoid(found), truth) for found in (logits, scales.apply(logits)))
    np.testing.assert_allclose(after, before, atol=1e-4)
    np.testing.assert_allclose(scales.undo(scales.apply(logits)), logits, atol=1e-4)


def test_logits_are_calibrated_as_a_configuration_says() -> None:
    logits = rows(4)[0]
    config = EmotionConfig(num_labels=3, problem_type="multi_label_classification")
    np.testing.assert_array_equal(calibrated(logits, config), logits)
    config.label_calibration = [[2, 1.0], [0.5, -2.0], [1, 0]]
    np.testing.assert_allclose(calibrated(logits, config), logits * SLOPES + SHIFTS, rtol=1e-6)
    np.testing.assert_allclose(as_trained(calibrated(logits, config), config), logits, atol=1e-5)
    for wrong in ([[1.0, 0.0]], [[0, 0]] * 3, [[1.0, float("nan")]] * 3):
        config.label_calibration = wrong
        with pytest.raises(CheckpointError, match="label_calibration"):
            calibrated(logits, config)
    single = EmotionConfig(softmax_temperature=2.0, label_calibration=[[2.0, 0.0]] * 7)
    np.testing.assert_array_equal(calibrated(logits, single), logits / 2)


@pytest.mark.parametrize("scale", [0.02, 1.0, 30.0])
def test_few_rows_have_the_scale_at_which_nothing_falls_any_more(scale: float) -> None:
    """The sum over the rows and of the slope's prior is flat there, whatever the way to it."""
    logits, truth = rows(12, 5)
    wide = (scale * logits).astype(np.float64)
    found = platt_scales(wide, truth)
    for label in range(3):
        if found.kept[label]:
            assert flatness(wide[:, label], truth[:, label], found.pairs[label]) == pytest.approx((0, 0), abs=1e-5)


@pytest.mark.parametrize(("count", "outliers"), [(100, 1), (1000, 10)])
def test_rows_far_from_all_others_are_fitted_too(count: int, outliers: int) -> None:
    """A whole step of Newton's goes far beyond the scale there, and the loss rises."""
    logits = np.random.default_rng(1).normal(size=(count, 2))
    logits[:outliers, 0] = 1000 + np.arange(outliers)
    truth = np.stack([np.arange(count) < outliers, logits[:, 1] > 1], axis=1).astype(np.int64)
    found = platt_scales(logits, truth)
    for label in range(2):
        assert flatness(logits[:, label], truth[:, label], found.pairs[label]) == pytest.approx((0, 0), abs=1e-4)


def test_a_slope_of_exactly_0_is_no_scale() -> None:
    """Of two rows each the targets are 3/4 and 1/4: as far as the prior pulls up, the rows pull down."""
    logits, truth = np.array([[-1.0], [-1.0], [1.0], [1.0]]), np.array([[1], [1], [0], [0]])
    assert flatness(logits[:, 0], truth[:, 0], [0.0, 0.0]) == (0, 0)
    assert platt_scales(logits, truth) == LabelScales.none(1)


@pytest.mark.parametrize("folds", [np.arange(120) // 60, np.arange(120) // 40, np.arange(120) // 4])
def test_a_scale_is_kept_where_it_lowers_the_loss_on_rows_it_was_not_fitted_on(folds: np.ndarray) -> None:
    logits, truth = rows(120, 3)
    misled = np.where(folds == 0, 0, folds % 3 + 1)
    truth[:, 0] = np.where(misled == 1, logits[:, 0] < 0, logits[:, 0] > 0)
    scaled, fitted = logits.copy(), platt_scales(logits, truth)
    for fold in np.unique(folds):
        scaled[folds == fold] = platt_scales(logits[folds != fold], truth[folds != fold]).apply(logits[folds == fold])
    kept = [
        log_loss(truth[:, label], sigmoid(scaled[:, label])) < log_loss(truth[:, label], sigmoid(logits[:, label]))
        for label in range(3)
    ]
    expected = [pair if keep else [1.0, 0.0] for pair, keep in zip(fitted.pairs, kept, strict=True)]
    assert fit_label_scales(logits, truth, folds).pairs == expected


def test_a_scale_that_all_rows_have_is_not_kept_where_it_misleads_other_rows() -> None:
    """Even rows are surer than odd ones, and what one half teaches is wrong of the other."""
    scores, row = np.linspace(-3, 3, 200)[:, None], np.arange(200)[:, None]
    even = row % 2 == 0
    logits = np.where(even, scores, scores / 4)
    truth = np.where(even & (row % 20 != 0), scores > 0, scores < 0).astype(np.int64)
    assert platt_scales(logits, truth).kept == [True]
    assert fit_label_scales(logits, truth, np.full(200, 7)).kept == [False], "every second row stands in for a fold"
    assert fit_label_scales(logits, truth, np.arange(200) // 20 % 2).kept == [True], "two folds are enough"
    assert fit_label_scales(logits, truth, np.arange(200) % 3).kept == [True]
    assert fit_label_scales(logits, truth, np.arange(200)).kept == [True]


def test_of_many_folds_the_rows_of_all_others_are_fitted_on() -> None:
    """Three rows teach nothing; 597 teach that the logits are too sure."""
    random = np.random.default_rng(3)
    logits = random.normal(-0.5, 1.5, (600, 1))
    truth = (random.random((600, 1)) < sigmoid(0.7 * logits)).astype(np.int64)
    folds = np.arange(600) // 3
    assert not (label_losses(platt_scales(logits[:3], truth[:3]).apply(logits), truth) < label_losses(logits, truth))
    assert fit_label_scales(logits, truth, folds).kept == [True]


def test_scales_give_logits_of_float32() -> None:
    scales = LabelScales.of_pairs([[2, 1], [0.5, -2], [1, 0]])
    logits = rows(5)[0].astype(np.float64)
    assert scales.apply(logits).dtype == scales.undo(logits).dtype == np.float32


def test_calibration_has_scales_of_each_fold_and_bins_as_asked() -> None:
    logits, truth = rows(300)
    folds = np.arange(300) % 3 + 2
    found = calibrate_labels(logits, truth, folds, bins=5)
    assert found.folds == scales_without_each(logits, truth, folds)
    assert list(found.folds) == [2, 3, 4]
    scaled = logits.copy()
    for fold, scales in found.folds.items():
        scaled[folds == fold] = scales.apply(logits[folds == fold])
    for errors, losses, shown in (
        (found.ece_before, found.loss_before, logits),
        (found.ece_after, found.loss_after, scaled),
    ):
        np.testing.assert_allclose(errors, label_calibration_errors(sigmoid(shown), truth, 5))
        expected = [log_loss(truth[:, label], sigmoid(shown[:, label])) for label in range(3)]
        np.testing.assert_allclose(losses, expected, rtol=1e-6)


def test_of_one_fold_every_second_row_stands_in_for_another() -> None:
    logits, truth = rows(400)
    found = fit_label_scales(logits, truth, np.full(400, 3))
    assert found == fit_label_scales(logits, truth, np.arange(400) % 2)
    assert found.pairs != tuple([(1.0, 0.0)] * 3)
