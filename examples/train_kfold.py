r"""K-fold fine-tuning as a script, alone or under accelerate.

    python examples/train_kfold.py --train_file train.csv --run_dir runs/a
    accelerate launch --num_processes 2 examples/train_kfold.py --train_file train.csv --run_dir runs/a

On the CPU, accelerate starts several processes only as `--multi_gpu` (its `--cpu` starts one):

    accelerate launch --multi_gpu --num_processes 2 examples/train_kfold.py --train_file train.csv --run_dir runs/a \
        --use_cpu --per_device_train_batch_size 32

The same command continues a run that was interrupted.

Every argument of `EmotionTrainingArguments` can be given as well (`--num_train_epochs 3 --focal_gamma 1`). Several
processes share every batch: with `--per_device_train_batch_size 32` two of them train as one does with 64.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from transformers import HfArgumentParser

from kobert_hf_emotion import (
    EmotionTrainingArguments,
    KoBERTEmotionError,
    cross_validate,
    load_emotion_dataset_with_report,
)
from kobert_hf_emotion.runs.layout import REPORT_FILE


@dataclass
class RunArguments:
    """What a k-fold run needs beside the training arguments."""

    train_file: str = field(metadata={"help": "CSV, TSV, XLSX, JSONL or Parquet file with texts and labels."})
    run_dir: str = field(metadata={"help": "Folder of the run: a new one, or this run interrupted, to continue."})
    model: str = field(default="default", metadata={"help": "'default', a folder, or a Hub id."})
    folds: int = field(default=5, metadata={"help": "Number of folds."})
    text_column: str | None = field(default=None, metadata={"help": "Column of the text; guessed if left out."})
    label_column: str | None = field(default=None, metadata={"help": "Column of the label; guessed if left out."})
    group_column: str | None = field(default=None, metadata={"help": "Rows with equal values share a fold."})
    group_pattern: str | None = field(
        default=None, metadata={"help": "Regular expression that finds the group in the column's value."}
    )
    group_duplicates: bool = field(default=True, metadata={"help": "Rows with the same text share a fold."})
    split: str | None = field(default=None, metadata={"help": "CSV with the fold of each row, such as a split.csv."})
    legacy_export: bool = field(default=False, metadata={"help": "Write the notebook's three files as well."})


def main() -> int:
    """Runs the k-fold job and returns the exit code: 0, or 2 for bad input."""
    parser = HfArgumentParser((RunArguments, EmotionTrainingArguments), description=__doc__)
    try:
        run, args = parser.parse_args_into_dataclasses()
        dataset, report = load_emotion_dataset_with_report(
            run.train_file, run.text_column, run.label_column, group_column=run.group_column
        )
        group_by = "group" if run.group_column else None
        result = cross_validate(
            dataset,
            run.run_dir,
            run.model,
            args,
            run.folds,
            group_by=group_by,
            legacy_export=run.legacy_export,
            group_pattern=run.group_pattern,
            group_duplicates=run.group_duplicates,
            split=run.split,
        )
    except KoBERTEmotionError as error:
        print(error, file=sys.stderr)
        return 2
    if args.should_save:
        print(report.summary())
        print((result.output_dir / REPORT_FILE).read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
