"""How texts that are longer than a model reads are answered; nothing here loads torch or transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..errors import KoBERTEmotionError
from ..utils.argument_checks import check_count

LongMode: TypeAlias = Literal["window", "sentence"]
Pool: TypeAlias = Literal["mean", "max"]
DEFAULT_STRIDE = 32


@dataclass(frozen=True)
class LongTexts:
    """How texts that are longer than a model reads are answered.

    Attributes:
        mode: "window": in windows as long as the model reads; "sentence": sentence by sentence, a long one in windows.
        stride: Tokens that a window shares with the one before it, at most, as `stride` of transformers' tokenizers.
        pool: How the pieces' probabilities become those of the text; see `modeling.long_texts.pool_logits`.
    """

    mode: LongMode = "window"
    stride: int = DEFAULT_STRIDE
    pool: Pool = "mean"

    def __post_init__(self) -> None:
        """Raises `KoBERTEmotionError` for values that mean nothing."""
        for name, value, known in (("long", self.mode, ("window", "sentence")), ("pool", self.pool, ("mean", "max"))):
            if value not in known:
                raise KoBERTEmotionError(
                    f"`{name}`은 {', '.join(known)} 중 하나여야 하는데 {value!r}입니다.",
                    f"Expected one of {', '.join(known)} as `{name}`, found {value!r}.",
                    mend={name: known[0]},
                )
        check_count("stride", self.stride, 0)
