"""What `predict` says of texts; nothing here loads torch or the libraries of the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .language import spoken
from .output import as_options, note, quiet_libraries, say, say_json, warn
from .turns import note_single_lines

if TYPE_CHECKING:
    from ..inference.logits_model import LogitsModel
    from ..tasks.task import Prediction
    from ..tokenization.guard import UnknownTexts
    from ..tokenization.long_texts import LongTexts

BATCH_SIZE = 64
UNITS = {"score": "0 to 1", "probabilities": "percent, 0 to 100"}
"""What the numbers in predictions are counted in: names and units that `tasks.task.Prediction` has promised."""
_MOST_FINE = 10
"""Fine labels of a text that are shown, the most probable first; --json has all."""


def note_about(classifier: LogitsModel) -> None:
    """Says what answers depend on beside the logits, where they do."""
    if (about := classifier.task.about(spoken())) is not None:
        note(about)


def answer_texts(
    classifier: LogitsModel,
    texts: list[str],
    output: Path | None = None,
    batch_size: int = BATCH_SIZE,
    json: bool = False,
    long: LongTexts | None = None,
) -> None:
    """Says what a model answers to texts."""
    from ..tokenization.guard import UnknownTexts

    note_about(classifier)
    note_single_lines(classifier)
    unknown = UnknownTexts()
    predictions: Sequence[Prediction]
    columns: dict[str, list[str]] = {"text": texts}
    with quiet_libraries(needs_transformers=False):
        if long is None:
            logits = classifier.predict_logits(texts, None, batch_size, unknown)
            predictions = classifier.task.predictions(logits, classifier.labels)
        else:
            answer = classifier.answer_long(texts, long, None, batch_size, unknown)
            logits, predictions = answer.logits, answer.predictions(classifier.task, classifier.labels)
            columns["parts"] = answer.cells(classifier.task, classifier.labels)
            note(as_options(answer.counts.message(long).in_language(spoken())))
    if output is not None:
        from ..inference.prediction_csv import prediction_csv

        with prediction_csv(output, classifier.labels, classifier.task) as table:
            table.write(columns, logits)
    warn_unknown(unknown)
    if json:
        predicted = [{"text": t, **p} for t, p in zip(texts, predictions, strict=True)]
        counts = {"unknown_texts": unknown.unknown, "cut_texts": unknown.cut}
        say_json({"predictions": predicted, "units": UNITS, **counts})
        return
    for text, prediction in zip(texts, predictions, strict=True):
        _say_answer(text, prediction)


def _say_answer(text: str, prediction: Mapping[str, Any]) -> None:
    """Says what is predicted of a text, and of its pieces where there are several."""
    say("\n".join([text, *_shown(prediction)]))
    parts: Sequence[Any] = prediction.get("parts", ())
    for part in parts if len(parts) > 1 else ():
        say(f"  [{part['start']}:{part['end']}] {text[part['start'] : part['end']]}")
        say("\n".join(f"  {line}" for line in _shown(part)))


def _shown(prediction: Mapping[str, Any]) -> list[str]:
    """Returns the lines that say what is predicted of a text: of two levels the coarse labels come first."""
    chosen = ", ".join(prediction.get("labels", [prediction["label"]])) or "-"
    coarse = prediction.get("coarse")
    if coarse is None:
        return [_ranked(chosen, prediction["probabilities"])]
    return [
        _ranked(coarse["label"], coarse["probabilities"]),
        _ranked(chosen, prediction["probabilities"], _MOST_FINE),
    ]


def _ranked(chosen: str, percents: Mapping[str, float], most: int | None = None) -> str:
    ranked = sorted(percents.items(), key=lambda item: -item[1])[:most]
    return f"  {chosen}  " + "  ".join(f"{label} {percent:.2f}%" for label, percent in ranked)


def warn_unknown(unknown: UnknownTexts) -> None:
    """Says how many texts could not be read, or not whole."""
    for message in (unknown.message(), unknown.cut_message()):
        if message is not None:
            warn(as_options(message.in_language(spoken())))
