"""Finding the weights, the optimizer and the settings in what a file holds, by content and not by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import CheckpointError
from .keys import ANCHOR, find_prefix
from .records import Record, TensorRecord, damaged

Kind = Literal["model", "state_dict", "checkpoint"]
_MAX_MODULES = 100_000
_MAX_DEPTH = 64
_WEIGHT_NAMES = ("model", "model_state_dict", "state_dict")
_OPTIMIZER_NAMES = ("optimizer", "optimizer_state_dict")


@dataclass(frozen=True)
class Contents:
    """What was found in a file.

    Attributes:
        kind: "model" for a whole pickled model, "state_dict" for a bare one, "checkpoint" for a dictionary
            that holds one beside other things.
        tensors: Tensors of the state dict by their name in the file.
        module: The record of the pickled model, where the file holds one.
        optimizer: State dict of the optimizer, with records for tensors, where the file holds one.
    """

    kind: Kind
    tensors: dict[str, TensorRecord]
    module: Record | None = None
    optimizer: dict[str, Any] | None = None


def find_contents(root: Any) -> Contents:
    """Tells apart the three kinds of files.

    Raises:
        CheckpointError: There is no BERT classifier in it.
    """
    if (found := _as_weights(root)) is not None:
        tensors, module = found
        return Contents("state_dict" if module is None else "model", tensors, module)
    if isinstance(root, dict):
        candidates = {str(name): found for name, value in root.items() if (found := _as_weights(value)) is not None}
        if candidates:
            tensors, module = candidates[_choose(candidates)]
            return Contents("checkpoint", tensors, module, _find_optimizer(root))
    raise CheckpointError(
        f"BERT 분류기의 가중치가 없습니다: '…{ANCHOR}' 키가 필요한데 {_summary(root)}이(가) 있습니다.",
        f"Expected the weights of a BERT classifier, with a key that ends in '{ANCHOR}'; found {_summary(root)}.",
    )


def _choose(candidates: Mapping[str, object]) -> str:
    if len(candidates) == 1:
        return next(iter(candidates))
    for name in _WEIGHT_NAMES:
        if name in candidates:
            return name
    raise CheckpointError(
        f"파일에 모델이 여럿 있습니다: {sorted(candidates)[:8]}. 하나만 따로 저장하십시오.",
        f"Expected one model in the file, found {sorted(candidates)[:8]}. Save the one you want on its own.",
    )


def _as_weights(value: Any) -> tuple[dict[str, TensorRecord], Record | None] | None:
    """Returns the tensors of a state dict or of a pickled model, None for anything else."""
    if isinstance(value, Record) and "_modules" in value.state:
        tensors = dict(_module_tensors(value))
        return (tensors, value) if find_prefix(tensors) is not None else None
    if isinstance(value, dict) and find_prefix(name for name in value if type(name) is str) is not None:
        return {name: item for name, item in value.items() if isinstance(item, TensorRecord)}, None
    return None


def walk_modules(root: Record) -> Iterator[tuple[str, Record]]:
    """Yields every module record under its dotted name, parents first.

    Raises:
        CheckpointError: The modules are nested too deeply, or are too many, as in a file made to exhaust memory.
    """
    pending: list[tuple[str, int, Record]] = [("", 0, root)]
    for _ in range(_MAX_MODULES):
        if not pending:
            return
        prefix, depth, module = pending.pop()
        yield prefix, module
        children = module.state.get("_modules")
        if not isinstance(children, dict) or depth >= _MAX_DEPTH:
            raise damaged("모듈 구조가 잘못되었습니다", "modules that are nested too deeply, or are no dictionary")
        named = [(_join(prefix, name), depth + 1, child) for name, child in children.items() if _is_module(child)]
        pending.extend(reversed(named))
    raise damaged("모듈이 너무 많습니다", f"more than {_MAX_MODULES:,} modules")


def _is_module(value: Any) -> bool:
    return isinstance(value, Record) and "_modules" in value.state


def _join(prefix: str, name: object) -> str:
    if type(name) is not str or len(prefix) + len(name) > 1000:
        raise damaged("모듈 이름이 잘못되었습니다", "the name of a module is no text, or too long")
    return f"{prefix}.{name}" if prefix else name


def _module_tensors(root: Record) -> Iterator[tuple[str, TensorRecord]]:
    """Yields parameters and persistent buffers by the names that `state_dict` would give them."""
    for prefix, module in walk_modules(root):
        hidden = module.state.get("_non_persistent_buffers_set")
        for group in ("_parameters", "_buffers"):
            members = module.state.get(group)
            for name, value in (members if isinstance(members, dict) else {}).items():
                is_hidden = group == "_buffers" and isinstance(hidden, set) and name in hidden
                if isinstance(value, TensorRecord) and not is_hidden:
                    yield _join(prefix, name), value


def _find_optimizer(root: Mapping[Any, Any]) -> dict[str, Any] | None:
    found = {name: value for name, value in root.items() if _is_optimizer(value)}
    for name in _OPTIMIZER_NAMES:
        if name in found:
            return dict(found[name])
    return dict(next(iter(found.values()))) if len(found) == 1 else None


def _is_optimizer(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("state"), dict)
        and isinstance(value.get("param_groups"), list)
        and all(isinstance(group, dict) for group in value["param_groups"])
    )


def _summary(root: Any) -> str:
    if isinstance(root, dict):
        return f"keys {[str(name)[:60] for name in list(root)[:5]]}"
    return str(root.kind) if isinstance(root, Record) else type(root).__name__
