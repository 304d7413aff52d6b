"""What torch has of oneDNN's matrix products, and where they are faster than those it takes by itself.

The one place for private operators of torch, seen in 2.13: `torch.compile` makes calls of them, and there are no
public ones that multiply by packed weights, or by oneDNN where torch would take MKL.
`tests/utils/test_private_names.py` lists them.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

_CPU_INFO = Path("/proc/cpuinfo")
_ROWS_TO_PACK_FOR = 16


@cache
def is_available() -> bool:
    """Whether oneDNN's products can be called: on x86-64 alone, elsewhere this was never tried."""
    known = platform.machine().lower() in {"x86_64", "amd64"} and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    return known and bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]


@cache
def outruns_mkl() -> bool:
    """Whether oneDNN multiplies float32 faster than MKL, which torch takes for it.

    MKL has its AVX-512 code for Intel's processors alone and gives AMD's that for AVX2; oneDNN asks a processor what
    it can do, and not who made it. Nothing is timed here: a run that is continued has to choose as it did before.
    """
    with_mkl = is_available() and bool(torch.backends.mkl.is_available())  # type: ignore[no-untyped-call]
    return with_mkl and torch.backends.cpu.get_cpu_capability() == "AVX512" and "AuthenticAMD" in _vendor()


def _vendor() -> str:
    """Returns a text with the processor's vendor in it, where the system tells."""
    return _CPU_INFO.read_text(encoding="utf-8") if _CPU_INFO.is_file() else platform.processor()


def product(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Returns `rows @ weight.T + bias` by oneDNN, without a gradient.

    Args:
        rows: Shape (…, inputs), float32, on the CPU; a matrix may be transposed, but nothing may be skipped in memory:
            oneDNN takes hundreds of times as long then.
        weight: Shape (outputs, inputs); transposed as well, if need be.
        bias: Shape (outputs,).
    """
    result: Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    return result


def packed_product(weight: Tensor, bias: Tensor, activation: str = "none") -> Callable[[Tensor], Tensor]:
    """Returns the function of a linear layer whose weights are laid out once.

    Args:
        weight: Shape (outputs, inputs), float32, on the CPU; copied.
        bias: Shape (outputs,).
        activation: What follows: "none", or "gelu" (exact).
    """
    packed, bias, compute = _pack(weight), bias.detach(), torch.ops.mkldnn._linear_pointwise
    return lambda states: compute(states, packed, bias, activation, [], "none" if activation == "gelu" else "")


def packed_product_and_sum(weight: Tensor, bias: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """Returns the function of such a layer whose output is added to a second argument."""
    packed, bias, compute = _pack(weight), bias.detach(), torch.ops.mkldnn._linear_pointwise.binary
    return lambda states, residual: compute(states, residual, packed, bias, "add")


def _pack(weight: Tensor) -> Tensor:
    packed: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.detach(), _ROWS_TO_PACK_FOR)
    return packed
