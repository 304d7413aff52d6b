"""Whether the steps of a training can be recorded on a GPU and replayed."""

from __future__ import annotations

from transformers import PreTrainedModel

from ..kernels.packed_bert import has_plain_parts
from ..modeling.criterion import Criterion
from ..modeling.losses import FocalLoss
from ..utils.modules import every_module
from .arguments import EmotionTrainingArguments

ROWS = "rows_of_step"
"""The input of a recorded step that the sum of the rows' losses is divided by."""


def can_record(args: EmotionTrainingArguments, model: PreTrainedModel, criterion: Criterion) -> bool:
    """Whether a step is the same kernels every time for batches of one shape, and needs nothing but its inputs.

    That is known of plain BERT with the focal loss in one process on one NVIDIA GPU, in float32 or bfloat16: float16
    scales the loss by what was seen before, other models may look at their inputs before they compute, a compiled model
    makes recordings of its own, and other ways of computing activations again or dividing the model have work of the
    GPU that waits for the CPU.
    """
    if args.device.type != "cuda" or args.n_gpu != 1 or args.world_size != 1:
        return False
    if args.fp16 or args.torch_compile or args.gradient_checkpointing or args.shards is not None:
        return False
    if any(getattr(module, "gradient_checkpointing", False) for module in every_module(model)):
        return False
    return isinstance(criterion, FocalLoss) and has_plain_parts(model)
