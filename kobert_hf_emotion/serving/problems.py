"""Answers to requests that are refused: a status, and why, in Korean and in English."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.responses import JSONResponse

_MOST_PROBLEMS = 10
_MEMBER = re.compile(r"str|(function-after|list)\[.*\]")
"""What pydantic calls a member of a union, which is no field."""
_KOREAN = {
    "missing": "필요한 필드가 없습니다",
    "extra_forbidden": "모르는 필드입니다",
    "string_type": "문자열이어야 합니다",
    "string_unicode": "문자열이 올바른 유니코드가 아닙니다",
    "list_type": "목록이어야 합니다",
    "json_invalid": "올바른 JSON이 아닙니다",
    "model_attributes_type": "JSON 객체여야 합니다. 머리글 Content-Type: application/json도 보내세요",
    "literal_error": "허용된 값이 아닙니다",
    "value_error": "문자열이 올바른 유니코드가 아닙니다",
}
"""What pydantic's kinds of errors are in Korean; others are wrong values."""


class Refusal(Exception):  # noqa: N818 - not an error of ours
    """A request that is refused; see `refused`."""

    def __init__(self, status: int, korean: str, english: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(korean, english)
        self.status = status
        self.response = refused(status, korean, english, headers=headers)


def refused(
    status: int,
    korean: str,
    english: str,
    fields: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Returns the response; `error` is where clients of Hugging Face's inference API look for a message."""
    return JSONResponse(
        {"error": f"{korean} ({english})", "fields": list(fields)}, status, dict(headers) if headers else None
    )


def invalid(errors: Sequence[Mapping[str, Any]]) -> JSONResponse:
    """Returns 422 with the name of each field that is wrong; what was sent is not repeated."""
    problems: dict[str, dict[str, str]] = {}
    for error in errors:
        name = field_name(error["loc"])
        if name not in problems and len(problems) < _MOST_PROBLEMS:
            korean = _KOREAN.get(error["type"], "값이 올바르지 않습니다")
            problems[name] = {"field": name, "message": f"{korean} ({error['msg']})"}
    names = ", ".join(problems)
    return refused(
        422, f"요청이 올바르지 않습니다: {names}", f"the request is not valid: {names}", [*problems.values()]
    )


def field_name(place: Sequence[str | int]) -> str:
    """Returns the name of a field as it would be written in code.

    >>> field_name(("body", "texts", 3)), field_name(("body", 17))
    ('texts[3]', 'body')
    """
    parts = list(place[1:] if place[:1] == ("body",) else place)
    parts = [part for part in parts if not _MEMBER.fullmatch(str(part))]
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")
    return name if name and not name.startswith("[") else "body"


def too_many_texts(found: int, most: int) -> Refusal:
    """Returns the refusal of a request with more texts than one may have."""
    return Refusal(
        413,
        f"글이 {found:,}개입니다. 한 번에 {most:,}개까지이니 나누어 보내세요.",
        f"{found:,} texts; {most:,} at most in one request: send them in parts.",
    )


def too_busy(seconds: int) -> Refusal:
    """Returns the refusal of a request that there is no room for."""
    return Refusal(
        429,
        f"기다리는 글이 많습니다. {seconds}초 뒤에 다시 보내세요.",
        f"Too many texts are waiting: send it again in {seconds} s.",
        {"Retry-After": str(seconds)},
    )
