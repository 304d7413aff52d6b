"""Predictions with an exported graph, by ONNX Runtime."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import AutoConfig, PreTrainedConfig, PreTrainedTokenizerBase
from typing_extensions import Self

from ..data.input_checks import as_texts, refuse_files
from ..errors import CheckpointError
from ..explanation.subject import Subject
from ..explanation.words import Explanation, Method
from ..modeling.prediction import DEFAULT_BATCH_SIZE, Prediction, as_pairs, to_predictions
from ..tokenization.guard import UnknownTexts, check_predicted, check_vocabulary
from ..tokenization.loading import load_tokenizer
from ..utils.argument_checks import check_count, check_path
from .manifest import Manifest, load_manifest
from .probes import Probes, check_probes

logger = logging.getLogger(__name__)


class Graph:
    """A graph that is ready to run on the CPU.

    Args:
        model: The `.onnx` file, or its content.
        threads: Threads to compute with; ONNX Runtime's choice, one for each core, if None.
    """

    def __init__(self, model: Path | bytes, threads: int | None = None) -> None:
        ort = require_onnxruntime()
        options = ort.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
        content = model if isinstance(model, bytes) else str(model)
        self._session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def __call__(self, inputs: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        """Returns the logits of a batch, shape (batch, classes)."""
        return self.run(["logits"], inputs)[0]

    def run(self, outputs: list[str], inputs: Mapping[str, NDArray[np.int64]]) -> list[NDArray[np.float32]]:
        """Returns what the graph computes for a batch."""
        found: list[NDArray[np.float32]] = self._session.run(outputs, dict(inputs))
        return found


class OnnxClassifier:
    """An exported classifier, which predicts as `EmotionClassifier` does.

    Example:
        >>> OnnxClassifier.from_pretrained("exported").predict(["오늘 정말 행복했어"])  # doctest: +SKIP
    """

    def __init__(
        self, graph: Graph, tokenizer: PreTrainedTokenizerBase, manifest: Manifest, config: PreTrainedConfig
    ) -> None:
        check_vocabulary(tokenizer, config)
        self.tokenizer = tokenizer
        self.manifest = manifest
        self._graph = graph
        self._config = config

    @classmethod
    def from_pretrained(cls, folder: str | os.PathLike[str], threads: int | None = None) -> Self:
        """Loads a folder that `export_onnx` or `kobert-emotion export` wrote, and asks the graph its probes.

        Args:
            folder: The folder.
            threads: Threads to compute with; one for each core if None.

        Raises:
            CheckpointError: There is no export, a file of it has changed, the graph computes something else on this
                machine than where it was exported, or ONNX Runtime is not installed.
        """
        check_path("folder", folder)
        manifest = load_manifest(Path(folder))
        graph = Graph(Path(folder) / manifest.model_file, threads)
        if manifest.probes is None:
            logger.warning(
                "%s: 시험 입력이 없는 예전 export 폴더라서, 이 컴퓨터에서 내보낼 때와 같은 결과가 나오는지 확인하지 "
                "못했습니다. 다시 내보내세요. (exported by an earlier version, without probes: whether this machine "
                "computes what that one did was not checked. Export it again.)",
                folder,
            )
        else:
            check_probes(graph, Probes(**manifest.probes), manifest.inputs, manifest.labels, Path(folder))
        return cls(graph, load_tokenizer(folder), manifest, AutoConfig.from_pretrained(folder))

    @property
    def labels(self) -> list[str]:
        """Label names in the order of their ids."""
        return self.manifest.labels

    def predict_logits(
        self,
        texts: Iterable[str],
        text_pairs: Iterable[str] | None = None,
        batch_size: int = DEFAULT_BATCH_SIZE,
        unknown: UnknownTexts | None = None,
    ) -> NDArray[np.float32]:
        """Computes the logits whose softmax are the probabilities predicted: divided by the temperature.

        Args:
            texts: Sentences.
            text_pairs: Second sentences, for a model of sentence pairs.
            batch_size: Texts a forward pass; those of similar length go together.
            unknown: What the texts that cannot be read are counted in; None logs their number.

        Returns:
            Shape (texts, classes), in the order of `texts`.

        Raises:
            DataError: An element is no string.
        """
        firsts, seconds = as_pairs(texts, text_pairs)
        check_count("batch_size", batch_size)
        rows = np.zeros((len(firsts), len(self.labels)), dtype=np.float32)
        if not firsts:
            return rows
        encoded = self.tokenizer(
            firsts, seconds, truncation=True, max_length=self.manifest.max_length, return_attention_mask=False
        )
        check_predicted(self.tokenizer, self._config, firsts, encoded["input_ids"], unknown)
        lengths = np.fromiter(map(len, encoded["input_ids"]), dtype=np.int64, count=len(firsts))
        order = np.argsort(lengths, kind="stable")
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            rows[chosen] = self._graph(self._batch(encoded, chosen, lengths[chosen]))
        return rows / np.float32(self.manifest.temperature)

    def predict(
        self, texts: Iterable[str], batch_size: int = DEFAULT_BATCH_SIZE, text_pairs: Iterable[str] | None = None
    ) -> list[Prediction]:
        """Predicts the emotion of texts; arguments, result and errors are those of `predict_logits`, labelled.

        Returns:
            For each text `{"label", "score", "probabilities"}`; see `Prediction`.
        """
        texts = as_texts(texts)
        refuse_files(texts)
        return to_predictions(self.predict_logits(texts, text_pairs, batch_size), self.labels)

    def explain(
        self, texts: Iterable[str], method: Method = "leave_one_out", label: str | None = None
    ) -> list[Explanation]:
        """Explains predictions by the words; see `EmotionClassifier.explain`. A graph has no gradients."""
        subject = Subject(
            lambda left: self.predict_logits(left, unknown=UnknownTexts()),
            self.tokenizer,
            self.manifest.max_length,
            self.labels,
        )
        return subject.explain(texts, method, label)

    def _batch(
        self, encoded: Mapping[str, Any], chosen: NDArray[np.int64], lengths: NDArray[np.int64]
    ) -> dict[str, NDArray[np.int64]]:
        """Pads rows to the longest of them."""
        mask = np.arange(lengths.max()) < lengths[:, None]
        padding = {"input_ids": self.manifest.pad_token_id, "token_type_ids": self.tokenizer.pad_token_type_id}
        columns = {"attention_mask": mask.astype(np.int64)}
        for name in self.manifest.inputs:
            if name != "attention_mask":
                columns[name] = np.full(mask.shape, padding[name], dtype=np.int64)
                columns[name][mask] = np.concatenate([encoded[name][index] for index in chosen])
        return columns


def require_onnxruntime() -> Any:
    """Imports ONNX Runtime.

    Raises:
        CheckpointError: It is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise CheckpointError(
            "ONNX Runtime이 설치되어 있지 않습니다.",
            "ONNX Runtime is not installed; exporting and running exported models need it.",
            "pip install 'kobert-hf-emotion[onnx]'",
        ) from error
    return onnxruntime
