"""Which of torch's kernels for attention compute it on a GPU."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

_BUILT_IN = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]


def quick_attention(device: torch.device) -> AbstractContextManager[Any]:
    """Returns a context without cuDNN's attention, which torch takes on some GPUs.

    cuDNN makes a plan for each shape, which takes a tenth of a second; texts come in many shapes.
    """
    return sdpa_kernel(_BUILT_IN) if device.type == "cuda" else nullcontext()
