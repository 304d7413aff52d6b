"""The page of a report: all sections, and what each lacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from ..assets.templates import SHARED_STYLE, asset, both, fill, korean_label, script_json
from ..wording import Wording
from .content import MissingPartError, RunContent
from .markup import note
from .rows import LONGEST_TEXT, CellRows, rows_by_cell
from .sections import DAMAGED, SECTIONS
from .sections.matrix import MOST_LABELS, shown_labels

LARGEST = 4_900_000
"""Bytes of a page, which is to open everywhere; rows are left out beyond them."""


_PARTS_OF_SECTIONS = {"explanations": ("낱말 설명", "Words of mistakes")}
"""Parts without which their section has something to show."""


@dataclass(frozen=True)
class Page:
    """A report."""

    html: str
    rows: int
    """Training rows of the run."""
    rows_shown: int
    """Rows that open from the confusion matrix."""
    explained: int
    """Mistakes whose words are explained."""
    missing: list[Wording]
    """What the run has not, and the report therefore not either."""
    left_out: list[Wording]
    """What the run has, and the page had no room for."""


def to_page(content: RunContent, largest: int = LARGEST) -> Page:
    """Returns the report of a run.

    Args:
        content: The run.
        largest: Bytes the page may have; rows of the confusion matrix are left out beyond them.
    """
    parts: list[str] = []
    reasons: dict[Wording, list[tuple[str, str]]] = {}
    for name, title, section in SECTIONS:
        inside, why = _section(content, section)
        if why is not None:
            reasons.setdefault(why, []).append(title)
        more = _ROWS_PANEL if name == "confusion" and why is None and content.predictions is not None else ""
        parts.append(
            f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{both(*title)}</h2>\n'
            f"{inside}{more}</section>"
        )
    filled = {
        "STYLE": asset(SHARED_STYLE) + asset("report/page.css"),
        "NAME": escape(content.name),
        "STATE": _state(content),
        "LINKS": "".join(f'<li><a href="#{name}">{both(*title)}</a></li>' for name, title, _ in SECTIONS),
        "SECTIONS": "\n".join(parts),
        "SCRIPT": asset("report/page.js"),
        "DATA": "",
        "NOTES": "",
    }
    for part, title in _PARTS_OF_SECTIONS.items():
        if part in content.missing:
            reasons.setdefault(content.missing[part], []).append(title)
    missing = [_left_out_because(why, titles) for why, titles in reasons.items()]
    used = len(fill(asset("report/page.html"), filled).encode())
    rows = _rows(content, largest - used - 4000)
    left_out = _left_out(content, rows)
    filled["DATA"] = _data(content, rows)
    filled["NOTES"] = _notes(missing, left_out)
    html = fill(asset("report/page.html"), filled)
    shown, total = (0, 0) if rows is None else (rows.shown, rows.total)
    return Page(html, total, shown, len(content.explanations), missing, left_out)


def _left_out_because(why: Wording, titles: Sequence[tuple[str, str]]) -> Wording:
    """Returns which sections are not there for one reason."""
    korean, english = (", ".join(title[language] for title in titles) for language in (0, 1))
    return Wording(f"{korean}: {why.korean}", f"{english}: {why.english}")


def _section(content: RunContent, section: Callable[[RunContent], str]) -> tuple[str, Wording | None]:
    """Returns the HTML of a section; where it cannot be made, a note why, and the reason."""
    try:
        return section(content), None
    except MissingPartError as error:
        why = error.why
    except DAMAGED as error:
        what = f"{type(error).__name__}: {error}"
        why = Wording(
            f"이 부분의 기록을 읽지 못했습니다. 다른 버전이 만들었거나 손상된 실행입니다 ({what}).",
            f"The record of this part cannot be read: another version made the run, or it is damaged ({what}).",
        )
    return note(escape(why.korean), escape(why.english), "missing"), why


def _state(content: RunContent) -> str:
    if not content.record:
        return note("실행의 기록(run.json)이 없습니다.", "The record of the run (run.json) is missing.", "missing")
    if content.record.get("finished") is not True:
        return note(
            f"끝나지 않은 실행입니다: {len(content.histories)}겹까지 끝났습니다. 같은 train 명령으로 이어집니다.",
            f"This run is not finished: {len(content.histories)} fold(s) are. The same train command continues it.",
            "missing",
        )
    return ""


def _rows(content: RunContent, budget: int) -> CellRows | None:
    """Returns the rows of the confusion matrix, None where there is no matrix or no rows."""
    if content.predictions is None or content.report is None:
        return None
    try:
        labels = shown_labels(content.report)
    except DAMAGED:
        return None
    return rows_by_cell(content.predictions, labels, budget)


def _left_out(content: RunContent, rows: CellRows | None) -> list[Wording]:
    found = list(content.left_out)
    if not content.with_texts:
        found.append(Wording("글을 뺐습니다(--no-texts).", "Texts are left out (--no-texts)."))
    if rows is None:
        return found
    if rows.shown < rows.total:
        found.append(
            Wording(
                f"페이지가 5MB를 넘지 않도록 {rows.total:,}행 가운데 {rows.shown:,}행만 혼동 행렬에서 열립니다. "
                "틀린 행이 먼저이고, 모든 행은 oof_predictions.csv에 있습니다.",
                f"To keep the page under 5 MB, {rows.shown:,} of {rows.total:,} rows open from the confusion matrix, "
                "mistakes first; oof_predictions.csv has all of them.",
            )
        )
    if rows.shortened:
        found.append(
            Wording(
                f"{LONGEST_TEXT}자보다 긴 글은 표에서 잘랐습니다({rows.shortened:,}행).",
                f"Texts of more than {LONGEST_TEXT} characters are cut in tables ({rows.shortened:,} rows).",
            )
        )
    assert content.report is not None
    labels = len(content.report["confusion_matrix"]["labels"])
    if labels > MOST_LABELS:
        found.append(
            Wording(
                f"라벨 {labels:,}개 가운데 가장 많이 틀린 {MOST_LABELS}개만 혼동 행렬에 있습니다.",
                f"Of {labels:,} labels the matrix has the {MOST_LABELS} with the most mistakes.",
            )
        )
    return found


def _data(content: RunContent, rows: CellRows | None) -> str:
    labels = [str(label) for label in content.record.get("labels", [])]
    names = script_json({"ko": [korean_label(label) for label in labels], "en": labels})
    return f'{{"labels":{names},"rows":{"null" if rows is None else rows.json}}}'


def _notes(missing: list[Wording], left_out: list[Wording]) -> str:
    lists = [
        (("이 실행에 없는 것", "What this run has not"), missing),
        (("이 페이지에 넣지 않은 것", "What is left out of this page"), left_out),
    ]
    return "".join(
        f'<div class="notes"><strong>{both(*title)}</strong><ul>'
        + "".join(f"<li>{both(*map(escape, found))}</li>" for found in listed)
        + "</ul></div>"
        for title, listed in lists
        if listed
    )


_ROWS_PANEL = (
    '<p class="hint" id="matrix-hint" hidden>'
    + both(
        "칸을 누르면 그 칸의 행이 열립니다. 화살표 키로 칸을 옮기고 Enter로 엽니다.",
        "A cell opens its rows. Arrow keys move between cells, Enter opens one.",
    )
    + '</p>\n<div id="cell" role="region" aria-labelledby="cell-title" hidden>'
    '<h3 id="cell-title" tabindex="-1"></h3><p id="cell-note" class="hint"></p>'
    '<div class="scroll" tabindex="0"><table><thead><tr>'
    f"<th scope=col>{both('행', 'row')}</th><th scope=col>{both('글', 'text')}</th>"
    f"<th scope=col class=n>{both('예측의 확률', 'P(prediction)')}</th>"
    f"<th scope=col class=n>{both('라벨의 확률', 'P(label)')}</th>"
    f'<th scope=col class=n>{both("겹", "fold")}</th></tr></thead><tbody id="cell-rows"></tbody></table></div>'
    f'<p><button type="button" id="more">{both("더 보기", "More")}</button> '
    f'<button type="button" id="close">{both("닫기", "Close")}</button></p></div>'
)
