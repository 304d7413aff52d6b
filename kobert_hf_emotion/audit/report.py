"""What an audit found, as data: one finding a check, in Korean and in English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

from ..wording import Wording

Status: TypeAlias = Literal["ok", "notice", "problem"]
Split: TypeAlias = Literal["train", "test"]

_SEVERITY: tuple[Status, ...] = ("ok", "notice", "problem")
_SHOWN = 40


@dataclass(frozen=True)
class Example:
    """A row that shows what a finding means.

    Attributes:
        row: The row's number among the rows of data of its file, from 1, as in the column `row` of a dataset.
        value: The text or cell, shortened.
        other_row: The row it is compared with: of the training file, where the finding is about both files.
        other_value: That row's text or label, where it differs.
    """

    row: int
    value: str
    other_row: int | None = None
    other_value: str | None = None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of one check.

    Attributes:
        check: The check's name, the key of its value in the JSON output.
        status: "ok"; "notice", worth knowing; or "problem", a reason not to trust a result.
        value: What was counted or measured; see `docs/en/doctor.md`.
        found: What was found, in words.
        advice: What to do about it; None where nothing is.
        examples: Rows that show it.
        details: Further figures.
        split: The file it is about. Findings that compare both are about the test file's rows and stand under "train".
    """

    check: str
    status: Status
    value: float | str | None
    found: Wording
    advice: Wording | None = None
    examples: tuple[Example, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    split: Split = "train"


def counted(
    check: str,
    count: int,
    found: Wording,
    advice: Wording,
    *,
    is_problem: bool = False,
    examples: Sequence[Example] = (),
    details: Mapping[str, Any] | None = None,
    split: Split = "train",
) -> Finding:
    """Returns the finding of a check that counts faults: "ok" and without advice where there is none.

    Args:
        check: As in `Finding`.
        count: The faults, its value.
        found: As in `Finding`.
        advice: What to do where there are some.
        is_problem: Whether they are a reason not to trust a result; otherwise they are worth knowing.
        examples: As in `Finding`.
        details: As in `Finding`.
        split: As in `Finding`.
    """
    return Finding(
        check=check,
        status=("problem" if is_problem else "notice") if count else "ok",
        value=count,
        found=found,
        advice=advice if count else None,
        examples=tuple(examples),
        details=details or {},
        split=split,
    )


@dataclass(frozen=True)
class AuditReport:
    """The findings of an audit.

    Attributes:
        findings: One for each check and file, in the order of the checks.
        rows: Rows to train on.
        test_rows: Rows to test on; None without a test set.
    """

    findings: tuple[Finding, ...]
    rows: int
    test_rows: int | None = None

    @property
    def status(self) -> Status:
        """The worst status of all findings."""
        return max((finding.status for finding in self.findings), key=_SEVERITY.index, default="ok")

    @property
    def problems(self) -> list[Finding]:
        """The findings that are reasons not to trust a result."""
        return [finding for finding in self.findings if finding.status == "problem"]

    def __getitem__(self, check: str) -> Finding:
        """Returns the finding of a check about the training rows, or about both files."""
        return next(found for found in self.findings if found.check == check and found.split == "train")

    def to_dict(self) -> dict[str, Any]:
        """Returns what `--json` prints: each check's value under its name, those of the test file under "test"."""
        values = {split: _values(self.findings, split) for split in ("train", "test")}
        content: dict[str, Any] = {
            "status": self.status,
            "problems": [found.check for found in self.problems],
            "rows": self.rows,
            "test_rows": self.test_rows,
        }
        content |= values["train"]
        if values["test"]:
            content["test"] = values["test"]
        return content | {"findings": [_plain(found) for found in self.findings]}


def shortened(text: str) -> str:
    """Returns a text on one line and cut to a length that fits on a screen."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def _values(findings: Sequence[Finding], split: str) -> dict[str, Any]:
    return {found.check: found.value for found in findings if found.split == split}


def _plain(finding: Finding) -> dict[str, Any]:
    found, advice = finding.found, finding.advice
    return {
        "check": finding.check,
        "split": finding.split,
        "status": finding.status,
        "value": finding.value,
        "found": {"ko": found.korean, "en": found.english},
        "advice": None if advice is None else {"ko": advice.korean, "en": advice.english},
        "examples": [asdict(example) for example in finding.examples],
        "details": dict(finding.details),
    }
