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


def measure(
    path: Path, context: int, model: str, epochs: float, seed: int, folder: Path
) -> dict[str, dict[str, float]]:
    """Trains with and without the turns before a line; returns accuracies and macro F1 of the held-out rows."""
    import numpy as np

    from kobert_hf_emotion import EmotionTrainingArguments, cross_validate, load_emotion_dataset
    from kobert_hf_emotion.metrics.classification import classification_scores

    split: str | None = None
    found: dict[str, dict[str, float]] = {}
    for name, turns in (("with", context), ("without", 0)):
        read: dict[str, Any] = {"context": turns, "order_column": "turn"} if turns else {}
        rows = load_emotion_dataset(path, group_column="conversation", **read)
        args = EmotionTrainingArguments(num_train_epochs=epochs, seed=seed, disable_tqdm=True, report_to="none")
        run = folder / f"{name}_{seed}"
        result = cross_validate(rows, run, model, args, group_by="group", split=split, context=turns)
        split = str(run / "split.csv")
        truth, answers = np.asarray(rows["label"][:]), result.logits.argmax(axis=1)
        is_answer = np.asarray([text.rstrip(".!?") in ANSWERS for text in rows["text"][:]])
        found[name] = {}
        for part, chosen in (("all", np.ones_like(is_answer)), ("answers", is_answer), ("sentences", ~is_answer)):
            if chosen.any():
                scores = classification_scores(truth[chosen], answers[chosen])
                found[name] |= {f"{part} {figure}": scores[figure] for figure in ("accuracy", "macro_f1")}
    return found


def say(line: str) -> None:
    """Prints a line."""
    print(line, flush=True)  # noqa: T201


def main(argv: list[str] | None = None) -> None:
    """Measures, or writes the conversations alone."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns", description=__doc__.split("\n")[0])
    parser.add_argument("--write", type=Path, help="write the conversations to this CSV, and measure nothing")
    parser.add_argument("--count", type=int, default=100, help="conversations")
    parser.add_argument("--length", type=int, default=8, help="turns of each")
    parser.add_argument("--context", type=int, default=2, help="turns before a line, at most")
    parser.add_argument("--model", default="default")
    parser.add_argument("--epochs", type=float, default=10)
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each kind")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args(argv)
    rows = conversations(options.count, options.length, seed=0)
    if options.write is not None:
        write(options.write, rows)
        say(f"{options.write}: {len(rows)} turns, {options.count} conversations")
        return
    with TemporaryDirectory() as temporary:
        path = write(Path(temporary, "conversations.csv"), rows)
        seeds = [
            measure(path, options.context, options.model, options.epochs, seed, Path(temporary))
            for seed in range(42, 42 + options.seeds)
        ]
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
