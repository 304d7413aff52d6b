"""Explanations as one HTML file that opens from the disk: no network; Korean with an English switch."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ..assets.templates import SHARED_STYLE, asset, both, fill
from .words import Explanation, Word

_TEXT = {
    "title": ("감정 예측의 설명", "Why these emotions"),
    "legend": (
        "파란 낱말은 그 감정 쪽으로, 주황 낱말은 반대쪽으로 예측을 옮깁니다. 진할수록 더 많이. 숫자는 로짓입니다.",
        "Blue words speak for the emotion, orange ones against it; the deeper the more. Numbers are logits.",
    ),
    "label": ("감정", "Emotion"),
    "chances": ("모든 감정의 확률", "Probabilities of all emotions"),
    "unread": ("모델이 읽지 않는 부분", "beyond what the model reads"),
    "switch": ("English", "한국어"),
    "leave_one_out": ("방법: 낱말을 하나씩 빼고 다시 예측", "Method: predicted again without each word"),
    "integrated_gradients": (
        "방법: integrated gradients, [MASK]만 있는 글에서 이 글까지",
        "Method: integrated gradients, from a text of [MASK] to this one",
    ),
    "delta": ("적분 오차", "error of the integral"),
}


def to_html(explanations: Sequence[Explanation]) -> str:
    """Returns a page with all explanations; texts and labels stand in it as they are, whatever is in them."""
    parts = {
        "STYLE": asset(SHARED_STYLE),
        "TITLE": _both("title"),
        "LEGEND": legend(),
        "SWITCH": _both("switch"),
        "TEXTS": "\n".join(_section(number, found) for number, found in enumerate(explanations, start=1)),
    }
    return fill(asset("explanation.html"), parts)


def legend() -> str:
    """Returns what the colours of words mean, as HTML."""
    return _both("legend")


def words_line(found: Explanation, label: str, largest: float) -> str:
    """Returns the words of a text, each coloured by what it contributes to a label, as HTML.

    Args:
        found: The explanation.
        label: One that was explained.
        largest: The contribution with the deepest colour; see `largest_contribution`.
    """
    unread = f'<span class="unread">{escape(found.unread)} <em>({_both("unread")})</em></span>' if found.unread else ""
    return f"{''.join(_word(found, word, label, largest) for word in found.words)}{unread}"


def largest_contribution(found: Explanation) -> float:
    """Returns the largest contribution of a word to any label, without its sign; 1 where there is none."""
    return max((abs(value) for word in found.words for value in word.contributions.values()), default=0.0) or 1.0


def _section(number: int, found: Explanation) -> str:
    labels = list(found.words[0].contributions) if found.words else [found.label]
    shown = found.label if found.label in labels else labels[0]
    largest = largest_contribution(found)
    options = "".join(
        f"<option{' selected' if label == shown else ''}>{escape(label)}</option>"
        for label in sorted(labels, key=lambda label: -found.probabilities[label])
    )
    lines = "\n".join(
        f'<p class="words" data-label="{escape(label)}"{"" if label == shown else " hidden"}>'
        f"{words_line(found, label, largest)}</p>"
        for label in labels
    )
    deltas = "".join(f" · {_both('delta')} {delta:+.2g}" for delta in found.deltas.values())
    chances = "".join(
        f"<tr><th scope=row>{escape(label)}</th><td><meter min=0 max=1 value={value:.4f}></meter></td>"
        f"<td>{100 * value:.2f}%</td></tr>"
        for label, value in sorted(found.probabilities.items(), key=lambda item: -item[1])
    )
    return (
        f"<section><h2>{number}. {escape(found.label)} {100 * found.score:.2f}%</h2><label>{_both('label')} "
        f"<select>{options}</select></label>\n{lines}\n<details><summary>{_both('chances')}</summary>"
        f'<table>{chances}</table></details><p class="method">{_both(found.method)}{deltas}</p></section>'
    )


def _word(found: Explanation, word: Word, label: str, largest: float) -> str:
    value = word.contributions[label]
    side = "for" if value >= 0 else "against"
    before = found.text[: word.span[0]]
    gap = before[len(before.rstrip()) :]
    pieces = "".join(
        f"<small>{escape(found.text[slice(*piece.span)] or piece.token)} {piece.contributions[label]:+.2f}</small>"
        for piece in word.pieces
    )
    inside = f'<span class="pieces">{pieces}</span>' if pieces else ""
    return (
        f'{escape(gap)}<span class="{side}" style="--weight:{abs(value) / largest:.2f}">{escape(word.text)}'
        f"<sub>{value:+.2f}</sub>{inside}</span>"
    )


def _both(name: str) -> str:
    return both(*_TEXT[name])
