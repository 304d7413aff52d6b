"""How the run was made, what test files said of it, and its card."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ...assets.templates import both, label_name
from ...hub.repo_id import is_repo_id
from ..content import RunContent
from ..markup import between, details, note, number, table

FIRST_ARGUMENTS = (
    "num_train_epochs",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "learning_rate",
    "lr_scheduler_type",
    "warmup_steps",
    "weight_decay",
    "max_grad_norm",
    "max_length",
    "dropout",
    "focal_gamma",
    "focal_alpha",
    "train_sampling_strategy",
    "seed",
)
"""What a page or a card shows of the training's arguments before all others."""


def tests(content: RunContent) -> str:
    """What test files said of the run, where that was saved."""
    why = content.missing.get("tests")
    told = "" if why is None else note(*map(escape, why))
    return told + "".join(_test(name, found) for name, found in content.tests.items())


def _test(name: str, found: Mapping[str, Any]) -> str:
    best = _last(str(found["best"]))
    rows = []
    for scores in [*found["checkpoints"], *found["combined"]]:
        shown = _last(str(scores.get("path") or scores["name"]))
        intervals = scores.get("intervals", {})
        cells = [f"{scores[key]:.4f} {between(_ends(intervals.get(key)))}" for key in ("accuracy", "macro_f1")]
        star = " ★" if shown == best else ""
        rows.append(
            [escape(shown) + star, f"{scores['rows']:,}", *cells, *(number(scores[key]) for key in ("loss", "ece"))]
        )
    heads = [
        both("모델", "model"), both("행", "rows"), both("정확도", "accuracy"), "macro F1", both("손실", "loss"), "ECE",
    ]  # fmt: skip
    told = [f"★ {reason}" for reason in _in_both(str(found.get("chosen", "")))]
    seen = found.get("seen_rows")
    if seen is not None:
        told[0] += f" · 학습 파일에도 있는 글 {seen:,}행"
        told[1] += f" · {seen:,} rows whose text the training file has"
    return f"<h3>{escape(name)}</h3>" + table(("시험 파일의 점수", "Scores on a test file"), heads, rows) + note(*told)


def _in_both(reason: str) -> tuple[str, str]:
    """Returns the two halves of a reason that is written as `korean (english)`, as HTML."""
    found = re.fullmatch(r"(.*?) \((.*)\)", reason)
    return (escape(found[1]), escape(found[2])) if found else (escape(reason), escape(reason))


def _ends(interval: Any) -> Sequence[float] | None:
    """Returns the ends of an interval, as `test --json` and `report.json` write it."""
    if isinstance(interval, Mapping):
        return [interval["low"], interval["high"]]
    return interval  # type: ignore[no-any-return]


def arguments(content: RunContent) -> str:
    """How the run was made; nothing of where it lies on somebody's disk."""
    record = content.record
    if not record:
        raise content.need("record")
    facts = [
        [both("모델", "model"), escape(_model(str(record["model"])))],
        [both("행", "rows"), f"{record['rows']:,}"],
        [both("겹", "folds"), f"{record['n_splits']}"],
        [both("라벨", "labels"), ", ".join(map(label_name, record["labels"]))],
        *(
            [escape(name), f"<code>{escape(str(record[name]))}</code>"]
            for name in ("word_split", "group_by", "group_pattern", "data_sha256", "split_sha256", "processes")
            if record.get(name) is not None
        ),
    ]
    given = record.get("training_arguments", {})
    first = [_argument(name, given[name]) for name in FIRST_ARGUMENTS if name in given]
    others = [
        _argument(name, value) for name, value in given.items() if name not in FIRST_ARGUMENTS and _is_public(name)
    ]
    versions = [[escape(name), escape(str(version))] for name, version in record.get("versions", {}).items()]
    heads = [both("이름", "name"), both("값", "value")]
    return (
        table(("실행", "The run"), heads, facts, (0, 1))
        + table(("학습 인자", "Training arguments"), heads, first, (0, 1))
        + details(("다른 인자", "Other arguments"), table(("다른 인자", "Other arguments"), heads, others, (0, 1)))
        + details(("버전", "Versions"), table(("버전", "Versions"), heads, versions, (0, 1)))
    )


def _argument(name: str, value: Any) -> list[str]:
    shown = _last(value) if isinstance(value, str) else str(value)
    return [f"<code>{escape(name)}</code>", f"<code>{escape(shown)}</code>"]


def _is_public(name: str) -> bool:
    return not name.endswith(("_dir", "_token", "_path", "run_name"))


def _model(model: str) -> str:
    return model if is_repo_id(model) else _last(model)


def _last(path: str) -> str:
    """The last part of a path: where a folder lies on somebody's disk is nobody else's business."""
    return path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def card(content: RunContent) -> str:
    """The run's model card, which is Markdown; HTML in it is shown as it is written."""
    if content.card is None:
        raise content.need("card")
    from markdown_it import MarkdownIt

    text = content.card
    if text.startswith("---\n"):
        text = text[4:].partition("\n---\n")[2]
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"
    return f'<div class="card">{parser.renderer.render(tokens, parser.options, {})}</div>'
