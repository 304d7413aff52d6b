"""Class weights against scikit-learn, the paper's formula worked by hand, and the rows of each fold."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight
from small_runs import make_args, make_dataset

from kobert_hf_emotion.errors import KoBERTEmotionError
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.modeling.class_weights import (
    ClassWeighting,
    balanced_weights,
    effective_weights,
    parse_weighting,
)
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.runs.cross_validation import cross_validate
from kobert_hf_emotion.training.alpha_and_gamma import parse_alpha


def test_balanced_weights_are_scikit_learns() -> None:
    labels = np.random.default_rng(3).choice(5, 400, p=[0.5, 0.3, 0.1, 0.06, 0.04])
    expected = compute_class_weight("balanced", classes=np.arange(5), y=labels)
    assert balanced_weights(np.bincount(labels)) == pytest.approx(expected)
    present = labels[labels != 2]
    some = compute_class_weight("balanced", classes=np.unique(present), y=present)
    assert balanced_weights(np.bincount(present, minlength=5)) == pytest.approx([*some[:2], 1.0, *some[2:]])


def test_a_class_of_one_row_is_there() -> None:
    labels = [0, 0, 0, 1, 2, 2]
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    assert balanced_weights([3, 1, 2]) == pytest.approx(expected)
    for weights in (balanced_weights([3, 1, 2]), effective_weights([3, 1, 2], 0.9)):
        assert weights[1] > weights[2] > weights[0]


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.999])
def test_effective_weights_add_up_to_the_classes_with_rows(beta: float) -> None:
    weights = effective_weights([5, 0, 1, 300], beta)
    assert weights[1] == 1
    assert sum(weights) == pytest.approx(4)
    # Cui et al. (2019), eq. 2: E_n = 1 + beta * E_(n - 1), so that E_5 is a sum of five powers.
    assert weights[2] / weights[0] == pytest.approx(sum(beta**power for power in range(5)))


def test_effective_weights_by_hand() -> None:
    # beta 0.5: E(1) = 1, E(2) = 1.5, E(3) = 1.75; 1/E = 1, 2/3, 4/7; they add up to 47/21.
    scale = 3 / (47 / 21)
    assert effective_weights([1, 2, 3], 0.5) == pytest.approx([scale, scale * 2 / 3, scale * 4 / 7])
    assert effective_weights([1, 0, 2, 3], 0.5)[1] == 1.0
    counts = np.array([10, 20, 40])
    nearly = effective_weights(counts, 1 - 1e-9)
    assert nearly == pytest.approx(3 / counts / (1 / counts).sum(), rel=1e-6)


@pytest.mark.parametrize("kind", [np.int64, np.uint8])
@pytest.mark.parametrize("beta", [None, 0.0, 0.5, 0.99])
def test_the_balance_of_a_label_is_that_of_two_classes(beta: float | None, kind: type) -> None:
    counts = np.array([0, 1, 2, 7, 100, 200, 254, 255], dtype=kind)
    found = ClassWeighting(beta).balance(counts, 255)
    assert (found[0], found[-1]) == (0.5, 0.5), "nothing to balance"
    for yes, alpha in list(zip(counts.tolist(), found, strict=True))[1:-1]:
        if beta is None:
            has = np.repeat([0, 1], [255 - yes, yes])
            weights = compute_class_weight("balanced", classes=np.arange(2), y=has)
        else:  # Cui et al. (2019), eq. 2: sums of powers
            weights = [1 / sum(beta**power for power in range(count)) for count in (255 - yes, yes)]
        assert alpha == pytest.approx(weights[1] / sum(weights))


@pytest.mark.parametrize("weights", [balanced_weights, effective_weights])
def test_counts_of_small_types_do_not_overflow(weights: Callable[..., list[float]]) -> None:
    counts = [200, 100, 250, 0]
    assert weights(np.array(counts, dtype=np.uint8)) == pytest.approx(weights(counts))


def test_ways_to_write_alpha() -> None:
    assert parse_alpha("balanced") == ClassWeighting()
    assert parse_alpha("effective") == ClassWeighting(0.999)
    assert parse_alpha("effective:0.99") == ClassWeighting(0.99)
    assert parse_alpha("fear=2, sad=1.5") == {"fear": 2.0, "sad": 1.5}
    assert parse_weighting("0.5") is None
    assert parse_weighting(" balanced ") == ClassWeighting()
    assert parse_weighting("effective:0\n") == ClassWeighting(0.0)
    assert ClassWeighting(0.9).weights([1, 2]) == effective_weights([1, 2], 0.9)
    assert ClassWeighting(0.0).weights([1, 2]) == [1, 1]
    assert ClassWeighting().weights([1, 2]) == balanced_weights([1, 2])
    for wrong in ("effective:1", "effective:x", "effective:", "effective:-0.1", "effective:nan"):
        with pytest.raises(KoBERTEmotionError, match="beta"):
            parse_alpha(wrong)
    for wrong in ("fear=", "=2", "fear=2,fear=3", "balanced:2"):
        with pytest.raises(KoBERTEmotionError, match="Cannot read alpha"):
            parse_alpha(wrong)


def test_each_fold_has_the_weights_of_its_training_rows(tiny_model_folder: Path, tmp_path: Path) -> None:
    data = make_dataset(9)
    data = data.select([index for index, label in enumerate(data["label"]) if label != 3 or index % 2])
    args = make_args(num_train_epochs=1, focal_alpha="balanced")
    run = cross_validate(data, tmp_path / "run", tiny_model_folder, args, n_splits=2)
    labels = np.asarray(data["label"])
    with (run.output_dir / "split.csv").open(encoding="utf-8-sig") as handle:
        header, *lines = [line.strip().split(",") for line in handle]
    folds = np.asarray([int(line[header.index("fold")]) for line in lines])
    record = json.loads((run.output_dir / "run.json").read_text(encoding="utf-8"))
    for fold in (1, 2):
        expected = compute_class_weight("balanced", classes=np.arange(7), y=labels[folds != fold])
        found = record["folds"][fold - 1]["focal_alpha"]
        assert list(found) == list(EMOTION_LABELS)
        assert list(found.values()) == pytest.approx(expected)
        config = EmotionClassifier.from_pretrained(run.folds[fold - 1].path).config
        assert config.focal_alpha == pytest.approx(expected)
