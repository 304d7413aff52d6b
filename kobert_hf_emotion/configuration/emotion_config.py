"""The configuration class: KoBERT's BERT, the label names and the loss settings."""

from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import BertConfig

from ..errors import CheckpointError
from ..labels import ID2LABEL, LABEL2ID
from .settings import label_names


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
        label_calibration: Of a multi-label model: a slope and a shift for each label, which turn its logit into the one
            whose sigmoid is the probability of a prediction, and which `label_thresholds` are for; see
            `metrics.label_calibration.platt_scales`. None for the logits as trained, which `forward` gives in any case.
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
    label_calibration: list[list[float | int]] | None = None
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
