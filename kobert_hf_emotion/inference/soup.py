"""The mean of several models' weights, as one model."""

from __future__ import annotations

import os
from collections.abc import Sequence

import torch

from ..errors import CheckpointError
from ..utils.progress import each
from ..wording import Wording
from .classifier import Classifier, load_classifier
from .ensemble import check_same

LOADING, MODELS = Wording("모델 읽기", "loading models"), Wording("모델", "models")
"""What is shown of folds that are read one after the other, and what is counted."""


def average_weights(paths: Sequence[str | os.PathLike[str]]) -> Classifier:
    """Builds one model whose weights are the means of those of several (a uniform soup).

    Wortsman et al. (2022), Model soups. It asks for models that started from the same weights, head included, as
    the folds of a run did; the means of others fit nothing. The temperature is the first one's.

    Args:
        paths: Folders of the models; one is in memory at a time, beside the sums.

    Raises:
        CheckpointError: A folder holds no model, or one of another shape, other labels or another tokenizer.
    """
    soup = load_classifier(paths[0])
    sums = {name: tensor.double() for name, tensor in soup.model.state_dict().items()}
    for path in each(paths[1:], LOADING, MODELS):
        other = load_classifier(path)
        check_same(soup, other, os.fspath(path), os.fspath(path))
        weights = other.model.state_dict()
        if {name: tensor.shape for name, tensor in weights.items()} != {n: t.shape for n, t in sums.items()}:
            raise CheckpointError(
                f"{path}의 가중치는 {paths[0]}의 것과 모양이 달라 평균할 수 없습니다.",
                f"The weights of {path} have other shapes than those of {paths[0]}: they have no mean.",
            )
        for name, tensor in weights.items():
            sums[name] += tensor
    with torch.no_grad():
        for name, tensor in soup.model.state_dict().items():
            tensor.copy_(sums[name] / len(paths))
    return soup
