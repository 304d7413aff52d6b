"""A BERT classifier for predicting on the CPU in float32, with its matrices packed for oneDNN.

torch computes a linear layer in float32 with a general matrix product that lays its weights out anew every time; for
one short text that takes longer than the arithmetic. oneDNN multiplies by weights that were laid out once, and adds
bias, GELU and residual in the same pass. torch has its functions as `torch.ops.mkldnn`, which `torch.compile` uses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertForSequenceClassification, BertModel, PreTrainedModel
from transformers.activations import GELUActivation
from transformers.models.bert import modeling_bert as bert

from ..utils.modules import HOOK_TABLES, every_module, everything_is_hooked, is_hooked
from . import onednn
from .first_token_layer import FirstTokenLayer
from .snapshot import Snapshot

_PARTS: set[type[nn.Module]] = {
    BertForSequenceClassification,
    BertModel,
    bert.BertEmbeddings,
    bert.BertEncoder,
    bert.BertLayer,
    FirstTokenLayer,
    bert.BertAttention,
    bert.BertSelfAttention,
    bert.BertSelfOutput,
    bert.BertIntermediate,
    bert.BertOutput,
    bert.BertPooler,
    GELUActivation,
    nn.Dropout,
    nn.Embedding,
    nn.LayerNorm,
    nn.Linear,
    nn.ModuleList,
    nn.Tanh,
}
"""What a model may be made of. With an adapter or a quantised layer in it, it computes something else."""

Model = TypeVar("Model", bound=type[nn.Module])


def computes_plain_bert(model_class: Model) -> Model:
    """Class decorator: logits of `model_class` are `BertForSequenceClassification`'s; its subclasses' may not be."""
    _PARTS.add(model_class)
    return model_class


def packed_bert(model: PreTrainedModel) -> PackedBert | None:
    """Returns `model` packed, or None where it must compute for itself.

    That is a model with other parts than plain BERT's, with hooks, on another device, in another precision, under
    autocast, or on a processor other than x86-64, where this was never tried. The packed copy is kept as long as the
    model lives and stays as it is; it takes as much memory as the matrices of the layers.
    """
    if not onednn.is_available() or torch.is_autocast_enabled("cpu") or everything_is_hooked():
        return None
    packed = _cache.get(model)
    if packed is not None and packed.snapshot.is_true_of(model):
        return packed
    _cache.pop(model, None)
    modules = every_module(model)
    if not _can_pack(model, modules):
        return None
    packed = _cache[model] = PackedBert(model, Snapshot(modules, _copied(model)))
    return packed


def has_plain_parts(model: PreTrainedModel) -> bool:
    """Whether a model is made of nothing but plain BERT's parts, and no hook has a say in what they compute.

    The `forward` of the model itself may be replaced: accelerate does that where it trains in bfloat16.
    """
    modules = every_module(model)
    if everything_is_hooked() or any(vars(model)[table] for table in HOOK_TABLES):
        return False
    return type(model) in _PARTS and not any(type(part) not in _PARTS or is_hooked(part) for part in modules[1:])


def _can_pack(model: PreTrainedModel, modules: list[nn.Module]) -> bool:
    if model.config.is_decoder or model.config.hidden_act != "gelu":
        return False
    if any(type(module) not in _PARTS or is_hooked(module) for module in modules):
        return False
    return all(map(_is_plain, model.parameters())) and _numbers_positions_as_usual(model)


def _is_plain(weight: nn.Parameter) -> bool:
    is_float = type(weight) is nn.Parameter and weight.dtype == torch.float32  # no subclass: torchao's are quantised
    return is_float and weight.is_cpu and not weight.is_inference() and weight.is_contiguous()


def _numbers_positions_as_usual(model: PreTrainedModel) -> bool:
    parts: Any = model.bert
    embeddings = parts.embeddings
    usual = torch.arange(embeddings.position_ids.numel())
    return torch.equal(embeddings.position_ids[0], usual) and not embeddings.token_type_ids.any()


def _copied(model: PreTrainedModel) -> list[Tensor]:
    """Returns the weights that `PackedBert` copies, and all that lie between them."""
    parts: Any = model.bert
    embeddings = parts.embeddings
    return [
        embeddings.token_type_embeddings.weight,
        embeddings.position_embeddings.weight,
        embeddings.position_ids,
        embeddings.token_type_ids,
        *parts.encoder.parameters(),
    ]


class PackedBert:
    """The logits of a BERT classifier.

    Args:
        model: The classifier, made of nothing but plain BERT's parts.
        snapshot: Taken of it.
    """

    def __init__(self, model: PreTrainedModel, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        encoder: Any = model.bert
        parts: Any = encoder.embeddings
        self._words, self._types = parts.word_embeddings.weight, parts.token_type_embeddings.weight
        self._positions: Tensor = parts.position_embeddings.weight.detach()
        self._positions_of_first_type = self._positions + self._types[0].detach()
        self._norm = _norm(parts.LayerNorm)
        layers = list(encoder.encoder.layer)
        self._layers = [_Layer(layer, last=layer is layers[-1]) for layer in layers]
        self._pooler = _small_product(encoder.pooler.dense)
        self._classifier = _small_product(model.classifier)

    def __call__(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """Computes logits as the model in evaluation mode does, but for rounding.

        Args:
            input_ids: Token ids, shape (batch, tokens), int64.
            attention_mask: 1 for tokens, 0 for padding, shape (batch, tokens); None where nothing is padding.
            token_type_ids: 0 or 1 for first or second sentence, shape (batch, tokens); None for zeros.

        Returns:
            Logits, shape (batch, classes), float32.
        """
        tokens = input_ids.shape[1]
        if token_type_ids is None:
            places = self._positions_of_first_type[:tokens]
        else:
            places = self._positions[:tokens] + torch.embedding(self._types, token_type_ids)
        states = self._norm(torch.embedding(self._words, input_ids) + places)
        mask = None if attention_mask is None else attention_mask.bool()[:, None, None, :]
        for layer in self._layers:
            states = layer(states, mask)
        return self._classifier(torch.tanh(self._pooler(states[:, 0])))


_cache: WeakKeyDictionary[nn.Module, PackedBert] = WeakKeyDictionary()


def _norm(norm: nn.LayerNorm) -> Callable[[Tensor], Tensor]:
    """Returns the function of a normalisation, without what a module's call and looking up its attributes take."""
    shape, weight, bias, eps = norm.normalized_shape, norm.weight, norm.bias, norm.eps
    return lambda states: torch.layer_norm(states, shape, weight, bias, eps)


def _small_product(linear: Any) -> Callable[[Tensor], Tensor]:
    """Returns the function of a linear layer that sees one row a text, which is not worth packing."""
    weight, bias = linear.weight, linear.bias
    return lambda states: functional.linear(states, weight, bias)


class _Layer:
    """A layer; of the last one, the state of the first token alone."""

    def __init__(self, layer: Any, last: bool) -> None:
        attention, after = layer.attention.self, layer.attention.output
        self.head_size: int = attention.attention_head_size
        self.first_token_only = last
        if last:
            self.query = _product(attention.query)
            self.keys_values = _product(attention.key, attention.value)
        else:
            self.all = _product(attention.query, attention.key, attention.value)
        self.attended = _product_and_sum(after.dense)
        self.inner = _product(layer.intermediate.dense, activation="gelu")
        self.outer = _product_and_sum(layer.output.dense)
        self.norm_attended, self.norm_outer = _norm(after.LayerNorm), _norm(layer.output.LayerNorm)

    def __call__(self, states: Tensor, mask: Tensor | None) -> Tensor:
        if self.first_token_only:
            keys, values = self._heads(self.keys_values(states), 2)
            states = states[:, :1].contiguous()
            (queries,) = self._heads(self.query(states), 1)
        else:
            queries, keys, values = self._heads(self.all(states), 3)
        context = functional.scaled_dot_product_attention(queries, keys, values, mask)
        states = self.norm_attended(self.attended(context.transpose(1, 2).flatten(2), states))
        return self.norm_outer(self.outer(self.inner(states), states))

    def _heads(self, products: Tensor, parts: int) -> tuple[Tensor, ...]:
        """Splits (batch, tokens, parts * hidden) into tensors of shape (batch, heads, tokens, head size)."""
        batch, tokens, _ = products.shape
        return products.view(batch, tokens, parts, -1, self.head_size).permute(2, 0, 3, 1, 4).unbind()


def _product(*linears: nn.Linear, activation: str = "none") -> Callable[[Tensor], Tensor]:
    """Returns the function of linear layers with one input, side by side, GELU (exact) following if asked for."""
    weight, bias = torch.cat([x.weight for x in linears]), torch.cat([x.bias for x in linears])
    return onednn.packed_product(weight, bias, activation)


def _product_and_sum(linear: nn.Linear) -> Callable[[Tensor, Tensor], Tensor]:
    """Returns the function of a linear layer whose output is added to a second argument."""
    return onednn.packed_product_and_sum(linear.weight, linear.bias)
