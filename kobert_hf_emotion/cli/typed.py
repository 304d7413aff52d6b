"""What a user typed, in place of what is there by default."""

from __future__ import annotations

from typing import Any, Protocol


class ParameterSources(Protocol):
    """A context of click, which typer carries under a private name."""

    params: dict[str, Any]

    def get_parameter_source(self, name: str) -> Any:
        """Returns where the value of a parameter comes from."""


def typed(context: ParameterSources) -> dict[str, Any]:
    """Returns the parameters of a command that stand on the command line, with their values."""
    found = {}
    for name, value in context.params.items():
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            found[name] = value
    return found
