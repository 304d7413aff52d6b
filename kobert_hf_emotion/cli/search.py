"""`kobert-emotion search`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..data.tables import ReadOptions
from ..errors import RunError
from ..wording import Language
from . import options
from .groups import Columns, Grouping, LabelSet, NewLabelRules, TrialEngine, Turns, takes_groups
from .hints import words_of
from .inputs import check_data_file, check_there
from .language import counted, speak, spoken, words
from .loudness import hush, is_quiet
from .models import check_start, names_nearest
from .output import quiet_libraries, say, say_json
from .training_rows import reading_of, training_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from ..search.elsewhere import Elsewhere
    from ..search.outcome import HeldOutScores, SearchResult

_OF_TRAIN = (
    "train_file", "model", "text_column", "text_pair_column", "label_column", "group_column", "group_pattern",
    "group_duplicates", "labels", "task", "allow_empty", "label_map", "unknown_label", "fine_label_column",
    "shared_fine_labels", "encoding", "sheet", "delimiter", "quoted", "no_header",
    "header_row", "layout", "word_split", "context", "order_column", "lang",
)  # fmt: skip
"""What was typed for the search that is typed for the training as well."""


@takes_groups
def search(
    call: typer.Context,
    train_file: options.InputFile,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="결과 폴더: 새 폴더, 또는 이어서 할 같은 탐색; 없으면 runs/파일이름-search (folder of the search: a "
            "new one, or this search to go on with; runs/NAME-search if left out)",
        ),
    ] = None,
    model: options.StartModel = "default",
    trials: Annotated[
        int, typer.Option("--trials", min=2, help="시도 수; 끝난 탐색에 더 크게 주면 이어서 함 (trials; more go on)")
    ] = 30,
    space: Annotated[
        Path | None,
        typer.Option(
            "--space",
            help="탐색할 인자와 범위를 적은 YAML 파일; 없으면 기본 범위 (YAML file of arguments and their ranges)",
        ),
    ] = None,
    folds: Annotated[int, typer.Option("--folds", min=2, help="시도마다의 겹 수 (folds of a trial)")] = 3,
    held_out: Annotated[
        float,
        typer.Option(
            "--held-out",
            help="어느 시도도 보지 않는 행의 비율; 고른 인자를 여기서 잼 (share of the rows that no trial sees, and "
            "that the chosen arguments are measured on)",
        ),
    ] = 0.2,
    seed: options.Seed = 42,
    n_jobs: Annotated[
        int | None,
        typer.Option(
            "--n-jobs",
            min=1,
            help="나란히 시도하는 프로세스 수; 없으면 하나, ray는 자리가 있는 만큼 (processes that make trials; one if "
            "left out, with ray as many as there is room for)",
        ),
    ] = None,
    pruning: Annotated[
        bool,
        typer.Option(
            "--pruning/--no-pruning", help="중앙값보다 못한 시도를 일찍 그만둠 (give up trials below the median early)"
        ),
    ] = True,
    checkpoint_seconds: options.CheckpointSeconds = 60.0,
    *,
    columns: Columns,
    grouping: Grouping,
    turns: Turns,
    label_set: LabelSet,
    rules: NewLabelRules,
    reading: ReadOptions,
    word_split: Annotated[
        options.WordSplitName | None,
        typer.Option("--word-split", help="노트북과 같은 토큰은 gluonnlp (gluonnlp: the notebook's tokens)"),
    ] = None,
    engine: TrialEngine,
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion search train.csv --model default --trials 30 --output runs/s

    학습 인자를 찾습니다. 행의 일부는 떼어 두고, 나머지로 고른 인자를 거기서 다시 잽니다. 끊긴 탐색은 같은 명령으로
    이어집니다.
    Looks for the arguments of a training. Some rows are held out, and the arguments that were chosen on the others are
    measured on them. The same command continues a search that was interrupted.
    """  # noqa: D415
    from ..search.searching import check_optuna, search_arguments
    from ..search.space import read_space

    check_data_file("train_file", train_file)
    check_there("space", space)
    check_start("model", model)
    check_optuna()
    looked_for = read_space(space)
    elsewhere = _elsewhere(engine)
    with quiet_libraries():
        dataset, _ = training_rows(
            train_file, reading_of(columns, turns, label_set, rules, reading, grouping.group_column)
        )
        with names_nearest("model", model):
            result = search_arguments(
                dataset,
                Path("runs", f"{train_file.stem}-search") if output is None else output,
                model,
                trials,
                looked_for,
                folds,
                held_out,
                seed,
                n_jobs,
                prunes=pruning,
                group_by=None if grouping.group_column is None else "group",
                group_pattern=grouping.group_pattern,
                group_duplicates=grouping.group_duplicates,
                word_split=word_split,
                allow_empty=label_set.allow_empty,
                context=turns.context or 0,
                checkpoint_seconds=checkpoint_seconds,
                train_command=["kobert-emotion", "train", *words_of(call, _OF_TRAIN)],
                around=partial(_helper, spoken(), is_quiet()),
                elsewhere=elsewhere,
            )
    if json:
        say_json(result.to_dict())
    else:
        say("\n".join(_lines(result)))


def _elsewhere(engine: TrialEngine) -> Elsewhere | None:
    """Returns what makes the trials in other processes, None where this one does."""
    if engine.engine == "local":
        if engine.ray_address is not None or engine.resources_per_trial is not None:
            raise RunError(
                "`ray_address`와 `resources_per_trial`은 `engine` ray에 쓰입니다.",
                "`ray_address` and `resources_per_trial` are for `engine` ray.",
                mend={"engine": "ray"},
            )
        return None
    from ..ray_engine.cluster import require_ray
    from ..ray_engine.tasks import TaskResources, tasks_on_ray

    text = engine.resources_per_trial
    each = None if text is None else TaskResources.parse(text, "resources_per_trial")
    require_ray()
    return tasks_on_ray(engine.ray_address, each)


def _helper(language: Language, quiet: bool) -> AbstractContextManager[Any]:
    """Makes what a process that helps works in: the language and the log of the command, whose progress has it all."""
    speak(language)
    hush(quiet)
    return quiet_libraries(shows_progress=False)


def _lines(result: SearchResult) -> Iterator[str]:
    from ..search.layout import COMMAND_FILE
    from ..search.page import PAGE_FILE

    ends = ", ".join(f"{name} {count}" for name, count in result.by_end.items() if count)
    yield f"{counted(result.trials, '번 시도', 'trials')}: {ends}"
    yield f"{'macro F1':<30} {words('고른 행', 'chose'):>14} {words('떼어 둔 행', 'held out'):>18}"
    yield _row(words("가장 좋은 시도", "best trial") + f" {result.best}", result.optimism.chosen, result.held_out)
    if result.held_out_start is not None:
        yield _row(words("처음 인자", "first arguments"), result.start_macro_f1, result.held_out_start)
    if result.gain is not None and result.gain_interval is not None:
        low, high = result.gain_interval.low, result.gain_interval.high
        title = words("떼어 둔 행에서의 차이", "difference, rows held out")
        yield f"  {title}: {result.gain:+.4f} [{low:+.4f}, {high:+.4f}]"
    o = result.optimism
    yield (
        f"  {words('고른 행의 점수는 낙관적', 'the score on the rows that chose is optimistic')}: {o.chosen:.4f}; "
        f"{words('부트스트랩으로 잰 낙관', 'bootstrap optimism')} {o.bootstrap:.4f}, "
        f"{words('바로잡은 값', 'corrected')} {o.corrected:.4f}"
    )
    if result.importance:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in result.importance.items())
        yield f"  {words('중요도', 'importance')}: {shares}"
    yield f"{words('보고서', 'report')}: {result.output_dir / PAGE_FILE}"
    yield f"{words('학습 명령', 'command to train')} ({result.output_dir / COMMAND_FILE}):\n  {result.command}"


def _row(name: str, chosen: float | None, held_out: HeldOutScores) -> str:
    interval = held_out.intervals["macro_f1"]
    first = "-" if chosen is None else f"{chosen:.4f}"
    return f"{name:<30} {first:>14} {held_out.scores.macro_f1:>10.4f} [{interval}] ({held_out.scores.rows:,})"
