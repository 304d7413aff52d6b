"""The classification heads that are understood, and naming what a file has in place of one."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from ..errors import CheckpointError
from .keys import Shape, map_keys
from .structure import Kind

_WEIGHT, _BIAS = "classifier.weight", "classifier.bias"
_SHOWN = 8


def check_head(path: Path, kind: Kind, shapes: Mapping[str, Shape]) -> None:
    """Checks that there is a head of one linear layer over the encoder's pooled output, called `classifier`.

    Args:
        path: The file.
        kind: What the file holds.
        shapes: Shape of every tensor by its name in the file.

    Raises:
        CheckpointError: There is none, or one of another name or of more layers.
    """
    mapping = map_keys(shapes)
    ours = {mapping.to_model[name]: shape for name, shape in shapes.items() if name in mapping.to_model}
    hidden = next((shape[-1] for name, shape in ours.items() if name.endswith("word_embeddings.weight") and shape), 0)
    head = ours.get(_WEIGHT)
    if head is not None and len(head) == 2 and head[1] == hidden:
        return
    others = [name for name in mapping.unexpected if not _is_encoders(name)]
    found = {name: shapes[name] for name in others} or {name: ours[name] for name in (_WEIGHT, _BIAS) if name in ours}
    listed = ", ".join(f"{name} {list(shape)}" for name, shape in list(found.items())[:_SHOWN])
    layers = [name for name, shape in found.items() if len(shape) == 2]
    is_renamed = len(layers) == 1 and found[layers[0]][1] == hidden and head is None
    if not found:
        korean = "파일에는 분류기가 없습니다. 분류기까지 저장된 파일이 필요합니다."
        english = "The file holds an encoder without a head: give the file of the whole classifier."
    elif is_renamed:
        name = layers[0].rpartition(".")[0]
        korean = f"노트북에서 {name}이(가) pooler의 출력에 붙어 있었다면 이름을 classifier로 바꾸어 저장하세요."
        english = f"If {name} was applied to the pooler's output, save the weights again with it called classifier."
    elif len(layers) > 1:
        korean = f"선형 층이 {len(layers)}개인 분류기는 BERT 분류기로 바꿀 수 없습니다. 새로 학습하세요."
        english = f"A head of {len(layers)} layers is no head of BERT's and can't be converted: train a new one."
    else:
        korean = "이런 분류기는 BERT 분류기로 바꿀 수 없습니다."
        english = "Such a head is none of BERT's and can't be converted."
    raise CheckpointError(
        f"{path}에서 읽을 수 있는 분류기는 선형 층 하나, {_WEIGHT} [라벨 수, {hidden}]와 {_BIAS} [라벨 수]입니다. "
        f"찾은 것: {listed or '-'}. {korean}",
        f"Expected a head of one linear layer in {path}, {_WEIGHT} [labels, {hidden}] and {_BIAS} [labels]; found "
        f"{listed or 'none'}. {english}",
        _renaming(path, layers[0]) if is_renamed and kind == "state_dict" else None,
    )


def _is_encoders(name: str) -> bool:
    return "bert." in name and ("embeddings." in name or "encoder." in name or "pooler." in name)


def _renaming(path: Path, weight: str) -> str:
    """Returns a command that writes a state dict with its head called `classifier`."""
    old = weight.removesuffix("weight")
    new = path.with_name(f"{path.stem}_classifier.pt")
    code = (
        f"import torch; state = torch.load({str(path)!r}, map_location='cpu', weights_only=True); "
        f"torch.save({{name.replace({old!r}, 'classifier.'): value for name, value in state.items()}}, {str(new)!r})"
    )
    return f"python -c {shlex.quote(code)}"
