"""Answers without torch and transformers, whose import takes longer than a few answers do.

The graph of a model of the default's shape is in the package, without weights: `default_model.skeleton` makes it with
this room's own exporter. It is filled with the weights of a folder when it is asked for, so that there is one BERT to
look after, and no file of a user's that could be out of date. Folders that `export_onnx` wrote are opened as well.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ..assets import resolve_default
from ..configuration import label_names, longest_input, softmax_temperature
from ..errors import KoBERTEmotionError
from ..tokenization.plain import PlainTokenizer
from .manifest import Manifest, is_export, load_manifest
from .runtime import Graph, OnnxClassifier, checked_graph
from .skeleton import INPUTS, skeleton_of

logger = logging.getLogger(__name__)

MOST_TEXTS = 1000
"""Texts up to which this way was measured to be the shorter one: on one thread of an AMD EPYC that has AVX2 alone,
beside other work, 1,000 of the sample's sentences took 6.2 CPU seconds, and 13.6 with torch and its import."""
_FEW_TEXTS = 8
"""Texts that are answered sooner than threads are started."""
_CONFIG, _WEIGHTS = "config.json", "model.safetensors"
_OTHERS = ("adapter_config.json", "pytorch_model.bin", "model.safetensors.index.json")
"""Files beside the weights that make a folder something else, or leave open what is in it."""
_DAMAGED = (KoBERTEmotionError, OSError, LookupError, TypeError, ValueError, AttributeError)


def light_classifier(model: str, texts: Sequence[str]) -> OnnxClassifier | None:
    """Opens what answers texts as the model in torch does, without torch.

    Args:
        model: "default" or a folder; anything else is left to torch.
        texts: What is to be answered.

    Returns:
        A classifier on the CPU. None where ONNX Runtime is not installed, the model is of another shape or damaged (the
        usual way tells how), its tokenizer is set up in an unusual way, or there are more than `MOST_TEXTS` texts.
    """
    folder = Path(resolve_default(model))
    if len(texts) > MOST_TEXTS or find_spec("onnxruntime") is None or not (folder / _CONFIG).is_file():
        return None
    try:
        return _open(folder, texts)
    except _DAMAGED as error:
        logger.debug("%s is left to torch: %r", folder, error)
        return None


def _open(folder: Path, texts: Sequence[str]) -> OnnxClassifier | None:
    config: Any = SimpleNamespace(**json.loads((folder / _CONFIG).read_text(encoding="utf-8")))
    config.num_labels = len(config.id2label)
    tokenizer: Any = PlainTokenizer.of_folder(folder, getattr(config, "tokenizer_sha256", None))
    if tokenizer is None or not tokenizer.reads(texts):
        return None
    tokenizer.model_max_length = min(tokenizer.model_max_length, longest_input(config))
    threads = _threads(len(texts))
    if is_export(folder):
        manifest = load_manifest(folder)
        graph: Graph | None = checked_graph(folder, manifest, threads)
    else:
        manifest = _manifest(config, tokenizer)
        graph = _filled(folder, config, threads) if set(tokenizer.model_input_names) == set(INPUTS) else None
    if graph is None:
        return None
    classifier = OnnxClassifier(graph, tokenizer, manifest, config)
    _ = classifier.labels, classifier.task  # what contradicts itself is an error now, which torch's way tells
    return classifier


def _filled(folder: Path, config: Any, threads: int | None) -> Graph | None:
    skeleton = skeleton_of(config)
    if skeleton is None or any((folder / name).exists() for name in _OTHERS):
        return None
    return skeleton.graph(folder / _WEIGHTS, config.num_labels, threads)


def _manifest(config: Any, tokenizer: PlainTokenizer) -> Manifest:
    """Returns what export would have noted of a model."""
    return Manifest(
        model_file="",
        precision="float32",
        int8_products=None,
        labels=label_names(config),
        temperature=softmax_temperature(config),
        max_length=tokenizer.model_max_length,
        inputs=list(INPUTS),
        pad_token_id=tokenizer.pad_token_id,
        word_split=tokenizer.word_split,
        parity={},
        probes=None,
        versions={},
        files={},
    )


def _threads(texts: int) -> int | None:
    """Returns how many threads compute: one for a few texts, else as many as torch would be told to take."""
    if texts <= _FEW_TEXTS:
        return 1
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdecimal() and int(told) else None
