"""What decides the default model beside data and code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What decides the result beside the data; part of the record.

    A batch of the stages on all texts is so many sequences of `packed_tokens` tokens, several texts in each.
    """

    seed: int = 20261122
    layers: int = 6
    hidden_size: int = 256
    packed_tokens: int = 128
    mask_share: float = 0.2
    teacher_layers: int = 8
    teacher_hidden_size: int = 512
    teacher_dropout: float = 0.1
    teacher_steps: int = 4330
    teacher_sequences: int = 512
    teacher_learning_rate: float = 7e-4
    folds: int = 3
    fold_steps: int = 780
    fold_sequences: int = 256
    fold_learning_rate: float = 2e-4
    fold_reviews_a_rating: int = 20_000
    linear_share: float = 0.35
    review_steps: int = 13_192
    review_sequences: int = 512
    review_learning_rate: float = 1.5e-3
    review_constant_share: float = 0.5
    review_dropout: float = 0.0
    emotion_runs: int = 1
    emotion_steps: int = 2000
    emotion_batch: int = 64
    emotion_learning_rate: float = 3e-4
    emotion_dropout: float = 0.1
    emotion_mask_share: float = 0.1
    emotion_teacher_share: float = 0.5
    emotion_start_share: float = 0.2
    kote_repeats: int = 6
    auxiliary_weight: float = 1.0
    no_space_share: float = 0.1
    sampled_share: float = 0.5
    emoji_share: float = 0.04
    average_decay: float = 0.995
    warmup_share: float = 0.06
    weight_decay: float = 0.01
