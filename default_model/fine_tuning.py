"""Fine-tuning on labelled texts, to measure an encoder: bfloat16, a warm-up and a linear decay, averaged weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from default_model.batches import PAD, Ids, batches, mask_tokens
from default_model.network import MovingAverage
from kobert_hf_emotion import EmotionClassifier


@dataclass(frozen=True)
class FineTuning:
    """What decides the result beside model and rows."""

    epochs: int
    batch_size: int
    learning_rate: float
    average_decay: float
    mask_share: float = 0.1
    weight_decay: float = 0.01
    warmup_share: float = 0.06
    seed: int = 0


def fine_tune(model: EmotionClassifier, rows: list[Ids], gold: npt.NDArray[np.int64], settings: FineTuning) -> None:
    """Fine-tunes in place; the model ends with the moving average of its weights.

    Args:
        model: A classifier.
        rows: Ids of the texts.
        gold: Their classes, shape (rows,).
        settings: Settings.
    """
    steps = settings.epochs * -(-len(rows) // settings.batch_size)
    warmup = max(1, int(settings.warmup_share * steps))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warmup, (steps - step) / max(1, steps - warmup))
    )
    average = MovingAverage(model, settings.average_decay)
    torch.manual_seed(settings.seed)
    generator = torch.Generator().manual_seed(settings.seed)
    classes = torch.from_numpy(gold).to(model.device)
    attention = model.config._attn_implementation
    model.set_attn_implementation("eager")  # see `MultiTaskNetwork`
    model.train()
    step, running = 0, 0.0
    for epoch in range(settings.epochs):
        for batch in batches(rows, settings.batch_size, seed=settings.seed + epoch):
            ids = mask_tokens(batch.ids, settings.mask_share, generator)[0].to(model.device)
            with torch.autocast(model.device.type, dtype=torch.bfloat16):
                logits = model(ids, attention_mask=(ids != PAD).long()).logits
            loss = functional.cross_entropy(logits.float(), classes[torch.from_numpy(batch.rows).to(model.device)])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            average.update(model)
            step, running = step + 1, running + float(loss.detach())
            if step % 200 == 0:
                print(f"    step {step}/{steps}: loss {running / 200:.4f}", flush=True)
                running = 0.0
    model.load_state_dict(average.average)
    model.set_attn_implementation(attention)
