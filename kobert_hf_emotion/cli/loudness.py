"""How much the command at work says: all of it, or its result and warnings alone."""

from __future__ import annotations

OPTIONS = ("--quiet", "-q")


class _Said:
    """How much is said; a thread that the command starts says as much."""

    quiet: bool = False


def hush(quiet: bool) -> None:
    """Has notes and progress left out from now on, or not; results, warnings and errors are always said."""
    _Said.quiet = quiet


def is_quiet() -> bool:
    """Tells whether the command at work leaves notes and progress out."""
    return _Said.quiet
