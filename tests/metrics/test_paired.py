"""Macro F1 of several models on the same rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from kobert_hf_emotion.metrics.bootstrap import selection_optimism
from kobert_hf_emotion.metrics.paired import macro_f1_difference, macro_f1_optimism


def models(count: int, rows: int, quality: float, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 4, rows)
    return [np.where(random.random(rows) < quality, truth, random.integers(0, 4, rows)) for _ in range(count)], truth


def test_the_scores_are_scikit_learns() -> None:
    answers, truth = models(5, 60, 0.6)
    found = macro_f1_optimism(answers, truth, 5)  # the fifth label does not occur
    scores = [f1_score(truth, answer, average="macro") for answer in answers]
    assert found.chosen == pytest.approx(max(scores))
    assert found.mean == pytest.approx(np.mean(scores))


def test_of_several_labels_a_row_as_well() -> None:
    random = np.random.default_rng(1)
    truth = random.integers(0, 2, (50, 3))
    answers = [np.where(random.random((50, 3)) < 0.7, truth, 1 - truth) for _ in range(4)]
    answers[0][:, 2] = truth[:, 2] = 0
    found = macro_f1_optimism(answers, truth, 3)
    scores = [f1_score(truth, answer, average="macro", zero_division=0) for answer in answers]
    assert found.chosen == pytest.approx(max(scores))


def test_the_more_are_chosen_from_the_more_optimistic() -> None:
    """Equally good models: what the best has above the truth is known, being the best by chance."""
    gaps = {}
    for count in (2, 8, 32):
        measured, true = [], []
        for seed in range(12):
            answers, truth = models(count, 150, 0.6, seed)
            found = macro_f1_optimism(answers, truth, 4, resamples=120)
            measured.append(found.bootstrap)
            true.append(found.chosen - found.mean)
        gaps[count] = (np.mean(measured), np.mean(true))
    assert gaps[2][0] < gaps[8][0] < gaps[32][0]
    for measured, true in gaps.values():
        assert 0.7 * true < measured < 2.2 * true, "it errs on the side of too much"


def test_one_that_is_far_better_owes_nothing_to_the_choice() -> None:
    answers, truth = models(6, 200, 0.3)
    answers.append(truth.copy())
    found = macro_f1_optimism(answers, truth, 4)
    assert (found.chosen, abs(found.bootstrap) < 0.02) == (1.0, True)
    assert macro_f1_optimism(answers[:1], truth, 4).bootstrap == 0.0


def test_it_is_like_that_of_accuracy_where_labels_are_even() -> None:
    answers, truth = models(10, 300, 0.7, 3)
    of_accuracy = selection_optimism({str(i): answer == truth for i, answer in enumerate(answers)})
    assert macro_f1_optimism(answers, truth, 4).bootstrap == pytest.approx(of_accuracy.bootstrap, abs=0.01)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
def test_they_are_those_of_drawing_rows(several: bool, grouped: bool) -> None:
    random = np.random.default_rng(4)
    shape = (12, 3) if several else (12,)
    truth = random.integers(0, 2 if several else 3, shape)
    answers = [np.where(random.random(shape) < 0.6, truth, 0) for _ in range(3)]
    groups = [f"글 {row * row // 20}" for row in range(12)] if grouped else list(range(12))
    units = [[row for row in range(12) if groups[row] == name] for name in dict.fromkeys(groups)]

    def macro_f1(answer: np.ndarray, rows: list[int]) -> float:
        return float(f1_score(truth[rows], answer[rows], average="macro", zero_division=0))

    random = np.random.default_rng(9)
    gaps, differences = [], []
    for _ in range(30):
        drawn = random.integers(0, len(units), len(units)).tolist()
        inside = [row for unit in drawn for row in units[unit]]
        outside = [row for unit in range(len(units)) if unit not in drawn for row in units[unit]]
        here, there = ([macro_f1(answer, rows) for answer in answers] for rows in (inside, outside))
        best = int(np.argmax(here))
        gaps.append(here[best] - there[best] - (np.mean(here) - np.mean(there)))
        differences.append(here[1] - here[0])
    given = groups if grouped else None
    found = macro_f1_optimism(answers, truth, 3, given, 30, 9)
    assert found.bootstrap == pytest.approx(np.mean(gaps))
    interval = macro_f1_difference(answers[0], answers[1], truth, 3, given, 30, 9)
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(differences, [0.025, 0.975])))


def test_they_draw_as_often_as_they_say() -> None:
    answers, truth = models(3, 25, 0.6)
    assert macro_f1_optimism(answers, truth, 4) == macro_f1_optimism(answers, truth, 4, None, 500, 42)
    assert macro_f1_difference(*answers[:2], truth, 4) == macro_f1_difference(*answers[:2], truth, 4, None, 2000, 42)


def test_a_draw_of_one_label_is_judged_by_it_alone() -> None:
    truth = np.zeros(5, dtype=np.int64)
    found = macro_f1_optimism([truth.copy(), truth.copy()], truth, 3, resamples=20)
    assert (found.chosen, found.mean, found.bootstrap) == (1.0, 1.0, 0.0)
    interval = macro_f1_difference(truth + 1, truth, truth, 3, resamples=20)
    assert (interval.low, interval.high) == (1.0, 1.0)


def test_rows_of_a_group_are_drawn_together() -> None:
    answers, truth = models(2, 40, 0.7)
    twice = [np.concatenate([answer, answer]) for answer in answers]
    groups = [*range(40), *range(40)]
    alone = macro_f1_difference(answers[0], answers[1], truth, 4)
    assert macro_f1_difference(twice[0], twice[1], np.concatenate([truth, truth]), 4, groups) == alone
    assert macro_f1_difference(twice[0], twice[1], np.concatenate([truth, truth]), 4) != alone


def test_the_interval_of_a_difference() -> None:
    answers, truth = models(2, 400, 0.8)
    same = macro_f1_difference(answers[0], answers[0], truth, 4)
    assert (same.low, same.high) == (0.0, 0.0)
    worse = np.where(np.arange(400) % 4 == 0, (truth + 1) % 4, answers[1])
    found = macro_f1_difference(answers[0], worse, truth, 4)
    difference = f1_score(truth, worse, average="macro") - f1_score(truth, answers[0], average="macro")
    assert found.low < difference < found.high < 0


def test_a_label_that_is_there_once_and_never_given_counts() -> None:
    answers, truth = models(2, 30, 0.6)
    truth[7] = 4
    found = macro_f1_optimism(answers, truth, 5)
    scores = [f1_score(truth, answer, average="macro") for answer in answers]
    assert (found.chosen, found.mean) == (pytest.approx(max(scores)), pytest.approx(np.mean(scores)))


def test_where_no_draw_leaves_a_row_over_nothing_is_said_of_the_choice() -> None:
    answers, truth = models(3, 20, 0.5)
    found = macro_f1_optimism(answers, truth, 4, groups=["one"] * 20)
    scores = [f1_score(truth, answer, average="macro") for answer in answers]
    assert max(scores) > np.mean(scores) + 0.01
    assert (found.chosen, found.mean) == (pytest.approx(max(scores)), pytest.approx(np.mean(scores)))
    assert found.bootstrap == 0.0
