"""The table of a BERT classifier's parameters: names, shapes, aliases; read in both directions.

Names are those of the notebook's `BERTClassifier`, of `BertForSequenceClassification` and of
`EmotionClassifier`, which agree. What differs between files is a prefix before all of them (`module.` of
DataParallel), and the names TensorFlow gave to LayerNorm's parameters in files of 2018 and 2019.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Shape = tuple[int, ...]

_EMBEDDINGS: dict[str, tuple[str, ...]] = {
    "bert.embeddings.word_embeddings.weight": ("vocab_size", "hidden_size"),
    "bert.embeddings.position_embeddings.weight": ("max_position_embeddings", "hidden_size"),
    "bert.embeddings.token_type_embeddings.weight": ("type_vocab_size", "hidden_size"),
    "bert.embeddings.LayerNorm.weight": ("hidden_size",),
    "bert.embeddings.LayerNorm.bias": ("hidden_size",),
}
_LAYER: dict[str, tuple[str, ...]] = {
    "attention.self.query.weight": ("hidden_size", "hidden_size"),
    "attention.self.query.bias": ("hidden_size",),
    "attention.self.key.weight": ("hidden_size", "hidden_size"),
    "attention.self.key.bias": ("hidden_size",),
    "attention.self.value.weight": ("hidden_size", "hidden_size"),
    "attention.self.value.bias": ("hidden_size",),
    "attention.output.dense.weight": ("hidden_size", "hidden_size"),
    "attention.output.dense.bias": ("hidden_size",),
    "attention.output.LayerNorm.weight": ("hidden_size",),
    "attention.output.LayerNorm.bias": ("hidden_size",),
    "intermediate.dense.weight": ("intermediate_size", "hidden_size"),
    "intermediate.dense.bias": ("intermediate_size",),
    "output.dense.weight": ("hidden_size", "intermediate_size"),
    "output.dense.bias": ("hidden_size",),
    "output.LayerNorm.weight": ("hidden_size",),
    "output.LayerNorm.bias": ("hidden_size",),
}
_HEAD: dict[str, tuple[str, ...]] = {
    "bert.pooler.dense.weight": ("hidden_size", "hidden_size"),
    "bert.pooler.dense.bias": ("hidden_size",),
    "classifier.weight": ("num_labels", "hidden_size"),
    "classifier.bias": ("num_labels",),
}

ANCHOR = "bert.embeddings.word_embeddings.weight"
"""The name that tells a state dict of a BERT classifier from other dictionaries."""

BUFFERS = ("bert.embeddings.position_ids", "bert.embeddings.token_type_ids")
"""Buffers that older transformers saved; they hold constants and are dropped, and written again on request."""

ALIASES = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
"""Endings of names that mean the same parameter; files are written with the names on the right."""

_LAYER_NAME = re.compile(r"bert\.encoder\.layer\.(0|[1-9][0-9]{0,3})\.(.+)")


@dataclass(frozen=True)
class KeyMap:
    """How the names in a file and the names in `EmotionClassifier` belong together.

    Attributes:
        to_model: Name in the model by name in the file, for what the table knows.
        dropped: Names in the file of the known buffers.
        unexpected: Names in the file that the table does not know.
    """

    to_model: dict[str, str]
    dropped: tuple[str, ...]
    unexpected: tuple[str, ...]

    @property
    def to_file(self) -> dict[str, str]:
        """Name in the file by name in the model."""
        return {ours: theirs for theirs, ours in self.to_model.items()}


def find_prefix(names: Iterable[str]) -> str | None:
    """Returns what stands before every name ("" or "module." and the like), None where it is no classifier."""
    prefixes = [name.removesuffix(ANCHOR) for name in names if name.endswith(ANCHOR)]
    return prefixes[0] if len(prefixes) == 1 else None


def map_keys(names: Iterable[str]) -> KeyMap:
    """Finds each name of a file in the table."""
    names = list(names)
    prefix = find_prefix(names) or ""
    to_model: dict[str, str] = {}
    dropped: list[str] = []
    unexpected: list[str] = []
    taken: set[str] = set()
    for name in names:
        ours = _canonical(name.removeprefix(prefix)) if name.startswith(prefix) else name
        if ours in BUFFERS:
            dropped.append(name)
        elif _symbols(ours) is None or ours in taken:
            unexpected.append(name)
        else:
            to_model[name] = ours
            taken.add(ours)
    return KeyMap(to_model, tuple(dropped), tuple(unexpected))


def _canonical(name: str) -> str:
    for old, new in ALIASES.items():
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name


def _symbols(name: str) -> tuple[str, ...] | None:
    """Returns the names of the sizes of a parameter, None for a name that is not in the table."""
    if match := _LAYER_NAME.fullmatch(name):
        return _LAYER.get(match[2])
    return _EMBEDDINGS.get(name) or _HEAD.get(name)


def infer_sizes(shapes: Mapping[str, Shape]) -> dict[str, int]:
    """Reads the sizes of the model off its parameters' shapes; the first parameter with a size decides it.

    Args:
        shapes: Shape by name in the model.

    Returns:
        `vocab_size`, `hidden_size`, …, and `num_hidden_layers`; without those that no parameter tells.
    """
    sizes: dict[str, int] = {}
    layers = {int(match[1]) for name in shapes if (match := _LAYER_NAME.fullmatch(name))}
    for name, shape in shapes.items():
        symbols = _symbols(name) or ()
        if len(symbols) == len(shape):
            for symbol, size in zip(symbols, shape, strict=True):
                sizes.setdefault(symbol, size)
    sizes["num_hidden_layers"] = max(layers, default=-1) + 1
    return sizes


def expected_shapes(sizes: Mapping[str, int]) -> dict[str, Shape]:
    """Returns the shape of every parameter of the model of these sizes, in the order of its state dict."""
    table = dict(_EMBEDDINGS)
    for layer in range(sizes["num_hidden_layers"]):
        table |= {f"bert.encoder.layer.{layer}.{name}": symbols for name, symbols in _LAYER.items()}
    table |= _HEAD
    return {name: tuple(sizes[symbol] for symbol in symbols) for name, symbols in table.items()}
