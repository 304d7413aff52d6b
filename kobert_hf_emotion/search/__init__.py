"""Looking for the arguments of a training that suit the data: chosen on some rows, judged on others."""

from __future__ import annotations

from ..utils.lazy_names import lazy_names

__getattr__ = lazy_names(__name__, {"SearchResult": "outcome", "search_arguments": "searching"})
