r"""Pushes a run to the Hugging Face Hub and loads it from there, as a script.

    hf auth login
    python examples/push_to_hub.py --run_dir runs/a --repo_id user/name --private

In Python what `kobert-emotion push` does: the best model at the root of the repository, the run's reports and model
card beside it, in one commit. With `--all_folds` the folds follow as `fold_1/`, `fold_2/`, ….
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from transformers import HfArgumentParser

from kobert_hf_emotion import EmotionClassifier, KoBERTEmotionError, push_run


@dataclass
class PushArguments:
    """What to push, and where to."""

    run_dir: str = field(metadata={"help": "Folder of a finished run, of a fold, or of a model."})
    repo_id: str = field(metadata={"help": "Repository on the Hub, user/name; made where it is missing."})
    private: bool = field(default=False, metadata={"help": "A repository that is made is private."})
    all_folds: bool = field(default=False, metadata={"help": "Push every fold as well."})
    revision: str | None = field(default=None, metadata={"help": "Branch to push to; made where it is missing."})


def main() -> int:
    """Pushes, loads what was pushed, and returns the exit code: 0, or 2 for bad input or a refusal of the Hub."""
    parser = HfArgumentParser(PushArguments, description=__doc__)
    try:
        (wanted,) = parser.parse_args_into_dataclasses()
        commit = push_run(wanted.run_dir, wanted.repo_id, wanted.private, wanted.revision, all_folds=wanted.all_folds)
        model = EmotionClassifier.from_pretrained(wanted.repo_id, revision=commit.oid)
        [prediction] = model.predict(["오늘 정말 행복했어"])
    except KoBERTEmotionError as error:
        print(error, file=sys.stderr)
        return 2
    print(commit.commit_url)
    print(f"{prediction['label']} {prediction['score']:.4f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
