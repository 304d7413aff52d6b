"""How far a student's probabilities are from its teacher's, and how that is mixed with the loss of the labels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..utils.argument_checks import check_number


def soft_loss(logits: Tensor, teacher: Tensor, temperature: float = 1.0, several: bool = False) -> Tensor:
    r"""Computes the soft part of Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015).

    With p = softmax(teacher / T) and q = softmax(logits / T):

        T^2 * KL(p || q) = T^2 * sum_i p_i * (log p_i - log q_i)

    T^2 keeps the size of the gradients as it is at T = 1, whatever T is (section 2 of the paper). Of several labels a
    row, each label's probabilities of yes and no, sigmoid(… / T), take the place of the softmax. The computation runs
    in at least float32.

    Args:
        logits: The student's, shape (batch, labels).
        teacher: The teacher's, of the same shape; a row of NaN has no answer.
        temperature: T, above 0.
        several: Whether a row has several labels.

    Returns:
        Shape (batch,), or (batch, labels) of several labels a row; 0 where there is no answer.

    Example:
        >>> soft_loss(torch.tensor([[0.0, 0.0]]), torch.tensor([[2.0, 0.0]]), temperature=2.0)
        tensor([0.4438])
    """
    check_number("temperature", temperature, above=True)
    scores = logits if logits.dtype == torch.float64 else logits.float()
    known = ~teacher.isnan()
    wanted = torch.where(known, teacher, torch.zeros_like(teacher)).to(scores.dtype) / temperature
    scores = scores / temperature
    if several:
        pairs = [(functional.logsigmoid(sign * wanted), functional.logsigmoid(sign * scores)) for sign in (1, -1)]
        divergence = torch.stack([log_p.exp() * (log_p - log_q) for log_p, log_q in pairs]).sum(0)
    else:
        known = known.all(-1)
        log_p, log_q = wanted.log_softmax(-1), scores.log_softmax(-1)
        divergence = (log_p.exp() * (log_p - log_q)).sum(-1)
    return torch.where(known, temperature**2 * divergence, torch.zeros_like(divergence))


def mixed_loss(soft: Tensor, hard: Tensor, mixture: float) -> Tensor:
    """Returns `mixture` parts of the teacher's answers and 1 - `mixture` of the labels.

    Args:
        soft: Of each row, 0 where the teacher has no answer.
        hard: The loss of each row's label, of the same shape, 0 where it has none.
        mixture: From 0, the labels alone, to 1, the teacher alone.
    """
    return mixture * soft + (1.0 - mixture) * hard
