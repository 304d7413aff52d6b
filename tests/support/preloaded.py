"""A process that has loaded the libraries, and runs scripts in forks of itself: real processes without the import.

    python tests/support/preloaded.py SOCKET MODULE…

A request is one line of JSON over the socket: `arguments` (of `python`: a script or `-m` and a module, and its own),
`environment` and `folder`, with its standard input, output and error. What comes back is the fork's process id, and its
exit code once it has ended; the socket of a fork whose code nobody waits for may be closed. It ends with its own standard
input.

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
from pathlib import Path
from types import TracebackType
from typing import Any

LIMIT = 1 << 20
"""Bytes of a request, at most."""


class Preloaded:
    """Starts such a process; it loads the modules while the caller goes on, and requests wait for it."""

    def __init__(self, folder: Path, *modules: str) -> None:
        self.address = str(folder / "preloaded")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.address)
            listener.listen(128)
            self.process = subprocess.Popen(
                [sys.executable, __file__, str(listener.fileno()), *modules],
                stdin=subprocess.PIPE,
                pass_fds=[listener.fileno()],
            )

    def __enter__(self) -> Preloaded:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)
        Path(self.address).unlink()


def start(address: str, arguments: list[str]) -> socket.socket:
    """Asks for a fork with this process's folder, environment and standard streams; returns the connection."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    request = {"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd()}
    socket.send_fds(connection, [json.dumps(request).encode() + b"\n"], [0, 1, 2])
    return connection


def receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    data, streams, *_ = socket.recv_fds(connection, LIMIT, 3)
    while not data.endswith(b"\n"):
        more = connection.recv(LIMIT)
        if not more:
            raise EOFError
        data += more
    return json.loads(data), streams


def serve(listener: socket.socket) -> dict[str, Any]:
    """Forks until standard input ends; returns a request in each fork, and nothing in the process itself."""
    children: dict[int, socket.socket] = {}
    waking, woken = socket.socketpair()
    woken.setblocking(False)
    signal.set_wakeup_fd(woken.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with selectors.DefaultSelector() as waiting:
        for file in (listener, waking, sys.stdin):
            waiting.register(file, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in waiting.select()]
            if sys.stdin in ready:
                for child in children:
                    os.kill(child, signal.SIGKILL)
                return {}
            if waking in ready:
                waking.recv(4096)
                while children and (ended := os.waitpid(-1, os.WNOHANG))[0]:
                    tell(children.pop(ended[0]), os.waitstatus_to_exitcode(ended[1]))
            if listener in ready:
                connection, _ = listener.accept()
                request, streams = receive(connection)
                child = os.fork()
                if child == 0:
                    break
                for stream in streams:
                    os.close(stream)
                children[child] = connection
                tell(connection, child)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for other in (listener, waking, woken, connection, *children.values()):
        other.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    return request


def tell(connection: socket.socket, number: int) -> None:
    """Sends a number to whoever may still listen."""
    try:
        connection.sendall(f"{number}\n".encode())
    except OSError:
        connection.close()


def become(request: dict[str, Any]) -> None:
    """Runs what was asked for, as `python` runs it."""
    import numpy as np

    np.random.seed()  # noqa: NPY002 - of all forks it would be the same
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    script, *arguments = request["arguments"]
    if script == "-m":
        module, *sys.argv[1:] = arguments
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    else:
        sys.argv = [script, *arguments]
        runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    given, *wanted = sys.argv[1:]
    opened = socket.socket(fileno=int(given))
    for name in wanted:
        importlib.import_module(name)
    gc.freeze()
    if asked := serve(opened):
        become(asked)
