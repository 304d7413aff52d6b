"""The space of a search: what a file may say, and how its values come to a command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
import typer
import yaml
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from paths import ROOT

from kobert_hf_emotion.cli.app import app
from kobert_hf_emotion.cli.groups import RunOptions, arguments_from
from kobert_hf_emotion.errors import KoBERTEmotionError
from kobert_hf_emotion.search.space import (
    DEFAULTS,
    Choices,
    Range,
    command_words,
    read_space,
    space_from,
    training_arguments,
)
from kobert_hf_emotion.training.arguments import EmotionTrainingArguments


def test_the_defaults_are_those_of_the_training() -> None:
    args, other = EmotionTrainingArguments(**training_arguments(DEFAULTS)), EmotionTrainingArguments()
    assert args.to_dict() == other.to_dict()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_page_shows_the_default_space(language: str) -> None:
    page = (ROOT / f"docs/{language}/search.md").read_text(encoding="utf-8")
    assert space_from(yaml.safe_load(page.split("```yaml\n")[1].split("```")[0])) == read_space()


def test_a_file_in_yaml(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(
        "learning-rate: {low: 1e-5, high: 1e-3, log: true}\n"  # YAML takes 1e-5 for a text
        "epochs: {low: 2, high: 4}\nbatch_size: [16, 32, 32]\nalpha: [1, balanced]\ngamma: {low: 0, high: 2, step: 1}\n"
        "warmup: 0.05\nbf16: false\nlr_scheduler_type: [linear, cosine]\nmax_length: {low: 32, high: 64, step: 16}\n",
        encoding="utf-8",
    )
    space = read_space(path)
    assert space.fixed == {"warmup": 0.05, "bf16": False}
    trial = optuna.create_study().ask()
    for name, part in space.searched.items():
        assert part.draw(trial, name) == trial.params[name]
    assert trial.distributions == {
        "learning_rate": FloatDistribution(1e-5, 1e-3, log=True),
        "epochs": IntDistribution(2, 4),
        "batch_size": CategoricalDistribution([16, 32]),
        "alpha": CategoricalDistribution(["1.0", "balanced"]),
        "gamma": FloatDistribution(0, 2, step=1),
        "lr_scheduler_type": CategoricalDistribution(["linear", "cosine"]),
        "max_length": IntDistribution(32, 64, step=16),
    }
    assert space_from(space.to_dict()) == space, "what is recorded can be read"


def test_the_first_trial_is_the_nearest_to_the_defaults() -> None:
    space = read_space()
    assert space.start() == DEFAULTS
    assert space.moved() == {}
    narrow = space_from({"epochs": {"low": 2, "high": 4}, "batch_size": [8, 16], "gamma": {"low": 2.5, "high": 3}})
    assert narrow.start() == {"epochs": 4, "batch_size": 8, "gamma": 2.5}
    assert narrow.moved() == {"epochs": (10, 4), "batch_size": (64, 8), "gamma": (2.0, 2.5)}
    assert Range(1e-5, 1e-3, log=True).nearest(1.0) == 1e-3
    assert Range(0.0, 0.5, step=0.2).nearest(0.5) == pytest.approx(0.4)
    assert Range(0.7, 1.0, step=0.05).nearest(0.851) == 0.85  # 0.7 + 3 * 0.05 is 0.8500000000000001


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"learning_rat": [1, 2]}, "learning_rat"),
        ({"seed": [1, 2]}, "seed"),
        ({"epochs": {"low": 5, "high": 2}}, "epochs"),
        ({"learning_rate": {"low": 0, "high": 1, "log": True}}, "learning_rate"),
        ({"learning_rate": {"low": 1e-5, "hihg": 1e-3}}, "hihg"),
        ({"batch_size": {"low": 8, "high": 16.5}}, "batch_size"),
        ({"batch_size": ["many", 16]}, "many"),
        ({"alpha": {"low": 1, "high": 2}}, "alpha"),
        ({"gamma": []}, "gamma"),
        ({"gamma": True}, "True"),
        ({"gamma": {"low": True, "high": 2}}, "True"),
        ({"gamma": 2.0}, "one value"),
        ({"bf16": ["yes", "no"]}, "yes"),
        ({"learning_rate": [1e-4, 1e-3], "--learning-rate": [1e-2, 1e-1]}, "twice"),
        ({"warmup": 0.1, "--warmup": [0.1, 0.2]}, "twice"),
        ({"learning_rate": {"low": 1e-5, "high": 1e-3, "log": "no"}}, "'no'"),
    ],
)
def test_what_is_no_space(content: dict[str, Any], said: str) -> None:
    with pytest.raises(KoBERTEmotionError, match=r"`space`") as caught:
        space_from(content)
    assert said in str(caught.value)
    assert caught.value.mend == {"space": None}


@pytest.mark.parametrize(
    "text", ["", "- a\n- b\n", "a: [1\n", "just words\n", "gamma: [1, 2]\ngamma: [3, 4]\n", "gamma: {low: 1, low: 2}\n"]
)
def test_what_is_no_file_of_a_space(text: str, tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(KoBERTEmotionError, match=r"space\.yaml") as caught:
        read_space(path)
    assert caught.value.mend == {"space": None}


def test_a_file_that_windows_saved(tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text("gamma: [1, 2]\r\n", encoding="utf-8-sig")
    assert read_space(tmp_path / "space.yaml").searched == {"gamma": Choices((1.0, 2.0))}


def test_arguments_come_through_the_command_line_as_they_are() -> None:
    given = {
        "learning_rate": 0.00012345678901234567, "epochs": 3, "batch_size": 16, "gamma": 0.30000000000000004,
        "alpha": "effective", "dropout": 0.1, "warmup": 0.06, "weight_decay": 1e-4, "layer_decay": 0.85,
        "max_length": 32, "seed": 7, "lr_scheduler_type": "linear", "bf16": False, "max_grad_norm": 0.5,
    }  # fmt: skip
    command = typer.main.get_command(app).commands["train"]  # type: ignore[attr-defined]
    typed = command.make_context("train", ["a.csv", *command_words(given)]).params
    args = arguments_from(RunOptions(**{name: typed[name] for name in RunOptions.__dataclass_fields__}))
    expected = EmotionTrainingArguments(
        **training_arguments(given), report_to=args.report_to, disable_tqdm=args.disable_tqdm
    )
    assert args.to_dict() == expected.to_dict()
    assert isinstance(Choices((1, 2)).nearest(2), int)
