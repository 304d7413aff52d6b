"""Pictures of a run, with a font that has Hangul."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .files import atomic_write
from .trainer import EpochRecord


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
    with atomic_write(path, "wb") as handle:
        figure.savefig(handle, format="png", dpi=120)


def _label(axes: Axes, title: str, font: font_manager.FontProperties) -> None:
    axes.set_title(title, fontproperties=font, fontsize=13)
    axes.set_xlabel("에폭 (epoch)", fontproperties=font)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend(prop=font, fontsize=8, ncols=2)
