"""Graphs without weights, which the package brings for models of the default's shape, and weights to fill them with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..assets import SKELETONS
from .runtime import Graph

Weights: TypeAlias = dict[str, NDArray[np.float32]]
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
"""Of every skeleton, beside the head's weights."""
SHAPE = {
    "model_type": "bert",
    "hidden_size": None,
    "num_hidden_layers": None,
    "num_attention_heads": None,
    "intermediate_size": None,
    "hidden_act": None,
    "layer_norm_eps": None,
    "vocab_size": None,
    "max_position_embeddings": None,
    "type_vocab_size": None,
    "is_decoder": False,
    "add_cross_attention": False,
    "chunk_size_feed_forward": 0,
    "position_embedding_type": "absolute",
}
"""What of a configuration decides the graph, and what is meant where a configuration does not say; None: it has to."""


@dataclass(frozen=True)
class Recipe:
    """What a weight of a graph is made of.

    Attributes:
        tensors: Names in the model's file; several are put one behind the other.
        transposed: Whether the graph has it the other way round.
        shape: Of the weight in the graph; None where it is a number of labels.
    """

    tensors: list[str]
    transposed: bool
    shape: list[int | None]


@dataclass(frozen=True)
class Skeleton:
    """A graph without weights.

    Attributes:
        file: The `.onnx` file.
        config: The values of `SHAPE`.
        weights: What each weight that the file names is made of.
        head: The same of the weights that the graph takes as inputs: there may be any number of labels.
    """

    file: Path
    config: dict[str, Any]
    weights: dict[str, Recipe]
    head: dict[str, Recipe]

    def graph(self, weights_file: Path, labels: int, threads: int | None = None) -> Graph | None:
        """Returns the graph with the weights of a model's file; None where they are not all of them, others, or broken.

        Args:
            weights_file: In the format of safetensors.
            labels: How many the model has.
            threads: As for `Graph`.

        Raises:
            OSError: The file cannot be read.
            ValueError: It is damaged.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(weights_file, framework="numpy") as file:
                expected = [name for recipe in (*self.weights.values(), *self.head.values()) for name in recipe.tensors]
                if sorted(file.keys()) != sorted(expected):
                    return None
                weights, head = _made(file, self.weights, labels), _made(file, self.head, labels)
        except SafetensorError as error:
            raise ValueError(str(error)) from error
        if weights is None or head is None:
            return None
        return Graph(self.file.read_bytes(), threads, weights, head)


def skeleton_of(config: Any) -> Skeleton | None:
    """Returns the skeleton of a model's shape, None where the package has none.

    Args:
        config: The model's configuration, or the content of its file as attributes.
    """
    shape = shape_of(config)
    return next((found for found in skeletons() if found.config == shape), None)


def skeletons() -> list[Skeleton]:
    """Returns those that the package has."""
    return [_read(file) for file in sorted(SKELETONS.glob("*.json"))]


def shape_of(config: Any) -> dict[str, Any]:
    """Returns the values of `SHAPE` in a configuration."""
    found = {name: getattr(config, name, None) for name in SHAPE}
    return {name: SHAPE[name] if value is None else value for name, value in found.items()}


def _read(file: Path) -> Skeleton:
    content = json.loads(file.read_text(encoding="utf-8"))
    parts = ({name: Recipe(**recipe) for name, recipe in content[part].items()} for part in ("weights", "head"))
    return Skeleton(file.with_suffix(".onnx"), content["config"], *parts)


def _made(file: Any, recipes: dict[str, Recipe], labels: int) -> Weights | None:
    """Returns the weights of recipes in float32; None where a tensor has another type or shape, or is no number."""
    made = {}
    for name, recipe in recipes.items():
        tensors = [file.get_tensor(tensor) for tensor in recipe.tensors]
        if any(tensor.dtype not in (np.float16, np.float32) for tensor in tensors):
            return None
        made[name] = _put_together(tensors, recipe)
        expected = [labels if size is None else size for size in recipe.shape]
        if list(made[name].shape) != expected or not np.isfinite(made[name].sum()):
            return None
    return made


def _put_together(tensors: list[Any], recipe: Recipe) -> Any:
    """Returns the array of a recipe in float32, of the tensors that it names."""
    value = tensors[0] if len(tensors) == 1 else np.concatenate(tensors)
    return np.ascontiguousarray(value.T if recipe.transposed else value, dtype=np.float32)
