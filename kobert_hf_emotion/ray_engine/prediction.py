"""Predicts files on Ray: the one call that a program or the command line makes."""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..data.label_kinds import UnknownLabel
from ..data.label_map import MapLike
from ..data.label_map import label_map as map_of
from ..data.tables import ReadOptions
from ..errors import CheckpointError, DataError, KoBERTEmotionError, RunError, TokenizerError
from ..inference.file_prediction import FilePrediction
from ..inference.logits_model import LogitsModel
from ..modeling.batches import DEFAULT_BATCH_SIZE
from ..runs.state import check_same_run, only_process
from ..utils.argument_checks import check_count
from ..utils.files import check_free, write_json
from ..wording import Wording
from .cluster import connected, is_loss, require_ray, resources
from .inputs import InputFile, find_files
from .job import PART_ROWS, Job, PartFormat
from .journal import JOURNAL_FILE, MANIFEST_FILE, Journal
from .manifest import build_manifest, found_in
from .models import find_source
from .pipeline import Pool, run_pipeline
from .records import Record, failure_record

logger = logging.getLogger(__name__)

IDLE_TRIES = 3
"""New pipelines in a row, after machines were lost, without a part that was finished: then the job ends."""

_ERRORS: dict[str, type[KoBERTEmotionError]] = {
    error.__name__: error for error in (CheckpointError, DataError, KoBERTEmotionError, RunError, TokenizerError)
}
"""Errors of other processes that are the same here."""


@dataclass(frozen=True)
class RayPrediction:
    """What a job on Ray made.

    Attributes:
        manifest: The content of `manifest.json`.
        found: The counts of all rows, as of a single file.
    """

    manifest: dict[str, Any]
    found: FilePrediction

    @property
    def bad(self) -> list[tuple[str, KoBERTEmotionError]]:
        """The files that cannot be read, each with its error."""
        files = (file for file in self.manifest["files"] if "error" in file)
        return [(file["file"], KoBERTEmotionError(**file["error"])) for file in files]


def predict_on_ray(
    model: str | os.PathLike[str],
    inputs: Sequence[str],
    output: str | os.PathLike[str],
    *,
    tokenizer: str | None = None,
    num_attention_heads: int | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    text_pair_column: str | None = None,
    fine_label_column: str | None = None,
    label_map: MapLike | None = None,
    unknown_label: UnknownLabel = "error",
    read_labels: bool = True,
    reading: ReadOptions | None = None,
    batch_size: int = DEFAULT_BATCH_SIZE,
    part_format: PartFormat = "parquet",
    part_rows: int = PART_ROWS,
    actors: int | None = None,
    address: str | None = None,
    resume: bool = False,
    strict: bool = False,
    opened: LogitsModel | None = None,
    on_progress: Callable[[Record], None] | None = None,
) -> RayPrediction:
    """Predicts every row of files on a Ray cluster, or on all cores of this machine.

    Columns, encodings and errors are those of the local engine, which reads the files here too; rows and labels are
    the same, and scores to the arithmetic of the processors. `file` and `row` in the parts tell where a row stood.

    Args:
        model: As for `load_checkpoint`; every machine loads it from there.
        inputs: Files, folders and patterns; see `find_files`.
        output: The folder of the result, which all machines see: parts and `manifest.json`. It must not exist, be
            empty, or with `resume` hold this job unfinished.
        tokenizer: As for `load_checkpoint`.
        num_attention_heads: As for `load_checkpoint`.
        text_column: As for `open_rows`, in every file.
        label_column: As for `open_rows`.
        text_pair_column: As for `open_rows`.
        fine_label_column: As for `open_rows`, of a model with two levels of labels.
        label_map: As for `load_emotion_dataset`.
        unknown_label: Likewise.
        read_labels: As for `open_rows`.
        reading: As for `open_rows`.
        batch_size: Texts a forward pass.
        part_format: "parquet" or "csv".
        part_rows: Rows of a file that make a part.
        actors: Processes that hold the model: one for each GPU or, without any, for each core.
        address: Of a cluster; see `connected`.
        resume: Whether to go on with an unfinished job in `output`; parts that are whole stay as they are.
        strict: Whether the first file that cannot be read ends the job; else the others are done.
        opened: The model, where it is loaded already.
        on_progress: Called with the record of each part and file as it is done.

    Raises:
        DataError: There is nothing under one of `inputs`, or, with `strict`, a file cannot be read.
        CheckpointError: There is no model.
        TokenizerError: The tokenizer does not fit the model or the texts.
        RunError: Ray is not there, `output` is in use, the disk is full, or machines were lost again and again.
    """
    require_ray()
    check_count("batch_size", batch_size)
    check_count("part_rows", part_rows)
    if actors is not None:
        check_count("actors", actors)
    folder = Path(output).expanduser().absolute()
    files = find_files(inputs)
    source = find_source(os.fspath(model), tokenizer, num_attention_heads, opened)
    columns = {"text_column": text_column, "label_column": label_column, "text_pair_column": text_pair_column}
    if fine_label_column is not None:
        columns["fine_label_column"] = fine_label_column
    job = Job(
        *(source, folder, columns, read_labels, reading or ReadOptions(), batch_size, part_format, part_rows),
        threads=1,
        label_map=map_of(label_map),
        unknown_label=unknown_label,
    )
    _ = job.kind  # what is wrong with the rules is an error now
    if resume and (finished := _finished(folder, job, files)) is not None:
        return finished
    if not (folder / JOURNAL_FILE).exists():
        check_free(folder)
    with only_process(folder):
        journal = Journal(folder, files)
        journal.begin(job.describe(), resume)
        with connected(address):
            _work(job, journal, actors, strict, on_progress)
        manifest = build_manifest(source, job.describe(), files, journal, folder)
        write_json(folder / MANIFEST_FILE, manifest)
        if manifest["complete"]:
            journal.close()
    return RayPrediction(manifest, found_in(manifest))


def _work(
    job: Job, journal: Journal, actors: int | None, strict: bool, on_progress: Callable[[Record], None] | None
) -> None:
    """Predicts what is not in the journal yet; where machines are lost, with those that are left."""
    idle, last = 0, ""
    while files := journal.todo():
        if idle == IDLE_TRIES:
            raise _given_up(len(files), last)
        before, pool = journal.lines, Pool.on(resources(), actors, len(files))
        try:
            with closing(run_pipeline(replace(job, threads=pool.threads), files, journal, pool)) as records:
                for record in records:
                    _note(record, journal, strict)
                    if on_progress is not None:
                        on_progress(record)
        except Exception as error:
            if not is_loss(error):
                raise
            last = str(error).strip().splitlines()[0]
            logger.warning(
                Wording(
                    f"Ray의 프로세스나 컴퓨터를 잃어 남은 것으로 다시 합니다: {last}",
                    f"Processes or machines were lost; it goes on with those that are left: {last}",
                )
            )
        idle = idle + 1 if journal.lines == before else 0
    journal.discard_bad()


def _note(record: Record, journal: Journal, strict: bool) -> None:
    if record["kind"] == "failure":
        raise _failure(record)
    try:
        journal.add(record)
    except OSError as error:
        raise _failure(failure_record(error)) from error
    if strict and record["kind"] == "bad":
        korean, english = record["error"]["korean"], record["error"]["english"]
        raise DataError(
            f"{korean} 고친 다음 `resume`으로 이어서 하거나, `strict` 없이 나머지 파일을 마치세요.",
            f"{english} Mend it and go on with `resume`, or leave `strict` out to have the other files done.",
            mend={"strict": False, "resume": True},
        )


def _failure(record: Record) -> KoBERTEmotionError:
    """Returns the error that a process of the cluster could not go on for."""
    if record["type"] in _ERRORS:
        return _ERRORS[record["type"]](record["error"]["korean"], record["error"]["english"], record["try_this"])
    full = record["errno"] in (errno.ENOSPC, errno.EDQUOT)
    return RunError(
        f"{'디스크가 가득 차서' if full else '파일을 쓸 수 없어서'} 멈췄습니다({record['error']['korean']}). 다 쓴 "
        "부분은 그대로 있습니다. 고친 다음 `resume`으로 이어서 하세요.",
        f"Stopped: {'the disk is full' if full else 'a file cannot be written'} ({record['error']['english']}). The "
        "parts that are written stay. Put it right and go on with `resume`.",
        mend={"resume": True},
    )


def _given_up(files: int, last: str) -> RunError:
    return RunError(
        f"Ray의 프로세스나 컴퓨터를 {IDLE_TRIES}번 잃는 동안 한 부분도 끝나지 않았습니다. 남은 파일 {files:,}개. "
        f"마지막 오류: {last}. 메모리가 모자라면 `actors`를 줄이고, `resume`으로 이어서 하세요.",
        f"Processes or machines were lost {IDLE_TRIES} times without a part that was finished; {files:,} file(s) are "
        f"left. The last error: {last}. Where memory is short ask for fewer `actors`, and go on with `resume`.",
        mend={"resume": True},
    )


def _finished(folder: Path, job: Job, files: Sequence[InputFile]) -> RayPrediction | None:
    """Returns what is there where the very same job is finished, None where it is not.

    Raises:
        RunError: It is another job that is finished there.
    """
    path = folder / MANIFEST_FILE
    if not path.is_file() or (folder / JOURNAL_FILE).exists():
        return None
    manifest = json.loads(path.read_text(encoding="utf-8"))
    asked = {**job.describe(), "files": [(file.name, file.stamp[0]) for file in files]}
    there = {name: manifest.get(name) for name in asked}
    there["model"] = {name: value for name, value in manifest["model"].items() if name != "source"}
    there["files"] = [(file["file"], file["bytes"]) for file in manifest["files"]]
    check_same_run(folder, json.loads(json.dumps(there)), asked)
    return RayPrediction(manifest, found_in(manifest))
