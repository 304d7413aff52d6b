"""Predictions for the rows of a file of any size: read, predicted and written a chunk at a time."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..data.row_stream import RowStream
from ..metrics.probabilities import check_logits
from ..modeling.batches import DEFAULT_BATCH_SIZE
from ..tokenization.long_texts import LongTexts
from .file_prediction import FilePrediction
from .logits_model import LogitsModel
from .prediction_csv import prediction_csv
from .row_counting import Counts, counts_of


def predict_rows(
    model: LogitsModel,
    rows: RowStream,
    output: str | os.PathLike[str] | None = None,
    batch_size: int = DEFAULT_BATCH_SIZE,
    on_progress: Callable[[int], None] | None = None,
    long: LongTexts | None = None,
) -> FilePrediction:
    """Predicts every row of a file and writes a CSV with a row for each, in their order.

    Texts of similar length are batched together within a chunk. The file takes its name when it is complete.

    Args:
        model: What predicts.
        rows: The rows; see `data.row_stream.open_rows`.
        output: CSV to write, which Excel opens with its Hangul intact (UTF-8 with a byte-order mark); none if None.
        batch_size: Texts a forward pass.
        on_progress: Called after each chunk with the number of its rows.
        long: How texts longer than the model reads are answered; the column `parts` then has what it says of the
            pieces, as JSON. None cuts them.

    Raises:
        DataError: The file is not what it was when it was counted.
        KoBERTEmotionError: The model's logits have no probabilities; see `metrics.probabilities.check_logits`.
        OSError: The output cannot be written; what was there is as it was.
    """
    counts = counts_of(tuple(model.labels), model.task)
    with nullcontext() if output is None else prediction_csv(output, model.labels, model.task) as table:
        for frame in rows.chunks():
            pairs = frame["text_pair"].tolist() if "text_pair" in frame else None
            logits, parts = _answer(model, frame["text"].tolist(), pairs, batch_size, counts, long)
            check_logits(logits)
            truth = rows.kind.truth(frame["label"], model.labels) if "label" in frame else None
            counts.add(logits, truth)
            if table is not None:
                left = {str(name): column.tolist() for name, column in frame.items() if name != "label"}
                table.write(left | parts, logits, truth)
            if on_progress is not None:
                on_progress(len(frame))
    return replace(counts.prediction(), long=counts.long)


def _answer(
    model: LogitsModel,
    texts: list[str],
    pairs: list[str] | None,
    batch_size: int,
    counts: Counts,
    long: LongTexts | None,
) -> tuple[NDArray[np.float32], dict[str, list[str]]]:
    """Returns the logits of texts, and the column that tells of their pieces where there are any."""
    if long is None:
        return model.predict_logits(texts, pairs, batch_size, counts.unknown), {}
    answer = model.answer_long(texts, long, pairs, batch_size, counts.unknown)
    counts.long.add(answer.counts)
    return answer.logits, {"parts": answer.cells(model.task, model.labels)}
