"""Texts longer than a model reads, as the options say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from ..errors import DataError
from .groups import Long
from .language import spoken
from .output import as_options, note, warn
from .typed import typed

if TYPE_CHECKING:
    from ..inference.logits_model import LogitsModel
    from ..tokenization.long_texts import LongTexts


def long_texts(context: typer.Context, asked: Long) -> LongTexts | None:
    """Returns how long texts are answered, None where they are cut.

    Raises:
        DataError: Windows were described, and none asked for.
    """
    if asked.long is None:
        if unused := [name for name in typed(context) if name in ("stride", "pool")]:
            names = ", ".join(f"`{name}`" for name in unused)
            raise DataError(
                f"{names}은(는) 긴 글을 나눌 때(`long`) 쓰입니다. `long`도 주거나 빼세요.",
                f"{names} is about long texts in pieces: give `long` as well, or leave it out.",
                mend={"long": "window"},
            )
        return None
    from ..tokenization.long_texts import LongTexts

    return LongTexts(asked.long, asked.stride, asked.pool)


def refuse_long(asked: Long) -> None:
    """Raises `DataError` where long texts in pieces were asked for on Ray, which cuts them."""
    if asked.long is not None:
        raise DataError(
            "`engine` ray는 긴 글을 나누지 않고 자릅니다. `long`을 빼거나 `engine` 없이 예측하세요.",
            "`engine` ray cuts long texts and does not divide them: leave `long` out, or `engine`.",
            mend={"long": None},
        )


def note_long(model: LogitsModel, texts: Sequence[str], long: LongTexts | None) -> None:
    """Says how many texts are longer than a model reads, and what becomes of them."""
    from ..modeling.long_texts import LongCounts
    from ..tokenization.guard import UnknownTexts
    from ..tokenization.long_texts import LongTexts
    from ..tokenization.windows import Divider

    reader = model.reader()
    pieces = Divider(reader.tokenizer, reader.limit, long or LongTexts(stride=0)).divide(texts)
    cut = [found for found in pieces if not found.fits]
    counts = LongCounts(reader.limit, len(texts), len(cut), sum(len(found.spans) for found in cut))
    message = UnknownTexts(len(texts), cut=len(cut)).cut_message() if long is None else counts.message(long)
    if message is not None:
        tell = warn if long is None else note  # cut texts are half read
        tell(as_options(message.in_language(spoken())))
