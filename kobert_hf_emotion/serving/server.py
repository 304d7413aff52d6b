"""A server that listens, answers and leaves in peace."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from ..errors import KoBERTEmotionError
from .app import create_app
from .options import ServingOptions
from .protocol import Protocol

if TYPE_CHECKING:
    from ..inference.logits_model import LogitsModel

_BACKLOG = 2048


def serve(
    model: LogitsModel,
    host: str = "127.0.0.1",
    port: int = 8000,
    options: ServingOptions | None = None,
    on_listening: Callable[[str], object] | None = None,
) -> None:
    """Serves a model until SIGTERM or SIGINT; requests that were taken by then are answered first.

    Args:
        model: A `Classifier`, an `EmotionEnsemble` or an `OnnxClassifier`.
        host: The address to listen on.
        port: The port; 0 for a free one.
        options: How much it takes, and from whom.
        on_listening: Called with the server's address once it listens.

    Raises:
        KoBERTEmotionError: Another program has the port, or the address is none of this machine.
    """
    app = create_app(model, options)
    listening = _listen(host, port)
    with listening:
        shown, bound = listening.getsockname()[:2]
        if on_listening is not None:
            on_listening(f"http://{f'[{shown}]' if ':' in shown else shown}:{bound}")
        config = uvicorn.Config(
            app, http=Protocol, ws="none", log_config=None, access_log=False, backlog=_BACKLOG, server_header=False
        )
        # uvicorn raises the signal that ended it once more when it is done, which would end the process with a code
        # that says it failed.
        before = {number: signal.signal(number, _ignore) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            uvicorn.Server(config).run(sockets=[listening])
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Does nothing at a signal."""


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        raise KoBERTEmotionError(
            f"{host}의 포트 {port}에서 들을 수 없습니다: {error}. 다른 프로그램이 쓰고 있으면 다른 `port`를, 0이면 빈 "
            "포트를 씁니다.",
            f"Cannot listen on port {port} of {host}: {error}. If another program has it, give another `port`; with 0 "
            "a free one is taken.",
            mend={"port": 0},
        ) from error
