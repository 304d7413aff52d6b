"""Fixtures of the tests of legacy files."""

from __future__ import annotations

from legacy_files import plain_bert, saved, tiny

__all__ = ["plain_bert", "saved", "tiny"]
