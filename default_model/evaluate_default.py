"""Prints the figures of a default model on test parts that no stage of its training has seen.

    python -m default_model.evaluate_default --data ../shared/data

Beside the model stands TF-IDF over character 1-4-grams with logistic regression, trained on the same rows.
Intervals are 95% percentile intervals of a bootstrap over test rows; a difference is bootstrapped on the same rows.
Parts: "probes" are sentences to read by hand; "emotions" the seven emotions and their calibration; "kote-labels" KOTE's
44 labels, several a comment, after training on its validation part; "sample" is what `make demo` does, from the model's
weights and from random ones; "few-rows" fine-tunes the encoder on 5,000 rows of NSMC's official train part, from both
as well; "nsmc" on all of it, where a text of the test part that also stands in the train part counts as seen.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from default_model import corpora
from default_model.batches import Encoder
from default_model.emotions import emotion_parts
from default_model.fine_tuning import FineTuning, fine_tune
from default_model.kote_labels import kote_lines
from default_model.prediction import predict_logits
from default_model.settings import Settings
from kobert_hf_emotion import EmotionClassifier, EmotionTrainingArguments, cross_validate, load_emotion_dataset
from kobert_hf_emotion.assets import DEFAULT_MODEL
from kobert_hf_emotion.configuration import EmotionConfig
from kobert_hf_emotion.evaluation.checkpoints import evaluate_checkpoints
from kobert_hf_emotion.labels import EMOTION_LABELS, LABEL2ID
from kobert_hf_emotion.tokenization.loading import load_tokenizer

MAX_TOKENS = 128
RESAMPLES = 1000
PARTS = ("probes", "emotions", "kote-labels", "sample", "few-rows", "nsmc")
ALL_ROWS = FineTuning(epochs=2, batch_size=64, learning_rate=1.5e-4, average_decay=0.999, mask_share=0.0)
FEW_ROWS = FineTuning(epochs=4, batch_size=32, learning_rate=3e-4, average_decay=0.99)
PROBES: tuple[tuple[str, str], ...] = (
    ("오늘 정말 행복했어", "happy"),
    ("선물 받고 너무 기뻐서 춤췄어 ㅎㅎ", "happy"),
    ("어두운 골목에서 발소리가 따라와서 무서워", "fear"),
    ("내일 수술이라 너무 불안하고 떨려요", "fear"),
    ("진짜 짜증나고 화난다", "angry"),
    ("약속을 또 어기다니 도저히 못 참겠다", "angry"),
    ("너무 슬퍼서 눈물이 나 ㅠㅠ", "sad"),
    ("할머니가 돌아가셔서 마음이 아프다", "sad"),
    ("헐 진짜? 깜짝 놀랐어", "surprise"),
    ("세상에 이런 일이 있을 줄은 상상도 못 했네", "surprise"),
    ("역겹고 더러워서 토할 것 같다", "disgust"),
    ("음식에서 벌레가 나와서 구역질이 났어요", "disgust"),
    ("회의는 오후 세 시에 시작합니다", "neutral"),
    ("지하철 2호선을 타고 강남역에서 내리면 됩니다", "neutral"),
)
"""Sentences to read by hand; written for this script."""


@dataclass(frozen=True)
class TestSet:
    """Texts with one gold emotion each."""

    name: str
    texts: list[str]
    gold: npt.NDArray[np.int64]

    @classmethod
    def of(cls, name: str, data: corpora.EmotionData) -> TestSet:
        """Keeps the rows of `data` that have a single dominant emotion."""
        gold = corpora.dominant_emotions(data.targets)
        kept = np.flatnonzero(gold >= 0)
        return cls(name, [data.texts[i] for i in kept], gold[kept])


def macro_f1(gold: npt.NDArray[np.int64], guesses: npt.NDArray[np.int64], classes: int) -> float:
    """Returns the mean F1 of the classes, 0 for a class that is in neither; equals scikit-learn's."""
    table = np.bincount(gold * classes + guesses, minlength=classes * classes).reshape(classes, classes)
    hits, sizes = np.diag(table), table.sum(axis=0) + table.sum(axis=1)
    return float(np.mean(2 * hits / np.maximum(sizes, 1)))


def bootstrap(
    gold: npt.NDArray[np.int64], guesses: list[npt.NDArray[np.int64]], classes: int, seed: int = 0
) -> npt.NDArray[np.float64]:
    """Returns the macro-F1 of each set of guesses on resampled rows, shape (resamples, sets)."""
    rng = np.random.default_rng(seed)
    values = np.empty((RESAMPLES, len(guesses)))
    for index in range(RESAMPLES):
        rows = rng.integers(len(gold), size=len(gold))
        values[index] = [macro_f1(gold[rows], guess[rows], classes) for guess in guesses]
    return values


def interval(values: npt.NDArray[np.float64], digits: int = 3) -> str:
    """Returns the 95% percentile interval as text."""
    low, high = np.percentile(values, [2.5, 97.5])
    return f"[{low:.{digits}f}, {high:.{digits}f}]"


def calibration_error(probabilities: npt.NDArray[np.float64], gold: npt.NDArray[np.int64], bins: int = 15) -> float:
    """Returns the expected calibration error of the most probable class, with equally wide bins."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == gold
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[places == b].mean() - right[places == b].mean()) * np.mean(places == b)
        for b in range(bins)
        if np.any(places == b)
    ]
    return float(np.sum(gaps))


def tfidf_baseline(texts: list[str], gold: npt.NDArray[np.int64]) -> Pipeline:
    """Fits TF-IDF over character 1-4-grams and logistic regression with balanced classes."""
    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True, max_features=200_000)
    return make_pipeline(vectors, LogisticRegression(C=2.0, class_weight="balanced", max_iter=200)).fit(texts, gold)


def print_emotions(model: EmotionClassifier, encoder: Encoder, data_dir: Path, temperature: float) -> None:
    """Prints macro-F1 beside the baselines, and the calibration before and after the temperature."""
    parts = emotion_parts(data_dir, corpora.held_out_keys(data_dir), Settings())
    kote, go = TestSet.of("KOTE", parts.kote), TestSet.of("GoEmotions", parts.goemotions)
    baselines = {
        "TF-IDF, KOTE rows": tfidf_baseline(kote.texts, kote.gold),
        "TF-IDF, all rows": tfidf_baseline(kote.texts + go.texts, np.concatenate([kote.gold, go.gold])),
    }
    _print(f"rows: KOTE train {len(kote.texts)}, GoEmotions train {len(go.texts)}; T = {temperature:.3f}")
    tests = (
        TestSet.of("KOTE test", corpora.kote_data(data_dir, "test")),
        TestSet.of("GoEmotions-ko test", corpora.goemotions_data(data_dir, "test")),
    )
    for test in tests:
        logits = predict_logits(model, encoder, test.texts, MAX_TOKENS)
        names = ["default model", *baselines]
        guesses = [logits.argmax(dim=-1).numpy(), *(b.predict(test.texts) for b in baselines.values())]
        values = bootstrap(test.gold, guesses, len(EMOTION_LABELS))
        _print(f"\n{test.name}, {len(test.texts)} rows with one dominant emotion")
        for index, (name, guess) in enumerate(zip(names, guesses, strict=True)):
            score = macro_f1(test.gold, guess, len(EMOTION_LABELS))
            accuracy = float(np.mean(guess == test.gold))
            gain = values[:, 0] - values[:, index]
            beside = f"  model ahead by {gain.mean():+.3f} {interval(gain)}" if index else ""
            _print(f"  {name:20s} macro-F1 {score:.3f} {interval(values[:, index])}  accuracy {accuracy:.3f}{beside}")
        for label, identity in LABEL2ID.items():
            one = [
                2
                * np.sum((g == identity) & (test.gold == identity))
                / (np.sum(g == identity) + np.sum(test.gold == identity))
                for g in guesses
            ]
            _print(f"    {label:9s} {np.sum(test.gold == identity):5d} rows  F1 " + "  ".join(f"{f:.3f}" for f in one))
        for name, scale in (("before", temperature), ("after", 1.0)):
            probabilities = (logits * scale).softmax(dim=-1).double().numpy()
            _print(f"  calibration error {name} temperature: {calibration_error(probabilities, test.gold):.4f}")


def print_probes(model: EmotionClassifier, encoder: Encoder) -> None:
    """Prints what the model says of `PROBES`."""
    probabilities = predict_logits(model, encoder, [text for text, _ in PROBES], MAX_TOKENS).softmax(dim=-1)
    right = 0
    for (text, expected), row in zip(PROBES, probabilities, strict=True):
        best = EMOTION_LABELS[int(row.argmax())]
        right += best == expected
        _print(f"  {'ok ' if best == expected else 'NOT'} {expected:9s} {best:9s} {float(row.max()):.2f}  {text}")
    _print(f"  {right}/{len(PROBES)}")


def accuracies(right: npt.NDArray[np.bool_], unseen: npt.NDArray[np.bool_], beside: npt.NDArray[np.bool_]) -> str:
    """Returns accuracy with its interval, on all rows and on those unseen in training, and the lead over `beside`."""
    rng = np.random.default_rng(0)
    rows = rng.integers(len(right), size=(RESAMPLES, len(right)), dtype=np.int32)
    values, others = right[rows].mean(axis=1), beside[rows].mean(axis=1)
    text = f"accuracy {right.mean():.4f} {interval(values, 4)}, unseen texts {right[unseen].mean():.4f}"
    return text if right is beside else f"{text}, ahead of TF-IDF by {interval(values - others, 4)}"


def print_nsmc(
    folder: Path, encoder: Encoder, data_dir: Path, device: str, settings: FineTuning, train_rows: int | None = None
) -> None:
    """Prints the accuracy on NSMC's test part after fine-tuning on its official train part.

    Args:
        folder: The model whose encoder is measured.
        encoder: Its tokenizer.
        data_dir: The data.
        device: Where to train.
        settings: How the encoder is fine-tuned.
        train_rows: Trains on that many rows, drawn at random, from the weights in `folder` and from random ones;
            None trains on all, from the weights alone.
    """
    train = corpora.read_reviews(data_dir / "nsmc/ratings_train.tsv.xz")
    if train_rows is not None:
        train = [train[i] for i in np.random.default_rng(0).permutation(len(train))[:train_rows]]
    test = corpora.read_reviews(data_dir / "nsmc/ratings_test.tsv.xz")
    texts, test_texts = [row.text for row in train], [row.text for row in test]
    gold, test_gold = np.array([row.rating for row in train]), np.array([row.rating for row in test])
    known = set(map(corpora.text_key, texts))
    unseen = np.array([corpora.text_key(text) not in known for text in test_texts])
    _print(f"\nNSMC test, {len(test)} rows ({unseen.sum()} unseen), after training on {len(train)}; {settings}")
    tfidf = tfidf_baseline(texts, gold).predict(test_texts) == test_gold
    _print(f"  {'TF-IDF, same rows':22s} {accuracies(tfidf, unseen, tfidf)}")
    config = EmotionConfig.from_pretrained(folder, num_labels=2, classifier_dropout=0.1)
    rows = encoder(texts, MAX_TOKENS)
    for name in ("default backbone", "random initialisation")[: 1 if train_rows is None else 2]:
        torch.manual_seed(0)
        model = EmotionClassifier(config)
        if name == "default backbone":
            trained = EmotionClassifier.from_pretrained(folder, dtype=torch.float32)
            model.bert.load_state_dict(trained.bert.state_dict())
        model.to(device)
        fine_tune(model, rows, gold, settings)
        right = predict_logits(model, encoder, test_texts, MAX_TOKENS).argmax(dim=-1).numpy() == test_gold
        _print(f"  {name:22s} {accuracies(right, unseen, tfidf)}")


def print_sample(folder: Path) -> None:
    """Prints what `make demo` reaches on the sample CSV, from the weights in `folder` and from random ones."""
    sample = Path(__file__).parents[1] / "kobert_hf_emotion/assets/sample"
    train, test = load_emotion_dataset(sample / "train.csv"), load_emotion_dataset(sample / "test.csv")
    gold = np.asarray(train["label"][:])
    _print(f"\nSample CSV: 5 folds, 5 epochs, learning rate 1e-3; {len(train)} rows, tested on {len(test)}")
    with tempfile.TemporaryDirectory() as place:
        torch.manual_seed(0)
        random_model = EmotionClassifier(EmotionConfig.from_pretrained(folder))
        random_model.tokenizer = load_tokenizer(folder)
        random_model.save_pretrained(Path(place, "random"))
        for name, model in (("default backbone", folder), ("random initialisation", Path(place, "random"))):
            args = EmotionTrainingArguments(num_train_epochs=5, learning_rate=1e-3, disable_tqdm=True)
            result = cross_validate(train, Path(place, name), model, args)
            values = bootstrap(gold, [result.logits.argmax(axis=-1)], len(EMOTION_LABELS))
            (best,) = evaluate_checkpoints([result.best.path], test)
            _print(
                f"  {name:22s} out-of-fold macro-F1 {result.scores.macro_f1:.4f} {interval(values)}, "
                f"test macro-F1 of the best fold {best.scores.macro_f1:.4f}"
            )


def _print(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with nsmc, kote and goemotions_ko")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="folder of the model (the one shipped)")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure (everything)")
    parser.add_argument("--keep", type=Path, help="folder for the logits of kote-labels; what is there is not trained")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    started = time.monotonic()
    encoder = Encoder(arguments.model / "spiece.model")
    model = EmotionClassifier.from_pretrained(arguments.model, dtype=torch.float32).to(arguments.device)
    if "probes" in arguments.parts:
        print_probes(model, encoder)
    if "emotions" in arguments.parts:
        record = json.loads((arguments.model / "training_record.json").read_text(encoding="utf-8"))
        print_emotions(model, encoder, arguments.data, float(record["temperature"]))
    if "kote-labels" in arguments.parts:
        for line in kote_lines(arguments.model, arguments.data, arguments.keep):
            _print(line)
    if "sample" in arguments.parts:
        print_sample(arguments.model)
    if "few-rows" in arguments.parts:
        print_nsmc(arguments.model, encoder, arguments.data, arguments.device, FEW_ROWS, train_rows=5000)
    if "nsmc" in arguments.parts:
        print_nsmc(arguments.model, encoder, arguments.data, arguments.device, ALL_ROWS)
    _print(f"\n{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
