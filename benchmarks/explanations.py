"""Whether explanations name the words that a prediction rests on, beside random words and attention."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification

from kobert_hf_emotion.assets import resolve_default
from kobert_hf_emotion.explanation.faithfulness import SHARES, Faithfulness, faithfulness
from kobert_hf_emotion.explanation.words import Explanation, Method, read_text
from kobert_hf_emotion.inference.classifier import Classifier, load_classifier
from kobert_hf_emotion.modeling.explaining import subject_of

from .report import Report
from .texts import Texts

METHODS: tuple[Method, ...] = ("leave_one_out", "integrated_gradients")
MIN_WORDS = 4
"""Of fewer words there is little to choose."""
RESAMPLES = 2000


def measure(texts: Texts, source: str = "default") -> Report:
    """Measures both methods on the embedded default's predictions, with random orders and attention beside them.

    Args:
        texts: Those of fewer than `MIN_WORDS` words are left out.
        source: The model.
    """
    classifier = load_classifier(source)
    subject = subject_of(classifier.model, classifier.tokenizer)
    rows = [text for text in texts.texts if len(text.split()) >= MIN_WORDS]
    facts: dict[str, object] = {
        "texts": len(rows),
        "shares of the words": ", ".join(f"{share:.0%}" for share in SHARES),
    }
    seconds, found = {}, {}
    for method in METHODS:
        start = time.perf_counter()
        found[method] = classifier.explain(rows, method)
        seconds[method] = time.perf_counter() - start
    explanations = found["leave_one_out"]
    random = np.random.default_rng(0)
    orders = {
        "random": [random.random(len(each.words)) for each in explanations],
        "attention": attention(classifier, source, explanations, subject.max_length),
        **{method: [each.contributions() for each in found[method]] for method in METHODS},
    }
    measured = {
        name: faithfulness(subject.predict_logits, subject.labels, explanations, scores)
        for name, scores in orders.items()
    }
    for name, result in measured.items():
        facts[name] = _figures(result, measured["random"])
    facts |= {f"{method}, milliseconds a text": 1000 * taken / len(rows) for method, taken in seconds.items()}
    return Report(title=f"Faithfulness of explanations: {source} on {len(rows):,} texts of {texts.name}", facts=facts)


def attention(
    classifier: Classifier, source: str, explanations: Sequence[Explanation], max_length: int
) -> list[NDArray[np.float64]]:
    """Returns for each text how much [CLS] attends to each word in the last layer, the mean over the heads."""
    model = AutoModelForSequenceClassification.from_pretrained(resolve_default(source), attn_implementation="eager")
    model.eval()
    scores = []
    for each in explanations:
        read = read_text(classifier.tokenizer, each.text, max_length)
        ids = torch.tensor([[classifier.tokenizer.cls_token_id, *read.ids, classifier.tokenizer.sep_token_id]])
        with torch.inference_mode():
            weights = model(ids, output_attentions=True).attentions[-1][0].mean(dim=0)[0, 1:-1]
        scores.append(np.bincount(read.words_of_tokens(), weights=weights.numpy(), minlength=len(read.words)))
    return scores


def _figures(result: Faithfulness, random: Faithfulness) -> str:
    """Returns both means, and how far they are from random with a bootstrap interval over the texts."""
    return (
        f"comprehensiveness {result.comprehensiveness.mean():.3f} "
        f"({_difference(result.comprehensiveness - random.comprehensiveness)} against random), "
        f"sufficiency {result.sufficiency.mean():.3f} ({_difference(result.sufficiency - random.sufficiency)})"
    )


def _difference(values: NDArray[np.float64]) -> str:
    chosen = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.percentile(values[chosen].mean(axis=1), [2.5, 97.5])
    return f"{values.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
