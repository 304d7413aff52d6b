"""Figures of a server, in Prometheus' text format."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_ENDPOINTS = frozenset({"/predict", "/", "/health", "/labels", "/metrics"})
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Counters of one server.

    Args:
        waiting: Returns the number of texts that wait for the model.
    """

    def __init__(self, waiting: Callable[[], float]) -> None:
        self._registry = registry = CollectorRegistry()
        name = "kobert_emotion"
        self.requests = Counter(
            f"{name}_requests", "요청 수 (requests answered)", ["endpoint", "status"], registry=registry
        )
        self.seconds = Histogram(
            f"{name}_request_seconds",
            "요청에서 답까지의 초 (seconds from request to answer)",
            ["endpoint"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.texts = Counter(f"{name}_texts", "예측한 글 수 (texts predicted)", registry=registry)
        self.unknown = Counter(
            f"{name}_unreadable_texts", "토크나이저가 읽지 못한 글 수 (texts that could not be read)", registry=registry
        )
        self.failed = Counter(f"{name}_failed_texts", "예측하지 못한 글 수 (texts that failed)", registry=registry)
        self.batches = Histogram(
            f"{name}_batch_texts", "배치의 글 수 (texts a batch)", buckets=_TEXTS, registry=registry
        )
        self.queue = Gauge(f"{name}_waiting_texts", "모델을 기다리는 글 수 (texts that wait)", registry=registry)
        self.queue.set_function(waiting)
        ProcessCollector(registry=registry)

    def render(self) -> bytes:
        """Returns all figures as text."""
        return generate_latest(self._registry)


class Measured:
    """Counts and times all requests, those that are refused among them."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        path = scope["path"] if scope["path"] in _ENDPOINTS else "other"
        endpoint = f"{scope['method']} {path}" if scope["method"] in ("GET", "POST") else "other"
        try:
            await self._app(scope, receive, note_status)
        finally:
            self._metrics.requests.labels(endpoint, str(status)).inc()
            self._metrics.seconds.labels(endpoint).observe(time.perf_counter() - start)
