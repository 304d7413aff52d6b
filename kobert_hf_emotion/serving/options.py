"""What a server is told, checked where it comes in."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import KoBERTEmotionError
from ..tokenization.long_texts import LongTexts
from ..utils.argument_checks import check_count, check_number

API_KEY_VARIABLE = "KOBERT_EMOTION_API_KEY"
"""The environment variable that a key is read from."""


@dataclass(frozen=True)
class ServingOptions:
    """How requests are put together, how many are taken and who may ask.

    Args:
        max_batch_size: Texts that go through the model together.
        max_wait_ms: Milliseconds that a batch waits for as many requests as the last one had; a request that comes
            alone never waits.
        max_texts: Texts of one request; more are answered with 413.
        max_bytes: Bytes of one request's body; more are answered with 413.
        max_queue: Texts that wait for the model; more are answered with 429.
        api_key: What a request has to bring; none if None.
        cors_origins: Origins whose pages may ask, "*" for all; none by default.
        frame_origins: Origins whose pages may show this one in a frame; none by default.
        log_texts: Whether texts and their labels are logged.
        long: How texts longer than the model reads are answered where a request does not say; None cuts them.
    """

    max_batch_size: int = 64
    max_wait_ms: float = 5.0
    max_texts: int = 1_000
    max_bytes: int = 4_000_000
    max_queue: int = 4_000
    api_key: str | None = None
    cors_origins: Sequence[str] = ()
    frame_origins: Sequence[str] = ()
    log_texts: bool = False
    long: LongTexts | None = None

    def __post_init__(self) -> None:
        for name in ("max_batch_size", "max_texts", "max_bytes", "max_queue"):
            check_count(name, getattr(self, name))
        check_number("max_wait_ms", self.max_wait_ms)
        for origin in self.frame_origins:
            _check_origin(origin)
        if self.max_queue < self.max_texts:
            raise KoBERTEmotionError(
                f"`max_queue`({self.max_queue})가 `max_texts`({self.max_texts})보다 작아서 허용된 요청도 받을 수 "
                "없습니다.",
                f"`max_queue` ({self.max_queue}) is less than `max_texts` ({self.max_texts}): a request that is "
                "allowed could never be taken.",
                mend={"max_queue": self.max_texts},
            )


def _check_origin(origin: str) -> None:
    """Raises `KoBERTEmotionError` for what is no origin: it goes into a header, beside others."""
    if not re.fullmatch(r"https?://[\w.*-]+(:\d+)?", origin, re.ASCII):
        raise KoBERTEmotionError(
            f"`frame_origin`에는 https://example.com 같은 출처가 필요한데 {origin!r}입니다.",
            f"Expected an origin such as https://example.com as `frame_origin`, found {origin!r}.",
        )


def read_api_key(file: Path | None) -> str | None:
    """Returns the key in a file, or else that of the environment; None where there is neither.

    Raises:
        KoBERTEmotionError: The file cannot be read, or the key is empty.
    """
    if file is None:
        key, place = os.environ.get(API_KEY_VARIABLE), API_KEY_VARIABLE
    else:
        try:
            key, place = file.read_text(encoding="utf-8"), str(file)
        except (OSError, UnicodeDecodeError) as error:
            raise KoBERTEmotionError(
                f"`api_key_file`을 읽을 수 없습니다: {error}", f"Cannot read `api_key_file`: {error}"
            ) from error
    if key is not None and not key.strip():
        raise KoBERTEmotionError(
            f"{place}의 API 키가 비어 있습니다. 키를 적거나 쓰지 마세요.",
            f"The API key in {place} is empty: write one, or leave it out.",
        )
    return None if key is None else key.strip()


def require_serving() -> None:
    """Checks that the extra `serve` is installed.

    Raises:
        KoBERTEmotionError: It is not.
    """
    try:
        import fastapi_offline  # noqa: F401 - asked whether they are there
        import httptools  # noqa: F401
        import prometheus_client  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise KoBERTEmotionError(
            f"서버에 필요한 패키지가 없습니다: {error.name}",
            f"A package that the server needs is not installed: {error.name}.",
            "pip install 'kobert-hf-emotion[serve]'",
        ) from error
