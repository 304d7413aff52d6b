"""What configurations and the cache of the Hub tell in private only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import PreTrainedConfig
from transformers.utils.hub import cached_file


def attention_implementation(config: PreTrainedConfig) -> str | None:
    """Returns the attention that a model computes with; there is a public method to set it, and none to ask."""
    implementation: str | None = config._attn_implementation
    return implementation


def file_or_none(source: str, name: str, options: Mapping[str, Any]) -> str | None:
    """Returns the path of a file of a repository on the Hub, None where there is none or it may not be seen.

    `cached_file` raises the same `OSError` for a file that is missing as for a Hub that is out of reach.
    """
    found: str | None = cached_file(
        source,
        name,
        **options,
        _raise_exceptions_for_gated_repo=False,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )
    return found
