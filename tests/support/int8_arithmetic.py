"""The int8 products of an ONNX graph in other operators: what one processor makes of them, on any processor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Tensors: TypeAlias = dict[str, NDArray[Any]]
Make: TypeAlias = Callable[[str, str, str, NDArray[Any], NDArray[Any], Tensors], list[onnx.NodeProto]]


def with_exact_products(model: onnx.ModelProto) -> onnx.ModelProto:
    """Multiplies in doubles, which hold every sum of products of 8-bit numbers exactly."""

    def nodes(
        name: str, inputs: str, zero: str, weights: NDArray[Any], weight_zero: NDArray[Any], constants: Tensors
    ) -> list[onnx.NodeProto]:
        constants[f"{name}/b"] = weights.astype(np.float64) - weight_zero.astype(np.float64)
        return [
            helper.make_node("Cast", [inputs], [f"{name}/raw"], to=TensorProto.DOUBLE),
            helper.make_node("Cast", [zero], [f"{name}/zero"], to=TensorProto.DOUBLE),
            helper.make_node("Sub", [f"{name}/raw", f"{name}/zero"], [f"{name}/a"]),
            helper.make_node("MatMul", [f"{name}/a", f"{name}/b"], [f"{name}/sum"]),
        ]

    return _replaced(model, nodes)


def with_saturating_products(model: onnx.ModelProto) -> onnx.ModelProto:
    """Clips sums of two neighbouring products to 16 bits: `vpmaddubsw`, by which AVX2 multiplies signed weights.

    Zero points are taken off the sums, as ONNX Runtime does.
    """

    def nodes(
        name: str, inputs: str, zero: str, weights: NDArray[Any], weight_zero: NDArray[Any], constants: Tensors
    ) -> list[onnx.NodeProto]:
        assert weights.dtype == np.int8
        constants[f"{name}/last"] = np.array([-1])
        constants[f"{name}/pairs"] = np.array([-2])
        constants[f"{name}/low"], constants[f"{name}/high"] = np.float32(-32768), np.float32(32767)
        constants[f"{name}/weight_zero"] = weight_zero.astype(np.float32)
        constants[f"{name}/columns"] = (weights - weight_zero.astype(np.int32)).sum(0).astype(np.float32)
        made = [
            helper.make_node("Cast", [inputs], [f"{name}/raw"], to=TensorProto.FLOAT),
            helper.make_node("Cast", [zero], [f"{name}/zero"], to=TensorProto.FLOAT),
        ]
        for place in (0, 1):
            constants[f"{name}/at{place}"] = np.arange(place, len(weights), 2)
            constants[f"{name}/b{place}"] = weights[place::2].astype(np.float32)
            made += [
                helper.make_node("Gather", [f"{name}/raw", f"{name}/at{place}"], [f"{name}/a{place}"], axis=-1),
                helper.make_node("Unsqueeze", [f"{name}/a{place}", f"{name}/last"], [f"{name}/column{place}"]),
                helper.make_node("Mul", [f"{name}/column{place}", f"{name}/b{place}"], [f"{name}/product{place}"]),
            ]
        return [
            *made,
            helper.make_node("Add", [f"{name}/product0", f"{name}/product1"], [f"{name}/pair"]),
            helper.make_node("Clip", [f"{name}/pair", f"{name}/low", f"{name}/high"], [f"{name}/clipped"]),
            helper.make_node("ReduceSum", [f"{name}/clipped", f"{name}/pairs"], [f"{name}/unshifted"], keepdims=0),
            helper.make_node("ReduceSum", [f"{name}/raw", f"{name}/last"], [f"{name}/rows"], keepdims=1),
            helper.make_node("Mul", [f"{name}/rows", f"{name}/weight_zero"], [f"{name}/row_shift"]),
            helper.make_node("Mul", [f"{name}/columns", f"{name}/zero"], [f"{name}/column_shift"]),
            helper.make_node("Sub", [f"{name}/unshifted", f"{name}/row_shift"], [f"{name}/half_shifted"]),
            helper.make_node("Sub", [f"{name}/half_shifted", f"{name}/column_shift"], [f"{name}/sum"]),
        ]

    return _replaced(model, nodes)


def signed(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same weights and zero points less 128, so the same products, by signed numbers."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    moved = {name for node in model.graph.node if node.op_type == "MatMulInteger" for name in node.input[1::2]}
    for tensor in changed.graph.initializer:
        if tensor.name in moved:
            values = numpy_helper.to_array(tensor).astype(np.int16) - 128
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.int8), tensor.name))
    return changed


def int8_weights(model: onnx.ModelProto) -> Tensors:
    """Returns the weights of every int8 product by its name."""
    known = {tensor.name: tensor for tensor in model.graph.initializer}
    products = [node for node in model.graph.node if node.op_type == "MatMulInteger"]
    return {node.name: numpy_helper.to_array(known[node.input[1]]) for node in products}


def _replaced(model: onnx.ModelProto, make: Make) -> onnx.ModelProto:
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    constants: Tensors = {}
    for node in changed.graph.node:
        if node.op_type != "MatMulInteger":
            nodes.append(node)
            continue
        inputs, weights, zero, weight_zero = node.input
        nodes += make(node.name, inputs, zero, known[weights], known[weight_zero], constants)
        nodes.append(helper.make_node("Cast", [f"{node.name}/sum"], list(node.output), to=TensorProto.INT32))
    del changed.graph.node[:]
    changed.graph.node.extend(nodes)
    changed.graph.initializer.extend(numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items())
    return changed
