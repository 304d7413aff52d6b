"""What a classifier's configuration says of its answers; nothing here loads torch or transformers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import CheckpointError, KoBERTEmotionError, Setting

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

MULTI_LABEL = "multi_label_classification"
"""`problem_type` of a model that gives each label a probability of its own, as transformers calls it."""


def longest_input(config: PreTrainedConfig) -> int:
    """Returns the most tokens a model has positions for, special tokens included."""
    # RoBERTa numbers positions from the one after its padding id.
    first = (config.pad_token_id or 0) + 1 if config.model_type == "roberta" else 0
    return int(config.max_position_embeddings - first)


def label_names(config: PreTrainedConfig) -> list[str]:
    """Returns the label names of a classifier's configuration in the order of their ids.

    Raises:
        CheckpointError: The ids are not 0, 1, …, two names are equal, or `label2id` gives a name another id.
    """
    names = {int(index): name for index, name in (config.id2label or {}).items()}
    other = {name: index for name, index in (config.label2id or {}).items() if names.get(int(index)) != name}
    if sorted(names) != list(range(len(names))) or len(set(names.values())) != len(names):
        raise CheckpointError(
            f"config.json의 id2label은 0부터 차례로 서로 다른 이름이어야 합니다. 찾은 것: {names}",
            f"Expected id2label of config.json to give the ids 0, 1, … a name each, found {names}.",
        )
    if contradictions := {name: index for name, index in other.items() if name in names.values()}:
        raise CheckpointError(
            f"config.json의 label2id가 id2label과 다릅니다: {contradictions} — id2label은 {names}",
            f"Expected label2id of config.json to agree with id2label, {names}; found {contradictions}.",
        )
    return [names[index] for index in range(len(names))]


def softmax_temperature(config: PreTrainedConfig) -> float:
    """Returns what a classifier's logits are divided by before the softmax; 1 where its configuration has none."""
    return float(getattr(config, "softmax_temperature", 1.0))


def context_turns(config: PreTrainedConfig) -> int:
    """Returns how many turns before a line a model was trained with; 0 where its second texts are something else."""
    return int(getattr(config, "context_turns", 0) or 0)


def is_multi_label(config: PreTrainedConfig) -> bool:
    """Whether a model gives each label a probability of its own, so that a text may have several."""
    return bool(getattr(config, "problem_type", None) == MULTI_LABEL)


def is_soft(config: PreTrainedConfig) -> bool:
    """Whether a model was trained on shares of votes; its answers are those of a model that chooses one label."""
    return bool(getattr(config, "soft_labels", False)) and not is_multi_label(config)


def refuse_multi_label(
    config: PreTrainedConfig, korean: str, english: str, mend: Mapping[str, Setting] | None = None
) -> None:
    """Raises `KoBERTEmotionError` where a model gives several labels a text, and what follows knows of one alone.

    Args:
        config: The model's.
        korean: What cannot be done with it, and what can.
        english: The same in English.
        mend: Arguments that lead out; see `KoBERTEmotionError`.
    """
    if is_multi_label(config):
        raise KoBERTEmotionError(
            f"다중 레이블 모델입니다. {korean}", f"This is a multi-label model. {english}", mend=mend
        )
