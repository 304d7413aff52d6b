"""What was read of table files and what was left out, and how that is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import DataError, Setting
from ..wording import Language, Note, Wording, titled
from .columns import Columns
from .label_map import map_to_write
from .label_reading import LabelReading, listed_counts
from .tables import ReadOptions

REASONS = {
    "empty_text": "빈 글",
    "lone_dot": "'.'뿐인 글",
    "excel_error": "글이 #NAME? 같은 엑셀 오류",
    "empty_label": "빈 레이블",
    "unknown_label": "모르는 레이블",
    "mapped_to_none": "레이블 표에서 뺀 값",
}
"""Why rows are left out, and how that is said in Korean; a row is counted under the first that holds."""


_LABELS = {False: ("레이블", "labels"), True: ("소분류", "fine labels")}
"""What labels are called: those of one level, and the fine ones of two."""


@dataclass(frozen=True)
class LoadReport:
    """What was read and what was left out.

    Attributes:
        files: The files in the order they were read.
        encodings: The encoding of each; None for Excel and Parquet.
        rows_read: Rows of data in the files, blank ones included save at the end of a file.
        rows_kept: Rows of the dataset.
        dropped: Rows left out by reason: "empty_text", "lone_dot" (the text is a single full stop), "excel_error" (it
            is "#NAME?" or the like), "empty_label", "unknown_label" (where these are no error), "mapped_to_none" (a
            label map says that the value is no label). A row is counted under the first that holds.
        nfc_changed: Rows kept whose text was not in Unicode's composed form NFC, as on macOS.
        label_counts: Rows kept by label name; empty without labels.
        label_conflicts: Rows on which the label column and a second one, such as `Emotion`, differ.
        columns: The columns used in each file.
        labels_read: What the label cells were taken for; None without labels.
        null_texts: Rows kept whose text is what programs write for a missing value ("nan", "NULL"), by the text.
        reading: How each file was read: what was prescribed, and what was found out.
        notes: What was assumed in reading, and what is in the files and was not read.
        levels: The fine labels under each coarse one, where there are two levels of labels.
    """

    files: tuple[str, ...]
    encodings: tuple[str | None, ...]
    rows_read: int
    rows_kept: int
    dropped: dict[str, int] = field(default_factory=dict)
    nfc_changed: int = 0
    label_counts: dict[str, int] = field(default_factory=dict)
    label_conflicts: int = 0
    columns: tuple[Columns, ...] = ()
    labels_read: LabelReading | None = None
    null_texts: dict[str, int] = field(default_factory=dict)
    reading: tuple[ReadOptions, ...] = ()
    notes: tuple[Note, ...] = ()
    levels: dict[str, list[str]] | None = None

    def coarse_counts(self) -> dict[str, int]:
        """Returns the rows kept by the name of their coarse label; empty where labels have one level."""
        return {
            name: sum(self.label_counts.get(each, 0) for each in fine) for name, fine in (self.levels or {}).items()
        }

    def doubts(self, language: Language = "both") -> str:
        """Returns which rows were left out, and what may be wrong; an empty string where nothing is."""
        lines = self._left_out(language) + ([] if self.labels_read is None else self.labels_read.doubts(language))
        return "\n".join([f"{', '.join(self.files)}:", *(f"  {line}" for line in lines)]) if lines else ""

    def summary(self, language: Language = "both") -> str:
        """Returns the report as a few lines in one language or in both."""
        files = ", ".join(
            f"{file} ({encoding})" if encoding else file
            for file, encoding in zip(self.files, self.encodings, strict=True)
        )
        shared = [
            *(("열", "columns", words) for words in dict.fromkeys(c.in_words(language) for c in self.columns)),
            ("글로 둔 값", "kept as texts", listed_counts(self.null_texts)),
            ("대분류", "coarse labels", listed_counts(self.coarse_counts())),
            (*_LABELS[bool(self.levels)], self._labels()),
        ]
        kept = titled(
            f"{self.rows_read:,}행 중 {self.rows_kept:,}행을 씁니다.",
            f"{self.rows_kept:,} of {self.rows_read:,} rows are used.",
            language,
        )
        lines = self._left_out(language)
        if self.nfc_changed:
            count = f"{self.nfc_changed:,}"
            lines.append(titled(f"NFC로 정규화한 글: {count}행", f"brought to NFC: {count}", language))
        lines += [f"{titled(korean, english, language)}: {what}" for korean, english, what in shared if what]
        lines += [] if self.labels_read is None else self.labels_read.lines(language)
        return "\n".join([f"{files}: {kept}", *(f"  {line}" for line in lines)])

    def _left_out(self, language: Language) -> list[str]:
        """Returns which rows were left out, and on which labels differ."""
        left_out = sum(self.dropped.values())
        found = [
            (
                left_out,
                f"제외 {left_out:,}행: {in_words(self.dropped, 'ko')}",
                f"{left_out:,} rows left out: {in_words(self.dropped, 'en')}",
            ),
            (
                self.label_conflicts,
                f"두 레이블 열이 서로 다른 행: {self.label_conflicts:,}행",
                f"rows whose two label columns differ: {self.label_conflicts:,}",
            ),
        ]
        return [titled(korean, english, language) for count, korean, english in found if count]

    def _labels(self) -> str:
        """Returns the rows of each label; of two levels, the fine ones under each coarse one."""
        if not self.levels:
            return listed_counts(self.label_counts)
        return "; ".join(
            f"{name}: {listed_counts({each: self.label_counts.get(each, 0) for each in fine})}"
            for name, fine in self.levels.items()
        )


def in_words(dropped: Mapping[str, int], language: Language) -> str:
    """Returns how many rows were left out for each reason."""
    names = {reason: Wording(korean, reason.replace("_", " ")) for reason, korean in REASONS.items()}
    return ", ".join(f"{names[reason].in_language(language)} {count:,}" for reason, count in dropped.items())


def nothing_left(report: LoadReport) -> DataError:
    """Returns the error of files none of whose rows can be used."""
    files = ", ".join(report.files)
    mend: dict[str, Setting] | None = None
    if report.dropped.get("unknown_label") and report.labels_read is not None:
        mend = map_to_write(report.labels_read.names) | {"train_file": report.files[0], "test_file": None}
    return DataError(
        f"{files}: {report.rows_read:,}행을 읽었지만 쓸 수 있는 행이 없습니다({in_words(report.dropped, 'ko')}). "
        "글과 레이블이 있는 열을 지정했는지 확인하세요.",
        f"{files}: none of the {report.rows_read:,} rows can be used ({in_words(report.dropped, 'en')}). "
        "Check that the text and label columns are the right ones.",
        mend=mend,
    )
