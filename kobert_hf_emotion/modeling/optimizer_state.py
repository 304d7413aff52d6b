"""Carrying an optimizer's state from one run into the next, parameter by parameter.

`optimizer.state_dict()` numbers parameters by their order in the groups, and notebooks build groups in two
ways: all parameters in one, or those with weight decay before those without. The shapes of the moments tell
which numbering a state has, so that it fits an optimizer with other groups than its own.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ..errors import CheckpointError

OPTIMIZER_FILE = "optimizer.pt"
_NO_DECAY = ("bias", "LayerNorm.weight")


def load_optimizer_file(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Reads the `optimizer.pt` that `convert_legacy_checkpoint` wrote, tensors and plain values only.

    Raises:
        CheckpointError: It cannot be read, or is no state of an optimizer.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise _unusable(f"{path}을(를) 읽을 수 없습니다", f"cannot read {path}: {error}") from error
    if not isinstance(state, dict) or not {"state", "param_groups"} <= state.keys():
        raise _unusable(f"{path}에 옵티마이저 상태가 없습니다", f"{path} holds no state of an optimizer")
    return state


def resume_optimizer(optimizer: Optimizer, model: nn.Module, state: Mapping[str, Any]) -> None:
    """Gives an optimizer the moments and step counts of another one; learning rates and groups stay its own.

    Args:
        optimizer: An optimizer over parameters of `model`, in any groups.
        model: The model.
        state: `state_dict()` of the other optimizer, such as `LegacyCheckpoint.optimizer_state`.

    Raises:
        CheckpointError: The state belongs to a model of other parameters.
    """
    if not isinstance(state, Mapping) or not {"state", "param_groups"} <= state.keys():
        raise _unusable("옵티마이저의 state_dict()가 아닙니다", "it is no state_dict() of an optimizer")
    by_name = state_by_name(state, {name: tuple(p.shape) for name, p in model.named_parameters()})
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    own = optimizer.state_dict()
    order = [names.get(id(p)) for group in optimizer.param_groups for p in group["params"]]
    # A copy: torch goes on to change the very tensors it is given.
    own["state"] = {index: copy.deepcopy(by_name[name]) for index, name in enumerate(order) if name in by_name}
    optimizer.load_state_dict(own)


def state_by_name(state: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, dict[str, Any]]:
    """Finds which parameter each entry of an optimizer's state belongs to.

    Args:
        state: `state_dict()` of the optimizer.
        shapes: Shape by name of the model's parameters, in their order.

    Returns:
        The entry of each parameter that has one.

    Raises:
        CheckpointError: No known order of the parameters fits the shapes.
    """
    indices = [index for group in state["param_groups"] for index in group["params"]]
    entries: Mapping[Any, dict[str, Any]] = state["state"]
    for order in _orders(list(shapes)):
        if len(order) != len(indices):
            break
        named = {name: entries[index] for name, index in zip(order, indices, strict=True) if index in entries}
        if all(_entry_fits(entry, shapes[name]) for name, entry in named.items()):
            return named
    raise _unusable(
        f"옵티마이저의 매개변수 {len(indices)}개가 모델의 {len(shapes)}개와 맞지 않습니다",
        f"its {len(indices)} parameters do not fit the {len(shapes)} of the model",
    )


def _orders(names: list[str]) -> Iterator[list[str]]:
    yield names
    plain = [name for name in names if any(part in name for part in _NO_DECAY)]
    yield [name for name in names if name not in set(plain)] + plain
    yield plain + [name for name in names if name not in set(plain)]


def _entry_fits(entry: Mapping[str, Any], shape: tuple[int, ...]) -> bool:
    moments = [value for value in entry.values() if isinstance(value, Tensor) and value.ndim > 0]
    return all(tuple(moment.shape) == shape for moment in moments)


def _unusable(korean: str, english: str) -> CheckpointError:
    return CheckpointError(
        f"옵티마이저 상태를 이어서 쓸 수 없습니다: {korean}.", f"The optimizer state cannot be resumed: {english}."
    )
