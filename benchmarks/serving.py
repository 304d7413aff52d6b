"""A server under load: ours, and the one that people write around a pipeline."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from .http_load import Server, ask_all, load, running
from .report import OURS, Disagreement, Report
from .texts import Texts
from .timing import Timing

CLIENTS = (1, 16, 64)
SMALLEST_ALIKE = 0.98
SAMPLE = 200
WARM_UP = 100


def measure(texts: Texts, model_folder: Path, repeats: int) -> list[Report]:
    """Times single texts over HTTP, asked for by 1, 16 and 64 clients at once, the servers in turn.

    Args:
        texts: What to ask; each round asks for all of them.
        model_folder: A saved classifier with its tokenizer.
        repeats: Rounds.

    Raises:
        Disagreement: Fewer than 98% of the labels are the same.
    """
    folder = os.fspath(model_folder)
    with ExitStack() as stack:
        servers = {
            OURS: stack.enter_context(running("kobert_hf_emotion", "serve", folder, "--port", "0")),
            "FastAPI, async def, pipeline(text)": _baseline(stack, folder, "async"),
            "FastAPI, def, pipeline(text)": _baseline(stack, folder, "plain"),
        }
        bodies = {name: [_body(name, text) for text in texts.texts] for name in servers}
        checks = _compare(servers, bodies)
        for name, server in servers.items():
            load(server.url, 16, bodies[name][:WARM_UP])
        return [_report(texts, servers, bodies, clients, repeats, checks) for clients in CLIENTS]


def _baseline(stack: ExitStack, folder: str, kind: str) -> Server:
    return stack.enter_context(running("benchmarks.serving_baseline", folder, kind))


def _body(name: str, text: str) -> dict[str, Any]:
    return {"texts": [text]} if name == OURS else {"text": text}


def _compare(servers: dict[str, Server], bodies: dict[str, list[Any]]) -> dict[str, Any]:
    labels: dict[str, list[str]] = {}
    for name, server in servers.items():
        answers = ask_all(server.url, bodies[name][:SAMPLE])
        labels[name] = [answer["predictions"][0]["label"] if name == OURS else answer["label"] for answer in answers]
    checks = {}
    for name, found in labels.items():
        alike = float(np.mean([a == b for a, b in zip(found, labels[OURS], strict=True)]))
        if alike < SMALLEST_ALIKE:
            raise Disagreement(f"{name}: only {alike:.1%} of the labels are ours")
        if name != OURS:
            checks[f"labels alike, {name}"] = alike
    return checks


def _report(
    texts: Texts,
    servers: dict[str, Server],
    bodies: dict[str, list[Any]],
    clients: int,
    repeats: int,
    checks: dict[str, Any],
) -> Report:
    seconds: dict[str, list[float]] = {name: [] for name in servers}
    waits: dict[str, list[float]] = {name: [] for name in servers}
    worked = dict.fromkeys(servers, 0.0)
    for _ in range(repeats):
        for name, server in servers.items():
            before = server.cpu_seconds
            took, each = load(server.url, clients, bodies[name])
            worked[name] += server.cpu_seconds - before
            seconds[name].append(took)
            waits[name] += each
    facts: dict[str, Any] = {}
    for name, server in servers.items():
        p50, p99 = (1000 * np.percentile(waits[name], [50, 99])).tolist()
        facts[name] = {
            "p50 ms": p50,
            "p99 ms": p99,
            "CPU ms a text": 1000 * worked[name] / len(waits[name]),
            "memory MB": server.memory / 1e6,
        }
    timings = {name: Timing(tuple(values)) for name, values in seconds.items()}
    title = f"Serving: {clients} clients at once, single texts of {texts.name}"
    return Report(title, checks, timings, len(texts.texts), facts)
