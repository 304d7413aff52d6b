"""The weights of a graph in eight bits."""

from __future__ import annotations

from pathlib import Path


def quantize(source: Path, target: Path) -> None:
    """Writes a graph whose matrix products are computed in int8.

    Weights are rounded once, with a scale for each output channel; inputs are rounded as they come, with a scale for
    each product of a batch, so no data is needed to fit the scales.

    Args:
        source: The float32 graph.
        target: File to write.
    """
    from onnx import TensorProto
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        source,
        target,
        per_channel=True,
        weight_type=QuantType.QInt8,
        # ONNX's shape inference does not know the types behind ONNX Runtime's own operators.
        extra_options={"DefaultTensorType": TensorProto.FLOAT},
    )
