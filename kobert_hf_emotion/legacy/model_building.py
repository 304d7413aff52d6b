"""Making modules around tensors that are already there, without drawing random weights first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn
from transformers.models.bert.modeling_bert import BertEmbeddings

from . import keys

Module = TypeVar("Module", bound=nn.Module)


def position_buffers(positions: int) -> dict[str, Tensor]:
    """Returns the constants that BERT's embeddings keep beside their weights, by their name in a file."""
    position_ids, token_type_ids = keys.BUFFERS
    return {position_ids: torch.arange(positions)[None], token_type_ids: torch.zeros(1, positions, dtype=torch.long)}


def build_around(make: Callable[[], Module], state_dict: Mapping[str, Tensor]) -> Module:
    """Makes a module whose parameters are the given tensors themselves; the random state is left alone.

    Args:
        make: Makes the module; it is called on the meta device.
        state_dict: A tensor for every parameter.
    """
    with torch.device("meta"):
        module = make()
    module.load_state_dict(state_dict, assign=True)
    for part in module.modules():
        if isinstance(part, BertEmbeddings):
            for name, values in position_buffers(part.position_embeddings.num_embeddings).items():
                setattr(part, name.rpartition(".")[2], values)
    return module
