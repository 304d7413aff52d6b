"""Servers in processes of their own, and clients that ask them over connections that stay open."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psutil


@dataclass(frozen=True)
class Server:
    """A server that runs in another process on this machine."""

    url: str
    process: subprocess.Popen[str]

    @property
    def memory(self) -> int:
        """Resident bytes."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    @property
    def cpu_seconds(self) -> float:
        """Seconds that the processor has worked for it, which other programs do not lengthen as they do the rest."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)


@contextmanager
def running(*arguments: str) -> Iterator[Server]:
    """Runs `python -m ARGUMENTS`, which prints its address first, until the block ends."""
    process = subprocess.Popen(  # noqa: S603 - our own code in our own interpreter
        [sys.executable, "-m", *arguments], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUTF8": "1"}
    )
    try:
        url = "" if process.stdout is None else process.stdout.readline().strip()
        if not url:
            raise OSError(f"{arguments[0]} did not start")
        yield Server(url, process)
    finally:
        process.terminate()
        process.wait(60)


class Client:
    """A connection that stays open: HTTP/1.1 with as little work as can be, for the server is what is measured."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._host, self._port = str(place.hostname), int(place.port or 80)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def send(self, path: str, content: Any) -> None:
        """Sends a POST of JSON, and does not wait for the answer."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)

    async def receive(self) -> tuple[int, Any]:
        """Returns status and content of the next answer."""
        if self._reader is None:
            raise OSError("nothing was sent")
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        body = await self._reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            self.close()
        return int(head[0].split()[1]), json.loads(body)

    async def post(self, path: str, content: Any) -> tuple[int, Any]:
        """Sends a POST of JSON and returns status and content of the answer."""
        await self.send(path, content)
        return await self.receive()

    def close(self) -> None:
        """Hangs up."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


def load(url: str, clients: int, bodies: Sequence[Any], path: str = "/predict") -> tuple[float, list[float]]:
    """Lets clients ask, each its next request once it has its answer, until all bodies are answered.

    Returns:
        The seconds that all took, and those of each request.
    """
    waits: list[float] = []
    left = iter(bodies)

    async def ask(client: Client) -> None:
        for body in left:
            start = time.perf_counter()
            status, _ = await client.post(path, body)
            waits.append(time.perf_counter() - start)
            if status != 200:
                raise OSError(f"{url} answered {status}")
        client.close()

    async def all_of_them() -> float:
        start = time.perf_counter()
        await asyncio.gather(*(ask(Client(url)) for _ in range(clients)))
        return time.perf_counter() - start

    return asyncio.run(all_of_them()), waits


def ask_all(url: str, bodies: Sequence[Any], path: str = "/predict") -> list[Any]:
    """Returns the answers to some requests, one after the other."""

    async def run() -> list[Any]:
        client = Client(url)
        answers = [(await client.post(path, body))[1] for body in bodies]
        client.close()
        return answers

    return asyncio.run(run())
