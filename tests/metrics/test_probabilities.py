"""Softmax and log loss against torch, scipy and scikit-learn, and one log loss wherever a report names one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.special
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import log_loss as sklearn_log_loss

from kobert_hf_emotion.data.label_kinds import OneLabel
from kobert_hf_emotion.errors import KoBERTEmotionError
from kobert_hf_emotion.inference.files import predict_rows
from kobert_hf_emotion.metrics.calibration import calibrate_out_of_fold
from kobert_hf_emotion.metrics.probabilities import (
    check_finite,
    check_logits,
    log_loss,
    log_losses,
    log_softmax,
    sigmoid,
    softmax,
)
from kobert_hf_emotion.metrics.scores import score
from kobert_hf_emotion.tasks.single_label import SingleLabel

SOME = arrays(np.float32, (4, 3), elements=st.floats(-1000, 1000, width=32))
EXTREME = np.array([[60.0, 0, -60], [0, 90, -30], [40, 0, 0], [0, 0, 25]], dtype=np.float32)
LABELS = np.array([2, 0, 1, 0])


def by_torch(logits: np.ndarray, labels: np.ndarray) -> float:
    rows = torch.tensor(logits, dtype=torch.float64)
    return torch.nn.functional.cross_entropy(rows, torch.tensor(labels)).item()


@settings(max_examples=60, deadline=None)
@given(logits=SOME)
def test_they_are_scipys(logits: np.ndarray) -> None:
    wide = logits.astype(np.float64)
    np.testing.assert_allclose(softmax(logits), scipy.special.softmax(wide, axis=-1), rtol=1e-12)
    np.testing.assert_allclose(log_softmax(logits), scipy.special.log_softmax(wide, axis=-1), rtol=1e-12, atol=1e-12)


def test_the_last_axis_is_that_of_the_classes() -> None:
    logits = np.random.default_rng(0).normal(size=(2, 3, 4))
    np.testing.assert_allclose(softmax(logits), scipy.special.softmax(logits, axis=-1))
    np.testing.assert_allclose(softmax(logits[0, 0]), scipy.special.softmax(logits[0, 0]))
    np.testing.assert_allclose(log_softmax(logits), scipy.special.log_softmax(logits, axis=-1))
    logits[1, 0] = [np.nan, 1, 2, 3]
    with pytest.raises(KoBERTEmotionError, match=r"in 1 of 6 rows, the first row 3 .*: \[nan, 1\.0, 2\.0, 3\.0\]"):
        softmax(logits)


@pytest.mark.parametrize("shape", [(0, 7), (0, 0)])
def test_of_no_rows_there_are_no_probabilities(shape: tuple[int, int]) -> None:
    assert softmax(np.zeros(shape, dtype=np.float32)).shape == shape


def test_half_precision_is_computed_in_float64() -> None:
    logits = np.array([[8.0, 9.0, 10.0]], dtype=np.float16)
    assert softmax(logits).dtype == log_softmax(logits).dtype == np.float64
    np.testing.assert_allclose(softmax(logits), scipy.special.softmax(logits.astype(np.float64), axis=-1), rtol=1e-14)


def test_logits_are_left_alone() -> None:
    for dtype in (np.float32, np.float64):
        logits = EXTREME.astype(dtype)
        softmax(logits), log_softmax(logits), log_losses(logits, LABELS)
        np.testing.assert_array_equal(logits, EXTREME)


def test_the_log_loss_is_that_of_torch_and_scikit_learn() -> None:
    random = np.random.default_rng(1)
    logits, labels = random.normal(size=(50, 4)), random.integers(0, 4, 50)
    assert log_loss(logits, labels) == pytest.approx(by_torch(logits, labels), rel=1e-12)
    assert log_loss(logits, labels) == pytest.approx(sklearn_log_loss(labels, scipy.special.softmax(logits, axis=1)))
    rows = torch.nn.functional.cross_entropy(torch.tensor(logits), torch.tensor(labels), reduction="none")
    np.testing.assert_allclose(log_losses(logits, labels), rows)


def test_logits_far_apart_have_the_log_loss_of_their_distance() -> None:
    np.testing.assert_allclose(log_losses(EXTREME, LABELS), [120, 90, 40, 25], rtol=1e-9)
    assert log_loss(np.array([[0.0, 1e5]]), np.array([0])) == 1e5


class Fixed:
    """A model that knows its logits."""

    labels = ("부정", "긍정", "중립")
    task = SingleLabel()

    def __init__(self, logits: np.ndarray) -> None:
        self.logits = logits

    def predict_logits(self, *_: object) -> np.ndarray:
        return self.logits


def rows_of(labels: list[int | None]) -> SimpleNamespace:
    frame = pd.DataFrame({"text": [f"문장 {index}" for index in range(len(labels))], "label": labels})
    return SimpleNamespace(chunks=lambda: iter([frame]), kind=OneLabel())


def test_every_report_has_the_same_log_loss() -> None:
    """Three ways gave 18.18, 18.18 and 30.16 where one is right."""
    expected = by_torch(EXTREME, LABELS)
    assert score(EXTREME, LABELS).log_loss == pytest.approx(expected)
    assert predict_rows(Fixed(EXTREME), rows_of(LABELS.tolist())).log_loss == pytest.approx(expected)
    assert calibrate_out_of_fold(EXTREME, LABELS, np.array([1, 2, 1, 2])).log_loss_before == pytest.approx(expected)
    assert score(SingleLabel().mean([EXTREME, EXTREME]), LABELS).log_loss == pytest.approx(expected)


def test_the_mean_of_members_that_are_certain_is_not_cut_off() -> None:
    logits = [np.array([[0.0, 2000]]), np.array([[0.0, 3000]])]
    # The mean of e^-2000 and e^-3000 is e^-2000 / 2, to more digits than there are.
    np.testing.assert_allclose(SingleLabel().mean(logits), [[-2000 - np.log(2), 0]], rtol=1e-6, atol=1e-6)


def test_rows_without_a_label_are_not_in_a_files_log_loss() -> None:
    found = predict_rows(Fixed(EXTREME), rows_of([2, None, 1, None]))
    assert found.log_loss == pytest.approx(by_torch(EXTREME[[0, 2]], LABELS[[0, 2]]))
    assert np.isnan(predict_rows(Fixed(EXTREME), rows_of([None] * 4)).log_loss)


@pytest.mark.parametrize(("label", "row"), [(-1, 1), (3, 2), (-100, 0)])
def test_a_label_that_is_no_class_is_refused(label: int, row: int) -> None:
    labels = LABELS.copy()
    labels[row] = label
    with pytest.raises(KoBERTEmotionError, match=rf"from 0 to 2, found {label} in row {row} ") as caught:
        log_loss(EXTREME, labels)
    assert f"0부터 2까지여야 합니다: {row}번째 행" in str(caught.value)


@pytest.mark.parametrize("wrong", [[np.nan, 0, 0], [np.inf, 0, 0], [-np.inf] * 3, [0, np.nan, np.inf]])
def test_logits_without_probabilities_are_refused(wrong: list[float], recwarn: pytest.WarningsRecorder) -> None:
    logits = EXTREME.copy()
    logits[2] = wrong
    for ask in (
        softmax,
        log_softmax,
        check_logits,
        lambda found: log_loss(found, LABELS),
        lambda found: score(found, LABELS),
        lambda found: predict_rows(Fixed(found), rows_of([None] * 4)),
    ):
        with pytest.raises(KoBERTEmotionError, match=r"in 1 of 4 rows, the first row 2 .*learning rate"):
            ask(logits)
    assert not [found for found in recwarn if issubclass(found.category, RuntimeWarning)]


@pytest.mark.parametrize(
    ("logits", "place"),
    [
        ([[0.0, 1.0], [2.0, np.nan], [np.nan, 3.0]], r"in 2 of 3 rows, the first row 1 .*: \[2\.0, nan\]"),
        ([[np.inf, -np.inf], [np.nan, np.nan]], r"in 1 of 2 rows, the first row 1 .*: \[nan, nan\]"),
    ],
)
def test_a_label_by_itself_has_a_probability_unless_its_logit_is_no_number(
    logits: list[list[float]], place: str
) -> None:
    found = np.array(logits)
    for ask in (sigmoid, check_finite):
        with pytest.raises(KoBERTEmotionError, match=place):
            ask(found)
    fine = found[~np.isnan(found).any(axis=1)]
    check_finite(fine)
    np.testing.assert_allclose(sigmoid(fine), scipy.special.expit(fine))


def test_votes_for_none_of_an_impossible_class_cost_nothing() -> None:
    logits = np.array([[0.0, -np.inf, 0.0], [0.0, 1.0, -np.inf]])
    shares = np.array([[0.25, 0.0, 0.75], [0.0, 0.5, 0.5]])
    assert log_losses(logits, shares).tolist() == [pytest.approx(np.log(2)), np.inf]


def test_an_impossible_class_is_no_error() -> None:
    logits = np.array([[0.0, -np.inf, 0.0]])
    np.testing.assert_array_equal(softmax(logits), [[0.5, 0, 0.5]])
    assert log_loss(logits, np.array([1])) == np.inf
    check_logits(logits)


def test_a_prediction_of_nan_logits_is_refused(tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    with pytest.raises(KoBERTEmotionError, match="4 of 4 rows"):
        predict_rows(Fixed(np.full((4, 3), np.nan, dtype=np.float32)), rows_of([0, 1, 2, 0]), output)
    assert not output.exists()
