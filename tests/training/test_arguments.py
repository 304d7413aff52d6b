"""The training arguments: the notebook's defaults, the command line, and refusals up front."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from transformers import HfArgumentParser, TrainingArguments

from kobert_hf_emotion.errors import KoBERTEmotionError
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.training.alpha_and_gamma import parse_alpha
from kobert_hf_emotion.training.arguments import EmotionTrainingArguments

NOTEBOOK = {
    "num_train_epochs": 10,
    "per_device_train_batch_size": 64,
    "per_device_eval_batch_size": 64,
    "learning_rate": 5e-5,
    "warmup_steps": 0.1,
    "lr_scheduler_type": "cosine",
    "weight_decay": 0.01,
    "max_grad_norm": 1.0,
    "logging_steps": 200,
    "seed": 42,
    "max_length": 64,
    "dropout": 0.5,
    "focal_gamma": 2.0,
}


def make(tmp_path: Path, **kwargs: Any) -> EmotionTrainingArguments:
    return EmotionTrainingArguments(output_dir=str(tmp_path), **kwargs)


def parse(tmp_path: Path, *arguments: str) -> EmotionTrainingArguments:
    [args] = HfArgumentParser(EmotionTrainingArguments).parse_args_into_dataclasses(
        ["--output_dir", str(tmp_path), *arguments]
    )
    return args


def test_defaults_are_the_notebooks(tmp_path: Path) -> None:
    for args in (make(tmp_path), parse(tmp_path)):
        assert {name: getattr(args, name) for name in NOTEBOOK} == NOTEBOOK
        assert args.optim.value.startswith("adamw")
        assert args.alpha_for(list(EMOTION_LABELS)) == 1.0
        assert args.train_sampling_strategy == "group_by_length"
        assert args.get_warmup_steps(1000) == 100


def test_documented_defaults_of_hugging_face(tmp_path: Path) -> None:
    """The table in the docstring says what differs; what is in its right column is true."""
    plain, ours = TrainingArguments(output_dir=str(tmp_path)), make(tmp_path)
    rows = re.findall(r"^    \| (`.*) \| (\S+) \| (\S+) \|$", EmotionTrainingArguments.__doc__ or "", re.MULTILINE)
    assert len(rows) >= 7
    for names, here, there in rows:
        for name in re.findall(r"`(\w+)`", names):
            for args, shown in ((ours, here), (plain, there)):
                value = getattr(args, name)
                value = getattr(value, "value", value)
                value = ",".join(value) or "none" if isinstance(value, list) else value
                assert str(value).removesuffix(".0") == shown.strip('"'), name


def test_command_line(tmp_path: Path) -> None:
    args = parse(
        tmp_path, "--focal_alpha", '{"fear": 2}', "--focal_gamma", "1.5", "--max_length", "32", "--dropout", "0"
    )
    assert args.alpha_for(list(EMOTION_LABELS)) == [2, 1, 1, 1, 1, 1, 1]
    assert (args.focal_gamma, args.max_length, args.dropout) == (1.5, 32, 0.0)
    args = parse(tmp_path, "--focal_alpha", "[1, 2.5]", "--num_train_epochs", "2", "--warmup_steps", "10")
    assert args.alpha_for(["a", "b"]) == [1, 2.5]
    assert args.num_train_epochs == 2
    assert args.get_warmup_steps(1000) == 10


def test_every_argument_of_ours_has_help() -> None:
    text = HfArgumentParser(EmotionTrainingArguments).format_help()
    for name in ("max_length", "dropout", "focal_gamma", "focal_alpha"):
        assert f"--{name}" in text
        assert EmotionTrainingArguments.__dataclass_fields__[name].metadata["help"]


@pytest.mark.parametrize(
    ("written", "value"),
    [("1", 1), ("0.25", 0.25), ("[1, 2]", [1, 2]), ('{"fear": 2.0}', {"fear": 2.0}), (0.5, 0.5), ([1.0], [1.0])],
)
def test_parse_alpha(written: Any, value: Any) -> None:
    assert parse_alpha(written) == value


@pytest.mark.parametrize("written", ["", "x", "true", "null", '"1"', "{fear: 2}", "1,2"])
def test_unreadable_alpha(tmp_path: Path, written: str) -> None:
    with pytest.raises(KoBERTEmotionError, match="Cannot read alpha"):
        parse_alpha(written)
    with pytest.raises(KoBERTEmotionError, match="Cannot read alpha"):
        make(tmp_path, focal_alpha=written)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"max_length": 2}, "3 or more, as `max_length`"),
        ({"dropout": 1.0}, "at least 0 and below 1 as `dropout`"),
        ({"dropout": -0.1}, "at least 0 and below 1 as `dropout`"),
        ({"focal_gamma": -1.0}, "at least 0 and finite as `focal_gamma`"),
        ({"focal_gamma": float("nan")}, "at least 0 and finite as `focal_gamma`"),
        ({"focal_alpha": "-1"}, "alpha must be finite and not negative"),
        ({"focal_alpha": "[1, NaN]"}, "alpha must be finite and not negative"),
        ({"focal_alpha": '{"fear": "x"}'}, "alpha must be made of numbers"),
        ({"warmup_steps": -1}, "as `warmup_steps`"),
        ({"warmup_steps": float("nan")}, "as `warmup_steps`"),
        ({"weight_decay": float("nan")}, "as `weight_decay`"),
        ({"learning_rate": float("inf")}, "as `learning_rate`"),
        ({"adam_beta1": float("nan")}, "at least 0 and below 1 as `adam_beta1`"),
        ({"adam_beta2": 1.0}, "at least 0 and below 1 as `adam_beta2`"),
        ({"max_grad_norm": -1.0}, "as `max_grad_norm`"),
        ({"max_grad_norm": float("nan")}, "as `max_grad_norm`"),
        ({"layer_decay": 0.0}, "above 0 and at most 1 as `layer_decay`"),
        ({"choosing_share": 0.6, "best_epoch": True}, "above 0 and at most 0.5 as `choosing_share`"),
        ({"seed": 2**32}, "as `seed`"),
        ({"lr_scheduler_type": "lineal"}, "lineal"),
        ({"optim": "adam_w"}, "adam_w"),
        ({"logging_steps": 0}, "logging"),
        ({"train_sampling_strategy": "by_length"}, "as train_sampling_strategy, found 'by_length'"),
    ],
)
def test_refused_up_front(tmp_path: Path, kwargs: dict[str, Any], message: str) -> None:
    with pytest.raises(KoBERTEmotionError, match=message):
        make(tmp_path, **kwargs)


def test_alpha_must_fit_the_labels(tmp_path: Path) -> None:
    with pytest.raises(KoBERTEmotionError, match="alpha has 2 weights, expected one for each of 3 labels"):
        make(tmp_path, focal_alpha="[1, 2]").alpha_for(["a", "b", "c"])
    with pytest.raises(KoBERTEmotionError, match=r"unknown labels \['fear'\]"):
        make(tmp_path, focal_alpha='{"fear": 2}').alpha_for(["a", "b"])


def test_edges_are_allowed(tmp_path: Path) -> None:
    args = make(tmp_path, max_length=3, dropout=0.0, focal_gamma=0.0, focal_alpha=0.0, seed=0)
    assert (args.max_length, args.dropout, args.focal_gamma, args.seed) == (3, 0.0, 0.0, 0)


def test_deepspeed_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `accelerate launch --use_deepspeed` asks for it; transformers' own error would be a traceback."""
    assert make(tmp_path).shards is None
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    monkeypatch.setattr("kobert_hf_emotion.training.arguments.find_spec", lambda name: None)
    with pytest.raises(KoBERTEmotionError, match="DeepSpeed is not installed"):
        make(tmp_path)


@pytest.mark.parametrize(
    ("idle", "needed"),
    [
        ({"lora_alpha": 4.0}, {"lora": 8}),
        ({"lora_dropout": 0.1}, {"lora": 8}),
        ({"lora_target": "key"}, {"lora": 8}),
        ({"choosing_share": 0.2}, {"best_epoch": True}),
    ],
)
def test_what_does_nothing_by_itself_is_refused(tmp_path: Path, idle: dict[str, Any], needed: dict[str, Any]) -> None:
    with pytest.raises(KoBERTEmotionError, match="would do nothing without") as caught:
        EmotionTrainingArguments(str(tmp_path), **idle)
    assert caught.value.mend == needed
    EmotionTrainingArguments(str(tmp_path), **idle, **needed)
