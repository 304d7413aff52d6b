"""Makes the graph without weights that answers of a new process come from; see `kobert_hf_emotion.export.light`.

    python -m default_model.skeleton            # of the default, into the package; again where its shape has changed

The graph is the exporter's own. Its weights are taken out, what each was made of is noted, and the head becomes an
input, so that a model with other labels fills it as well.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from transformers import PreTrainedModel

from kobert_hf_emotion import EmotionClassifier
from kobert_hf_emotion.assets import SKELETONS
from kobert_hf_emotion.export.graph import write_graph
from kobert_hf_emotion.export.skeleton import INPUTS, Recipe, shape_of

HEAD = ("classifier.weight", "classifier.bias")
LEAST = 8
"""Numbers of a weight; what is smaller is no weight: bounds of a slice."""


def make_skeleton(model: PreTrainedModel) -> tuple[bytes, dict[str, Any]]:
    """Returns the graph of a model without its weights, and what to note beside it.

    Args:
        model: A trained BERT classifier: weights are told apart by their values.

    Raises:
        ValueError: A weight of the graph is none of the model's, transposed or several in a row.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.onnx")
        write_graph(model, list(INPUTS), path)
        whole = onnx.load(path)
    tensors = {name: value.float().numpy() for name, value in model.state_dict().items()}
    weights, head = {}, {}
    for weight in list(whole.graph.initializer):
        value = numpy_helper.to_array(weight)
        if value.size < LEAST and not _is_head(weight.name):
            continue
        recipe = _recipe(weight.name, value, tensors)
        if _is_head(weight.name):
            whole.graph.initializer.remove(weight)
            shape = ["labels", *weight.dims[1:]]
            whole.graph.input.append(helper.make_tensor_value_info(weight.name, TensorProto.FLOAT, shape))
            head[weight.name] = Recipe(recipe.tensors, recipe.transposed, [None, *recipe.shape[1:]])
        else:
            weight.ClearField("raw_data")
            weight.data_location = TensorProto.EXTERNAL
            weight.external_data.add(key="location", value="weights")
            weights[weight.name] = recipe
    whole.graph.output[0].type.tensor_type.shape.dim[1].dim_param = "labels"
    parts = {
        name: {key: asdict(recipe) for key, recipe in part.items()}
        for name, part in (("weights", weights), ("head", head))
    }
    return whole.SerializeToString(deterministic=True), {"config": shape_of(model.config), **parts}


def _is_head(name: str) -> bool:
    return name.removeprefix("model.") in HEAD


def _recipe(name: str, value: np.ndarray[Any, Any], tensors: dict[str, np.ndarray[Any, Any]]) -> Recipe:
    """Returns what a weight is made of, by its name where that tells it, else by its values."""
    shape = list(value.shape)
    if (own := name.removeprefix("model.")) in tensors and np.array_equal(tensors[own], value):
        return Recipe([own], False, shape)
    for tensor, found in tensors.items():
        if found.ndim == 2 and np.array_equal(found.T, value):
            return Recipe([tensor], True, shape)
    for tensor in tensors:
        if tensor.endswith(".query.bias"):
            row = [tensor, *(tensor.replace(".query.", f".{part}.") for part in ("key", "value"))]
            if np.array_equal(np.concatenate([tensors[part] for part in row]), value):
                return Recipe(row, False, shape)
    raise ValueError(f"{name}, of shape {shape}, is none of the model's weights")


def name_of(config: Any) -> str:
    """Returns what the files of a shape are called."""
    return f"bert-{config.num_hidden_layers}x{config.hidden_size}"


def main(argv: list[str] | None = None) -> None:
    """Reads the command line and writes the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default")
    parser.add_argument("--output", type=Path, default=SKELETONS)
    arguments = parser.parse_args(argv)
    model = EmotionClassifier.from_pretrained(arguments.model)
    graph, notes = make_skeleton(model)
    arguments.output.mkdir(parents=True, exist_ok=True)
    file = arguments.output / f"{name_of(model.config)}.onnx"
    file.write_bytes(graph)
    file.with_suffix(".json").write_text(json.dumps(notes) + "\n", encoding="utf-8")
    print(f"{file}: {len(graph):,} bytes")


if __name__ == "__main__":
    main()
