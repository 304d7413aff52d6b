"""A trainer of a tiny model on sixteen sentences, in one process or several."""

from __future__ import annotations

import sys
from pathlib import Path

import datasets
import torch

from kobert_hf_emotion.configuration import EmotionConfig
from kobert_hf_emotion.data.label_ids import vote_feature
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer
from kobert_hf_emotion.training.arguments import EmotionTrainingArguments
from kobert_hf_emotion.training.trainer import EmotionTrainer

TEXTS = [
    "오늘 정말 행복했어", "무서워서 잠이 안 와ㅠㅠ", "왜 자꾸 늦는 거야", "회의는 세 시입니다", "헐 진짜?",
    "토할 것 같아", "보고 싶다", "ㅋㅋㅋㅋ 너무 웃겨", "그만 좀 해라", "내일 비가 온대요", "깜짝이야",
    "눈물이 멈추지 않아요",
    "이렇게 맛있는 건 처음이에요!!", "더러워 죽겠네", "발소리가 가까워졌다", "네 알겠습니다",
]  # fmt: skip


LABELS = [5, 0, 2, 4, 1, 6, 3, 5, 2, 4, 1, 3, 5, 6, 0, 4]


def build_model(tokenizer: KoBERTTokenizer, **settings: object) -> EmotionClassifier:
    torch.manual_seed(0)
    config = EmotionConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        classifier_dropout=0.0,
        **settings,
    )
    model = EmotionClassifier(config)
    model.tokenizer = tokenizer
    return model


def rows(count: int = 16) -> datasets.Dataset:
    return datasets.Dataset.from_dict({"text": TEXTS[:count], "label": LABELS[:count]})


def vote_rows(count: int = 16) -> datasets.Dataset:
    """Three votes a row: two for its label, one for the next but one row's."""
    labels = []
    for own, other in zip(LABELS, LABELS[2:] + LABELS[:2], strict=True):
        votes = [2.0 * (label == own) + (label == other) for label in range(len(EMOTION_LABELS))]
        labels.append(dict(zip(EMOTION_LABELS, votes, strict=True)))
    features = datasets.Features({"text": datasets.Value("string"), "label": vote_feature(EMOTION_LABELS)})
    return datasets.Dataset.from_dict({"text": TEXTS[:count], "label": labels[:count]}, features=features)


def arguments(folder: Path, **settings: object) -> EmotionTrainingArguments:
    defaults = {"num_train_epochs": 1, "save_strategy": "no", "disable_tqdm": True, "use_cpu": True, "logging_steps": 1}
    return EmotionTrainingArguments(output_dir=str(folder), **(defaults | settings))


class KeptGradients(EmotionTrainer):
    """Keeps the gradients that the first step of the optimizer sees."""

    def train_and_keep(self) -> dict[str, torch.Tensor]:
        kept: dict[str, torch.Tensor] = {}
        self.create_optimizer()
        step = self.optimizer.step

        def spy(*args: object, **kwargs: object) -> object:
            if not kept:
                kept.update({n: p.grad.clone() for n, p in self.model.named_parameters() if p.grad is not None})
            return step(*args, **kwargs)

        self.optimizer.step = spy
        self.train()
        return kept


def launcher(processes: int) -> list[str]:
    """`accelerate launch` for processes on the CPU; its own `--cpu` starts a single one, whatever is asked for."""
    command = [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", str(processes)]
    command += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"]
    return command if processes == 1 else [*command, "--multi_gpu"]
