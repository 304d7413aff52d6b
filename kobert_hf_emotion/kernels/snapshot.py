"""What a model was like when it was packed, to ask before every prediction whether it still is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from operator import contains, is_, itemgetter
from typing import Any

import xxhash
from torch import Tensor, nn

from ..utils.modules import HOOK_TABLES, SLOT_TABLES, is_hooked, slots

_END = object()
"""Follows the last of what is compared one by one, so that more or fewer of it differ too."""
_NO_SETTINGS = frozenset({"training", *SLOT_TABLES, "forward"})
"""Attributes of a module that are looked at otherwise, or change nothing about how the packed copy computes."""


class Snapshot:
    """The modules, hooks, settings and weights of a model, to ask whether they are still the same.

    torch counts how often a tensor was written, but not what is written to `.data`, to a NumPy view or by other
    libraries. So all bytes that were copied are hashed (XXH3 with 128 bits): no two contents that occur have one
    hash. That takes a tenth of a millisecond for a million numbers; all else is compared by functions in C.

    Args:
        modules: What `every_module` says of the model, which comes first. It is not held, for it must be free to go.
        copied: Parameters that were copied; what else the packed model uses it reads where it is.
    """

    def __init__(self, modules: list[nn.Module], copied: Sequence[Tensor]) -> None:
        self._parts = modules[1:]
        self._type = type(modules[0])
        self._types = list(map(type, self._parts))
        self._attributes = [vars(module) for module in self._parts]
        self._slots: list[dict[str, Any]] = [table for module in modules for table in slots(module)]
        self._contents = [*self._in_slots(), _END]
        self._settings = [_settings_of(attributes) for attributes in self._attributes]
        self._set = [*self._look_at_settings(), _END]
        self._copied = list(copied)
        self._places = self._look_where_weights_are()
        self._views = [tensor.detach().numpy().reshape(-1) for tensor in self._copied]  # keeps the memory, too
        self._hashes = self._hash_weights()

    def is_true_of(self, model: nn.Module) -> bool:
        """Whether `model`, which it was taken of, is as it was."""
        return (
            all(map(is_, chain(self._in_slots(), (_END,)), self._contents))
            and list(map(type, self._parts)) == self._types
            and type(model) is self._type
            and not is_hooked(model)
            and not any(chain.from_iterable(map(itemgetter(*HOOK_TABLES), self._attributes)))
            and not any(map(contains, self._attributes, repeat("forward")))
            and self._has_its_settings()
            and self._look_where_weights_are() == self._places
            and self._hash_weights() == self._hashes
        )

    def _in_slots(self) -> Iterator[Any]:
        return chain.from_iterable(map(dict.values, self._slots))

    def _look_at_settings(self) -> Iterator[Any]:
        return chain.from_iterable(
            look(attributes) for look, attributes in zip(self._settings, self._attributes, strict=True)
        )

    def _has_its_settings(self) -> bool:
        try:
            return all(map(is_, chain(self._look_at_settings(), (_END,)), self._set))
        except KeyError:  # one was deleted
            return False

    def _look_where_weights_are(self) -> list[Any]:
        return [list(map(look, self._copied)) for look in (Tensor.data_ptr, Tensor.stride, Tensor.size)]

    def _hash_weights(self) -> list[bytes]:
        return [xxhash.xxh3_128_digest(view.data) for view in self._views]


def _settings_of(attributes: dict[str, Any]) -> itemgetter[Any]:
    """Returns what reads the settings of a module, such as the epsilon of a normalisation, off its attributes."""
    return itemgetter(*(name for name in attributes if name not in _NO_SETTINGS))
