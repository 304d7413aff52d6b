"""Walks over a model's modules, and copies them without their weights.

The one place for private names of `torch.nn.Module`, seen in 2.13; operators stand in `kernels.onednn`. The public
ways to children, parameters and buffers make an iterator and a name for each, which a single text would notice; to
hooks there are none. `tests/utils/test_private_names.py` lists the names.
"""

from __future__ import annotations

from functools import partial
from types import FunctionType, MethodType
from typing import Any, TypeVar

from torch import nn
from torch.nn.modules import module as torch_module

from ..errors import KoBERTEmotionError

Model = TypeVar("Model", bound=nn.Module)
HOOK_TABLES = ("_forward_hooks", "_forward_pre_hooks")
"""Attributes of a module that hold what is called before and after its `forward`."""
SLOT_TABLES = ("_modules", "_parameters", "_buffers")
"""Attributes of a module that hold what it is made of, by name."""


def every_module(model: nn.Module) -> list[nn.Module]:
    """Returns `model` and all modules in it; ten times as fast as `modules()`, which a single text would notice."""
    found = [model]
    for module in found:
        if module._modules:
            found.extend([child for child in module._modules.values() if child is not None])
    return found


def slots(module: nn.Module) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Returns the tables of a module's children, parameters and buffers themselves, not copies of them."""
    return module._modules, module._parameters, module._buffers


def is_hooked(module: nn.Module) -> bool:
    """Whether something else than the module's class has a say in what it computes."""
    # accelerate puts its hooks into a `forward` of the object
    return bool(module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module))


def everything_is_hooked() -> bool:
    """Whether there are hooks on all modules there are."""
    return bool(torch_module._global_forward_hooks or torch_module._global_forward_pre_hooks)


def evaluation_copy(model: Model) -> Model:
    """Returns a copy of `model` in evaluation mode, with the very same parameters, buffers and hooks.

    Switching the mode of the model itself would be seen by every other thread that computes with it: one that trains
    would lose its dropout, and one that predicts would get it when the first one switches back.

    Raises:
        KoBERTEmotionError: The model is in training mode, and a module's `forward` was replaced by a function that
            nobody can tell which modules it calls.
    """
    twins: dict[int, nn.Module] = {}
    modules = every_module(model)
    for module in modules:
        if id(module) not in twins:
            twins[id(module)] = object.__new__(type(module))
    for module in modules:
        twin = twins[id(module)]
        vars(twin).update({name: _of_twins(value, twins) for name, value in vars(module).items()})
        vars(twin).pop("_compiled_call_impl", None)  # `Module.compile` compiled the call of the original
        twin._modules = {name: None if child is None else twins[id(child)] for name, child in module._modules.items()}
        twin.training = False
    if any(isinstance(vars(module).get("forward"), FunctionType) for module in modules):
        _check_nothing_trains(modules)
    return twins[id(model)]  # type: ignore[return-value]  # of the same type as `model`


def _of_twins(value: Any, twins: dict[int, nn.Module]) -> Any:
    """Returns an attribute of a module as its twin has it: what belongs to a module belongs to the twin of that."""
    if isinstance(value, nn.Module):
        return twins.get(id(value), value)
    if isinstance(value, MethodType) and id(value.__self__) in twins:
        return MethodType(value.__func__, twins[id(value.__self__)])
    if isinstance(value, partial):  # accelerate's hooks
        keywords = {name: _of_twins(argument, twins) for name, argument in value.keywords.items()}
        bound = partial(
            _of_twins(value.func, twins), *(_of_twins(argument, twins) for argument in value.args), **keywords
        )
        vars(bound).update(vars(value))
        return bound
    if type(value) in (list, tuple):
        return type(value)(_of_twins(item, twins) for item in value)
    return value


def _check_nothing_trains(modules: list[nn.Module]) -> None:
    if any(module.training for module in modules):
        raise KoBERTEmotionError(
            "모델이 학습 모드이고 forward가 다른 함수로 바뀌어 있어, 그대로 두고 예측할 수 없습니다. 먼저 "
            "model.eval()을 부르세요.",
            "The model is in training mode and a `forward` in it was replaced by another function, so it cannot "
            "predict without being switched. Call model.eval() first.",
        )
