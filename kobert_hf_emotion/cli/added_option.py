"""An option that every command takes, added to the function of each."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any


def with_option(
    command: Callable[..., None], name: str, default: Any, annotation: Any, use: Callable[[Any], None]
) -> Callable[..., None]:
    """Gives a command one more option.

    Args:
        command: The function of the command.
        name: The name of the parameter.
        default: Its value where the option is not typed.
        annotation: What typer reads the option from.
        use: Called with the value before the command begins, which does not see it.
    """
    signature = inspect.signature(command, eval_str=True)

    @functools.wraps(command)
    def run(**given: Any) -> None:
        use(given.pop(name))
        command(**given)

    option = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
    parameters = [*signature.parameters.values(), option]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run
