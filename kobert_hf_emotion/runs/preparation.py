"""What comes before the first fold: the split, the audit, and the record of what is about to be done."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

import datasets
from transformers import PreTrainedConfig, PreTrainedModel

from ..audit import AuditReport, audit_dataset
from ..configuration import EmotionConfig, refuse_multi_label
from ..data.column_names import LABEL_COLUMN, TEXT_COLUMN, TEXT_PAIR_COLUMN
from ..data.label_ids import rows_of_labels
from ..errors import KoBERTEmotionError, RunError, SplitError
from ..inference.adapters import trainable_share
from ..inference.classifier import weights_sha256
from ..splits.csv import SPLIT_FILE, read_split
from ..splits.folds import folds_from_numbers
from ..splits.split import Split
from ..tokenization.context import fit_context
from ..tokenization.guard import check_tokenization
from ..training.arguments import EmotionTrainingArguments
from ..training.loss_settings import loss_settings
from ..utils.versions import library_versions
from ..wording import Wording
from .plan import Plan
from .state import check_same_run, unfinished_record

logger = logging.getLogger(__name__)

LOW_FOR_ADAPTERS = 2e-4
"""A learning rate below this is said to be small for adapters."""
Made = TypeVar("Made")


@dataclass(frozen=True)
class Preparation:
    """What is known of a run before its first fold."""

    split: Split
    record: dict[str, Any]
    """What `run.json` says of the run."""
    audit: AuditReport


def prepare_once(plan: Plan, divide: Callable[[], Split], about: Mapping[str, Any]) -> Preparation:
    """Checks a run and works out what comes before its folds, on the main process for all of them.

    Nothing is written. All processes return the same or raise the same error, and none goes on before that.

    Args:
        plan: What the run is to do.
        divide: Makes the split.
        about: What the record says besides.

    Raises:
        KoBERTEmotionError: As `cross_validate` lists.
    """
    return once_for_all(plan.args, lambda: _prepare(plan, divide, about))


def once_for_all(args: EmotionTrainingArguments, make: Callable[[], Made]) -> Made:
    """Makes something on the main process and gives it to all others, which wait for it.

    Args:
        args: Of the training: whether there are several processes, and which this is.
        make: What makes it. What it raises about its input is raised in all processes.
    """
    if args.world_size == 1:
        return make()
    from accelerate.utils import broadcast_object_list

    answer: list[Made | KoBERTEmotionError | None] = [None]
    if args.process_index == 0:
        try:
            answer = [make()]
        except KoBERTEmotionError as error:  # else the others would wait for a process that has ended
            answer = [error]
    broadcast_object_list(answer)
    [found] = answer
    if isinstance(found, KoBERTEmotionError):
        raise found
    assert found is not None
    return found


def _prepare(plan: Plan, divide: Callable[[], Split], about: Mapping[str, Any]) -> Preparation:
    begun = unfinished_record(plan.run)
    split = divide()
    if begun is not None:
        split = _begun_with(plan, begun, split)
    start = plan.start_model()  # fails here rather than in the first fold
    _say_adapters(plan, start)
    _check_legacy_export(plan, start.config)
    loss_settings(plan.args, start.config, rows_of_labels(plan.truth, len(plan.labels)), len(plan.truth))
    length = plan.args.max_length
    guard = check_tokenization(plan.tokenizer, start.config, plan.dataset[TEXT_COLUMN][:], length)
    audit = audit_dataset(
        plan.dataset, tokenizer=plan.tokenizer, config=start.config, n_splits=len(split.folds), max_length=length
    )
    record = {
        **plan.describe(split),
        "start_weights_sha256": weights_sha256(start),
        **about,
        **_turns_cut(plan),
        "rows": len(plan.dataset),
        "data_sha256": data_sha256(plan.dataset),
        "tokenization": asdict(guard),
        "versions": library_versions(),
    }
    if begun is not None:
        check_same_run(plan.run, begun, record)
    return Preparation(split, record, audit)


def _turns_cut(plan: Plan) -> dict[str, Any]:
    """Counts what of the turns before lines does not fit beside them, where there are any, and logs it."""
    if not plan.context:
        return {}
    texts, contexts = plan.dataset[TEXT_COLUMN][:], plan.dataset[TEXT_PAIR_COLUMN][:]
    _, cut = fit_context(plan.tokenizer, texts, contexts, plan.args.max_length)
    logger.info(cut.message(plan.args.max_length))
    return {"context_cut": asdict(cut)}


def _say_adapters(plan: Plan, model: PreTrainedModel) -> None:
    if not plan.args.lora:
        return
    share = trainable_share(model)
    logger.info(
        Wording(
            f"LoRA: 가중치의 {share:.2%}를 학습합니다({plan.args.lora_target}과 그 뒤)",
            f"LoRA: {share:.2%} of the weights learn ({plan.args.lora_target}, and what follows the layers)",
        )
    )
    if plan.args.learning_rate < LOW_FOR_ADAPTERS:
        logger.warning(
            Wording(
                f"학습률 {plan.args.learning_rate:g}은(는) LoRA에는 작습니다. 새로 시작하는 어댑터는 더 큰 걸음이 "
                "필요합니다.",
                f"a learning rate of {plan.args.learning_rate:g} is small for LoRA: adapters begin at nothing and need "
                "larger steps",
            )
        )


def _begun_with(plan: Plan, begun: Mapping[str, Any], split: Split) -> Split:
    """Returns the folds an unfinished run was begun with, where the same settings made others in an earlier version.

    Where settings or data differ, `split` itself: what has changed is said when the records are compared.
    """
    asked = {**split.settings, "n_splits": len(split.folds), "seed": plan.args.seed}
    before = {**begun, "seed": begun.get("training_arguments", {}).get("seed")}
    if split.settings["split_from"] != "seed" or any(before.get(name) != value for name, value in asked.items()):
        return split
    try:
        return replace(split, folds=folds_from_numbers(read_split(plan.run / SPLIT_FILE, plan.dataset)))
    except SplitError:
        return split


def _check_legacy_export(plan: Plan, config: PreTrainedConfig) -> None:
    if plan.legacy_export and plan.args.lora:
        raise RunError(
            "노트북 파일(`legacy_export`)은 어댑터(`lora`)로는 쓸 수 없습니다. 빼세요.",
            "The notebook's files (`legacy_export`) are not those of adapters (`lora`): leave it out.",
            mend={"legacy_export": False},
        )
    if plan.legacy_export:
        refuse_multi_label(
            config,
            "노트북 파일(`legacy_export`)은 레이블 하나를 고르는 모델의 것입니다. 빼세요.",
            "The notebook's files (`legacy_export`) are those of models that choose one label: leave it out.",
            {"legacy_export": False},
        )
    if plan.legacy_export and config.model_type != EmotionConfig.model_type:
        raise RunError(
            f"노트북 파일(`legacy_export`)은 BERT 모델만 됩니다: {config.model_type}",
            f"The notebook's files (`legacy_export`) are those of BERT, and this is {config.model_type}.",
            mend={"legacy_export": False},
        )


def data_sha256(dataset: datasets.Dataset) -> str:
    """Returns a SHA-256 over the texts, where there are some their pairs, and the labels of a data set, in order."""
    digest = hashlib.sha256()
    names = [name for name in (LABEL_COLUMN, TEXT_COLUMN, TEXT_PAIR_COLUMN) if name in dataset.column_names]
    for values in zip(*(dataset[name][:] for name in names), strict=True):
        digest.update(("\t".join(map(str, values)) + "\n").encode())
    return digest.hexdigest()
