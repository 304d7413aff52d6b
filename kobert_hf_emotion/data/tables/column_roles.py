"""The columns of a table by their role, where its first row is no data, and cells in them that only look filled."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from ...errors import DataError
from ...wording import Doubt, Note
from ..column_finding import find_columns
from ..columns import Columns, Wanted
from ..turns import with_conversations
from .corpora import refuse_known_corpus
from .headerless import refuse_headerless
from .table import Gap, Table

logger = logging.getLogger(__name__)

_SHOWN = 60

_CAUSES = {
    "merged": (
        "병합된 칸의 값은 첫 칸에만 있습니다. Excel에서 병합을 풀고 칸마다 값을 채우세요.",
        "The value of merged cells is in the first of them alone. Unmerge them in Excel and fill in each cell.",
    ),
    "formula": (
        "수식의 값이 파일에 저장되어 있지 않습니다. Excel에서 열어 저장하거나 '값'으로 붙여 넣으세요.",
        "The file holds formulas without their values. Open and save it in Excel, or paste them as values.",
    ),
}


def columns_of(table: Table, wanted: Wanted) -> Columns:
    """Finds the columns of a table as `find_columns` does, after a look at whether its names are names.

    Raises:
        DataError: As for `find_columns`, and where the first row is data.
    """
    refuse_headerless(table, tuple(wanted.named.values()), wanted.require_labels)
    if wanted.text is None:
        refuse_known_corpus(table, wanted.require_labels)
        if table.options.no_header and table.frame.shape[1] == 1:
            wanted = replace(wanted, text=str(table.frame.columns[0]))
    columns = find_columns(table, wanted)
    _refuse_structures(table, {"text_column": columns.text, "text_pair_column": columns.text_pair})
    return columns if wanted.turns is None else with_conversations(table, columns, wanted.turns)


def _refuse_structures(table: Table, texts: Mapping[str, str | None]) -> None:
    """Raises `DataError` where a column of texts holds lists, objects or bytes: what is written of them is no text."""
    for argument, name in texts.items():
        for found in table.structures:
            if found.column == name:
                cell = found.cell[:_SHOWN]
                raise DataError(
                    f"{table.path}: {found.row}행 '{name}' 열에는 글이 아니라 {cell}이(가) 있습니다. 한 행에 글 하나가 "
                    f"되게 고치거나, 글이 다른 열에 있으면 `{argument}`으로 지정하세요.",
                    f"{table.path}: expected a text in row {found.row}, column '{name}', found {cell}. Write one text "
                    f"a row or, where another column holds the texts, name it with `{argument}`.",
                )


def gap_notes(table: Table, columns: Columns, require_labels: bool) -> tuple[Note, ...]:
    """Says which cells of the columns used are read as empty although Excel shows something there, and why.

    Raises:
        DataError: Nothing else is in a column that is needed.
    """
    needed = {columns.text, columns.label if require_labels else None}
    notes = []
    for gap in table.gaps:
        if gap.column not in {columns.text, columns.label, columns.text_pair, columns.group, columns.order}:
            continue
        note = _note(table, gap)
        if gap.column in needed and not table.frame[gap.column].str.strip().any():
            raise DataError(*note)
        logger.warning("%s", note)
        notes.append(note)
    return tuple(notes)


def _note(table: Table, gap: Gap) -> Note:
    places = ", ".join(gap.places) + (", …" if gap.cells > len(gap.places) else "")
    korean, english = _CAUSES[gap.cause]
    return Doubt(
        f"{table.path}: '{gap.column}' 열의 {gap.cells:,}칸({places})이 비어 있습니다. {korean}",
        f"{table.path}: {gap.cells:,} cell(s) of column '{gap.column}' ({places}) are empty. {english}",
    )
