"""The server that people write around a pipeline: FastAPI, one `pipeline(text)` a request.

`python -m benchmarks.serving_baseline FOLDER async|plain` prints its address and serves until it is ended. `async def`
is what most write; FastAPI calls a plain `def` in one of its forty threads.
"""

from __future__ import annotations

import socket
import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import pipeline


class Item(BaseModel):
    """A text."""

    text: str


def create_app(folder: str, kind: str) -> FastAPI:
    """Returns the application with an endpoint that is `async def` or a plain `def`."""
    app = FastAPI()
    classifier = pipeline("text-classification", model=folder, truncation=True, max_length=64)

    if kind == "async":

        @app.post("/predict")
        async def predict(item: Item) -> dict[str, object]:
            return dict(classifier(item.text)[0])

    else:

        @app.post("/predict")
        def predict_in_thread(item: Item) -> dict[str, object]:
            return dict(classifier(item.text)[0])

    return app


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listening:
        application = create_app(*sys.argv[1:])
        sys.stdout.write(f"http://127.0.0.1:{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        uvicorn.Server(uvicorn.Config(application, log_level="warning")).run(sockets=[listening])
