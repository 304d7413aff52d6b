"""A classifier as an ONNX graph, with the operators that ONNX Runtime has for a whole BERT layer."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

OPSET = 17
CLS_STATE = "cls_state"
"""The tensor of the state of [CLS] before the last layer, shape (batch, 1, hidden)."""
_BOUNDS = {"start": 0, "end": 1, "axis": 1}


class _LogitsOnly(nn.Module):
    """The classifier with positional arguments and a plain tensor as output."""

    def __init__(self, model: PreTrainedModel, inputs: list[str]) -> None:
        super().__init__()
        self.model = model
        self.inputs = inputs

    def forward(self, *columns: Tensor) -> Tensor:
        # ONNX Runtime's optimizer knows whole layers; without this the last one is narrower (`FirstTokenLayer`).
        whole = {"output_hidden_states": True}
        logits: Tensor = self.model(**dict(zip(self.inputs, columns, strict=True)), **whole).logits
        return logits


def write_graph(model: PreTrainedModel, inputs: list[str], path: Path) -> None:
    """Writes the graph of a classifier, with dynamic batch and length.

    torch's exporter by TorchScript is used, and attention written out ("eager"): ONNX Runtime's optimizer then finds
    attention, embeddings and layer norms in the graph and replaces each by one operator. In what the newer exporter
    (`dynamo=True`) writes, it finds no attention.

    Args:
        model: The classifier; it is not changed.
        inputs: Names of the inputs, each of shape (batch, tokens), int64.
        path: File to write.
    """
    from onnxruntime.transformers.fusion_options import FusionOptions
    from onnxruntime.transformers.optimizer import optimize_model

    plain = copy.deepcopy(model).float().cpu().eval()
    plain.set_attn_implementation("eager")
    ids = torch.full((2, 9), model.config.vocab_size - 1, dtype=torch.int64)
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0  # a row of ones alone could be taken for a constant
    examples = {"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids)}
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing: what it says is checked by the comparison with torch
        torch.onnx.export(
            _LogitsOnly(plain, inputs).eval(),
            tuple(examples[name] for name in inputs),
            str(path),
            input_names=inputs,
            output_names=["logits"],
            dynamic_axes={name: {0: "batch", 1: "tokens"} for name in inputs} | {"logits": {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,
        )
    config = model.config
    options = FusionOptions("bert")
    options.use_multi_head_attention = True  # the other operator takes query, key and value as one, see `quantization`
    optimized: Any = optimize_model(
        str(path),
        model_type="bert",
        num_heads=config.num_attention_heads,
        hidden_size=config.hidden_size,
        optimization_options=options,
        opt_level=0,
    )
    _narrow_last_layer(optimized.model.graph)
    optimized.save_model_to_file(str(path))


def _narrow_last_layer(graph: Any) -> None:
    """Lets the last layer compute the state of [CLS] alone, as `FirstTokenLayer` does, where its parts are found.

    Its queries and its first residual are taken from the first token; all that follows then has one token.
    """
    from onnx import TensorProto, helper

    parts = _query_and_residual(graph)
    if parts is None:
        return
    states = parts[0].input[0]
    bounds = [helper.make_tensor(f"{CLS_STATE}_{name}", TensorProto.INT64, [1], [at]) for name, at in _BOUNDS.items()]
    graph.initializer.extend(bounds)
    graph.node.insert(
        list(graph.node).index(parts[0]),
        helper.make_node("Slice", [states, *(bound.name for bound in bounds)], [CLS_STATE], name=CLS_STATE),
    )
    for node in parts:
        node.input[list(node.input).index(states)] = CLS_STATE


def _query_and_residual(graph: Any) -> tuple[Any, Any] | None:
    """Returns the nodes of the last layer that make its queries and add its first residual, None without them."""
    attentions = [node for node in graph.node if node.op_type == "MultiHeadAttention"]
    if not attentions:
        return None
    makers = {output: node for node in graph.node for output in node.output}
    query = makers[attentions[-1].input[0]]
    after = graph.node[list(graph.node).index(query) :]
    residuals = [node for node in after if node.op_type == "SkipLayerNormalization" and query.input[0] in node.input]
    return (query, residuals[0]) if query.op_type == "MatMul" and len(residuals) == 1 else None
