"""What stands before the application: who may ask, and how much a body may hold, while it is read."""

from __future__ import annotations

import asyncio
import hmac
import sys

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .options import ServingOptions
from .problems import refused, too_busy

_HELD_BODIES = 16
"""Bodies of the greatest size that all requests together may hold."""
_DRAINED = 8
"""How many times the greatest size is read, and thrown away, of a body that is too long: a client that is still
sending would not see the answer."""

_SECONDS_A_BODY = 60.0
"""In which a body has to come: clients that send a byte now and then would hold the places of others."""

_SAFETY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)


class _HungUp(Exception):  # noqa: N818 - the name says what was found
    """The client did not wait for an answer."""


class Gate:
    """Asks for the key, reads bodies up to their limit, and adds headers of safety to what is answered."""

    def __init__(self, app: ASGIApp, options: ServingOptions) -> None:
        self._app = app
        self._key = None if options.api_key is None else options.api_key.encode()
        self._limit = options.max_bytes
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                there = {name.lower() for name, _ in headers}
                message["headers"] = [*headers, *(pair for pair in _SAFETY if pair[0] not in there)]
            await send(message)

        if not self._may_ask(scope):
            response = refused(
                401,
                "API 키가 없거나 다릅니다. Authorization: Bearer 키 머리글을 보내세요.",
                "The API key is missing or another: send it as the header Authorization: Bearer KEY.",
                headers={"WWW-Authenticate": "Bearer", "Connection": "close"},
            )
            await response(scope, receive, send_safely)
        elif scope["method"] == "POST":
            await self._with_body(scope, receive, send_safely)
        else:
            await self._app(scope, receive, send_safely)

    def _may_ask(self, scope: Scope) -> bool:
        """Whether a request brings the key, or needs none; the page has to load before its user can give one."""
        if self._key is None or scope["method"] == "OPTIONS":
            return True
        if scope["method"] in ("GET", "HEAD") and scope["path"] != "/metrics":
            return True
        headers = Headers(scope=scope)
        kind, _, token = headers.get("authorization", "").partition(" ")
        given = token.strip(" \t") if kind.lower() == "bearer" else headers.get("x-api-key", "")
        return hmac.compare_digest(given.encode("latin-1"), self._key)  # headers are bytes, handed on as Latin-1

    async def _with_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = bytearray()
        try:
            try:
                async with _Within(_SECONDS_A_BODY):
                    refusal = await self._read(body, receive)
            except TimeoutError:
                refusal = refused(
                    408,
                    f"본문이 {_SECONDS_A_BODY:g}초 안에 오지 않았습니다. 나누어 보내세요.",
                    f"The body did not come within {_SECONDS_A_BODY:g} seconds: send it in parts.",
                    headers={"Connection": "close"},
                )
            except _HungUp:
                return
            if refusal is not None:
                await refusal(scope, receive, send)
                return
            given = False

            async def replay() -> Message:
                nonlocal given
                if given:
                    return await receive()
                given = True
                return {"type": "http.request", "body": bytes(body), "more_body": False}

            await self._app(scope, replay, send)
        finally:
            self._held -= len(body)

    async def _read(self, body: bytearray, receive: Receive) -> Response | None:
        """Reads a body into `body`; where it is refused it is read all the same, thrown away, and the answer returned.

        Raises:
            _HungUp: The client did not wait.
        """
        size, refusal, more = 0, None, True
        while more and size <= _DRAINED * self._limit:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _HungUp
            chunk, more = message.get("body", b""), message.get("more_body", False)
            size += len(chunk)
            refusal = refusal or self._refusal(size, len(chunk))
            if refusal is None:
                body += chunk
                self._held += len(chunk)
            else:
                self._held -= len(body)
                body.clear()
        return refusal

    def _refusal(self, size: int, more: int) -> Response | None:
        """Returns what a body of this size is answered with, None where its last `more` bytes may be held."""
        if size > self._limit:
            return refused(
                413,
                f"본문이 {self._limit:,}바이트보다 큽니다. 나누어 보내세요.",
                f"The body has more than {self._limit:,} bytes: send it in parts.",
                headers={"Connection": "close"},
            )
        if self._held + more > _HELD_BODIES * self._limit:
            return too_busy(1).response
        return None


class _Within:
    """Ends a block after some seconds by `TimeoutError`: `asyncio.timeout`, which Python 3.10 has not.

    Args:
        seconds: How long the block may take.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._is_over = False

    async def __aenter__(self) -> None:
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._end)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: object) -> None:
        self._timer.cancel()
        if self._is_over and kind is asyncio.CancelledError:
            if sys.version_info >= (3, 11) and self._task is not None:
                self._task.uncancel()
            raise TimeoutError from error

    def _end(self) -> None:
        self._is_over = True
        if self._task is not None:
            self._task.cancel()
