"""Integrated gradients: the way from an empty text to the text, and what each token adds on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import logsigmoid
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..configuration import MULTI_LABEL
from ..errors import KoBERTEmotionError
from ..tasks.single_label import SingleLabel
from ..tasks.task import Task
from ..utils.modules import evaluation_copy
from ..utils.progress import TEXTS, each
from ..wording import Wording
from .words import Explanation, Piece, ReadText, Word, check_label, explanation_of, read_text

if TYPE_CHECKING:
    from ..metrics.label_calibration import LabelScales

STEPS = 32
"""Points of the integral, by Gauss and Legendre."""
_BATCH = 32
Attribution: TypeAlias = tuple[tuple[Tensor, ...], float]
"""Contributions of every number of the embeddings, for each member, and what they miss of their sum."""


@dataclass(frozen=True)
class Member:
    """A model, and what its logits are divided by, or the scales of its labels in place of that."""

    model: PreTrainedModel
    temperature: float
    scales: LabelScales | None = None

    def logits(self, embedded: Tensor) -> Tensor:
        """Returns the calibrated logits of embeddings, shape (1, labels)."""
        found: Tensor = self.model(inputs_embeds=embedded).logits
        if self.scales is None:
            return found / self.temperature
        return found * found.new_tensor(self.scales.slopes) + found.new_tensor(self.scales.shifts)


def integrated_gradients(
    members: Sequence[Member],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
    labels: Sequence[str],
    texts: Sequence[str],
    label: str | None = None,
    steps: int = STEPS,
    task: Task | None = None,
) -> list[Explanation]:
    """Explains texts by the gradients on the way from a text of [MASK] to the text (Sundararajan et al., 2017).

    The contribution of a token is the integral of the gradient of f along the straight line between the embeddings of
    `[CLS] [MASK] … [SEP]` and of `[CLS] text [SEP]`, times their difference, summed over the dimensions; f is the
    label's logit less the mean of all labels', of a multi-label model the label's logit. Contributions add up to
    f(text) - f([MASK] …) but for `deltas`. Those of a word are the sum of its tokens'. Computed by captum.

    Args:
        members: One model, or several whose mean of probabilities is explained.
        tokenizer: Theirs.
        max_length: Tokens they read, special tokens included.
        labels: Label names in the order of the logits.
        texts: Texts.
        label: What is explained; by default each text's predicted label, of a multi-label model all that are given.
        steps: Points at which the gradient is taken.
        task: How logits become answers; one label a text by default.

    Returns:
        An explanation for each text, with contributions to these labels, for words and for the tokens in them.

    Raises:
        KoBERTEmotionError: `label` is none of the model's, or captum is not installed.
        TokenizerError: The tokenizer tells nothing of positions.
    """
    if label is not None:
        check_label(label, labels)
    attribute = _captum_attribute()
    task = task or SingleLabel()
    several = task.problem_type == MULTI_LABEL
    score = _Score([replace(member, model=evaluation_copy(member.model)) for member in members], several)
    explanations = []
    for text in each(texts, Wording("설명", "explaining"), TEXTS):
        read = read_text(tokenizer, text, max_length)
        ids = [tokenizer.cls_token_id, *read.ids, tokenizer.sep_token_id]
        masked = [tokenizer.cls_token_id, *([tokenizer.mask_token_id] * len(read.ids)), tokenizer.sep_token_id]
        with torch.no_grad():
            embedded, empty = score.embedded(ids), score.embedded(masked)
            logits = score.logits(*embedded).double().cpu().numpy()[0]
        by_token: dict[str, NDArray[np.float64]] = {}
        deltas: dict[str, float] = {}
        for name in [label] if label is not None else _explained(task, logits, labels):
            parts, deltas[name] = attribute(score, embedded, empty, list(labels).index(name), steps)
            by_token[name] = np.sum([part.sum(dim=-1).double().cpu().numpy()[0] for part in parts], axis=0)[1:-1]
        words = _words(read, by_token, tokenizer)
        explanations.append(explanation_of(read, logits, labels, "integrated_gradients", words, task, deltas))
    return explanations


def _explained(task: Task, logits: NDArray[np.floating], labels: Sequence[str]) -> list[str]:
    """Returns the labels that a text is given; where it is given none, the most probable one."""
    [found] = task.predictions(logits[None], labels)
    return found.get("labels") or [found["label"]]


class _Score:
    """What is explained, as a function of the embeddings of each member's tokens."""

    def __init__(self, members: Sequence[Member], several: bool) -> None:
        self._members = members
        self._several = several

    def embedded(self, ids: list[int]) -> tuple[Tensor, ...]:
        """Returns the embeddings of tokens, shape (1, tokens, dimensions), a tensor for each member."""
        return tuple(
            member.model.get_input_embeddings()(torch.tensor([ids], device=member.model.device))
            for member in self._members
        )

    def logits(self, *embedded: Tensor) -> Tensor:
        """Returns calibrated logits, or the logarithms of the members' mean probabilities."""
        found = [member.logits(part) for member, part in zip(self._members, embedded, strict=True)]
        if len(found) == 1:
            return found[0]
        stacked = torch.stack([logits.to(found[0].device) for logits in found])
        if self._several:
            yes, no = (torch.logsumexp(logsigmoid(signed), dim=0) for signed in (stacked, -stacked))
            return yes - no
        return torch.logsumexp(stacked.log_softmax(dim=-1), dim=0)

    def __call__(self, *embedded: Tensor) -> Tensor:
        logits = self.logits(*embedded)
        return logits if self._several else logits - logits.mean(dim=-1, keepdim=True)


def _words(
    read: ReadText, by_token: Mapping[str, NDArray[np.float64]], tokenizer: PreTrainedTokenizerBase
) -> list[Word]:
    pieces: list[list[Piece]] = [[] for _ in read.words]
    tokens = tokenizer.convert_ids_to_tokens(read.ids)
    for index, (number, token, span) in enumerate(zip(read.words_of_tokens(), tokens, read.spans, strict=True)):
        pieces[number].append(Piece(token, span, {label: float(values[index]) for label, values in by_token.items()}))
    return [
        Word(
            read.text[slice(*span)],
            span,
            {label: sum(piece.contributions[label] for piece in inside) for label in by_token},
            inside,
        )
        for span, inside in zip(read.words, pieces, strict=True)
    ]


def _captum_attribute() -> Callable[[_Score, tuple[Tensor, ...], tuple[Tensor, ...], int, int], Attribution]:
    """Returns captum's integrated gradients.

    Raises:
        KoBERTEmotionError: It is not installed.
    """
    try:
        from captum.attr import IntegratedGradients
    except ImportError as error:
        raise KoBERTEmotionError(
            "integrated_gradients에는 captum이 필요합니다. leave_one_out은 없이도 됩니다.",
            "integrated_gradients needs captum, which is not installed; leave_one_out does without.",
            "pip install 'kobert-hf-emotion[explain]'",
        ) from error

    def attribute(
        score: _Score, embedded: tuple[Tensor, ...], empty: tuple[Tensor, ...], target: int, steps: int
    ) -> Attribution:
        parts, delta = IntegratedGradients(score).attribute(
            embedded, empty, target, n_steps=steps, internal_batch_size=_BATCH, return_convergence_delta=True
        )
        return parts, float(delta.item())

    return attribute
