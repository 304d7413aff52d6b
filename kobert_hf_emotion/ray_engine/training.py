"""The folds of a run as tasks on Ray: each on a machine of its own, or on a graphics processor of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TypeAlias

from ..errors import KoBERTEmotionError, RunError
from ..runs.fold_training import train_one_fold
from ..runs.layout import FOLD_FILE, fold_folder
from ..runs.plan import Plan
from ..splits.split import Split
from ..utils.progress import each
from ..wording import Wording
from .cluster import connected
from .records import check_shared
from .tasks import TaskResources

logger = logging.getLogger(__name__)

TRIES_OF_A_FOLD = 10
"""Times a fold goes on after its process was lost; each goes on from the last checkpoint."""
TrainFolds: TypeAlias = Callable[[Plan, Split], None]


def folds_on_ray(address: str | None = None, each: TaskResources | None = None) -> TrainFolds:
    """Returns what trains the folds of a run that are not there yet, as `cross_validate` takes it.

    The folder of the run must be one that all machines see. Files, and on the CPU with as many threads the bits, are
    those of a run without Ray. A fold whose process or machine is lost goes on from its last checkpoint elsewhere.

    Args:
        address: Of a cluster; see `connected`.
        each: What a fold is given; by default a graphics processor where there are some, and as many threads as this
            process computes with.
    """

    def train(plan: Plan, split: Split) -> None:
        import torch

        numbers = range(1, len(split.folds) + 1)
        missing = [number for number in numbers if not (fold_folder(plan.run, number) / FOLD_FILE).is_file()]
        if not missing:
            return
        with connected(address) as there:
            given = each or TaskResources(torch.get_num_threads(), 1 if there.gpus else 0)
            _train(plan, split, missing, given)

    return train


def _train(plan: Plan, split: Split, missing: list[int], given: TaskResources) -> None:
    import ray
    from ray.exceptions import RayError, RayTaskError

    shared = replace(plan, run=plan.run.absolute())  # without what was loaded for it
    task = ray.remote(num_cpus=given.cpus, num_gpus=given.gpus, max_retries=TRIES_OF_A_FOLD)(_fold)
    what = ray.put((shared, split))
    waiting = {task.remote(what, number, given.cpus): number for number in missing}
    logger.info("Ray: folds %s, %d CPU and %g GPU each", missing, given.cpus, given.gpus)
    for _ in each(range(len(missing)), Wording("겹 학습", "training folds"), Wording("겹", "folds")):
        [done], _ = ray.wait(list(waiting))
        number = waiting.pop(done)
        try:
            where = ray.get(done)
        except RayTaskError as error:
            raise error.cause if isinstance(error.cause, KoBERTEmotionError | OSError) else error from error
        except RayError as error:
            raise RunError(
                f"{number}겹의 프로세스를 {TRIES_OF_A_FOLD}번 넘게 잃었습니다({error}). 같은 명령으로 이어집니다.",
                f"The process of fold {number} was lost more than {TRIES_OF_A_FOLD} times ({error}). The same command "
                "goes on.",
            ) from error
        logger.info("Ray: fold %d is done on %s, %d left", number, where, len(waiting))


def _fold(what: tuple[Plan, Split], number: int, threads: int) -> str:
    """Trains a fold in a process of the cluster; returns the machine."""
    import platform

    import torch

    plan, split = what
    torch.set_num_threads(threads)
    check_shared(Path(plan.run), "output_dir")
    args = type(plan.args)(**{field.name: getattr(plan.args, field.name) for field in fields(plan.args) if field.init})
    train_one_fold(replace(plan, args=args), split, number)
    return platform.node()
