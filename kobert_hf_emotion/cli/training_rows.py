"""The rows of a file that models are trained on, read as the options of the command say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.tables.options import ReadOptions
from . import options
from .groups import Columns, LabelSet, NewLabelRules, Turns
from .output import note_reading

if TYPE_CHECKING:
    import datasets

    from ..data.report import LoadReport


def reading_of(
    columns: Columns,
    turns: Turns,
    label_set: LabelSet,
    rules: NewLabelRules,
    reading: ReadOptions,
    group_column: str | None,
) -> dict[str, Any]:
    """Returns the arguments of `load_emotion_dataset` that say how rows are read.

    Raises:
        KoBERTEmotionError: Options do not go together.
    """
    from ..data.turns import wanted_turns

    return {
        **vars(columns),
        "group_column": group_column,
        "reading": reading,
        **vars(label_set),
        "labels": options.parse_labels(label_set.labels),
        "turns": wanted_turns(turns.context or 0, turns.order_column, columns.text_pair_column),
        **vars(rules),
    }


def training_rows(train_file: Path, as_told: Mapping[str, Any]) -> tuple[datasets.Dataset, LoadReport]:
    """Reads the rows, and says how they were read.

    Args:
        train_file: The file.
        as_told: What `reading_of` returned.

    Raises:
        KoBERTEmotionError: They cannot be read so; see `load_emotion_dataset`.
    """
    from ..data.dataset import load_emotion_dataset_with_report

    dataset, report = load_emotion_dataset_with_report(train_file, **as_told)
    note_reading(report)
    return dataset, report
