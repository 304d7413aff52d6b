"""What Ray starts in the place of its own `setup_worker.py`: has the worker forked from a process with all libraries.

Ray is told the fork's own process id when the worker registers, as where `py_executable` is a program that starts
another. This process stays until the worker has ended.
"""

from __future__ import annotations

import json
import os
import sys

from preloaded import start

SOCKET = "KOBERT_EMOTION_TEST_PRELOADED"
NODE = {"num_cpus": 2, "object_store_memory": 80 * 1024**2, "setup_worker_path": __file__}
"""Of a cluster whose workers are started like this."""


def main(arguments: list[str]) -> int:
    own = ("--language=", "--serialized-runtime-env-context=")
    context = [part.partition("=")[2] for part in arguments if part.startswith(own[1])]
    assert not context or json.loads(context[0] or "{}").get("env_vars") in (None, {}), context
    connection = start(os.environ[SOCKET], [part for part in arguments if not part.startswith(own)])
    told = connection.makefile().read().split()
    return abs(int(told[1])) if len(told) > 1 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
