"""The option `--quiet`, which every command takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from .added_option import with_option
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
    return with_option(command, "quiet", False, Quiet, use=lambda quiet: hush(quiet or is_quiet()))
