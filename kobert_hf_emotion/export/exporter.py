"""From a classifier to a folder that runs without torch, or to an error that leaves nothing behind."""

from __future__ import annotations

import csv
import os
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import torch

from ..assets import DEFAULT_MODEL_NAME, SAMPLE_TEST, SAMPLE_TRAIN
from ..configuration import longest_input
from ..inference.classifier import Classifier
from ..modeling.classifier import EmotionClassifier
from ..tokenization.tokenizer import KoBERTTokenizer
from ..utils.argument_checks import check_type
from ..utils.files import atomic_directory, check_free
from ..utils.progress import progress
from ..utils.versions import library_versions
from ..wording import Wording
from .balancing import largest_inputs
from .graph import write_graph
from .manifest import Manifest, Precision, sha256
from .parity import SMALLEST_AGREEMENT, Parity, Reference, check_parity
from .probes import record_probes
from .quantization import EXACT, quantize
from .runtime import Graph, require_onnxruntime

_FILES = {"float32": "onnx/model.onnx", "int8": "onnx/model_quantized.onnx"}
"""Where transformers.js, optimum, text-embeddings-inference and infinity look for them."""
_BALANCED_BATCHES = 16


@dataclass(frozen=True)
class ExportReport:
    """What was exported."""

    folder: Path
    precision: Precision
    size: int
    """Bytes of the graph's file."""
    parity: Parity
    int8_products: int | None
    """Matrix products computed in int8; None in float32."""


def export_onnx(
    classifier: Classifier | EmotionClassifier,
    folder: str | os.PathLike[str],
    int8: bool = False,
    source: str | None = None,
) -> ExportReport:
    """Writes a classifier as an ONNX graph with its tokenizer, `config.json` and a manifest, `export.json`.

    The graph is compared with torch on the sample sentences of this package and on texts of every length before the
    folder takes its name; see `parity`.

    Args:
        classifier: Model and tokenizer.
        folder: Folder to write; it must not exist, or be empty.
        int8: Whether matrix products are computed in int8.
        source: Where the classifier was loaded from: a folder, a Hub id or "default". It is noted, so that an error can
            say how to export it again.

    Raises:
        CheckpointError: The graph does not compute what torch does, or ONNX Runtime is not installed.
        RunError: `folder` is in use.
    """
    require_onnxruntime()
    if isinstance(classifier, EmotionClassifier):
        classifier = Classifier(classifier, classifier.tokenizer)
    check_type("classifier", classifier, Classifier, "EmotionClassifier.from_pretrained(…)")
    check_free(folder)
    model, tokenizer = classifier.model, classifier.tokenizer
    precision: Precision = "int8" if int8 else "float32"
    max_length = min(tokenizer.model_max_length, longest_input(model.config))
    names = ("input_ids", "attention_mask", "token_type_ids")
    inputs: list[str] = [name for name in names if name in tokenizer.model_input_names]
    with atomic_directory(folder) as partial:
        path = partial / _FILES[precision]
        path.parent.mkdir()
        whole = partial / _FILES["float32"]
        with progress(Wording("그래프 쓰기", "writing the graph")):
            write_graph(model, inputs, whole)
        texts = sample_texts()
        reference = Reference(model, tokenizer, texts, max_length)
        if int8:
            graph, parity, products = _in_int8(whole, path, reference)
            whole.unlink()
        else:
            graph, products = Graph(path, torch.get_num_threads()), None
            parity = reference.compare(graph)
        check_parity(parity, precision)
        tokenizer.save_pretrained(partial)
        model.config.save_pretrained(partial)
        Manifest(
            model_file=_FILES[precision],
            precision=precision,
            int8_products=products,
            labels=classifier.labels,
            temperature=classifier.temperature,
            max_length=max_length,
            inputs=inputs,
            pad_token_id=int(tokenizer.pad_token_id),
            word_split=tokenizer.word_split if isinstance(tokenizer, KoBERTTokenizer) else None,
            parity=asdict(parity),
            probes=asdict(record_probes(graph, reference.rows[: len(texts)], inputs, parity)),
            versions=library_versions() | {name: version(name) for name in ("onnx", "onnxruntime")},
            files={
                file.relative_to(partial).as_posix(): sha256(file)
                for file in sorted(partial.rglob("*"))
                if file.is_file()
            },
            source=_seen_from(folder, source),
        ).save(partial)
        size = path.stat().st_size
    return ExportReport(Path(folder), precision, size, parity, products)


def _in_int8(whole: Path, path: Path, reference: Reference) -> tuple[Graph, Parity, int]:
    """Writes a float32 graph in int8, with as few exact products as keep the labels.

    Returns:
        The graph, how far it is what torch computes, and how many products are in int8.
    """
    largest = largest_inputs(whole, reference.batches[:_BALANCED_BATCHES])
    for exact in EXACT:
        with progress(Wording("int8로 바꾸기", "quantizing to int8")):
            products = quantize(whole, path, exact, largest)
        graph = Graph(path, torch.get_num_threads())
        is_last = exact == EXACT[-1]  # its figures are told, whole
        parity = reference.compare(graph, 0.0 if is_last else SMALLEST_AGREEMENT)
        if parity.agreement >= SMALLEST_AGREEMENT:
            break
    return graph, parity, products


def _seen_from(folder: str | os.PathLike[str], source: str | None) -> str | None:
    """Returns a folder's path from another: the two may move together, and no name of a home folder is told."""
    if source is None or source == DEFAULT_MODEL_NAME or not os.path.isdir(source):
        return source
    return os.path.relpath(source, folder)


def sample_texts() -> list[str]:
    """Returns the sentences of the sample data."""
    texts = []
    for path in (SAMPLE_TEST, SAMPLE_TRAIN):
        with path.open(encoding="utf-8", newline="") as handle:
            texts += [row["Text"] for row in csv.DictReader(handle)]
    return texts
