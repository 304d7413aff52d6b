"""Training steps on an NVIDIA GPU, recorded once for each shape of a batch and replayed as CUDA graphs.

A step of BERT's size on a few short texts is some thousand small kernels, and launching them one by one from Python
takes longer than the GPU needs for them. A recorded step is one launch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Step = Callable[[dict[str, Tensor]], tuple[Tensor, ...]]
"""Computes a step's forward and backward pass from its inputs, and returns what is to be kept of it."""
SEEN_BEFORE = 1
"""A shape is recorded when it comes again after so many times; recording takes as long as some four steps."""
MOST_RECORDED = 16
"""Shapes recorded at most: each keeps gradients on the GPU, as many bytes as the weights."""

_Shape = tuple[tuple[str, torch.Size, torch.dtype], ...]


@dataclass(frozen=True)
class _Recording:
    graph: torch.cuda.CUDAGraph
    inputs: dict[str, Tensor]
    outputs: tuple[Tensor, ...]
    gradients: list[Tensor]


class RecordedSteps:
    """Replays the steps of a model in training mode whose shapes came before.

    The gradients are those of the step computed as it stands: the kernels are the same, with the same random numbers.
    Replayed and plain steps may follow each other in one accumulation.

    Args:
        model: What has the parameters, on a GPU.
        step: What is recorded. It must be the same computation every time for inputs of one shape, take nothing but
            its inputs, and never wait for the GPU.
    """

    def __init__(self, model: nn.Module, step: Step) -> None:
        self._step = step
        self._parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._places: list[int] = []
        self._seen: Counter[_Shape] = Counter()
        self._recorded: dict[_Shape, _Recording] = {}
        self._memory = torch.cuda.graph_pool_handle()

    @property
    def shapes(self) -> int:
        """How many shapes are recorded."""
        return len(self._recorded)

    def replay(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, ...] | None:
        """Computes a step; adds to the gradients, as `backward` does.

        Args:
            inputs: Tensors on the GPU.

        Returns:
            What the step returns, copied; None where the shape has not been recorded and the caller is to compute the
            step: it is new, or too many are recorded.
        """
        shape = tuple((name, tensor.shape, tensor.dtype) for name, tensor in sorted(inputs.items()))
        places = [parameter.data_ptr() for parameter in self._parameters]
        if places != self._places:  # the weights lie elsewhere, and a recording would go on with the old ones
            self._recorded.clear()
            self._places = places
        recording = self._recorded.get(shape)
        if recording is None:
            self._seen[shape] += 1
            if self._seen[shape] <= SEEN_BEFORE or len(self._recorded) == MOST_RECORDED:
                return None
            recording = self._recorded[shape] = self._record(inputs)
        for name, tensor in inputs.items():
            recording.inputs[name].copy_(tensor, non_blocking=True)
        held = self._gradients
        if held and held[0] is recording.gradients[0]:  # the replay writes over what the last one gave
            held = [gradient.clone() for gradient in held]
        recording.graph.replay()
        if held:
            torch._foreach_add_(held, recording.gradients)
        self._set_gradients(held or recording.gradients)
        return tuple(output.clone() for output in recording.outputs)

    def _record(self, inputs: Mapping[str, Tensor]) -> _Recording:
        own = {name: tensor.clone() for name, tensor in inputs.items()}
        held, device = self._gradients, self._parameters[0].device
        random_state = torch.cuda.get_rng_state(device)
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        self._set_gradients([])
        with torch.cuda.stream(stream):
            self._step(own)  # in which libraries choose their kernels and take their workspaces
        torch.cuda.current_stream().wait_stream(stream)
        self._set_gradients([])
        graph = torch.cuda.CUDAGraph()
        # Other threads, such as one that loads data, may go on meanwhile with what is not allowed here.
        with torch.cuda.graph(graph, pool=self._memory, stream=stream, capture_error_mode="thread_local"):
            outputs = self._step(own)
        recording = _Recording(graph, own, outputs, self._gradients)
        torch.cuda.set_rng_state(random_state, device)  # as if no step had been made
        self._set_gradients(held)
        return recording

    @property
    def _gradients(self) -> list[Tensor]:
        """The gradients of all parameters, or none."""
        held = [parameter.grad for parameter in self._parameters]
        if all(gradient is None for gradient in held):
            return []
        return [
            torch.zeros_like(parameter) if gradient is None else gradient
            for parameter, gradient in zip(self._parameters, held, strict=True)
        ]

    def _set_gradients(self, gradients: list[Tensor]) -> None:
        for index, parameter in enumerate(self._parameters):
            parameter.grad = gradients[index] if gradients else None
