"""Pieces of HTML that the sections of a report are put together from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape

from ..assets.templates import both


def table(
    caption: tuple[str, str],
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    texts: Collection[int] = (0,),
    name: str = "",
) -> str:
    """Returns a table that scrolls by itself where the page is narrow.

    Args:
        caption: What it shows, in Korean and in English.
        heads: Names of the columns, HTML.
        rows: Cells, HTML; the first of a row is its name.
        texts: The columns that hold no numbers.
        name: The id of the caption, where it has one.
    """
    marks = ["" if index in texts else ' class="n"' for index in range(len(heads))]
    head = "".join(f"<th scope=col{mark}>{cell}</th>" for cell, mark in zip(heads, marks, strict=True))
    body = "\n".join(
        "<tr>"
        + f"<th scope=row>{first}</th>"
        + "".join(f"<td{mark}>{cell}</td>" for cell, mark in zip(rest, marks[1:], strict=True))
        + "</tr>"
        for first, *rest in rows
    )
    given = f' id="{name}"' if name else ""
    return (
        f'<div class="scroll" tabindex="0"><table><caption{given}>{both(*caption)}</caption><thead><tr>{head}</tr>'
        f"</thead><tbody>\n{body}\n</tbody></table></div>"
    )


def details(summary: tuple[str, str], inside: str) -> str:
    """Returns what opens on demand."""
    return f"<details><summary>{both(*summary)}</summary>{inside}</details>"


def note(korean: str, english: str, kind: str = "hint") -> str:
    """Returns a paragraph; both texts are HTML."""
    return f'<p class="{kind}">{both(korean, english)}</p>'


def text_of(text: str) -> str:
    """Returns a text of the data as HTML, whose direction and marks stay inside it."""
    return f'<bdi class="text">{escape(text)}</bdi>'


def number(value: float) -> str:
    """Returns a count with commas, and a figure with four decimals."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def between(interval: Sequence[float] | None) -> str:
    """Returns an interval, and nothing where there is none."""
    if interval is None:
        return ""
    low, high = interval
    return f'<span class="interval">[{low:.4f}, {high:.4f}]</span>'
