"""From a legacy file to a folder that `from_pretrained` loads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError

from ..errors import CheckpointError
from ..modeling.optimizer_state import OPTIMIZER_FILE
from ..tokenization.pieces import WordSplit
from ..tokenization.sentencepiece_layout import KOBERT_SHA256
from ..tokenization.tokenizer import KoBERTTokenizer
from ..utils.files import atomic_directory, check_free
from ..utils.progress import progress
from ..wording import Wording
from .importer import build_classifier
from .model_card import render_model_card
from .reader import LegacyCheckpoint, read_legacy_checkpoint

NOTEBOOK_LENGTH = 64
KOBERT = "skt/kobert-base-v1"


@dataclass(frozen=True)
class LegacyImportReport:
    """What `convert_legacy_checkpoint` did.

    Attributes:
        output: The folder that was written.
        checkpoint: What the file holds; with `missing`, `unexpected`, `dropped` and the file's `sha256`.
        optimizer_file: Where the optimizer's state lies, None where the file holds none.
        tokenizer_sha256: Of the vocabulary that was put to it. The file does not tell which it was trained with.
    """

    output: Path
    checkpoint: LegacyCheckpoint
    optimizer_file: Path | None
    tokenizer_sha256: str

    @property
    def is_koberts_tokenizer(self) -> bool:
        """Whether the vocabulary is KoBERT's own."""
        return self.tokenizer_sha256 == KOBERT_SHA256


def convert_legacy_checkpoint(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    tokenizer: KoBERTTokenizer | str | os.PathLike[str] | None = None,
    num_attention_heads: int | None = None,
    word_split: WordSplit = "gluonnlp",
    *,
    labels: Sequence[str] | None = None,
    max_length: int = NOTEBOOK_LENGTH,
    strict: bool = True,
) -> LegacyImportReport:
    """Converts a notebook's file to a `save_pretrained` folder with tokenizer, model card and optimizer.

    The folder appears complete or not at all. The optimizer's state, where the file holds one, is written to
    `optimizer.pt`, which `torch.load(…, weights_only=True)` reads and `resume_optimizer` applies.

    Args:
        path: A `.pt`, `_state_dict.pt` or `_all.tar` file; see `import_legacy_checkpoint`.
        output: The folder to make; one that is there must be empty.
        tokenizer: A tokenizer, or the Hub id, folder or `spiece.model` of one. By default KoBERT's on the Hub,
            "skt/kobert-base-v1"; the tokenizer of this package's own default model is another one.
        num_attention_heads: Heads, where the file does not tell: a state dict of a hidden size other than 768.
        word_split: How the tokenizer splits words; "gluonnlp" is the notebook's way. A tokenizer that is given as
            an object keeps its own.
        labels: Label names in the order of the class ids; by default the seven emotions for seven classes.
        max_length: Tokens a text is cut to; the notebook's 64.
        strict: Whether a missing or an unexpected parameter is an error.

    Returns:
        What was found in the file, and where it went.

    Raises:
        CheckpointError: The file is missing, damaged, unsafe or does not fit.
        RunError: `output` is a file, or a folder that is not empty.
        TokenizerError: There is no such tokenizer, or it does not fit the model.
    """
    check_free(output)  # before the work, and once more at its end
    checkpoint = read_legacy_checkpoint(path, num_attention_heads, labels)
    model = build_classifier(checkpoint, strict=strict, dtype=None)
    loaded = _load_tokenizer(tokenizer, word_split, max_length)
    # Files of 2019 pad with id 1 and have the configuration say 0, which changes no result.
    model.config.pad_token_id = loaded.pad_token_id
    model.tokenizer = loaded
    try:
        writing = progress(Wording("모델 쓰기", "writing the model"))
        with writing, atomic_directory(output) as folder:
            model.save_pretrained(folder)
            card = render_model_card(checkpoint, loaded.word_split, loaded.model_max_length)
            (folder / "README.md").write_text(card, encoding="utf-8")
            if checkpoint.optimizer_state is not None:
                torch.save(checkpoint.optimizer_state, folder / OPTIMIZER_FILE)
    except (OSError, RuntimeError, SafetensorError) as error:  # each library reports a full disk in its own way
        raise CheckpointError(
            f"변환한 모델을 {output}에 쓸 수 없습니다: {error}. 아무것도 남기지 않았습니다.",
            f"Cannot write the converted model to {output}: {error}. Nothing was left there.",
        ) from error
    optimizer_file = None if checkpoint.optimizer_state is None else Path(output) / OPTIMIZER_FILE
    return LegacyImportReport(Path(output), checkpoint, optimizer_file, loaded.vocab_sha256)


def _load_tokenizer(
    tokenizer: KoBERTTokenizer | str | os.PathLike[str] | None, word_split: WordSplit, max_length: int
) -> KoBERTTokenizer:
    if isinstance(tokenizer, KoBERTTokenizer):
        return tokenizer
    source = KOBERT if tokenizer is None else tokenizer
    return KoBERTTokenizer.from_pretrained(source, word_split=word_split, model_max_length=max_length)
