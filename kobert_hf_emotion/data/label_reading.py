"""What the cells of a label column were taken for, so that it can be said: nothing is assumed without a word."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..labels import clean_name
from ..wording import Language, titled
from .vote_tally import VoteTally

_SHOWN = 24
_MOST_MAPPED = 100
_WAYS = {
    "one": ("하나뿐", "a single label"),
    "list": ("목록", "a list in brackets"),
    "none": ("빈 목록: 레이블 없음", "an empty list: none"),
}
_NONE = ("레이블이 없는 행으로 봄", "taken for rows with none of the labels")
_UNLABELLED = (
    "아무도 레이블을 붙이지 않은 행으로 봄; 레이블이 없다는 뜻이면 `allow_empty`",
    "taken for rows that nobody labelled; where it means none of them: `allow_empty`",
)


@dataclass(frozen=True)
class LabelReading:
    """How the label cells of the rows with a text were read.

    Attributes:
        names: The names of the labels, in the order of their ids.
        numbers: Rows by the number in the cell, where it was read as the id of a label.
        spellings: By label, rows by how its name is written, where that is not as in `names`.
        ids_beside: By label, rows by the id that stands beside its name ("슬픔(0)") and was not looked at.
        empty: Rows without a label by what the cell holds: "" for nothing, or such as "nan" and "#N/A".
        absent: The labels that no row has.
        second: By label, rows by what a second label column holds, where that is another label or none that is known.
        second_alone: Rows without a label for which the second column has one.
        confirmed: Rows with a number for which the second column names the label that it was read as.
        splits: Of rows that may have several labels: rows by what divides their cell. All that is said of rows above is
            then said of each label of a row.
        labels_given: All labels of these rows together.
        blanks: Of tables with a column for each label: empty cells in rows that have others, taken for 0.
        empty_is_none: Whether empty cells were taken for rows with none of the labels.
        map_source: The map that settles what cells mean; None where there is none.
        mapped: By label ("" for none), rows by what stands in the cell and means it by that map.
        unknown: Rows by the unknown label in their cell, where these are left out.
        votes: Of votes what they are.
    """

    names: tuple[str, ...]
    numbers: dict[str, int] = field(default_factory=dict)
    spellings: dict[str, dict[str, int]] = field(default_factory=dict)
    ids_beside: dict[str, dict[str, int]] = field(default_factory=dict)
    empty: dict[str, int] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    second: dict[str, dict[str, int]] = field(default_factory=dict)
    second_alone: int = 0
    confirmed: int = 0
    splits: dict[str, int] = field(default_factory=dict)
    labels_given: int = 0
    blanks: int = 0
    empty_is_none: bool = False
    map_source: str | None = None
    mapped: dict[str, dict[str, int]] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    votes: VoteTally = field(default_factory=VoteTally)

    @property
    def doubtful(self) -> bool:
        """Whether the numbers may be those of another scheme.

        They are read as ids and leave labels without a row, and no second column of names bears most of them out.
        """
        return bool(self.absent) and 2 * self.confirmed < sum(self.numbers.values())

    @property
    def joined(self) -> int:
        """Rows whose label is written otherwise than its name."""
        return sum(sum(found.values()) for part in (self.spellings, self.ids_beside) for found in part.values())

    def lines(self, language: Language = "both") -> list[str]:
        """Returns what was assumed as lines in one language or in both; none where every cell is a label's name."""
        marks = {cell: rows for cell, rows in self.empty.items() if cell}
        numbers = self.numbers_as_read() if self.numbers and not self.doubtful else ""
        found = [
            ("숫자 레이블", "numbers read as", numbers),
            ("이름으로 읽은 표기", "spellings read as", arrows(self.spellings)),
            ("이름 옆의 번호는 보지 않음", "ids beside names, not used", arrows(self.ids_beside)),
            ("빈 레이블로 본 값", "taken as empty", listed_counts(marks)),
            (
                "레이블이 비었는데 둘째 레이블 열에는 값이 있는 행",
                "label empty, second column is not",
                f"{self.second_alone:,}" if self.second_alone else "",
            ),
            ("둘째 레이블 열의 다른 값", "second column differs", arrows(self.second, forward=True)),
        ]
        of_task = self._several_lines(language) if self.splits else self.votes.lines(language)
        lines = self._map_lines(language) + of_task
        lines += self.doubts(language)
        return lines + [f"{titled(korean, english, language)}: {values}" for korean, english, values in found if values]

    def doubts(self, language: Language = "both") -> list[str]:
        """Returns why numbers may not mean what they were taken for; nothing where there is no reason to think so."""
        if not self.doubtful:
            return []
        korean, english = self.doubt()
        both = (("ko", f"주의: {korean} 그렇다면 {MENDS[0]}"), ("en", f"Mind: {english} Then {MENDS[1]}"))
        return [line for shown, line in both if language in (shown, "both")]

    def _map_lines(self, language: Language) -> list[str]:
        """Returns what a map made of the cells, and the values that are no label."""
        lines = [] if self.map_source is None else [self._mapped_line(language)]
        if self.unknown:
            more = ", …" if len(self.unknown) > _SHOWN else ""
            shown = listed_counts(dict(list(self.unknown.items())[:_SHOWN])) + more
            title = titled("모르는 레이블(`unknown_label` drop)", "unknown labels (`unknown_label` drop)", language)
            lines.append(f"{title}: {shown}")
        return lines

    def _mapped_line(self, language: Language) -> str:
        """Returns what a map made of the cells; those that it leaves as they are, in one number."""
        left_out = (
            ("없음, 그 표는 뺌", "none, votes left out")
            if self.votes.ways
            else ("없음, 그 행은 뺌", "none, rows left out")
        )
        none = titled(*left_out, language)
        same = sum(cells.get(label, 0) for label, cells in self.mapped.items())
        changed = {label or none: dict(cells) for label, cells in self.mapped.items()}
        for label, cells in changed.items():
            cells.pop(label, None)
        parts = [
            arrows(changed, most=_MOST_MAPPED),
            f"{titled('그대로', 'as it is', language)} {same:,}" if same else "",
        ]
        title = titled(f"레이블 표 {self.map_source}", f"label map {self.map_source}", language)
        return f"{title}: {', '.join(filter(None, parts)) or '-'}"

    def _several_lines(self, language: Language) -> list[str]:
        """Returns what cells with several labels were taken for, and what an empty one means."""
        labelled = sum(rows for how, rows in self.splits.items() if how != "empty")
        ways = ", ".join(
            f"{titled(*_WAYS[how], language) if how in _WAYS else repr(how)} {rows:,}"
            for how, rows in self.splits.items()
            if how != "empty"
        )
        mean = self.labels_given / labelled if labelled else 0.0
        lines = [
            f"{titled('여러 레이블', 'several labels a row', language)}: {titled('행마다 평균', 'mean', language)} "
            f"{mean:.2f}; {titled('나눈 방법', 'divided by', language)}: {ways}"
        ]
        if self.blanks:
            lines.append(f"{titled('0으로 본 빈 칸', 'empty cells taken for 0', language)}: {self.blanks:,}")
        if empty := self.splits.get("empty", 0):
            meaning = _NONE if self.empty_is_none else _UNLABELLED
            lines.append(f"{titled('빈 레이블 칸', 'empty cells', language)} {empty:,}: {titled(*meaning, language)}")
        return lines

    def numbers_as_read(self) -> str:
        """Returns each number with the label that it was read as and its rows."""
        return ", ".join(f"{number} → {self.names[int(number)]} {rows:,}" for number, rows in self.numbers.items())

    def doubt(self) -> tuple[str, str]:
        """Returns what makes the numbers doubtful, in Korean and English."""
        absent = ", ".join(self.absent[:_SHOWN]) + (", …" if len(self.absent) > _SHOWN else "")
        other = ("1부터 센 번호이거나 ", "count from 1 or ") if "0" not in self.numbers else ("", "")
        return (
            f"숫자를 번호 순서의 레이블로 읽었습니다: {self.numbers_as_read()} (행). 행이 없는 레이블: {absent}. "
            f"{other[0]}다른 레이블 체계의 번호라면 틀린 뜻입니다.",
            f"The numbers are read as the ids of labels: {self.numbers_as_read()} (rows). No row is left for {absent}. "
            f"If they {other[1]}belong to another set of labels, this is wrong.",
        )


MENDS = (
    "칸에 번호 대신 이름을 쓰거나, 학습할 데이터라면 `labels`에 번호 순서의 이름들을(값 그대로면 auto를) 주세요.",
    "write names in place of the numbers or, for rows to train on, pass the names in the order of the numbers as "
    "`labels` (auto takes the values as they are).",
)
"""What to do about numbers of another scheme; what a finished model calls its labels cannot be chosen any more."""


def arrows(spellings: Mapping[str, Mapping[str, int]], forward: bool = False, most: int = _SHOWN) -> str:
    """Returns spellings with the label that they were read as, `most` of them; with `forward` the label is first."""
    parts = [
        (f"{name} ↔ {cell} {rows:,}" if forward else f"{cell} → {name} {rows:,}")
        for name, cells in spellings.items()
        for cell, rows in cells.items()
    ]
    return ", ".join(parts[:most]) + (f", … (+{len(parts) - most})" if len(parts) > most else "")


def listed_counts(cells: Mapping[str, int]) -> str:
    """Returns values with their counts."""
    return ", ".join(f"{cell} {rows:,}" for cell, rows in cells.items())


def as_written(cell: str) -> str:
    r"""Returns a cell with what is invisible in it made visible.

    >>> as_written(" 행복\u200b"), as_written(unicodedata.normalize("NFD", "행복"))
    ('행복\\u200b', '행복 (NFD)')
    """
    composed = unicodedata.normalize("NFC", cell.strip(" "))
    shown = "".join(char if char == " " or clean_name(char) == char else _escaped(char) for char in composed)
    return shown if composed == cell.strip(" ") else f"{shown} (NFD)"


def _escaped(char: str) -> str:
    clean = clean_name(char)
    return char if clean else char.encode("unicode_escape").decode()


def sort_counts(cells: Mapping[str, int]) -> dict[str, int]:
    """Returns counts with the most frequent first, equal ones by name, whatever the order of the rows."""
    return dict(sorted(cells.items(), key=lambda item: (-item[1], item[0])))


def by_label(names: Sequence[str], counts: Mapping[tuple[int, str], int]) -> dict[str, dict[str, int]]:
    """Returns counts of (id, cell) by the label's name, in the order of the ids."""
    found: dict[str, dict[str, int]] = {}
    for index, name in enumerate(names):
        cells = {cell: rows for (label, cell), rows in counts.items() if label == index}
        if cells:
            found[name] = sort_counts(cells)
    return found
