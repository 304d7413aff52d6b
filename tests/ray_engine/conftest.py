"""A Ray cluster on this machine for all tests of the room: small, without a dashboard, out of reach of any network.

Its workers are forks of a process that has loaded the libraries, which each would load for seconds.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
import ray_worker
from preloaded import Preloaded

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_raylet_start_wait_time_s", "120")  # other tests have the processor too


@pytest.fixture(scope="session")
def cluster(preloaded: Preloaded) -> Iterator[Any]:
    """One node of two cores; tests may add nodes, and must remove them."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    # A node that is gone is missed at once; one that answers late has three times ten seconds for it.
    missing = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 200, "health_check_failure_threshold": 3}
    head = {"include_dashboard": False, "include_log_monitor": False, "no_monitor": True, "_system_config": missing}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ray_worker.SOCKET, preloaded.address)
        made = Cluster(initialize_head=True, head_node_args=ray_worker.NODE | head)
        ray.init(address=made.address, log_to_driver=False, logging_level=logging.ERROR)
        yield made
        ray.shutdown()
        made.shutdown()
