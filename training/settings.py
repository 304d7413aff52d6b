"""What decides the default model beside data and code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What decides the result beside the data; part of the record."""

    seed: int = 20261122
    layers: int = 4
    hidden_size: int = 256
    bag_steps: int = 1200
    bag_batch: int = 256
    bag_learning_rate: float = 1e-3
    bag_mask_share: float = 0.2
    bag_dropout: float = 0.3
    review_steps: int = 24_000
    review_batch: int = 128
    review_tokens: int = 64
    review_learning_rate: float = 1e-3
    review_constant_share: float = 0.6
    review_mask_share: float = 0.2
    reviews_a_rating: int = 120_000
    review_dropout: float = 0.0
    start_share: float = 0.0
    emotion_runs: int = 3
    emotion_steps: int = 2000
    emotion_batch: int = 64
    emotion_tokens: int = 128
    emotion_learning_rate: float = 3e-4
    emotion_dropout: float = 0.1
    kote_repeats: int = 6
    mask_share: float = 0.1
    mlm_weight: float = 1.0
    auxiliary_weight: float = 1.0
    no_space_share: float = 0.1
    sampled_share: float = 0.5
    emoji_share: float = 0.04
    average_decay: float = 0.995
    warmup_share: float = 0.06
    weight_decay: float = 0.01
