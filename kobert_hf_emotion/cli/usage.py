"""What the command line says where it was typed wrongly, in the language that is spoken: typer says it in English."""

from __future__ import annotations

import re
from typing import Any, Protocol

from .language import lines, words

_KOREAN = (
    (r"No such command '(.+?)'\. Did you mean (.+)\?", "'{0}'이라는 명령은 없습니다. 혹시 {1}?"),
    (r"No such command '(.+?)'\.", "'{0}'이라는 명령은 없습니다."),
    (r"No such option: (\S+) \(Possible options: (.+)\)", "{0}라는 옵션은 없습니다. 비슷한 것: {1}"),
    (r"No such option: (\S+)( Did you mean .+\?)?", "{0}라는 옵션은 없습니다."),
    (r"Missing argument (.+?)\.(.*)", "{0}을(를) 주지 않았습니다."),
    (r"Missing option (.+?)\.(.*)", "{0} 옵션이 필요합니다."),
    (r"Option '(.+?)' requires an argument\.", "{0} 옵션에 값이 필요합니다."),
    (
        r"Got unexpected extra arguments?(?:\(s\))? \((.+)\)",
        "남는 것이 있습니다: {0}. 띄어쓰기가 든 글은 따옴표로 감싸세요.",
    ),
    (
        r"Invalid value for (.+?): (?:Value error, )?'?(.*?)'? is not one of (.+)\.",
        "{0}은(는) {2} 가운데 하나여야 합니다.",
    ),
    (r"Invalid value for (.+?): .*valid int.*", "{0}에는 정수가 필요합니다."),
    (r"Invalid value for (.+?): .*valid (?:number|float).*", "{0}에는 수가 필요합니다."),
    (r"Invalid value for (.+?): .*greater than or equal to (\S+)", "{0}은(는) {1} 이상이어야 합니다."),
    (r"Invalid value for (.+?): .*less than or equal to (\S+)", "{0}은(는) {1} 이하여야 합니다."),
    (r"Invalid value for (.+?): (.+) is not in the range (.+)\.", "{0}의 {1}은(는) 범위 {2} 밖입니다."),
)
"""Messages of typer, of its releases since 0.16, and the same in Korean."""


class UsageError(Protocol):
    """An error of typer, which carries its class under a private name."""

    ctx: Any

    def format_message(self) -> str:
        """Returns what is wrong, in English."""


def usage_error(error: UsageError) -> str:
    """Returns what to say of an error in how a command was typed: its usage, and what is wrong."""
    english = error.format_message()
    korean = in_korean(english)
    wrong = english if korean is None else lines(korean, english)
    said = f"{words('오류', 'error')}: {wrong}"
    if error.ctx is None:
        return said
    usage = error.ctx.get_usage()
    help_command = f"{error.ctx.command_path} {error.ctx.help_option_names[0]}"
    return f"{usage}\n{words('도움말', 'help')}: {help_command}\n\n{said}"


def in_korean(english: str) -> str | None:
    """Returns a message of typer in Korean; None for one that is not known here.

    >>> in_korean("No such option: --fold Did you mean --folds?")
    '--fold라는 옵션은 없습니다.'
    """
    for pattern, korean in _KOREAN:
        if found := re.fullmatch(pattern, english, re.DOTALL):
            return korean.format(*found.groups())
    return None
