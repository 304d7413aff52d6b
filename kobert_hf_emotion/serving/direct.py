"""A shorter way to the two endpoints that are asked all the time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problems import Refusal

JSON = b"application/json"


@dataclass(frozen=True)
class Endpoint:
    """What is answered to a body.

    Attributes:
        model: What the body has to be.
        answer: Returns the answer to it; it is also given what tells that the client has hung up.
    """

    model: type[BaseModel]
    answer: Callable[[Any, Receive], Awaitable[Response]]


class Direct:
    """Answers plain requests without what FastAPI does for each: a route, scopes, dependencies, the type of the body.

    A request that is not plain (another type of body, one in parts, or one that is not valid) goes to the application
    as it came, which says what is wrong with it; so there is one description of what is asked for, and one of errors.

    Args:
        app: The application.
        endpoints: Endpoints of it that take JSON by POST, by their paths.
    """

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, Endpoint]) -> None:
        self._app = app
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles a request."""
        endpoint = self._endpoints.get(scope["path"]) if scope["type"] == "http" else None
        if endpoint is None or scope["method"] != "POST" or not _is_json(scope):
            await self._app(scope, receive, send)
            return
        first = await receive()
        body = _read(endpoint.model, first)
        if body is None:
            await self._app(scope, _again(first, receive), send)
            return
        try:
            response = await endpoint.answer(body, receive)
        except Refusal as refusal:
            response = refusal.response
        await response(scope, receive, send)


def _is_json(scope: Scope) -> bool:
    return [value for name, value in scope["headers"] if name == b"content-type"] == [JSON]


def _read(model: type[BaseModel], message: Message) -> BaseModel | None:
    """Returns a body, None where it is not whole or not what it has to be."""
    if message["type"] != "http.request" or message.get("more_body", False):
        return None
    try:
        return model.model_validate_json(message.get("body", b""))
    except ValidationError:
        return None


def _again(first: Message, receive: Receive) -> Receive:
    """Returns what gives a message that was received already, and then those that follow it."""
    waiting = [first]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
