"""The large weights of a graph in eight bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .balancing import Largest, balance
from .graph import CLS_STATE

EXACT: tuple[tuple[str, ...], ...] = (
    ("/layer.0/attention/", "/attention/self/value/"),
    ("/attention/",),
    ("/layer.0/attention/", "/attention/self/value/", "/output/dense"),
    ("/layer.0/", "/layer.1/", "/layer.2/intermediate/", "/attention/self/value/", "/output/dense"),
)
"""Parts of the names of products that stay in float32, in the order in which they are tried.

What is rounded worst are inputs of which a few are much larger than the others, for a product has one scale for all
of a batch: those of the first layer's attention, and what comes out of GELU. And the earlier a layer, the more of the
others come after it. The default model keeps 99.3% of its labels on the 1,667 sample texts with the first entry, 99.5%
with the third and 99.9% with the fourth, in exact integers: its logits move little (at most by 0.16, 0.12 and 0.04),
but many of these texts are near a boundary. Embeddings and what is computed for [CLS] alone (most of the last layer,
pooler, head) always stay in float32: a look-up is no faster in int8, and the others are small.

ONNX Runtime's `MatMulNBits` has a scale for each 32 inputs of a row. With 8 bits and no exact product it keeps 99.7%,
and takes 1.5 to 1.7 times as long as float32 (ONNX Runtime 1.32, one thread of an AMD EPYC without AVX-512), int8 0.9.
"""


def quantize(source: Path, target: Path, exact: tuple[str, ...], largest: Largest) -> int:
    """Writes a graph whose large matrix products are computed in int8.

    Weights are rounded once, with a scale for each output channel; inputs are rounded as they come, with a scale for
    each product of a batch, after `balance` has made their columns alike.

    Weights are unsigned: those ONNX Runtime adds up in 32 bits, exactly. Unsigned inputs by signed weights it adds up
    in 16 bits that saturate where AVX2 is all there is: other labels on another machine.

    Args:
        source: The float32 graph.
        target: File to write.
        exact: Parts of the names of products to leave in float32.
        largest: How large the inputs of the products become.

    Returns:
        The number of products in int8.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    model = onnx.load(source)
    add_pre_process_metadata(model)  # the optimizer has been over it; without this mark a warning asks for that
    products = [node.name for node in model.graph.node if node.op_type == "MatMul"]
    narrow = _after(model.graph, CLS_STATE)
    kept = [name for name in products if name in narrow or any(part in name for part in exact)]
    # The quantiser turns pooler and head, which are Gemm nodes, into products of these names first.
    kept += [f"{node.name}_MatMul" for node in model.graph.node if node.op_type == "Gemm"]
    quantized = set(products) - set(kept)
    balance(model, quantized, largest)
    quantize_dynamic(
        model,
        target,
        op_types_to_quantize=["MatMul"],
        nodes_to_exclude=kept,
        per_channel=True,
        weight_type=QuantType.QUInt8,
        # ONNX's shape inference does not know the types behind ONNX Runtime's own operators.
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )
    return len(quantized)


def _after(graph: Any, tensor: str) -> set[str]:
    """Returns the names of the nodes whose result depends on a tensor; nodes stand in the order of computation."""
    tensors, names = {tensor}, set()
    for node in graph.node:
        if not tensors.isdisjoint(node.input):
            names.add(node.name)
            tensors.update(node.output)
    return names
