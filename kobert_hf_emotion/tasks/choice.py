"""Which task a model or a data set is for; each is loaded where it is one: a first answer needs one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..configuration import is_multi_label, is_soft, label_names
from ..data.label_ids import class_names, has_several, has_votes
from ..data.task_names import TaskName
from ..errors import CheckpointError, DataError
from .calibration import label_scales
from .single_label import SingleLabel
from .task import Task

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedConfig

    from ..data.levels import Hierarchy


def task_of(config: PreTrainedConfig) -> Task:
    """Returns the task of a model, with the thresholds of its configuration.

    Raises:
        CheckpointError: There are thresholds or scales for another number of labels, or such as are none.
    """
    label_scales(config)
    if not is_multi_label(config):
        return _soft() if is_soft(config) else _one_label(config)
    from .multi_label import MultiLabel

    thresholds = getattr(config, "label_thresholds", None)
    if thresholds is not None and not (
        isinstance(thresholds, list)
        and len(thresholds) == config.num_labels
        and all(isinstance(found, int | float) and 0 <= found <= 1 for found in thresholds)
    ):
        raise CheckpointError(
            f"config.json의 label_thresholds는 레이블({config.num_labels}개)마다 0에서 1 사이의 수여야 합니다: "
            f"{thresholds!r:.200}. 지우면 모두 0.5입니다.",
            f"Expected label_thresholds of config.json to be a number from 0 to 1 for each of {config.num_labels} "
            f"labels, found {thresholds!r:.200}. Without it all are 0.5.",
        )
    return MultiLabel(
        None if thresholds is None else tuple(map(float, thresholds)),
        getattr(config, "thresholds_from", None),
        bool(getattr(config, "allow_empty", False)),
    )


def _one_label(config: PreTrainedConfig) -> SingleLabel:
    """Returns the task of a model with one label a text, of one level or two."""
    groups = getattr(config, "label_hierarchy", None)
    if groups is None:
        return SingleLabel()
    from ..data.levels import Hierarchy
    from .two_levels import TwoLevels

    labels = label_names(config)
    try:
        found = {str(group["label"]): list(map(str, group["labels"])) for group in groups}
        hierarchy = Hierarchy.from_dict(found, labels)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            "config.json의 label_hierarchy는 대분류마다 그 소분류의 목록이어야 하고 레이블이 모두 한 번씩 "
            f"있어야 합니다({error}). 지우면 레이블이 한 단계인 모델입니다.",
            "Expected label_hierarchy of config.json to list the fine labels of each coarse one, every label once "
            f"({error}). Without it the model's labels have one level.",
        ) from error
    return TwoLevels(fine=tuple(labels), hierarchy=hierarchy)


def task_for(dataset: Dataset, allow_empty: bool = False, hierarchy: Hierarchy | None = None) -> Task:
    """Returns the task of a model to be trained on rows.

    Args:
        dataset: Rows with labels.
        allow_empty: Of several labels a row: whether a text may get none.
        hierarchy: Of one label a row: which coarse label each of the labels stands under, where there are two levels.
    """
    if has_several(dataset):
        from .multi_label import MultiLabel

        return MultiLabel(allow_empty=allow_empty)
    if has_votes(dataset):
        return _soft()
    if hierarchy is None:
        return SingleLabel()
    from .two_levels import TwoLevels

    return TwoLevels(fine=tuple(class_names(dataset) or ()), hierarchy=hierarchy)


def _soft() -> Task:
    from .soft import Soft

    return Soft()


_MODELS: dict[TaskName, tuple[str, str, str]] = {
    "single-label": ("레이블 하나를 고르는 모델", "a model that chooses one label", ""),
    "multi-label": ("다중 레이블 모델", "a multi-label one", "problem_type='multi_label_classification'"),
    "soft": ("표의 몫을 배우는 모델", "one of votes", "soft_labels=True"),
}
"""What models of each task are called, and what starts one."""
_ROWS: dict[TaskName, tuple[str, str]] = {
    "single-label": ("레이블이 하나씩", "one label each"),
    "multi-label": ("레이블의 목록", "lists of labels"),
    "soft": ("레이블마다 표", "votes for each label"),
}


def check_task(config: PreTrainedConfig, dataset: Dataset, name: str = "dataset") -> None:
    """Raises `DataError` where the rows have labels of another kind than the model was made for."""
    rows, model = task_for(dataset).name, task_of(config).name
    if rows == model:
        return
    start = _MODELS[rows][2]
    korean = f" 그런 행으로 학습할 모델은 from_pretrained(…, {start})로 시작합니다." if start else ""
    english = f" A model for such rows is started by from_pretrained(…, {start})." if start else ""
    raise DataError(
        f"모델은 {_MODELS[model][0]}인데 `{name}`의 행에는 {_ROWS[rows][0]}이(가) 있습니다. "
        f"load_emotion_dataset(path, task='{model}')로 읽으세요.{korean}",
        f"The model is {_MODELS[model][1]}, and the rows of `{name}` have {_ROWS[rows][1]}. Read them with "
        f"load_emotion_dataset(path, task='{model}').{english}",
    )
