"""The rows of one table file in chunks, for files that should not be in memory as a whole.

What is kept, left out and counted is what `data.dataset.load_emotion_dataset` keeps, leaves out and counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..utils.progress import ROWS, progress
from ..wording import Note, Wording
from .cleaning import clean_texts, join_tables, keep_rows
from .column_guesses import GUESS_ROWS
from .columns import Columns, Wanted
from .label_kinds import LabelKind, OneLabel
from .label_parsing import label_names
from .label_tally import LabelTally
from .levels import tell_apart
from .report import LoadReport
from .row_counts import Part, RowCounts
from .several_labels import check_indicators
from .tables import ReadOptions, Table, TableFile, open_table
from .tables.column_roles import columns_of, gap_notes
from .turns import Turns, add_turns, log_assumed

if TYPE_CHECKING:
    import pandas as pd

CHUNK_ROWS = 16_384


@dataclass(frozen=True)
class RowStream:
    """The rows of a file that has been checked and counted.

    Attributes:
        report: What is read and what is left out, of the whole file.
        labels: Label names in the order of their ids; None where no row has a label.
        kind: What a row's label is.
    """

    report: LoadReport
    labels: tuple[str, ...] | None
    _file: TableFile
    _columns: Columns
    _names: tuple[str, ...] | None
    kind: LabelKind
    _turns: Turns | None = None

    def chunks(self, rows: int = CHUNK_ROWS) -> Iterator[pd.DataFrame]:
        """Yields the rows that are kept, in order, of at most `rows` rows of the file at a time.

        The columns are `row` and `text`, and `id`, `text_pair` and `label` (nullable ids, or lists of ids) where there
        are some. Where turns before a line are wanted, they are `text_pair`, and all rows are in memory at once.
        """
        roles = [name for name in ("row", "id", "text", "text_pair") if name == "row" or getattr(self._columns, name)]
        roles += [] if self._turns is None else ["text_pair"]
        if self.labels is not None:
            roles.append("label")
        if self._turns is None:
            for part in _parts(self._file.chunks(rows), self._columns, self._names, self.kind):
                yield part.kept[roles]
            return
        [whole] = _parts(self._file.chunks(), self._columns, self._names, self.kind, self._turns)
        for start in range(0, len(whole.kept), rows):
            yield whole.kept[roles].iloc[start : start + rows]


def open_rows(
    path: str | os.PathLike[str],
    labels: Sequence[str],
    text_column: str | None = None,
    label_column: str | None = None,
    *,
    text_pair_column: str | None = None,
    read_labels: bool = True,
    reading: ReadOptions | None = None,
    kind: LabelKind | None = None,
    group_column: str | None = None,
    turns: Turns | None = None,
    fine_label_column: str | None = None,
    chunk_rows: int = CHUNK_ROWS,
) -> RowStream:
    """Reads a file through, chunk by chunk, and checks and counts its rows; labels may be missing.

    Columns that are not named are guessed by the rows that `find_columns` looks at, whatever the size of the chunks.

    Args:
        path: One file, compressed or not.
        labels: Label names in the order of their ids.
        text_column: As for `load_emotion_dataset`.
        label_column: As for `load_emotion_dataset`.
        text_pair_column: As for `load_emotion_dataset`.
        read_labels: As for `load_emotion_dataset`.
        reading: How the file is to be read, where that is not left to be found out.
        kind: What a row's label is; one class by default.
        group_column: The column of the conversations, where turns are wanted.
        turns: Which turns before a line are wanted with it, if any; see `data.turns`.
        fine_label_column: As for `load_emotion_dataset`, where `labels` are fine ones.
        chunk_rows: Rows of the file in memory at a time.

    Raises:
        DataError: As for `load_emotion_dataset`.
    """
    file = open_table(path, reading)
    first = next(file.chunks(GUESS_ROWS))
    kind = kind or OneLabel()
    wanted = Wanted(
        text_column,
        label_column,
        text_pair_column,
        None if turns is None else group_column,
        require_labels=False,
        read_labels=read_labels,
        several=kind.several,
        votes=kind.votes,
        labels=kind.called(labels),
        turns=turns,
        fine_label=fine_label_column,
    )
    columns = columns_of(first, wanted)
    gaps = gap_notes(first, columns, require_labels=False)
    names = label_names(join_tables([first], [columns]), labels, kind.names_in)
    counts = RowCounts(names, kind)
    said: tuple[Note, ...] = ()
    with progress(Wording("파일 읽기", "reading the file"), unit=ROWS) as advance:
        for part in _parts(file.chunks(None if turns else chunk_rows), columns, names, kind, turns):
            counts.add(part)
            said += part.notes
            advance(len(part.kept) + sum(part.dropped.values()))
    log_assumed(said)
    if names is not None:
        counts.tally.check(names)
        check_indicators(file.path, columns, kind, names)
    report = counts.report([file], [columns], [*file.notes, *gaps, *said])
    return RowStream(report, names if counts.labels.total() else None, file, columns, names, kind, turns)


def _parts(
    tables: Iterator[Table],
    columns: Columns,
    names: tuple[str, ...] | None,
    kind: LabelKind,
    turns: Turns | None = None,
) -> Iterator[Part]:
    rows_before = 0
    for table in tables:
        frame = join_tables([table], [columns])
        kind.prepare(frame)
        if "raw_coarse" in frame:
            tell_apart(frame, "error", names or ())
        frame["row"] += rows_before
        rows_before += len(frame)
        tally = LabelTally()
        clean_texts(frame)
        frame, said = add_turns(frame, turns)
        if names is not None:
            tally = kind.read(frame, names)
        kept, dropped = keep_rows(frame, require_labels=False)
        yield Part(kept, dropped, tally, said)
