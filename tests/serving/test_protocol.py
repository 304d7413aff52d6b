"""HTTP as the server reads it, against h11: requests of every framing, cut anywhere, offers of HTTP/2 among them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from kobert_hf_emotion.serving.protocol import LONGEST_HEAD, Protocol

OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQ\r\n"
REQUESTS = {
    "a length": b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
    "chunks": b"POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
    "no body": b"GET /c?d=e HTTP/1.1\r\nHost: x\r\n\r\n",
    "an offer and a length": b"POST /f HTTP/1.1\r\nHost: x\r\n" + OFFER + b"Content-Length: 5\r\n\r\nhello",
    "an offer and no bytes": b"POST /g HTTP/1.1\r\nHost: x\r\n" + OFFER + b"Content-Length: 0\r\n\r\n",
    "an offer and chunks": b"POST /h HTTP/1.1\r\nHost: x\r\n"
    + OFFER
    + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
    "an offer and no body": b"GET /i HTTP/1.1\r\nHost: x\r\n" + OFFER + b"\r\n",
}


class Transport(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed = b"", False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def application(scope: Any, receive: Any, send: Any) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    content = json.dumps([scope["method"], scope["path"], scope["query_string"].decode(), body.decode()]).encode()
    headers = [(b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def talk(http: Any, chunks: Sequence[bytes]) -> Transport:
    """Lets a protocol read chunks, one after the other, and returns what it wrote."""

    async def run() -> Transport:
        config = uvicorn.Config(application, http=http, ws="none", lifespan="off", log_config=None, access_log=False)
        config.load()
        state, transport = ServerState(), Transport()
        protocol = config.http_protocol_class(config, state, {})  # type: ignore[call-arg, operator]
        protocol.connection_made(transport)
        for chunk in chunks:
            if transport.closed:
                break
            protocol.data_received(chunk)
            await asyncio.sleep(0)
        for _ in range(100):  # what is not done by then waits for more
            await asyncio.sleep(0)
        was_closed = transport.closed
        protocol.connection_lost(None)
        transport.closed = was_closed
        return transport

    return asyncio.run(run())


def answers(http: Any, chunks: Sequence[bytes]) -> list[Any]:
    written = talk(http, chunks).written
    assert written.count(b"HTTP/1.1 ") == written.count(b"HTTP/1.1 200")
    return [json.loads(found) for found in re.findall(rb"\r\n\r\n(\[.*?\])", written)]


@pytest.mark.parametrize("request_bytes", REQUESTS.values(), ids=REQUESTS)
def test_what_h11_reads_is_read(request_bytes: bytes) -> None:
    """Whole, cut in two anywhere, and byte by byte; then once more on the same connection."""
    [expected] = answers("h11", [request_bytes])
    for cut in range(len(request_bytes)):
        assert answers(Protocol, [request_bytes[:cut], request_bytes[cut:]]) == [expected]
    bytes_of_it = [request_bytes[index : index + 1] for index in range(len(request_bytes))]
    assert answers(Protocol, [*bytes_of_it, request_bytes]) == [expected, expected]


def test_requests_that_come_at_once_are_answered_one_after_the_other() -> None:
    everything = b"".join(REQUESTS.values())
    expected = [answer for part in REQUESTS.values() for answer in answers("h11", [part])]
    assert len(expected) == len(REQUESTS)
    assert answers(Protocol, [everything]) == expected


@pytest.mark.parametrize(
    "start",
    ["GET / HTTP/1.1\r\nx: ", "GET /", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: "],
)
def test_a_head_or_a_tail_without_an_end_ends_the_connection(start: str) -> None:
    parts = [start.encode(), *[b"a" * 1024] * (LONGEST_HEAD // 1024 + 1)]
    found = talk(Protocol, parts[:-2])
    assert not found.closed
    found = talk(Protocol, parts)
    assert found.closed
    assert b"HTTP/1.1 400" in found.written


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\0\1\2\3",
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + OFFER + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + OFFER + b"Transfer-Encoding: chunked\r\n\r\nnot hex\r\n",
    ],
)
def test_what_is_no_http_is_refused(rubbish: bytes) -> None:
    found = talk(Protocol, [rubbish])
    assert found.closed
    assert b"HTTP/1.1 400" in found.written
