"""A process that has loaded the libraries, and runs scripts in forks of itself: real processes without the import.

    python tests/support/preloaded.py SOCKET MODULE…

A request is one line of JSON over the socket: `arguments` (of `python`: a script or `-m` and a module, and its own),
`environment` and `folder`, with its standard input, output and error. What comes back is the fork's process id, and its
exit code once it has ended; whoever does not wait for it may close the socket. It ends with its own standard input.

What is to be known of a process that starts from nothing (what it loads, in which order) is no question for a fork.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

LIMIT = 1 << 20
"""Bytes of a request, at most."""
TIMEOUT = 600
LIBRARIES = (
    "google.protobuf.message",
    "pandas",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "kobert_hf_emotion.inference.loading",
    "kobert_hf_emotion.ray_engine.actor",
    "kobert_hf_emotion.ray_engine.predicting",
    "kobert_hf_emotion.ray_engine.reading",
    "kobert_hf_emotion.ray_engine.training",
    "kobert_hf_emotion.runs.cross_validation",
    "kobert_hf_emotion.search.elsewhere",
)
"""What training and predicting load. Not Ray, which reads its settings from the environment as it is loaded; nor can a
fork be told of another Hub, which Hugging Face's libraries read in the same way."""


class Preloaded:
    """Starts such a process; it loads the modules while the caller goes on, and requests wait for it."""

    def __init__(self, folder: Path, modules: Sequence[str] = LIBRARIES) -> None:
        self.address = str(folder / "preloaded")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.address)
            listener.listen(128)
            self.process = subprocess.Popen(
                [sys.executable, __file__, str(listener.fileno()), *modules],
                stdin=subprocess.PIPE,
                pass_fds=[listener.fileno()],
            )

    def run(
        self, *arguments: object, folder: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs what `python` would with these arguments, and returns what it said once it has ended."""
        command = [str(argument) for argument in arguments]
        with open(os.devnull) as nothing, tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            streams = [file.fileno() for file in (nothing, out, err)]
            with start(self.address, command, folder, environment, streams) as connection:
                connection.settimeout(TIMEOUT)
                told = connection.makefile().read().split()
            for file in (out, err):
                file.seek(0)
            return subprocess.CompletedProcess(command, int(told[1]), out.read(), err.read())

    def __enter__(self) -> Preloaded:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)
        Path(self.address).unlink()


def start(
    address: str,
    arguments: list[str],
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    streams: Sequence[int] = (0, 1, 2),
) -> socket.socket:
    """Asks for a fork, by default with this process's folder, environment and standard streams."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    given = dict(os.environ if environment is None else environment)
    request = {"arguments": arguments, "environment": given, "folder": str(folder or Path.cwd())}
    socket.send_fds(connection, [json.dumps(request).encode() + b"\n"], streams)
    return connection


def receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    data, streams, *_ = socket.recv_fds(connection, LIMIT, 3)
    while not data.endswith(b"\n"):
        more = connection.recv(LIMIT)
        if not more:
            raise EOFError
        data += more
    return json.loads(data), streams


class Server:
    """Forks for each request; what a fork has no use for is closed in it."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.waking, self.woken = socket.socketpair()
        self.woken.setblocking(False)
        self.children: dict[int, socket.socket] = {}

    def serve(self) -> dict[str, Any] | None:
        """Returns a request in each fork, and None in this process once its standard input has ended."""
        signal.set_wakeup_fd(self.woken.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with selectors.DefaultSelector() as waiting:
            for file in (self.listener, self.waking, sys.stdin):
                waiting.register(file, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in waiting.select()]
                if sys.stdin in ready:
                    for child in self.children:
                        os.kill(child, signal.SIGKILL)
                    return None
                if self.waking in ready:
                    self.reap()
                if self.listener in ready and (request := self.fork()) is not None:
                    return request

    def reap(self) -> None:
        """Tells of the forks that have ended."""
        self.waking.recv(4096)
        while self.children and (ended := os.waitpid(-1, os.WNOHANG))[0]:
            tell(self.children.pop(ended[0]), os.waitstatus_to_exitcode(ended[1]))

    def fork(self) -> dict[str, Any] | None:
        """Takes a request; returns it in the fork."""
        connection, _ = self.listener.accept()
        request, streams = receive(connection)
        child = os.fork()
        if child:
            self.children[child] = connection
            tell(connection, child)
        else:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for other in (self.listener, self.waking, self.woken, connection, *self.children.values()):
                other.close()
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
        for stream in streams:
            os.close(stream)
        return None if child else request


def tell(connection: socket.socket, number: int) -> None:
    """Sends a number to whoever may still listen."""
    with suppress(OSError):
        connection.sendall(f"{number}\n".encode())


def become(request: dict[str, Any]) -> None:
    """Runs what was asked for, as `python` runs it."""
    import numpy as np

    np.random.seed()  # of all forks it would be the same
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    script, *arguments = request["arguments"]
    sys.path[0] = ""  # its own folder is no script's
    if script == "-m":
        module, *sys.argv[1:] = arguments
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    else:
        sys.argv = [script, *arguments]
        sys.path[0] = str(Path(script).resolve().parent)
        runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    sys.path.insert(1, str(Path(__file__).parents[2]))  # the package beside the tests
    given, *wanted = sys.argv[1:]
    opened = socket.socket(fileno=int(given))
    for name in wanted:
        importlib.import_module(name)
    gc.freeze()
    asked = Server(opened).serve()
    if asked is not None:
        become(asked)
