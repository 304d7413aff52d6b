"""Which row of a table holds the column names, what they are called, and whether they are names at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ...errors import DataError
from ...labels import fold_name
from ...wording import Note
from ..known_columns import EMOTION_NAMES, LABEL_NAMES, TEXT_NAMES, column_key
from .options import LayoutName, ReadOptions
from .table import TableFile, column_name, empty, no_rows

if TYPE_CHECKING:
    import pandas as pd

HEAD_ROWS = 20
"""How far down column names are looked for."""

Row = list[str]


class Header(NamedTuple):
    """Where the column names of a table stand.

    Attributes:
        row: The number of the first row that holds them, from 1; that of the first row of data without a header.
        height: Rows that hold them: 1, 2 in KEMDy's layout, 0 without a header.
        names: The columns' names.
        layout: The layout that it was recognized as.
    """

    row: int
    height: int
    names: list[str]
    layout: LayoutName | None = None


def is_blank(row: Sequence[str]) -> bool:
    """Tells whether every cell of a row is empty or white space."""
    return not any(cell.strip() for cell in row)


def is_known_name(cell: str) -> bool:
    """Whether a cell is a usual name of a column with texts or labels."""
    return _key(cell) in (*TEXT_NAMES, *LABEL_NAMES, *EMOTION_NAMES)


def _key(cell: str) -> str:
    return column_key(column_name(cell))


def find_header_row(head: Sequence[Row]) -> int:
    """Returns the number of the row with the column names, from 1, given the first rows of a table.

    It is the first that is not blank, unless that has no usual name of a column and a later one has one for the
    text: rows above that have fewer cells with content (a title, comments, a small table beside the data).
    """
    filled = [sum(map(bool, map(str.strip, row))) for row in head]
    first = next((number for number, count in enumerate(filled) if count), 0)
    if any(map(is_known_name, head[first])) or _is_kemdy(head[first : first + 2]):
        return first + 1
    for number in range(first + 1, len(head)):
        fewer = max(filled[first:number]) < filled[number]
        if any(_key(cell) in TEXT_NAMES for cell in head[number]) and (fewer or _are_comments(head[first:number])):
            return number + 1
    return first + 1


def _are_comments(rows: Sequence[Row]) -> bool:
    return all(row[0].lstrip().startswith("#") for row in rows if not is_blank(row))


def table_below(
    open_rows: Callable[[], Iterator[Row]],
    path: Path,
    encoding: str | None,
    options: ReadOptions,
    notes: Sequence[Note] = (),
) -> TableFile:
    """Takes the column names from where they stand, and what is below them as data.

    Args:
        open_rows: Gives all rows of the file, of equal width, as often as it is called.
        path: The file.
        encoding: As in `Table`.
        options: What is prescribed or was found.
        notes: What was assumed before.
    """
    head = list(islice(open_rows(), HEAD_ROWS + (options.header_row or 0)))
    header = _header(head, path, options)
    end = max((number for number, row in enumerate(open_rows(), start=1) if not is_blank(row)), default=0)
    start = header.row - 1 + header.height
    if end <= start:
        raise no_rows(path, header.names, maybe_data=not any(map(is_known_name, header.names)))

    def frames(size: int | None) -> Iterator[pd.DataFrame]:
        import pandas as pd

        rows = islice(open_rows(), start, end)
        while chunk := list(islice(rows, size)):
            yield pd.DataFrame(chunk, columns=header.names, dtype=str)

    found = options if options.no_header else options.with_found(header_row=header.row, layout=header.layout)
    return TableFile(path, encoding, start + 1, found, (*notes, *_notes(path, header, head, options)), frames)


def _header(head: Sequence[Row], path: Path, options: ReadOptions) -> Header:
    filled = [number for number, row in enumerate(head, start=1) if not is_blank(row)]
    if not filled and options.header_row is None:
        raise empty(path)
    if options.no_header:
        return Header(filled[0], 0, list(map(str, range(1, len(head[0]) + 1))))
    row = options.header_row or find_header_row(head)
    if row not in filled:
        raise DataError(
            f"{path}: {row}행에 열 이름이 있어야 하는데 비어 있습니다.",
            f"{path}: expected column names in row {row}, which is empty.",
            mend={"header_row": find_header_row(head) if filled else None},
        )
    pair = head[row - 1 : row + 1]
    if _is_kemdy(pair):
        return Header(row, 2, _kemdy_names(*pair), "kemdy")
    if options.layout == "kemdy":
        raise DataError(
            f"{path}: KEMDy의 두 줄 머리글('Segment ID', 'Total Evaluation' 아래 'Emotion')이어야 하는데 "
            f"{row}행은 {', '.join(pair[0])}입니다.",
            f"{path}: expected KEMDy's two header rows ('Segment ID', 'Total Evaluation' above 'Emotion'), found "
            f"{', '.join(pair[0])} in row {row}.",
            mend={"layout": None},
        )
    return Header(row, 1, list(map(column_name, pair[0])))


def _notes(path: Path, header: Header, head: Sequence[Row], options: ReadOptions) -> Iterator[Note]:
    if header.layout is not None and options.layout is None:
        yield Note(
            f"{path}: KEMDy의 두 줄 머리글로 읽었습니다(`layout` kemdy). 'Emotion'은 'Total Evaluation'의 것입니다.",
            f"{path}: read as KEMDy's two header rows (`layout` kemdy); 'Emotion' is that of 'Total Evaluation'.",
        )
    above = [" ".join(filter(str.strip, row)) for row in head[: header.row - 1] if not is_blank(row)]
    if above and options.header_row is None and not options.no_header:
        yield above_note(path, header.row, above)


def above_note(path: Path, row: int, above: Sequence[str]) -> Note:
    """Returns the note that column names were found in a row, below others that hold something."""
    cells = " ".join(above)
    shown = cells if len(cells) <= 60 else cells[:59] + "…"
    return Note(
        f"{path}: 열 이름을 {row}행에서 찾았고 그 위 {len(above)}행({shown})은 읽지 않습니다. 아니면 `header_row`로 "
        "지정하세요.",
        f"{path}: column names were found in row {row}; {len(above)} row(s) above ({shown}) are not read. "
        "`header_row` says otherwise.",
    )


def _is_kemdy(pair: Sequence[Row]) -> bool:
    if len(pair) < 2:
        return False
    above, below = ({fold_name(cell) for cell in row} for row in pair)
    return {"segment id", "total evaluation"} <= above and "emotion" in below


def _kemdy_names(above: Row, below: Row) -> Row:
    """Joins what stands above with what stands below it; the evaluation that counts goes without its heading."""
    names, heading = [], ""
    for upper, lower in zip(map(column_name, above), map(column_name, below), strict=True):
        heading = upper or heading
        without = fold_name(heading) == "total evaluation" and lower
        names.append(lower if without else " ".join(part for part in (heading, lower) if part))
    return names
