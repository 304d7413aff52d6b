"""Faster ways to compute on the CPU in float32 what a model asks torch for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from transformers import PreTrainedModel

from ..utils.modules import every_module
from . import onednn

_MOST_THREADS_FOR_MASKS = 4
"""torch spreads the drawing of a mask over its threads, and is five times as slow on one."""


def cpu_kernels(model: PreTrainedModel) -> AbstractContextManager[Any]:
    """Returns a context in which the way forward of `model` is computed faster, where that is known to be so.

    Its layers are not touched, and what it computes stays the same but for rounding: the functions are exchanged that
    layers of any make call. The way back may be taken outside the context. A model on another device, one that is
    compiled, and one that computes its activations again on the way back are left alone.
    """
    if model.device.type != "cpu" or not onednn.outruns_mkl():
        return nullcontext()
    # What is computed again must be what was computed, and the way back is no place that this context reaches.
    again = any(getattr(module, "gradient_checkpointing", False) for module in every_module(model))
    return nullcontext() if again else CPUKernels()


class CPUKernels(TorchFunctionMode):
    """Exchanges functions of torch while it is entered."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        """Calls `func`, or what stands for it."""
        return _KERNELS.get(func, func)(*args, **(kwargs or {}))


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Computes `torch.nn.functional.linear` by oneDNN; by torch where the arguments are not plain float32 matrices.

    Args:
        inputs: Shape (…, inputs).
        weight: Shape (outputs, inputs).
        bias: Shape (outputs,).
    """
    tensors = (inputs, weight) if bias is None else (inputs, weight, bias)
    if torch.is_autocast_enabled("cpu") or not all(map(_is_plain, tensors)) or weight.ndim != 2 or not inputs.numel():
        return functional.linear(inputs, weight, bias)
    outputs: Tensor = _Linear.apply(inputs.contiguous(), weight, bias)  # type: ignore[no-untyped-call]
    return outputs


def _is_plain(tensor: Tensor) -> bool:
    """Whether nothing but a dense float32 tensor on the CPU is there: no quantised weight, no tensor of a tracer."""
    known = type(tensor) is Tensor or type(tensor) is nn.Parameter
    return known and tensor.dtype == torch.float32 and tensor.is_cpu and tensor.layout == torch.strided


class _Linear(torch.autograd.Function):
    """A linear layer whose three products are oneDNN's."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        for_inputs, for_weight, _ = ctx.needs_input_grad  # of a frozen weight (LoRA's) the inputs need not stay
        ctx.save_for_backward(inputs if for_weight else None, weight if for_inputs else None)
        return onednn.product(inputs, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        inputs, weight = ctx.saved_tensors  # type: ignore[attr-defined]
        for_inputs, for_weight, for_bias = ctx.needs_input_grad  # type: ignore[attr-defined]
        rows = gradient.reshape(-1, gradient.shape[-1]).contiguous()
        return (
            onednn.product(rows, weight.t()).view(*gradient.shape[:-1], -1) if for_inputs else None,
            onednn.product(rows.t(), inputs.view(-1, inputs.shape[-1]).t()) if for_weight else None,
            rows.sum(0) if for_bias else None,
        )


def dropout(inputs: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Computes `torch.nn.functional.dropout` with masks of 16 random bits an element.

    The probability is rounded to a multiple of 2**-16, and what is kept is scaled by what it was rounded to, so that
    the expectation is exact. The bits are those of torch's generator for the CPU.

    Args:
        inputs: Any shape.
        p: Probability of an element to become 0.
        training: Whether anything is dropped.
        inplace: Left to torch.
    """
    dropped = round(p * 2**16)
    few_threads = torch.get_num_threads() <= _MOST_THREADS_FOR_MASKS
    if not training or inplace or not 0 < dropped < 2**16 or not _is_plain(inputs) or not few_threads:
        return functional.dropout(inputs, p, training, inplace)
    count = inputs.numel()
    bits = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None).view(torch.int16)[:count]
    mask = bits.float().ge_(dropped - 2**15).mul_(2**16 / (2**16 - dropped))
    return inputs * mask.view(inputs.shape)


_KERNELS: dict[Callable[..., Any], Callable[..., Any]] = {functional.linear: linear, functional.dropout: dropout}
