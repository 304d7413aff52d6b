"""How a table file is to be read, where what is found out should not decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from typing_extensions import Self

from ...errors import DataError

LayoutName: TypeAlias = Literal["kemdy"]
LAYOUTS: tuple[LayoutName, ...] = ("kemdy",)
DELIMITERS = {"comma": ",", "tab": "\t", "semicolon": ";", "pipe": "|", "line": "\n"}


@dataclass(frozen=True)
class ReadOptions:
    """What is prescribed about a table file; None leaves it to what the file shows, which is then said.

    Attributes:
        encoding: Encoding of a text file.
        sheet: Name or 0-based position of the sheet of an Excel file.
        delimiter: What stands between the cells of a text file: a character, or comma, tab, semicolon, pipe, or
            line where every line is one text.
        quoted: Whether quotation marks enclose cells in a text file.
        no_header: Whether the first row is data already. The columns are then called "1", "2", ….
        header_row: Number of the row with the column names, from 1; what is above it is not read.
        layout: "kemdy" for the two header rows of KEMDy's annotations.
        has_cells: Whether it is known that rows have several cells, so that no line can be a text by itself.
    """

    encoding: str | None = None
    sheet: str | int | None = None
    delimiter: str | None = None
    quoted: bool | None = None
    no_header: bool = False
    header_row: int | None = None
    layout: LayoutName | None = None
    has_cells: bool = False

    def __post_init__(self) -> None:
        """Raises `DataError` for values that mean nothing."""
        if self.delimiter is not None and len(self.delimiter) != 1 and self.delimiter not in DELIMITERS:
            raise DataError(
                f"`delimiter`는 글자 하나이거나 {', '.join(DELIMITERS)} 중 하나여야 하는데 {self.delimiter!r}입니다.",
                f"Expected one character or one of {', '.join(DELIMITERS)} as `delimiter`, found {self.delimiter!r}.",
                mend={"delimiter": None},
            )
        if self.layout is not None and self.layout not in LAYOUTS:
            raise DataError(
                f"`layout`은 {', '.join(LAYOUTS)} 중 하나여야 하는데 {self.layout!r}입니다.",
                f"Expected one of {', '.join(LAYOUTS)} as `layout`, found {self.layout!r}.",
                mend={"layout": None},
            )
        if self.header_row is not None and (isinstance(self.header_row, bool) or self.header_row < 1):
            raise DataError(
                f"`header_row`는 1부터 세는 행 번호여야 하는데 {self.header_row}입니다.",
                f"Expected the number of a row, from 1, as `header_row`, found {self.header_row}.",
                mend={"header_row": None},
            )
        if self.no_header and (self.header_row is not None or self.layout is not None):
            raise DataError(
                "`no_header`는 열 이름 행이 없다는 뜻이므로 `header_row`나 `layout`과 함께 쓸 수 없습니다.",
                "`no_header` says that there is no row of column names: leave `header_row` and `layout` out.",
                mend={"header_row": None, "layout": None},
            )

    @property
    def separator(self) -> str | None:
        """The character that `delimiter` stands for."""
        return None if self.delimiter is None else DELIMITERS.get(self.delimiter, self.delimiter)

    def with_found(self, **found: Any) -> Self:
        """Returns the options with what a file showed put in."""
        return replace(self, **found)
