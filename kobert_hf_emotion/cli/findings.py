"""The findings of an audit on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..audit import AuditReport, Example
from ..audit.report import Status
from ..wording import Language, Wording

_STATUS: dict[Status, tuple[Wording, str]] = {
    "ok": (Wording("정상", "ok"), "green"),
    "notice": (Wording("참고", "notice"), "yellow"),
    "problem": (Wording("문제", "problem"), "bold red"),
}
_TITLES = {
    "encoding": Wording("인코딩", "encoding"),
    "nfd_texts": Wording("유니코드 정규화", "Unicode form"),
    "empty_texts": Wording("빈 글", "empty texts"),
    "lone_dots": Wording("점뿐인 글", "lone full stops"),
    "empty_labels": Wording("빈 레이블", "empty labels"),
    "label_columns_differ": Wording("두 레이블 열", "two label columns"),
    "columns": Wording("쓴 열", "columns used"),
    "excel_errors": Wording("엑셀 오류", "errors of Excel"),
    "null_texts": Wording("빈 값의 표시", "marks of missing values"),
    "label_numbers": Wording("숫자 레이블", "numeric labels"),
    "label_spellings": Wording("레이블 표기", "spellings of labels"),
    "second_label_alone": Wording("둘째 레이블만", "second label alone"),
    "exact_duplicates": Wording("같은 글", "equal texts"),
    "folded_duplicates": Wording("표기만 다른 글", "equal after folding"),
    "near_duplicates": Wording("거의 같은 글", "near duplicates"),
    "conflicting_labels": Wording("엇갈린 레이블", "conflicting labels"),
    "classes_below_folds": Wording("겹 수와 클래스", "classes and folds"),
    "imbalance_ratio": Wording("클래스 균형", "class balance"),
    "train_test_overlap": Wording("학습·평가 겹침", "train/test overlap"),
    "train_test_overlap_folded": Wording("표기만 다른 겹침", "overlap after folding"),
    "train_test_overlap_near": Wording("거의 같은 겹침", "near overlap"),
    "train_test_group_overlap": Wording("그룹 겹침", "group overlap"),
    "tokenizer_mismatch": Wording("토크나이저", "tokenizer"),
    "unk_share": Wording("모르는 글자", "unknown tokens"),
    "truncated_share": Wording("길이", "lengths"),
    "device": Wording("장치", "device"),
    "memory_estimate_mb": Wording("메모리", "memory"),
    "time_estimate_seconds": Wording("시간", "time"),
}
_SPLITS = {"train": Wording("", ""), "test": Wording(" (평가)", " (test)")}
_ROW = Wording("{row}행", "row {row}")
_EXAMPLE = Wording("예", "e.g.")
_ADVICE = Wording("할 일", "do")
_NUMBERS = Wording("행 번호는 머리글을 빼고 1부터 셉니다.", "Row numbers count from 1 below the header.")


def show(report: AuditReport, language: Language) -> None:
    """Prints the findings, each with its examples and what to do, and a last line with the verdict."""
    console = Console(highlight=False, soft_wrap=False)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for finding in report.findings:
        word, style = _STATUS[finding.status]
        title = _TITLES[finding.check].in_language(language) + _SPLITS[finding.split].in_language(language)
        lines = [escape(finding.found.in_language(language))]
        if finding.examples and finding.status != "ok":
            lines += [
                f"[dim]{_EXAMPLE.in_language(language)}: {escape(_example(example, language))}[/dim]"
                for example in finding.examples
            ]
        if finding.advice is not None:
            lines.append(
                f"[cyan]{_ADVICE.in_language(language)}: {escape(finding.advice.in_language(language))}[/cyan]"
            )
        grid.add_row(f"[{style}]{word.in_language(language)}[/{style}]", title, "\n".join(lines))
    console.print(grid)
    console.print(f"\n{_verdict(report).in_language(language)}\n{_NUMBERS.in_language(language)}")


def _example(example: Example, language: Language) -> str:
    row = _ROW.in_language(language)
    shown = f"{row.format(row=example.row)} '{example.value}'"
    if example.other_row is None:
        return shown
    other = row.format(row=example.other_row)
    return f"{shown} = {other}" if example.other_value is None else f"{shown} ~ {other} '{example.other_value}'"


def _verdict(report: AuditReport) -> Wording:
    notices = sum(finding.status == "notice" for finding in report.findings)
    problems = report.problems
    if problems:
        korean = ", ".join(_TITLES[finding.check].korean for finding in problems)
        english = ", ".join(_TITLES[finding.check].english for finding in problems)
        return Wording(
            f"[bold red]문제 {len(problems)}개, 참고 {notices}개.[/bold red] 이대로는 결과를 믿을 수 없습니다: "
            f"{korean}",
            f"[bold red]{len(problems)} problem(s), {notices} notice(s).[/bold red] As it is, results cannot be "
            f"trusted: {english}",
        )
    return Wording(
        f"[green]문제 없음[/green], 참고 {notices}개.",
        f"[green]No problem[/green], {notices} notice(s).",
    )
