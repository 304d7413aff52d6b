"""Groups of options that commands share: a dataclass each, which a command takes as one parameter."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from ..data.tables.options import LayoutName, ReadOptions
from ..training.argument_values import ARGUMENTS, others_from
from . import options
from .loudness import is_quiet

if TYPE_CHECKING:
    from ..training.arguments import EmotionTrainingArguments


@dataclass(frozen=True)
class Columns:
    """The columns of a file that are read."""

    text_column: options.TextColumn = None
    text_pair_column: options.TextPairColumn = None
    label_column: options.LabelColumn = None


@dataclass(frozen=True)
class Turns:
    """Which turns of a conversation go with a line."""

    context: options.Context = None
    order_column: options.OrderColumn = None


@dataclass(frozen=True)
class Conversations(Turns):
    """The same where a file is predicted; a training's group column is one of its division."""

    group_column: options.ConversationColumn = None


@dataclass(frozen=True)
class Long:
    """How texts are answered that are longer than a model reads."""

    long: options.Long = None
    stride: options.Stride = 32
    pool: options.Pool = "mean"


@dataclass(frozen=True)
class LabelMeanings:
    """What the cells of labels mean."""

    label_map: options.LabelMap = None
    unknown_label: options.UnknownLabel = "error"


@dataclass(frozen=True)
class LabelRules(LabelMeanings):
    """The same where labels may have two levels."""

    fine_label_column: options.FineLabelColumn = None


@dataclass(frozen=True)
class NewLabelRules(LabelRules):
    """The same where the labels are no model's yet."""

    shared_fine_labels: options.SharedFineLabels = "error"


@dataclass(frozen=True)
class LabelSet:
    """Which labels a model is to give, and how many a text."""

    labels: options.Labels = None
    task: options.Task = "single-label"
    allow_empty: options.AllowEmpty = False


@dataclass(frozen=True)
class Engine:
    """Where files are predicted."""

    engine: options.Engine = "local"
    ray_address: options.RayAddress = None
    actors: options.Actors = None
    part_format: options.PartFormat = "parquet"
    resume: options.Resume = False
    strict: options.Strict = False


@dataclass(frozen=True)
class FoldEngine:
    """Where folds are trained."""

    engine: options.TrainEngine = "local"
    ray_address: options.RayAddress = None
    resources_per_fold: options.ResourcesPerFold = None


@dataclass(frozen=True)
class TrialEngine:
    """Where trials of a search are made."""

    engine: options.SearchEngine = "local"
    ray_address: options.RayAddress = None
    resources_per_trial: options.ResourcesPerTrial = None


@dataclass(frozen=True)
class Grouping:
    """Which rows stay together where rows are divided."""

    group_column: options.GroupColumn = None
    group_pattern: options.GroupPattern = None
    group_duplicates: options.GroupDuplicates = True


@dataclass(frozen=True)
class Division:
    """How rows are divided into folds."""

    folds: options.Folds = None
    group_column: options.GroupColumn = None
    group_pattern: options.GroupPattern = None
    group_duplicates: options.GroupDuplicates = True
    split: options.SplitFile = None


@dataclass(frozen=True)
class TrainingOptions:
    """How a model is trained."""

    epochs: options.Epochs = 10.0
    batch_size: options.BatchSize = 64
    learning_rate: options.LearningRate = 5e-5
    max_length: options.MaxLength = 64
    gamma: options.Gamma = "2.0"
    alpha: options.Alpha = "1.0"
    seed: options.Seed = 42
    warmup: options.Warmup = 0.1
    weight_decay: options.WeightDecay = 0.01
    layer_decay: options.LayerDecay = 1.0
    other_arguments: options.OtherArguments = None


@dataclass(frozen=True)
class StudentOptions(TrainingOptions):
    """How one model is trained from a new head, without folds."""

    dropout: options.Dropout = 0.5
    checkpoint_seconds: options.CheckpointSeconds = 60.0


@dataclass(frozen=True)
class RunOptions(TrainingOptions):
    """How the models of a run are trained, from new heads."""

    dropout: options.Dropout = 0.5
    report_to: options.ReportTo = None
    checkpoint_seconds: options.CheckpointSeconds = 60.0
    best_epoch: options.BestEpoch = False
    early_stopping_patience: options.EarlyStoppingPatience = 0
    choosing_share: options.ChoosingShare = 0.1
    accumulate: options.Accumulate = 1
    lora: options.Lora = 0
    lora_alpha: options.LoraAlpha = None
    lora_dropout: options.LoraDropout = 0.0
    lora_target: options.LoraTarget = "query,value"


@dataclass(frozen=True)
class AdaptationOptions:
    """How an encoder is trained to name hidden tokens."""

    epochs: options.Epochs = 3.0
    batch_size: options.BatchSize = 64
    learning_rate: options.LearningRate = 1e-4
    max_length: options.MaxLength = 64
    seed: options.Seed = 42
    checkpoint_seconds: options.CheckpointSeconds = 60.0


def arguments_from(training: TrainingOptions | AdaptationOptions) -> EmotionTrainingArguments:
    """Returns the training arguments that options stand for; a bar is shown where stderr is a terminal."""
    from ..training.alpha_and_gamma import parse_gamma
    from ..training.arguments import EmotionTrainingArguments

    given = {ARGUMENTS.get(name, name): value for name, value in vars(training).items()}
    names = {argument: option for option, argument in ARGUMENTS.items()}
    others = others_from(given.pop("other_arguments", None) or (), names, given)
    if given.get("report_to") is None:
        given["report_to"] = "none"
    if "focal_gamma" in given:
        given["focal_gamma"] = parse_gamma(given["focal_gamma"])
    given |= others
    return EmotionTrainingArguments(**given, disable_tqdm=is_quiet() or not sys.stderr.isatty())


_READING: dict[str, Any] = {
    "encoding": Annotated[
        str | None,
        typer.Option("--encoding", help="파일 인코딩; 없으면 찾아냄 (encoding of the file; found if left out)"),
    ],
    "sheet": Annotated[
        str | None, typer.Option("--sheet", help="엑셀 시트 이름; 없으면 첫 시트 (sheet of a workbook; the first)")
    ],
    "delimiter": Annotated[
        str | None,
        typer.Option(
            "--delimiter",
            help="칸을 나누는 글자 또는 comma, tab, semicolon, pipe; 한 줄이 글 하나면 line; 없으면 찾아냄 (what "
            "stands between cells, or 'line' where every line is a text; found if left out)",
        ),
    ],
    "quoted": Annotated[
        bool | None,
        typer.Option("--quoted/--no-quoted", help="따옴표가 칸을 감쌈; 없으면 찾아냄 (quotation marks enclose cells)"),
    ],
    "no_header": Annotated[
        bool,
        typer.Option(
            "--no-header",
            help="열 이름 행이 없음; 열은 1부터 센 번호, 예: --text-column 2 (no row of column names; they are "
            "called by their position from 1)",
        ),
    ],
    "header_row": Annotated[
        int | None,
        typer.Option("--header-row", min=1, help="열 이름이 있는 행 번호; 없으면 찾아냄 (row of the column names)"),
    ],
    "layout": Annotated[
        LayoutName | None, typer.Option("--layout", help="정해진 머리글 형식: kemdy (a named layout of the header)")
    ],
}
"""The options of `ReadOptions`, which is no class of the command line and knows none."""


def takes_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of its groups, each in place of the parameter that is annotated with the group."""
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, type[Any]] = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if isinstance(parameter.annotation, type) and is_dataclass(parameter.annotation)
    }

    @functools.wraps(command)
    def run(**given: Any) -> None:
        built = {
            name: group(**{option: given.pop(option) for option in _options_of(group)})
            for name, group in groups.items()
        }
        command(**built, **given)

    parameters = []
    for name, parameter in signature.parameters.items():
        if name not in groups:
            parameters.append(parameter)
            continue
        parameters += [
            parameter.replace(name=option, annotation=kind, default=getattr(groups[name], option))
            for option, kind in _options_of(groups[name]).items()
        ]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _options_of(group: type[Any]) -> dict[str, Any]:
    """Maps the options of a group to their annotations, in their order."""
    if group is ReadOptions:
        return _READING
    kinds = get_type_hints(group, include_extras=True)
    return {field.name: kinds[field.name] for field in fields(group)}
