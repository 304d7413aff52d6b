"""The findings of an audit on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..audit import AuditReport, Example
from ..audit.report import Status
from ..audit.titles import STATUS_WORDS, TITLES
from ..wording import Language, Wording

_STYLES: dict[Status, str] = {"ok": "green", "notice": "yellow", "problem": "bold red"}
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
        word, style = STATUS_WORDS[finding.status], _STYLES[finding.status]
        title = TITLES[finding.check].in_language(language) + _SPLITS[finding.split].in_language(language)
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
        korean = ", ".join(TITLES[finding.check].korean for finding in problems)
        english = ", ".join(TITLES[finding.check].english for finding in problems)
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
