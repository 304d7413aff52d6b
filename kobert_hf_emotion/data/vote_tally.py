"""What the votes of a table's rows were taken for, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from typing_extensions import Self

from ..wording import Language, titled
from .distributions import TIE
from .several_labels import EMPTY
from .vote_cells import ANNOTATORS, COLUMNS
from .votes import NAMES, NUMBERS, OBJECT

_WAYS = {
    COLUMNS: ("레이블마다 한 열", "a column for each label"),
    ANNOTATORS: ("평가자마다 한 열", "a column for each annotator"),
    OBJECT: ('한 칸에 {"레이블": 표}', 'one cell, {"label": votes}'),
    NUMBERS: ("한 칸에 번호 순서의 목록", "one cell, a list in the order of the ids"),
    NAMES: ("한 칸에 이름(하나에 한 표)", "one cell, names, one vote each"),
}
COUNTS, SHARES, PERCENT = "counts", "shares", "percent"
_UNITS = {
    COUNTS: ("표의 수", "counts"),
    SHARES: ("몫", "shares"),
    PERCENT: ("백분율로 보이는 몫(행마다 합이 100)", "shares in percent, as it seems: each row adds up to 100"),
}


@dataclass
class VoteTally:
    """What the votes of rows with a text are, in numbers.

    Attributes:
        ways: Rows by how their votes are written; `EMPTY` of those without any.
        totals: Rows by the sum of their votes, rounded.
        whole: Rows with whole numbers alone.
        tied: Rows on which several labels have most votes.
        blanks: Empty cells of columns for each label in rows that have others.
    """

    ways: dict[str, int] = field(default_factory=dict)
    totals: dict[float, int] = field(default_factory=dict)
    whole: int = 0
    tied: int = 0
    blanks: int = 0

    def __iadd__(self, later: VoteTally) -> Self:
        """Adds what was gathered from the rows that follow."""
        self.ways = dict(Counter(self.ways) + Counter(later.ways))
        self.totals = dict(Counter(self.totals) + Counter(later.totals))
        self.whole += later.whole
        self.tied += later.tied
        self.blanks += later.blanks
        return self

    def add(self, votes: Mapping[int, float], how: str, rows: int) -> None:
        """Adds rows with the same votes."""
        self.ways[how] = self.ways.get(how, 0) + rows
        if votes:
            total = round(sum(votes.values()), 6)
            self.totals[total] = self.totals.get(total, 0) + rows
            self.whole += rows * all(float(count).is_integer() for count in votes.values())
            most = max(votes.values())
            self.tied += rows * (sum(count >= most - TIE * total for count in votes.values()) > 1)

    def lines(self, language: Language = "both") -> list[str]:
        """Returns what votes were taken for as lines in one language or in both."""
        rows = sum(self.totals.values())
        if not rows:
            return []
        ways = ", ".join(
            f"{titled(*_WAYS[how], language)} {count:,}" for how, count in self.ways.items() if how != EMPTY
        )
        unit = unit_of(self.totals, self.whole == rows)
        lines = [f"{titled('표', 'votes', language)}: {ways}; {titled(*_UNITS[unit], language)}"]
        if unit == COUNTS:
            low, high = min(self.totals), max(self.totals)
            lines[0] += f", {titled('행마다', 'a row', language)} {low:g}" + (f"–{high:g}" if high > low else "")
        lines.append(
            f"{titled('표가 같은 행(동률)', 'rows with a tie', language)}: {self.tied:,}; "
            + titled(
                "그중 어느 레이블로 답해도 맞은 것으로, 겹은 번호가 앞선 것으로 셈",
                "any of the tied labels counts as right, and as the first of them for the folds",
                language,
            )
        )
        if self.blanks:
            lines.append(f"{titled('0으로 본 빈 칸', 'empty cells taken for 0', language)}: {self.blanks:,}")
        if empty := self.ways.get(EMPTY, 0):
            lines.append(f"{titled('표가 없는 행', 'rows without a vote', language)}: {empty:,}")
        return lines


def unit_of(totals: Mapping[float, int], are_whole: bool) -> str:
    """Returns whether votes are counted or shared out, by their sums in the rows and whether all are whole numbers.

    Example:
        >>> unit_of({10.0: 3, 9.0: 1}, True), unit_of({1.0: 4}, False), unit_of({100.0: 4}, True)
        ('counts', 'shares', 'percent')
    """
    if are_whole:
        return PERCENT if set(totals) == {100.0} else COUNTS
    return SHARES
