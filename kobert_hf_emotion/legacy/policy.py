"""What a pickle may name, and what happens when it calls it: our own functions, by an exact list.

Three kinds of names:

1. `CALLABLES`: the functions that `torch.save` writes calls to. Calls go to the functions of this module,
   which check every argument and build records; the functions of those names are never imported.
2. Classes and functions that may be named but not called, such as `__main__.BERTClassifier`, the classes of
   transformers in any version, or `torch._C._nn.gelu`. They become a `Global`; an object of one of them
   becomes a `Record`.
3. Everything of Python's standard library and of torch and numpy beyond these: refused by name, even
   where it is only mentioned.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch

from .records import Global, Record, StorageRecord, TensorRecord, unsafe

STORAGE_DTYPES: dict[str, torch.dtype] = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "UntypedStorage": torch.uint8,
}
"""Element types by the name of the storage class; other types hold no weights of a BERT."""

_STORAGE_MODULES = ("torch", "torch.cuda", "torch.storage")
DTYPE_NAMES: dict[str, torch.dtype] = {str(dtype).removeprefix("torch."): dtype for dtype in STORAGE_DTYPES.values()}
DTYPE_NAMES |= {"half": torch.float16, "float": torch.float32, "double": torch.float64, "long": torch.int64}

_INERT_PACKAGES = ("torch.nn.", "torch.optim.", "torch._C._nn.", "transformers.")
_INERT_NAMES = frozenset(
    {f"builtins.{name}" for name in ("object", "bool", "int", "float", "str", "bytes", "list", "dict", "tuple")}
    | {"torch.Tensor", "torch._tensor.Tensor", "numpy.ndarray", "argparse.Namespace"}
    | {f"torch.{name}" for name in DTYPE_NAMES}
    | {f"{module}.{name}" for module in _STORAGE_MODULES for name in STORAGE_DTYPES}
)
_PYTHON_2_MODULES = frozenset(
    {"cPickle", "cStringIO", "commands", "copy_reg", "httplib", "popen2", "thread", "urllib2"}
)
_CLOSED_PACKAGES = sys.stdlib_module_names | _PYTHON_2_MODULES | {"torch", "numpy", "pip", "setuptools"}


def resolve(module: str, name: str) -> Global:
    """Returns the inert name for `module.name`, or refuses it.

    Raises:
        CheckpointError: The name is one that checkpoints have no use for.
    """
    if module == "__builtin__":  # what protocol 2 calls it
        module = "builtins"
    found = Global(module, name)
    if not name.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        raise unsafe(str(found)[:200], "이름의 형식이 잘못되었습니다", "the name is not of the form module.Class")
    full = str(found)
    if full in CALLABLES or full in _INERT_NAMES or module == "__main__" or full.startswith(_INERT_PACKAGES):
        return found
    if module.split(".")[0] in _CLOSED_PACKAGES:
        raise unsafe(full, "체크포인트에 있을 이유가 없는 이름입니다", "a name that a checkpoint has no use for")
    return found


def call(function: object, arguments: object) -> Any:
    """Does what a call in the pickle stands for, if it is one of `CALLABLES`.

    Raises:
        CheckpointError: It is not, or the arguments are not those that `torch.save` writes.
    """
    if not isinstance(function, Global) or str(function) not in CALLABLES:
        name = str(function) if isinstance(function, Global) else f"REDUCE({type(function).__name__})"
        raise unsafe(name, "파일이 이것을 호출하려 합니다", "the file tries to call it")
    if not isinstance(arguments, tuple):
        raise _bad_arguments(function)
    try:
        return CALLABLES[str(function)](*arguments)
    except TypeError as error:
        raise _bad_arguments(function) from error


def instantiate(kind: object, arguments: object) -> Record:
    """Returns an empty record for an object of the class `kind`.

    Raises:
        CheckpointError: `kind` is no class that may be named, or its constructor is given arguments.
    """
    if not isinstance(kind, Global) or str(kind) in CALLABLES:
        raise unsafe(str(kind)[:200], "클래스가 아닙니다", "an object of it is asked for, and it is no class")
    if arguments != ():
        raise unsafe(str(kind), "생성자에 인수를 줍니다", "its constructor is given arguments")
    return Record(kind)


def _bad_arguments(function: Global) -> Exception:
    return unsafe(str(function), "인수가 잘못되었습니다", "called with arguments that torch.save does not write")


def _require(condition: bool) -> None:
    """Raises what `call` reports as bad arguments; not an `assert`, which `python -O` leaves out."""
    if not condition:
        raise TypeError


def _is_sizes(value: object) -> bool:
    return isinstance(value, tuple) and all(type(size) is int and 0 <= size < 2**48 for size in value)


def _view(storage: Any, offset: Any, shape: Any, stride: Any, dtype: torch.dtype | None = None) -> TensorRecord:
    """Checks that the view lies within its storage and is no larger, and returns it."""
    _require(isinstance(storage, StorageRecord))
    _require(type(offset) is int)
    _require(offset >= 0)
    _require(_is_sizes(shape))
    _require(_is_sizes(stride))
    _require(len(shape) == len(stride) <= 8)
    chosen = dtype or storage.dtype
    available = storage.numel * storage.dtype.itemsize // chosen.itemsize
    tensor = TensorRecord(storage, offset, shape, stride, chosen)
    last = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
    if tensor.numel and (last >= available or tensor.numel > available):
        raise unsafe(
            "torch._utils._rebuild_tensor",
            f"저장된 {available}개보다 많은 값을 읽으려 합니다",
            f"a tensor {shape} reaches beyond the {available} stored values",
        )
    return tensor


def _rebuild_tensor(storage: Any, offset: Any, shape: Any, stride: Any) -> TensorRecord:
    return _view(storage, offset, shape, stride)


def _rebuild_tensor_v2(storage: Any, offset: Any, shape: Any, stride: Any, *_settings: Any) -> TensorRecord:
    _require(len(_settings) in (2, 3))
    return _view(storage, offset, shape, stride)


def _rebuild_tensor_v3(
    storage: Any, offset: Any, shape: Any, stride: Any, _grad: Any, _hooks: Any, dtype: Any, _metadata: Any = None
) -> TensorRecord:
    _require(isinstance(dtype, Global))
    _require(dtype.module == "torch")
    _require(dtype.name in DTYPE_NAMES)
    return _view(storage, offset, shape, stride, DTYPE_NAMES[dtype.name])


def _rebuild_parameter(data: Any, _requires_grad: Any, _hooks: Any, _state: Any = None) -> TensorRecord:
    _require(isinstance(data, TensorRecord))
    tensor: TensorRecord = data
    return tensor


def _rebuild_from_type(function: Any, kind: Any, arguments: Any, _state: Any) -> Any:
    _require(isinstance(function, Global))
    _require(function.name.startswith("_rebuild_"))
    _require(function.name != "_rebuild_from_type_v2")
    _require(isinstance(kind, Global))
    return call(function, arguments)


def _ordered_dict(items: Any = ()) -> OrderedDict[Any, Any]:
    _require(isinstance(items, (list, tuple)))
    pairs: OrderedDict[Any, Any] = OrderedDict()
    for item in items:
        _require(isinstance(item, (list, tuple)) and len(item) == 2 and type(item[0]) in (str, int))
        key, value = item
        pairs[key] = value
    return pairs


def _default_dict(factory: Any = None) -> dict[Any, Any]:
    _require(factory is None or isinstance(factory, Global))
    return {}


def _set(items: Any = ()) -> set[Any]:
    _require(isinstance(items, (list, tuple)))
    _require(all(type(item) in (str, int) for item in items))
    return set(items)


def _bound_method(owner: Any, name: Any) -> Record:
    """`getattr` on a record, the way a bound method such as `GELUActivation._gelu_python` is pickled."""
    _require(isinstance(owner, Record))
    _require(type(name) is str)
    return Record(Global(str(owner.kind), name))


def _reconstructor(kind: Any, base: Any, state: Any) -> Record:
    _require(base == Global("builtins", "object"))
    _require(state is None)
    return instantiate(kind, ())


def _encode(text: Any, encoding: Any) -> bytes:
    _require(type(text) is str)
    _require(encoding == "latin1")
    _require(all(ord(character) < 256 for character in text))
    data: bytes = text.encode("latin1")
    return data


def _size(sizes: Any) -> tuple[int, ...]:
    _require(_is_sizes(sizes))
    return tuple(sizes)


def _device(kind: Any, index: Any = None) -> Any:
    _require(type(kind) is str)
    _require(index is None or type(index) is int)
    return kind


def _numpy_dtype(code: Any, _align: Any = False, _copy: Any = True) -> Record:
    _require(type(code) is str)
    _require(code in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "b1"))
    return Record(Global("numpy", code))


def _numpy_scalar(dtype: Any, data: Any) -> Record:
    _require(isinstance(dtype, Record))
    _require(dtype.kind.module == "numpy")
    _require(type(data) is bytes)
    _require(len(data) == int(dtype.kind.name[1:]))
    return Record(dtype.kind, {"data": data})


def _numpy_array(kind: Any, shape: Any, typecode: Any) -> Record:
    """Stands for `_reconstruct`, which makes an empty array; what it is filled with stays a record."""
    _require(kind == Global("numpy", "ndarray"))
    _require(shape == (0,))
    _require(typecode == b"b")
    return Record(kind)


def _no_backend() -> None:
    """The attribute `_backend` of modules saved by torch before 1.2."""


CALLABLES: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": _ordered_dict,
    "collections.defaultdict": _default_dict,
    "builtins.set": _set,
    "builtins.frozenset": _set,
    "builtins.getattr": _bound_method,
    "copyreg._reconstructor": _reconstructor,
    "copy_reg._reconstructor": _reconstructor,
    "_codecs.encode": _encode,
    "torch.Size": _size,
    "torch.device": _device,
    "torch._utils._rebuild_tensor": _rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor_v2,
    "torch._utils._rebuild_tensor_v3": _rebuild_tensor_v3,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
    "torch._utils._rebuild_parameter_with_state": _rebuild_parameter,
    "torch._tensor._rebuild_from_type_v2": _rebuild_from_type,
    "torch.nn.backends.thnn._get_thnn_function_backend": _no_backend,
    "numpy.dtype": _numpy_dtype,
    "numpy.core.multiarray.scalar": _numpy_scalar,
    "numpy._core.multiarray.scalar": _numpy_scalar,
    "numpy.core.multiarray._reconstruct": _numpy_array,
    "numpy._core.multiarray._reconstruct": _numpy_array,
}
"""The functions a pickle may call, and what is done instead."""
