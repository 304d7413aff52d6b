"""The network that is trained: the classifier that is shipped, with heads beside it for the other tasks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import BertForSequenceClassification

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
    encoder computes in bfloat16 under autocast while it is trained, the heads in float32.

    Args:
        config: Configuration of the classifier.
        bfloat16: Whether to train in bfloat16.
    """

    def __init__(self, config: EmotionConfig, bfloat16: bool = False) -> None:
        super().__init__()
        self.bfloat16 = bfloat16
        self.classifier = EmotionClassifier(config)
        # On the CPU, at the lengths of reviews, the backward pass of torch's fused attention takes several times as
        # long as that of its parts.
        self.classifier.set_attn_implementation("eager")
        size = config.hidden_size
        sizes = {"rating": RATINGS, "kote": KOTE_SIZE, "goemotions": GOEMOTIONS_SIZE}
        self.heads = nn.ModuleDict({name: _linear(size, outputs) for name, outputs in sizes.items()})
        self.masked_tokens = nn.Sequential(_linear(size, size), nn.GELU(), nn.LayerNorm(size))
        self.token_bias = nn.Parameter(torch.zeros(config.vocab_size))

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
        return self._encode(input_ids, first_token_only=True)[1]

    def with_masked_tokens(self, input_ids: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the pooled output and the scores of all tokens at the places `hidden`, shape (places, vocabulary)."""
        states, pooled = self._encode(input_ids)
        words = self.classifier.bert.embeddings.word_embeddings.weight
        with self._precision():
            scores = nn.functional.linear(self.masked_tokens(states[hidden.to(self.device)]), words, self.token_bias)
        return pooled, scores.float()

    def _encode(self, input_ids: Tensor, **options: bool) -> tuple[Tensor, Tensor]:
        ids = input_ids.to(self.device)
        # Texts of one length, as most batches have, need no mask.
        padded = bool((input_ids == self.classifier.config.pad_token_id).any())
        mask = (ids != self.classifier.config.pad_token_id).long() if padded else None
        with self._precision():
            outputs = self.classifier.bert(ids, attention_mask=mask, **options)
        return outputs.last_hidden_state, self.classifier.dropout(outputs.pooler_output.float())

    def _precision(self) -> torch.autocast:
        enabled = self.bfloat16 and self.training
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled)

    def emotion_logits(self, pooled: Tensor) -> Tensor:
        """Returns the logits of the seven emotions."""
        return self.classifier.classifier(pooled)


BAG_SCALE = 2.0


@torch.no_grad()
def start_as_bag(classifier: BertForSequenceClassification) -> None:
    """Sets the weights so that the encoder begins as a bag of word embeddings.

    Attention is uniform (queries are 0), the first layer adds the mean of all tokens to each, and whatever else
    writes into the residual stream writes 0. All of it is trainable from there. With `BagOfEmbeddings` the same
    function is trained at a fraction of the cost first.
    """
    bert = classifier.bert
    size = classifier.config.hidden_size
    bert.embeddings.position_embeddings.weight.zero_()
    bert.embeddings.token_type_embeddings.weight.zero_()
    for index, layer in enumerate(bert.encoder.layer):
        layer.attention.self.query.weight.zero_()
        layer.output.dense.weight.zero_()
        layer.attention.output.dense.weight.zero_()
        if index == 0:
            layer.attention.self.value.weight.copy_(torch.eye(size))
            layer.attention.output.dense.weight.copy_(BAG_SCALE * torch.eye(size))
    bert.pooler.dense.weight.copy_(torch.eye(size))


class BagOfEmbeddings(nn.Module):
    """What `start_as_bag` makes of a network, computed without its layers; shares the network's parameters.

    Args:
        network: A network that `start_as_bag` was called on.
        dropout: Dropout of the pooled output.
    """

    def __init__(self, network: MultiTaskNetwork, dropout: float) -> None:
        super().__init__()
        bert = network.classifier.bert
        self.pad_token_id = network.classifier.config.pad_token_id
        self.embeddings = bert.embeddings.word_embeddings
        self.pooler = bert.pooler.dense
        self.heads = network.heads
        self.dropout = nn.Dropout(dropout)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Returns the pooled output with dropout, shape (batch, hidden)."""
        size = self.embeddings.weight.shape[1:]
        input_ids = input_ids.to(self.embeddings.weight.device)
        vectors = nn.functional.layer_norm(self.embeddings(input_ids), size, eps=1e-12)
        mask = (input_ids != self.pad_token_id).to(vectors.dtype).unsqueeze(-1)
        mean = (vectors * mask).sum(dim=1) / mask.sum(dim=1)
        mixed = nn.functional.layer_norm(vectors[:, 0] + BAG_SCALE * mean, size, eps=1e-12)
        return self.dropout(torch.tanh(self.pooler(mixed)))


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
