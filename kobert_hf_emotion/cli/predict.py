"""`kobert-emotion predict`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options
from .output import note, quiet_libraries, say, say_json

if TYPE_CHECKING:
    import datasets

    from ..data import LoadReport
    from ..ensemble import Predictor
    from ..reports import Logits


def predict(
    model: Annotated[str, typer.Argument(help="'default', 폴더, Hub 이름 또는 .pt/.tar 파일 (model)")],
    inputs: Annotated[list[str], typer.Argument(help="파일 하나, 또는 문장들 (one file, or texts)")],
    output: Annotated[
        Path | None, typer.Option("--output", help="예측을 쓸 CSV (CSV to write the predictions to)")
    ] = None,
    text_column: options.TextColumn = None,
    text_pair_column: options.TextPairColumn = None,
    label_column: options.LabelColumn = None,
    ignore_labels: Annotated[
        bool, typer.Option("--ignore-labels", help="라벨 열이 있어도 쓰지 않음 (leave the label column out)")
    ] = False,
    encoding: options.Encoding = None,
    batch_size: options.BatchSize = 64,
    tokenizer: options.Tokenizer = None,
    num_attention_heads: options.Heads = None,
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion predict default "오늘 정말 행복했어"

    문장이나 파일의 감정을 예측합니다. 라벨이 있으면 classification report도 출력합니다.
    Predicts the emotion of texts or of a file's rows, with a classification report where labels are there.
    """  # noqa: D415
    from ..data import load_emotion_dataset_with_report
    from ..evaluation import load_checkpoint
    from ..reading import is_table_path

    with quiet_libraries():
        classifier = load_checkpoint(model, tokenizer, num_attention_heads)
        classifier.to_accelerator()
    if len(inputs) != 1 or not is_table_path(inputs[0]):
        _predict_texts(classifier, inputs, output, batch_size, json)
        return
    with quiet_libraries():
        dataset, report = load_emotion_dataset_with_report(
            inputs[0],
            text_column,
            label_column,
            text_pair_column=text_pair_column,
            labels=classifier.labels,
            require_labels=False,
            read_labels=not ignore_labels,
            encoding=encoding,
        )
        note(report.summary())
    _predict_rows(classifier, dataset, report, output, batch_size, json)


def _predict_texts(classifier: Predictor, texts: list[str], output: Path | None, batch_size: int, json: bool) -> None:
    from ..inference import to_predictions
    from ..reports import write_predictions

    with quiet_libraries():
        logits = classifier.predict_logits(texts, batch_size=batch_size)
    predictions = to_predictions(logits, classifier.labels)
    if output is not None:
        write_predictions(output, logits, classifier.labels, {"text": texts})
    if json:
        say_json({"predictions": [{"text": t, **p} for t, p in zip(texts, predictions, strict=True)]})
        return
    for text, prediction in zip(texts, predictions, strict=True):
        ranked = sorted(prediction["probabilities"].items(), key=lambda item: -item[1])
        say(f"{text}\n  {prediction['label']}  " + "  ".join(f"{label} {p:.2f}%" for label, p in ranked))


def _predict_rows(
    classifier: Predictor,
    dataset: datasets.Dataset,
    report: LoadReport,
    output: Path | None,
    batch_size: int,
    json: bool,
) -> None:
    import numpy as np

    from ..reports import write_predictions

    columns = {name: list(dataset[name]) for name in ("row", "id", "text", "text_pair") if name in dataset.column_names}
    with quiet_libraries():
        logits = classifier.predict_logits(columns["text"], columns.get("text_pair"), batch_size)
    labels = None
    if "label" in dataset.column_names:
        labels = np.asarray([-1 if label is None else label for label in dataset["label"]])
    if output is not None:
        write_predictions(output, logits, classifier.labels, columns, labels)
        note(f"{output}: {len(dataset):,}행 (rows)")
    known = np.zeros(len(dataset), dtype=bool) if labels is None else labels >= 0
    found: dict[str, Any] = {"output": output, "rows": len(dataset), "data": report}
    _say_scores(found, logits, logits[known], None if labels is None else labels[known], classifier.labels, json)


def _say_scores(
    found: dict[str, Any], logits: Logits, labelled: Logits, truth: Any, names: list[str], json: bool
) -> None:
    """Prints how often each label was predicted and, for rows whose label is known, how well."""
    import numpy as np

    from ..reports import score, table_report, text_report

    counts = np.bincount(logits.argmax(-1), minlength=len(names)).tolist()
    if json:
        found["predicted"] = dict(zip(names, counts, strict=True))
        if len(labelled):
            found |= {"scores": score(labelled, truth), "report": table_report(labelled, truth, names)}
        say_json(found)
    elif len(labelled):
        say(text_report(labelled, truth, names))
    else:
        say("  ".join(f"{name} {count:,}" for name, count in zip(names, counts, strict=True)))
