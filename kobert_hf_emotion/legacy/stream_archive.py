"""The container of torch before 1.6: pickles and values one after the other."""

from __future__ import annotations

import struct
from typing import IO, Any

from .machine import MAX_PICKLE_BYTES, PickleMachine
from .policy import resolve
from .records import Global, StorageRecord, damaged
from .storages import fill, storage_record, swapped

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001


class StreamStorages:
    """The stream of torch before 1.6: five pickles, then for each storage its length and its values."""

    def __init__(self, handle: IO[bytes], size: int) -> None:
        self._handle = handle
        self._size = size
        self._declared: dict[str, StorageRecord] = {}
        self._starts: dict[str, int] = {}
        self._swap = False

    def read_root(self) -> Any:
        """Returns what was saved, with records in place of tensors."""
        machine = PickleMachine(self._handle.read(MAX_PICKLE_BYTES), self._referred)
        first = machine.load()
        # Another program's pickle is refused by what it names; one that names nothing, here.
        if first != _MAGIC or machine.load() != _VERSION:
            raise damaged("torch.save의 표시가 없습니다", "it does not start as torch.save writes it")
        info = machine.load()
        self._swap = isinstance(info, dict) and info.get("little_endian") is False
        root = machine.load()
        keys = machine.load()
        if not isinstance(keys, list) or not all(type(key) in (str, int) for key in keys):
            raise damaged("저장소 목록이 잘못되었습니다", "the list of storages is no list of names")
        self._locate([str(key) for key in keys], machine.position)
        return root

    def _locate(self, keys: list[str], position: int) -> None:
        """Finds where the values of each storage start."""
        for key in keys:
            self._handle.seek(position)
            head = self._handle.read(8)
            if len(head) != 8 or key not in self._declared or key in self._starts:
                raise damaged(f"저장소 {key[:80]}이 없습니다", f"storage {key[:80]!r} is missing or not declared")
            (numel,) = struct.unpack(">q" if self._swap else "<q", head)
            storage = self._declared[key]
            end = position + 8 + numel * storage.dtype.itemsize
            if numel != (storage.root_numel or storage.numel) or end > self._size:
                raise damaged(
                    f"저장소 {key[:80]}의 크기가 다릅니다",
                    f"storage {key[:80]!r} should have {storage.root_numel or storage.numel:,} values, found {numel:,}",
                )
            self._starts[key] = position + 8
            position = end
        if missing := set(self._declared) - set(self._starts):
            raise damaged("값이 없는 저장소가 있습니다", f"storages without values: {sorted(missing)[:5]}")

    def _referred(self, identifier: Any) -> Any:
        if isinstance(identifier, tuple) and len(identifier) == 4 and identifier[0] == "module":
            return self._module_class(identifier[1])  # with the source code of the class, which nobody runs
        storage, rest = storage_record(identifier)
        known = self._declared.setdefault(storage.key, storage)
        if (known.dtype, known.numel) != (storage.dtype, storage.numel):
            raise damaged("저장소가 두 번 다르게 선언되었습니다", f"storage {storage.key[:80]!r} is declared twice")
        return _view_of(storage, rest[0]) if rest and rest[0] is not None else storage

    @staticmethod
    def _module_class(kind: Any) -> Global:
        if not isinstance(kind, Global):
            raise damaged("클래스 참조가 잘못되었습니다", "a module class that is no class")
        return resolve(kind.module, kind.name)

    def read(self, storage: StorageRecord) -> bytearray:
        """Returns the bytes of a storage."""
        data = bytearray(storage.numel * storage.dtype.itemsize)
        self._handle.seek(self._starts[storage.key] + storage.start * storage.dtype.itemsize)
        fill(self._handle, data)
        return swapped(data, storage) if self._swap else data


def _view_of(storage: StorageRecord, view: Any) -> StorageRecord:
    """Returns the part of `storage` that the view (key, offset, numel) of an old file names."""
    is_valid = isinstance(view, tuple) and len(view) == 3 and all(type(number) is int for number in view[1:])
    if not is_valid or not 0 <= view[1] <= view[1] + view[2] <= storage.numel or view[2] < 0:
        raise damaged("저장소의 일부가 잘못되었습니다", "a view that does not lie within its storage")
    return StorageRecord(storage.key, storage.dtype, view[2], view[1], storage.numel)
