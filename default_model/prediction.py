"""Logits of many texts."""

from __future__ import annotations

import numpy as np
import torch

from default_model.batches import PAD, Encoder, pad
from kobert_hf_emotion import EmotionClassifier
from kobert_hf_emotion.kernels.packed_bert import packed_bert


@torch.inference_mode()
def predict_logits(model: EmotionClassifier, encoder: Encoder, texts: list[str], max_tokens: int) -> torch.Tensor:
    """Returns the logits of `texts` in their order, shape (texts, classes), float32 on the CPU."""
    training = model.training
    model.eval()
    packed = packed_bert(model)
    rows = encoder(texts, max_tokens)
    order = np.argsort([len(row) for row in rows], kind="stable")
    logits = torch.empty(len(rows), len(model.config.labels))
    for start in range(0, len(order), 128):
        chosen = order[start : start + 128]
        ids = pad([rows[i] for i in chosen]).to(model.device)
        mask = (ids != PAD).long()
        answers = model(ids, attention_mask=mask).logits if packed is None else packed(ids, mask)
        logits[torch.from_numpy(chosen)] = answers.cpu()
    model.train(training)
    return logits
