"""BERT's last layer, computing no more of it than the pooler reads."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.bert.modeling_bert import BertEncoder, BertLayer, eager_attention_forward

from ..utils.transformers_private.pretrained import attention_implementation

_NARROW_ATTENTION = ("sdpa", "eager")
"""Attention whose mask has a row for each query, so that the first can be taken alone."""


class FirstTokenLayer(BertLayer):
    """`BertLayer` that can leave out the states of all tokens but the first, [CLS].

    A classifier reads nothing else of the last layer. Keys and values still come from all tokens; queries, the output
    of attention and the feed-forward part, ten of a layer's twelve matrix products, are computed for one. The state of
    [CLS] and all gradients are those of the whole layer.
    """

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        *args: Any,
        first_token_only: bool = False,
        **kwargs: Any,
    ) -> Tensor:
        """Computes the layer.

        Args:
            hidden_states: Shape (batch, tokens, hidden).
            attention_mask: As the encoder makes it; for the narrow computation None or of four dimensions.
            *args: As for `BertLayer`.
            first_token_only: Whether the state of the first token is enough.
            **kwargs: As for `BertLayer`.

        Returns:
            Shape (batch, tokens, hidden), or (batch, 1, hidden).
        """
        attention = self.attention.self
        implementation = attention_implementation(attention.config)
        if not first_token_only or implementation not in _NARROW_ATTENTION:
            states: Tensor = super().forward(hidden_states, attention_mask, *args, **kwargs)
            return states
        first = hidden_states[:, :1]
        queries, keys, values = (
            part.unflatten(-1, (attention.num_attention_heads, attention.attention_head_size)).transpose(1, 2)
            for part in (attention.query(first), attention.key(hidden_states), attention.value(hidden_states))
        )
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(implementation, eager_attention_forward)
        context, _ = attend(
            attention,
            queries,
            keys,
            values,
            None if attention_mask is None else attention_mask[:, :, :1],
            dropout=attention.dropout.p if self.training else 0.0,
            scaling=attention.scaling,
        )
        attended = self.attention.output(context.flatten(-2), first)
        narrow: Tensor = self.feed_forward_chunk(attended)  # type: ignore[no-untyped-call]
        return narrow


def narrow_last_layer(encoder: BertEncoder) -> None:
    """Turns the last layer of `encoder` into a `FirstTokenLayer`; its parameters stay what and where they are.

    Making another layer in its place would draw random weights, and every seeded result after it would change.
    """
    encoder.layer[-1].__class__ = FirstTokenLayer
