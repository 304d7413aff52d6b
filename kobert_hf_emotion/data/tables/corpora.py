"""Public Korean corpora whose files need a word before they can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import DataError, Setting
from ...labels import fold_name
from ..known_columns import TEXT_NAMES

if TYPE_CHECKING:
    from .table import Table

_TALK_TEXT, _TALK_EMOTION = "talk.content.HS01", "profile.emotion.type"


def refuse_known_corpus(table: Table, require_labels: bool) -> None:
    """Raises `DataError` where the columns are a corpus's whose text has no usual name, with the way to use it."""
    names = list(table.frame.columns)
    if any(fold_name(name) in TEXT_NAMES for name in names):
        return
    if _TALK_TEXT in names:
        turns = ", ".join(name for name in names if name.startswith("talk.content.HS"))
        mend: dict[str, Setting] = {"text_column": _TALK_TEXT}
        if require_labels and _TALK_EMOTION in names:
            mend |= {"label_column": _TALK_EMOTION, "labels": "auto"}
        raise DataError(
            f"{table.path}: AI-Hub 감성 대화 말뭉치입니다. 어느 발화를 글로 쓸지 `text_column`으로 정하세요: {turns}. "
            f"감정은 {_TALK_EMOTION}(E10 같은 코드)입니다.",
            f"{table.path}: this is AI-Hub's corpus of emotional dialogues. Choose the turn to use as the text with "
            f"`text_column`: {turns}. The emotion is {_TALK_EMOTION}, a code such as E10.",
            mend=mend,
        )
    if table.options.layout == "kemdy":
        raise DataError(
            f"{table.path}: KEMDy의 평가 파일에는 글이 없습니다. 글은 'Segment ID'마다 있는 .txt 파일에 있으니, "
            "'Text' 열로 붙여 저장하거나 글이 있는 열을 `text_column`으로 지정하세요.",
            f"{table.path}: KEMDy's evaluations hold no texts. They are in a .txt file for each 'Segment ID': add them "
            "as a column 'Text', or name the column that holds texts with `text_column`.",
        )
