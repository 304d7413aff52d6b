"""Charts as SVG that takes its colours from the page; tables beside them tell screen readers the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

COLORS = 10
"""Colours of lines, `c1` to `c10` in the page's style."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 352.0, 10.0, 190.0


@dataclass(frozen=True)
class Line:
    """A line of a chart."""

    points: Sequence[tuple[float, float]]
    """x and y; points that are not finite are left out."""
    color: int
    """From 0; colours come again after `COLORS`."""
    is_dashed: bool
    name: str
    """What the pointer shows, not escaped."""


def line_chart(lines: Sequence[Line]) -> str:
    """Returns lines over whole numbers, such as losses over epochs."""
    shown = [replace(line, points=_finite(line.points)) for line in lines]
    points = [point for line in shown for point in line.points] or [(0.0, 0.0)]
    xs, ys = zip(*points, strict=True)
    across, up = ticks(min(xs), max(xs), whole=True), ticks(min(ys), max(ys))
    x_of = _scale(across[0], across[-1], _LEFT, _RIGHT)
    y_of = _scale(up[0], up[-1], _BOTTOM, _TOP)
    parts = [_grid_line(_LEFT, y_of(value), _RIGHT, y_of(value), _number(value)) for value in up]
    parts += [
        f'<text class="tick" x="{x_of(value):.1f}" y="{_BOTTOM + 16}" text-anchor="middle">{_number(value)}</text>'
        for value in across
    ]
    return _svg(360, 215, parts + [_drawn(line, x_of, y_of) for line in shown])


def _finite(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [point for point in points if all(map(math.isfinite, point))]


def _drawn(line: Line, x_of: Callable[[float], float], y_of: Callable[[float], float]) -> str:
    """Returns a line with a dot at each point, which says what it is."""
    style = f"c{line.color % COLORS + 1}" + (" dashed" if line.is_dashed else "")
    path = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in line.points)
    dots = "".join(
        f'<circle cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="{2 if line.is_dashed else 3}">'
        f"<title>{escape(line.name)}: {_number(x)}, {y:.4f}</title></circle>"
        for x, y in line.points
    )
    return f'<g class="line {style}"><polyline points="{path}"/>{dots}</g>'


def reliability_chart(bins: Sequence[Mapping[str, Any]]) -> str:
    """Returns accuracy over confidence, the distance to the diagonal, and the rows of each bin below.

    Args:
        bins: As `report.json` has them: `low`, `high`, `rows`, `confidence`, `accuracy`.
    """
    x_of, y_of = _scale(0, 1, _LEFT, 264), _scale(0, 1, 230, _TOP)
    most = max((found["rows"] for found in bins), default=0) or 1
    parts = [_grid_line(_LEFT, y_of(value), 264, y_of(value), _number(value)) for value in (0, 0.25, 0.5, 0.75, 1)]
    for found in bins:
        left, width = x_of(found["low"]), x_of(found["high"]) - x_of(found["low"])
        height = 40 * found["rows"] / most
        told = (
            f"{found['low']:.2f}–{found['high']:.2f}: n {found['rows']}, acc {found['accuracy']:.4f}, "
            f"conf {found['confidence']:.4f}"
        )
        parts.append(
            f'<rect class="rows" x="{left + 0.5:.1f}" y="{292 - height:.1f}" width="{width - 1:.1f}" '
            f'height="{height:.1f}"><title>{told}</title></rect>'
        )
        if not found["rows"]:
            continue
        top, other = y_of(found["accuracy"]), y_of(found["confidence"])
        parts.append(
            f'<rect class="bar" x="{left + 0.5:.1f}" y="{top:.1f}" width="{width - 1:.1f}" '
            f'height="{y_of(0) - top:.1f}"><title>{told}</title></rect>'
            f'<rect class="gap" x="{left + 0.5:.1f}" y="{min(top, other):.1f}" width="{width - 1:.1f}" '
            f'height="{abs(top - other):.1f}"><title>{told}</title></rect>'
        )
    parts.append(f'<line class="diagonal" x1="{x_of(0)}" y1="{y_of(0)}" x2="{x_of(1)}" y2="{y_of(1)}"/>')
    parts += [
        f'<text class="tick" x="{x_of(value):.1f}" y="306" text-anchor="middle">{_number(value)}</text>'
        for value in (0, 0.25, 0.5, 0.75, 1)
    ]
    return _svg(276, 312, parts)


def share_bar(share: float, interval: Sequence[float] | None = None) -> str:
    """Returns a bar of a share, 0 to 1, with the whiskers of its interval where there is one."""
    whiskers = ""
    if interval is not None:
        low, high = (100 * end for end in interval)
        whiskers = (
            f'<path class="whisker" d="M{low:.1f} 3V11M{low:.1f} 7H{high:.1f}M{high:.1f} 3V11" '
            'vector-effect="non-scaling-stroke"/>'
        )
    return (
        '<svg class="share" viewBox="0 0 100 14" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f'<rect class="bar" x="0" y="2" width="{100 * share:.1f}" height="10"/>{whiskers}</svg>'
    )


def ticks(low: float, high: float, most: int = 6, *, whole: bool = False) -> list[float]:
    """Returns round numbers, evenly apart, the first not above `low` and the last not below `high`.

    >>> ticks(0.13, 0.92)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> ticks(1, 3, whole=True)
    [1.0, 2.0, 3.0]
    """
    if high <= low:
        low, high = (low - 1, high + 1) if whole else (low - 0.5, high + 0.5)
    rough = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    if whole:
        step = max(1.0, step)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def _scale(low: float, high: float, start: float, end: float) -> Any:
    return lambda value: start + (end - start) * (value - low) / (high - low)


def _grid_line(x1: float, y1: float, x2: float, y2: float, name: str) -> str:
    return (
        f'<line class="grid" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
        f'<text class="tick" x="{x1 - 6:.1f}" y="{y1 + 4:.1f}" text-anchor="end">{name}</text>'
    )


def _number(value: float) -> str:
    return f"{value:.6g}"


def _svg(width: int, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {width} {height}" aria-hidden="true" focusable="false">{"".join(parts)}</svg>'
    )
