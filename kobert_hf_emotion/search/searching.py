"""A search from its rows to its result, by one process or several, however often they are killed."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datasets
import numpy as np

from ..assets import DEFAULT_MODEL_NAME
from ..data.column_names import LABEL_COLUMN, TEXT_COLUMN
from ..data.input_checks import check_dataset
from ..data.label_ids import named_labels
from ..errors import KoBERTEmotionError, RunError, SplitError
from ..inference.classifier import weights_sha256
from ..runs.cross_validation import check_context
from ..runs.preparation import data_sha256
from ..runs.state import check_same_run
from ..splits.folds import split_hash
from ..splits.split import Split, make_split
from ..tokenization.guard import check_tokenization
from ..tokenization.pieces import WordSplit
from ..tokenization.vocabulary import vocabulary_sha256
from ..utils.argument_checks import check_count, check_number, check_path
from ..utils.files import check_free, write_json
from ..utils.garbage_collection import collector_ignores_startup
from ..utils.versions import library_versions
from .layout import SEARCH_FILE
from .locks import CAN_LOCK, only_one
from .space import DEFAULT_SPACE, Space, space_from

if TYPE_CHECKING:
    import optuna

    from .elsewhere import Elsewhere
    from .outcome import SearchResult
    from .plan import SearchPlan

BEGINNING, FINISHING = ".beginning.lock", ".finishing.lock"
_WAIT_SECONDS = 0.5
_START = "spawn"
"""How helpers are started: a fork of a process with threads of torch's may hang."""


def search_arguments(
    dataset: datasets.Dataset,
    output_dir: str | os.PathLike[str],
    model: str | os.PathLike[str] = DEFAULT_MODEL_NAME,
    trials: int = 30,
    space: Space | Mapping[str, Any] | None = None,
    n_splits: int = 3,
    held_out: float = 0.2,
    seed: int = 42,
    n_jobs: int | None = None,
    *,
    prunes: bool = True,
    group_by: str | None = None,
    group_pattern: str | None = None,
    group_duplicates: bool = True,
    word_split: WordSplit | None = None,
    allow_empty: bool = False,
    context: int = 0,
    checkpoint_seconds: float = 60.0,
    train_command: Sequence[str] = ("kobert-emotion", "train", "train.csv"),
    around: Callable[[], AbstractContextManager[Any]] = nullcontext,
    elsewhere: Elsewhere | None = None,
) -> SearchResult:
    """Looks for the arguments of a training that suit the data, and says what the choice is worth.

    A part of the rows is held out. On the others every trial is a stratified k-fold cross-validation with arguments
    that Optuna draws (the tree-structured Parzen estimator; Bergstra et al., 2011; Watanabe, 2023), scored by the macro
    F1 of its out-of-fold answers, and given up where it is below the median of the trials before it at the same part
    of the training (Golovin et al., 2017). The best trial's score is optimistic: it is the highest of many on the same
    rows. So its arguments, and those of the first trial, which are `train`'s own, are then trained on all rows that
    trials see and scored on the rows held out.

    A search that is interrupted, however hard, is continued by the same call: trials that have ended are kept, the
    unfinished one goes on with its number and arguments from its last checkpoint, and with one process on the CPU
    everything is as it would have been. More `trials` on a finished search go on from there. Several processes may be
    at the same search, each with trials of its own.

    Args:
        dataset: Rows with `text` and `label`, as for `cross_validate`.
        output_dir: The folder of the search; it must not exist, be empty, or hold this search.
        model: What every trial starts from; see `cross_validate`.
        trials: How many trials there are to be, at least 2.
        space: What is looked for: see `search.space.read_space`; by default `search.space.DEFAULT_SPACE`.
        n_splits: Folds of a trial, at least 2.
        held_out: Share of the rows that no trial sees, above 0 and up to 0.5.
        seed: Of the split, of the draws, and of the first trial; the training of trial n has `seed` + n.
        n_jobs: Processes that make trials; by default this one, or with `elsewhere` as many as there is room for.
        prunes: Whether trials are given up early.
        group_by: See `cross_validate`, also for the next two.
        group_pattern: A regular expression.
        group_duplicates: Whether rows with the same text stay together.
        word_split: See `cross_validate`.
        allow_empty: Likewise.
        context: Likewise.
        checkpoint_seconds: Likewise.
        train_command: Words of the command that trains on these rows, to which the best arguments are added.
        around: Makes what every process of its own works in, such as settings of its log.
        elsewhere: Makes the trials, and the trainings for the rows held out, in other processes; see
            `ray_engine.tasks.tasks_on_ray`. Either way of searching goes on with what the other has begun.

    Returns:
        The best arguments, their scores, and how far these can be trusted.

    Raises:
        DataError: A row has no label, or the labels have no names.
        KoBERTEmotionError: An argument is out of its range, or Optuna is not installed.
        RunError: `output_dir` is in use, or holds another search.
        SplitError: The labels or groups do not allow as many folds.
    """
    check_optuna()
    check_dataset(dataset, (TEXT_COLUMN, LABEL_COLUMN))
    check_path("output_dir", output_dir)
    check_path("model", model)
    check_count("trials", trials, 2)
    check_number("held_out", held_out, 0, np.nextafter(0.5, 1), above=True)
    most = _most_at_a_time(n_jobs, elsewhere is None)
    from .plan import SearchPlan

    check_context(dataset, context)
    rows = named_labels(dataset)
    grouping = (group_by, group_pattern, group_duplicates)
    outer = _held_out(rows, held_out, seed, grouping)
    searched, aside = outer.folds[0]
    inner = make_split(rows.select(searched), n_splits, seed, *grouping)
    parts = space if isinstance(space, Space) else space_from(DEFAULT_SPACE if space is None else space)
    search = SearchPlan(
        folder=Path(output_dir),
        model=os.fspath(model),
        dataset=rows,
        held_out=aside,
        folds=inner.folds,
        groups=outer.groups,
        space=parts,
        trials=trials,
        seed=seed,
        settings={"checkpoint_seconds": checkpoint_seconds},
        prunes=prunes,
        word_split=word_split,
        allow_empty=allow_empty,
        context=context,
    )
    search.check_space()
    _begin(search, _record(search, outer, inner))
    if elsewhere is not None:
        return _search_elsewhere(search, train_command, elsewhere, most)
    with _helpers(search, most or 1, around), collector_ignores_startup():
        work(search)
    return _finish(search, train_command)


def _most_at_a_time(n_jobs: int | None, is_here: bool) -> int | None:
    """Returns how many trials are made at a time; None for as many as there is room for.

    Raises:
        KoBERTEmotionError: There cannot be so many.
    """
    if n_jobs is None and is_here:
        return 1
    if n_jobs is not None:
        check_count("n_jobs", n_jobs)
    if n_jobs != 1 and not CAN_LOCK:
        raise KoBERTEmotionError(
            "Windows에는 프로세스와 함께 사라지는 잠금이 없어 `n_jobs`는 1이어야 합니다.",
            "Windows has no locks that go with their process: `n_jobs` must be 1.",
            mend={"n_jobs": 1},
        )
    return n_jobs


def _search_elsewhere(
    search: SearchPlan, train_command: Sequence[str], elsewhere: Elsewhere, most: int | None
) -> SearchResult:
    """Has trials, and what is trained for the rows held out, made in other processes."""
    from .elsewhere import hold_out_elsewhere, work_elsewhere

    with elsewhere(search.folder.absolute()) as tasks:
        work_elsewhere(search, tasks, most)
        return _finish(search, train_command, partial(hold_out_elsewhere, tasks=tasks))


def _held_out(rows: datasets.Dataset, share: float, seed: int, grouping: tuple[str | None, str | None, bool]) -> Split:
    """Returns a split whose first fold validates the rows held out.

    Raises:
        SplitError: The labels or groups do not allow it.
    """
    try:
        return make_split(rows, round(1 / share), seed, *grouping)
    except SplitError as error:
        largest = error.mend.get("n_splits")
        raise SplitError(
            f"`held_out` {share:g}만큼의 행을 떼어 낼 수 없습니다: {error.korean}",
            f"No share of {share:g} (`held_out`) of the rows can be held out: {error.english}",
            mend={"held_out": 1 / int(str(largest))} if largest else None,
        ) from error


def check_optuna() -> None:
    """Raises `KoBERTEmotionError` where what a search needs is not installed."""
    missing = [name for name in ("optuna", "yaml") if find_spec(name) is None]
    if missing:
        raise KoBERTEmotionError(
            f"탐색에는 {', '.join(missing)}이(가) 필요합니다. 설치하세요.",
            f"A search needs {', '.join(missing)}: install it.",
            "pip install 'kobert-hf-emotion[search]'",
        )


def work(search: SearchPlan, parent: int | None = None) -> None:
    """Makes trials until there are as many as there are to be.

    Args:
        search: What the search is to do.
        parent: The process that this one works for, which ends with it; None waits for trials of others, and takes up
            theirs where they are killed.
    """
    from .counting import trials_counted
    from .storage import is_anything_running
    from .trial import TokenIds, run_trial

    store, ids = search.store, TokenIds()
    study = store.open()
    with trials_counted(search, study) as look:
        while parent is None or parent == os.getppid():
            with store.claimed(study, search.trials) as trial:
                if trial is not None:
                    run_trial(search, study, trial, ids)
            if trial is None:
                if parent is not None or not is_anything_running(study):
                    return
                time.sleep(_WAIT_SECONDS)
            look()


def _work_for(search: SearchPlan, parent: int, threads: int, around: Callable[[], AbstractContextManager[Any]]) -> None:
    """Makes trials in a process that another one has started."""
    import torch

    torch.set_num_threads(threads)
    with around(), collector_ignores_startup():
        work(search, parent)


@contextmanager
def _helpers(search: SearchPlan, n_jobs: int, around: Callable[[], AbstractContextManager[Any]]) -> Iterator[None]:
    """Has other processes make trials as well, each with its share of the threads, until the block ends."""
    if n_jobs == 1:
        yield
        return
    import torch

    before = torch.get_num_threads()
    threads = max(1, before // n_jobs)
    context: Any = multiprocessing.get_context(_START)
    helpers = [
        context.Process(target=_work_for, args=(search, os.getpid(), threads, around)) for _ in range(n_jobs - 1)
    ]
    torch.set_num_threads(threads)
    try:
        for helper in helpers:
            helper.start()
        yield
    except BaseException:
        for helper in helpers:
            helper.terminate()  # what it was at is continued by the next search
        raise
    finally:
        torch.set_num_threads(before)
        for helper in helpers:
            helper.join()


def _record(search: SearchPlan, outer: Split, inner: Split) -> dict[str, Any]:
    """Returns what `search.json` says of a search before its first trial.

    Raises:
        CheckpointError: There is no model.
        TokenizerError: The tokenizer fits neither model nor data.
    """
    plan = search.of_trial(0, {})
    start = plan.start_model()
    length = max(_lengths(search))
    check_tokenization(plan.tokenizer, start.config, search.dataset[TEXT_COLUMN][:], length)
    return {
        "model": search.model,
        "labels": search.labels,
        "task": search.task.name,
        "allow_empty": search.allow_empty,
        **({"context": search.context} if search.context else {}),
        "rows": len(search.dataset),
        "data_sha256": data_sha256(search.dataset),
        "held_out_rows": len(search.held_out),
        "held_out_sha256": split_hash(outer.folds[:1]),
        "n_splits": len(search.folds),
        **inner.describe(),
        "space": search.space.to_dict(),
        "seed": search.seed,
        "prunes": search.prunes,
        "score": "macro_f1",
        "word_split": getattr(plan.tokenizer, "word_split", None),
        "tokenizer_sha256": vocabulary_sha256(plan.tokenizer),
        "start_weights_sha256": weights_sha256(start),
        "versions": {**library_versions(), "optuna": version("optuna")},
    }


def _lengths(search: SearchPlan) -> list[int]:
    """Returns the lengths that texts may be cut to."""
    from .space import DEFAULTS, Choices, Range

    part = search.space.searched.get("max_length", search.space.fixed.get("max_length", DEFAULTS["max_length"]))
    values = part.values if isinstance(part, Choices) else (part.high,) if isinstance(part, Range) else (part,)
    return [int(value) for value in values]


def _begin(search: SearchPlan, record: Mapping[str, Any]) -> None:
    """Makes the folder of a search, or checks that it is this one's.

    Raises:
        RunError: It holds something else.
    """
    folder, path = search.folder, search.folder / SEARCH_FILE
    if not folder.is_dir() or (not path.is_file() and any(not e.name.startswith(".") for e in folder.iterdir())):
        check_free(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with only_one(folder / BEGINNING):
        if not path.is_file():
            write_json(path, {**record, "trials": search.trials, "finished": False})
            return
    try:
        old = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(
            f"탐색의 기록이 손상되었습니다: {path}. 다른 `output_dir`에 다시 하세요.",
            f"The record of the search is damaged: {path} ({error}). Search again in another `output_dir`.",
            mend={"output_dir": f"{folder}_new"},
        ) from error
    old = {name: value for name, value in old.items() if name not in ("trials", "best")}
    check_same_run(folder, old, record)
    done = _made(search)
    if done > search.trials:
        raise RunError(
            f"{folder}에는 시도가 이미 {done}개 있습니다. `trials`를 {done} 이상으로 하세요.",
            f"There are {done} trials in {folder} already: give {done} `trials` or more.",
            mend={"trials": done},
        )


def _made(search: SearchPlan) -> int:
    """Returns how many trials have been begun."""
    from .storage import JOURNAL_FILE, begun

    return begun(search.store.open()) if (search.folder / JOURNAL_FILE).is_file() else 0


def _finish(
    search: SearchPlan,
    train_command: Sequence[str],
    hold_out: Callable[[SearchPlan, optuna.Study], None] | None = None,
) -> SearchResult:
    """Works out what came of all trials, and writes it; of several processes one after the other.

    Args:
        search: What the search was to do.
        train_command: Words of the command that trains on these rows.
        hold_out: Trains for the rows held out in other processes, if anything; this one does what is left.
    """
    from .outcome import settle, write_result
    from .page import write_page

    with only_one(search.folder / FINISHING):
        study = search.store.open()
        if hold_out is not None:
            hold_out(search, study)
        result = settle(search, study, train_command)
        write_result(search, study, result)
        write_page(search, study, result)
        path = search.folder / SEARCH_FILE
        record = json.loads(path.read_text(encoding="utf-8"))
        write_json(path, {**record, "trials": result.trials, "finished": True, "best": result.best})
    return result
