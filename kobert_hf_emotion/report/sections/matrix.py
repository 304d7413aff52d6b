"""The confusion matrix, whose cells open their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...assets.templates import both, label_name
from ..content import RunContent

MOST_LABELS = 60
"""Labels of the confusion matrix; of more, those with the most mistakes are shown."""


_MATRIX = (
    "행은 라벨, 열은 예측. 진할수록 그 라벨의 행 가운데 비율이 큽니다.",
    "Labels down, predictions across. The deeper the colour, the larger the share of the label's rows.",
)


def shown_labels(report: Mapping[str, Any]) -> list[int]:
    """Returns the ids of the labels in the confusion matrix: all, or those with the most mistakes."""
    counts = report["confusion_matrix"]["counts"]
    if len(counts) <= MOST_LABELS:
        return list(range(len(counts)))
    wrong = [sum(row) + sum(line[index] for line in counts) - 2 * row[index] for index, row in enumerate(counts)]
    return sorted(sorted(range(len(counts)), key=lambda index: -wrong[index])[:MOST_LABELS])


def confusion(content: RunContent) -> str:
    """The confusion matrix, whose cells open their rows."""
    report = content.single_figures
    matrix = report["confusion_matrix"]
    names, counts, shown = matrix["labels"], matrix["counts"], shown_labels(report)
    is_large = len(shown) > 15
    heads = "".join(f"<th scope=col>{label_name(names[index])}</th>" for index in shown)
    lines = []
    for label in shown:
        total = sum(counts[label])
        cells = "".join(_cell(label, other, counts[label][other], total, is_large) for other in shown)
        lines.append(f"<tr><th scope=row>{label_name(names[label])}</th>{cells}</tr>")
    size = " large" if is_large else ""
    corner = both("라벨 ↓ 예측 →", "label ↓ prediction →")
    return (
        '<div class="scroll" tabindex="0">'
        f'<table class="matrix{size}" id="matrix"><caption>{both(*_MATRIX)}</caption>'
        f"<thead><tr><th>{corner}</th>{heads}</tr></thead><tbody>\n{chr(10).join(lines)}\n</tbody></table></div>"
    )


def _cell(label: int, other: int, count: int, total: int, is_large: bool) -> str:
    if not count:
        return "<td></td>"
    share = count / total
    shown = f"{count:,}" if is_large else f"{count:,}<small>{share:.0%}</small>"
    kind = "right" if label == other else "wrong"
    return (
        f'<td class="{kind}" data-cell="{label},{other}" data-count="{count}" style="--share:{share:.2f}">{shown}</td>'
    )
