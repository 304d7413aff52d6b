"""`python -m benchmarks.http_cost`: what a request costs the server beside the model, in processor time.

A model that costs nothing is served in another process and asked for one text a request, by 1 and 64 clients in turn.
To compare with another version run it there; the least of the rounds is what other programs disturb least.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.serving.server import serve
from kobert_hf_emotion.tasks.single_label import SingleLabel
from kobert_hf_emotion.tokenization.guard import UnknownTexts

from .http_load import load, running

ROUNDS, REQUESTS = 7, 1000
BODY = {"texts": ["어제 본 영화는 정말 재미있었지만 결말이 조금 아쉬웠다"]}


class NoModel:
    """Answers all texts alike."""

    task = SingleLabel()
    labels = EMOTION_LABELS

    def predict_logits(
        self,
        texts: Iterable[str],
        text_pairs: Iterable[str] | None = None,  # noqa: ARG002 - what a model is given
        batch_size: int = 64,  # noqa: ARG002
        unknown: UnknownTexts | None = None,
    ) -> NDArray[np.float32]:
        """Returns the same logits for each text."""
        rows = len(list(texts))
        if unknown is not None:
            unknown.texts += rows
        return np.tile(np.linspace(0, 2, len(self.labels), dtype=np.float32), (rows, 1))


def _serve() -> None:
    def tell(url: str) -> None:
        sys.stdout.write(url + "\n")
        sys.stdout.flush()

    serve(NoModel(), port=0, on_listening=tell)  # type: ignore[arg-type]


def main() -> None:
    """Prints one JSON object."""
    found: dict[str, list[float]] = {}
    with running("benchmarks.http_cost", "serve") as server:
        load(server.url, 16, [BODY] * 300)
        for _ in range(ROUNDS):
            for clients in (1, 64):
                before = server.cpu_seconds
                load(server.url, clients, [BODY] * REQUESTS)
                found.setdefault(f"{clients} clients", []).append(server.cpu_seconds - before)
    result = {
        name: {"least ms": round(min(each), 2), "median ms": round(float(np.median(each)), 2)}
        for name, each in found.items()
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        _serve()
    else:
        main()
