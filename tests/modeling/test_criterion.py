"""The loss that a configuration asks for."""

from __future__ import annotations

from typing import Any

import pytest
from transformers import BertConfig

from kobert_hf_emotion.modeling.criterion import criterion_of
from kobert_hf_emotion.modeling.losses import FocalLoss
from kobert_hf_emotion.modeling.sigmoid_loss import SigmoidFocalLoss
from kobert_hf_emotion.modeling.soft_loss import SoftFocalLoss

KINDS = [
    ({}, FocalLoss, 1.0),
    ({"soft_labels": True}, SoftFocalLoss, 1.0),
    ({"problem_type": "multi_label_classification"}, SigmoidFocalLoss, None),
]


@pytest.mark.parametrize(("settings", "kind", "alpha"), KINDS)
def test_a_configuration_of_another_library_has_the_default_one(
    settings: dict[str, Any], kind: type, alpha: float | None
) -> None:
    found = criterion_of(BertConfig(**settings))
    assert type(found) is kind
    assert (found.alpha, found.gamma, found.reduction) == (alpha, 2.0, "mean")


@pytest.mark.parametrize(("settings", "kind", "_alpha"), KINDS)
def test_a_configuration_says_how_it_weighs(settings: dict[str, Any], kind: type, _alpha: float | None) -> None:
    found = criterion_of(BertConfig(focal_alpha=[0.5, 0.25], focal_gamma=1.5, **settings), reduction="none")
    assert type(found) is kind
    assert (found.alpha, found.gamma, found.reduction) == ([0.5, 0.25], 1.5, "none")
