"""Training arguments written as text: `lr_scheduler_type=linear` on a command line, or in a file."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import KoBERTEmotionError

ARGUMENTS = {
    "epochs": "num_train_epochs",
    "batch_size": "per_device_train_batch_size",
    "accumulate": "gradient_accumulation_steps",
    "gamma": "focal_gamma",
    "alpha": "focal_alpha",
    "warmup": "warmup_steps",
}
"""Training arguments whose options are called otherwise."""

OTHER_ARGUMENTS: dict[str, type] = {
    "adam_beta1": float,
    "adam_beta2": float,
    "adam_epsilon": float,
    "bf16": bool,
    "data_seed": int,
    "fp16": bool,
    "gradient_accumulation_steps": int,
    "logging_steps": int,
    "lr_scheduler_kwargs": dict,
    "lr_scheduler_type": str,
    "max_grad_norm": float,
    "neftune_noise_alpha": float,
    "optim": str,
    "optim_args": str,
    "per_device_eval_batch_size": int,
    "train_sampling_strategy": str,
}
"""Arguments of transformers that have no option of their own and do something in every training here."""


def others_from(written: Iterable[str], options: Mapping[str, str], own: Iterable[str]) -> dict[str, Any]:
    """Reads arguments that are written as NAME=VALUE.

    Args:
        written: Such as `lr_scheduler_type=linear`; a value is JSON, or a text as it stands.
        options: The options that arguments of another name have, for messages.
        own: Names of the arguments that have an option.

    Raises:
        KoBERTEmotionError: A name is none of `OTHER_ARGUMENTS`, or a value is of another kind than it takes.
    """
    found: dict[str, Any] = {}
    own = set(own)
    for item in written:
        name, sign, text = item.partition("=")
        name = name.strip().removeprefix("--").replace("-", "_")
        if not sign:
            raise KoBERTEmotionError(
                f"`other_arguments`는 이름=값이어야 하는데 {item!r}입니다. 예: lr_scheduler_type=linear",
                f"Expected NAME=VALUE as `other_arguments`, found {item!r}, for example lr_scheduler_type=linear.",
                mend={"other_arguments": None},
            )
        option = options.get(name, name)
        if name in own or option in own:
            raise KoBERTEmotionError(
                f"`other_arguments`의 {name}에는 따로 옵션이 있습니다: --{option.replace('_', '-')}",
                f"{name} in `other_arguments` has an option of its own: --{option.replace('_', '-')}.",
                mend={"other_arguments": None},
            )
        found[name] = value_of(name, _read(text))
    return found


def value_of(name: str, value: Any) -> Any:
    """Returns a value of one of `OTHER_ARGUMENTS` as the kind it takes.

    Raises:
        KoBERTEmotionError: There is no such argument, or the value is of another kind.
    """
    if name not in OTHER_ARGUMENTS:
        near = difflib.get_close_matches(name, OTHER_ARGUMENTS, n=1)
        korean, english = (f" 혹시 {near[0]}인가요?", f" Did you mean {near[0]}?") if near else ("", "")
        raise KoBERTEmotionError(
            f"모르는 학습 인자입니다: {name}.{korean} 쓸 수 있는 것: {', '.join(OTHER_ARGUMENTS)}",
            f"Unknown training argument {name}.{english} Expected one of {', '.join(OTHER_ARGUMENTS)}.",
            mend={"other_arguments": None},
        )
    kind = OTHER_ARGUMENTS[name]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise KoBERTEmotionError(
            f"{name}에는 {kind.__name__} 값이 필요한데 {value!r} ({type(value).__name__})입니다.",
            f"Expected {kind.__name__} as {name}, found {value!r} ({type(value).__name__}).",
            mend={"other_arguments": None},
        )
    return value


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()
