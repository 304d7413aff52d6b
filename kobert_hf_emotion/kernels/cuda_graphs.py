"""Training steps on an NVIDIA GPU, recorded once for each shape of a batch and replayed as CUDA graphs.

A step of BERT's size on a few short texts is some thousand small kernels, and launching them one by one from Python
takes longer than the GPU needs for them. A recorded step is one launch.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..wording import Wording

logger = logging.getLogger(__name__)

Step = Callable[[dict[str, Tensor]], tuple[Tensor, ...]]
"""Computes a step's forward and backward pass from its inputs, and returns what is to be kept of it."""
SEEN_BEFORE = 1
"""A shape is recorded when it comes again after so many times; recording takes as long as some four steps."""
MOST_RECORDED = 16
"""Shapes recorded at most: each keeps gradients on the GPU, as many bytes as the weights."""
MOST_DIFFERENCE = 0.05
"""Share of the gradients by which a replay may differ from the step itself; more than what bfloat16 rounds off."""

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
    Each recording is replayed once beside the step itself; where the gradients differ, or where a step cannot be
    recorded, a warning says so and nothing is recorded from then on. Replayed and plain steps may follow each other in
    one accumulation.

    Args:
        model: What has the parameters, on a GPU.
        step: What is recorded. It must be the same computation every time for inputs of one shape, take nothing but
            its inputs, and never wait for the GPU.
    """

    def __init__(self, model: nn.Module, step: Step) -> None:
        self._step = step
        self._weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._places: list[int] = []
        self._seen: Counter[_Shape] = Counter()
        self._recorded: dict[_Shape, _Recording] = {}
        self._memory = torch.cuda.graph_pool_handle()
        self._stopped = False

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
        places = [parameter.data_ptr() for parameter in self._weights]
        if places != self._places:  # the weights lie elsewhere, and a recording would go on with the old ones
            self._recorded.clear()
            self._memory = torch.cuda.graph_pool_handle()  # the memory of the old one went with its recordings
            self._places = places
        recording = self._recorded.get(shape)
        if recording is None:
            self._seen[shape] += 1
            is_due = self._seen[shape] > SEEN_BEFORE and len(self._recorded) < MOST_RECORDED and not self._stopped
            recording = self._record(inputs) if is_due else None
            if recording is None:
                return None
            self._recorded[shape] = recording
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

    def _record(self, inputs: Mapping[str, Tensor]) -> _Recording | None:
        """Records a step; None where it cannot be recorded, or a replay is not the step, and a warning says so."""
        held, device = self._gradients, self._weights[0].device
        random_state = torch.cuda.get_rng_state(device)
        recording, why = None, ""
        try:
            recording, difference = self._recorded_and_compared(inputs, random_state)
            if not difference <= MOST_DIFFERENCE:
                recording, why = None, f"gradients of a replay differ by {difference:.3g}"
        except RuntimeError as error:  # torch's, too little memory among them
            why = str(error).partition("\n")[0]
        torch.cuda.set_rng_state(random_state, device)  # as if no step had been made
        self._set_gradients(held)
        if recording is None:
            self._stopped = True
            logger.warning(
                Wording(
                    f"학습 단계를 CUDA 그래프로 기록하지 않고 하나씩 계산합니다. 결과는 같고 느릴 수 있습니다: {why}",
                    f"training steps are computed one by one, not recorded as CUDA graphs: the same results, perhaps "
                    f"slower ({why})",
                )
            )
        return recording

    def _recorded_and_compared(self, inputs: Mapping[str, Tensor], random_state: Tensor) -> tuple[_Recording, float]:
        """Records a step; returns how far the gradients of a replay are from the step's own, as a share of them."""
        own = {name: tensor.clone() for name, tensor in inputs.items()}
        device = self._weights[0].device
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        self._set_gradients([])
        with torch.cuda.stream(stream):
            self._step(own)  # libraries choose their kernels and take their workspaces, too
        torch.cuda.current_stream().wait_stream(stream)
        expected = self._gradients
        self._set_gradients([])
        graph = torch.cuda.CUDAGraph()
        # Other threads, such as one that loads data, may go on meanwhile with what is not allowed here.
        with torch.cuda.graph(graph, pool=self._memory, stream=stream, capture_error_mode="thread_local"):
            outputs = self._step(own)
        recording = _Recording(graph, own, outputs, self._gradients)
        torch.cuda.set_rng_state(random_state, device)
        graph.replay()
        distance = torch._foreach_sub(recording.gradients, expected)
        sizes = [torch.stack(torch._foreach_norm(tensors)).norm() for tensors in (distance, expected)]
        return recording, (sizes[0] / sizes[1].clamp(min=1e-30)).item()

    @property
    def _gradients(self) -> list[Tensor]:
        """The gradients of all parameters, or none."""
        held = [parameter.grad for parameter in self._weights]
        if all(gradient is None for gradient in held):
            return []
        return [
            torch.zeros_like(parameter) if gradient is None else gradient
            for parameter, gradient in zip(self._weights, held, strict=True)
        ]

    def _set_gradients(self, gradients: list[Tensor]) -> None:
        for index, parameter in enumerate(self._weights):
            parameter.grad = gradients[index] if gradients else None
