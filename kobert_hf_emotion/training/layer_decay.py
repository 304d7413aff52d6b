"""Learning rates that fall from the head down to the embeddings."""

from __future__ import annotations

import re
from typing import Any

from torch import nn
from torch.optim import Optimizer

from ..errors import KoBERTEmotionError

_LAYER = re.compile(r"(?:^|\.)encoder\.layer\.(\d+)\.")
_EMBEDDINGS = re.compile(r"(?:^|\.)embeddings")


def decay_layers(optimizer: Optimizer, model: nn.Module, decay: float) -> None:
    """Divides the groups of an optimizer by layer and lowers their learning rates.

    The head and the pooler keep the rate, the highest layer has `decay` times it, the one below `decay`², and so on
    down to the embeddings (Howard and Ruder, 2018; as in ELECTRA's fine-tuning, Clark et al., 2020). What else a group
    says, such as its weight decay, stays. The schedule, made afterwards, scales all of them alike.

    Args:
        optimizer: One that has made no step.
        model: The model whose parameters it has.
        decay: Above 0 and at most 1.

    Raises:
        KoBERTEmotionError: The model has no layers that are told by their names.
    """
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    layers = 1 + max((int(found[1]) for found in map(_LAYER.search, names.values()) if found), default=-1)
    if layers == 0:
        raise KoBERTEmotionError(
            "이 모델에는 encoder.layer.N으로 이름 붙은 층이 없어 `layer_decay`를 쓸 수 없습니다. 1로 두세요.",
            "This model has no layers named encoder.layer.N, which `layer_decay` divides it by: leave it at 1.",
            mend={"layer_decay": 1.0},
        )
    divided: list[dict[str, Any]] = []
    for group in optimizer.param_groups:
        by_depth: dict[int, list[nn.Parameter]] = {}
        for parameter in group["params"]:
            by_depth.setdefault(_depth(names[id(parameter)], layers), []).append(parameter)
        for depth, parameters in sorted(by_depth.items()):
            rate = group["lr"] * decay ** (layers + 1 - depth)
            divided.append({**group, "params": parameters, "lr": rate})
    optimizer.param_groups[:] = divided


def _depth(name: str, layers: int) -> int:
    """Returns 0 for the embeddings, 1 for the lowest layer, and `layers` + 1 for all that is above the highest."""
    found = _LAYER.search(name)
    if found:
        return int(found[1]) + 1
    return 0 if _EMBEDDINGS.search(name) else layers + 1
