"""The network that is trained: the classifier that is shipped, with heads beside it for the other tasks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import BertForSequenceClassification

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
    """`BertForSequenceClassification` with heads for ratings, KOTE's and GoEmotions' own labels.

    All heads read the dropped-out pooled output, as the classifier does. Only `classifier` is exported.
    """

    def __init__(self, config: EmotionConfig) -> None:
        super().__init__()
        self.classifier = BertForSequenceClassification(config)
        size = config.hidden_size
        sizes = {"rating": RATINGS, "kote": KOTE_SIZE, "goemotions": GOEMOTIONS_SIZE}
        self.heads = nn.ModuleDict({name: _linear(size, outputs) for name, outputs in sizes.items()})

    def forward(self, input_ids: Tensor) -> Tensor:
        """Returns the pooled output with dropout, shape (batch, hidden)."""
        mask = (input_ids != self.classifier.config.pad_token_id).long()
        pooled = self.classifier.bert(input_ids, attention_mask=mask).pooler_output
        return self.classifier.dropout(pooled)

    def emotion_logits(self, pooled: Tensor) -> Tensor:
        """Returns the logits of the seven emotions."""
        return self.classifier.classifier(pooled)


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
        names = list(self.average)
        state = module.state_dict()
        floating = [name for name in names if self.average[name].is_floating_point()]
        torch._foreach_lerp_([self.average[n] for n in floating], [state[n] for n in floating], 1 - decay)
