"""Whether an encoder that was adapted to the texts classifies them better: the same folds with and without.

    python -m benchmarks.adaptation --data ../shared/data [--labelled 1000] [--seeds 3]

The texts are of KOTE's test part (no review of NSMC is among them), which the embedded default has never seen; some
have a label, and other rows of it are tested on. `--plain` starts from weights drawn at random in the default's shape.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import datasets
import transformers

from kobert_hf_emotion.adaptation.adapting import adapt
from kobert_hf_emotion.data.label_ids import label_ids
from kobert_hf_emotion.distillation.teacher import open_teacher
from kobert_hf_emotion.metrics.scores import Scores
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.runs.cross_validation import cross_validate
from kobert_hf_emotion.training.arguments import EmotionTrainingArguments

from .unseen import Parts, divide

FOLDS = 2


def main(argv: list[str] | None = None) -> int:
    """Prints the perplexities, and the scores of both."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.adaptation", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--labelled", type=int, default=1000)
    parser.add_argument("--unlabelled", type=int, default=4000)
    parser.add_argument("--tested", type=int, default=2000)
    parser.add_argument("--epochs", type=float, default=5.0, help="of the folds")
    parser.add_argument("--adapted-epochs", type=float, default=3.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--plain", action="store_true", help="start from random weights")
    args = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    datasets.disable_progress_bars()
    found: dict[str, list[Scores]] = {"as it was": [], "adapted": []}
    for seed in range(args.seeds):
        parts = divide("kote", args.data, args.labelled, args.unlabelled, args.tested, seed)
        with TemporaryDirectory() as folder:
            start = _random(Path(folder, "start")) if args.plain else "default"
            training = _arguments(args.adapted_epochs, 1e-3 if args.plain else 1e-4, seed)
            texts = [*parts.labelled["text"][:], *parts.texts]
            adapted = adapt(texts, Path(folder, "adapted"), start, training)
            shown = f"{adapted.perplexity.before:.1f} → {adapted.perplexity.after:.1f}"
            print(f"seed {seed}: {adapted.texts:,} texts, perplexity {shown}", flush=True)  # noqa: T201
            for name, model in (("as it was", start), ("adapted", Path(folder, "adapted"))):
                scores = _scores(parts, model, Path(folder, f"{name}, folds"), _arguments(args.epochs, 1e-3, seed))
                found[name].append(scores)
                print(f"  {name:<10} {_line([scores])}", flush=True)  # noqa: T201
    for name, scores_of_seeds in found.items():
        print(f"{name:<10} {_line(scores_of_seeds)}")  # noqa: T201
    return 0


def _scores(parts: Parts, model: str | Path, run: Path, args: EmotionTrainingArguments) -> Scores:
    cross_validate(parts.labelled, run, model, args, n_splits=FOLDS)
    folds = open_teacher(run)
    truth = label_ids(parts.test, folds.labels)
    return folds.task.score(folds.answer(list(parts.test["text"][:])).logits, truth)


def _random(folder: Path) -> Path:
    """Writes a model in the shape of the default, with weights drawn at random."""
    default = EmotionClassifier.from_pretrained("default")
    transformers.set_seed(0)
    model = EmotionClassifier(default.config)
    model.tokenizer = default.tokenizer
    model.save_pretrained(folder)
    return folder


def _arguments(epochs: float, rate: float, seed: int) -> EmotionTrainingArguments:
    return EmotionTrainingArguments(
        num_train_epochs=epochs, learning_rate=rate, dropout=0.1, seed=seed, disable_tqdm=True, report_to="none"
    )


def _line(scores: list[Scores]) -> str:
    shown = []
    for name, title in (("accuracy", "accuracy"), ("macro_f1", "macro F1"), ("log_loss", "log loss")):
        values = [getattr(each, name) for each in scores]
        spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
        shown.append(f"{title} {statistics.mean(values):.4f}{spread}")
    return "  ".join(shown)


if __name__ == "__main__":
    sys.exit(main())
