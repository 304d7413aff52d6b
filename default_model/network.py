"""The network that is trained: the classifier that is shipped, with heads beside it for the other tasks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from default_model.packing import PackedBatch
from kobert_hf_emotion import EmotionClassifier
from kobert_hf_emotion.configuration import EmotionConfig

RATINGS = 10
KOTE_SIZE = 44
GOEMOTIONS_SIZE = 28


def default_config(hidden_size: int, layers: int) -> EmotionConfig:
    """Returns the configuration of the default model: KoBERT's shape in small, 64 dimensions a head."""
    return EmotionConfig(
        hidden_size=hidden_size,
        num_hidden_layers=layers,
        num_attention_heads=hidden_size // 64,
        intermediate_size=4 * hidden_size,
        max_position_embeddings=128,
    )


class MultiTaskNetwork(nn.Module):
    """`EmotionClassifier` with heads for ratings, KOTE's and GoEmotions' own labels.

    All heads read the dropped-out pooled output, as the classifier does. Only `classifier` is exported. The
    encoder computes in bfloat16 under autocast while it is trained, the heads in float32. On a GPU the layers are
    compiled for packed batches, all of which have one shape.

    Args:
        config: Configuration of the classifier.
        in_bfloat16: Whether to train in bfloat16.
    """

    def __init__(self, config: EmotionConfig, in_bfloat16: bool = False) -> None:
        super().__init__()
        self.in_bfloat16 = in_bfloat16
        self.classifier = EmotionClassifier(config)
        # On the CPU, at the lengths of reviews, the backward pass of torch's fused attention takes several times as
        # long as that of its parts.
        self.classifier.set_attn_implementation("sdpa" if torch.cuda.is_available() else "eager")
        size = config.hidden_size
        sizes = {"rating": RATINGS, "kote": KOTE_SIZE, "goemotions": GOEMOTIONS_SIZE}
        self.heads = nn.ModuleDict({name: _linear(size, outputs) for name, outputs in sizes.items()})
        self.masked_tokens = nn.Sequential(_linear(size, size), nn.GELU(), nn.LayerNorm(size))
        self.token_bias = nn.Parameter(torch.zeros(config.vocab_size))
        self._layers: list[Callable[..., Tensor]] = []

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.token_bias.device

    def set_dropout(self, probability: float) -> None:
        """Sets the dropout of all layers and of the pooled output; the configuration stays as it is."""
        for module in self.modules():
            if isinstance(module, nn.Dropout):
                module.p = probability

    def forward(self, input_ids: Tensor) -> Tensor:
        """Returns the pooled output with dropout, shape (batch, hidden)."""
        ids = input_ids.to(self.device)
        # Texts of one length, as most batches have, need no mask.
        padded = bool((input_ids == self.classifier.config.pad_token_id).any())
        mask = (ids != self.classifier.config.pad_token_id).long() if padded else None
        with self._precision():
            outputs = self.classifier.bert(ids, attention_mask=mask, first_token_only=True)
        return self.classifier.dropout(outputs.pooler_output.float())

    def packed(self, batch: PackedBatch) -> tuple[Tensor, Tensor]:
        """Returns the states of all tokens, flattened, and the pooled output of each text with dropout.

        Returns:
            Shapes (sequences * tokens, hidden) and (texts, hidden).
        """
        bert = self.classifier.bert
        dtype = torch.bfloat16 if self.in_bfloat16 else torch.float32
        same_text = batch.owners[:, None, :, None] == batch.owners[:, None, None, :]
        mask = torch.zeros_like(same_text, dtype=dtype).masked_fill_(~same_text, torch.finfo(dtype).min)
        with self._precision():
            states = bert.embeddings(input_ids=batch.ids, position_ids=batch.positions)
            for layer in self._packed_layers():
                states = layer(states, mask)
            states = states.flatten(0, 1)
            pooled = bert.pooler.activation(bert.pooler.dense(states[batch.first]))
        return states, self.classifier.dropout(pooled.float())

    def masked_token_loss(self, states: Tensor, batch: PackedBatch) -> Tensor:
        """Returns the mean cross-entropy of the tokens that are masked in `batch`, 0 where none is."""
        words = self.classifier.bert.embeddings.word_embeddings.weight
        with self._precision():
            scores = nn.functional.linear(self.masked_tokens(states[batch.hidden]), words, self.token_bias)
        total = nn.functional.cross_entropy(scores.float(), batch.wanted, reduction="sum")
        return total / max(1, len(batch.wanted))

    def answers(self, pooled: Tensor) -> dict[str, Tensor]:
        """Returns the logits of all heads, the seven emotions among them, each of shape (texts, outputs)."""
        return {name: head(pooled) for name, head in self.heads.items()} | {
            "emotion": self.classifier.classifier(pooled)
        }

    def _packed_layers(self) -> list[Callable[..., Tensor]]:
        if not self._layers:
            layers = list(self.classifier.bert.encoder.layer)
            self._layers = (
                [torch.compile(layer, dynamic=False) for layer in layers] if self.device.type == "cuda" else layers
            )
        return self._layers

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.in_bfloat16)


def _linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=0.02)
    nn.init.zeros_(layer.bias)
    return layer


class MovingAverage:
    """Exponential moving average of a module's parameters, with a warm-up.

    Args:
        module: The module; its parameters are copied at once.
        decay: Weight of the old average, reached after about 1 / (1 - decay) updates.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.average = {name: value.detach().clone() for name, value in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Moves the average towards the parameters of `module`."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        state = module.state_dict(keep_vars=True)
        floating = [name for name, value in self.average.items() if value.is_floating_point()]
        torch._foreach_lerp_([self.average[n] for n in floating], [state[n] for n in floating], 1 - decay)
