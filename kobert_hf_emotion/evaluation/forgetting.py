"""What a model forgets of old rows, and learns of new ones, where it is trained on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import datasets
import numpy as np

from ..data.column_names import TEXT_COLUMN, TEXT_PAIR_COLUMN
from ..data.label_ids import is_labelled, label_ids
from ..data.text_keys import duplicate_groups
from ..inference.loading import load_checkpoint
from ..metrics.bootstrap import Interval
from ..metrics.mcnemar import McNemar, mcnemar
from ..metrics.paired import macro_f1_difference
from ..metrics.scores import Scores
from .checkpoints import evaluate_predictor


@dataclass(frozen=True)
class Change:
    """Two models on the same rows, the second being the first one trained on."""

    before: Scores
    after: Scores
    interval: Interval
    """Of the second's macro F1 less the first's: 95%, by a paired bootstrap that draws equal texts together."""
    mcnemar: McNemar
    """Of rows answered rightly by one of them alone."""

    @property
    def macro_f1(self) -> float:
        """The second's macro F1 less the first's: what was forgotten where it is below 0."""
        return self.after.macro_f1 - self.before.macro_f1


def measure_change(before: str | os.PathLike[str], after: str | os.PathLike[str], dataset: datasets.Dataset) -> Change:
    """Evaluates a model and what became of it on the same rows.

    Args:
        before: A model's folder, or whatever `load_checkpoint` takes.
        after: The folder of the model that was trained on from it.
        dataset: Rows with `text` and `label`.

    Raises:
        CheckpointError: There is no model.
        DataError: A label is none of the models'.
    """
    first, second = load_checkpoint(before), load_checkpoint(after)
    truth = label_ids(dataset, first.labels)
    rows = dataset.select(np.flatnonzero(is_labelled(truth)))
    truth = truth[is_labelled(truth)]
    found = [
        evaluate_predictor(predictor, Path(place), rows) for predictor, place in ((first, before), (second, after))
    ]
    answers = [first.task.answers(found[0].logits), second.task.answers(found[1].logits)]
    right = [first.task.right(found[0].logits, truth), second.task.right(found[1].logits, truth)]
    pairs = rows[TEXT_PAIR_COLUMN][:] if TEXT_PAIR_COLUMN in rows.column_names else None
    groups = duplicate_groups(rows[TEXT_COLUMN][:], pairs)
    return Change(
        before=found[0].scores,
        after=found[1].scores,
        interval=macro_f1_difference(answers[0], answers[1], truth, len(first.labels), groups),
        mcnemar=mcnemar(right[0], right[1]),
    )
