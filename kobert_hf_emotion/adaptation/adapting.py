"""An adaptation: texts, the training on them, what it did to the perplexity, and the folder it is saved in."""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerCallback, set_seed
from transformers.trainer_utils import IntervalStrategy, SaveStrategy

from ..assets import DEFAULT_MODEL_NAME
from ..data.column_names import TEXT_COLUMN
from ..data.input_checks import as_texts
from ..data.text_keys import text_key
from ..errors import DataError, KoBERTEmotionError, RunError
from ..hub.cards import CARD_FILE
from ..inference.classifier import weights_sha256
from ..modeling.prediction import use_accelerator
from ..runs.work import work_folder
from ..tokenization.encoding import encode_dataset
from ..tokenization.guard import check_tokenization
from ..tokenization.loading import load_tokenizer
from ..tokenization.pieces import WordSplit
from ..training.arguments import EmotionTrainingArguments
from ..training.sampling import token_counts
from ..training.single import train_alone
from ..utils.argument_checks import check_number, check_path, check_type
from ..utils.files import atomic_directory, atomic_write, check_free, write_json
from ..utils.progress import each
from ..utils.versions import library_versions
from ..wording import Note, Wording
from .card import render_adapted_card
from .masking import ROW_COLUMN, Masks
from .model import MaskedModel, load_masked, masked_cross_entropy, save_masked
from .trainer import AdaptationTrainer

logger = logging.getLogger(__name__)

RECORD_FILE = "training_record.json"
"""In the folder: what was trained on, and how."""
_BEFORE_FILE, _CHECKPOINTS = "before.json", "checkpoints"
_LEAST_TEXTS = 20
_MOST_HELD_OUT = 2000


@dataclass(frozen=True)
class Perplexity:
    """exp of the mean of -log p over the hidden tokens of the held-out texts, the same tokens each time."""

    before: float
    after: float


@dataclass(frozen=True)
class Adaptation:
    """What an adaptation gave."""

    output_dir: Path
    texts: int
    """Trained on."""
    held_out: int
    """Texts that were not, on which the perplexity is measured."""
    repeated: int
    """Texts that were left out, since they are there already."""
    perplexity: Perplexity
    head_is_new: bool
    """Whether the model had no head for hidden tokens, and got a new one on its word embeddings."""


def adapt(
    texts: Iterable[str],
    output_dir: str | os.PathLike[str],
    model: str | os.PathLike[str] = DEFAULT_MODEL_NAME,
    args: EmotionTrainingArguments | None = None,
    probability: float = 0.15,
    whole_words: bool = False,
    held_out: float = 0.05,
    *,
    word_split: WordSplit | None = None,
) -> Adaptation:
    """Trains an encoder on to name hidden tokens of texts (Gururangan et al., "Don't Stop Pretraining", 2020).

    Labels are not needed. What is written is an encoder for `cross_validate(model=…)`, with its head for hidden tokens
    and its pooler as it was. A head that the model has not is made anew, its output tied to the word embeddings.

    An adaptation that was interrupted is continued by the same call, from a folder beside `output_dir` that ends in
    `.in_progress`; on the CPU the result is the same to the last bit.

    Args:
        texts: Texts; each spelling of one (`data.text_keys.text_key`) counts once.
        output_dir: Folder to write, complete or not at all; it must not exist, or be empty.
        model: "default", a Hub id or a folder with a BERT, ELECTRA or RoBERTa encoder.
        args: Training arguments. `dropout`, loss settings and `lora` are not used.
        probability: The share of tokens that are hidden, of which 80% become [MASK], 10% another token, 10% stay.
        whole_words: Whether words are hidden as a whole.
        held_out: The share of texts the perplexity is measured on, at most 2,000 texts.
        word_split: Overrides the setting of KoBERT's tokenizer; see `KoBERTTokenizer`.

    Raises:
        CheckpointError: There is no model at `model`.
        DataError: There are too few texts.
        RunError: `output_dir` is in use, or another adaptation is unfinished beside it.
        TokenizerError: The tokenizer fits neither model nor texts.
    """
    args = EmotionTrainingArguments(num_train_epochs=3) if args is None else copy.copy(args)
    check_type("args", args, EmotionTrainingArguments, "EmotionTrainingArguments(num_train_epochs=3)")
    check_path("output_dir", output_dir)
    check_path("model", model)
    for name, share in (("probability", probability), ("held_out", held_out)):
        _check_share(name, share)
    if args.world_size > 1:
        raise RunError(
            f"적응은 한 프로세스로 하는데 {args.world_size}개입니다. accelerate launch 없이 실행하세요.",
            f"An adaptation runs in one process, found {args.world_size}: start it without accelerate launch.",
        )
    check_free(output_dir)
    found = as_texts(texts)
    own = list({text_key(text): text for text in reversed(found)}.values())[::-1]
    if len(own) < _LEAST_TEXTS:
        raise DataError(
            f"글이 {len(own)}개뿐입니다. 서로 다른 글 {_LEAST_TEXTS}개 이상이 필요합니다.",
            f"Expected {_LEAST_TEXTS} different texts or more, found {len(own)}.",
        )
    settings = {} if word_split is None else {"word_split": word_split}
    tokenizer = load_tokenizer(model, model_max_length=args.max_length, **settings)
    set_seed(args.seed)
    masked = load_masked(model, tokenizer)
    check_tokenization(tokenizer, masked.model.config, own, args.max_length)
    job = _Job(Path(output_dir), os.fspath(model), own, len(found) - len(own), args, probability, whole_words, held_out)
    return job.run(masked, tokenizer)


def _check_share(name: str, share: float) -> None:
    if check_number(name, share, above=True) >= 1:
        raise KoBERTEmotionError(
            f"`{name}`은(는) 0과 1 사이여야 하는데 {share:g}입니다.",
            f"Expected `{name}` between 0 and 1, found {share:g}.",
            mend={name: None},
        )


def _say_doubt(before: float, after: float) -> None:
    """Warns where the perplexity tells nothing, or tells of a training that went wrong."""
    if math.isnan(before):
        logger.warning(
            Wording(
                "떼어 둔 글에 가린 토큰이 없어 혼란도를 재지 못했습니다. `held_out`이나 `max_length`를 늘리세요.",
                "no token of the held-out texts was hidden, so no perplexity; raise `held_out` or `max_length`",
            )
        )
    elif not math.isfinite(after):
        logger.warning(
            Wording(
                "학습이 발산했습니다: 이 모델은 쓸 수 없습니다. `learning_rate`를 낮추어 다른 폴더에 다시 하세요.",
                "the training diverged, and the model is of no use: train again with a lower `learning_rate`, into "
                "another folder",
            )
        )


@dataclass(frozen=True)
class _Job:
    """An adaptation that is about to be done."""

    output: Path
    source: str
    texts: list[str]
    repeated: int
    args: EmotionTrainingArguments
    probability: float
    whole_words: bool
    held_out: float

    def run(self, masked: MaskedModel, tokenizer: PreTrainedTokenizerBase) -> Adaptation:
        """Does it, or the rest of it."""
        record = self._record(masked)
        if masked.head_is_new:
            logger.warning(
                Note(
                    f"{self.source}에는 가린 말을 맞히는 헤드가 없어, 단어 임베딩에 묶은 새 헤드로 시작합니다.",
                    f"{self.source} has no head for hidden tokens: it gets a new one, tied to its word embeddings",
                )
            )
        with work_folder(self.output, record) as work:
            rows = self._rows(tokenizer)
            order = np.random.default_rng(self.args.seed).permutation(len(rows))
            count = min(max(1, round(self.held_out * len(rows))), _MOST_HELD_OUT)
            tested, learned = rows.select(np.sort(order[:count])), rows.select(np.sort(order[count:]))
            use_accelerator(masked.model)
            before = self._before(work / _BEFORE_FILE, masked.model, tokenizer, tested)
            trainer = self._train(masked.model, tokenizer, learned, work / _CHECKPOINTS)
            after = self._perplexity(masked.model, tokenizer, tested)
            _say_doubt(before, after)
            found = Adaptation(
                self.output, len(learned), len(tested), self.repeated, Perplexity(before, after), masked.head_is_new
            )
            if trainer.args.should_save:
                self._save(masked, tokenizer, record, found)
        return found

    def _rows(self, tokenizer: PreTrainedTokenizerBase) -> datasets.Dataset:
        rows = datasets.Dataset.from_dict({TEXT_COLUMN: self.texts})
        encoded = encode_dataset(rows, tokenizer, self.args.max_length, ())
        return encoded.add_column(ROW_COLUMN, np.arange(len(encoded)), feature=datasets.Value("int64"))

    def _record(self, masked: MaskedModel) -> dict[str, Any]:
        return {
            "kind": "adaptation",
            "model": self.source,
            "start_weights_sha256": weights_sha256(masked.model),
            "head_is_new": masked.head_is_new,
            "texts": len(self.texts),
            "texts_sha256": texts_sha256(self.texts),
            "probability": self.probability,
            "whole_words": self.whole_words,
            "held_out": self.held_out,
            "training_arguments": self.args.to_dict(),  # type: ignore[no-untyped-call]
            "versions": library_versions(),
            "finished": False,
        }

    def _before(
        self, path: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: datasets.Dataset
    ) -> float:
        """Returns the perplexity before the training, which one that is continued has on the disk."""
        if path.is_file():
            return float(json.loads(path.read_text(encoding="utf-8"))["perplexity"])
        found = self._perplexity(model, tokenizer, rows)
        write_json(path, {"perplexity": found})
        return found

    def _perplexity(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: datasets.Dataset) -> float:
        masks = Masks(tokenizer, self.probability, self.whole_words, self.args.seed)
        return perplexity(model, masks, rows, self.args.per_device_eval_batch_size)

    def _train(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        rows: datasets.Dataset,
        checkpoints: Path,
    ) -> AdaptationTrainer:
        args = copy.copy(self.args)
        args.output_dir = os.fspath(checkpoints)
        args.eval_strategy, args.save_strategy = IntervalStrategy.NO, SaveStrategy.NO
        args.remove_unused_columns = False  # the rows' numbers seed the masks
        masks = Masks(tokenizer, self.probability, self.whole_words, args.seed)

        def make(callbacks: list[TrainerCallback]) -> AdaptationTrainer:
            return AdaptationTrainer(
                model, args, train_dataset=rows, processing_class=tokenizer, callbacks=callbacks, masks=masks
            )

        return train_alone(make, checkpoints, shows=not args.disable_tqdm)

    def _save(
        self, masked: MaskedModel, tokenizer: PreTrainedTokenizerBase, record: Mapping[str, Any], found: Adaptation
    ) -> None:
        whole = {
            **record,
            "texts": found.texts,
            "held_out_texts": found.held_out,
            "repeated": found.repeated,
            "perplexity": asdict(found.perplexity),
            "finished": True,
        }
        with atomic_directory(self.output) as folder:
            save_masked(masked, tokenizer, folder)
            write_json(folder / RECORD_FILE, whole)
            with atomic_write(folder / CARD_FILE, "w") as handle:
                handle.write(render_adapted_card(json.loads(json.dumps(whole, default=str)), self.output.name))


def perplexity(model: PreTrainedModel, masks: Masks, rows: datasets.Dataset, batch_size: int) -> float:
    """Returns exp of the mean of -log p over the hidden tokens of rows; inf where it is too large.

    Args:
        model: The encoder with the head; left in the mode it was in.
        masks: What hides tokens.
        rows: Tokenised rows with their numbers.
        batch_size: Rows a forward pass; those of similar length go together.
    """
    order = np.argsort(token_counts(rows), kind="stable")
    was_training = model.training
    model.eval()
    total, count = 0.0, 0
    with torch.inference_mode():
        for start in each(range(0, len(order), batch_size), Wording("혼란도 재기", "measuring the perplexity")):
            taken = [rows[int(index)] for index in order[start : start + batch_size]]
            batch = {name: column.to(model.device) for name, column in masks(taken).items()}
            nats, hidden = masked_cross_entropy(model, batch)
            total, count = total + float(nats), count + int(hidden)
    model.train(was_training)
    if not count:
        return math.nan
    return math.exp(total / count) if total / count < 700 else math.inf


def texts_sha256(texts: Sequence[str]) -> str:
    """Returns a SHA-256 over texts, in order."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(f"{text}\n".encode())
    return digest.hexdigest()
