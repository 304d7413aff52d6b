"""How large the report of a run is, and what it adds to the run."""

from __future__ import annotations

import time
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from kobert_hf_emotion.inference.loading import load_checkpoint
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.metrics.bootstrap import confusion_matrix
from kobert_hf_emotion.metrics.probabilities import softmax
from kobert_hf_emotion.report.content import Predictions, RunContent
from kobert_hf_emotion.report.page import to_page
from kobert_hf_emotion.runs.reporting import MISTAKES

from .report import Report
from .texts import Texts

RIGHT = 0.7
"""Share of the rows that the made-up predictions have right."""


def measure(texts: Texts, model: Path, count: int) -> Report:
    """Makes a page of rows with made-up predictions, and explains as many texts as a report does.

    Args:
        texts: Those of the rows, again from the first where they are fewer than `count`.
        model: A folder with the model to explain.
        count: The number of rows.
    """
    rows = list(islice(cycle(texts.texts), count))
    content = _content(rows)
    began = time.process_time()
    page = to_page(content)
    written = time.process_time()
    classifier = load_checkpoint(model)
    loaded = time.process_time()
    classifier.explain(texts.texts[:MISTAKES])
    explained = time.process_time()
    return Report(
        title=f"Report: {count:,} rows of {texts.name}, {model.name}",
        facts={
            "characters a text": sum(map(len, rows)) / count,
            "megabytes": len(page.html.encode()) / 1e6,
            "rows that open": page.rows_shown,
            "page, CPU seconds": written - began,
            "loading a fold, CPU seconds": loaded - written,
            f"explaining {MISTAKES} mistakes, CPU seconds": explained - loaded,
        },
    )


def _content(texts: list[str]) -> RunContent:
    random, classes, count = np.random.default_rng(0), len(EMOTION_LABELS), len(texts)
    truth = random.integers(0, classes, count)
    answer = np.where(random.random(count) < RIGHT, truth, random.integers(0, classes, count))
    logits = random.normal(size=(count, classes))
    logits[np.arange(count), answer] += random.exponential(3, count) + 1
    predictions = Predictions(
        truth=truth,
        predicted=logits.argmax(axis=1),
        probabilities=softmax(logits),
        folds=[str(index % 5 + 1) for index in range(count)],
        rows=[str(index + 1) for index in range(count)],
        files=[],
        texts=texts,
    )
    counts = confusion_matrix(truth, predictions.predicted, classes).tolist()
    return RunContent(
        name="run",
        record={"labels": list(EMOTION_LABELS), "finished": True},
        report={"confusion_matrix": {"labels": list(EMOTION_LABELS), "counts": counts}},
        audit=None,
        histories={},
        predictions=predictions,
        mistakes=[],
        explanations={},
        suspects=None,
        tests={},
        card=None,
    )
