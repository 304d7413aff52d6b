"""What can be explained: anything that predicts, by its answers, and by its gradients where it has some."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

from ..data.input_checks import as_texts, refuse_files
from ..tasks.single_label import SingleLabel
from ..tasks.task import Task
from .leave_one_out import PredictLogits, leave_one_out
from .words import Explanation, Method, check_label, check_method

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from .integrated_gradients import Member


@dataclass(frozen=True)
class Subject:
    """A model as explanations see it."""

    predict_logits: PredictLogits
    tokenizer: PreTrainedTokenizerBase
    max_length: int
    """Tokens it reads, special tokens included."""
    labels: Sequence[str]
    """In the order of the logits."""
    members: Sequence[Member] = ()
    """What can be seen from inside; empty for a graph that only answers."""
    task: Task = field(default_factory=SingleLabel)
    """How logits become answers."""

    def explain(self, texts: Iterable[str], method: Method, label: str | None) -> list[Explanation]:
        """Explains texts.

        Raises:
            DataError: `texts` is a table or a single text, or an element is no string.
            KoBERTEmotionError: The method or the label is unknown, or needs what the model has not.
            TokenizerError: The tokenizer tells nothing of positions.
        """
        found = as_texts(texts)
        refuse_files(found)
        check_method(method, get_args(Method) if self.members else ("leave_one_out",))
        if label is not None:
            check_label(label, self.labels)
        if method == "leave_one_out":
            return leave_one_out(self.predict_logits, self.tokenizer, self.max_length, self.labels, found, self.task)
        from .integrated_gradients import integrated_gradients  # with torch, which a graph without gradients needs not

        members, about = self.members, (self.tokenizer, self.max_length, self.labels)
        return integrated_gradients(members, *about, found, label, task=self.task)
