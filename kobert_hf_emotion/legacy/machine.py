"""A small machine for pickle's opcodes that imports nothing and calls nothing but `policy.CALLABLES`.

Python's own unpickler is not used, not even a subclass: besides calling what the file says, it allocates
memory by numbers in the file (the memo of `LONG_BINPUT`, `BYTEARRAY8`) before it looks at the data. The bytes are taken
apart by `pickletools`, which only reads.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

from ..errors import CheckpointError
from . import policy
from .pickle_stack import PickleStack, describe
from .records import Record, damaged, unsafe

MAX_PICKLE_BYTES = 16 * 2**20
MAX_OPCODES = 1_000_000

PersistentLoad = Callable[[Any], Any]


class PickleMachine(PickleStack):
    """Reads one pickle after the other from a buffer.

    Args:
        data: The bytes; at most `MAX_PICKLE_BYTES` of them are looked at.
        persistent_load: Turns a persistent id, as `torch.save` writes one for a storage, into an object.
    """

    def __init__(self, data: bytes, persistent_load: PersistentLoad | None = None) -> None:
        super().__init__()
        self._stream = BytesIO(data)
        self._persistent_load = persistent_load
        self._opcodes_left = MAX_OPCODES

    @property
    def position(self) -> int:
        """Where the next pickle begins."""
        return self._stream.tell()

    def load(self) -> Any:
        """Returns the next object.

        Raises:
            CheckpointError: The bytes are no pickle, or ask for more than a checkpoint needs.
        """
        self._restart()
        for name, argument in self._opcodes():
            if name == "STOP":
                return self._pop()
            self._opcodes_left -= 1
            if self._opcodes_left < 0:
                raise damaged("명령이 너무 많습니다", f"the pickle has more than {MAX_OPCODES:,} opcodes")
            if name not in _METHODS:
                raise unsafe(
                    f"pickle opcode {name}",
                    "torch.save가 쓰지 않는 명령입니다",
                    "an opcode that torch.save does not write",
                )
            method = getattr(self, _METHODS[name])
            if name in _WITH_ARGUMENT:
                method(argument)
            else:
                method()
        raise damaged("피클이 중간에 끊겼습니다", "the pickle ends too early")

    def _opcodes(self) -> Iterator[tuple[str, Any]]:
        """Yields the name of each opcode and its argument, as the standard library reads them."""
        try:
            for opcode, argument, _ in pickletools.genops(self._stream):
                yield opcode.name, argument
        except ValueError as error:
            if isinstance(error, CheckpointError):
                raise
            raise damaged("피클로 읽히지 않습니다", f"this does not read as a pickle: {error}") from error

    def _global(self, names: str) -> None:
        module, _, name = names.partition(" ")
        self._push(policy.resolve(module, name))

    def _stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        if type(name) is not str or type(module) is not str:
            raise damaged("이름이 문자열이 아닙니다", "a global is named by something that is no string")
        self._push(policy.resolve(module, name))

    def _reduce(self) -> None:
        arguments, function = self._pop(), self._pop()
        self._push(policy.call(function, arguments))

    def _new_object(self) -> None:
        arguments, kind = self._pop(), self._pop()
        self._push(policy.instantiate(kind, arguments))

    def _new_object_extended(self) -> None:
        keywords = self._pop()
        if not isinstance(keywords, dict) or keywords:
            raise unsafe("NEWOBJ_EX", "생성자에 인수를 줍니다", "a constructor is given keyword arguments")
        self._new_object()

    def _instance(self, names: str) -> None:
        module, _, name = names.partition(" ")
        self._push(policy.instantiate(policy.resolve(module, name), tuple(self._pop_to_mark())))

    def _object(self) -> None:
        kind, *arguments = self._pop_to_mark() or [None]
        self._push(policy.instantiate(kind, tuple(arguments)))

    def _build(self) -> None:
        state = self._pop()
        target = self._pop()
        self._push(target)
        if isinstance(target, Record):
            target.state.update(_attributes(state, target))
        elif not isinstance(target, dict):  # a dictionary's attribute is the `_metadata` of a state dict
            raise unsafe("BUILD", "객체가 아닌 것의 상태를 바꿉니다", f"a state is set on {describe(target)}")

    def _persistent(self) -> None:
        identifier = self._pop()
        if self._persistent_load is None:
            raise damaged("예상치 못한 참조입니다", "a persistent id where there can be none")
        self._push(self._persistent_load(identifier))


_WITH_ARGUMENT = {
    "BINFLOAT": "_push",
    "FLOAT": "_push",
    "STRING": "_push",
    "BINSTRING": "_push",
    "SHORT_BINSTRING": "_push",
    "UNICODE": "_push",
    "SHORT_BINUNICODE": "_push",
    "BINUNICODE": "_push",
    "BINUNICODE8": "_push",
    "SHORT_BINBYTES": "_push",
    "BINBYTES": "_push",
    "BINBYTES8": "_push",
    "INT": "_push_integer",
    "BININT": "_push_integer",
    "BININT1": "_push_integer",
    "BININT2": "_push_integer",
    "LONG": "_push_integer",
    "LONG1": "_push_integer",
    "LONG4": "_push_integer",
    "PUT": "_put",
    "BINPUT": "_put",
    "LONG_BINPUT": "_put",
    "GET": "_get",
    "BINGET": "_get",
    "LONG_BINGET": "_get",
    "GLOBAL": "_global",
    "INST": "_instance",
    "PROTO": "_skip",
    "FRAME": "_skip",
}
_WITHOUT_ARGUMENT = {
    "MARK": "_push_mark",
    "POP": "_drop",
    "POP_MARK": "_pop_to_mark",
    "DUP": "_duplicate",
    "NONE": "_push_none",
    "NEWTRUE": "_push_true",
    "NEWFALSE": "_push_false",
    "EMPTY_LIST": "_empty_list",
    "EMPTY_TUPLE": "_tuple0",
    "EMPTY_DICT": "_empty_dict",
    "EMPTY_SET": "_empty_set",
    "LIST": "_list",
    "DICT": "_dict",
    "TUPLE": "_tuple",
    "TUPLE1": "_tuple1",
    "TUPLE2": "_tuple2",
    "TUPLE3": "_tuple3",
    "FROZENSET": "_frozenset",
    "APPEND": "_append",
    "APPENDS": "_appends",
    "SETITEM": "_setitem",
    "SETITEMS": "_setitems",
    "ADDITEMS": "_add_items",
    "MEMOIZE": "_memoize",
    "STACK_GLOBAL": "_stack_global",
    "OBJ": "_object",
    "REDUCE": "_reduce",
    "BUILD": "_build",
    "NEWOBJ": "_new_object",
    "NEWOBJ_EX": "_new_object_extended",
    "BINPERSID": "_persistent",
}
_METHODS = _WITH_ARGUMENT | _WITHOUT_ARGUMENT
"""The method for each opcode, by its name in `pickletools`; an opcode that is not here is refused."""


def read_pickle(data: bytes, persistent_load: PersistentLoad | None = None) -> Any:
    """Returns the one object that `data` is the pickle of; see `PickleMachine`."""
    if len(data) > MAX_PICKLE_BYTES:
        raise damaged("피클이 너무 큽니다", f"a pickle of {len(data):,} bytes; at most {MAX_PICKLE_BYTES:,} are read")
    return PickleMachine(data, persistent_load).load()


def _attributes(state: Any, target: Record) -> dict[str, Any]:
    """Returns the attributes that a BUILD gives to a record."""
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):  # with __slots__
        state = {**(state[0] if isinstance(state[0], dict) else {}), **state[1]}
    if not isinstance(state, dict):
        return {"state": state}  # a class of its own pickling; nothing here looks into it
    if not all(type(name) is str for name in state):
        raise unsafe(str(target.kind), "속성 이름이 문자열이 아닙니다", "an attribute's name is no string")
    return state
