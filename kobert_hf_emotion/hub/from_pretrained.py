"""Loading weights through transformers, with one error for whatever damaged files make its readers raise."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError

from ..assets import resolve_default
from ..errors import CheckpointError, KoBERTEmotionError
from .errors import hub_error
from .weight_check import Head, check_loaded

_UNLOADABLE = (
    OSError,
    TypeError,
    ValueError,
    RuntimeError,
    EOFError,
    LookupError,
    SafetensorError,
    StrictDataclassError,
)


def load_weights(
    load: Callable[..., Any], source: str | os.PathLike[str], *args: Any, head: Head = "may be new", **kwargs: Any
) -> Any:
    """Calls a `from_pretrained` of a classifier and returns what it returns, in float32 unless `dtype` is given.

    Args:
        load: The `from_pretrained` of a model class.
        source: "default", a Hub id or a folder.
        *args: As for `load`.
        head: What may become of the classification head; see `check_loaded`.
        **kwargs: As for `load`.

    Raises:
        CheckpointError: Nothing that can be loaded is there, or weights that are not all of the model's.
        HubError: The Hub does not know the name or the revision, refuses the token or cannot be reached.
    """
    place = resolve_default(source)
    kwargs.setdefault("dtype", kwargs.pop("torch_dtype", torch.float32))
    wants_report = kwargs.pop("output_loading_info", False)
    resize = kwargs.pop("ignore_mismatched_sizes", False)
    try:
        # Sizes are compared in `check_loaded`, which can tell which.
        model, report = load(place, *args, output_loading_info=True, ignore_mismatched_sizes=True, **kwargs)
    except KoBERTEmotionError:
        raise
    except pickle.UnpicklingError as error:  # torch's own message advises to load such a file all the same
        raise CheckpointError(
            f"모델을 불러올 수 없습니다: {place} — pytorch_model.bin이 손상되었거나, 가중치가 아닌 코드가 "
            "들어 있어 열지 않았습니다.",
            f"Cannot load a model from {place}: its pytorch_model.bin is damaged or holds more than weights "
            "(code that loading would run), and was not opened.",
        ) from error
    except _UNLOADABLE as error:
        raise unloadable(place, error) from error
    # Weights mapped from the file are not aligned as allocated ones are, and matrix products over them may
    # differ in the last bit: a loaded model would not be bit-equal to the one that was saved.
    for parameter in model.parameters():
        parameter.data = parameter.data.clone()
    check_loaded(model, report, source, head, resize)
    return (model, report) if wants_report else model


def unloadable(source: str | os.PathLike[str], error: Exception) -> KoBERTEmotionError:
    """Returns the error for a place where no model can be loaded from."""
    return hub_error(error, source) or CheckpointError(
        f"모델을 불러올 수 없습니다: {source} — config.json과 model.safetensors(또는 pytorch_model.bin)가 "
        "있는 폴더나 Hub 이름이 필요합니다.",
        f"Cannot load a model from {source}: expected a Hub id or a folder with config.json and "
        f"model.safetensors or pytorch_model.bin. Cause: {error}",
    )
