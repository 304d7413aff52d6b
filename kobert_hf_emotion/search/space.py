"""Which arguments are looked for, and among which values: a default, or a file of one's own."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import KoBERTEmotionError
from ..training.argument_values import ARGUMENTS, OTHER_ARGUMENTS, value_of

if TYPE_CHECKING:
    from optuna.trial import Trial

Value = float | int | str | bool

DEFAULTS: dict[str, Value] = {
    "learning_rate": 5e-5,
    "epochs": 10,
    "batch_size": 64,
    "gamma": 2.0,
    "alpha": "1.0",
    "dropout": 0.5,
    "warmup": 0.1,
    "weight_decay": 0.01,
    "layer_decay": 1.0,
    "max_length": 64,
}
"""What `kobert-emotion train` takes where nothing is said, by the names of its options."""
_KINDS: dict[str, type] = {
    **{name: type(value) for name, value in DEFAULTS.items() if name != "epochs"},
    **{name: kind for name, kind in OTHER_ARGUMENTS.items() if kind is not dict},
    "epochs": float,
}
DEFAULT_SPACE: dict[str, Any] = {
    "learning_rate": {"low": 1e-5, "high": 1e-3, "log": True},
    "epochs": {"low": 2, "high": 10},
    "batch_size": [16, 32, 64],
    "gamma": {"low": 0.0, "high": 4.0, "step": 0.5},
    "alpha": ["1.0", "balanced", "effective"],
    "dropout": {"low": 0.0, "high": 0.5, "step": 0.1},
    "warmup": {"low": 0.0, "high": 0.2},
    "weight_decay": {"low": 1e-4, "high": 0.3, "log": True},
    "layer_decay": {"low": 0.7, "high": 1.0, "step": 0.05},
    "max_length": [32, 64, 128],
}
"""What is looked for where no file says otherwise, as a file would say it."""
_BOUNDS = ("low", "high", "log", "step")


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both among them."""

    low: float
    high: float
    log: bool = False
    step: float | None = None
    whole: bool = False

    def draw(self, trial: Trial, name: str) -> Value:
        """Returns what a trial has for an argument, drawn where it has nothing yet."""
        if self.whole:
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.log, step=int(self.step or 1))
        return self._plain(trial.suggest_float(name, self.low, self.high, log=self.log, step=self.step))

    def nearest(self, value: Value) -> Value:
        """Returns the number of the range that is nearest to a value."""
        inside = min(max(float(value), self.low), self.high)
        if self.step is not None:
            inside = min(self.low + round((inside - self.low) / self.step) * self.step, self.high)
        return int(inside) if self.whole else self._plain(inside)

    def _plain(self, value: float) -> float:
        """0.7 and three steps of 0.05 are 0.8500000000000001, which nobody would write."""
        return value if self.step is None else float(f"{value:.12g}")

    @property
    def ends(self) -> tuple[Value, ...]:
        """The least and the largest number."""
        return self.low, self.high

    def to_dict(self) -> dict[str, Any]:
        """Returns the range as a file would say it."""
        return {"low": self.low, "high": self.high, "log": self.log, "step": self.step}


@dataclass(frozen=True)
class Choices:
    """Some values, without an order."""

    values: tuple[Value, ...]

    def draw(self, trial: Trial, name: str) -> Value:
        """Returns what a trial has for an argument, drawn where it has nothing yet."""
        drawn: Any = trial.suggest_categorical(name, list(self.values))
        found: Value = drawn
        return found

    def nearest(self, value: Value) -> Value:
        """Returns the value where it is one of them, else the first."""
        return value if value in self.values else self.values[0]

    @property
    def ends(self) -> tuple[Value, ...]:
        """All of them, for they have no order."""
        return self.values

    def to_dict(self) -> list[Value]:
        """Returns the values as a file would say them."""
        return list(self.values)


@dataclass(frozen=True)
class Space:
    """What is looked for.

    Attributes:
        searched: Ranges and choices, by the name of the argument as `kobert-emotion train` calls it.
        fixed: Arguments with one value, which all trials have.
    """

    searched: Mapping[str, Range | Choices]
    fixed: Mapping[str, Value]

    def start(self) -> dict[str, Value]:
        """Returns the arguments of the first trial: `train`'s own, or where the space has not these the nearest."""
        return {name: part.nearest(DEFAULTS.get(name, _first(part))) for name, part in self.searched.items()}

    def moved(self) -> dict[str, tuple[Value, Value]]:
        """Returns which of `train`'s own arguments are not in the space, each with what stands for it."""
        start = {**self.fixed, **self.start()}
        return {
            name: (value, start[name]) for name, value in DEFAULTS.items() if name in start and start[name] != value
        }

    def to_dict(self) -> dict[str, Any]:
        """Returns the space as a file would say it."""
        return {**{name: part.to_dict() for name, part in self.searched.items()}, **self.fixed}


def _first(part: Range | Choices) -> Value:
    return part.low if isinstance(part, Range) else part.values[0]


def training_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Returns arguments by the names that `EmotionTrainingArguments` has for them."""
    return {ARGUMENTS.get(name, name): value for name, value in arguments.items()}


def command_words(arguments: Mapping[str, Any]) -> list[str]:
    """Returns arguments as words of a command line of `kobert-emotion train`.

    >>> command_words({"learning_rate": 0.0002, "lr_scheduler_type": "linear"})
    ['--learning-rate', '0.0002', '--set', 'lr_scheduler_type=linear']
    """
    words = []
    for name, value in arguments.items():
        if name in OTHER_ARGUMENTS:
            shown = value if isinstance(value, str) else {True: "true", False: "false"}.get(value, value)
            words += ["--set", f"{name}={shown}"]
        else:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return words


def read_space(path: str | os.PathLike[str] | None = None) -> Space:
    """Reads a YAML file, or returns the default space.

    A name stands for an argument of `kobert-emotion train`, with `_` for `-`; it has a list of values, a range
    (`{low: 1e-5, high: 1e-3, log: true}`, maybe with a `step`), or one value, which is then not looked for. Arguments
    that are not named have their default.

    Raises:
        KoBERTEmotionError: It cannot be read, or names something else.
    """
    if path is None:
        return space_from(DEFAULT_SPACE)
    import yaml

    try:
        content = yaml.load(Path(path).read_text(encoding="utf-8-sig"), _once(yaml))  # noqa: S506 - a SafeLoader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        about = " ".join(str(error).split())
        raise KoBERTEmotionError(
            f"`space` 파일 {path}을(를) YAML로 읽을 수 없습니다: {about}",
            f"Cannot read the `space` file {path} as YAML: {about}",
            mend={"space": None},
        ) from error
    if not isinstance(content, dict) or not content:
        raise _wrong(
            f"{path}에 '이름: 값' 줄이 없습니다. 예: learning_rate: {{low: 1e-5, high: 1e-3, log: true}}",
            f"{path} holds no lines of 'name: values', such as learning_rate: {{low: 1e-5, high: 1e-3, log: true}}.",
        )
    return space_from(content)


def _once(yaml: Any) -> Any:
    """Returns a loader that refuses a name that stands twice in a mapping, of which PyYAML keeps the last."""

    class Once(yaml.SafeLoader):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            names = [self.construct_object(key, deep=True) for key, _ in node.value]
            if twice := [name for number, name in enumerate(names) if name in names[:number]]:
                raise yaml.constructor.ConstructorError(None, None, f"{twice[0]} stands there twice", node.start_mark)
            return super().construct_mapping(node, deep)

    return Once


def space_from(content: Mapping[str, Any]) -> Space:
    """Returns the space that a file's content, or a dictionary, describes; see `read_space`.

    Raises:
        KoBERTEmotionError: It names something else.
    """
    searched: dict[str, Range | Choices] = {}
    fixed: dict[str, Value] = {}
    for written, values in content.items():
        name = str(written).removeprefix("--").replace("-", "_")
        if name in searched or name in fixed:
            raise _wrong(f"{name}이(가) 두 번 있습니다.", f"{name} stands there twice.")
        if name not in _KINDS:
            raise _wrong(
                f"탐색할 수 없는 이름입니다: {written}. 쓸 수 있는 것: {', '.join(_KINDS)}",
                f"{written} cannot be looked for; expected one of {', '.join(_KINDS)}.",
            )
        part = _part(name, values)
        if isinstance(part, (Range, Choices)):
            searched[name] = part
        else:
            fixed[name] = part
    if not searched:
        raise _wrong(
            "탐색할 것이 없습니다: 모든 이름에 값이 하나뿐입니다.",
            "There is nothing to look for: every name has one value.",
        )
    return Space(searched, fixed)


def _part(name: str, values: Any) -> Range | Choices | Value:
    if isinstance(values, Mapping):
        return _range(name, values)
    if not isinstance(values, list):
        return _value(name, values)
    choices = tuple(dict.fromkeys(_value(name, value) for value in values))
    if not choices:
        raise _wrong(f"{name}에 값이 없습니다.", f"{name} has no values.")
    return Choices(choices) if len(choices) > 1 else choices[0]


def _range(name: str, written: Mapping[str, Any]) -> Range | Value:
    if not {"low", "high"} <= set(written) <= set(_BOUNDS) or _KINDS[name] in (str, bool):
        raise _wrong(
            f"{name}의 범위를 읽을 수 없습니다: {dict(written)}. 숫자 인자에 {{low: 1, high: 2}}처럼 쓰고, log: true나 "
            "step: 0.1을 더할 수 있습니다.",
            f"Cannot read {dict(written)} as a range of {name}: write {{low: 1, high: 2}} for an argument that is a "
            "number, with log: true or step: 0.1 if wanted.",
        )
    if not isinstance(written.get("log", False), bool):
        raise _wrong(
            f"{name}의 log는 true나 false여야 하는데 {written['log']!r}입니다.",
            f"{name}: expected true or false as log, found {written['log']!r}.",
        )
    low, high = _number(name, written["low"]), _number(name, written["high"])
    step = None if written.get("step") is None else _number(name, written["step"])
    found = Range(low, high, written.get("log", False), step, _is_whole(name, low, high, step))
    if not _is_sound(found):
        raise _wrong(
            f"{name}의 범위가 맞지 않습니다: {dict(written)}. low가 high보다 크지 않고, log이면 low가 0보다 크고 "
            "step이 없어야 하며, step은 0보다 커야 합니다.",
            f"{dict(written)} is no range of {name}: expected low up to high; with log a low above 0 and no step; and "
            "a step above 0.",
        )
    if low == high:
        return _value(name, low)
    if not found.whole:
        return found
    return Range(int(low), int(high), found.log, None if step is None else int(step), whole=True)


def _is_sound(found: Range) -> bool:
    if found.log and (found.low <= 0 or found.step is not None):
        return False
    return found.low <= found.high and (found.step is None or found.step > 0)


def _is_whole(name: str, *numbers: float | None) -> bool:
    """Whether a range is one of whole numbers; epochs are where all of its numbers are.

    Raises:
        KoBERTEmotionError: It has to be, and is not.
    """
    given = [number for number in numbers if number is not None]
    all_whole = all(number == int(number) for number in given)
    if _KINDS[name] is int and not all_whole:
        raise _wrong(
            f"{name}은(는) 정수인데 범위에 {given}이(가) 있습니다.",
            f"{name} is a whole number, and its range has {given}.",
        )
    return all_whole and (_KINDS[name] is int or name == "epochs")


def _number(name: str, value: Any) -> float:
    """Returns a number; YAML takes 1e-5, without a point, for a text."""
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise _wrong(f"{name}: 숫자가 아닙니다: {value!r}", f"{name}: expected a number, found {value!r}.")
    return number


def _value(name: str, value: Any) -> Value:
    kind = _KINDS[name]
    if kind is str and name not in OTHER_ARGUMENTS:  # alpha, which may be a number
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return str(float(value)) if is_number else str(value)
    if kind in (str, bool):
        try:
            found: Value = value_of(name, value)
        except KoBERTEmotionError as error:
            raise _wrong(error.korean, error.english) from error
        return found
    number = _number(name, value)
    return int(number) if _is_whole(name, number) else number


def _wrong(korean: str, english: str) -> KoBERTEmotionError:
    return KoBERTEmotionError(f"`space`: {korean}", f"`space`: {english}", mend={"space": None})
