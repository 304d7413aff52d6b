"""Trains the default model and writes it as `EmotionClassifier.from_pretrained` reads it.

    python -m default_model.train_default --data ../shared/data --spiece spiece.model --work work --output out

Stages, each of which writes `work/<stage>.pt` and is skipped when that is there:

1. linear: what linear models over character n-grams say of all texts (`default_model.linear_models`), on the CPU while
2. teacher: a larger network learns masked words of all texts;
3. teacher_0, …, answers: once for each fold it learns ratings and emotions of the others, and answers for its own
   (`default_model.teacher`);
4. reviews: the encoder that is shipped learns those answers and masked words of all texts;
5. emotions: the seven emotions of KOTE (val) and GoEmotions-Korean (train), with their own labels beside; several runs,
   the weights of which are averaged;
6. export: a temperature fitted on held-out rows goes into the classifier, then float16 on disk.

An interrupted stage goes on from `work/<stage>.partial.pt`. Test rows are in no stage: see `default_model.corpora`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from default_model import corpora
from default_model.batches import Encoder
from default_model.emotions import EmotionRuns, EmotionTask, calibrate, emotion_parts
from default_model.linear_models import LinearModels
from default_model.network import MultiTaskNetwork, default_config
from default_model.packing import PackedBatch, PackedTexts
from default_model.pool import distinct_reviews, review_pool
from default_model.settings import Settings
from default_model.stage import Stage
from default_model.targets import Targets, taught_targets
from default_model.teacher import answer_by_folds, figures_of_answers, pretrain


def train_reviews(
    network: MultiTaskNetwork, texts: PackedTexts, targets: Targets, settings: Settings, work: Path
) -> dict[str, Any]:
    """Trains all layers on the teachers' answers and on masked words."""
    network.set_dropout(settings.review_dropout)
    everything = np.arange(len(texts.lengths))

    def loss(batch: PackedBatch, _: torch.Generator) -> Tensor:
        states, pooled = network.packed(batch)
        return network.masked_token_loss(states, batch) + targets.loss(network, pooled, batch.rows)

    stage = Stage(
        "reviews",
        network,
        settings,
        work,
        steps=settings.review_steps,
        learning_rate=settings.review_learning_rate,
        constant_share=settings.review_constant_share,
    )
    size, share = settings.review_sequences, settings.mask_share
    return stage.run(lambda epoch: texts.batches(everything, size, share, settings.seed + epoch), loss)


def export(network: MultiTaskNetwork, encoder: Encoder, record: dict[str, Any], output: Path) -> None:
    """Writes `model.safetensors` (float16), `config.json` and `training_record.json`, each at one stroke."""
    output.mkdir(parents=True, exist_ok=True)
    model = network.classifier
    config = model.config
    config.architectures = ["BertForSequenceClassification"]
    config.tokenizer_sha256 = encoder.sha256
    # The file is float16 to save space; computing in float32 is what plain transformers then does.
    config.dtype = "float32"
    config.name_or_path = ""
    with tempfile.TemporaryDirectory(dir=output) as folder:
        staging = Path(folder)
        weights = {name: value.detach().cpu().half().contiguous() for name, value in model.state_dict().items()}
        save_file(weights, staging / "model.safetensors", metadata={"format": "pt"})
        config.save_pretrained(staging)
        text = json.dumps(record, ensure_ascii=False, indent=1) + "\n"
        (staging / "training_record.json").write_text(text, encoding="utf-8")
        for name in ("config.json", "training_record.json", "model.safetensors"):
            (staging / name).chmod(0o644)
            os.replace(staging / name, output / name)


def environment(bfloat16: bool) -> dict[str, Any]:
    """Returns hardware, precision and versions."""
    names = ("torch", "transformers", "sentencepiece", "numpy", "scipy", "scikit-learn", "safetensors")
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "precision": "bfloat16" if bfloat16 else "float32",
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "versions": {name: version(name) for name in names},
    }


def main() -> None:
    """Runs the stages that are not done yet and exports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with nsmc, kote and goemotions_ko")
    parser.add_argument("--spiece", type=Path, required=True, help="SentencePiece model in KoBERT's layout")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--output", type=Path, required=True, help="folder for the finished model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--float32", action="store_true", help="train in float32 instead of bfloat16")
    for field, default in Settings().__dict__.items():
        parser.add_argument(f"--{field.replace('_', '-')}", type=type(default), default=default)
    arguments = parser.parse_args()
    settings = Settings(**{field: getattr(arguments, field) for field in Settings().__dict__})
    torch.set_num_threads(arguments.threads)
    arguments.work.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()

    encoder = Encoder(arguments.spiece)
    held_out = corpora.held_out_keys(arguments.data)
    parts = emotion_parts(arguments.data, held_out, settings)
    pool = review_pool(distinct_reviews(arguments.data, held_out), arguments.data, parts)
    rows = encoder(pool.texts, settings.packed_tokens)

    def network(layers: int, hidden_size: int) -> MultiTaskNetwork:
        torch.manual_seed(settings.seed)
        return MultiTaskNetwork(default_config(hidden_size, layers), not arguments.float32).to(arguments.device)

    stages: dict[str, Any] = {}
    linear = LinearModels(pool, settings, arguments.work)
    texts = PackedTexts(rows, settings.packed_tokens, encoder.starts_word, torch.device(arguments.device))
    teacher = network(settings.teacher_layers, settings.teacher_hidden_size)
    stages["teacher"] = pretrain(teacher, texts, settings, arguments.work)
    answers, stages["folds"] = answer_by_folds(teacher, texts, pool, settings, arguments.work)
    from_linear, stages["linear"] = linear.answers()
    for name, shares in from_linear.items():
        answers[name] = answers[name].lerp(shares, settings.linear_share)
    stages["mixed"] = figures_of_answers(pool, answers)
    print("mixed", stages["mixed"], flush=True)

    student = network(settings.layers, settings.hidden_size)
    targets = taught_targets(pool, answers).to(student.device)
    stages["reviews"] = train_reviews(student, texts, targets, settings, arguments.work)
    task = EmotionTask(parts, {name: value[len(pool.reviews) :] for name, value in answers.items()}, encoder, settings)
    start = {name: value.cpu() for name, value in student.state_dict().items()}
    runs = EmotionRuns(task, parts, start, student.in_bfloat16, arguments.device, arguments.work)
    stages["emotions"] = runs.train(student)
    record = {
        "data_sha256": corpora.file_hashes(arguments.data),
        "tokenizer_sha256": encoder.sha256,
        "settings": settings.__dict__,
        "environment": environment(student.in_bfloat16),
        "parameters": sum(p.numel() for p in student.classifier.parameters()),
        "rows": {name: len(data.texts) for name, data in parts.__dict__.items()} | {"reviews": len(pool.reviews)},
        "stages": stages,
        "temperature": calibrate(student, parts, encoder, settings),
        "seconds_of_this_call": round(time.monotonic() - started, 1),
    }
    export(student, encoder, record, arguments.output)


if __name__ == "__main__":
    main()
