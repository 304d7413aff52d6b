"""Pictures of a search: how its scores went, and which arguments mattered."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..runs.plots import hangul_font
from ..utils.files import atomic_write

HISTORY_FILE, IMPORTANCE_FILE = "history.svg", "importance.svg"


def history_svg(complete: Sequence[tuple[int, float]], pruned: Sequence[tuple[int, float]], start: float | None) -> str:
    """Returns the scores of the trials in their order, with the best so far, as SVG.

    Args:
        complete: Number and macro F1 of the complete trials.
        pruned: Number and last macro F1 of those that were given up.
        start: The macro F1 of the first trial, None where it was given up.
    """
    font = hangul_font()
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    best: list[float] = []
    for _, score in complete:
        best.append(max(score, best[-1] if best else score))
    numbers = [number for number, _ in complete]
    if start is not None:
        axes.axhline(start, color="0.6", linestyle=":", label="처음 인자 (first arguments)")
    axes.step(numbers, best, where="post", color="C1", label="지금까지 가장 높은 값 (best so far)")
    axes.plot(numbers, [score for _, score in complete], "o", color="C0", label="끝까지 간 시도 (complete)")
    if pruned:
        axes.plot(*zip(*pruned, strict=True), "x", color="0.5", label="그만둔 시도의 마지막 값 (pruned, last value)")
    axes.set_xlabel("시도 (trial)", fontproperties=font)
    axes.set_ylabel("macro F1", fontproperties=font)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend(prop=font, fontsize=8)
    return _svg(figure)


def importance_svg(shares: Mapping[str, float]) -> str:
    """Returns the importance of each argument as SVG bars, the largest on top."""
    font = hangul_font()
    ordered = sorted(shares.items(), key=lambda item: item[1])
    figure = Figure(figsize=(8, 1.2 + 0.35 * len(ordered)), layout="constrained")
    axes = figure.subplots()
    bars: Any = axes.barh([name for name, _ in ordered], [share for _, share in ordered], color="C0")
    axes.bar_label(bars, [f"{share:.0%}" for _, share in ordered], padding=3)
    axes.set_xlim(0, max(shares.values()) * 1.15)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("점수 차이에서의 몫, PED-ANOVA (share in what sets good trials apart)", fontproperties=font)
    axes.grid(axis="x", alpha=0.3)
    return _svg(figure)


def write_svg(path: str | os.PathLike[str], svg: str) -> None:
    """Writes a picture, atomically."""
    with atomic_write(path, "w") as handle:
        handle.write(svg)


def _svg(figure: Figure) -> str:
    """Returns a figure as SVG: the same for the same figure, its letters drawn, so that it needs no font."""
    content = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "search", "svg.fonttype": "path"}):
        FigureCanvasSVG(figure).print_svg(content, metadata={"Date": None})
    return re.sub(r"\s*<metadata>.*?</metadata>", "", content.getvalue(), flags=re.DOTALL)
