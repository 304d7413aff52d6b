"""What lives in each process with a model: it takes parts, hands on records, and raises nothing that is final."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..errors import KoBERTEmotionError
from ..utils.garbage_collection import collector_spares_imports
from .job import Job
from .records import Record, check_shared, failure_record

if TYPE_CHECKING:
    import pyarrow as pa

    from ..inference.logits_model import LogitsModel


class PartPredictor:
    """Predicts parts with a model that is loaded once, and writes them; an object of it lives in each actor.

    Nothing is raised for what trying again would not help: it is told of by a record, and ends the job.

    Args:
        job: What is to be done.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._model: LogitsModel | None = None
        self._failure: Record | None = None
        try:
            with collector_spares_imports():
                from .models import load_source
            self._model = load_source(job.model, job.threads)
            check_shared(job.output)
        except (KoBERTEmotionError, OSError) as error:
            self._failure = failure_record(error)

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Returns the records of a batch, those of its parts completed."""
        return _records(self._finished(record, rows) for record, rows in _rows(batch))

    def _finished(self, record: Record, rows: bytes) -> Record:
        if record["kind"] != "part":
            return record
        from .predicting import predict_part

        if self._model is None:
            assert self._failure is not None
            return self._failure
        try:
            return {**record, **predict_part(self._model, self._job, record, rows), **_where()}
        except (KoBERTEmotionError, OSError) as error:
            return failure_record(error)


def _where() -> Record:
    """Returns which process of which machine this is."""
    import ray

    node = ray.get_runtime_context().get_node_id() if ray.is_initialized() else None
    return {"process": os.getpid(), "node": node}


def _rows(batch: pa.Table) -> Iterator[tuple[Record, bytes]]:
    for record, rows in zip(batch["record"].to_pylist(), batch["rows"].to_pylist(), strict=True):
        yield json.loads(record), rows


def _records(records: Iterator[Record]) -> pa.Table:
    import pyarrow as pa

    return pa.table({"record": [json.dumps(record, ensure_ascii=False) for record in records]})
