"""The configuration of an imported model: sizes from shapes, the rest from the pickled model where there is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..configuration import EmotionConfig
from ..errors import CheckpointError
from .records import Global, Record, damaged
from .structure import walk_modules

KOBERT_HIDDEN_SIZE = 768
KOBERT_HEAD_SIZE = 64
_SIZES = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
)
_ACTIVATION_CLASSES = {
    "GELUActivation": "gelu",
    "NewGELUActivation": "gelu_new",
    "FastGELUActivation": "gelu_fast",
    "QuickGELUActivation": "quick_gelu",
    "PytorchGELUTanh": "gelu_pytorch_tanh",
    "GELU": "gelu",
    "ReLU": "relu",
    "SiLU": "silu",
    "SiLUActivation": "silu",
    "MishActivation": "mish",
    "Tanh": "tanh",
}
_ACTIVATIONS = frozenset(
    {"gelu", "gelu_new", "gelu_fast", "gelu_python", "gelu_pytorch_tanh", "gelu_accurate", "quick_gelu"}
    | {"relu", "relu6", "leaky_relu", "silu", "swish", "mish", "tanh", "sigmoid", "linear"}
)
_ACTIVATION_FUNCTIONS = {"gelu": "gelu", "gelu_python": "gelu", "gelu_new": "gelu_new", "relu": "relu", "swish": "silu"}


def read_settings(module: Record | None) -> dict[str, Any]:
    """Reads what shapes do not tell off a pickled model: heads, dropout, epsilon, activation, padding.

    What the modules themselves hold counts for more than the `config` beside them, as it is what computed.

    Args:
        module: The pickled model, None for a bare state dict.

    Returns:
        Fields of `EmotionConfig`; those that the file does not tell are left out.
    """
    if module is None:
        return {}
    modules = dict(walk_modules(module))
    settings: dict[str, Any] = {}
    for record in modules.values():
        config = record.state.get("config")
        if isinstance(config, Record):
            settings |= _from_config(config.state)
            break
    for name, record in modules.items():
        settings |= _from_module(name, record)
    if "hidden_act" not in settings:
        raise damaged("활성화 함수를 알 수 없습니다", "the activation function of the model is not one of BERT's")
    settings["classifier_dropout"] = _head_dropout(module, modules)
    return settings


def read_labels(module: Record | None, count: int) -> list[str] | None:
    """Returns the label names a pickled model's configuration gives to its `count` classes, None without any."""
    if module is None:
        return None
    configs = (record.state.get("config") for _, record in walk_modules(module))
    tables = (config.state.get("id2label") for config in configs if isinstance(config, Record))
    for table in tables:
        if isinstance(table, dict) and set(table) == set(range(count)):
            labels = [table[index] for index in range(count)]
            return labels if _are_names(labels) else None
    return None


def _are_names(labels: list[Any]) -> bool:
    """Whether somebody named the classes: with texts, no two alike, other than transformers' own."""
    are_texts = all(type(name) is str for name in labels)
    return are_texts and len(set(labels)) == len(labels) and labels != [f"LABEL_{i}" for i in range(len(labels))]


def build_config(
    sizes: Mapping[str, int], settings: Mapping[str, Any], num_attention_heads: int | None, labels: Sequence[str] | None
) -> EmotionConfig:
    """Puts sizes and settings together.

    Raises:
        CheckpointError: The number of heads is not known and cannot be guessed, or does not divide the hidden
            size; a size is missing; the labels are not as many as the classes.
    """
    missing = [name for name in (*_SIZES, "num_labels") if not sizes.get(name)]
    if missing:
        raise CheckpointError(
            f"파일의 가중치로는 {', '.join(missing)}을(를) 알 수 없습니다. 분류기까지 저장된 파일이 필요합니다.",
            f"Expected the weights of a whole BERT classifier; the file does not tell {', '.join(missing)}.",
        )
    heads = _head_count(sizes["hidden_size"], num_attention_heads or settings.get("num_attention_heads"))
    if settings.get("pad_token_id", 0) >= sizes["vocab_size"]:
        raise damaged("pad_token_id가 어휘 밖에 있습니다", "pad_token_id lies beyond the vocabulary")
    fields = {name: sizes[name] for name in _SIZES}
    return EmotionConfig(
        **{**settings, **fields, "num_attention_heads": heads},
        **_label_fields(sizes["num_labels"], labels),
    )


def _head_count(hidden_size: int, heads: int | None) -> int:
    if heads is None and hidden_size == KOBERT_HIDDEN_SIZE:
        return hidden_size // KOBERT_HEAD_SIZE
    if heads is None:
        raise CheckpointError(
            f"어텐션 헤드의 수는 가중치의 모양으로 알 수 없습니다(hidden_size {hidden_size}). `num_attention_heads`로 "
            "직접 지정하십시오.",
            f"Expected the number of attention heads, found none: a state dict of hidden size {hidden_size} does not "
            "tell it, and it is KoBERT's 12 only where that is 768. Give it as `num_attention_heads`; or convert the "
            "whole-model .pt file, which tells it.",
        )
    if heads < 1 or hidden_size % heads:
        raise CheckpointError(
            f"hidden_size {hidden_size}은(는) 어텐션 헤드 {heads}개로 나누어지지 않습니다.",
            f"Expected a number of attention heads that divides the hidden size {hidden_size}, found {heads}.",
        )
    return heads


def _label_fields(count: int, labels: Sequence[str] | None) -> dict[str, Any]:
    if labels is None:
        return {"num_labels": count}
    if len(labels) != count or len(set(labels)) != count:
        raise CheckpointError(
            f"분류기의 클래스는 {count}개인데 라벨이 {len(labels)}개이거나 겹칩니다: {list(labels)}",
            f"Expected {count} different labels, one per class of the classifier, found {list(labels)}.",
        )
    return {"id2label": dict(enumerate(labels)), "label2id": {name: index for index, name in enumerate(labels)}}


def _is_rate(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value < 1  # type: ignore[operator]


def _is_epsilon(value: object) -> bool:
    return type(value) is float and 0 < value < 1


def _is_count(value: object) -> bool:
    return type(value) is int and 0 < value < 2**20


def _is_activation(value: object) -> bool:
    return type(value) is str and value in _ACTIVATIONS


_CONFIG_FIELDS: dict[str, Callable[[object], bool]] = {
    "num_attention_heads": _is_count,
    "hidden_dropout_prob": _is_rate,
    "attention_probs_dropout_prob": _is_rate,
    "layer_norm_eps": _is_epsilon,
    "hidden_act": _is_activation,
    "pad_token_id": lambda value: type(value) is int and 0 <= value < 2**31,
    "initializer_range": lambda value: type(value) is float and 0 <= value <= 1,
}


def _checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Keeps the fields that are there.

    Raises:
        CheckpointError: One has a value that no model can have.
    """
    found = {name: fields[name] for name in _CONFIG_FIELDS if fields.get(name) is not None}
    for name, value in found.items():
        if not _CONFIG_FIELDS[name](value):
            raise damaged(f"{name}의 값이 잘못되었습니다", f"{name} is of the wrong kind or out of range")
    return found


def _from_config(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Reads a pickled `BertConfig` of any version, or kobert's of 2019."""
    activation = fields.get("hidden_act")
    if isinstance(activation, (Record, Global)):
        fields = {**fields, "hidden_act": _activation_name(activation)}
    return _checked(fields)


# Where a module holds a setting: the end of its dotted name, its attribute, the field of the configuration.
_MODULE_FIELDS = (
    ("embeddings.word_embeddings", "padding_idx", "pad_token_id"),
    ("embeddings.dropout", "p", "hidden_dropout_prob"),
    ("embeddings.LayerNorm", "variance_epsilon", "layer_norm_eps"),
    ("embeddings.LayerNorm", "eps", "layer_norm_eps"),
    ("layer.0.attention.self", "num_attention_heads", "num_attention_heads"),
    ("layer.0.attention.self.dropout", "p", "attention_probs_dropout_prob"),
)


def _from_module(name: str, record: Record) -> dict[str, Any]:
    """Reads the settings that the module of this dotted name holds."""
    found = {field: record.state.get(key) for ending, key, field in _MODULE_FIELDS if name.endswith(ending)}
    found = {field: value for field, value in found.items() if value is not None}
    if name.endswith("layer.0.intermediate.intermediate_act_fn"):
        found["hidden_act"] = _activation_name(record)
    elif name.endswith("layer.0.intermediate"):
        function = record.state.get("intermediate_act_fn")
        found["hidden_act"] = _activation_name(function) if isinstance(function, (Global, Record)) else None
    return _checked(found)


def _activation_name(activation: Record | Global) -> str | None:
    """Returns transformers' name of an activation that a file names by its class or function."""
    if isinstance(activation, Record):
        function = activation.state.get("act")
        by_class = _ACTIVATION_CLASSES.get(activation.kind.name)
        return by_class or (_activation_name(function) if isinstance(function, (Record, Global)) else None)
    return _ACTIVATION_FUNCTIONS.get(activation.name)


def _head_dropout(module: Record, modules: Mapping[str, Record]) -> float:
    """Returns the dropout before the classifier; a `BERTClassifier` without `dr_rate` has none."""
    prefix = next((name for name in modules if name == "bert" or name.endswith(".bert")), "bert")
    record = modules.get(prefix.removesuffix("bert") + "dropout")
    rate = record.state.get("p") if record is not None else module.state.get("dr_rate")
    if rate is None:
        return 0.0
    if not _is_rate(rate):
        raise damaged("드롭아웃 비율이 잘못되었습니다", "the dropout before the classifier is no rate")
    return float(rate)
