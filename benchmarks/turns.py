"""`python -m benchmarks.turns`: what the turns before a line are worth, on conversations made for it.

The conversations are made of the sample sentences of this package: two speakers in turn, one says a sentence, the other
answers with a word or two such as 네, 그래 or 아니, in the emotion of what was just said. Which words an answer has is
drawn without a look at the emotion, so that by itself it tells nothing. The sentences, each of which stands once in the
file, tell theirs by themselves; what was said before has nothing to do with it.

A model is trained with the turns before a line and one without, on the same folds, and both are scored on the rows that
their folds held out: all of them, the answers, and the sentences.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before any Hugging Face import; nothing is fetched
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

ANSWERS = (
    *("네", "네네", "예", "응", "어", "그래", "그래그래", "아니", "아니야", "아뇨", "그렇지", "그러게"),
    *("맞아", "그럼", "글쎄", "뭐", "아", "음", "그런가", "정말", "진짜", "알아", "알았어", "그러니까"),
)
MARKS = (".", "", "...", "!", "?")
HEAD = ("conversation", "turn", "speaker", "Text", "Emotion")


def conversations(count: int, turns: int, seed: int) -> list[tuple[str, int, str, str, str]]:
    """Returns the rows of `count` conversations of `turns` turns each, in the order of `HEAD`."""
    from kobert_hf_emotion import load_emotion_dataset
    from kobert_hf_emotion.assets import SAMPLE_TRAIN

    sample = load_emotion_dataset(SAMPLE_TRAIN)
    names = sample.features["label"].names
    said = list(zip(sample["text"][:], [names[label] for label in sample["label"][:]], strict=True))
    draw = random.Random(seed)  # noqa: S311
    draw.shuffle(said)
    if count * ((turns + 1) // 2) > len(said):
        raise SystemExit(f"{len(said)} sentences are not enough for {count} conversations of {turns} turns")
    rows = []
    for number in range(count):
        emotion = ""
        for turn in range(turns):
            if turn % 2 == 0:
                text, emotion = said.pop()
            else:
                text = draw.choice(ANSWERS) + draw.choice(MARKS)
            rows.append((f"D{number:03d}", turn + 1, "AB"[turn % 2], text, emotion))
    return rows


def write(path: Path, rows: Sequence[tuple[str, int, str, str, str]]) -> Path:
    """Writes conversations as a CSV."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(HEAD)
        writer.writerows(rows)
    return path


def measure(path: Path, options: argparse.Namespace, seed: int, folder: Path) -> dict[str, dict[str, float]]:
    """Trains with and without the turns before a line; returns accuracies and macro F1 of the held-out rows."""
    split: Path | None = None
    found: dict[str, dict[str, float]] = {}
    for name, turns in (("with", options.context), ("without", 0)):
        run = folder / f"{name}_{seed}"
        train(path, options, seed, run, turns, split)
        split = run / "split.csv"
        found[name] = figures(run)
    return found


def train(path: Path, options: argparse.Namespace, seed: int, run: Path, turns: int, split: Path | None) -> None:
    """Trains a run, or goes on with it; one that is finished stays as it is."""
    from kobert_hf_emotion import EmotionTrainingArguments, cross_validate, load_emotion_dataset

    record = run / "run.json"
    if record.is_file() and json.loads(record.read_text(encoding="utf-8"))["finished"]:
        return
    args = EmotionTrainingArguments(
        num_train_epochs=options.epochs,
        per_device_train_batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        seed=seed,
        disable_tqdm=True,
        report_to="none",
    )
    read: dict[str, Any] = {"context": turns, "order_column": "turn"} if turns else {}
    rows = load_emotion_dataset(path, group_column="conversation", **read)
    apart = split is None  # equal answers may be in several folds where a split says so
    cross_validate(rows, run, options.model, args, group_by="group", split=split, context=turns, group_duplicates=apart)


def figures(run: Path) -> dict[str, float]:
    """Returns accuracy and macro F1 of all held-out rows of a run, of the answers and of the sentences."""
    from kobert_hf_emotion.metrics.classification import classification_scores
    from kobert_hf_emotion.runs.finished import read_run

    finished = read_run(run)
    is_answer = finished.table["text"].str.rstrip(".!?").isin(ANSWERS).to_numpy()
    found = {}
    for part, chosen in (("all", is_answer | True), ("answers", is_answer), ("sentences", ~is_answer)):
        scores = classification_scores(finished.truth[chosen], finished.predictions[chosen])
        found |= {f"{part} {figure}": scores[figure] for figure in ("accuracy", "macro_f1")}
    return found


def say(line: str) -> None:
    """Prints a line."""
    print(line, flush=True)  # noqa: T201


def main(argv: list[str] | None = None) -> None:
    """Measures, or writes the conversations alone."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns", description=__doc__.split("\n")[0])
    parser.add_argument("--write", type=Path, help="write the conversations to this CSV, and measure nothing")
    parser.add_argument("--count", type=int, default=40, help="conversations")
    parser.add_argument("--length", type=int, default=6, help="turns of each")
    parser.add_argument("--context", type=int, default=2, help="turns before a line, at most")
    parser.add_argument("--model", default="default")
    parser.add_argument("--epochs", type=float, default=10)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--folder", type=Path, help="keep the runs here, and go on with those that are not finished")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each kind")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args(argv)
    rows = conversations(options.count, options.length, seed=0)
    if options.write is not None:
        write(options.write, rows)
        say(f"{options.write}: {len(rows)} turns, {options.count} conversations")
        return
    with TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        path = write(folder / "conversations.csv", rows)
        seeds = [measure(path, options, seed, folder) for seed in range(42, 42 + options.seeds)]
    size = f"{len(rows)} turns in {options.count} conversations"
    say(f"{size}, up to {options.context} before a line, {options.seeds} seeds, {options.model}")
    for figure in seeds[0]["with"]:
        shown = []
        for name in ("without", "with"):
            values = [seed[name][figure] for seed in seeds]
            spread = f" ± {stdev(values):.4f}" if len(values) > 1 else ""
            shown.append(f"{name} {mean(values):.4f}{spread}")
        say(f"  {figure:<20} {'   '.join(shown)}")
    if options.json is not None:
        options.json.write_text(json.dumps(seeds, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
