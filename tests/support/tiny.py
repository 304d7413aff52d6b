"""Sizes of the models that tests build, and what makes a random one tell texts apart."""

from __future__ import annotations

import torch

from kobert_hf_emotion import EmotionClassifier, EmotionConfig

TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


def sharp_model(seed: int, **settings: object) -> EmotionClassifier:
    """Returns a random model of weights so large that texts are told apart."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = EmotionClassifier(EmotionConfig(**TINY, **settings))
    with torch.no_grad():
        for module in (model.bert.embeddings.word_embeddings, model.bert.pooler.dense, model.classifier):
            module.weight.mul_(10)
    return model
