"""Runs scripts in forks of one process that has loaded the libraries, alone or as the processes of a distributed run.

    python tests/support/forked.py JOBS

The process is itself a fork of the one that the fixture `preloaded` gives.

JOBS is JSON: a list of [processes, script, arguments…], run one after the other. Several processes get the variables
that `torchrun` and `accelerate launch` set. Ends with the code of the first process that fails.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from preloaded import Preloaded

TIMEOUT = 600


def run_forked(preloaded: Preloaded, *jobs: Sequence[object]) -> None:
    """Runs jobs, each of them a number of processes, a script and its arguments."""
    done = preloaded.run(__file__, json.dumps([[str(part) for part in job] for job in jobs]))
    assert done.returncode == 0, done.stderr[-3000:]


def fork(script: str, arguments: list[str], environment: dict[str, str]) -> int:
    """Starts a script in a fork and returns its process id."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            signal.alarm(TIMEOUT)
            os.environ.update(environment)
            sys.argv = [script, *arguments]
            runpy.run_path(script, run_name="__main__")
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return process


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def main(jobs: list[list[str]]) -> None:
    for count, script, *arguments in jobs:
        world = int(count)
        shared = {"WORLD_SIZE": count, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
        environments = [shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(world)]
        children = [fork(script, arguments, environment if world > 1 else {}) for environment in environments]
        while children:
            ended, status = os.wait()
            children.remove(ended)
            if status:
                for child in children:  # they would wait for the one that ended
                    os.kill(child, signal.SIGKILL)
                raise SystemExit(f"{Path(script).name}: {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    import datasets
    import torch

    from kobert_hf_emotion.runs import cross_validation  # noqa: F401 - loaded once, for all forks

    torch.set_num_threads(1)
    datasets.disable_progress_bars()
    main(json.loads(sys.argv[1]))
