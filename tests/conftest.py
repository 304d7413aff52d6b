"""Fixtures shared by all tests: the reference data beside the checkout, and a tiny model."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with reference data, which users do not have."""
    if not SHARED.is_dir():
        pytest.skip(f"reference data of the developers is not at {SHARED}")
    return SHARED
