"""Columns of inputs brought to one size before they are rounded to eight bits, as SmoothQuant does (Xiao et al., 2023).

An int8 product has one scale for all of its input. A few columns of what a layer norm gives are ten times as large as
the others, which are then rounded to a handful of values. So each column is divided, and the row of the weights that it
meets is multiplied, by a number of its own: the product stays what it was, and weights, which have a scale for each
output, bear it better.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from ..utils.progress import each
from ..wording import Wording
from .parity import Inputs
from .runtime import Graph

Largest: TypeAlias = dict[str, NDArray[np.float32]]
"""For each product by name: the largest magnitude in each column of its input."""

_MOVED = 0.85
"""Exponent of the inputs' size, against that of the weights' (SmoothQuant's alpha). On the default model 0.7 and 1 do
nearly as well, 0.5 does worse."""


def largest_inputs(path: Path, batches: Sequence[Inputs]) -> Largest:
    """Runs texts through a float32 graph and keeps how large the inputs of its products become.

    Args:
        path: The graph's file.
        batches: Inputs of the graph.
    """
    import onnx

    model = onnx.load(path)
    inputs = {node.name: node.input[0] for node in model.graph.node if node.op_type == "MatMul"}
    outputs = sorted(set(inputs.values()))
    for name in outputs:
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    graph = Graph(model.SerializeToString(), torch.get_num_threads())
    largest: Largest = {}
    for batch in each(batches, Wording("입력의 크기 재기", "measuring inputs")):
        for name, values in zip(outputs, graph.run(outputs, batch), strict=True):
            found = np.abs(values).reshape(-1, values.shape[-1]).max(0)
            largest[name] = np.maximum(largest.get(name, found), found)
    return {product: largest[name] for product, name in inputs.items()}


def balance(model: Any, products: set[str], largest: Largest) -> None:
    """Divides columns of the inputs of products and multiplies the rows of their weights, in place.

    Args:
        model: The ONNX model.
        products: Names of the products.
        largest: Of `largest_inputs`.
    """
    from onnx import helper, numpy_helper

    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes: list[Any] = []
    for node in model.graph.node:
        if node.name in products:
            stored = weights[node.input[1]]
            values = numpy_helper.to_array(stored)
            scale = _size(largest[node.name]) ** _MOVED / _size(np.abs(values).max(1)) ** (1 - _MOVED)
            divided, factor = f"{node.name}/balanced", f"{node.name}/balance"
            stored.CopyFrom(numpy_helper.from_array(values * scale[:, None], stored.name))
            model.graph.initializer.append(numpy_helper.from_array(1 / scale, factor))
            nodes.append(helper.make_node("Mul", [node.input[0], factor], [divided], name=divided))
            node.input[0] = divided
        nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _size(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """A column of zeros, or one that no text has reached, is not blown up without end."""
    size: NDArray[np.float32] = np.maximum(values, values.max(initial=np.float32(1e-20)) * np.float32(1e-3))
    return size
