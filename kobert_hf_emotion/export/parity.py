"""Whether an exported graph computes what the torch model does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..errors import CheckpointError
from ..tasks.choice import task_of
from ..utils.modules import evaluation_copy
from ..utils.progress import each
from ..wording import Wording
from .manifest import Precision

LARGEST_DIFFERENCE = 1e-4
"""Of float32 logits from those of torch."""
SMALLEST_AGREEMENT = 0.995
"""Share of texts to which an int8 graph must give torch's label."""
_BATCH = 16

Inputs = Mapping[str, NDArray[np.int64]]


@dataclass(frozen=True)
class Parity:
    """What the comparison found."""

    texts: int
    """Texts compared: of every length from two tokens to the longest, where none was left out."""
    largest_difference: float
    """Of any logit."""
    agreement: float
    """Share of the texts with the same label, or the same labels, 0 to 1."""


class Reference:
    """Texts as rows of ids, and torch's logits of them: computed once, however many graphs are compared with them.

    The texts are taken as they are, and all of them in a row cut to each length from 2 tokens to `max_length`, so that
    no length is left out. Neighbours in a batch differ in length: padding is part of the comparison.

    The batches in which a graph gave other labels come first when the next one is compared, which may end there.

    Args:
        model: The model in torch.
        tokenizer: Its tokenizer.
        texts: Korean sentences.
        max_length: Tokens of the longest text.
    """

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_length: int
    ) -> None:
        whole = tokenizer(" ".join(texts), add_special_tokens=False, verbose=False)["input_ids"]
        self.rows: list[list[int]] = tokenizer(list(texts), truncation=True, max_length=max_length)["input_ids"]
        for length in range(2, max_length + 1):
            self.rows.append(tokenizer.build_inputs_with_special_tokens(whole[: length - 2]))
        self.batches: list[Inputs] = []
        self._logits: list[NDArray[np.float32]] = []
        self._task = task_of(model.config)
        computing = evaluation_copy(model)
        with torch.inference_mode():
            for start in each(range(0, len(self.rows), _BATCH), Wording("torch로 계산", "computing with torch")):
                batch = tokenizer.pad({"input_ids": self.rows[start : start + _BATCH]}, return_tensors="pt")
                if "token_type_ids" in tokenizer.model_input_names:
                    batch["token_type_ids"] = torch.zeros_like(batch["input_ids"])
                self.batches.append({name: tensor.numpy() for name, tensor in batch.items()})
                self._logits.append(computing(**batch.to(model.device)).logits.float().cpu().numpy())
        self._order = list(range(len(self.batches)))

    def compare(self, run: Callable[[Inputs], NDArray[np.float32]], at_least: float = 0.0) -> Parity:
        """Runs the texts through a graph and compares its logits with torch's.

        Args:
            run: Runs the graph.
            at_least: Share of the labels to agree in; once it cannot be reached, the other texts are left out.
        """
        texts, same, largest = 0, 0, 0.0
        other: dict[int, int] = {}
        for index in each(self._order, Wording("torch와 비교", "comparing with torch")):
            batch, expected = self.batches[index], self._logits[index]
            found = run(batch)
            texts += len(found)
            finite = np.asarray(np.isfinite(found).all(axis=-1))
            alike = finite & self._task.right(np.where(finite[:, None], found, 0), self._task.answers(expected))
            same += int(alike.sum())
            other[index] = int((~alike).sum())
            largest = float(np.maximum(largest, np.abs(found - expected).max()))  # nan stays
            if texts - same > (1 - at_least) * len(self.rows):
                break
        self._order.sort(key=lambda index: -other.get(index, 0))
        return Parity(texts, largest, same / texts)


def check_parity(parity: Parity, precision: Precision) -> None:
    """Refuses a graph that is not the model.

    Raises:
        CheckpointError: A float32 graph gives a logit that differs by more than `LARGEST_DIFFERENCE`, or another
            label; an int8 graph gives fewer than `SMALLEST_AGREEMENT` of the labels.
    """
    if precision == "float32" and not (parity.largest_difference <= LARGEST_DIFFERENCE and parity.agreement == 1):
        raise CheckpointError(
            f"내보낸 그래프의 결과가 torch와 다릅니다: 로짓이 최대 {parity.largest_difference:.2g} 다르고(한도 "
            f"{LARGEST_DIFFERENCE:g}) 라벨은 {parity.agreement:.2%}가 같습니다. 아무것도 쓰지 않았습니다.",
            f"The exported graph does not compute what torch does: logits differ by up to "
            f"{parity.largest_difference:.2g} (limit {LARGEST_DIFFERENCE:g}), {parity.agreement:.2%} of the labels are "
            "the same. Nothing was written.",
        )
    if precision == "int8" and not parity.agreement >= SMALLEST_AGREEMENT:
        raise CheckpointError(
            f"int8로 바꾸면 문장 {parity.texts:,}개 가운데 {parity.agreement:.2%}만 같은 라벨이 됩니다(한도 "
            f"{SMALLEST_AGREEMENT:.1%}). 아무것도 쓰지 않았습니다. `int8`을 끄고 내보내세요.",
            f"In int8 only {parity.agreement:.2%} of {parity.texts:,} texts keep their label (limit "
            f"{SMALLEST_AGREEMENT:.1%}). Nothing was written. Export with `int8` off.",
            mend={"int8": False},
        )
