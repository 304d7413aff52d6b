"""Models and clients for tests of the server: in this process, and a real one in another."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import numpy as np
from fastapi import FastAPI
from numpy.typing import NDArray
from paths import ROOT

from kobert_hf_emotion.serving import ServingOptions, create_app
from kobert_hf_emotion.tasks.single_label import SingleLabel
from kobert_hf_emotion.tokenization.guard import PROBES, UnknownTexts

LABELS = ["bad", "good"]


class FakeModel:
    """Says "good" of texts that hold "좋", fails where one holds "fail", and waits while `gate` is closed."""

    task = SingleLabel()

    def __init__(self) -> None:
        self.labels = LABELS
        self.batches: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()

    def predict_logits(
        self,
        texts: Iterable[str],
        text_pairs: Iterable[str] | None = None,
        batch_size: int = 64,
        unknown: UnknownTexts | None = None,
    ) -> NDArray[np.float32]:
        rows = list(texts)
        if rows != list(PROBES):
            self.batches.append(rows)
        assert self.gate.wait(30)
        if any("fail" in text for text in rows):
            raise ValueError("a text cannot be predicted")
        if unknown is not None:
            unknown.texts += len(rows)
        return np.array([[0.0, 2.0] if "좋" in text else [2.0, 0.0] for text in rows], dtype=np.float32)


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Runs an application in this event loop; the model has answered when the block begins, if it can."""
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as client,
    ):
        yield client


async def ready(client: httpx.AsyncClient) -> None:
    """Waits until the model has answered."""
    for _ in range(1000):
        if (await client.get("/health")).status_code == 200:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the server is not ready")


def ask(model: Any, talk: Callable[[httpx.AsyncClient], Awaitable[Any]], options: ServingOptions | None = None) -> Any:
    """Serves a model in this process and returns what `talk` returns of a conversation with it."""

    async def run() -> Any:
        async with client_of(create_app(model, options)) as client:
            await ready(client)
            return await talk(client)

    return asyncio.run(run())


@contextmanager
def server(*arguments: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Runs `kobert-emotion serve` in another process on a free port; yields its address and the process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "kobert_hf_emotion", "serve", *arguments, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "HF_HUB_OFFLINE": "1"} | environment,
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert url.startswith("http://"), process.communicate()
        yield url, process
    finally:
        process.kill()
        process.wait(30)
