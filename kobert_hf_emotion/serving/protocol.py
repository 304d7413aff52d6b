"""HTTP as httptools reads it, of clients that offer another protocol too, and with an end to how long a head may be."""

from __future__ import annotations

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD = 64 * 1024
"""Bytes of a request before its body, and after it; as h11 has it."""
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, but for two things.

    Java's HttpClient, and so Spring's, offers HTTP/2 with a request (`Upgrade: h2c`). httptools takes all that follows
    such a head for another protocol's, so that the body would be lost; a server that does not take the offer goes on in
    HTTP/1.1 (RFC 9110, 7.8). And httptools keeps a head however long it is.
    """

    _unread = 0
    """Bytes that have come since the application was last given something."""

    def data_received(self, data: bytes) -> None:
        """Reads what has come."""
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None
        self._unread += len(data)
        try:
            self._read(data)
        except httptools.HttpParserError:
            self._refuse("Invalid HTTP request received.")
        else:
            if self._unread > LONGEST_HEAD:
                self._refuse("The head of the request, or what follows its body, is too long.")

    def on_headers_complete(self) -> None:
        """Begins to answer."""
        self._unread = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Gives the application a part of the body."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Tells the application that it has all of the body."""
        self._unread = 0
        if self.parser.should_upgrade() and self._framing():
            return  # httptools takes the head for all of the request
        super().on_message_complete()

    def _read(self, data: bytes) -> None:
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                data = data[offer.args[0] :]
                self._decline()
            else:
                return

    def _decline(self) -> None:
        """Reads on after a head that offers another protocol as after one that does not."""
        framing = self._framing()
        if not framing:
            self.parser = httptools.HttpRequestParser(self)
            return
        follower = _BodyThenRequests(self)
        self.parser = httptools.HttpRequestParser(follower)
        head = [b"POST / HTTP/1.1", *(name + b": " + value for name, value in framing), b"", b""]
        self.parser.feed_data(b"\r\n".join(head))
        follower.has_head = True

    def _framing(self) -> list[tuple[bytes, bytes]]:
        return [(name, value) for name, value in self.headers if name in _FRAMING]

    def _refuse(self, why: str) -> None:
        self.logger.warning(why)
        self.send_400_response(why)


class _BodyThenRequests:
    """Hands on what a parser finds, but for its first head, which stands for one that was read before."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self.has_head = False
        self.on_body = protocol.on_body
        self.on_message_complete = protocol.on_message_complete

    def on_message_begin(self) -> None:
        if self.has_head:
            self._protocol.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if self.has_head:
            self._protocol.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.has_head:
            self._protocol.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.has_head:
            self._protocol.on_headers_complete()
