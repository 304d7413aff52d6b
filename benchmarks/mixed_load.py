"""`python -m benchmarks.mixed_load`: minutes of mixed load on a server: nothing wrong, nothing lost, no growth.

Clients send single texts and lists in both shapes, bodies that are refused, and hang up in the middle; every answer is
compared with `EmotionClassifier.predict`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kobert_hf_emotion.modeling.classifier import EmotionClassifier

from .http_load import Client, Server, running
from .texts import available, load_texts

TOLERANCE = 1e-5
MOST_GROWTH = 0.05
"""Of the memory, from the end of the first fifth of the time on."""


class Load:
    """What clients ask, what is wrong with the answers, and how much was asked.

    Args:
        texts: What is asked about.
        expected: The prediction of each.
    """

    def __init__(self, texts: list[str], expected: list[Any]) -> None:
        self._texts = texts
        self._expected = dict(zip(texts, expected, strict=True))
        self.counts: Counter[str] = Counter()

    async def client(self, url: str, seed: int, until: float) -> None:
        """Asks until the time is over."""
        chance, client = random.Random(seed), Client(url)  # noqa: S311 - not for secrets
        ways = [self._single] * 6 + [self._list] * 3 + [self._hugging_face] * 3 + [self._refused, self._hang_up]
        while time.monotonic() < until:
            try:
                await chance.choice(ways)(client, chance)
            except (OSError, EOFError, ValueError) as error:
                self.counts["lost"] += 1
                sys.stderr.write(f"{error!r}\n")
                client.close()
        client.close()

    async def _single(self, client: Client, chance: random.Random) -> None:
        await self._ask(client, [chance.choice(self._texts)])

    async def _list(self, client: Client, chance: random.Random) -> None:
        await self._ask(client, chance.choices(self._texts, k=chance.randrange(0, 100)))

    async def _ask(self, client: Client, texts: list[str]) -> None:
        status, content = await client.post("/predict", {"texts": texts})
        if self._taken(status):
            self._compare(texts, content["predictions"])

    async def _hugging_face(self, client: Client, chance: random.Random) -> None:
        texts = chance.choices(self._texts, k=chance.randrange(1, 8))
        status, content = await client.post("/", {"inputs": texts})
        if self._taken(status):
            self._compare(texts, [row[0] for row in content])

    async def _refused(self, client: Client, chance: random.Random) -> None:
        body, expected = chance.choice(
            [(b"{", 422), (b'{"texts": [1]}', 422), (json.dumps({"texts": ["a"] * 2000}).encode(), 413)]
        )
        status, _ = await client.post("/predict", body)
        self.counts["refused" if status == expected else "wrong"] += 1

    async def _hang_up(self, client: Client, chance: random.Random) -> None:
        await client.send("/predict", {"texts": chance.choices(self._texts, k=50)})
        await asyncio.sleep(chance.random() / 50)
        client.close()
        self.counts["hung up"] += 1

    def _taken(self, status: int) -> bool:
        self.counts["busy" if status == 429 else "answered" if status == 200 else "lost"] += 1
        return status == 200

    def _compare(self, texts: list[str], found: list[Any]) -> None:
        for text, prediction in zip(texts, found, strict=True):
            own = self._expected[text]
            right = prediction["label"] == own["label"] and abs(prediction["score"] - own["score"]) <= TOLERANCE
            self.counts["right" if right else "wrong"] += 1


async def watch(server: Server, until: float, note: Callable[[float], None]) -> None:
    """Notes the server's memory in MB, a hundred times."""
    step = (until - time.monotonic()) / 100
    while time.monotonic() < until:
        await asyncio.sleep(step)
        note(server.memory / 1e6)


def main(argv: list[str] | None = None) -> int:
    """Runs the load; 1 where an answer was wrong or lost, or the memory grew."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mixed_load", description=__doc__)
    parser.add_argument("--model", default="default")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--clients", type=int, default=32)
    args = parser.parse_args(argv)
    texts = load_texts(available(args.data)[0], args.data, 2000).texts
    texts = sorted({text for text in texts if text.strip()})
    load = Load(texts, EmotionClassifier.from_pretrained(args.model).predict(texts))
    memory: list[float] = []
    with running("kobert_hf_emotion", "serve", args.model, "--port", "0") as server:
        until = time.monotonic() + 60 * args.minutes

        async def all_of_them() -> None:
            clients = (load.client(server.url, seed, until) for seed in range(args.clients))
            await asyncio.gather(*clients, watch(server, until, memory.append))

        asyncio.run(all_of_them())
        server.process.terminate()
        code = server.process.wait(60)
    settled, last = max(memory[: max(1, len(memory) // 5)]), memory[-1]
    grown = last > settled * (1 + MOST_GROWTH)
    counts = {name: load.counts[name] for name in ("right", "wrong", "lost", "busy", "refused", "hung up", "answered")}
    result = {**counts, "memory MB": [round(settled, 1), round(last, 1)], "exit code": code}
    sys.stdout.write(json.dumps(result) + "\n")
    return int(bool(counts["wrong"] or counts["lost"] or grown or code))


if __name__ == "__main__":
    sys.exit(main())
