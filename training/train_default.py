"""Trains the default model and writes it as `EmotionClassifier.from_pretrained` reads it.

    python -m training.train_default --data ../shared/data --spiece spiece.model --work work --output out

Stages, each of which writes `work/<stage>.pt` and is skipped when that is there:

1. teacher: soft ratings and soft labels of KOTE and GoEmotions for all texts (`training.teacher`);
2. embeddings: word embeddings from co-occurrence counts (`training.embeddings`);
3. bag: the encoder as a bag of embeddings learns those, a hundred times as fast as its layers could;
4. reviews: all layers learn them too, and masked words of all texts;
5. emotions: the seven emotions of KOTE (val) and GoEmotions-Korean (train), with their own labels beside; several runs,
   the weights of which are averaged;
6. export: a temperature fitted on held-out rows goes into the classifier, then float16 on disk.

With `--start` the weights of a finished model take the place of stages 2 and 3, and `--start-share` of them go into the
result once more.
An interrupted stage goes on from `work/<stage>.partial.pt`. Test rows are in no stage: see `training.corpora`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from training import corpora
from training.batches import FIRST_ORDINARY, Batch, Encoder, Ids, batches, mask_tokens, mask_words
from training.embeddings import ppmi_embeddings
from training.emotions import LABEL_SETS, EmotionTask, calibrate, emotion_parts, held_out_figures, train_emotions
from training.network import BagOfEmbeddings, MultiTaskNetwork, default_config, start_as_bag
from training.pool import balanced, distinct_reviews, review_pool, teach
from training.settings import Settings
from training.stage import Stage, save_atomically

VOCAB_SIZE = 8002


def compute_embeddings(rows: list[Ids], settings: Settings, work: Path) -> None:
    """Writes the co-occurrence vectors of the tokens in `rows`."""
    started = time.monotonic()
    ordinary = [row[1:-1] for row in rows]
    vectors = ppmi_embeddings(ordinary, VOCAB_SIZE, settings.hidden_size, seed=settings.seed)
    record = {"rows": len(rows), "seconds": round(time.monotonic() - started, 1)}
    save_atomically({"vectors": torch.from_numpy(vectors), "record": record}, work / "embeddings.pt")


def start_from(network: MultiTaskNetwork, folder: Path) -> dict[str, Any]:
    """Puts the weights of a finished model in place of the random ones; the heads beside its own stay random.

    Args:
        network: A network of the model's size.
        folder: What an earlier run exported.

    Returns:
        The SHA-256 of its weights and its own record.
    """
    file = folder / "model.safetensors"
    network.classifier.load_state_dict({name: value.float() for name, value in load_file(file).items()})
    record = json.loads((folder / "training_record.json").read_text(encoding="utf-8"))
    return {"weights_sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "record": record}


@torch.no_grad()
def mix_with_start(network: MultiTaskNetwork, folder: Path, share: float) -> None:
    """Moves the classifier's weights towards those it started from (Wortsman et al., 2022, "Robust fine-tuning").

    Args:
        network: The trained network.
        folder: What it started from.
        share: How much of the result those are.
    """
    before = load_file(folder / "model.safetensors")
    for name, value in network.classifier.state_dict().items():
        value.lerp_(before[name].to(value), share)


def load_embeddings(network: MultiTaskNetwork, work: Path) -> dict[str, Any]:
    """Puts the co-occurrence vectors in place of the random word embeddings, special tokens excepted."""
    state = torch.load(work / "embeddings.pt", weights_only=True)
    vectors, record = state["vectors"], dict(state["record"])
    with torch.no_grad():
        network.classifier.bert.embeddings.word_embeddings.weight[FIRST_ORDINARY:] = vectors[FIRST_ORDINARY:]
    return record


def taught_loss(
    network: MultiTaskNetwork | BagOfEmbeddings, pooled: Tensor, teacher: dict[str, Tensor], batch: Batch
) -> Tensor:
    """Returns the loss of rating and soft labels, each of the size of one cross-entropy."""
    numbers = torch.from_numpy(batch.rows)
    rating = functional.cross_entropy(network.heads["rating"](pooled), teacher["rating"][numbers].to(pooled))
    total = rating
    for name, scale in LABEL_SETS.items():
        shares = teacher[name][numbers].to(pooled)
        each = functional.binary_cross_entropy_with_logits(network.heads[name](pooled), shares, reduction="sum")
        total = total + each / scale / len(numbers)
    return total


def train_bag(
    network: MultiTaskNetwork, rows: list[Ids], teacher: dict[str, Tensor], settings: Settings, work: Path
) -> dict[str, Any]:
    """Trains embeddings, pooler and heads as a bag of embeddings.

    It gets soft labels alone: its embeddings would know the few rows of KOTE by heart before the layers learn.
    """
    bag = BagOfEmbeddings(network, settings.bag_dropout)
    bag.train()

    def loss(batch: Batch, generator: torch.Generator) -> Tensor:
        ids, _ = mask_tokens(batch.ids, settings.bag_mask_share, generator)
        return taught_loss(bag, bag(ids), teacher, batch)

    stage = Stage("bag", network, settings, work, steps=settings.bag_steps, learning_rate=settings.bag_learning_rate)
    return stage.run(lambda epoch: batches(rows, settings.bag_batch, settings.seed + epoch), loss)


def train_reviews(
    network: MultiTaskNetwork,
    rows: list[Ids],
    starts_word: Tensor,
    teacher: dict[str, Tensor],
    settings: Settings,
    work: Path,
) -> dict[str, Any]:
    """Trains all layers on ratings, soft labels and masked words."""
    network.set_dropout(settings.review_dropout)

    def loss(batch: Batch, generator: torch.Generator) -> Tensor:
        ids, hidden = mask_words(batch.ids, starts_word, settings.review_mask_share, generator)
        pooled, scores = network.with_masked_tokens(ids, hidden)
        wanted = batch.ids[hidden].to(network.device)
        masked = functional.cross_entropy(scores, wanted)
        return settings.mlm_weight * masked + taught_loss(network, pooled, teacher, batch)

    stage = Stage(
        "reviews",
        network,
        settings,
        work,
        steps=settings.review_steps,
        learning_rate=settings.review_learning_rate,
        constant_share=settings.review_constant_share,
    )
    return stage.run(lambda epoch: batches(rows, settings.review_batch, settings.seed + epoch), loss)


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
    parser.add_argument("--start", type=Path, help="go on from the model that an earlier run wrote there")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--float32", action="store_true", help="train in float32 instead of bfloat16")
    for field, default in Settings().__dict__.items():
        parser.add_argument(f"--{field.replace('_', '-')}", type=type(default), default=default)
    arguments = parser.parse_args()
    if arguments.start is None and arguments.start_share:
        parser.error("--start-share needs --start")
    settings = Settings(**{field: getattr(arguments, field) for field in Settings().__dict__})
    torch.set_num_threads(arguments.threads)
    arguments.work.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()

    encoder = Encoder(arguments.spiece)
    torch.manual_seed(settings.seed)
    network = MultiTaskNetwork(default_config(settings.hidden_size, settings.layers), not arguments.float32)
    held_out = corpora.held_out_keys(arguments.data)
    parts = emotion_parts(arguments.data, held_out, settings)
    record: dict[str, Any] = {
        "data_sha256": corpora.file_hashes(arguments.data),
        "tokenizer_sha256": encoder.sha256,
        "settings": settings.__dict__,
        "environment": environment(network.bfloat16),
        "parameters": sum(p.numel() for p in network.classifier.parameters()),
        "rows": {name: len(data.texts) for name, data in parts.__dict__.items()},
        "stages": {},
    }
    if arguments.start is None:
        start_as_bag(network.classifier)
    else:
        record["start"] = start_from(network, arguments.start)
    network.to(arguments.device)
    reviews = balanced(distinct_reviews(arguments.data, held_out, settings.seed), settings.reviews_a_rating)
    pool = review_pool(reviews, arguments.data, parts)
    rows = encoder(pool.texts, settings.review_tokens)
    record["rows"]["reviews"] = len(pool.reviews)
    stages = record["stages"]
    teacher = teach(pool, settings, arguments.work)
    stages["teacher"] = teacher.pop("record")
    if arguments.start is None:
        if not (arguments.work / "embeddings.pt").exists():
            compute_embeddings(rows, settings, arguments.work)
        stages["embeddings"] = load_embeddings(network, arguments.work)
        stages["bag"] = train_bag(network, rows, teacher, settings, arguments.work)
    stages["reviews"] = train_reviews(network, rows, encoder.starts_word, teacher, settings, arguments.work)
    task = EmotionTask(parts, encoder, settings)
    stages["emotions"] = train_emotions(network, parts, task, arguments.work)
    if arguments.start is not None:
        mix_with_start(network, arguments.start, settings.start_share)
        record["held_out"] = held_out_figures(network, parts, encoder, settings)
    record["temperature"] = calibrate(network, parts, encoder, settings)
    record["seconds_of_this_call"] = round(time.monotonic() - started, 1)
    export(network, encoder, record, arguments.output)


if __name__ == "__main__":
    main()
