"""What `kobert-emotion doctor` says a run will take, and what it takes: one right after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import ElectraConfig, ElectraForSequenceClassification, PreTrainedTokenizerFast

from kobert_hf_emotion.runs.cross_validation import cross_validate
from kobert_hf_emotion.tokenization.loading import load_tokenizer
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer
from kobert_hf_emotion.training.arguments import EmotionTrainingArguments
from kobert_hf_emotion.training.estimate import RunPlan, estimate_training

from .models import MAX_LENGTH, save_model
from .report import Report
from .texts import Texts
from .training import dataset_of

_NAMED = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
_SPECIAL = list(_NAMED.values())


@dataclass(frozen=True)
class Job:
    """A run to estimate and to time.

    Attributes:
        name: What the table calls the model.
        rows: Rows of the run.
        n_splits: Its folds.
        epochs: Its epochs.
    """

    name: str
    rows: int
    n_splits: int
    epochs: int


JOBS = (Job("default", 1_280, 3, 2), Job("electra-small", 1_280, 3, 1), Job("kobert-size", 256, 2, 1))
"""Large enough that steps take most of the time, small enough for two cores."""


def measure(texts: Texts, repeats: int, jobs: tuple[Job, ...] = JOBS) -> Report:
    """Estimates each run, makes it, and estimates it once more, so that a machine that slows down shows.

    Args:
        texts: What the runs train on; the first rows of it for each.
        repeats: How often.
        jobs: The runs.
    """
    facts: dict[str, object] = {}
    with TemporaryDirectory() as folder:
        for job in jobs:
            part = Texts(texts.name, texts.texts[: job.rows], texts.labels[: job.rows], texts.label_names)
            source = _BUILDERS[job.name](part, Path(folder) / job.name)
            for turn in range(1, repeats + 1):
                run = Path(folder) / f"{job.name}_{turn}"
                before = _estimate(source, part, job)
                start = time.perf_counter()
                _train(source, part, job, run)
                truth = time.perf_counter() - start
                after = _estimate(source, part, job)
                facts[f"{job.name} ({turn})"] = {
                    "estimate before (s)": before,
                    "the run (s)": truth,
                    "estimate after (s)": after,
                    "mean estimate over truth": (before + after) / 2 / truth,
                }
    return Report(title=f"doctor's estimate and the run, {texts.name}", facts=facts)


def _estimate(source: str, texts: Texts, job: Job) -> float:
    plan = RunPlan(len(texts.texts), job.n_splits, job.epochs, 64, MAX_LENGTH)
    tokenizer = load_tokenizer(source, model_max_length=MAX_LENGTH)
    return estimate_training(source, tokenizer, dataset_of(texts), plan).total_seconds


def _train(source: str, texts: Texts, job: Job, run: Path) -> None:
    args = EmotionTrainingArguments(
        num_train_epochs=job.epochs, max_length=MAX_LENGTH, report_to="none", disable_tqdm=True
    )
    cross_validate(dataset_of(texts), run, source, args, n_splits=job.n_splits)


def _default(texts: Texts, folder: Path) -> str:  # noqa: ARG001 - as the others
    return "default"


def _kobert_size(texts: Texts, folder: Path) -> str:
    return str(save_model("kobert-size", texts.label_names, KoBERTTokenizer.from_pretrained("default"), folder))


def _electra_small(texts: Texts, folder: Path) -> str:
    """Writes an ELECTRA of the small size (Clark et al., 2020), with random weights and pieces of the texts' own."""
    engine = Tokenizer(models.WordPiece(unk_token=_NAMED["unk_token"]))
    engine.normalizer = normalizers.NFC()
    engine.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    engine.train_from_iterator(texts.texts, trainers.WordPieceTrainer(vocab_size=8_000, special_tokens=_SPECIAL))
    engine.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=engine,
        **_NAMED,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )
    torch.manual_seed(0)
    config = ElectraConfig(
        vocab_size=len(tokenizer), embedding_size=128, hidden_size=256, num_hidden_layers=12, num_attention_heads=4,
        intermediate_size=1024, pad_token_id=0,
    )  # fmt: skip
    ElectraForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


_BUILDERS: dict[str, Callable[[Texts, Path], str]] = {
    "default": _default,
    "electra-small": _electra_small,
    "kobert-size": _kobert_size,
}
