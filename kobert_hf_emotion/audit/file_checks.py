"""What reading a file had to put right or leave out: its encoding, decomposed Hangul, rows without text or label."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ..data.cleaning import text_fault
from ..data.label_parsing import is_empty_label
from ..data.label_reading import arrows, listed_counts
from ..data.report import LoadReport
from ..data.tables import read_table
from ..wording import Wording
from .report import Example, Finding, Split, counted, shortened
from .thresholds import PROBLEM_DROPPED

if TYPE_CHECKING:
    import pandas as pd

_EXAMPLES = 3
_UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")

_REASONS = (
    ("empty_texts", "empty_text", Wording("글이 빈 행", "row(s) without text")),
    ("lone_dots", "lone_dot", Wording("글이 '.'뿐인 행", "row(s) with a full stop for a text")),
    ("empty_labels", "empty_label", Wording("레이블이 빈 행", "row(s) without a label")),
)


def check_files(report: LoadReport, split: Split = "train") -> list[Finding]:
    """Turns the counts of a `LoadReport` into findings.

    A file with rows to show is read a second time for them; the dataset no longer has them.
    """
    examples = FileExamples(report)
    return [
        _encoding(report, split),
        _decomposed(report, examples, split),
        *(dropped_rows(report, examples, split, *reason) for reason in _REASONS),
        _second_label(report, split),
    ]


def _advice_on(encodings: Sequence[str]) -> Wording | None:
    """Returns what to do about encodings other than Unicode's."""
    guessed = [encoding for encoding in encodings if encoding not in (*_UNICODE, "cp949")]
    if guessed:
        return Wording(
            f"{', '.join(guessed)}(으)로 추정했습니다. 글이 깨져 보이면 --encoding으로 지정하세요.",
            f"{', '.join(guessed)} is a guess. If the text looks wrong, name the encoding with --encoding.",
        )
    if "cp949" in encodings:
        return Wording(
            "바르게 읽었습니다. 이모지를 담지 못하는 인코딩이니 'CSV UTF-8'로 저장하는 편이 안전합니다.",
            "It is read correctly. CP949 cannot hold emoji: 'CSV UTF-8' is the safer format to save as.",
        )
    return None


def _encoding(report: LoadReport, split: Split) -> Finding:
    found = [encoding for encoding in report.encodings if encoding is not None]
    listed = ", ".join(dict.fromkeys(found)) or "-"
    advice = _advice_on(found)
    korean, english = ("".join(f"\n{note[language]}" for note in report.notes) for language in (0, 1))
    return Finding(
        check="encoding",
        status="ok" if advice is None and not report.notes else "notice",
        value=listed,
        found=Wording(
            f"{', '.join(report.files)}: {listed}, {report.rows_read:,}행 중 {report.rows_kept:,}행을 씁니다{korean}",
            f"{', '.join(report.files)}: {listed}, {report.rows_kept:,} of {report.rows_read:,} rows are used{english}",
        ),
        advice=advice,
        details={
            "files": list(report.files),
            "rows_read": report.rows_read,
            "rows_kept": report.rows_kept,
            "notes": [list(note) for note in report.notes],
        },
        split=split,
    )


def _decomposed(report: LoadReport, examples: FileExamples, split: Split) -> Finding:
    count = report.nfc_changed
    return counted(
        "nfd_texts",
        count,
        Wording(
            f"한글이 풀어쓰기(NFD)이거나 NFC가 아닌 글 {count:,}행",
            f"{count:,} text(s) in decomposed (NFD) or otherwise not composed Unicode",
        ),
        Wording(
            "NFC로 바꾸어 썼으니 고치지 않아도 됩니다. macOS에서 만든 파일에 흔합니다.",
            "They were composed (NFC) and nothing is left to do. Files made on macOS often have them.",
        ),
        examples=examples.first(lambda text, _: not text_fault(text) and not unicodedata.is_normalized("NFC", text))
        if count
        else (),
        split=split,
    )


def dropped_rows(
    report: LoadReport, examples: FileExamples, split: Split, check: str, reason: str, what: Wording
) -> Finding:
    """Returns the finding of the rows that were left out for a reason."""
    count = report.dropped.get(reason, 0)
    details: dict[str, object] = {"rows_read": report.rows_read}
    held: str = ""
    if reason == "empty_label" and report.labels_read is not None:
        details["cells"] = report.labels_read.empty
        if marks := {cell: rows for cell, rows in report.labels_read.empty.items() if cell}:
            held = f" ({listed_counts(marks)})"

    def wanted(text: str, label: str | None) -> bool:
        if reason != "empty_label":
            return text_fault(text) == reason
        return not text_fault(text) and label is not None and is_empty_label(label)

    return counted(
        check,
        count,
        Wording(
            f"{what.korean} {count:,}개{held}" + ("를 뺐습니다" if count else ""),
            f"{count:,} {what.english}{held}" + (" left out" if count else ""),
        ),
        Wording(
            f"파일을 채우거나 그대로 두세요. {PROBLEM_DROPPED:.0%}를 넘으면 열을 잘못 지정했을 수 있습니다.",
            f"Fill them in or leave it so. Above {PROBLEM_DROPPED:.0%} the column may be the wrong one.",
        ),
        is_problem=sum(report.dropped.values()) > PROBLEM_DROPPED * report.rows_read,
        examples=examples.first(wanted) if count else (),
        details=details,
        split=split,
    )


def _second_label(report: LoadReport, split: Split) -> Finding:
    count = report.label_conflicts
    return counted(
        "label_columns_differ",
        count,
        Wording(
            f"두 레이블 열(예: Label과 Emotion)이 서로 다른 행 {count:,}개{_differences(report)}",
            f"{count:,} row(s) on which two label columns, such as Label and Emotion, differ{_differences(report)}",
        ),
        Wording(
            "--label-column으로 믿을 열을 지정하거나 파일을 고치세요.",
            "Name the column to trust with --label-column, or mend the file.",
        ),
        is_problem=count > PROBLEM_DROPPED * report.rows_read,
        split=split,
    )


def _differences(report: LoadReport) -> str:
    second = report.labels_read.second if report.labels_read is not None else {}
    return f": {arrows(second, forward=True)}" if second and report.label_conflicts else ""


class FileExamples:
    """The raw rows of the files, read when the first example is asked for."""

    def __init__(self, report: LoadReport) -> None:
        self._report = report
        self._tables: list[tuple[pd.DataFrame, str, str | None]] | None = None

    def first(self, wanted: Callable[[str, str | None], bool]) -> tuple[Example, ...]:
        """Returns the first rows whose raw text and label `wanted` accepts."""
        rows = (
            (number, text, label)
            for frame, text_name, label_name in self._read()
            for number, (text, label) in enumerate(_cells(frame, text_name, label_name), start=1)
        )
        found = ((number, text) for number, text, label in rows if wanted(text, label))
        return tuple(
            Example(number, shortened(unicodedata.normalize("NFC", text)))
            for number, text in itertools.islice(found, _EXAMPLES)
        )

    def _read(self) -> list[tuple[pd.DataFrame, str, str | None]]:
        if self._tables is None:
            report = self._report
            files = zip(report.files, report.reading, report.columns, strict=True)
            self._tables = [
                (read_table(file, reading).frame, names.text, names.label) for file, reading, names in files
            ]
        return self._tables


def _cells(frame: pd.DataFrame, text: str, label: str | None) -> Iterator[tuple[str, str | None]]:
    labels = itertools.repeat(None) if label is None else frame[label].tolist()
    return zip(frame[text].tolist(), labels, strict=False)
