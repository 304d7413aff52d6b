"""What was said before a line: which rows are one conversation, in which order, and the turns before each."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from ..errors import DataError
from ..utils.argument_checks import check_count
from ..wording import Doubt, Note
from .known_columns import once_named

if TYPE_CHECKING:
    import pandas as pd

    from .columns import Columns
    from .tables import Table

logger = logging.getLogger(__name__)

_KEMDY_ID = re.compile(r"(Sess\d+_(?:script|impro)\d+)_(?:User\d+)?[MF]_?(\d+)")
"""`Sess19_script02_M007` of KEMDy19, `Sess01_script01_User002M_001` of KEMDy20: the scene, and the line's number."""
_MARKED_NAMES = ("dialog#", "dialogue#", "dialog", "dialogue", "대화", "대화번호")
_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d*)?")
_LOOKED_AT = 1000
"""Rows whose cells tell what a column holds."""


@dataclass(frozen=True)
class Turns:
    """Which turns go with a line.

    Attributes:
        count: How many turns before a line, at most.
        order: The column that tells the order of the lines of a conversation; None leaves it to what the file shows.
        required: Whether a file that shows no conversations is an error; otherwise its lines have no turns before them.
    """

    count: int
    order: str | None = None
    required: bool = True

    def __post_init__(self) -> None:
        """Raises `KoBERTEmotionError` where `count` is no number of turns."""
        check_count("context", self.count)


def wanted_turns(context: int, order_column: str | None, text_pair_column: str | None) -> Turns | None:
    """Returns the turns that a caller wants before each line, None where he wants none.

    Raises:
        DataError: There is an order and nothing to order, or a second text where the turns would go.
        KoBERTEmotionError: `context` is no number of turns.
    """
    check_count("context", context, 0)
    if context and text_pair_column is not None:
        raise DataError(
            "`context`의 앞말이 둘째 글 자리에 들어가므로 `text_pair_column`과 함께 쓸 수 없습니다. 하나를 빼세요.",
            "The turns before a line (`context`) take the place of the second text: leave `text_pair_column` out.",
            mend={"text_pair_column": None},
        )
    if order_column is not None and not context:
        raise DataError(
            "`order_column`은 앞말(`context`)의 순서입니다. `context`도 주거나 빼세요.",
            "`order_column` orders the turns before a line: give `context` as well, or leave it out.",
            mend={"context": 2},
        )
    return Turns(context, order_column) if context else None


def with_conversations(table: Table, columns: Columns, turns: Turns) -> Columns:
    """Returns the columns of a table with that of the conversations, guessed where none is named.

    Raises:
        DataError: Conversations are required, and no column shows them.
    """
    columns = replace(columns, order=turns.order, unused=tuple(name for name in columns.unused if name != turns.order))
    if columns.group is not None:
        return columns
    found = _find_conversations(table, columns)
    if found is None:
        if not turns.required:
            note = Doubt(
                f"{table.path}: 어느 줄이 한 대화인지 보이지 않아 모든 줄을 앞말 없는 줄로 읽습니다. 대화가 적힌 열을 "
                "`group_column`으로 지정하세요.",
                f"{table.path}: nothing shows which lines are one conversation, and each is read as a line without "
                "turns before it. Name the column of the conversations with `group_column`.",
            )
            logger.warning("%s", note)
            return columns
        listed = ", ".join(name for name in table.frame.columns[:20] if name)
        raise DataError(
            f"{table.path}: `context`에는 어느 줄이 한 대화인지가 필요합니다. 대화가 적힌 열을 `group_column`으로 "
            f"지정하세요. 있는 열: {listed}.",
            f"{table.path}: `context` needs to know which lines are one conversation: name the column that tells with "
            f"`group_column`. Columns found: {listed}.",
            mend={"context": None, "order_column": None}
            if (likely := _likely(table, columns)) is None
            else {"group_column": likely},
        )
    unused = tuple(name for name in columns.unused if name != found)
    return replace(
        columns,
        group=found,
        id=None if columns.id == found else columns.id,
        guessed=(*columns.guessed, "group"),
        unused=unused,
    )


def add_turns(frame: pd.DataFrame, turns: Turns | None) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Puts the turns before each line into `text_pair`, and names each row's `conversation`.

    Every row with a text is a turn, with a label or without. The oldest turn stands first; a line without turns before
    it has the empty string. A conversation lies in one file.

    Args:
        frame: Rows with `text` and `reason` (see `cleaning.clean_texts`), `file`, and maybe `group` and `order`.
        turns: Which turns; None leaves the rows as they are.

    Returns:
        The rows, and what was assumed; see `log_assumed`.

    Raises:
        DataError: A row has no order.
    """
    import pandas as pd

    if turns is None:
        return frame, ()
    parts = [part.copy() for _, part in frame.groupby("file", sort=False)]
    notes = [note for part in parts for note in _add_turns(part, turns)]
    if len(parts) > 1:
        for part in parts:
            part["conversation"] = part["file"] + ": " + part["conversation"]
    return (pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]), tuple(notes)


def log_assumed(notes: Iterable[Note]) -> None:
    """Logs what was assumed."""
    for note in notes:
        logger.warning("%s", note)


def _add_turns(frame: pd.DataFrame, turns: Turns) -> list[Note]:
    """Does what `add_turns` does with the rows of one file, in place."""
    if "group" not in frame:
        frame["conversation"] = [f"row {row}" for row in frame["row"]]
        frame["text_pair"] = ""
        return []
    path = str(frame["file"].iloc[0])
    cells = [cell.strip() for cell in frame["group"].tolist()]
    told, notes = _read_conversations(frame, cells, path)
    order = _order_of(frame, path) or told.order
    if order is None:
        order = range(len(frame))
        notes.append(_file_order(path))
    elif isinstance(order[0], str):
        notes.append(_text_order(path, order))
    notes += _ties(path, told.names, order)
    lines = _lines(frame, told.names, order)
    before = _turns_before(frame["text"].tolist(), lines, turns.count)
    frame["conversation"], frame["text_pair"] = told.names, before
    if told.replaces:
        frame["group"] = told.names
    notes.append(_summary(path, len(lines), sum(map(bool, before)), len(frame), turns.count))
    return notes


class _Told(NamedTuple):
    """What a column says of conversations.

    Attributes:
        names: The conversation of each row.
        order: The place of each row in it, None where the column does not tell.
        replaces: Whether rows are grouped by the conversations instead of the column's own values.
    """

    names: list[str]
    order: Sequence[float] | None = None
    replaces: bool = False


def _read_conversations(frame: pd.DataFrame, cells: Sequence[str], path: str) -> tuple[_Told, list[Note]]:
    """Returns what the cells of a column say of conversations, and what was assumed."""
    numbers = _parsed(cells)
    if numbers is not None:
        scenes = [scene for scene, _ in numbers]
        is_order = len(set(numbers)) == len(numbers)
        return _Told(scenes, [number for _, number in numbers] if is_order else None), [_kemdy_note(path, scenes)]
    if _is_marked(cells):
        return _Told(_counted_from_marks(cells), replaces=True), [_marks_note(path, cells)]
    return _Told([cell or f"row {row}" for cell, row in zip(cells, frame["row"], strict=True)]), []


def _lines(frame: pd.DataFrame, names: Sequence[str], order: Sequence[float | str]) -> dict[str, list[int]]:
    """Returns the rows with a text of each conversation, in their order."""
    is_turn = (frame["reason"] == "").tolist()
    lines: dict[str, list[int]] = {}
    for row in sorted(range(len(frame)), key=lambda row: (order[row], row)):
        if is_turn[row]:
            lines.setdefault(names[row], []).append(row)
    return lines


def _turns_before(texts: Sequence[str], lines: Mapping[str, Sequence[int]], count: int) -> list[str]:
    """Returns the turns before each row, the oldest first, a blank between two."""
    clean, before = [" ".join(text.split()) for text in texts], [""] * len(texts)
    for rows in lines.values():
        for place, row in enumerate(rows):
            before[row] = " ".join(clean[earlier] for earlier in rows[max(place - count, 0) : place])
    return before


def _file_order(path: str) -> Note:
    return Note(
        f"{path}: 순서 열이 없어 파일에 있는 차례를 대화의 순서로 봅니다. 아니면 `order_column`으로 지정하세요.",
        f"{path}: the lines of a conversation are taken in the order of the file. `order_column` says otherwise.",
    )


def _text_order(path: str, order: Sequence[float | str]) -> Note:
    shown = next((cell for cell in order if not _NUMBER.fullmatch(str(cell))), "")
    return Doubt(
        f"{path}: 순서에 수가 아닌 값({shown!r})이 있어 글자의 차례로 봅니다.",
        f"{path}: the order is compared as text, for not all of it are numbers ({shown!r}).",
    )


def _ties(path: str, names: Sequence[str], order: Sequence[float | str]) -> list[Note]:
    """Returns a note where lines of a conversation have the same place in it."""
    same = len(names) - len(set(zip(names, order, strict=True)))
    if not same:
        return []
    return [
        Note(
            f"{path}: 한 대화 안에서 순서가 같은 줄이 {same:,}개 있어 파일의 차례대로 둡니다.",
            f"{path}: {same:,} line(s) have the order of another line of their conversation; they stand as in the "
            "file.",
        )
    ]


def _find_conversations(table: Table, columns: Columns) -> str | None:
    """Returns the column that shows conversations without being told: KEMDy's ids, or AI-Hub's mark at a beginning."""
    head = table.frame.head(_LOOKED_AT)
    single = once_named([*columns.unused, *filter(None, [columns.id])])
    for name in single:
        if _parsed([cell.strip() for cell in head[name].tolist()]) is not None:
            return name
    for name in single:
        if "".join(name.lower().split()) in _MARKED_NAMES and _is_marked([c.strip() for c in head[name].tolist()]):
            return name
    return None


def _likely(table: Table, columns: Columns) -> str | None:
    """Returns the column that most likely holds conversations: values that stand in several rows, in few runs."""
    size = len(table.frame)
    best = [name for name in once_named(columns.unused) if 1 < table.frame[name].nunique() <= size / 2]
    return best[0] if best else None


def _parsed(cells: Sequence[str]) -> list[tuple[str, float]] | None:
    """Returns scene and number of KEMDy's ids, None where cells are something else."""
    found = [_KEMDY_ID.fullmatch(cell) for cell in cells]
    if not found or not all(found):
        return None
    return [(match[1], float(match[2])) for match in found if match is not None]


def _is_marked(cells: Sequence[str]) -> bool:
    """Whether one and the same mark stands where conversations begin, with nothing between."""
    marks = {cell for cell in cells if cell}
    return len(marks) == 1 and bool(cells[0]) and "" in cells


def _counted_from_marks(cells: Sequence[str]) -> list[str]:
    begun, found = 0, []
    for cell in cells:
        begun += bool(cell)
        found.append(str(begun))
    return found


def _order_of(frame: pd.DataFrame, path: str) -> Sequence[float | str] | None:
    """Returns the cells of the order: as numbers where all are, else as text; None where there is no such column."""
    if "order" not in frame:
        return None
    cells = [cell.strip() for cell in frame["order"].tolist()]
    if "" in cells:
        missing = [row for row, cell in zip(frame["file_row"].tolist(), cells, strict=True) if not cell]
        raise DataError(
            f"{path}: 순서 열이 {len(missing):,}행에서 비어 있습니다(처음은 {missing[0]}행). 채우거나 다른 열을 "
            "`order_column`으로 지정하세요. 지정하지 않으면 파일의 순서입니다.",
            f"{path}: the order is empty in {len(missing):,} row(s), the first in row {missing[0]}. Fill it in, or "
            "name another column with `order_column`. Without it lines follow each other as in the file.",
            mend={"order_column": None},
        )
    if all(map(_NUMBER.fullmatch, cells)):
        return [float(cell.replace(",", "")) for cell in cells]
    return cells


def _kemdy_note(path: str, conversations: Sequence[str]) -> Note:
    count = len(set(conversations))
    return Note(
        f"{path}: KEMDy의 발화 번호에서 대화 {count:,}개({conversations[0]}, …)를 읽었습니다. 아니면 `group_column`과 "
        "`order_column`으로 지정하세요.",
        f"{path}: {count:,} conversation(s) ({conversations[0]}, …) were read from KEMDy's ids. `group_column` and "
        "`order_column` say otherwise.",
    )


def _marks_note(path: str, cells: Sequence[str]) -> Note:
    return Note(
        f"{path}: '{cells[0]}'이(가) 적힌 행에서 대화가 시작한다고 봅니다(대화 {sum(map(bool, cells)):,}개).",
        f"{path}: a conversation is taken to begin in each row with '{cells[0]}' ({sum(map(bool, cells)):,} of them).",
    )


def _summary(path: str, conversations: int, lines: int, rows: int, count: int) -> Note:
    return Note(
        f"{path}: 대화 {conversations:,}개, {rows:,}행 중 {lines:,}행 앞에 말이 있습니다(많아야 {count}마디).",
        f"{path}: {conversations:,} conversation(s); {lines:,} of {rows:,} row(s) have turns before them (at most "
        f"{count}).",
    )
