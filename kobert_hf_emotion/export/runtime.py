"""Predictions with an exported graph, by ONNX Runtime."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from ..configuration import context_turns
from ..errors import CheckpointError
from ..inference.logits_model import LogitsModel, Question
from ..modeling.batches import Batch, logits_by_length
from ..modeling.long_texts import Reader
from ..tasks.calibration import calibrated, label_scales
from ..tasks.choice import task_of
from ..tasks.task import Task
from ..tokenization.context import encode_texts
from ..tokenization.guard import check_predicted, check_vocabulary
from ..utils.argument_checks import check_path
from ..wording import Wording
from .manifest import Manifest, load_manifest
from .probes import Probes, check_probes

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase

    from ..explanation.subject import Subject

logger = logging.getLogger(__name__)


class Graph:
    """A graph that is ready to run on the CPU.

    Args:
        model: The `.onnx` file, or its content.
        threads: Threads to compute with; ONNX Runtime's choice, one for each core, if None.
        weights: Those that the file names and does not hold.
        fixed: Inputs that are the same in every batch.
    """

    def __init__(
        self,
        model: Path | bytes,
        threads: int | None = None,
        weights: Mapping[str, NDArray[np.float32]] | None = None,
        fixed: Mapping[str, NDArray[np.float32]] | None = None,
    ) -> None:
        ort = require_onnxruntime()
        options = ort.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
        if weights:
            values = [ort.OrtValue.ortvalue_from_numpy(value) for value in weights.values()]
            options.add_external_initializers(list(weights), values)
        self._fixed = dict(fixed or {})
        content = model if isinstance(model, bytes) else str(model)
        self._session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def __call__(self, inputs: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        """Returns the logits of a batch, shape (batch, classes)."""
        return self.run(["logits"], inputs)[0]

    def run(self, outputs: list[str], inputs: Mapping[str, NDArray[np.int64]]) -> list[NDArray[np.float32]]:
        """Returns what the graph computes for a batch."""
        found: list[NDArray[np.float32]] = self._session.run(outputs, {**inputs, **self._fixed})
        return found


class OnnxClassifier(LogitsModel):
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
        from transformers import AutoConfig

        from ..tokenization.loading import load_tokenizer

        check_path("folder", folder)
        manifest = load_manifest(Path(folder))
        graph = checked_graph(Path(folder), manifest, threads)
        return cls(graph, load_tokenizer(folder), manifest, AutoConfig.from_pretrained(folder))

    @property
    def labels(self) -> list[str]:
        """Label names in the order of their ids."""
        return self.manifest.labels

    @property
    def context_turns(self) -> int:
        """How many turns before a line it was trained with."""
        return context_turns(self._config)

    @property
    def task(self) -> Task:
        """How its logits become answers, by the configuration beside the graph."""
        return task_of(self._config)

    def answer(self, question: Question) -> NDArray[np.float32]:
        """Returns the graph's logits, calibrated as the configuration beside it says."""
        if not question.texts:
            return np.zeros((0, len(self.labels)), dtype=np.float32)
        in_context = context_turns(self._config) > 0
        limit = self.manifest.max_length
        encoded = encode_texts(self.tokenizer, question.texts, question.pairs, limit, in_context)
        check_predicted(self.tokenizer, self._config, question.texts, encoded["input_ids"], question.unknown, limit)
        logits = logits_by_length(encoded, question.batch_size, lambda batch: self._graph(self._padded(batch)))
        if label_scales(self._config) is not None:
            return calibrated(logits, self._config)
        return logits / np.float32(self.manifest.temperature)

    def reader(self) -> Reader:
        """Returns the tokenizer, and how many tokens of a text the graph was exported for."""
        return Reader(self.tokenizer, self._config, self.manifest.max_length)

    def subject(self) -> Subject:
        """Returns the graph as explanations see it: it has no gradients."""
        from ..explanation.subject import Subject

        return Subject(self.logits_of, self.tokenizer, self.manifest.max_length, self.labels, task=self.task)

    def _padded(self, batch: Batch) -> dict[str, NDArray[np.int64]]:
        """Returns the graph's inputs, padded to the longest row."""
        lengths = np.array(batch.lengths)
        mask = np.arange(lengths.max()) < lengths[:, None]
        padding = {"input_ids": self.manifest.pad_token_id, "token_type_ids": self.tokenizer.pad_token_type_id}
        columns = {"attention_mask": mask.astype(np.int64)}
        for name in self.manifest.inputs:
            if name != "attention_mask":
                columns[name] = np.full(mask.shape, padding[name], dtype=np.int64)
                columns[name][mask] = np.concatenate(batch.columns[name])
        return columns


def checked_graph(folder: Path, manifest: Manifest, threads: int | None = None) -> Graph:
    """Returns the graph of an exported folder, after its probes were answered as they were where it was exported.

    Raises:
        CheckpointError: They were not, or ONNX Runtime is not installed.
    """
    graph = Graph(folder / manifest.model_file, threads)
    if manifest.probes is None:
        logger.warning(
            Wording(
                f"{folder}: 시험 입력이 없는 예전 export 폴더라서, 이 컴퓨터에서 내보낼 때와 같은 결과가 나오는지 "
                "확인하지 못했습니다. 다시 내보내세요.",
                f"{folder}: exported by an earlier version, without probes: whether this machine computes what "
                "that one did was not checked. Export it again.",
            )
        )
    else:
        probes, again = Probes(**manifest.probes), manifest.export_again(folder)
        check_probes(graph, probes, manifest.inputs, manifest.labels, folder, again)
    return graph


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
