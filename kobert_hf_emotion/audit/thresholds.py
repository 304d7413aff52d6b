"""From when on an audit calls something a problem, that is, a reason not to trust a result. All in one place.

A problem makes `kobert-emotion doctor` end with exit code 1. What is worth knowing but harms no result is a notice.
Three checks have no number: a tokenizer that is not the model's, a class with fewer groups of rows than folds, and
numbers that are read as ids and leave labels without a row, are always problems.
"""

from __future__ import annotations

from ..tokenization.guard import MAX_UNKNOWN_SHARE, MIN_TEXTS

PROBLEM_TEST_OVERLAP = 0.001
"""Share of test rows whose text is also trained on, word for word or after folding. Up to it the accuracy can be off
by 0.1 points at most."""

PROBLEM_NEAR_OVERLAP = 0.05
"""Share of test rows that are nearly a training text. A near copy may have another label, so it gives less away."""

PROBLEM_CONFLICTING = 0.01
"""Share of labelled rows whose text also has another label: at best some of them can be predicted right."""

PROBLEM_DROPPED = 0.1
"""Share of rows left out for an empty text or label; more looks like the wrong column."""

PROBLEM_UNKNOWN = MAX_UNKNOWN_SHARE
"""Share of [UNK] among the tokens from which training refuses to start; see `tokenizer_guard`."""

PROBLEM_MIN_TEXTS = MIN_TEXTS
"""With fewer texts the share of [UNK] says little and is a notice at most."""

NOTICE_UNKNOWN = 0.02
"""Share of [UNK] worth a notice: twice what reviews and comments have with KoBERT's tokenizer."""

NOTICE_TRUNCATED = 0.01
"""Share of texts longer than the maximum length that is worth a notice."""

NOTICE_IMBALANCE = 10.0
"""Rows of the largest class over those of the smallest that is worth a notice."""

NOTICE_SAME_LABEL = 0.9
"""Jaccard index of the rows of two labels from which they are nearly one."""

NOTICE_AGREEMENT = 0.667
"""Krippendorff's alpha below which conclusions are not even tentative (Krippendorff, 2004, Content Analysis, ch. 11);
it is worth a notice, since votes can be learned whatever it is."""
