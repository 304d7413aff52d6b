r"""Predictions for every row of a file, as a script: in Python what `kobert-emotion predict` does.

    python examples/predict_file.py --data_file test.csv --output predictions.csv
    python examples/predict_file.py --data_file test.csv --output predictions.csv --model runs/a/best

The file may be CSV, TSV, XLSX, JSONL or Parquet; labels in it are not looked at. The output opens in Excel.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from transformers import HfArgumentParser

from kobert_hf_emotion import EmotionClassifier, KoBERTEmotionError, load_emotion_dataset
from kobert_hf_emotion.inference import predict_logits, use_accelerator
from kobert_hf_emotion.reports import write_predictions


@dataclass
class PredictArguments:
    """What to predict, and with which model."""

    data_file: str = field(metadata={"help": "CSV, TSV, XLSX, JSONL or Parquet file with texts."})
    output: str = field(metadata={"help": "CSV to write: a row a text, with the probability of every label."})
    model: str = field(default="default", metadata={"help": "'default', a folder, or a Hub id."})
    text_column: str | None = field(default=None, metadata={"help": "Column of the text; guessed if left out."})
    batch_size: int = field(default=64, metadata={"help": "Texts a forward pass."})


def main() -> int:
    """Writes the predictions and returns the exit code: 0, or 2 for bad input."""
    parser = HfArgumentParser(PredictArguments, description=__doc__)
    try:
        (wanted,) = parser.parse_args_into_dataclasses()
        model = EmotionClassifier.from_pretrained(wanted.model)
        use_accelerator(model)
        dataset = load_emotion_dataset(wanted.data_file, wanted.text_column, read_labels=False, require_labels=False)
        logits = predict_logits(model, model.tokenizer, dataset["text"][:], batch_size=wanted.batch_size)
        columns = {name: dataset[name][:] for name in ("row", "id", "text") if name in dataset.column_names}
        write_predictions(wanted.output, logits, model.config.labels, columns)
    except KoBERTEmotionError as error:
        print(error, file=sys.stderr)
        return 2
    counts = Counter(model.config.labels[index] for index in np.argmax(logits, axis=-1))
    print(f"{wanted.output}: {len(dataset)} rows")
    print("  ".join(f"{label} {count}" for label, count in counts.most_common()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
