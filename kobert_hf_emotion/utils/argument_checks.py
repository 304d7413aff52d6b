"""Looks at what callers hand in, where it comes in: texts, counts and data sets."""

from __future__ import annotations

import difflib
import math
import operator
import os
from numbers import Real
from pathlib import Path
from typing import Any

from ..errors import KoBERTEmotionError
from .file_suffixes import FILE_SUFFIXES


def exists(path: str) -> bool:
    """Whether there is a file or folder of that name, `~` being the home folder; also of texts too long for a name."""
    try:
        return os.path.exists(os.path.expanduser(path))
    except ValueError:  # a NUL in it
        return False


def nearest_path(path: str | os.PathLike[str]) -> str | None:
    """Returns the file or folder whose name is most like that of a path that is not there."""
    wanted = Path(os.path.expanduser(os.fspath(path).replace("\\", "/")))
    if exists(str(wanted)):
        return str(wanted)
    try:
        names = sorted(entry.name for entry in wanted.parent.iterdir() if not entry.name.startswith("."))
    except (OSError, ValueError):
        return None
    same_stem = [name for name in names if name.lower().endswith(FILE_SUFFIXES) and Path(name).stem == wanted.name]
    near = same_stem or difflib.get_close_matches(wanted.name, names, n=1, cutoff=0.6)
    return str(wanted.parent / near[0]) if near else None


def check_count(name: str, value: Any, least: int = 1, below: float = math.inf) -> int:
    """Returns a whole number of at least `least`, and below `below`.

    Raises:
        KoBERTEmotionError: `value` is something else; True and False are no numbers here.
    """
    try:
        count = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        count = None
    if count is None or not least <= count < below:
        top_ko, top_en = (f" {below} 미만", f" and below {below}") if below < math.inf else ("", "")
        raise KoBERTEmotionError(
            f"`{name}`은(는) {least} 이상{top_ko}의 정수여야 하는데 {value!r} ({type(value).__name__})입니다.",
            f"Expected a whole number, {least} or more{top_en}, as `{name}`, found {value!r} ({type(value).__name__}).",
            mend={name: None},
        )
    return count


def check_number(name: str, value: Any, least: float = 0.0, below: float = math.inf, *, above: bool = False) -> float:
    """Returns a number in [least, below), or in (least, below) where `above` is True.

    Raises:
        KoBERTEmotionError: `value` is something else; texts, True and False are no numbers here.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not (value > least if above else value >= least) or not value < below:
        low_ko, low_en = ("초과", "above") if above else ("이상", "at least")
        high_ko, high_en = (f" {below:g} 미만", f" and below {below:g}") if below < math.inf else ("", " and finite")
        if float(f"{below:g}") < below < math.inf:  # the number that is shown is one of those allowed
            high_ko, high_en = f" {below:g} 이하", f" and at most {below:g}"
        raise KoBERTEmotionError(
            f"`{name}`은(는) {least:g} {low_ko}{high_ko}인 수여야 하는데 {value!r} ({type(value).__name__})입니다.",
            f"Expected a number {low_en} {least:g}{high_en} as `{name}`, found {value!r} ({type(value).__name__}).",
            mend={name: None},
        )
    return float(value)


def check_path(name: str, value: Any) -> None:
    """Raises `KoBERTEmotionError` where `value` is neither the text of a path nor a path, or is empty."""
    if not isinstance(value, str | os.PathLike) or not os.fspath(value):
        raise KoBERTEmotionError(
            f"`{name}`에는 경로나 이름이 필요한데 {value!r} ({type(value).__name__})입니다.",
            f"Expected a path or a name as `{name}`, found {value!r} ({type(value).__name__}).",
        )


def check_type(name: str, value: Any, expected: type | tuple[type, ...], how: str) -> None:
    """Raises `KoBERTEmotionError` where `value` is not of an expected type; `how` is code that makes one."""
    if not isinstance(value, expected):
        kinds = expected if isinstance(expected, tuple) else (expected,)
        names = ", ".join(kind.__name__ for kind in kinds)
        raise KoBERTEmotionError(
            f"`{name}`에는 {names}이(가) 필요한데 {value!r:.80} ({type(value).__name__})입니다. 예: {how}",
            f"Expected {names} as `{name}`, found {value!r:.80} ({type(value).__name__}), for example {how}.",
        )
