"""How many rows each class has, for the folds and for the loss."""

from __future__ import annotations

from ..wording import Wording
from .report import Finding, Split, counted
from .rows import AuditedRows, codes
from .thresholds import NOTICE_IMBALANCE


def check_classes(rows: AuditedRows, n_splits: int | None, split: Split) -> list[Finding]:
    """Compares the classes with each other and, with `n_splits`, with the number of folds.

    A class needs as many groups of rows as there are folds: rows with the same text stay together, and so do those
    with the same group.
    """
    counts = rows.rows_of_labels()
    by_name = {name: int(count) for name, count in zip(rows.label_names, counts, strict=True)}
    findings = [_balance(by_name, split)]
    if n_splits is not None:
        findings.insert(0, _folds(rows, by_name, n_splits))
    return findings


def _folds(rows: AuditedRows, by_name: dict[str, int], n_splits: int) -> Finding:
    spread = {
        name: _groups(rows, label) for label, (name, count) in enumerate(by_name.items()) if count
    }  # classes without rows are told of by `_balance`
    small = {name: count for name, count in spread.items() if count < n_splits}
    listed = ", ".join(f"{name} {count}" for name, count in small.items())
    most = min(spread.values(), default=0)
    way_out = (
        Wording(f"--folds {most} 이하로 하거나 그 클래스를 더 모으세요.", f"Use --folds {most} or fewer, or add rows.")
        if most >= 2
        else Wording("그 클래스를 더 모으거나 다른 클래스와 합치세요.", "Add rows, or merge the class with another.")
    )
    shown = f": {listed}" if small else ""
    return counted(
        "classes_below_folds",
        len(small),
        Wording(
            f"{n_splits}겹보다 서로 다른 글(그룹)이 적은 클래스 {len(small)}개{shown}",
            f"{len(small)} class(es) with fewer distinct texts or groups than the {n_splits} folds{shown}",
        ),
        way_out,
        is_problem=True,
        details={"folds": n_splits, "smallest": most},
    )


def _groups(rows: AuditedRows, label: int) -> int:
    members = rows.with_label(label)
    distinct = len(codes([rows.keys[index] for index in members])[1])
    if rows.groups is None:
        return distinct
    groups = rows.groups
    return min(distinct, len({groups[index] for index in members}))


def _balance(by_name: dict[str, int], split: Split) -> Finding:
    present = {name: count for name, count in by_name.items() if count}
    absent = [name for name, count in by_name.items() if not count]
    ratio = max(present.values()) / min(present.values()) if present else 1.0
    listed = ", ".join(f"{name} {count:,}" for name, count in by_name.items())
    uneven = ratio >= NOTICE_IMBALANCE or bool(absent)
    return Finding(
        check="imbalance_ratio",
        status="notice" if uneven else "ok",
        value=round(ratio, 2),
        found=Wording(
            f"가장 큰 클래스가 가장 작은 클래스의 {ratio:.1f}배: {listed}"
            + (f" (행이 없는 클래스: {', '.join(absent)})" if absent else ""),
            f"the largest class has {ratio:.1f} times the rows of the smallest: {listed}"
            + (f" (without any row: {', '.join(absent)})" if absent else ""),
        ),
        advice=Wording(
            "정확도 대신 macro-F1을 보고, --alpha로 적은 클래스의 가중치를 올려 보세요.",
            "Look at macro-F1 rather than accuracy, and try larger weights for rare classes with --alpha.",
        )
        if uneven
        else None,
        details={"classes": by_name, "absent": absent},
        split=split,
    )
