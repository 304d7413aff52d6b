"""The emotion classifier: KoBERT's encoder and pooler, dropout, a linear head and the focal loss."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoModelForSequenceClassification, BertForSequenceClassification, PreTrainedTokenizerBase
from transformers.modeling_outputs import SequenceClassifierOutput
from typing_extensions import Self

from ..assets import resolve_default
from ..configuration import EmotionConfig, context_turns
from ..data.input_checks import as_pairs, as_texts, refuse_files
from ..errors import KoBERTEmotionError, TokenizerError
from ..explanation.words import Explanation, Method
from ..hub.adapters import refuse_adapter
from ..hub.errors import place_options
from ..hub.from_pretrained import load_weights
from ..hub.weight_check import Head
from ..kernels.first_token_layer import narrow_last_layer
from ..kernels.packed_bert import computes_plain_bert
from ..tasks.calibration import calibrated
from ..tasks.choice import task_of
from ..tasks.task import Prediction
from ..tokenization.guard import UnknownTexts, check_vocabulary
from ..tokenization.loading import load_tokenizer
from ..tokenization.long_texts import LongMode, LongTexts
from ..tokenization.model_files import fit_length
from ..tokenization.vocabulary import vocabulary_sha256
from ..wording import Wording
from .batches import DEFAULT_BATCH_SIZE
from .criterion import criterion_of
from .explaining import subject_of
from .long_texts import LongPrediction, Reader, answer_long, as_long, refuse_long_pairs
from .prediction import predict_logits, row_limit

logger = logging.getLogger(__name__)

_PUSH_OPTIONS = ("repo_id", "private", "revision", "commit_message", "commit_description", "create_pr", "tags")


@computes_plain_bert
class EmotionClassifier(BertForSequenceClassification):
    """A BERT sequence classifier trained with the focal loss, with its tokenizer at hand.

    Parameters, names and computation are those of `BertForSequenceClassification`, and the notebook's
    `BERTClassifier` has the same: `bert.*`, then dropout on the pooled output, then `classifier`. What a
    folder written by `save_pretrained` holds is therefore plain BERT, which `AutoModelForSequenceClassification`
    and `AutoTokenizer` load without this package.

    Example:
        >>> model = EmotionClassifier.from_pretrained("default")
        >>> [prediction] = model.predict(["오늘 정말 행복했어"])
        >>> sorted(prediction)
        ['label', 'probabilities', 'score']
    """

    config_class = EmotionConfig

    def __init__(self, config: EmotionConfig) -> None:
        super().__init__(config)
        narrow_last_layer(self.bert.encoder)
        self._tokenizer: PreTrainedTokenizerBase | None = None
        self._no_tokenizer: KoBERTEmotionError | None = None

    @classmethod
    def from_pretrained(  # type: ignore[override]
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str],
        *model_args: Any,
        tokenizer: PreTrainedTokenizerBase | None = None,
        head: Head = "may be new",
        **kwargs: Any,
    ) -> Self:
        """Loads a classifier, or starts one from a pre-trained encoder without a head.

        Args:
            pretrained_model_name_or_path: "default" (the model in this package), a Hub id such as
                "skt/kobert-base-v1", or a folder with `config.json` and `model.safetensors` or
                `pytorch_model.bin` (read with weights only).
            *model_args: As for `PreTrainedModel.from_pretrained`.
            tokenizer: The model's tokenizer; by default the one beside the weights.
            head: "may be new" starts a head at random where the source is an encoder without one, and says so;
                "needed" refuses such a source.
            **kwargs: As for `PreTrainedModel.from_pretrained`, configuration fields included
                (`num_labels=7`, `focal_gamma=1.0`). `dtype` is float32 unless it is given: a file in float16
                saves space, and computing in float16 is a choice of its own.

        Raises:
            CheckpointError: Nothing that can be loaded is there, or weights that are not all of the model's.
            HubError: The Hub does not know the name or the revision, refuses the token or cannot be reached.
        """
        refuse_adapter(
            pretrained_model_name_or_path,
            "EmotionClassifier는 온전한 모델을 엽니다(predict와 load_classifier는 어댑터도 엽니다).",
            "EmotionClassifier opens whole models (predict and load_classifier open adapters too).",
        )
        options = place_options(kwargs)
        loaded = load_weights(super().from_pretrained, pretrained_model_name_or_path, *model_args, head=head, **kwargs)
        model: Self = loaded[0] if isinstance(loaded, tuple) else loaded
        _say_assumed_labels(model, pretrained_model_name_or_path, {**kwargs, **options})
        if tokenizer is not None:
            model.tokenizer = tokenizer
            return loaded  # type: ignore[no-any-return]
        try:  # now, so that what is saved later depends neither on a call in between nor on the place being there still
            model.tokenizer = load_tokenizer(pretrained_model_name_or_path, **options)
        except KoBERTEmotionError as error:
            model._no_tokenizer = error
        return loaded  # type: ignore[no-any-return]  # a pair where `output_loading_info` asks for it

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer the model predicts with, by default the one that lay beside its weights.

        Raises:
            TokenizerError: The model came from nowhere (a bare configuration), or there is no `spiece.model`
                beside it, or the tokenizer is not the one the weights were trained with.
        """
        if self._tokenizer is None:
            raise self._missing_tokenizer()
        return self._tokenizer

    @tokenizer.setter
    def tokenizer(self, tokenizer: PreTrainedTokenizerBase) -> None:
        check_vocabulary(tokenizer, self.config)
        self.config.tokenizer_sha256 = vocabulary_sha256(tokenizer)
        self._tokenizer = fit_length(tokenizer, self.config)

    def _missing_tokenizer(self) -> KoBERTEmotionError:
        return self._no_tokenizer or TokenizerError(
            "이 모델은 설정만으로 만들어져 토크나이저가 없습니다. model.tokenizer에 토크나이저를 넣으세요.",
            "This model was built from a configuration and has no tokenizer. Set `model.tokenizer = "
            'KoBERTTokenizer.from_pretrained("default")` or another one.',
        )

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        **kwargs: Any,
    ) -> SequenceClassifierOutput | tuple[Tensor, ...]:
        """Computes logits and, where labels are given, the mean focal loss of the configuration.

        Args:
            input_ids: Token ids, shape (batch, tokens), int64.
            attention_mask: 1 for tokens, 0 for padding, shape (batch, tokens).
            token_type_ids: 0 or 1 for first or second sentence, shape (batch, tokens).
            position_ids: Positions, shape (batch, tokens).
            inputs_embeds: Embeddings in place of `input_ids`, shape (batch, tokens, hidden).
            labels: Class ids, shape (batch,), int64; of a multi-label model 1 and 0, shape (batch, labels). -100
                leaves a row, or an element, out.
            **kwargs: As for `BertForSequenceClassification`.

        Returns:
            `SequenceClassifierOutput` with `logits` of shape (batch, classes), or a tuple where
            `return_dict=False`.
        """
        return_dict = kwargs.pop("return_dict", None)
        states_wanted = (
            kwargs.get(name, getattr(self.config, name)) for name in ("output_hidden_states", "output_attentions")
        )
        if not any(states_wanted):
            kwargs["first_token_only"] = True
        outputs: SequenceClassifierOutput = super().forward(
            input_ids, attention_mask, token_type_ids, position_ids, inputs_embeds, return_dict=True, **kwargs
        )
        if labels is not None:
            assert outputs.logits is not None
            loss = criterion_of(self.config)(outputs.logits, labels)
            outputs = SequenceClassifierOutput(loss=loss, **outputs)  # set later, it would be no item of the output
        return outputs if return_dict is not False else tuple(outputs.to_tuple())

    def predict(
        self,
        texts: Iterable[str],
        batch_size: int = DEFAULT_BATCH_SIZE,
        max_length: int | None = None,
        text_pairs: Iterable[str] | None = None,
        long: LongTexts | LongMode | None = None,
    ) -> list[Prediction]:
        """Predicts the emotion of texts.

        The probabilities are softmax(logits / `config.softmax_temperature`), which a k-fold run fits so that they
        agree with how often the model is right. `forward`, and a pipeline that calls it, give the logits as trained:
        the same labels, with scores as at temperature 1.

        The probabilities of a multi-label model are sigmoid(slope · logit + shift) with the scale that
        `config.label_calibration` has for each label, where a run has fitted one; a pipeline gives sigmoid(logits).
        `labels` are those that reach the thresholds in its configuration, at least one unless `config.allow_empty`.

        Args:
            texts: Sentences: a list, tuple, Series, array, generator or column of a data set; order is kept.
            batch_size: Texts a forward pass.
            max_length: Tokens to cut a text to; by default what the model was trained with.
            text_pairs: Second sentences, for a model of sentence pairs; of a model trained with the turns before a
                line these turns, the oldest first, or the empty string.
            long: How texts longer than `max_length` are answered: "window", "sentence", or `LongTexts`, which also has
                the stride and the pooling. None cuts them.

        Returns:
            For each text `{"label", "score", "probabilities"}`, the score from 0 to 1 and the probabilities in percent,
            of a multi-label model also `labels`; see `Prediction`. With `long` also `parts`: the same of each window or
            sentence, with its `start` and `end`.

        Raises:
            DataError: `texts` is a table or a single text, an element is no string, or the name of a data file
                that is there.
            TokenizerError: The model's tokenizer is missing or does not fit.
        """
        texts = as_texts(texts)
        refuse_files(texts)
        if long is not None:
            return [*self._predict_long(texts, text_pairs, as_long(long), batch_size, max_length)]
        logits = predict_logits(self, self.tokenizer, texts, text_pairs, batch_size, max_length)
        return task_of(self.config).predictions(calibrated(logits, self.config), self.config.labels)

    def _predict_long(
        self,
        texts: list[str],
        text_pairs: Iterable[str] | None,
        long: LongTexts,
        batch_size: int,
        max_length: int | None,
    ) -> list[LongPrediction]:
        firsts, seconds = as_pairs(texts, text_pairs)
        refuse_long_pairs(seconds, context_turns(self.config))

        def ask(these: list[str], pairs: list[str] | None, unknown: UnknownTexts | None) -> NDArray[np.float32]:
            logits = predict_logits(self, self.tokenizer, these, pairs, batch_size, max_length, unknown)
            return calibrated(logits, self.config)

        task = task_of(self.config)
        reader = Reader(self.tokenizer, self.config, row_limit(self.tokenizer, self.config, max_length))
        return answer_long(ask, reader, task, firsts, seconds, long).predictions(task, self.config.labels)

    def explain(
        self, texts: Iterable[str], method: Method = "leave_one_out", label: str | None = None
    ) -> list[Explanation]:
        """Explains predictions by the words of the texts.

        Args:
            texts: As for `predict`.
            method: "leave_one_out" predicts each text again without each of its words; "integrated_gradients" adds
                up the model's gradients, for the tokens in them too (extra `explain`).
            label: The label that is explained; by default the predicted one. "leave_one_out" always gives all.

        Returns:
            An `Explanation` for each text: its words with what each contributes.

        Raises:
            DataError: As for `predict`.
            KoBERTEmotionError: `method` or `label` is unknown, or captum is not installed.
            TokenizerError: The tokenizer tells nothing of positions.
        """
        return subject_of(self, self.tokenizer).explain(texts, method, label)

    def save_pretrained(self, save_directory: str | os.PathLike[str], **kwargs: Any) -> None:  # type: ignore[override]
        """Writes `config.json`, `model.safetensors` and the tokenizer's files.

        A model that has no tokenizer, such as one made from a configuration, is written without, and a warning says so.

        Args:
            save_directory: Folder to write to; made where it is missing.
            **kwargs: As for `PreTrainedModel.save_pretrained`; with `push_to_hub=True` also those of
                `push_to_hub`, `repo_id` by default the name of the folder.
        """
        push = kwargs.pop("push_to_hub", False)  # at the end, when all files are there
        hub = {name: kwargs.pop(name) for name in _PUSH_OPTIONS if name in kwargs} if push else {}
        super().save_pretrained(save_directory, **kwargs)
        # Its class and parameters are BERT's own; the name must be one that an environment without us knows.
        self.config.architectures = [BertForSequenceClassification.__name__]
        if kwargs.get("is_main_process", True):
            self.config.save_pretrained(save_directory)
            if self._tokenizer is not None:
                self._tokenizer.save_pretrained(Path(save_directory))
            else:
                missing = self._missing_tokenizer()
                logger.warning(
                    Wording(
                        f"{save_directory}에 토크나이저 없이 저장합니다. 이대로 pipeline으로 열면 무엇에든 같은 답을 "
                        f"합니다. {missing.in_language('ko')}",
                        f"{save_directory} is saved without a tokenizer: opened like this, a pipeline gives everything "
                        f"one answer. {missing.in_language('en')}",
                    )
                )
        if push and kwargs.get("is_main_process", True):
            self.push_to_hub(hub.pop("repo_id", Path(save_directory).name), token=kwargs.get("token"), **hub)

    def push_to_hub(self, repo_id: str, **kwargs: Any) -> Any:  # type: ignore[override]
        """Uploads the model and its tokenizer to the Hub in one commit.

        Args:
            repo_id: "user/name"; the repository is made where it is missing.
            **kwargs: As for `PreTrainedModel.push_to_hub`: `private`, `revision`, `token`, `commit_message`, …

        Returns:
            Hugging Face's `CommitInfo`.
        """
        return super().push_to_hub(repo_id, **kwargs)  # type: ignore[arg-type]


def _say_assumed_labels(model: EmotionClassifier, source: str | os.PathLike[str], settings: Mapping[str, Any]) -> None:
    """Logs the names of the classes where neither the file nor the caller gives them any."""
    if not {"config", "id2label", "label2id", "num_labels"}.isdisjoint(settings):
        return
    content, _ = EmotionConfig.get_config_dict(resolve_default(source), **place_options(settings))
    if "id2label" not in content and "label2id" not in content:
        names = ", ".join(f"{index} {name}" for index, name in enumerate(model.config.labels))
        logger.warning(
            Wording(
                f"{source}: config.json에 id2label이 없어 라벨을 가정합니다. 다르면 id2label을 적으세요: {names}",
                f"{source}: no id2label in config.json, so that these labels are assumed: {names}",
            )
        )


# So that a pipeline knows the class; the type "bert" stays plain BERT, and folders load as that through `AutoModel…`.
AutoModelForSequenceClassification.register(EmotionConfig, EmotionClassifier, exist_ok=True)
