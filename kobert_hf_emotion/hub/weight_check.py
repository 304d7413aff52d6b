"""Whether the weights that were loaded are all of a classifier's: nothing else starts at random without a word."""

from __future__ import annotations

import logging
import os
import shlex
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, Literal, NamedTuple, TypeAlias

import torch
from transformers import PreTrainedModel

from ..errors import CheckpointError
from ..wording import Wording

Head: TypeAlias = Literal["needed", "may be new", "replaced"]
"""What becomes of the classification head: it must be there; it may be missing as a whole, which is said; or the caller
initialises one in any case."""

_SHOWN = 5
# Constants that older transformers saved.
_BUFFERS = ("position_ids", "token_type_ids")

logger = logging.getLogger(__name__)


def check_loaded(
    model: PreTrainedModel, loading: Mapping[str, Any], source: str | os.PathLike[str], head: Head, resize: bool
) -> None:
    """Checks what `from_pretrained` reports and what it left in the parameters.

    Where the head is new, so may the pooler be, which some encoders are published without, and the file may hold
    heads of other tasks.

    Args:
        model: The model that was loaded.
        loading: The `output_loading_info` of transformers.
        source: Where it was loaded from.
        head: What may become of the head.
        resize: Whether a head of another size is made anew instead of refused (`ignore_mismatched_sizes`).

    Raises:
        CheckpointError: A weight is missing, unexpected, of another shape, or no number.
    """
    found = _Found.of(model, loading)
    starts_anew = found.heads <= found.missing or (resize and not found.heads.isdisjoint(found.mismatched))
    may = _may_differ(model, found, head, resize) if head == "replaced" or starts_anew else _Differences()
    missing, unexpected = found.missing - may.new, found.unexpected - may.foreign
    wrong_shapes = {name: shapes for name, shapes in found.mismatched.items() if name not in may.resized}
    if missing or unexpected or wrong_shapes:
        raise _misfit(source, missing, unexpected, wrong_shapes, found.heads)
    if head == "needed" and starts_anew:
        raise _untrained(source, may.new | may.resized, may.foreign)
    check_finite(model, source)
    if said := sorted(may.new - found.heads if head == "replaced" else may.new | may.resized):
        _say_random(source, said, may.foreign)


def _say_random(source: str | os.PathLike[str], started: Sequence[str], foreign: Set[str]) -> None:
    """Warns of weights that start at random, and tells which of the file's were left out."""
    korean, english = (f"; {name}: {_listing(foreign)}" if foreign else "" for name in _LEFT_OUT)
    logger.warning(
        Wording(
            f"{source}: 없어서 무작위로 시작하는 가중치입니다. 학습한 뒤에 쓰세요: {_listing(started)}{korean}",
            f"{source}: not there and started at random; train before use: {_listing(started)}{english}",
        )
    )


class _Found(NamedTuple):
    """What `from_pretrained` reports, by the names of parameters.

    Attributes:
        heads: All parameters outside of the encoder.
        missing: Not in the file.
        unexpected: In the file, and of no parameter.
        mismatched: The shape in the file and that of the parameter, where they differ.
    """

    heads: set[str]
    missing: set[str]
    unexpected: set[str]
    mismatched: dict[str, tuple[Any, Any]]

    @classmethod
    def of(cls, model: PreTrainedModel, loading: Mapping[str, Any]) -> _Found:
        """Takes it from the `output_loading_info`."""
        encoder = f"{model.base_model_prefix}."
        return cls(
            heads={  # tied ones by each of their names
                name for name, _ in model.named_parameters(remove_duplicate=False) if not name.startswith(encoder)
            },
            missing=set(loading["missing_keys"]),
            unexpected={name for name in loading["unexpected_keys"] if not name.endswith(_BUFFERS)},
            mismatched={name: (found, expected) for name, found, expected in loading["mismatched_keys"]},
        )


class _Differences(NamedTuple):
    """What may differ between file and model: new in the model, of other tasks in the file, of another size."""

    new: Set[str] = frozenset()
    foreign: Set[str] = frozenset()
    resized: Set[str] = frozenset()


def _may_differ(model: PreTrainedModel, found: _Found, head: Head, resize: bool) -> _Differences:
    """Returns what may differ where the head is new."""
    encoder = f"{model.base_model_prefix}."
    pooler = {name for name, _ in model.named_parameters() if name.startswith(f"{encoder}pooler.")}
    parts = {f"{encoder}{name}" for name, _ in model.base_model.named_children()}
    return _Differences(
        new=(found.missing & found.heads) | (pooler if pooler <= found.missing else set()),
        foreign={
            name for name in found.unexpected if not _is_encoder(name, encoder, parts) or ".pooler." in f".{name}"
        },
        resized=found.heads.intersection(found.mismatched) if resize or head == "replaced" else frozenset(),
    )


def _is_encoder(name: str, encoder: str, parts: Iterable[str]) -> bool:
    """Whether a key is one of the encoder's, with or without its prefix."""
    return name.startswith(encoder) or any(f"{encoder}{name}".startswith(f"{part}.") for part in parts)


def _untrained(source: str | os.PathLike[str], new: Set[str], foreign: Set[str]) -> CheckpointError:
    others = sorted({name.rpartition(".")[0] for name in foreign})
    return CheckpointError(
        f"모델을 불러올 수 없습니다: {source} — 학습된 분류기가 없는 인코더입니다. 없는 것: {_listing(new)}. 다른 것: "
        f"{_listing(others) or '-'}. 먼저 학습하세요.",
        f"Cannot load a model from {source}: it is an encoder without a trained head. Missing: {_listing(new)}; found "
        f"instead: {_listing(others) or '-'}. Train it first.",
        f"kobert-emotion train train.csv --model {shlex.quote(os.fspath(source))} --output runs/a",
    )


def _misfit(
    source: str | os.PathLike[str],
    missing: Set[str],
    unexpected: Set[str],
    wrong_shapes: Mapping[str, tuple[Any, Any]],
    heads: set[str],
) -> CheckpointError:
    korean, english = [], []
    if missing:
        korean.append(f"없는 가중치 {len(missing)}개: {_listing(missing)}")
        english.append(f"{len(missing)} are missing, such as {_listing(missing)}")
    if unexpected:
        korean.append(f"모델에 자리가 없는 가중치 {len(unexpected)}개: {_listing(unexpected)}")
        english.append(f"{len(unexpected)} have no place in it, such as {_listing(unexpected)}")
    if wrong_shapes:
        shapes = [f"{name} {list(found)}≠{list(wanted)}" for name, (found, wanted) in sorted(wrong_shapes.items())]
        korean.append(f"모양이 다른 가중치 {len(shapes)}개(파일≠설정): {', '.join(shapes[:_SHOWN])}")
        english.append(
            f"{len(shapes)} have another shape in the file than config.json says: {', '.join(shapes[:_SHOWN])}"
        )
    hint_ko, hint_en = _hint(wrong_shapes, heads)
    return CheckpointError(
        f"모델을 불러올 수 없습니다: {source} — 가중치가 config.json과 맞지 않습니다. {'. '.join(korean)}.{hint_ko}",
        f"Cannot load a model from {source}: its weights do not fit its config.json. {'; '.join(english)}.{hint_en}",
    )


def _hint(wrong_shapes: Mapping[str, tuple[Any, Any]], heads: set[str]) -> tuple[str, str]:
    counts = {found[0] for name, (found, _) in wrong_shapes.items() if name in heads}
    if counts and set(wrong_shapes) <= heads and len(counts) == 1:
        return (
            f" 파일의 분류기는 {min(counts)}개 클래스입니다. config.json의 id2label에 그 이름을 번호 순서로 적으세요.",
            f" The head in the file has {min(counts)} classes: name them by their ids in id2label of config.json.",
        )
    return (
        " 다른 모델의 파일이 섞였는지 확인하세요.",
        " Nothing was started from random weights instead; are these files of one model?",
    )


def check_finite(model: PreTrainedModel, source: str | os.PathLike[str]) -> None:
    """Checks that every weight is a number; a model with one that is not gives one answer to everything.

    Args:
        model: The model.
        source: Where it was loaded from.

    Raises:
        CheckpointError: A weight is NaN or infinite.
    """
    broken = [
        name
        for name, weight in model.named_parameters()
        # The sum is enough where it is finite, and an eighth of the work.
        if weight.is_floating_point() and not weight.detach().sum().isfinite() and not torch.isfinite(weight).all()
    ]
    if broken:
        raise CheckpointError(
            f"모델을 불러올 수 없습니다: {source} — 가중치 {len(broken)}개에 NaN이나 무한대가 있습니다: "
            f"{_listing(broken)}. 학습이 발산했거나 파일이 손상되었습니다.",
            f"Cannot load a model from {source}: {len(broken)} of its weights hold NaN or infinity, such as "
            f"{_listing(broken)}. Its training diverged, or the file is damaged.",
        )


_LEFT_OUT = Wording("쓰지 않은 것", "left out")


def _listing(names: Iterable[str]) -> str:
    names = sorted(names)
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
