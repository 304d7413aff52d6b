"""The values of a pickle while it is read: a stack, a memo, and plain containers that are built on them."""

from __future__ import annotations

from typing import Any

from .records import Global, Record, TensorRecord, damaged

_MAX_INTEGER_BYTES = 64
_ATOMS = (str, int, float, bool, bytes, type(None), Record)
_MARK = object()


class PickleStack:
    """A method for each opcode that makes or moves plain values; none of them calls or imports anything."""

    def __init__(self) -> None:
        self._restart()

    def _restart(self) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _push_integer(self, value: int) -> None:
        if value.bit_length() > 8 * _MAX_INTEGER_BYTES:
            raise damaged("정수가 너무 깁니다", f"an integer of {value.bit_length()} bits")
        self._push(value)

    def _push_none(self) -> None:
        self._push(None)

    def _push_true(self) -> None:
        self._push(True)

    def _push_false(self) -> None:
        self._push(False)

    def _push_mark(self) -> None:
        self._push(_MARK)

    def _drop(self) -> None:
        if self._stack and self._stack[-1] is _MARK:
            self._stack.pop()
        else:
            self._pop()

    def _duplicate(self) -> None:
        value = self._pop()
        self._stack += [value, value]

    def _skip(self, _: int) -> None:
        """Passes over what says nothing of the object: the protocol's version, the length of a frame."""

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

    # Containers

    def _empty_list(self) -> None:
        self._push([])

    def _empty_dict(self) -> None:
        self._push({})

    def _empty_set(self) -> None:
        self._push(set())

    def _list(self) -> None:
        self._push(self._pop_to_mark())

    def _tuple(self) -> None:
        self._push(tuple(self._pop_to_mark()))

    def _tuple_of(self, count: int) -> None:
        self._push(tuple([self._pop() for _ in range(count)][::-1]))

    def _tuple0(self) -> None:
        self._tuple_of(0)

    def _tuple1(self) -> None:
        self._tuple_of(1)

    def _tuple2(self) -> None:
        self._tuple_of(2)

    def _tuple3(self) -> None:
        self._tuple_of(3)

    def _frozenset(self) -> None:
        self._push(frozenset(_checked_key(item) for item in self._pop_to_mark()))

    def _append(self) -> None:
        self._append_items([self._pop()])

    def _appends(self) -> None:
        self._append_items(self._pop_to_mark())

    def _setitem(self) -> None:
        value, key = self._pop(), self._pop()
        self._set_items([key, value])

    def _setitems(self) -> None:
        self._set_items(self._pop_to_mark())

    def _set_items(self, pairs: list[Any]) -> None:
        target = self._pop()
        self._push(target)
        if not isinstance(target, dict) or len(pairs) % 2:
            raise damaged("사전이 아닌 것에 항목을 넣습니다", f"items are set on {describe(target)}")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            target[_checked_key(key)] = value

    def _append_items(self, items: list[Any]) -> None:
        target = self._pop()
        self._push(target)
        if not isinstance(target, list):
            raise damaged("목록이 아닌 것에 항목을 덧붙입니다", f"items are appended to {describe(target)}")
        target.extend(items)

    def _add_items(self) -> None:
        items = [_checked_key(item) for item in self._pop_to_mark()]
        target = self._pop()
        if not isinstance(target, set):
            raise damaged("집합이 아닌 것에 항목을 넣습니다", f"items are added to {describe(target)}")
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

    def _memoize(self) -> None:
        self._put(len(self._memo))


def describe(value: object) -> str:
    """Returns what a value is, for an error."""
    return str(value.kind) if isinstance(value, Record) else f"a {type(value).__name__}"


def _checked_key(key: Any) -> Any:
    """Returns `key` if hashing it is quick and safe: nested tuples can crash the interpreter."""
    parts = key if type(key) is tuple and len(key) <= 16 else (key,)
    for part in parts:
        if not isinstance(part, (*_ATOMS, Global, TensorRecord)):
            raise damaged("사전의 키가 잘못되었습니다", f"{describe(part)} as a key of a dictionary")
        if type(part) is int and part.bit_length() > 64:
            raise damaged("사전의 키가 너무 큰 정수입니다", "an integer of more than 64 bits as a key of a dictionary")
    return key
