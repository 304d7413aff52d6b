"""A small machine for pickle's opcodes that imports nothing and calls nothing but `policy.CALLABLES`.

Python's own unpickler is not used, not even a subclass: besides calling what the file says, it allocates
memory by numbers in the file (the memo of `LONG_BINPUT`, `BYTEARRAY8`) before it looks at the data.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, ClassVar

from . import policy
from .records import Global, Record, TensorRecord, damaged, unsafe

MAX_PICKLE_BYTES = 16 * 2**20
MAX_OPCODES = 1_000_000
_MAX_INTEGER_BYTES = 64
_ATOMS = (str, int, float, bool, bytes, type(None), Record)
_MARK = object()

PersistentLoad = Callable[[Any], Any]


class PickleMachine:
    """Reads one pickle after the other from a buffer.

    Args:
        data: The bytes; at most `MAX_PICKLE_BYTES` of them are looked at.
        persistent_load: Turns a persistent id, as `torch.save` writes one for a storage, into an object.
    """

    def __init__(self, data: bytes, persistent_load: PersistentLoad | None = None) -> None:
        self._data = data
        self.position = 0
        self._persistent_load = persistent_load
        self._opcodes_left = MAX_OPCODES

    def load(self) -> Any:
        """Returns the next object.

        Raises:
            CheckpointError: The bytes are no pickle, or ask for more than a checkpoint needs.
        """
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        while True:
            opcode = self._take(1)[0]
            if opcode == 0x2E:  # STOP
                return self._pop()
            self._opcodes_left -= 1
            if self._opcodes_left < 0:
                raise damaged("명령이 너무 많습니다", f"the pickle has more than {MAX_OPCODES:,} opcodes")
            action = self._ACTIONS.get(opcode)
            if action is None:
                name = f"pickle opcode {bytes([opcode])!r}"
                raise unsafe(name, "torch.save가 쓰지 않는 명령입니다", "an opcode that torch.save does not write")
            action(self)

    # Reading

    def _take(self, count: int) -> bytes:
        end = self.position + count
        if count < 0 or end > len(self._data):
            raise damaged("피클이 중간에 끊겼습니다", "the pickle ends too early")
        chunk = self._data[self.position : end]
        self.position = end
        return chunk

    def _number(self, form: str) -> int:
        (value,) = struct.unpack(form, self._take(struct.calcsize(form)))
        return int(value)

    def _line(self) -> str:
        end = self._data.find(b"\n", self.position, self.position + 4096)
        if end < 0:
            raise damaged("줄이 끝나지 않습니다", "a line of the pickle does not end")
        return self._text(self._take(end + 1 - self.position)[:-1])

    @staticmethod
    def _text(data: bytes) -> str:
        try:
            return data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise damaged("문자열이 UTF-8이 아닙니다", "a string is not UTF-8") from error

    # The stack

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self) -> Any:
        if not self._stack or self._stack[-1] is _MARK:
            raise damaged("피클의 스택이 비었습니다", "the pickle takes from an empty stack")
        return self._stack.pop()

    def _pop_to_mark(self) -> list[Any]:
        items: list[Any] = []
        while self._stack:
            item = self._stack.pop()
            if item is _MARK:
                return items[::-1]
            items.append(item)
        raise damaged("피클에 표시가 없습니다", "the pickle asks for a mark that was not set")

    def _pop_tuple(self, count: int) -> None:
        self._push(tuple([self._pop() for _ in range(count)][::-1]))

    # Containers

    def _set_items(self, pairs: list[Any]) -> None:
        target = self._pop()
        self._push(target)
        if not isinstance(target, dict) or len(pairs) % 2:
            raise damaged("사전이 아닌 것에 항목을 넣습니다", f"items are set on {_describe(target)}")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            target[_checked_key(key)] = value

    def _append_items(self, items: list[Any]) -> None:
        target = self._pop()
        self._push(target)
        if not isinstance(target, list):
            raise damaged("목록이 아닌 것에 항목을 덧붙입니다", f"items are appended to {_describe(target)}")
        target.extend(items)

    def _add_items(self) -> None:
        items = [_checked_key(item) for item in self._pop_to_mark()]
        target = self._pop()
        if not isinstance(target, set):
            raise damaged("집합이 아닌 것에 항목을 넣습니다", f"items are added to {_describe(target)}")
        target.update(items)
        self._push(target)

    def _dict(self) -> None:
        pairs = self._pop_to_mark()
        self._push({})
        self._set_items(pairs)

    # The memo

    def _put(self, index: int) -> None:
        value = self._pop()
        self._push(value)
        self._memo[index] = value

    def _get(self, index: int) -> None:
        if index not in self._memo:
            raise damaged("피클이 없는 값을 가리킵니다", f"the pickle refers to memo {index}, which was never set")
        self._push(self._memo[index])

    def _line_number(self) -> int:
        line = self._line()
        if not _is_integer(line):
            raise damaged("정수가 아닙니다", f"expected an integer, found {line[:80]!r}")
        return int(line)

    # Numbers and text

    def _long(self, count: int) -> None:
        if count > _MAX_INTEGER_BYTES:
            raise damaged("정수가 너무 깁니다", f"an integer of {count} bytes")
        self._push(int.from_bytes(self._take(count), "little", signed=True))

    def _text_integer(self) -> None:
        line = self._line().removesuffix("L")
        self._push(int(line) if _is_integer(line) else line)

    def _text_float(self) -> None:
        line = self._line()
        try:
            self._push(float(line))
        except ValueError as error:
            raise damaged("실수가 아닙니다", f"expected a number, found {line[:80]!r}") from error

    # Objects

    def _global(self) -> None:
        self._push(policy.resolve(self._line(), self._line()))

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

    def _instance(self) -> None:
        kind = policy.resolve(self._line(), self._line())
        self._push(policy.instantiate(kind, tuple(self._pop_to_mark())))

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
            raise unsafe("BUILD", "객체가 아닌 것의 상태를 바꿉니다", f"a state is set on {_describe(target)}")

    def _persistent(self) -> None:
        identifier = self._pop()
        if self._persistent_load is None:
            raise damaged("예상치 못한 참조입니다", "a persistent id where there can be none")
        self._push(self._persistent_load(identifier))

    _ACTIONS: ClassVar[dict[int, Callable[[PickleMachine], object]]] = {
        opcode[0]: action
        for opcode, action in {
            b"\x80": lambda m: m._take(1),  # PROTO
            b"\x95": lambda m: m._take(8),  # FRAME
            b"(": lambda m: m._push(_MARK),
            b"0": lambda m: m._stack.pop() if m._stack else m._pop(),
            b"1": lambda m: m._pop_to_mark(),
            b"2": lambda m: m._stack.extend([m._pop()] * 2),  # DUP
            b"N": lambda m: m._push(None),
            b"\x88": lambda m: m._push(True),
            b"\x89": lambda m: m._push(False),
            b"J": lambda m: m._push(m._number("<i")),
            b"K": lambda m: m._push(m._number("<B")),
            b"M": lambda m: m._push(m._number("<H")),
            b"\x8a": lambda m: m._long(m._number("<B")),
            b"\x8b": lambda m: m._long(m._number("<i")),
            b"I": lambda m: m._text_integer(),
            b"L": lambda m: m._text_integer(),
            b"F": lambda m: m._text_float(),
            b"G": lambda m: m._stack.extend(struct.unpack(">d", m._take(8))),
            b"S": lambda m: m._push(m._line().strip("'\"")),
            b"V": lambda m: m._push(m._line()),
            b"T": lambda m: m._push(m._take(m._number("<i")).decode("latin1")),
            b"U": lambda m: m._push(m._take(m._number("<B")).decode("latin1")),
            b"X": lambda m: m._push(m._text(m._take(m._number("<I")))),
            b"\x8c": lambda m: m._push(m._text(m._take(m._number("<B")))),
            b"\x8d": lambda m: m._push(m._text(m._take(m._number("<Q")))),
            b"B": lambda m: m._push(m._take(m._number("<I"))),
            b"C": lambda m: m._push(m._take(m._number("<B"))),
            b"\x8e": lambda m: m._push(m._take(m._number("<Q"))),
            b"]": lambda m: m._push([]),
            b")": lambda m: m._push(()),
            b"}": lambda m: m._push({}),
            b"\x8f": lambda m: m._push(set()),
            b"l": lambda m: m._push(m._pop_to_mark()),
            b"d": lambda m: m._dict(),
            b"t": lambda m: m._push(tuple(m._pop_to_mark())),
            b"\x85": lambda m: m._pop_tuple(1),
            b"\x86": lambda m: m._pop_tuple(2),
            b"\x87": lambda m: m._pop_tuple(3),
            b"\x91": lambda m: m._push(frozenset(_checked_key(item) for item in m._pop_to_mark())),
            b"a": lambda m: m._append_items([m._pop()]),
            b"e": lambda m: m._append_items(m._pop_to_mark()),
            b"s": lambda m: m._set_items([m._pop(), m._pop()][::-1]),
            b"u": lambda m: m._set_items(m._pop_to_mark()),
            b"\x90": lambda m: m._add_items(),
            b"p": lambda m: m._put(m._line_number()),
            b"q": lambda m: m._put(m._number("<B")),
            b"r": lambda m: m._put(m._number("<I")),
            b"\x94": lambda m: m._put(len(m._memo)),  # MEMOIZE
            b"g": lambda m: m._get(m._line_number()),
            b"h": lambda m: m._get(m._number("<B")),
            b"j": lambda m: m._get(m._number("<I")),
            b"c": lambda m: m._global(),
            b"\x93": lambda m: m._stack_global(),
            b"i": lambda m: m._instance(),
            b"o": lambda m: m._object(),
            b"R": lambda m: m._reduce(),
            b"b": lambda m: m._build(),
            b"\x81": lambda m: m._new_object(),
            b"\x92": lambda m: m._new_object_extended(),
            b"Q": lambda m: m._persistent(),
        }.items()
    }


def read_pickle(data: bytes, persistent_load: PersistentLoad | None = None) -> Any:
    """Returns the one object that `data` is the pickle of; see `PickleMachine`."""
    if len(data) > MAX_PICKLE_BYTES:
        raise damaged("피클이 너무 큽니다", f"a pickle of {len(data):,} bytes; at most {MAX_PICKLE_BYTES:,} are read")
    return PickleMachine(data, persistent_load).load()


def _is_integer(line: str) -> bool:
    digits = line.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) <= _MAX_INTEGER_BYTES


def _describe(value: object) -> str:
    return str(value.kind) if isinstance(value, Record) else f"a {type(value).__name__}"


def _checked_key(key: Any) -> Any:
    """Returns `key` if hashing it is quick and safe: nested tuples can crash the interpreter."""
    parts = key if type(key) is tuple and len(key) <= 16 else (key,)
    for part in parts:
        if not isinstance(part, (*_ATOMS, Global, TensorRecord)):
            raise damaged("사전의 키가 잘못되었습니다", f"{_describe(part)} as a key of a dictionary")
        if type(part) is int and part.bit_length() > 64:
            raise damaged("사전의 키가 너무 큰 정수입니다", "an integer of more than 64 bits as a key of a dictionary")
    return key


def _attributes(state: Any, target: Record) -> dict[str, Any]:
    """Returns the attributes that a BUILD gives to a record."""
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):  # with __slots__
        state = {**(state[0] if isinstance(state[0], dict) else {}), **state[1]}
    if not isinstance(state, dict):
        return {"state": state}  # a class of its own pickling; nothing here looks into it
    if not all(type(name) is str for name in state):
        raise unsafe(str(target.kind), "속성 이름이 문자열이 아닙니다", "an attribute's name is no string")
    return state
