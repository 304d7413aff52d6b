"""A number of training steps, where the whole k-fold job would take hours: no validation, nothing saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor
from transformers import BertForSequenceClassification, PrinterCallback

from kobert_hf_emotion.kernels.training import cpu_kernels
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.modeling.losses import focal_loss
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer
from kobert_hf_emotion.training.trainer import EmotionTrainer

from .baselines import NotebookLoop, Settings, Shard, hf_trainer
from .models import MAX_LENGTH, model_flops, save_model
from .report import OURS, Disagreement, Report
from .texts import Texts
from .timing import interleave
from .training import dataset_of, emotion_arguments, facts, token_counts, with_seed

MAX_ERROR = 1e-4
"""Gradients count as different where their distance is more than this share of them."""
_COMPARED_TEXTS = 8


class StepJobs:
    """One pass over the same texts in the three ways, each from texts and saved weights to a trained model."""

    def __init__(self, texts: Texts, size: str, settings: Settings, folder: Path) -> None:
        self.texts, self.folder = texts, folder
        self.settings = replace(settings, epochs=1)
        self.tokenizer = KoBERTTokenizer.from_pretrained("default", model_max_length=MAX_LENGTH)
        self.model_folder = save_model(size, texts.label_names, self.tokenizer, folder / "model")
        self.shard = Shard(texts.texts, texts.labels)

    def notebook(self, seed: int) -> float:
        """Trains as the notebook does, and returns the mean loss, as the other ways do."""
        loop = self.notebook_loop(seed)
        loop.start(len(self.shard.texts))
        return loop.train_epoch(self.shard)

    def notebook_loop(self, seed: int) -> NotebookLoop:
        """Returns the notebook's loop before the first step."""
        classes = len(self.texts.label_names)
        return NotebookLoop(self.model_folder, self.tokenizer, classes, with_seed(self.settings, seed))

    def hf_trainer(self, seed: int) -> float:
        """Trains with Hugging Face's Trainer."""
        settings = with_seed(self.settings, seed)
        return float(hf_trainer(self.model_folder, self.shard, None, self.folder, settings).train().training_loss)

    def ours(self, seed: int) -> float:
        """Trains with `EmotionTrainer`."""
        args = emotion_arguments(with_seed(self.settings, seed))
        args.output_dir = str(self.folder)
        model = EmotionClassifier.from_pretrained(self.model_folder)
        trainer = EmotionTrainer(model, args, dataset_of(self.texts), processing_class=self.tokenizer)
        trainer.remove_callback(PrinterCallback)  # as for Hugging Face's
        return float(trainer.train().training_loss)

    def compare_gradients(self) -> float:
        """Returns the largest distance of the gradients of a few texts from ours, as a share of them.

        Dropout is off, and the notebook's model gets our head. Each way pads as it does when it trains.

        Raises:
            Disagreement: They differ by more than `MAX_ERROR`.
        """
        texts, labels = self.shard.texts[:_COMPARED_TEXTS], torch.tensor(self.shard.labels[:_COMPARED_TEXTS])
        padded = dict(self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt"))
        full = self.tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt")
        ours = EmotionClassifier.from_pretrained(self.model_folder)
        plain = BertForSequenceClassification.from_pretrained(self.model_folder)
        loop = self.notebook_loop(0)
        notebook = loop.model.to("cpu")
        notebook.classifier.load_state_dict(ours.classifier.state_dict())
        with cpu_kernels(ours):
            expected = _gradients(ours, lambda: ours(**padded).logits, labels)
        notebooks = _gradients(
            notebook,
            lambda: notebook(full["input_ids"], full["attention_mask"].sum(1), full["token_type_ids"]),
            labels,
        )
        found = {
            "notebook's loop": notebooks,
            "HF Trainer": _gradients(plain, lambda: plain(**padded).logits, labels),
        }
        errors = {way: float((other - expected).norm() / expected.norm()) for way, other in found.items()}
        if not max(errors.values()) <= MAX_ERROR:
            raise Disagreement(f"gradients of {_COMPARED_TEXTS} texts differ from ours: {errors}")
        return max(errors.values())


def _gradients(model: torch.nn.Module, logits: Callable[[], Tensor], labels: Tensor) -> Tensor:
    """Returns the gradient of the mean focal loss, of all parameters in one vector."""
    model.eval()
    focal_loss(logits(), labels).backward()  # type: ignore[no-untyped-call]
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None])


def measure(texts: Texts, size: str, settings: Settings, repeats: int) -> Report:
    """Times one pass over the texts in three ways, after their gradients were compared.

    Raises:
        Disagreement: The gradients differ.
    """
    losses: dict[str, list[float]] = {}
    with TemporaryDirectory() as folder:
        jobs = StepJobs(texts, size, settings, Path(folder))
        error = jobs.compare_gradients()
        few = Texts(texts.name, texts.texts[:4], texts.labels[:4], texts.label_names)
        warm = StepJobs(few, "tiny", settings, Path(folder) / "warm")
        for job in (warm.ours, warm.notebook, warm.hf_trainer):
            job(0)
        ways = {OURS: jobs.ours, "notebook's loop": jobs.notebook, "HF Trainer": jobs.hf_trainer}

        def run(name: str) -> Callable[[], None]:
            return lambda: losses.setdefault(name, []).append(ways[name](len(losses.get(name, []))))

        timings = interleave({name: run(name) for name in ways}, repeats)
        lengths = token_counts(texts, jobs.tokenizer)
    steps = -(-len(texts.texts) // settings.batch_size)
    return Report(
        title=f"{steps} training steps of {settings.batch_size} texts of {texts.name}, "
        f"{size}, {settings.device}{', bf16' if settings.bf16 else ''}",
        checks={
            "largest relative difference of gradients": error,
            "mean training loss": {way: found[-1] for way, found in losses.items()},
        },
        timings=timings,
        items=len(texts.texts),
        facts={
            "tokens a text": float(lengths.mean()),
            # Backward is twice forward.
            **facts(lengths, 3 * model_flops(size, lengths) / timings[OURS].median, size, settings),
        },
    )
