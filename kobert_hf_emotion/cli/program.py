"""What the program is called, and which release it is."""

from __future__ import annotations

from .. import __version__

NAME = "kobert-emotion"
COMPLETE = "_KOBERT_EMOTION_COMPLETE"
"""A shell that asks what a word could be completed to sets this variable and types nothing."""
VERSION = "--version"
EXIT_USAGE = 2


def version() -> str:
    """Returns what `--version` says."""
    return f"{NAME} {__version__}"
