"""Ray: whether it is there, started or joined, and how much of it there is."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..errors import KoBERTEmotionError, RunError

OBJECT_STORE_BYTES = 512 * 1024**2
"""Memory for what is between two processes, of a Ray that is started here: a few parts an actor, of some MB each."""

START_SECONDS = 120
"""How long a machine that is busy with other work may take to come up; Ray itself waits for 30."""


@dataclass(frozen=True)
class Resources:
    """What the machines of a cluster have together."""

    cpus: int
    gpus: int
    nodes: int


def require_ray() -> Any:
    """Imports Ray and Ray Data.

    Raises:
        RunError: They are not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else Ray reports each start to its makers
    os.environ.setdefault("RAY_raylet_start_wait_time_s", str(START_SECONDS))
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # what is wrong comes as an exception
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise RunError(
            f"Ray가 설치되어 있지 않습니다({error}).",
            f"Ray is not installed ({error}); `engine` ray needs it.",
            "pip install 'kobert-hf-emotion[ray]'",
        ) from error
    return ray


@contextmanager
def connected(address: str | None) -> Iterator[Resources]:
    """Joins the cluster at an address, or starts Ray on this machine until the block ends.

    Where this process is connected already, that connection is used and stays.

    Args:
        address: As for `ray.init`: "auto" for the cluster that this machine belongs to, or "HOST:PORT"; None starts
            Ray here.

    Raises:
        RunError: Ray is not installed, or there is no cluster at the address.
    """
    ray = require_ray()
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    if ray.is_initialized():
        yield resources()
        return
    quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address is None:
        quiet |= {
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE_BYTES,
            "_node_ip_address": "127.0.0.1",
        }
    try:
        ray.init(address=address or "local", **quiet)
    except Exception as error:  # of a node that does not come up in time Ray raises nothing more special
        raise _unreachable(address, error) from error
    try:
        yield resources()
    finally:
        ray.shutdown()


def resources() -> Resources:
    """Returns what the cluster has now that this process is connected to."""
    ray = require_ray()
    total = ray.cluster_resources()
    nodes = sum(bool(node["Alive"]) for node in ray.nodes())
    return Resources(max(1, int(total.get("CPU", 1))), int(total.get("GPU", 0)), nodes)


def is_loss(error: Exception) -> bool:
    """Whether Ray says that processes, machines or what they held are lost or waited for, not that code failed."""
    from ray.data.exceptions import ExecutionTimeoutError
    from ray.exceptions import RayError, RayTaskError

    return isinstance(error, RayError | ExecutionTimeoutError) and not isinstance(error, RayTaskError)


def _unreachable(address: str | None, error: object) -> KoBERTEmotionError:
    if address is None:
        error = str(error).rstrip(".")
        return RunError(
            f"이 컴퓨터에서 Ray를 시작하지 못했습니다({error}). 컴퓨터가 바빠서이면 같은 명령을 다시 하세요.",
            f"Ray could not be started on this machine ({error}). If other work keeps it busy, give the same command "
            "again.",
        )
    return RunError(
        f"{address}에 Ray 클러스터가 없습니다({error}). 먼저 시작하거나(ray start --head) `ray_address`를 빼고 이 "
        "컴퓨터만 쓰세요.",
        f"There is no Ray cluster at {address} ({error}). Start one (ray start --head), or leave `ray_address` out to "
        "use this machine alone.",
        mend={"ray_address": None},
    )
