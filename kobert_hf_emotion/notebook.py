# ruff: noqa: PT028 - `test_models` is the notebook's name, not a test
"""The notebook's own names on today's stack, so that its cells run after one import line.

    from kobert_hf_emotion.notebook import (
        BERTClassifier, BERTDataset, FocalLoss, calc_accuracy, new_softmax, predict, test_models
    )

In the notebook `test_models` and `predict` read globals. They take arguments here; those left out are looked
up among the notebook's globals (in `__main__`), under the names their documentation gives.
"""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from transformers import PreTrainedTokenizerBase

from .data.input_checks import as_texts
from .errors import CheckpointError, DataError, KoBERTEmotionError
from .legacy.reader import LegacyCheckpoint, read_legacy_checkpoint
from .modeling.losses import FocalLoss
from .modeling.notebook_classifier import BERTClassifier
from .utils.modules import evaluation_copy

Item = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], np.int32]

__all__ = [
    "BERTClassifier",
    "BERTDataset",
    "FocalLoss",
    "calc_accuracy",
    "new_softmax",
    "predict",
    "test_models",
]


class BERTDataset(Dataset[Item]):
    """Sentences as gluonnlp's `BERTSentenceTransform` gives them, with their labels.

    Args:
        dataset: Rows, such as `[["오늘 정말 행복했어", 5], …]`.
        sent_idx: Where a row has its sentence; for pairs two such places, or one with both sentences.
        label_idx: Where a row has its label, a number.
        bert_tokenizer: `KoBERTTokenizer` with `word_split="gluonnlp"`, which gives the notebook's ids.
        max_len: Tokens a sentence is cut to, `[CLS]` and `[SEP]` included.
        pad: Whether to fill up to `max_len` with the id of `[PAD]`.
        pair: Whether a row has two sentences.
        vocab: Without use: the tokenizer knows its vocabulary.

    Raises:
        DataError: A sentence is no text, or a label is no number.

    Example:
        >>> from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer
        >>> tok = KoBERTTokenizer.from_pretrained("default", word_split="gluonnlp")  # doctest: +SKIP
        >>> data = BERTDataset([["오늘 정말 행복했어", 5]], 0, 1, tok, 64, True, False)  # doctest: +SKIP
        >>> token_ids, valid_length, segment_ids, label = data[0]  # doctest: +SKIP
    """

    def __init__(
        self,
        dataset: Iterable[Any],
        sent_idx: Any,
        label_idx: Any,
        bert_tokenizer: PreTrainedTokenizerBase,
        max_len: int,
        pad: bool,
        pair: bool,
        *,
        vocab: object = None,  # noqa: ARG002 - some notebooks pass it
    ) -> None:
        rows = list(dataset)
        sentences = [_sentences(row, sent_idx, pair) for row in rows]
        firsts, seconds = [pick[0] for pick in sentences], [pick[-1] for pick in sentences]
        self.labels = [_label(row[label_idx]) for row in rows]
        self.sentences = _transform(bert_tokenizer, firsts, seconds if pair else None, max_len, pad)

    def __getitem__(self, i: int) -> Item:
        """Returns (token ids, valid length, segment ids, label) of row `i`, all int32."""
        return (*self.sentences[i], self.labels[i])

    def __len__(self) -> int:
        """Returns the number of rows."""
        return len(self.labels)


def _sentences(row: Any, sent_idx: Any, pair: bool) -> Sequence[str]:
    if not pair:
        return [row[sent_idx]]
    both = [row[index] for index in sent_idx] if isinstance(sent_idx, (list, tuple)) else row[sent_idx]
    if isinstance(both, str) or len(both) != 2:
        raise DataError(
            f"pair=True에는 문장 두 개가 필요합니다: {both!r}",
            f"Expected two sentences a row for pair=True, found {both!r}. Give two places in sent_idx, such as (0, 1).",
        )
    return list(both)


def _label(value: Any) -> np.int32:
    try:
        return np.int32(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"라벨은 숫자여야 합니다: {value!r}",
            f"Expected a number as the label, found {value!r}. load_emotion_dataset turns label names into numbers.",
        ) from error


def _transform(
    tokenizer: PreTrainedTokenizerBase, firsts: list[str], seconds: list[str] | None, max_len: int, pad: bool
) -> list[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]]:
    """Encodes all sentences in one call, and pads as gluonnlp does: segment 0 where there is padding."""
    as_texts(firsts)
    as_texts(seconds or [])
    if not firsts:
        return []
    encoded = tokenizer(firsts, seconds, truncation=True, max_length=max_len, return_attention_mask=False)
    items = []
    for ids, types in zip(encoded["input_ids"], encoded["token_type_ids"], strict=True):
        fill = max_len - len(ids) if pad else 0
        token_ids = np.array([*ids, *[tokenizer.pad_token_id] * fill], dtype=np.int32)
        segment_ids = np.array([*types, *[0] * fill], dtype=np.int32)
        items.append((token_ids, np.array(len(ids), dtype=np.int32), segment_ids))
    return items


def calc_accuracy(X: Tensor, Y: Tensor) -> float:
    """Returns the share of rows whose largest logit is the label's, 0 to 1.

    Args:
        X: Logits, shape (rows, classes).
        Y: Labels, shape (rows,).

    Example:
        >>> calc_accuracy(torch.tensor([[0.1, 0.9], [0.8, 0.2]]), torch.tensor([1, 1]))
        0.5
    """
    return float((X.argmax(dim=1) == Y).sum().item()) / X.shape[0]


def new_softmax(c: ArrayLike) -> NDArray[np.float64]:
    """Returns the softmax over all elements of `c` in percent, 0 to 100, rounded to two decimal places.

    Example:
        >>> new_softmax([0.0, 0.0, 1000.0])
        array([  0.,   0., 100.])
        >>> new_softmax([1.0, 2.0])
        array([26.89, 73.11])
    """
    values = np.asarray(c, dtype=np.float64)
    exponentials = np.exp(values - values.max())
    rounded: NDArray[np.float64] = np.round(exponentials / exponentials.sum() * 100, 2)
    return rounded


def test_models(
    state_dict_filepath: str | os.PathLike[str],
    test_dataloader: Iterable[Any] | None = None,
    bert: nn.Module | None = None,
    *,
    num_attention_heads: int | None = None,
    loss_fn: Callable[[Tensor, Tensor], Tensor] | None = None,
    device: str | torch.device | None = None,
) -> float:
    """Tests a saved model on a data set: prints loss and accuracy, and returns the accuracy.

    Both are means over the rows, where the notebook took the mean over batches, which weighs the rows of a
    smaller last batch more.

    Args:
        state_dict_filepath: A `_state_dict.pt`, `.pt` or `_all.tar` file; nothing in it is run.
        test_dataloader: Batches of (token ids, valid length, segment ids, label). By default the notebook's
            global `test_dataloader`.
        bert: A `BertModel` of the file's shape, which is copied, not changed. By default one is made to
            the file's measure.
        num_attention_heads: Heads, where neither the file nor `bert` tells.
        loss_fn: Of logits and labels, a mean over the rows. By default `FocalLoss()`.
        device: Where to compute; by default a GPU where there is one.

    Returns:
        The accuracy, 0 to 1.

    Raises:
        CheckpointError: The file is not a safe and whole checkpoint, or does not fit `bert`.
        KoBERTEmotionError: There is no `test_dataloader`, or it is empty.
    """
    batches = _given_or_global(test_dataloader, "test_dataloader")
    heads = getattr(getattr(bert, "config", None), "num_attention_heads", None)
    checkpoint = read_legacy_checkpoint(state_dict_filepath, num_attention_heads or heads)
    place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    model = _load_classifier(checkpoint, bert).to(place)
    test_loss, test_acc = _evaluate(model, batches, loss_fn or FocalLoss(), place)
    print(f"test loss {test_loss:.4f} test acc {test_acc:.4f}")  # noqa: T201 - as the notebook does
    return test_acc


test_models.__test__ = False  # type: ignore[attr-defined]  # pytest collects by the first syllable


def _load_classifier(checkpoint: LegacyCheckpoint, bert: nn.Module | None) -> BERTClassifier:
    from transformers import BertModel

    config = checkpoint.config
    encoder = BertModel(config) if bert is None else copy.deepcopy(bert)
    classifier = BERTClassifier(encoder, config.hidden_size, len(config.labels), config.classifier_dropout or None)
    try:
        classifier.load_state_dict(checkpoint.state_dict)
    except RuntimeError as error:
        raise CheckpointError(
            f"{checkpoint.path}의 가중치가 모델과 맞지 않습니다: {error}",
            f"Expected weights that fit the model; those of {checkpoint.path} do not: {error}",
        ) from error
    return classifier


def _evaluate(
    model: BERTClassifier,
    batches: Iterable[Any],
    loss_fn: Callable[[Tensor, Tensor], Tensor],
    device: torch.device,
) -> tuple[float, float]:
    """Returns the mean loss and the accuracy over all rows."""
    rows, loss, correct = 0, 0.0, 0.0
    for logits, label in _logits(model, batches, device):
        rows += len(label)
        loss += loss_fn(logits, label).item() * len(label)
        correct += calc_accuracy(logits, label) * len(label)
    if not rows:
        raise DataError("테스트 데이터가 비어 있습니다.", "Expected batches to test on, found none.")
    return loss / rows, correct / rows


def _logits(model: nn.Module, batches: Iterable[Any], device: torch.device) -> Iterable[tuple[Tensor, Tensor]]:
    computing = evaluation_copy(model)
    with torch.no_grad():
        for token_ids, valid_length, segment_ids, label in batches:
            logits = computing(token_ids.long().to(device), valid_length, segment_ids.long().to(device))
            yield logits, label.long().to(device)


def predict(
    sentence: str | Sequence[str],
    label: int | Sequence[int],
    model: nn.Module | None = None,
    bert_tokenizer: PreTrainedTokenizerBase | None = None,
    *,
    max_len: int = 64,
    batch_size: int = 64,
) -> tuple[list[int], list[int], list[NDArray[np.float64]]]:
    """Predicts the classes of sentences whose labels are known.

    Args:
        sentence: A sentence, or several.
        label: The label of the sentence, or one for each.
        model: A `BERTClassifier`. By default the notebook's global `model`.
        bert_tokenizer: As for `BERTDataset`. By default the notebook's global `tok` or `tokenizer`.
        max_len: Tokens a sentence is cut to.
        batch_size: Sentences a forward pass.

    Returns:
        `y_true`, the labels; `y_pred`, the predicted ones; and for each sentence the probability of every
        class in percent (`new_softmax`).

    Raises:
        DataError: There are not as many labels as sentences, or they are no text and no numbers.
        KoBERTEmotionError: There is no model or no tokenizer.
    """
    sentences = [sentence] if isinstance(sentence, str) else list(sentence)
    labels = list(label) if isinstance(label, Iterable) else [label]
    if len(sentences) != len(labels):
        raise DataError(
            f"문장은 {len(sentences)}개인데 라벨은 {len(labels)}개입니다.",
            f"Expected a label for each of the {len(sentences)} sentences, found {len(labels)}.",
        )
    classifier: nn.Module = _given_or_global(model, "model")
    tokenizer = _given_or_global(bert_tokenizer, "tok", "tokenizer")
    rows = list(zip(sentences, labels, strict=True))
    data = BERTDataset(rows, 0, 1, tokenizer, max_len, True, False)
    y_pred: list[int] = []
    probabilities: list[NDArray[np.float64]] = []
    batches = DataLoader(data, batch_size=batch_size)
    for logits, _ in _logits(classifier, batches, next(classifier.parameters()).device):
        y_pred.extend(logits.argmax(dim=1).tolist())
        probabilities.extend(new_softmax(row) for row in logits.float().cpu().numpy())
    return [int(value) for value in data.labels], y_pred, probabilities


def _given_or_global(value: Any, *names: str) -> Any:
    """Returns the argument, or what the notebook has under one of these names."""
    if value is not None:
        return value
    for name in names:
        found = getattr(sys.modules.get("__main__"), name, None)
        if found is not None:
            return found
    raise KoBERTEmotionError(
        f"인수로 주거나 노트북에 {' 또는 '.join(names)}을(를) 정의해야 합니다.",
        f"Expected an argument, or a notebook that defines {' or '.join(names)}; found neither.",
    )
