"""Configuration of an emotion classifier: KoBERT's BERT, the label names and the loss settings."""

from collections.abc import Mapping
from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import BertConfig, PreTrainedConfig

from .errors import CheckpointError, KoBERTEmotionError, Setting
from .labels import ID2LABEL, LABEL2ID

MULTI_LABEL = "multi_label_classification"
"""`problem_type` of a model that gives each label a probability of its own, as transformers calls it."""


@strict
class EmotionConfig(BertConfig):
    """A `BertConfig` with KoBERT's shape, the emotion labels and the focal-loss settings.

    The saved `config.json` has `model_type` "bert", so plain transformers reads it; it ignores the fields
    that are added here. Defaults that differ from `BertConfig`:

    | field | here | `BertConfig` |
    |---|---|---|
    | `vocab_size` | 8002 | 30522 |
    | `pad_token_id` | 1 | 0 |
    | `classifier_dropout` | 0.5 (the notebook's `dr_rate`) | None |
    | `id2label`, `label2id` | the seven emotions, unless `num_labels` says otherwise | two numbered labels |

    Args:
        focal_alpha: Weight of the focal loss: one number, or one per class in the order of the ids. Of a multi-label
            model the balance of a label's yes and no (see `modeling.sigmoid_loss.sigmoid_focal_loss`), None for none.
        focal_gamma: Focusing parameter of the focal loss; of a multi-label model also one per label.
        tokenizer_sha256: SHA-256 of the `spiece.model` the weights belong to, None where unknown. The
            tokenizer guard compares it with the tokenizer in use.
        softmax_temperature: What logits are divided by before the softmax that gives the probabilities of a
            prediction; see `metrics.calibration.fit_temperature`. `forward` gives the logits as trained, undivided.
        label_thresholds: Of a multi-label model: the probability from which on a label is given, one per label in the
            order of the ids. None means 0.5 for all.
        thresholds_from: What they were fitted on, in words.
        allow_empty: Of a multi-label model: whether a text may get no label. Otherwise it gets the one that is nearest
            to its threshold where none reaches it.
        context_turns: How many turns before a line of a conversation the model was trained with, as its second text;
            0 for none. See `tokenization.context`.
        label_hierarchy: Of a model whose labels are the fine ones of two levels: for each coarse label its name
            (`label`) and the names of the fine labels under it (`labels`).
        soft_labels: Whether the model was trained on shares of votes rather than on one label a text.
    """

    vocab_size: int = 8002
    pad_token_id: int | None = 1
    classifier_dropout: float | int | None = 0.5
    focal_alpha: float | int | list[float | int] | None = 1.0
    focal_gamma: float | int | list[float | int] = 2.0
    tokenizer_sha256: str | None = None
    softmax_temperature: float | int = 1.0  # plain `temperature` is a setting of text generation to transformers
    label_thresholds: list[float | int] | None = None
    thresholds_from: str | None = None
    allow_empty: bool = False
    context_turns: int = 0
    label_hierarchy: list[dict[str, Any]] | None = None
    soft_labels: bool = False

    def __post_init__(self, **kwargs: Any) -> None:
        if self.id2label is None and self.label2id is not None:
            self.id2label = {int(index): name for name, index in self.label2id.items()}
        if self.id2label is None and kwargs.get("num_labels", len(ID2LABEL)) == len(ID2LABEL):
            self.id2label = dict(ID2LABEL)
            self.label2id = dict(LABEL2ID)
            kwargs.pop("num_labels", None)
        if self.id2label is not None and self.label2id is None:
            self.label2id = {name: int(index) for index, name in self.id2label.items()}
        super().__post_init__(**kwargs)  # type: ignore[no-untyped-call]

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Builds a configuration from the content of a `config.json`; see `PreTrainedConfig.from_dict`.

        Raises:
            CheckpointError: It is of a model of another type, whose weights have other names: every one would start
                at random.
        """
        kind = config_dict.get("model_type", cls.model_type) if isinstance(config_dict, dict) else cls.model_type
        if kind != cls.model_type:
            raise CheckpointError(
                f"config.json은 {kind!r} 모델의 것입니다. EmotionClassifier는 {cls.model_type!r} 모델을 읽습니다. 다른 "
                "인코더는 kobert_hf_emotion.inference.load_classifier나 `kobert-emotion train`의 `model`로 여세요.",
                f"Expected the config.json of a {cls.model_type!r} model, which EmotionClassifier is, found {kind!r}. "
                "Other encoders are opened by kobert_hf_emotion.inference.load_classifier, and as `model` of "
                "`kobert-emotion train`.",
            )
        return super().from_dict(config_dict, **kwargs)

    @property
    def labels(self) -> list[str]:
        """Label names in the order of their ids."""
        return label_names(self)


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
