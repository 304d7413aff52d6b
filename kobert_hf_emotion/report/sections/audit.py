"""What was found in the data before the training."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from ...assets.templates import both, label_name
from ...audit.titles import STATUS_WORDS, TITLES
from ..charts import share_bar
from ..content import RunContent
from ..markup import table, text_of


def audit(content: RunContent) -> str:
    """What was found in the data before the training."""
    found = content.audit
    if found is None:
        raise content.need("audit")
    parts = [_label_counts(found)]
    heads = [both("결과", "result"), both("검사", "check"), both("찾은 것", "found"), both("할 일", "do")]
    rows = [_finding(finding, content.with_texts) for finding in found["findings"]]
    order = {"problem": 0, "notice": 1, "ok": 2}
    rows = [
        row for _, row in sorted(zip(found["findings"], rows, strict=True), key=lambda pair: order[pair[0]["status"]])
    ]
    parts.append(table(("검사한 것", "Checks"), heads, rows, range(4)))
    return "".join(parts)


def _label_counts(found: Mapping[str, Any]) -> str:
    for finding in found["findings"]:
        counts = finding["details"].get("classes")
        if finding["check"] == "imbalance_ratio" and finding["split"] == "train" and counts:
            most = max(counts.values()) or 1
            rows = [[label_name(name), share_bar(count / most), f"{count:,}"] for name, count in counts.items()]
            heads = [both("라벨", "label"), "", both("행", "rows")]
            return table(("라벨마다 행 수", "Rows of each label"), heads, rows, (0, 1))
    return ""


def _finding(finding: Mapping[str, Any], with_examples: bool) -> list[str]:
    status, check = finding["status"], finding["check"]
    title = both(*map(escape, TITLES[check])) if check in TITLES else escape(check)
    if finding["split"] == "test":
        title += both(" (평가)", " (test)")
    advice = finding["advice"]
    shown = _both_of(finding["found"])
    if with_examples and status != "ok":
        shown += "".join(f"<br><small>{_example(example)}</small>" for example in finding["examples"])
    return [
        f'<span class="status {escape(status)}">{both(*STATUS_WORDS[status])}</span>',
        title,
        f'<div class="told">{shown}</div>',
        _both_of(advice) if advice else "",
    ]


def _both_of(words: Mapping[str, str]) -> str:
    return both(escape(words["ko"]), escape(words["en"]))


def _example(example: Mapping[str, Any]) -> str:
    row, other = example["row"], example.get("other_row")
    shown = f"{both(f'{row:,}행', f'row {row:,}')} {text_of(str(example['value']))}"
    if other is None:
        return shown
    named = both(f"{other:,}행", f"row {other:,}")
    text = example.get("other_value")
    return f"{shown} = {named}" if text is None else f"{shown} ~ {named} {text_of(str(text))}"
