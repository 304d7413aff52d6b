"""What stands before the application, asked directly."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kobert_hf_emotion.serving import ServingOptions, gate

SCOPE = {"type": "http", "method": "POST", "path": "/predict", "headers": []}


def answers(ours: gate.Gate, *requests: list[bytes | float]) -> list[int | None]:
    """Returns the status of each request, all sent at once: parts of a body, and seconds between them."""

    async def one(parts: list[bytes | float]) -> int | None:
        rest, status = iter(parts), None

        async def receive() -> dict[str, Any]:
            for part in rest:
                if isinstance(part, bytes):
                    return {"type": "http.request", "body": part, "more_body": part != b""}
                await asyncio.sleep(part)
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)

        await ours(SCOPE, receive, send)
        return status

    async def all_of_them() -> list[int | None]:
        return await asyncio.gather(*(one(parts) for parts in requests))

    return asyncio.run(all_of_them())


async def application(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    assert not message["more_body"]
    await send({"type": "http.response.start", "status": 200 + len(message["body"]), "headers": []})


def test_a_body_that_comes_too_slowly_is_refused_and_frees_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_SECONDS_A_BODY", 0.5)
    ours = gate.Gate(application, ServingOptions(max_bytes=10))
    slow: list[bytes | float] = [b"0123456789", 60.0, b""]
    # Sixteen bodies of the greatest size fill what is held; the next one is told to come again.
    assert answers(ours, *[slow] * 16, [b"1", b""]) == [408] * 16 + [429]
    assert answers(ours, [b"12", b"3", b""], [b"", b""]) == [203, 200]


def test_a_client_that_hangs_up_while_it_sends_frees_its_place() -> None:
    ours = gate.Gate(application, ServingOptions(max_bytes=10))
    for _ in range(20):
        assert answers(ours, [b"0123456789"]) == [None]
    assert answers(ours, [b"0123456789", b""], [b"0123456789", b"x", b""]) == [210, 413]
