"""Low-rank adapters (LoRA) on a classifier, by peft: put on, saved by its conventions, merged into the weights."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import PreTrainedModel

from ..assets import DEFAULT_MODEL_NAME
from ..errors import CheckpointError, KoBERTEmotionError
from ..hub.adapters import ADAPTER_WEIGHTS_FILE

ALL_LINEAR = "all-linear"
"""As a target: every linear layer of the encoder."""
_PREFIX = "base_model.model."
"""Stands before the name of each weight in an adapter's file, for the model that peft wraps around."""


@dataclass(frozen=True)
class LoraSettings:
    """Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models" (2021).

    Attributes:
        rank: Of the two matrices whose product is added to a weight matrix.
        alpha: The product is multiplied by alpha / rank.
        dropout: Of what goes into the product, in training.
        target: Last parts of the names of the layers that get one, such as "query"; or `ALL_LINEAR` alone.
    """

    rank: int
    alpha: float
    dropout: float
    target: Sequence[str]


def require_peft() -> Any:
    """Imports peft.

    Raises:
        KoBERTEmotionError: It is not installed.
    """
    try:
        import peft
    except ImportError as error:
        raise KoBERTEmotionError(
            "peft가 설치되어 있지 않습니다. LoRA 어댑터를 학습하거나 여는 데 필요합니다(extra lora).",
            "peft is not installed; training LoRA adapters and opening them need it (extra lora).",
            "pip install 'kobert-hf-emotion[lora]'",
        ) from error
    return peft


def add_adapters(model: PreTrainedModel, settings: LoraSettings, base: str) -> None:
    """Puts adapters on a classifier, in place: they and what follows the encoder's layers learn, nothing else does.

    The head and the pooler, where there is one, are new or small, and trained and saved as a whole. Seed torch before
    calling. What the model computes stays as it was until the first step.

    Args:
        model: The classifier.
        settings: The adapters'.
        base: What the encoder was loaded from: "default", a folder or a Hub id.

    Raises:
        KoBERTEmotionError: No layer is called so, or peft is not installed.
    """
    peft = require_peft()
    target = ALL_LINEAR if list(settings.target) == [ALL_LINEAR] else list(settings.target)
    config = peft.LoraConfig(
        task_type="SEQ_CLS",
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=target,
        modules_to_save=_after_layers(model),
        base_model_name_or_path=base
        if base == DEFAULT_MODEL_NAME or not os.path.isdir(base)
        else os.path.abspath(base),
    )
    _check_target(model, settings.target)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peft.inject_adapter_in_model(config, model)


def has_adapters(model: nn.Module) -> bool:
    """Whether `add_adapters` was called with a model."""
    return hasattr(model, "peft_config")


def save_adapters(model: PreTrainedModel, folder: Path) -> None:
    """Writes the adapters as peft does, so that `peft.PeftModel.from_pretrained` loads them too.

    Args:
        model: A classifier with adapters.
        folder: Where to write.
    """
    peft = require_peft()
    weights = peft.get_peft_model_state_dict(model)
    plain = {f"{_PREFIX}{name}": weight.detach().cpu().contiguous().clone() for name, weight in weights.items()}
    save_file(plain, folder / ADAPTER_WEIGHTS_FILE, metadata={"format": "pt"})
    found: Any = model
    found.peft_config["default"].save_pretrained(str(folder))


def merge_adapters(model: PreTrainedModel, folder: str | os.PathLike[str]) -> PreTrainedModel:
    """Returns a classifier with the adapters of a folder added to its weights: a plain model again, all of it learning.

    Args:
        model: The classifier that they were trained on; changed in place.
        folder: Where they are.

    Raises:
        CheckpointError: They do not fit the model, or are damaged.
    """
    peft = require_peft()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wrapped = peft.PeftModel.from_pretrained(model, os.fspath(folder))
        plain: PreTrainedModel = wrapped.merge_and_unload(safe_merge=True)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"어댑터를 모델에 얹을 수 없습니다: {folder} — 다른 모델의 어댑터이거나 파일이 손상되었습니다.",
            f"Cannot put the adapters in {folder} on the model: they are another model's, or damaged. Cause: {error}",
        ) from error
    for parameter in plain.parameters():
        parameter.requires_grad_(True)
        parameter.data = parameter.data.clone()  # aligned as those of a model that was never wrapped
    return plain.eval()


def trainable_share(model: nn.Module) -> float:
    """Returns the share of a model's weights that learn, 0 to 1."""
    with torch.no_grad():
        counts = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return sum(count for count, learns in counts if learns) / max(1, sum(count for count, _ in counts))


def _after_layers(model: PreTrainedModel) -> list[str]:
    """Returns the names of what follows the layers: the pooler, where there is one, and the head."""
    heads = [
        name
        for name, child in model.named_children()
        if name != model.base_model_prefix and next(child.parameters(), None) is not None
    ]
    return [*(["pooler"] if getattr(model.base_model, "pooler", None) is not None else []), *heads]


def _check_target(model: PreTrainedModel, target: Sequence[str]) -> None:
    """Raises `KoBERTEmotionError` where a name fits no linear layer of the encoder."""
    after = _after_layers(model)
    linear = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and not set(after) & set(name.split("."))
    ]
    unknown = [
        name for name in target if name != ALL_LINEAR and not any(f".{found}".endswith(f".{name}") for found in linear)
    ]
    if not unknown and (len(target) == 1 or ALL_LINEAR not in target) and target:
        return
    known = sorted({found.rpartition(".")[2] for found in linear})
    raise KoBERTEmotionError(
        f"`lora_target` {','.join(target)!r}: 그런 층이 없습니다. 쓸 수 있는 이름: {', '.join(known)}, 또는 "
        f"{ALL_LINEAR} 하나.",
        f"`lora_target` {','.join(target)!r} names no layers of this encoder; expected some of {', '.join(known)}, or "
        f"{ALL_LINEAR} alone.",
        mend={"lora_target": "query,value"},
    )
