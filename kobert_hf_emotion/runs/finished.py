"""A run that is over, read back from its folder: its record and its out-of-fold predictions."""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.column_names import CONVERSATION_COLUMN, TEXT_COLUMN, TEXT_PAIR_COLUMN
from ..data.distributions import counted_as, to_shares
from ..data.several_labels import CellSplitter
from ..data.text_keys import text_key
from ..errors import RunError
from ..metrics.label_calibration import LabelScales
from ..metrics.multi_label import decide
from ..metrics.probabilities import sigmoid
from ..splits.groups import row_groups
from ..tasks.soft import VOTE_PREFIX
from ..utils.argument_checks import check_path
from .layout import PREDICTIONS_FILE, REPORT_JSON_FILE, RUN_FILE, read_record

if TYPE_CHECKING:
    import pandas as pd

_EXACT = (5e-7, 1 - 5e-7)
"""Between which a probability with six decimals lies that is neither 0 nor 1 before it is rounded."""


@dataclass(frozen=True)
class FinishedRun:
    """The record and the out-of-fold predictions of a run."""

    path: Path
    record: dict[str, Any]
    """The content of `run.json`."""
    table: pd.DataFrame
    """The content of `oof_predictions.csv`, a row a training row in their order; every cell a string."""

    @property
    def labels(self) -> list[str]:
        """Label names in the order of their ids."""
        return list(self.record["labels"])

    @property
    def has_several(self) -> bool:
        """Whether its rows have several labels each."""
        return self.record.get("task") == "multi-label"

    @property
    def has_votes(self) -> bool:
        """Whether its rows have votes for each label."""
        return self.record.get("task") == "soft"

    @cached_property
    def truth(self) -> NDArray[np.int64]:
        """The class id of each row's label, shape (rows,).

        Of votes it is what the row counts as beside its prediction; see `data.distributions.counted_as`.
        """
        return counted_as(self.shares, self.predictions) if self.has_votes else self._ids("label")

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """The shares of the votes of a run on votes, shape (rows, classes)."""
        return to_shares(self.table[[f"{VOTE_PREFIX}{name}" for name in self.labels]].to_numpy().astype(np.float64))

    @cached_property
    def predictions(self) -> NDArray[np.int64]:
        """The class id predicted for each row by the fold that did not train on it, shape (rows,)."""
        return self._ids("prediction")

    @cached_property
    def label_sets(self) -> NDArray[np.int64]:
        """Where rows have several labels: 1 where a row has a label, shape (rows, labels)."""
        splitter = CellSplitter(self.labels)
        sets = np.zeros((len(self.table), len(self.labels)), dtype=np.int64)
        for row, cell in zip(sets, self.table["label"], strict=True):
            row[splitter.ids(splitter.split(cell))] = 1
        return sets

    @cached_property
    def calibrated(self) -> NDArray[np.float64]:
        """Where rows have several labels: the probabilities by scales that were fitted on the other folds.

        Shape (rows, labels). A run of a version without scales has the probabilities as they are.

        Raises:
            RunError: `report.json` is damaged.
        """
        found = self.probabilities.copy()
        with self._reading_report() as report:
            for fold, pairs in report.get("label_calibration", {"folds": {}})["folds"].items():
                rows = (self.table["fold"] == fold).to_numpy()
                exact = np.clip(found[rows], *_EXACT)
                found[rows] = sigmoid(LabelScales.of_pairs(pairs).apply(np.log(exact) - np.log1p(-exact)))
        return found

    @cached_property
    def answer_sets(self) -> NDArray[np.int64]:
        """The labels given to each row by scales and thresholds that were fitted on the other folds.

        Shape (rows, labels).

        Raises:
            RunError: `report.json` does not tell the thresholds.
        """
        answers = np.zeros((len(self.table), len(self.labels)), dtype=np.int64)
        with self._reading_report() as report:
            found = report["thresholds"]
            for fold, thresholds in found["folds"].items():
                rows = (self.table["fold"] == fold).to_numpy()
                chosen = decide(self.calibrated[rows], np.asarray(thresholds, dtype=float), found["allow_empty"])
                answers[rows] = chosen
        return answers

    @contextmanager
    def _reading_report(self) -> Iterator[Any]:
        """Yields the content of `report.json`; what is missing in it is an error of the run."""
        path = self.path / REPORT_JSON_FILE
        try:
            yield json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise RunError(
                f"실행 폴더의 파일이 손상되었습니다: {path}에서 보정과 임계값을 읽을 수 없습니다.",
                f"The files of the run are damaged: cannot read scales and thresholds in {path} ({error!r}).",
            ) from error

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """The probabilities of the out-of-fold predictions, shape (rows, classes); as in the file, unscaled."""
        columns = [f"prob_{name}" for name in self.labels]
        found: NDArray[np.float64] = self.table[columns].to_numpy().astype(np.float64)
        if not self.has_several:
            found /= found.sum(axis=1, keepdims=True)  # six decimals do not add up to 1 exactly
        return found

    @cached_property
    def text_keys(self) -> list[str]:
        """The form of each row's text in which texts are compared; see `data.text_keys.text_key`."""
        texts = self.table[TEXT_COLUMN]
        if TEXT_PAIR_COLUMN in self.table:
            return [text_key(*pair) for pair in zip(texts, self.table[TEXT_PAIR_COLUMN], strict=True)]
        return [text_key(text) for text in texts]

    def groups(self) -> list[Hashable] | None:
        """Returns the group of each row (equal texts, and the groups the run was split by), None where all differ."""
        import datasets

        group_by, pattern = self.record.get("group_by"), self.record.get("group_pattern")
        kept = [name for name in (TEXT_COLUMN, TEXT_PAIR_COLUMN, CONVERSATION_COLUMN, group_by) if name in self.table]
        rows = datasets.Dataset.from_dict({name: self.table[name].tolist() for name in kept})
        found = row_groups(rows, *((group_by, pattern) if group_by in kept else ()))
        return None if found is None else found.tolist()

    def _ids(self, column: str) -> NDArray[np.int64]:
        numbers = {name: index for index, name in enumerate(self.labels)}
        return np.asarray([numbers[name] for name in self.table[column]], dtype=np.int64)


def read_run(path: str | os.PathLike[str]) -> FinishedRun:
    """Reads the folder of a finished run.

    Raises:
        RunError: There is no run at `path`, or one that is not finished, or a file of it is damaged.
    """
    check_path("run", path)
    folder = Path(path)
    record = read_record(folder)
    if record is None:
        raise RunError(
            f"실행 폴더가 아닙니다: {folder} — {RUN_FILE}이 없습니다.",
            f"{folder} is no run's folder: it has no {RUN_FILE}.",
        )
    if not record.get("finished") or not (folder / PREDICTIONS_FILE).is_file():
        raise RunError(
            f"끝나지 않은 실행입니다: {folder} — {PREDICTIONS_FILE}은 모든 겹이 끝난 뒤에 쓰입니다.",
            f"The run {folder} is not finished: {PREDICTIONS_FILE} is written after the last fold.",
        )
    return read_predictions(folder, record)


def read_predictions(folder: Path, record: dict[str, Any]) -> FinishedRun:
    """Reads the out-of-fold predictions in the folder of a run.

    Args:
        folder: The run's.
        record: The content of its `run.json`.

    Raises:
        RunError: Record and predictions do not fit, or are damaged.
        FileNotFoundError: There are no predictions.
    """
    import pandas as pd

    try:
        table = pd.read_csv(folder / PREDICTIONS_FILE, encoding="utf-8-sig", dtype=str, na_filter=False)
        run = FinishedRun(folder, record, table)
        _ = run.probabilities, None if run.has_several else (run.truth, run.predictions)
    except (ValueError, KeyError) as error:
        raise RunError(
            f"실행 폴더의 파일이 손상되었습니다: {folder} — {RUN_FILE}과 {PREDICTIONS_FILE}이 서로 맞지 않습니다.",
            f"The files of the run {folder} are damaged: {RUN_FILE} and {PREDICTIONS_FILE} do not fit ({error!r}).",
        ) from error
    return run


def run_of(path: str | os.PathLike[str]) -> FinishedRun | None:
    """Returns the finished run that `path` is the folder of, or of whose folds it is one; None where it is neither."""
    if not Path(path).exists():  # a Hub id, or "default"
        return None
    for folder in (Path(path), Path(path).resolve().parent):
        if (folder / RUN_FILE).is_file() and (folder / PREDICTIONS_FILE).is_file():
            return read_run(folder)
    return None
