"""From an `EmotionClassifier` to the three files that the notebook writes."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import AdamW, Optimizer
from transformers import BertConfig, BertModel, PreTrainedModel

from ..configuration import refuse_multi_label
from ..errors import CheckpointError
from ..modeling.notebook_classifier import BERTClassifier
from ..utils.argument_checks import check_path, check_type
from ..utils.files import atomic_write
from ..utils.transformers_private.pretrained import attention_implementation
from . import keys
from .model_building import build_around, position_buffers

LEGACY_SUFFIXES = (".pt", "_state_dict.pt", "_all.tar")


def export_legacy_checkpoint(
    model: PreTrainedModel,
    stem: str | os.PathLike[str],
    optimizer: Optimizer | Mapping[str, Any] | None = None,
    *,
    buffers: Iterable[str] = (),
) -> tuple[Path, Path, Path]:
    """Writes the notebook's three files: `<stem>.pt`, `<stem>_state_dict.pt` and `<stem>_all.tar`.

    The first is a pickled `kobert_hf_emotion.notebook.BERTClassifier`, the second its state dict, the third
    `{"model": state dict, "optimizer": state dict of the optimizer}`. All three are complete before the first
    takes its name; tensors are written as those of a CPU.

    Args:
        model: The classifier.
        stem: Path without the endings above, such as "runs/a/fold_1/Focal_KoBERT_e10_b64_fold_1".
        optimizer: The optimizer, or its `state_dict()`. By default a fresh AdamW over the model's parameters,
            so that the notebook's `optimizer.load_state_dict` finds what it expects.
        buffers: Names of buffers that older transformers saved, to be written as well, such as
            `LegacyCheckpoint.dropped` of the file the model came from.

    Returns:
        The three paths.

    Raises:
        CheckpointError: `buffers` names none of them, or the files cannot be written; what was there before
            is whole.

    Example:
        >>> import tempfile
        >>> from kobert_hf_emotion.configuration import EmotionConfig
        >>> from kobert_hf_emotion.modeling.classifier import EmotionClassifier
        >>> config = EmotionConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
        >>> paths = export_legacy_checkpoint(EmotionClassifier(config), tempfile.mkdtemp() + "/fold_1")
        >>> [path.name for path in paths]
        ['fold_1.pt', 'fold_1_state_dict.pt', 'fold_1_all.tar']
    """
    check_type("model", model, PreTrainedModel, 'EmotionClassifier.from_pretrained("runs/a/best")')
    check_path("stem", stem)
    refuse_multi_label(
        model.config,
        "노트북의 파일은 레이블 하나를 고르는 모델의 것이라, 여기 쓰면 틀린 답이 됩니다. save_pretrained로 저장하세요.",
        "The notebook's files are those of models that choose one label, and would be wrong. Use save_pretrained.",
    )
    state_dict = _legacy_state_dict(model, buffers)
    whole = _legacy_model(model, state_dict)
    optimizer = AdamW(whole.parameters()) if optimizer is None else optimizer
    optimizer_state = _to_cpu(optimizer.state_dict() if isinstance(optimizer, Optimizer) else optimizer)
    contents = (whole, state_dict, {"model": state_dict, "optimizer": optimizer_state})
    first, second, third = (Path(f"{os.fspath(stem)}{suffix}") for suffix in LEGACY_SUFFIXES)
    try:
        with ExitStack() as stack:
            for path, content in zip((first, second, third), contents, strict=True):
                torch.save(content, stack.enter_context(atomic_write(path)))
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        raise CheckpointError(
            f"체크포인트를 쓸 수 없습니다: {stem} ({error}). 전에 있던 파일은 그대로입니다.",
            f"Cannot write the checkpoints {stem}*: {error}. The files that were there before are unchanged.",
        ) from error
    return first, second, third


def _legacy_state_dict(model: PreTrainedModel, buffers: Iterable[str]) -> OrderedDict[str, Tensor]:
    """Returns the model's tensors in the order of the notebook's, each with memory of its own size."""
    constants = position_buffers(model.config.max_position_embeddings)
    wanted = [name for known in keys.BUFFERS for name in buffers if name.endswith(known)]
    if unknown := [name for name in buffers if not name.endswith(keys.BUFFERS)]:
        raise CheckpointError(
            f"쓸 수 있는 버퍼는 {list(keys.BUFFERS)}뿐입니다: {unknown}",
            f"Expected buffers among {list(keys.BUFFERS)}, found {unknown}.",
        )
    tensors = OrderedDict((known, constants[known]) for known in keys.BUFFERS if any(n.endswith(known) for n in wanted))
    for name, tensor in model.state_dict().items():
        tensors[name] = _dense(tensor)
    return tensors


def _dense(tensor: Tensor) -> Tensor:
    """Returns the tensor on the CPU, contiguous, and with no more memory behind it than its own."""
    dense = tensor.detach().cpu().contiguous()
    is_view = dense.untyped_storage().nbytes() != dense.numel() * dense.element_size()
    return dense.clone() if is_view else dense


def _to_cpu(value: Any) -> Any:
    if isinstance(value, Tensor):
        return _dense(value)
    if isinstance(value, Mapping):
        return {name: _to_cpu(item) for name, item in value.items()}
    return type(value)(_to_cpu(item) for item in value) if isinstance(value, (list, tuple)) else value


def _legacy_model(model: PreTrainedModel, state_dict: Mapping[str, Tensor]) -> BERTClassifier:
    """Returns the notebook's class around the same tensors, with a configuration that is BERT's alone."""
    config = model.config
    num_classes = state_dict["classifier.weight"].shape[0]
    fields = {name: value for name, value in config.to_dict().items() if name in BertConfig().to_dict()}
    plain = BertConfig(**fields, attn_implementation=attention_implementation(config))  # type: ignore[call-arg]

    def make() -> BERTClassifier:
        bert = BertModel(plain)
        return BERTClassifier(bert, config.hidden_size, num_classes, config.classifier_dropout or None)

    parameters = {name: tensor for name, tensor in state_dict.items() if name not in keys.BUFFERS}
    whole = build_around(make, parameters)
    whole.train(model.training)
    return whole
