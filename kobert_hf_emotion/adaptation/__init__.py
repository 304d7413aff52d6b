"""Masked-language-model training of an encoder on one's own texts, before it learns to classify."""

from __future__ import annotations

from ..utils.lazy_names import lazy_names

__getattr__ = lazy_names(__name__, {"Adaptation": "adapting", "adapt": "adapting"})
