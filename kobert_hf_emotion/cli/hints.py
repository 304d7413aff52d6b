"""Errors in the terms of the command line: its options, and the command that was typed, mended."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from ..data.tables.options import ReadOptions
from ..errors import KoBERTEmotionError, Setting
from ..training.argument_values import ARGUMENTS
from ..utils.files import free_path
from .groups import Columns, LabelSet, NewLabelRules
from .language import spoken, without_leading_option
from .typed import typed

_OTHER_NAMES = {
    "n_splits": "folds",
    "run_dir": "output",
    "output_dir": "output",
    "group_by": "group_column",
    "pretrained_model_name_or_path": "model",
    **{argument: option for option, argument in ARGUMENTS.items()},
}
"""Names that an option goes by in Python."""
_OF_READING = {
    *(field.name for kind in (ReadOptions, Columns, LabelSet, NewLabelRules) for field in fields(kind)),
    *("group_column", "lang"),
}
"""Parameters that say how a file is read, whatever is done with it."""


def in_terms_of(app: typer.Typer, argv: Sequence[str], error: KoBERTEmotionError) -> str:
    """Returns the message of an error as it is shown to who typed `argv`.

    Arguments in backticks become options, and where the error tells what mends it, the last line is the command that
    was typed with that set.
    """
    argv = without_leading_option(argv)
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    if not argv or argv[0] not in group.commands:  # an error before any command
        return error.in_language(spoken())
    command = group.commands[argv[0]]
    assert isinstance(command, TyperCommand)
    korean, english = (_with_options(text, command, group) for text in (error.korean, error.english))
    lines = (_line(command, group, argv, mend) for mend in (error.mend, error.otherwise))
    line = next(filter(None, lines), None)
    try_this = error.try_this if line is None else shlex.join(["kobert-emotion", *line])
    return KoBERTEmotionError(korean, english, try_this).in_language(spoken())


def _with_options(text: str, command: TyperCommand, group: TyperGroup) -> str:
    """Puts a command's options and arguments in place of the Python arguments that a text names in backticks."""
    called = {str(parameter.name): str(parameter.name).upper() for parameter in command.params}
    called |= {str(found.name): str(found.opts[0]) for found in command.params if isinstance(found, TyperOption)}

    def option(found: re.Match[str]) -> str:
        name = _OTHER_NAMES.get(found[1], found[1])
        return called.get(name) or _option_elsewhere(group, name) or found[0]

    return re.sub(r"`(\w+)`", option, text)


def _option_elsewhere(group: TyperGroup, name: str) -> str | None:
    """Returns an option that the command typed does not have, with the first command that has it; None without any."""
    for title, command in group.commands.items():
        for parameter in command.params:
            if isinstance(parameter, TyperOption) and parameter.name == name:
                return f"{parameter.opts[0]} ({title})"
    return None


def _line(
    command: TyperCommand, group: TyperGroup, argv: Sequence[str], mend: Mapping[str, Setting]
) -> list[str] | None:
    """Returns the words of a command that leads out of an error, None where `mend` has none for this command."""
    mend = {_OTHER_NAMES.get(name, name): value for name, value in mend.items()}
    if isinstance(output := mend.get("write_label_map"), str) and os.path.exists(output):
        mend["write_label_map"] = str(free_path(Path(output)))
    if mend and set(mend) <= {parameter.name for parameter in command.params}:
        line = mended(command, argv, mend)
        return None if line == mended(command, argv, {}) else line  # what was typed is what failed
    if "write_label_map" in mend:
        return _of_file("doctor", command, group, argv, mend)
    if {"task", "train_file"} <= set(mend):  # a model's task is its own: another one is trained
        return _of_file("train", command, group, argv, mend)
    return None


def _of_file(
    title: str, command: TyperCommand, group: TyperGroup, argv: Sequence[str], mend: Mapping[str, Setting]
) -> list[str] | None:
    """Returns the words of the command `title` for the file of rows that another command was given, read likewise.

    None where it was given no file.
    """
    given = typed(command.make_context(argv[0], list(argv[1:])))
    inputs = "labelled" if command.name == "distill" else "inputs"  # a teacher's texts are no rows with labels
    files = mend.get("train_file") or given.get("train_file") or given.get("test_file") or given.get(inputs)
    if not files:
        return None
    options = {name: value for name, value in given.items() if name in _OF_READING} | dict(mend)
    line = [title, *_words(files)[:1]]
    for parameter in group.commands[title].params:
        if isinstance(parameter, TyperOption):
            line += _as_option(parameter, options.get(str(parameter.name)))
    return line


def mended(command: TyperCommand, argv: Sequence[str], mend: Mapping[str, Setting]) -> list[str]:
    """Returns the words of a command line, those of `argv` with the parameters in `mend` set.

    Args:
        command: The command whose name is the first word of `argv`.
        argv: Words that `command` takes without an error.
        mend: Values by the names of the command's parameters.
    """
    given = typed(command.make_context(argv[0], list(argv[1:]))) | dict(mend)
    return [argv[0], *_as_words(command, given)]


def words_of(context: typer.Context, names: Collection[str]) -> list[str]:
    """Returns the words that give those of a command's parameters that were typed, for another command to have them.

    Args:
        context: Of the command.
        names: The parameters to give.
    """
    given = {name: value for name, value in typed(context).items() if name in names}
    return _as_words(context.command, given)


def _as_words(command: Any, given: Mapping[str, Any]) -> list[str]:
    """Returns the words that give a command its parameters, arguments first but for those that look like options."""
    arguments: list[str] = []
    options: list[str] = []
    for parameter in command.params:
        value = given.get(str(parameter.name))
        if isinstance(parameter, TyperOption):
            options += _as_option(parameter, value)
        else:
            arguments += _words(value)
    if any(word.startswith("-") for word in arguments):
        return [*options, "--", *arguments]
    return [*arguments, *options]


def _as_option(option: TyperOption, value: Any) -> list[str]:
    """Returns the words that give an option a value."""
    if isinstance(value, bool):
        return option.opts[:1] if value else option.secondary_opts[:1]
    return [word for item in _words(value) for word in (option.opts[0], item)]


def _words(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, (list, tuple)) else [str(value)]
