"""Calibration against formulas written out, another optimiser, and logits whose temperature is known."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.metrics import log_loss as sklearn_log_loss

from kobert_hf_emotion.metrics.calibration import (
    TEMPERATURES,
    calibrate_out_of_fold,
    expected_calibration_error,
    fit_temperature,
    reliability_bins,
)


def sharpened(temperature: float, rows: int = 20_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are `temperature` times those the labels are drawn from."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(rows, 5)) * 1.5
    labels = (softmax(logits, axis=1).cumsum(axis=1) > random.random((rows, 1))).argmax(axis=1)
    return (logits * temperature).astype(np.float32), labels


def test_ece_of_an_example_worked_by_hand() -> None:
    probabilities = np.array([[0.95, 0.05], [0.95, 0.05], [0.3, 0.7], [0.35, 0.65], [0.65, 0.35]])
    labels = np.array([0, 1, 1, 0, 0])
    # Of 15 bins the top one holds 0.95 twice, one right; 0.7 lies in (2/3, 11/15], right;
    # both 0.65 lie in (0.6, 2/3], one right.
    expected = (2 * abs(0.5 - 0.95) + abs(1 - 0.7) + 2 * abs(0.5 - 0.65)) / 5
    bins = reliability_bins(probabilities, labels)
    assert expected_calibration_error(bins) == pytest.approx(expected)
    assert [found.rows for found in bins] == [0] * 9 + [2, 1, 0, 0, 0, 2]


def test_ece_is_that_of_a_loop_over_the_bins() -> None:
    logits, labels = sharpened(2.0, rows=500)
    probabilities = softmax(logits.astype(float), axis=1)
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    expected = 0.0
    for number in range(15):
        inside = (confidence > number / 15) & (confidence <= (number + 1) / 15)
        if inside.any():
            expected += inside.sum() / 500 * abs(right[inside].mean() - confidence[inside].mean())
    assert expected_calibration_error(reliability_bins(probabilities, labels)) == pytest.approx(expected)


def test_certain_rows_fall_into_the_last_bin() -> None:
    bins = reliability_bins(np.array([[1.0, 0.0]]), np.array([0]))
    assert (bins[-1].rows, bins[-1].accuracy, bins[-1].confidence) == (1, 1.0, 1.0)


@pytest.mark.parametrize("bins", [10, 15, 20])
def test_a_row_on_the_edge_of_two_bins_belongs_to_the_lower(bins: int) -> None:
    """Guo et al. (2017), section 2: bin m is the interval ((m - 1) / M, m / M]."""
    for number in range(bins // 2 + 1, bins + 1):
        for confidence in (number / bins, float(Decimal(number) / Decimal(bins))):
            found = reliability_bins(np.array([[confidence, 1 - confidence]]), np.array([0]), bins)
            assert [index for index, one in enumerate(found) if one.rows] == [number - 1]
            above = confidence + 1e-9
            if number < bins:
                found = reliability_bins(np.array([[above, 1 - above]]), np.array([0]), bins)
                assert [index for index, one in enumerate(found) if one.rows] == [number]


def test_bins_cover_0_to_1_in_equal_steps() -> None:
    found = reliability_bins(np.array([[1.0, 0.0]]), np.array([1]))
    assert [one.low for one in found] == pytest.approx([index / 15 for index in range(15)])
    assert [one.high for one in found] == pytest.approx([index / 15 for index in range(1, 16)])
    assert (found[3].rows, found[3].confidence, found[3].accuracy) == (0, 0, 0)


def test_a_highest_probability_beyond_the_bins_is_counted() -> None:
    """A sum of many probabilities may round to just above 1, and rows of zeros have none."""
    found = reliability_bins(np.array([[np.nextafter(1.0, 2), 0.0], [0.0, 0.0]]), np.array([0, 1]))
    assert [one.rows for one in found] == [1, *[0] * 13, 1]


def test_bins_above_all_rows_are_empty() -> None:
    found = reliability_bins(np.array([[0.5, 0.5], [0.6, 0.4]]), np.array([0, 1]))
    assert [one.rows for one in found] == [0] * 7 + [1, 1] + [0] * 6
    assert expected_calibration_error(found) == pytest.approx((0.5 + 0.6) / 2)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_a_known_temperature_is_found(temperature: float) -> None:
    assert fit_temperature(*sharpened(temperature)) == pytest.approx(temperature, rel=0.03)


def test_the_temperature_is_that_of_torchs_lbfgs() -> None:
    logits, labels = sharpened(1.7, rows=300)
    inverse = torch.ones((), dtype=torch.float64, requires_grad=True)
    exact = {"max_iter": 200, "tolerance_grad": 1e-12, "tolerance_change": 1e-16}
    optimizer = torch.optim.LBFGS([inverse], line_search_fn="strong_wolfe", **exact)
    rows, targets = torch.tensor(logits, dtype=torch.float64), torch.tensor(labels)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(rows * inverse, targets)
        loss.backward()
        return loss

    optimizer.step(closure)
    assert fit_temperature(logits, labels) == pytest.approx(1 / inverse.item(), rel=2e-7)


def test_where_no_temperature_is_better_it_is_one() -> None:
    assert fit_temperature(np.zeros((4, 3)), np.array([0, 1, 2, 0])) == 1.0


def test_rows_that_are_all_right_have_a_temperature_all_the_same() -> None:
    assert TEMPERATURES[0] <= fit_temperature(np.eye(3) * 4, np.arange(3)) < 0.2
    assert fit_temperature(np.eye(3) * 60, np.arange(3)) == 1.0, "they have a loss of 0 already"


def test_temperatures_are_looked_for_from_a_twentieth_to_twenty() -> None:
    assert fit_temperature(np.eye(3) * 0.1, np.arange(3)) == pytest.approx(0.05, rel=1e-3)
    assert fit_temperature(np.eye(3) * 100, np.array([1, 2, 0])) == pytest.approx(20, rel=1e-3)


def test_out_of_fold_figures_are_cross_fitted() -> None:
    logits, labels = sharpened(2.0, rows=3000)
    folds = np.arange(3000) % 3 + 1
    logits[folds == 3] *= 2  # one fold is more confident than the others
    found = calibrate_out_of_fold(logits, labels, folds)
    scaled = logits.astype(float)
    for number in (1, 2, 3):
        temperature = fit_temperature(logits[folds != number], labels[folds != number])
        assert found.fold_temperatures[number - 1] == temperature
        scaled[folds == number] /= temperature
    assert found.log_loss_after == pytest.approx(sklearn_log_loss(labels, softmax(scaled, axis=1)))
    assert found.ece_after == pytest.approx(
        expected_calibration_error(reliability_bins(softmax(scaled, axis=1), labels))
    )
    for bins, shown in ((found.before, logits), (found.after, scaled)):
        assert bins == reliability_bins(softmax(shown.astype(float), axis=1), labels)
    assert found.temperature == fit_temperature(logits, labels)
    assert found.ece_after < 0.6 * found.ece_before
