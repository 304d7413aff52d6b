"""What a row's label is: one class, any number of labels, or votes for each; what depends on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...utils.lazy_names import lazy_names

if TYPE_CHECKING:
    from .choice import label_kind
    from .kind import LabelKind
    from .mapped import UnknownLabel, settled
    from .one_label import OneLabel
    from .several_labels import SeveralLabels

__all__ = ["LabelKind", "OneLabel", "SeveralLabels", "UnknownLabel", "label_kind", "settled"]

__getattr__ = lazy_names(
    __name__,
    {
        "LabelKind": "kind",
        "OneLabel": "one_label",
        "SeveralLabels": "several_labels",
        "UnknownLabel": "mapped",
        "label_kind": "choice",
        "settled": "mapped",
    },
)
