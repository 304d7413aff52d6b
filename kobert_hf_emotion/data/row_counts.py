"""Rows of files counted part by part: those that are kept, those that are not and why, and what was seen in both."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ..wording import Doubt, Note
from .cleaning import count_null_texts, without_letters
from .columns import Columns
from .label_kinds import LabelKind, OneLabel
from .label_reading import sort_counts
from .label_tally import LabelTally
from .levels import Hierarchy
from .report import LoadReport, nothing_left
from .tables import Table, TableFile

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 40


logger = logging.getLogger(__name__)


class Part(NamedTuple):
    """Rows read at once: those that are kept, how many are left out and why, all their labels, and what was assumed."""

    kept: pd.DataFrame
    dropped: dict[str, int]
    labels: LabelTally
    notes: tuple[Note, ...] = ()


@dataclass
class RowCounts:
    """The counts of the parts of files.

    Attributes:
        names: Label names in the order of their ids; None without labels.
        kind: What a row's label is.
        kept: Rows that are kept.
        dropped: Rows left out, by reason.
        labels: Rows kept by label.
        nfc_changed: Rows kept whose text was not in NFC.
        null_texts: Rows kept whose text is what programs write for a missing value.
        tally: What the cells of labels held.
        no_letters: Rows kept whose text has no letter.
        first_without: The first such text.
    """

    names: tuple[str, ...] | None
    kind: LabelKind = field(default_factory=OneLabel)
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    nfc_changed: int = 0
    null_texts: Counter[str] = field(default_factory=Counter)
    tally: LabelTally = field(default_factory=LabelTally)
    no_letters: int = 0
    first_without: str = ""

    def add(self, part: Part) -> None:
        """Counts the rows of a part."""
        self.kept += len(part.kept)
        self.dropped.update(part.dropped)
        if self.names is not None:
            counts = self.kind.counts(part.kept["label"])
            self.labels.update({name: counts[index] for index, name in enumerate(self.names)})
        self.nfc_changed += int((~part.kept["is_nfc"]).sum())
        self.null_texts.update(count_null_texts(part.kept))
        self.tally += part.labels
        bare = without_letters(part.kept["text"].tolist())
        self.first_without = self.first_without or next(iter(bare), "")
        self.no_letters += len(bare)

    def report(
        self,
        files: Sequence[Table | TableFile],
        columns: Sequence[Columns],
        notes: Sequence[Note],
        hierarchy: Hierarchy | None = None,
    ) -> LoadReport:
        """Returns the report of the files whose rows were counted.

        Args:
            files: The files.
            columns: The columns used in each.
            notes: What there is to say of how they were read.
            hierarchy: Which coarse label each label stands under, where there are two levels.

        Raises:
            DataError: No row is kept.
        """
        doubts = self._doubts([str(file.path) for file in files])
        report = LoadReport(
            files=tuple(str(file.path) for file in files),
            encodings=tuple(file.encoding for file in files),
            rows_read=self.kept + self.dropped.total(),
            rows_kept=self.kept,
            dropped=dict(self.dropped),
            nfc_changed=self.nfc_changed,
            label_counts=dict(self.labels),
            label_conflicts=self.tally.conflicts,
            columns=tuple(columns),
            labels_read=None if self.names is None else self.tally.reading(self.names),
            null_texts=sort_counts(self.null_texts),
            reading=tuple(file.options for file in files),
            notes=(*notes, *doubts),
            levels=None if hierarchy is None else hierarchy.to_dict(self.names or ()),
        )
        if not self.kept:
            raise nothing_left(report)
        for doubt in doubts:
            logger.warning("%s", doubt)
        return report

    def _doubts(self, files: Sequence[str]) -> list[Note]:
        """Returns what makes the texts doubtful: that most of them have no letter, as those of another column."""
        if 2 * self.no_letters <= self.kept:
            return []
        where, shown = ", ".join(files), repr(self.first_without[:_SHOWN])
        return [
            Doubt(
                f"{where}: 글 {self.kept:,}개 중 {self.no_letters:,}개에는 글자가 하나도 없습니다(처음은 {shown}). "
                "글이 다른 열에 있으면 `text_column`으로 지정하세요.",
                f"{where}: {self.no_letters:,} of {self.kept:,} texts have no letter at all (the first is {shown}). "
                "Where another column holds the texts, name it with `text_column`.",
            )
        ]
