"""Configuration of an emotion classifier: KoBERT's BERT, the label names and the loss settings."""

from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import BertConfig, PreTrainedConfig

from .labels import ID2LABEL, LABEL2ID


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
        focal_alpha: Weight of the focal loss: one number, or one per class in the order of the ids.
        focal_gamma: Focusing parameter of the focal loss.
        tokenizer_sha256: SHA-256 of the `spiece.model` the weights belong to, None where unknown. The
            tokenizer guard compares it with the tokenizer in use.
        softmax_temperature: What logits are divided by before the softmax that gives the probabilities of a
            prediction; see `calibration.fit_temperature`. `forward` gives the logits as they were trained, undivided.
    """

    vocab_size: int = 8002
    pad_token_id: int | None = 1
    classifier_dropout: float | int | None = 0.5
    focal_alpha: float | int | list[float | int] = 1.0
    focal_gamma: float | int = 2.0
    tokenizer_sha256: str | None = None
    softmax_temperature: float | int = 1.0  # plain `temperature` is a setting of text generation to transformers

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

    @property
    def labels(self) -> list[str]:
        """Label names in the order of their ids."""
        return label_names(self)


def longest_input(config: PreTrainedConfig) -> int:
    """Returns the most tokens a model has positions for, special tokens included."""
    # RoBERTa numbers positions from the one after its padding id.
    first = config.pad_token_id + 1 if config.model_type == "roberta" else 0
    return int(config.max_position_embeddings - first)


def label_names(config: PreTrainedConfig) -> list[str]:
    """Returns the label names of a classifier's configuration in the order of their ids."""
    names = config.id2label
    assert names is not None
    return [name for _, name in sorted(names.items())]


def softmax_temperature(config: PreTrainedConfig) -> float:
    """Returns what a classifier's logits are divided by before the softmax; 1 where its configuration has none."""
    return float(getattr(config, "softmax_temperature", 1.0))
