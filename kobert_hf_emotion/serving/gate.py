"""What stands before the application: who may ask, and how much a body may hold, while it is read."""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .options import ServingOptions
from .problems import refused, too_busy

_HELD_BODIES = 16
"""Bodies of the greatest size that all requests together may hold."""
_DRAINED = 8
"""How many times the greatest size is read, and thrown away, of a body that is too long: a client that is still
sending would not see the answer."""


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
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "no-referrer")
                headers.setdefault("Cache-Control", "no-store")
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
        body, size, response = bytearray(), 0, None
        try:
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return
                chunk, more = message.get("body", b""), message.get("more_body", False)
                size += len(chunk)
                if response is None and size > self._limit:
                    response = refused(
                        413,
                        f"본문이 {self._limit:,}바이트보다 큽니다. 나누어 보내세요.",
                        f"The body has more than {self._limit:,} bytes: send it in parts.",
                        headers={"Connection": "close"},
                    )
                if response is None and self._held + len(chunk) > _HELD_BODIES * self._limit:
                    response = too_busy(1).response
                if response is None:
                    body += chunk
                    self._held += len(chunk)
                    continue
                self._held -= len(body)
                body.clear()
                if size > _DRAINED * self._limit:
                    break
            if response is not None:
                await response(scope, receive, send)
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
