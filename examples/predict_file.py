r"""Predictions for every row of a file, as a script: in Python what `kobert-emotion predict` does.

    python examples/predict_file.py --data_file test.csv --output predictions.csv
    python examples/predict_file.py --data_file test.csv --output predictions.csv --model runs/a/best

The file may be CSV, TSV, XLSX, JSONL or Parquet, and of any size, as it is read and written in parts; labels in it are
not looked at. The output opens in Excel.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from transformers import HfArgumentParser

from kobert_hf_emotion import KoBERTEmotionError
from kobert_hf_emotion.data.row_stream import open_rows
from kobert_hf_emotion.inference.classifier import load_classifier
from kobert_hf_emotion.inference.files import predict_rows


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
        classifier = load_classifier(wanted.model)
        classifier.to_accelerator()
        rows = open_rows(wanted.data_file, classifier.labels, wanted.text_column, read_labels=False)
        print(rows.report.summary(), file=sys.stderr)
        found = predict_rows(classifier, rows, wanted.output, wanted.batch_size)
    except KoBERTEmotionError as error:
        print(error, file=sys.stderr)
        return 2
    if (message := found.unknown.message()) is not None:
        print(message, file=sys.stderr)
    print(f"{wanted.output}: {found.rows} rows")
    counts = sorted(zip(found.predicted.tolist(), found.labels, strict=True), reverse=True)
    print("  ".join(f"{label} {count}" for count, label in counts if count))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
