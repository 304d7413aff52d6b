"""The command `kobert-emotion`."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from .loudness import OPTIONS


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code.

    Args:
        argv: Arguments without the program's name; those of the process by default.

    Returns:
        0 on success; 1 where `doctor` finds a problem; 2 on bad usage or bad input, with a message on stderr.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    # The Hub's bars tell of what comes and goes through the network, and are for who sees them; the others say nothing
    # that a command's own do not.
    if not sys.stderr.isatty() or set(OPTIONS) & set(words):
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    from .quick import answered

    code = answered(words)
    if code is None:
        from .app import invoke

        code = invoke(words)
    return code


def run() -> None:
    """Entry point of the console script."""
    code = main()
    # What is left goes with the process; Python would look through all of torch and transformers for cycles first.
    gc.freeze()
    raise SystemExit(code)
