"""What reading a file had to put right or leave out: its encoding, decomposed Hangul, rows without text or label."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ..data import LoadReport
from ..tables import read_table
from .report import Example, Finding, Split, Wording, shortened
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
    examples = _Examples(report)
    return [
        _encoding(report, split),
        _decomposed(report, examples, split),
        *(_dropped(report, examples, split, *reason) for reason in _REASONS),
        _second_label(report, split),
    ]


def _encoding(report: LoadReport, split: Split) -> Finding:
    found = [encoding for encoding in report.encodings if encoding is not None]
    listed = ", ".join(dict.fromkeys(found)) or "-"
    guessed = [encoding for encoding in found if encoding not in (*_UNICODE, "cp949")]
    advice = None
    if guessed:
        advice = Wording(
            f"{', '.join(guessed)}(으)로 추정했습니다. 글이 깨져 보이면 --encoding으로 지정하세요.",
            f"{', '.join(guessed)} is a guess. If the text looks wrong, name the encoding with --encoding.",
        )
    elif "cp949" in found:
        advice = Wording(
            "바르게 읽었습니다. 이모지를 담지 못하는 인코딩이니 'CSV UTF-8'로 저장하는 편이 안전합니다.",
            "It is read correctly. CP949 cannot hold emoji: 'CSV UTF-8' is the safer format to save as.",
        )
    korean, english = ("".join(f"\n{note[language]}" for note in report.notes) for language in (0, 1))
    return Finding(
        "encoding",
        "ok" if advice is None and not report.notes else "notice",
        listed,
        Wording(
            f"{', '.join(report.files)}: {listed}, {report.rows_read:,}행 중 {report.rows_kept:,}행을 씁니다{korean}",
            f"{', '.join(report.files)}: {listed}, {report.rows_kept:,} of {report.rows_read:,} rows are used{english}",
        ),
        advice,
        details={
            "files": list(report.files),
            "rows_read": report.rows_read,
            "rows_kept": report.rows_kept,
            "notes": [list(note) for note in report.notes],
        },
        split=split,
    )


def _decomposed(report: LoadReport, examples: _Examples, split: Split) -> Finding:
    count = report.nfc_changed
    return Finding(
        "nfd_texts",
        "notice" if count else "ok",
        count,
        Wording(
            f"한글이 풀어쓰기(NFD)이거나 NFC가 아닌 글 {count:,}행",
            f"{count:,} text(s) in decomposed (NFD) or otherwise not composed Unicode",
        ),
        Wording(
            "NFC로 바꾸어 썼으니 고치지 않아도 됩니다. macOS에서 만든 파일에 흔합니다.",
            "They were composed (NFC) and nothing is left to do. Files made on macOS often have them.",
        )
        if count
        else None,
        examples.first(lambda text, _: _is_visible(text) and not unicodedata.is_normalized("NFC", text))
        if count
        else (),
        split=split,
    )


def _dropped(report: LoadReport, examples: _Examples, split: Split, check: str, reason: str, what: Wording) -> Finding:
    count = report.dropped.get(reason, 0)
    too_many = sum(report.dropped.values()) > PROBLEM_DROPPED * report.rows_read
    wanted: dict[str, Callable[[str, str | None], bool]] = {
        "empty_text": lambda text, _: not _is_visible(text),
        "lone_dot": lambda text, _: text.strip() == ".",
        "empty_label": lambda text, label: _is_visible(text) and label is not None and not label.strip(),
    }
    return Finding(
        check,
        ("problem" if too_many else "notice") if count else "ok",
        count,
        Wording(
            f"{what.korean} {count:,}개" + ("를 뺐습니다" if count else ""),
            f"{count:,} {what.english}" + (" left out" if count else ""),
        ),
        Wording(
            f"파일을 채우거나 그대로 두세요. {PROBLEM_DROPPED:.0%}를 넘으면 열을 잘못 지정했을 수 있습니다.",
            f"Fill them in or leave it so. Above {PROBLEM_DROPPED:.0%} the column may be the wrong one.",
        )
        if count
        else None,
        examples.first(wanted[reason]) if count else (),
        {"rows_read": report.rows_read},
        split,
    )


def _second_label(report: LoadReport, split: Split) -> Finding:
    count = report.label_conflicts
    return Finding(
        "label_columns_differ",
        "problem" if count > PROBLEM_DROPPED * report.rows_read else "notice" if count else "ok",
        count,
        Wording(
            f"두 레이블 열(예: Label과 Emotion)이 서로 다른 행 {count:,}개",
            f"{count:,} row(s) on which two label columns, such as Label and Emotion, differ",
        ),
        Wording(
            "--label-column으로 믿을 열을 지정하거나 파일을 고치세요.",
            "Name the column to trust with --label-column, or mend the file.",
        )
        if count
        else None,
        split=split,
    )


class _Examples:
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


def _is_visible(text: str) -> bool:
    return bool(text.strip().strip("\u200b\u200c\u200d\u2060\ufeff\u3164").strip())
