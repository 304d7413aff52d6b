"""What reading a file took for granted: which columns, what numbers mean, which spellings are one label."""

from __future__ import annotations

from ..data.label_reading import LabelReading, arrows, listed_counts
from ..data.report import LoadReport
from ..wording import Wording
from .file_checks import FileExamples, dropped_rows
from .report import Finding, Split, counted


def check_reading(report: LoadReport, split: Split = "train", train: LoadReport | None = None) -> list[Finding]:
    """Turns what a `LoadReport` says of columns and labels into findings.

    Args:
        report: What was read.
        split: The file it is about.
        train: For a test file what was read of the training file: where that has a row for every number, a number
            that is missing here casts no doubt on the others.
    """
    findings = [
        _columns(report, split),
        dropped_rows(
            report,
            FileExamples(report),
            split,
            "excel_errors",
            "excel_error",
            Wording("글이 엑셀 오류(#NAME? 등)인 행", "row(s) with an error of Excel (such as #NAME?) for a text"),
        ),
        _null_texts(report, split),
    ]
    if report.labels_read is not None:
        known = None if train is None else train.labels_read
        findings += [_numbers(report.labels_read, known, split), _spellings(report.labels_read, split)]
        if any(columns.other_label is not None for columns in report.columns):
            findings.append(_second_alone(report.labels_read, split))
    return findings


def _columns(report: LoadReport, split: Split) -> Finding:
    korean, english = (
        " / ".join(dict.fromkeys(columns.in_words(language) for columns in report.columns))
        for language in ("both", "en")
    )
    rivals = [name for columns in report.columns for names in columns.rivals.values() for name in names]
    return Finding(
        check="columns",
        status="notice" if rivals else "ok",
        value=", ".join(dict.fromkeys(filter(None, (c for r in report.columns for c in (r.text, r.label))))),
        found=Wording(korean, english),
        advice=Wording(
            "--text-column과 --label-column으로 쓸 열을 지정하면 추측하지 않습니다.",
            "Name the columns with --text-column and --label-column, and nothing is guessed.",
        )
        if rivals
        else None,
        details={"rivals": rivals},
        split=split,
    )


def _null_texts(report: LoadReport, split: Split) -> Finding:
    count = sum(report.null_texts.values())
    shown = f": {listed_counts(report.null_texts)}" if count else ""
    return counted(
        "null_texts",
        count,
        Wording(
            f"글이 빈 값의 표시인 행 {count:,}개{shown}", f"{count:,} text(s) are a mark of a missing value{shown}"
        ),
        Wording(
            "글로 두었습니다. 빈 값이면 그 칸을 비우세요.",
            "They were kept as texts. Where a text is missing, leave its cell empty.",
        ),
        split=split,
    )


def _numbers(reading: LabelReading, train: LabelReading | None, split: Split) -> Finding:
    count = len(reading.absent) if reading.doubtful else 0
    same_scheme = train is not None and bool(train.numbers) and not train.doubtful
    korean, english = reading.doubt()
    read = f": {reading.numbers_as_read()}" if reading.numbers else ""
    found = Wording(f"번호로 읽은 숫자 레이블{read or ' 없음'}", f"numbers read as ids of labels{read or ': none'}")
    return counted(
        "label_numbers",
        count,
        Wording(korean, english) if count else found,
        Wording(
            "이렇게 읽은 뜻이 맞는지 보고, 아니면 --labels auto나 --labels 이름,이름…으로 번호의 뜻을 정하세요.",
            "Look whether this is what the numbers mean; if not, say it with --labels auto or --labels NAME,NAME….",
        ),
        is_problem=not same_scheme,
        details={"numbers": reading.numbers, "absent": list(reading.absent)},
        split=split,
    )


def _spellings(reading: LabelReading, split: Split) -> Finding:
    parts = [arrows(part) for part in (reading.spellings, reading.ids_beside) if part]
    shown = f": {'; '.join(parts)}" if parts else ""
    return counted(
        "label_spellings",
        reading.joined,
        Wording(
            f"레이블 이름과 다르게 적힌 행 {reading.joined:,}개{shown}",
            f"{reading.joined:,} row(s) whose label is written otherwise than its name{shown}",
        ),
        Wording(
            "→ 뒤의 레이블로 합쳐 읽었습니다. 이름 옆의 번호는 보지 않습니다. 뜻이 다르면 파일을 고치세요.",
            "They were read as what stands behind the arrow, without looking at ids beside names. Where that is not "
            "meant, change the file.",
        ),
        details={"spellings": reading.spellings, "ids_beside": reading.ids_beside},
        split=split,
    )


def _second_alone(reading: LabelReading, split: Split) -> Finding:
    count = reading.second_alone
    return counted(
        "second_label_alone",
        count,
        Wording(
            f"레이블이 비었는데 둘째 레이블 열에는 값이 있는 행 {count:,}개",
            f"{count:,} row(s) without a label for which a second column of labels has one",
        ),
        Wording(
            "더 채워진 열이 레이블이면 --label-column으로 지정하세요.",
            "If the fuller column is the label, name it with --label-column.",
        ),
        split=split,
    )
