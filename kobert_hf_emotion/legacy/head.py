"""The classification heads that are understood, and naming what a file has in place of one."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
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
    hidden = _hidden_size(ours)
    head = ours.get(_WEIGHT)
    if head is not None and len(head) == 2 and head[1] == hidden:
        return
    others = {name: shapes[name] for name in mapping.unexpected if not _is_encoders(name)}
    found = _Found(others or {name: ours[name] for name in (_WEIGHT, _BIAS) if name in ours}, hidden, head is not None)
    korean, english = found.advice()
    raise CheckpointError(
        f"{path}에서 읽을 수 있는 분류기는 선형 층 하나, {_WEIGHT} [라벨 수, {hidden}]와 {_BIAS} [라벨 수]입니다. "
        f"찾은 것: {found.listed or '-'}. {korean}",
        f"Expected a head of one linear layer in {path}, {_WEIGHT} [labels, {hidden}] and {_BIAS} [labels]; found "
        f"{found.listed or 'none'}. {english}",
        _renaming(path, found.renamed) if found.renamed is not None and kind == "state_dict" else None,
    )


def _hidden_size(shapes: Mapping[str, Shape]) -> int:
    """Returns the hidden size of the encoder, 0 without one."""
    return next((shape[-1] for name, shape in shapes.items() if name.endswith("word_embeddings.weight") and shape), 0)


@dataclass(frozen=True)
class _Found:
    """What a file has in place of a head.

    Attributes:
        tensors: Shapes by name.
        hidden: The hidden size of the encoder.
        is_named: Whether there is a `classifier`, though one of another shape.
    """

    tensors: dict[str, Shape]
    hidden: int
    is_named: bool

    @property
    def listed(self) -> str:
        """The first of them, for an error."""
        return ", ".join(f"{name} {list(shape)}" for name, shape in list(self.tensors.items())[:_SHOWN])

    @property
    def layers(self) -> list[str]:
        """The weights of linear layers."""
        return [name for name, shape in self.tensors.items() if len(shape) == 2]

    @property
    def renamed(self) -> str | None:
        """The weight of a head that has another name than `classifier`, and is none otherwise."""
        is_head = len(self.layers) == 1 and self.tensors[self.layers[0]][1] == self.hidden and not self.is_named
        return self.layers[0] if is_head else None

    def advice(self) -> tuple[str, str]:
        """Returns what can be done about it, in Korean and in English."""
        if not self.tensors:
            return (
                "파일에는 분류기가 없습니다. 분류기까지 저장된 파일이 필요합니다.",
                "The file holds an encoder without a head: give the file of the whole classifier.",
            )
        if self.renamed is not None:
            name = self.renamed.rpartition(".")[0]
            return (
                f"노트북에서 {name}이(가) pooler의 출력에 붙어 있었다면 이름을 classifier로 바꾸어 저장하세요.",
                f"If {name} was applied to the pooler's output, save the weights again with it called classifier.",
            )
        count = len(self.layers)
        if count > 1:
            return (
                f"선형 층이 {count}개인 분류기는 BERT 분류기로 바꿀 수 없습니다. 새로 학습하세요.",
                f"A head of {count} layers is no head of BERT's and can't be converted: train a new one.",
            )
        return (
            "이런 분류기는 BERT 분류기로 바꿀 수 없습니다.",
            "Such a head is none of BERT's and can't be converted.",
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
