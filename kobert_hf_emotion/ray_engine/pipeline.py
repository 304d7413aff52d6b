"""The data flow on Ray Data: files to parts in tasks, parts to predictions in actors, records to the driver."""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..wording import Wording
from .actor import PartPredictor
from .cluster import Resources
from .inputs import InputFile
from .job import Job
from .journal import Journal
from .reading import read_parts
from .records import Record

logger = logging.getLogger(__name__)

READER_CPUS, ACTOR_CPUS = 0.1, 0.4
"""What Ray is told that a reader and an actor need. Less than they use: the actors of a machine that is gone must find
room on those that are left, or their parts would wait for ever. How many there are is set by `Pool`, not by this."""
STALL_SECONDS = 900.0
"""Without a part for so long the flow is given up, and a new one made for what is there: an actor whose graphics
processor is gone for good would wait for another one for ever."""


@dataclass(frozen=True)
class Pool:
    """How the work is shared.

    Attributes:
        actors: Processes that hold the model.
        gpus: Graphics processors that each has.
        threads: Threads each computes with.
        readers: Files read at once, at most.
    """

    actors: int
    gpus: int
    threads: int
    readers: int

    @classmethod
    def on(cls, there: Resources, actors: int | None, files: int) -> Pool:
        """Returns an actor for each graphics processor where there are some, else one for each core.

        Args:
            there: What the cluster has.
            actors: Another number of actors; on cores, they share them. No more than there is room for.
            files: Files to read.
        """
        gpus = 1 if there.gpus else 0
        most = there.gpus or int((there.cpus - READER_CPUS) / ACTOR_CPUS)
        count = min(actors or there.gpus or there.cpus, most)
        if actors is not None and actors > count:
            room = Wording(
                f"`actors` {actors}: 자리가 {count}개뿐", f"`actors` {actors}: there is room for {count} only"
            )
            logger.warning(room)
        threads = max(1, there.cpus // count)
        return cls(count, gpus, threads, max(1, min(files, count)))


def run_pipeline(job: Job, files: Sequence[InputFile], journal: Journal, pool: Pool) -> Generator[Record, None, None]:
    """Predicts the parts of files that are not in the journal, and yields the records as they are done, in no order.

    What is in memory is a few parts for each reader and actor, whatever the size of the input: readers wait where
    actors are behind.

    Raises:
        Exception: Processes or machines were lost for which there is no other; see `is_loss`.
    """
    import ray.data

    read: Any = read_parts  # Ray's types know no tables of Arrow
    items = [{"item": _item(file, journal)} for file in files]
    with _settings():
        flow = (
            ray.data.from_items(items, override_num_blocks=len(items))
            .map_batches(
                read,
                batch_size=1,
                batch_format="pyarrow",
                fn_kwargs={"job": job},
                num_cpus=READER_CPUS,
                concurrency=pool.readers,
            )
            .map_batches(
                PartPredictor,
                fn_constructor_kwargs={"job": job},
                batch_size=1,
                batch_format="pyarrow",
                concurrency=pool.actors,
                num_cpus=ACTOR_CPUS,
                num_gpus=pool.gpus,
            )
        )
        batch: Any
        for batch in flow.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            yield from map(json.loads, batch["record"].to_pylist())


def _item(file: InputFile, journal: Journal) -> str:
    about = {"file": file.number, "name": file.name, "path": str(file.path), "stamp": file.stamp}
    return json.dumps({**about, "done": journal.done_parts(file.number)})


@contextmanager
def _settings() -> Iterator[None]:
    """Sets what Ray Data does not take as arguments: one part a block, no bars, and how long to wait."""
    from ray.data import DataContext

    context = DataContext.get_current()
    wanted = {
        "target_max_block_size": 1,
        "enable_progress_bars": False,
        "print_on_execution_start": False,
        "execution_no_progress_timeout_s": STALL_SECONDS,
    }
    before = {name: getattr(context, name) for name in wanted}
    for name, value in wanted.items():
        setattr(context, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(context, name, value)
