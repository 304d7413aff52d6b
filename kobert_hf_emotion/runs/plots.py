"""Pictures of a run, with a font that has Hangul."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from ..metrics.calibration import Calibration, ReliabilityBin
from ..training.history import EpochRecord
from ..utils.files import atomic_write
from ..utils.progress import Advance, progress
from ..wording import Wording

_DPI = 120
_LARGE = 15
"""More classes than this get smaller cells, with the counts alone."""


def counted_pictures(count: int) -> AbstractContextManager[Advance]:
    """Counts pictures while they are drawn: of 44 labels one takes some seconds."""
    return progress(Wording("그림 그리기", "drawing pictures"), count, Wording("장", "pictures"))


def hangul_font() -> font_manager.FontProperties:
    """Returns NanumGothic from the font package this library depends on.

    The package is not imported: its import changes matplotlib's settings for the whole process.

    Raises:
        FileNotFoundError: The package `koreanize-matplotlib` is not installed.
    """
    spec = find_spec("koreanize_matplotlib")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("koreanize-matplotlib, whose font draws Hangul, is not installed")
    return font_manager.FontProperties(fname=Path(spec.origin).parent / "fonts" / "NanumGothic.ttf")


def plot_curves(path: str | os.PathLike[str], histories: Mapping[int, Sequence[EpochRecord]]) -> None:
    """Draws loss and accuracy of every fold over the epochs.

    Args:
        path: PNG file to write, atomically.
        histories: The epochs of each fold, by its number.
    """
    font = hangul_font()
    figure = Figure(figsize=(12, 4.8), layout="constrained")
    loss_axes, accuracy_axes = figure.subplots(1, 2)
    for number, history in histories.items():
        epochs = [record.epoch for record in history]
        color = f"C{(number - 1) % 10}"
        for axes, train, validation in (
            (loss_axes, [r.train_loss for r in history], [r.val_loss for r in history]),
            (accuracy_axes, [r.train_accuracy for r in history], [r.val_accuracy for r in history]),
        ):
            axes.plot(epochs, train, color=color, linestyle="--", marker=".", label=f"{number}겹 학습")
            axes.plot(epochs, validation, color=color, marker="o", label=f"{number}겹 검증")
    _label(loss_axes, "초점 손실 (focal loss)", font)
    _label(accuracy_axes, "정확도 (accuracy)", font)
    _save(figure, path)


def _save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Writes a figure as PNG, drawn once: `savefig` draws one whose layout is constrained twice."""
    figure.set_dpi(_DPI)
    with atomic_write(path, "wb") as handle:
        FigureCanvasAgg(figure).print_png(handle)


def _label(axes: Axes, title: str, font: font_manager.FontProperties) -> None:
    axes.set_title(title, fontproperties=font, fontsize=13)
    axes.set_xlabel("에폭 (epoch)", fontproperties=font)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend(prop=font, fontsize=8, ncols=2)


def plot_confusion(path: str | os.PathLike[str], counts: NDArray[np.integer], names: Sequence[str]) -> None:
    """Draws a confusion matrix: in each cell the rows and their share of the label's rows, which is its colour.

    Cells without rows stay empty.

    Args:
        path: PNG file to write, atomically.
        counts: Rows by label (down) and prediction (across), shape (classes, classes).
        names: Label names in the order of their ids.
    """
    font = hangul_font()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    is_large = len(names) > _LARGE
    points = 7 if is_large else 10
    size = 2.6 + (0.55 if is_large else 0.95) * len(names)
    figure = Figure(figsize=(size + 0.6, size), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    style: dict[str, Any] = {"ha": "center", "va": "center", "ma": "center", "fontproperties": font}
    for row, column in zip(*np.nonzero(counts), strict=True):
        share = shares[row, column]
        text = f"{counts[row, column]:,}" + ("" if is_large else f"\n{share:.0%}")
        cell = axes.text(column, row, text, color="white" if share > 0.5 else "black", fontsize=points, **style)
        cell.set_in_layout(False)  # it lies inside the axes; measuring thousands of them takes a minute
    axes.set_xticks(range(len(names)), names, fontproperties=font, rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names, fontproperties=font)
    axes.set_xlabel("예측 (prediction)", fontproperties=font, fontsize=12)
    axes.set_ylabel("라벨 (label)", fontproperties=font, fontsize=12)
    axes.set_title("검증 예측의 혼동 행렬 (out-of-fold confusion matrix)", fontproperties=font, fontsize=13, pad=12)
    bar = figure.colorbar(image, ax=axes, shrink=0.8, format=PercentFormatter(1.0))
    bar.set_label("라벨의 행 가운데 비율 (share of the label's rows)", fontproperties=font)
    _save(figure, path)


def plot_calibration(path: str | os.PathLike[str], calibration: Calibration) -> None:
    """Draws two reliability diagrams: accuracy over confidence before and after scaling by temperature.

    Args:
        path: PNG file to write, atomically.
        calibration: What was measured on out-of-fold predictions.
    """
    font = hangul_font()
    figure = Figure(figsize=(11, 6), layout="constrained")
    panels = figure.subplots(2, 2, sharex=True, height_ratios=[4, 1])
    temperatures = [f"{temperature:.2f}" for temperature in calibration.fold_temperatures]
    spread = f"{min(temperatures)}–{max(temperatures)}" if len(set(temperatures)) > 1 else temperatures[0]
    for (top, bottom), bins, title in (
        (panels[:, 0], calibration.before, f"보정 전 (before): ECE {calibration.ece_before:.4f}"),
        (panels[:, 1], calibration.after, f"보정 후 (after, T {spread}): ECE {calibration.ece_after:.4f}"),
    ):
        _draw_reliability(top, bins, font)
        top.set_title(title, fontproperties=font, fontsize=13)
        bottom.bar(
            [found.low for found in bins], [found.rows for found in bins], _width(bins), align="edge", color="0.6"
        )
        bottom.set_xlabel("확신 (confidence)", fontproperties=font)
        bottom.set_ylabel("행 (rows)", fontproperties=font)
        bottom.set_xlim(0, 1)
    _save(figure, path)


def _draw_reliability(axes: Axes, bins: Sequence[ReliabilityBin], font: font_manager.FontProperties) -> None:
    filled = [found for found in bins if found.rows]
    left, width = [found.low for found in filled], _width(bins)
    accuracy = np.array([found.accuracy for found in filled])
    confidence = np.array([found.confidence for found in filled])
    axes.bar(left, accuracy, width, align="edge", color="C0", edgecolor="white", label="정확도 (accuracy)")
    axes.bar(
        left,
        confidence - accuracy,
        width,
        bottom=accuracy,
        align="edge",
        color="C3",
        alpha=0.3,
        edgecolor="C3",
        hatch="//",
        label="확신과의 차이 (gap to confidence)",
    )
    axes.plot([0, 1], [0, 1], color="0.3", linestyle="--", linewidth=1)
    axes.set_ylim(0, 1)
    axes.set_ylabel("정확도 (accuracy)", fontproperties=font)
    axes.grid(alpha=0.3)
    axes.legend(prop=font, loc="upper left")


def _width(bins: Sequence[ReliabilityBin]) -> float:
    return bins[0].high - bins[0].low
