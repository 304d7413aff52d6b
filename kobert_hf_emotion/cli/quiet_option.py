"""The option `--quiet`, which every command takes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from .loudness import OPTIONS, hush, is_quiet

Quiet = Annotated[
    bool,
    typer.Option(
        *OPTIONS,
        help="진행 막대와 안내 없이 결과와 경고만 (the result and warnings alone, without progress and notes)",
    ),
]


def takes_quiet(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the option; a command that it stands before is quiet as well."""
    signature = inspect.signature(command, eval_str=True)

    @functools.wraps(command)
    def run(**given: Any) -> None:
        hush(given.pop("quiet") or is_quiet())
        command(**given)

    option = inspect.Parameter("quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Quiet)
    parameters = [*signature.parameters.values(), option]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run
