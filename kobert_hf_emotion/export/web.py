"""A folder of static files: a page that predicts in the browser, without a server of ours."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from ..assets import BROWSER, PAGE
from ..configuration import is_multi_label
from ..errors import CheckpointError
from ..inference.classifier import Classifier
from ..modeling.classifier import EmotionClassifier
from ..tasks.calibration import label_scales
from ..tasks.multi_label import MultiLabel
from ..tokenization.fast_tokenizer import character_classes, scores_never_used
from ..tokenization.tokenizer import KoBERTTokenizer
from ..utils.files import atomic_directory, check_free
from .exporter import ExportReport, export_onnx
from .manifest import load_manifest
from .web_runtime import find_runtime, write_runtime

SITE_FILE = "site.json"
MODEL_FOLDER = "model"
RUNTIME_FOLDER = "runtime"


def export_web(
    classifier: Classifier | EmotionClassifier,
    folder: str | os.PathLike[str],
    int8: bool = True,
    runtime: str | os.PathLike[str] | None = None,
) -> ExportReport:
    """Writes a page that predicts in the browser, to be laid on any host of static files.

    Args:
        classifier: Model and tokenizer.
        folder: Folder to write; it must not exist, or be empty. Its `model` is an export of `export_onnx`.
        int8: Whether the graph is the smaller and faster one; see `export_onnx`.
        runtime: Folder of the npm package `onnxruntime-web`; None takes it from `node_modules`, else from npm.

    Raises:
        CheckpointError: The tokenizer is not KoBERT's, ONNX Runtime for browsers cannot be had, or an error of
            `export_onnx`.
        RunError: `folder` is in use.
    """
    if isinstance(classifier, EmotionClassifier):
        classifier = Classifier(classifier, classifier.tokenizer)
    tokenizer = classifier.tokenizer
    if not isinstance(tokenizer, KoBERTTokenizer):
        raise CheckpointError(
            f"웹 페이지의 토크나이저는 KoBERT의 것뿐인데 이 모델의 것은 {type(tokenizer).__name__}입니다. "
            "`format`을 onnx로 하면 transformers.js로 열 수 있는 폴더가 됩니다.",
            f"The page knows KoBERT's tokenizer alone, and this model's is {type(tokenizer).__name__}. With `format` "
            "onnx you get a folder that transformers.js opens.",
            mend={"format": "onnx", "runtime": None},
        )
    check_free(folder)
    found = find_runtime(None if runtime is None else Path(runtime))
    with atomic_directory(folder) as partial:
        write_runtime(partial / RUNTIME_FOLDER, found)  # first: a graph takes longer, and this may fail
        report = export_onnx(classifier, partial / MODEL_FOLDER, int8)
        for source in (PAGE, BROWSER):
            shutil.copytree(source, partial, dirs_exist_ok=True)
        settings = _settings(partial / MODEL_FOLDER, tokenizer) | _several(classifier)
        content = json.dumps(settings, ensure_ascii=False, indent=1)
        (partial / SITE_FILE).write_text(content + "\n", encoding="utf-8")
    return ExportReport(Path(folder), report.precision, report.size, report.parity, report.int8_products)


def _settings(model: Path, tokenizer: KoBERTTokenizer) -> dict[str, Any]:
    """Returns what the page has to know of a model, by the names that its scripts use."""
    manifest = load_manifest(model)
    return {
        "graph": manifest.model_file,
        "inputs": manifest.inputs,
        "labels": manifest.labels,
        "temperature": manifest.temperature,
        "maxLength": manifest.max_length,
        "wordSplit": tokenizer.word_split,
        **character_classes(tokenizer.sp_model),
        "digitComma": scores_never_used(tokenizer.sp_model),
    }


def _several(classifier: Classifier) -> dict[str, Any]:
    """Returns how a multi-label model's logits become answers; nothing of a model that chooses one label."""
    if not is_multi_label(classifier.config):
        return {}
    from ..metrics.label_calibration import LabelScales

    task, count = classifier.task, len(classifier.labels)
    assert isinstance(task, MultiLabel)
    scales = label_scales(classifier.config) or LabelScales.none(count)
    return {
        "thresholds": task.thresholds_for(count).tolist(),
        "thresholdsFrom": task.source if task.thresholds is not None else None,
        "scales": scales.pairs,
        "allowEmpty": task.allow_empty,
    }
