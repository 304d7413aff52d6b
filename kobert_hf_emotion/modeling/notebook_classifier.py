"""The notebook's `BERTClassifier`, which whole-model files are pickled as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

NOTEBOOK_MODULE = "kobert_hf_emotion.notebook"
"""Where pickled models say the class is; it stays importable from there."""

_OLD_BUFFERS = ("bert.embeddings.position_ids", "bert.embeddings.token_type_ids")


class BERTClassifier(nn.Module):
    """KoBERT with dropout and a linear head, as the notebook defines it.

    Args:
        bert: A `BertModel` with its pooler.
        hidden_size: Width of the pooled output.
        num_classes: Number of classes.
        dr_rate: Dropout before the head; None or 0 for none.
        params: Without use, as in the notebook.
    """

    def __init__(
        self,
        bert: nn.Module,
        hidden_size: int = 768,
        num_classes: int = 7,
        dr_rate: float | None = None,
        params: object = None,  # noqa: ARG002 - the notebook's signature
    ) -> None:
        super().__init__()
        self.bert = bert
        self.dr_rate = dr_rate
        self.classifier = nn.Linear(hidden_size, num_classes)
        if dr_rate:
            self.dropout = nn.Dropout(p=dr_rate)

    def gen_attention_mask(self, token_ids: Tensor, valid_length: Tensor) -> Tensor:
        """Returns 1.0 for the first `valid_length` tokens of each row and 0.0 for the padding.

        Args:
            token_ids: Shape (batch, tokens).
            valid_length: Shape (batch,).
        """
        lengths = torch.as_tensor(valid_length, device=token_ids.device)
        positions = torch.arange(token_ids.shape[1], device=token_ids.device)
        return (positions < lengths.reshape(-1, 1)).float()

    def forward(self, token_ids: Tensor, valid_length: Tensor, segment_ids: Tensor) -> Tensor:
        """Returns logits, shape (batch, classes).

        Args:
            token_ids: Shape (batch, tokens).
            valid_length: Tokens that are no padding, shape (batch,).
            segment_ids: 0 or 1 for first or second sentence, shape (batch, tokens).
        """
        attention_mask = self.gen_attention_mask(token_ids, valid_length)
        outputs = self.bert(input_ids=token_ids, token_type_ids=segment_ids.long(), attention_mask=attention_mask)
        pooler = outputs[1]
        logits: Tensor = self.classifier(self.dropout(pooler) if self.dr_rate else pooler)
        return logits

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Loads a state dict of any transformers version; the buffers that older ones saved are left out."""
        known = {name: tensor for name, tensor in state_dict.items() if name not in _OLD_BUFFERS}
        return super().load_state_dict(known, strict=strict, assign=assign)


BERTClassifier.__module__ = NOTEBOOK_MODULE
