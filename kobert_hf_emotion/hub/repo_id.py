"""What a name on the Hub looks like."""

from __future__ import annotations

import os
import re

_REPO_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?", re.ASCII)


def is_repo_id(name: str) -> bool:
    """Whether the Hub could have a repository of that name; of models older than the Hub it has no owner."""
    return _REPO_ID.fullmatch(name) is not None


def is_only_on_hub(name: str | os.PathLike[str]) -> bool:
    """Whether a name is `owner/name`, and no path on this machine: there is not even a folder of the owner's name."""
    owner, slash, _ = os.fspath(name).partition("/")
    return bool(slash) and is_repo_id(os.fspath(name)) and not os.path.exists(owner)
