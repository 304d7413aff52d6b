"""All checks that need the rows and nothing else, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.input_checks import check_dataset
from ..data.label_ids import has_several, has_votes
from ..errors import KoBERTEmotionError
from ..utils.argument_checks import check_count
from .duplicate_checks import check_conflicts, check_duplicates, check_near_duplicates
from .label_checks import check_classes
from .label_set_checks import check_label_sets
from .overlap_checks import check_overlap
from .report import AuditReport, Finding, Split
from .rows import AuditedRows
from .vote_checks import check_votes

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase


def audit_dataset(
    dataset: Dataset,
    test: Dataset | None = None,
    *,
    tokenizer: PreTrainedTokenizerBase | None = None,
    config: PreTrainedConfig | None = None,
    n_splits: int | None = 5,
    max_length: int = 64,
    near: bool = True,
) -> AuditReport:
    """Audits the rows of a data set, and of the test set that is to judge what is trained on it.

    Nothing is changed. When a finding is a problem is written in `audit.thresholds`.

    Args:
        dataset: Rows to train on, as `load_emotion_dataset` gives them, with `text` and maybe `text_pair`, `label`,
            `group` and `row`.
        test: Rows to test on; their labels must be numbered as those of `dataset`.
        tokenizer: The tokenizer of the model to train; lengths and unknown tokens are left out without it.
        config: The configuration of that model; needed with `tokenizer`.
        n_splits: The folds planned; None leaves the check of class sizes out.
        max_length: Tokens a text is to be cut to, special tokens included.
        near: Whether to look for near duplicates, about 15 µs a text.

    Example:
        >>> from datasets import Dataset
        >>> rows = Dataset.from_dict({"text": ["비가 온다", "눈이 온다", "비가 온다"]})
        >>> audit_dataset(rows)["exact_duplicates"].value
        1
    """
    check_dataset(dataset, may_be_empty=True)
    if test is not None:
        check_dataset(test, name="test", may_be_empty=True)
    if n_splits is not None:
        check_count("n_splits", n_splits, 2)
    check_count("max_length", max_length, 3)
    if (tokenizer is None) != (config is None):
        raise KoBERTEmotionError(
            "`tokenizer`와 `config`는 함께 주어야 합니다. 둘 다 주거나 둘 다 빼세요.",
            "`tokenizer` and `config` go together: give both, or leave both out.",
        )
    train = AuditedRows.of(dataset)
    tested = None if test is None else AuditedRows.of(test)
    findings = check_duplicates(train, "train")
    near_test_twins = None
    if near:
        finding, near_test_twins = check_near_duplicates(train, tested)
        findings.append(finding)
    findings += _label_findings(train, n_splits, "train")
    findings += _task_findings(dataset, "train")
    if tested is not None:
        findings += check_overlap(train, tested, near_test_twins)
        findings += check_duplicates(tested, "test")
        findings += _label_findings(tested, None, "test")
        findings += _task_findings(test, "test")
    if tokenizer is not None and config is not None:
        from .token_checks import check_tokens

        findings += check_tokens(train, tokenizer, config, max_length, "train")
        if tested is not None:
            findings += check_tokens(tested, tokenizer, config, max_length, "test")
    return AuditReport(tuple(findings), len(train), None if tested is None else len(tested))


def _task_findings(dataset: Dataset | None, split: Split) -> list[Finding]:
    """Returns what there is to find where a row's label is not one class."""
    if dataset is None:
        return []
    if has_several(dataset):
        return check_label_sets(dataset, split)
    return check_votes(dataset, split) if has_votes(dataset) else []


def _label_findings(rows: AuditedRows, n_splits: int | None, split: Split) -> list[Finding]:
    if not rows.label_names:
        return []
    return [check_conflicts(rows, split), *check_classes(rows, n_splits, split)]
