"""Arguments and rows of a small k-fold run."""

from __future__ import annotations

import datasets
from sentences import sentences

from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.training.arguments import EmotionTrainingArguments


def make_dataset(per_label: int = 8) -> datasets.Dataset:
    pairs = sentences(per_label)
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=list(EMOTION_LABELS))}
    )
    columns = {"text": [text for text, _ in pairs], "label": [EMOTION_LABELS.index(label) for _, label in pairs]}
    return datasets.Dataset.from_dict(columns, features=features)


def make_args(**settings: object) -> EmotionTrainingArguments:
    defaults = {"num_train_epochs": 2, "learning_rate": 1e-3, "per_device_train_batch_size": 16, "disable_tqdm": True}
    return EmotionTrainingArguments(**(defaults | settings))
