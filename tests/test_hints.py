"""What the command line says of an error: options in place of arguments, and the typed command, mended."""

from __future__ import annotations

import shlex

import pytest
import typer

from kobert_hf_emotion.cli.app import app
from kobert_hf_emotion.cli.hints import in_terms_of
from kobert_hf_emotion.errors import DataError, Setting


def last_line(argv: list[str], mend: dict[str, Setting]) -> list[str]:
    line = in_terms_of(app, argv, DataError("틀림", "wrong", mend=mend)).splitlines()[-1]
    assert line.startswith("  $ ")
    return shlex.split(line.removeprefix("  $ "))


@pytest.mark.parametrize(
    ("argv", "mend", "expected"),
    [
        ("predict default x.csv", {"text_column": "내 문장"}, "predict default x.csv --text-column '내 문장'"),
        ("predict default x.csv --text-column a", {"text_column": "b"}, "predict default x.csv --text-column b"),
        ("predict --text-column=a default x.csv", {"text_column": "b"}, "predict default x.csv --text-column b"),
        ("predict default x.csv --encoding utf-8", {"encoding": None}, "predict default x.csv"),
        ("predict default -- -_-", {"ignore_labels": True}, "predict --ignore-labels -- default -_-"),
        ("predict nosuch a b", {"model": "default"}, "predict default a b"),
        ("train a.csv --output r --folds 5", {"n_splits": 2}, "train a.csv --output r --folds 2"),
        (
            "train a.csv --output r --dataset-id a/b --dataset-id c/d",
            {"group_duplicates": False},
            "train a.csv --output r --no-group-duplicates --dataset-id a/b --dataset-id c/d",
        ),
    ],
)
def test_the_typed_command_is_mended(argv: str, mend: dict[str, Setting], expected: str) -> None:
    assert last_line(shlex.split(argv), mend) == ["kobert-emotion", *shlex.split(expected)]


def test_a_mended_command_is_taken_by_its_command() -> None:
    argv = last_line(["train", "a.csv", "--output", "r", "--alpha", "fear=2"], {"labels": "auto"})[1:]
    command = typer.main.get_command(app).commands["train"]  # type: ignore[attr-defined]
    found = command.make_context("train", argv[1:]).params
    assert (found["labels"], found["alpha"], str(found["train_file"])) == ("auto", "fear=2", "a.csv")


def test_arguments_in_backticks_are_options_of_the_command() -> None:
    error = DataError("`text_column`을 주세요", "Give `text_column` or `sheet`; `n_splits` too")
    shown = in_terms_of(app, ["train", "a.csv", "--output", "r"], error)
    assert "--text-column을 주세요" in shown
    assert "--folds too" in shown
    assert "Give `text_column`" in str(error)


def test_a_mend_the_command_does_not_know_is_not_shown() -> None:
    error = DataError("틀림", "wrong", "kobert-emotion doctor a.csv", mend={"group_pattern": "x"})
    assert in_terms_of(app, ["convert", "a.pt", "--output", "b"], error).endswith("$ kobert-emotion doctor a.csv")
