"""A model behind HTTP: requests that come together go through it together."""

from __future__ import annotations

from ..utils.lazy_names import lazy_names

__getattr__ = lazy_names(__name__, {"ServingOptions": "options", "create_app": "app", "serve": "server"})
