"""Which task a model or a data set is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..configuration import is_multi_label, label_names
from ..data.label_ids import has_several
from ..data.levels import Hierarchy
from ..errors import CheckpointError, DataError
from .multi_label import MultiLabel
from .single_label import SingleLabel
from .task import Task
from .two_levels import TwoLevels

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedConfig


def task_of(config: PreTrainedConfig) -> Task:
    """Returns the task of a model, with the thresholds of its configuration.

    Raises:
        CheckpointError: There are thresholds for more or fewer labels than the model has, or such as are none.
    """
    if not is_multi_label(config):
        return _one_label(config)
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


def check_task(config: PreTrainedConfig, dataset: Dataset, name: str = "dataset") -> None:
    """Raises `DataError` where the rows have lists of labels and the model gives one, or the other way round."""
    several = has_several(dataset)
    if several and not is_multi_label(config):
        raise DataError(
            f"`{name}`의 행에는 레이블이 여럿인데 모델은 하나만 답합니다. 다중 레이블 모델은 "
            "from_pretrained(…, problem_type='multi_label_classification')로 시작합니다.",
            f"The rows of `{name}` have lists of labels, and the model gives one. A multi-label model is started by "
            "from_pretrained(…, problem_type='multi_label_classification').",
        )
    if is_multi_label(config) and not several:
        raise DataError(
            f"다중 레이블 모델인데 `{name}`의 행에는 레이블이 하나씩입니다. task='multi-label'로 읽으세요: "
            "load_emotion_dataset(path, task='multi-label')",
            f"The model is a multi-label one, and the rows of `{name}` have one label each. Read them with "
            "load_emotion_dataset(path, task='multi-label').",
        )
