"""Groups of options: one declaration each, whatever command takes them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path

from kobert_hf_emotion.cli.groups import RunOptions, TrainingOptions, arguments_from, takes_groups
from kobert_hf_emotion.training.arguments import EmotionTrainingArguments


@dataclass(frozen=True)
class Size:
    width: int = 3
    height: int = 4


def test_a_group_takes_the_place_of_its_parameter_and_comes_back_whole() -> None:
    seen = []

    @takes_groups
    def draw(path: Path, before: str = "a", *, size: Size, after: bool = False) -> None:
        seen.append((path, before, size, after))

    parameters = inspect.signature(draw).parameters
    assert {name: parameter.default for name, parameter in parameters.items()} == {
        "path": inspect.Parameter.empty, "before": "a", "width": 3, "height": 4, "after": False,
    }  # fmt: skip
    draw(path=Path("x"), before="b", width=1, height=2, after=True)
    assert seen == [(Path("x"), "b", Size(1, 2), True)]


def test_every_training_option_reaches_its_argument() -> None:
    args = arguments_from(
        RunOptions(
            epochs=2.5, batch_size=7, learning_rate=1e-4, max_length=33, gamma="1.5", alpha="balanced", seed=9,
            dropout=0.25, report_to=["tensorboard"], checkpoint_seconds=5.0,
        )
    )  # fmt: skip
    assert (args.num_train_epochs, args.per_device_train_batch_size, args.learning_rate) == (2.5, 7, 1e-4)
    assert (args.max_length, args.focal_gamma, args.focal_alpha, args.seed) == (33, 1.5, "balanced", 9)
    assert (args.dropout, args.report_to, args.checkpoint_seconds) == (0.25, ["tensorboard"], 5.0)


def test_options_left_out_are_the_arguments_of_python() -> None:
    own = EmotionTrainingArguments()
    for group in (TrainingOptions(), RunOptions(), RunOptions(report_to=["none"])):
        args = arguments_from(group)
        differ = {name for name, value in own.to_dict().items() if value != args.to_dict()[name]}
        assert differ <= {"disable_tqdm"}, differ
