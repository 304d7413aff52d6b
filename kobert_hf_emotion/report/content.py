"""What a report shows of a run: the content of its files, each of which may be missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..explanation.words import Explanation
from ..wording import Wording

SEVERAL = "multi-label"
"""The `task` of a run whose texts have several labels each."""
NOT_OF_SEVERAL = Wording("글마다 라벨이 여럿인 실행에는 없습니다.", "A run with several labels a text has none.")


class MissingPartError(Exception):
    """A part of a report cannot be shown; `why` says so to who reads the report.

    Args:
        korean: Why, in Korean.
        english: The same in English.
    """

    def __init__(self, korean: str, english: str) -> None:
        super().__init__(english)
        self.why = Wording(korean, english)


@dataclass(frozen=True)
class Predictions:
    """The out-of-fold predictions of the training rows, in their order."""

    truth: NDArray[np.integer]
    """Class ids, shape (rows,)."""
    predicted: NDArray[np.integer]
    probabilities: NDArray[np.floating]
    """Shape (rows, classes), before scaling by temperature."""
    folds: Sequence[str]
    """The number of the fold that did not train on each row."""
    rows: Sequence[str]
    """The number of each row in its file."""
    files: Sequence[str]
    """Names of the files without their folders; empty where they are not known."""
    texts: Sequence[str] | None
    """None where texts are to be left out."""
    pairs: Sequence[str] | None = None

    @cached_property
    def confidence(self) -> NDArray[np.floating]:
        """The probability of each row's predicted label, shape (rows,)."""
        found: NDArray[np.floating] = self.probabilities[np.arange(len(self.predicted)), self.predicted]
        return found

    @cached_property
    def of_label(self) -> NDArray[np.floating]:
        """The probability of each row's own label, shape (rows,)."""
        found: NDArray[np.floating] = self.probabilities[np.arange(len(self.truth)), self.truth]
        return found


@dataclass(frozen=True)
class Suspects:
    """Rows whose label is probably wrong, the most disputed first."""

    total: int
    rows: Sequence[int]
    """The first of them, counted from 0."""
    margins: Sequence[float]
    """(probability of the label - the highest of another label + 1) / 2 of these."""


@dataclass(frozen=True)
class RunContent:
    """A run as its report shows it. Where a part is None or empty, `missing` says why."""

    name: str
    record: Mapping[str, Any]
    """The content of `run.json`; empty without one."""
    report: Mapping[str, Any] | None
    """The content of `report.json`."""
    audit: Mapping[str, Any] | None
    """The content of `audit.json`."""
    histories: Mapping[str, Sequence[Mapping[str, float]]]
    """The rows of `history.csv` by the names of the folds."""
    predictions: Predictions | None
    mistakes: Sequence[int]
    """The wrong rows, counted from 0, the most confident first; no text twice."""
    explanations: Mapping[int, Explanation]
    """Of some of these, by their row, from the fold that did not train on it."""
    suspects: Suspects | None
    tests: Mapping[str, Mapping[str, Any]]
    """What `kobert-emotion test --output` wrote, by the names of the files."""
    card: str | None
    """The run's model card."""
    left_out: Sequence[Wording] = ()
    """What the run has, and this content has not."""
    with_texts: bool = True
    """Whether texts of the data may be shown."""
    missing: Mapping[str, Wording] = field(default_factory=dict)
    """Why a part is not there, by its name, such as "report"."""

    @property
    def figures(self) -> Mapping[str, Any]:
        """`report.json`, which most sections rest on.

        Raises:
            MissingPartError: There is none.
        """
        if self.report is None:
            raise self.need("report")
        return self.report

    @property
    def single_figures(self) -> Mapping[str, Any]:
        """`figures` of a run with one label a text.

        Raises:
            MissingPartError: There are none, or texts have several labels.
        """
        if self.figures.get("task") == SEVERAL:
            raise MissingPartError(*NOT_OF_SEVERAL)
        return self.figures

    def need(self, part: str) -> MissingPartError:
        """Returns the error that says why a part is not there."""
        return MissingPartError(*self.missing.get(part, Wording("기록이 없습니다.", "There is no record of it.")))
