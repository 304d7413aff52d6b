"""The turns before a line, as the options say and as a model was trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import DataError, Setting
from ..wording import Wording
from .output import note

if TYPE_CHECKING:
    from ..data.turns import Turns as WantedTurns
    from ..inference.logits_model import LogitsModel
    from .groups import Columns, Conversations


def turns_of(model: LogitsModel, asked: Conversations, columns: Columns) -> WantedTurns | None:
    """Returns the turns that go with the lines of a file that a model answers, None where none do.

    They are those that the model was trained with, unless the options say otherwise, which is then said.

    Raises:
        DataError: The model was trained without turns.
    """
    trained, typed = model.context_turns, _typed(asked)
    if not trained:
        if typed:
            raise DataError(
                f"이 모델은 앞말(`context`) 없이 학습했습니다. {_named(typed)}을(를) 빼거나 `train`에 `context`를 주어 "
                "학습하세요.",
                f"This model was trained without the turns before a line: leave {_named(typed)} out, or train one with "
                "`context`.",
                mend=dict.fromkeys(typed),
            )
        return None
    if columns.text_pair_column is not None:
        note(Wording("둘째 글을 앞말로 읽습니다.", "the second text is read as the turns before a line"))
        return None
    count = trained if asked.context is None else asked.context
    if count != trained:
        note(
            Wording(
                f"모델은 앞말 {trained}마디로 학습했고, {count}마디로 답합니다.",
                f"the model was trained with {trained} turn(s) before a line and answers with {count}",
            )
        )
    from ..data.turns import Turns

    return Turns(count, asked.order_column, required=bool(typed)) if count else None


def note_single_lines(model: LogitsModel) -> None:
    """Says of a model that was trained with turns that what follows is answered without any."""
    if model.context_turns:
        note(
            Wording(
                f"모델은 앞말 {model.context_turns}마디까지로 학습했습니다. 여기서는 앞말 없는 줄로 답합니다.",
                f"the model was trained with up to {model.context_turns} turn(s) before a line; here each text is "
                "answered as a line without turns before it",
            )
        )


def note_served_lines(model: LogitsModel) -> None:
    """Says of a model that was trained with turns how a request brings them."""
    if model.context_turns:
        note(
            Wording(
                f"모델은 앞말 {model.context_turns}마디까지로 학습했습니다. 요청의 contexts에 앞말이 없는 글은 "
                "앞말 없는 줄로 답합니다.",
                f"the model was trained with up to {model.context_turns} turn(s) before a line; a text without any in "
                "the request's contexts is answered as a line without turns before it",
            )
        )


def refuse_turns(asked: Conversations) -> None:
    """Raises `DataError` where turns were asked for where none can be read: with Ray, or of texts."""
    if typed := _typed(asked):
        raise DataError(
            f"앞말은 파일 하나를 한 컴퓨터에서 예측할 때 씁니다. {_named(typed)}을(를) 빼세요.",
            f"Turns before a line are read of one file, without Ray: leave {_named(typed)} out.",
            mend=dict.fromkeys(typed),
        )


def _typed(asked: Conversations) -> dict[str, Setting]:
    return {name: value for name, value in vars(asked).items() if value is not None}


def _named(typed: dict[str, Setting]) -> str:
    return ", ".join(f"`{name}`" for name in typed)
