"""The classifier packed for oneDNN, beside plain BERT, and when it steps back."""

from __future__ import annotations

import gc
import platform
import weakref
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from transformers import BertForSequenceClassification

from kobert_hf_emotion import EmotionClassifier
from kobert_hf_emotion.kernels.packed_bert import packed_bert
from kobert_hf_emotion.modeling.prediction import predict_logits

pytestmark = pytest.mark.numeric

pytestmark = pytest.mark.skipif(
    platform.machine().lower() not in {"x86_64", "amd64"} or not torch.backends.mkldnn.is_available(),
    reason="packs on x86-64 with oneDNN alone",
)
TEXTS = [
    "좋아",
    "정말 짜증나 ㅠㅠ",
    "오늘은 그냥 그런 하루였다",
    "무서워서 잠이 안 와...",
    "헐 대박 ㅋㅋㅋㅋ 이게 된다고?",
] * 3


@pytest.fixture
def model() -> EmotionClassifier:
    """The default model, fresh."""
    return EmotionClassifier.from_pretrained("default").eval()


def _plain_logits(model: EmotionClassifier, texts: list[str]) -> np.ndarray:
    """Logits by transformers' own class, one text at a time."""
    plain = BertForSequenceClassification(model.config)
    plain.load_state_dict(model.state_dict())
    plain.eval()
    with torch.inference_mode():
        return np.concatenate([plain(**model.tokenizer([text], return_tensors="pt")).logits.numpy() for text in texts])


def test_logits_are_those_of_plain_bert(model: EmotionClassifier) -> None:
    assert packed_bert(model) is not None
    for batch_size in (1, 2, 64):
        found = predict_logits(model, model.tokenizer, TEXTS, batch_size=batch_size)
        np.testing.assert_allclose(found, _plain_logits(model, TEXTS), atol=2e-5)


def test_token_types_of_pairs_count(model: EmotionClassifier) -> None:
    with torch.no_grad():
        model.bert.embeddings.token_type_embeddings.weight[1] += 0.5
    encoded = model.tokenizer(["그래서"], ["좋았어?"], return_tensors="pt")
    packed = packed_bert(model)
    assert packed is not None
    with torch.inference_mode():
        plain = model(**encoded).logits
        torch.testing.assert_close(packed(**encoded), plain, atol=2e-5, rtol=0)
        assert not torch.allclose(packed(encoded["input_ids"], encoded["attention_mask"]), plain, atol=1e-3)


@pytest.mark.parametrize("how", ["optimizer", "data", "replaced", "loaded", "added to data of a bias"])
def test_changed_weights_are_packed_anew(model: EmotionClassifier, how: str) -> None:
    before = predict_logits(model, model.tokenizer, TEXTS)
    query = model.bert.encoder.layer[1].attention.self.query
    if how == "optimizer":
        torch.optim.SGD(model.parameters(), lr=0.1).zero_grad()
        model(**model.tokenizer(TEXTS[:2], padding=True, return_tensors="pt")).logits[:, 0].sum().backward()
        torch.optim.SGD(model.parameters(), lr=0.1).step()
    elif how == "data":
        query.weight.data.mul_(-3)
    elif how == "replaced":
        query.weight = nn.Parameter(query.weight.detach() * -3)
    elif how == "loaded":
        # not by much: at 1.5 both ways are 1e-4 away from the logits in float64, at 1.1 they are 3e-6 away
        model.load_state_dict({name: value * 1.1 for name, value in model.state_dict().items()})
    else:
        query.bias.data.add_(4)
    found = predict_logits(model, model.tokenizer, TEXTS)
    assert np.abs(found - before).max() > 1e-3
    np.testing.assert_allclose(found, _plain_logits(model, TEXTS), atol=5e-5)


def test_the_packed_copy_is_kept_as_long_as_the_model() -> None:
    model = EmotionClassifier.from_pretrained("default")
    assert packed_bert(model) is packed_bert(model)
    copy = weakref.ref(packed_bert(model))
    alive = weakref.ref(model)
    del model
    gc.collect()
    assert alive() is None
    assert copy() is None


class _Doubled(EmotionClassifier):
    def forward(self, *args: object, **kwargs: object) -> object:
        outputs = super().forward(*args, **kwargs)  # type: ignore[arg-type]
        outputs.logits = outputs.logits * 2
        return outputs


def test_a_subclass_computes_for_itself(model: EmotionClassifier) -> None:
    doubled = _Doubled.from_pretrained("default").eval()
    assert packed_bert(doubled) is None
    expected = 2 * predict_logits(model, model.tokenizer, TEXTS)
    np.testing.assert_allclose(predict_logits(doubled, model.tokenizer, TEXTS), expected, atol=1e-4)


def test_a_hooked_model_computes_for_itself(model: EmotionClassifier) -> None:
    seen = []
    hook = model.bert.encoder.layer[0].register_forward_hook(lambda *_: seen.append(1))
    predict_logits(model, model.tokenizer, TEXTS[:1])
    assert seen
    hook.remove()
    assert packed_bert(model) is not None


class _Adapted(nn.Linear):
    """Stands for an adapter or a quantised layer: a linear layer that computes something else."""

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return -2 * super().forward(states)


def test_a_model_with_other_layers_computes_for_itself(model: EmotionClassifier) -> None:
    before = predict_logits(model, model.tokenizer, TEXTS)
    dense = model.bert.encoder.layer[2].output.dense
    adapted = _Adapted(dense.in_features, dense.out_features)
    adapted.load_state_dict(dense.state_dict())
    model.bert.encoder.layer[2].output.dense = adapted.eval()
    assert packed_bert(model) is None
    assert np.abs(predict_logits(model, model.tokenizer, TEXTS) - before).max() > 1e-3


def test_other_precisions_compute_for_themselves(model: EmotionClassifier) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert packed_bert(model) is None
    assert packed_bert(model.double()) is None  # type: ignore[arg-type]


def test_modes_come_back(model: EmotionClassifier) -> None:
    model.train()
    model.bert.encoder.layer[0].eval()
    modes = [module.training for module in model.modules()]
    predict_logits(model, model.tokenizer, TEXTS)
    assert [module.training for module in model.modules()] == modes


def _write_a_row(model: EmotionClassifier) -> None:
    model.bert.encoder.layer[0].attention.self.value.weight.data[1, :] = 50


def _write_one_number(model: EmotionClassifier) -> None:
    model.bert.encoder.layer[3].intermediate.dense.weight.data[77, 131] += 40


def _write_through_numpy(model: EmotionClassifier) -> None:
    model.bert.encoder.layer[2].output.dense.weight.detach().numpy()[5] = 9


def _swap_two_rows(model: EmotionClassifier) -> None:
    value = model.bert.encoder.layer[0].attention.self.value.weight.data
    value[[10, 40]] = value[[40, 10]]  # no sum over the numbers tells


def _turn_in_place(model: EmotionClassifier) -> None:
    value = model.bert.encoder.layer[0].attention.self.value.weight
    value.data = value.data.t()


def _move_positions(model: EmotionClassifier) -> None:
    model.bert.embeddings.position_embeddings.weight.data[1:4] *= -5


def _renumber_positions(model: EmotionClassifier) -> None:
    model.bert.embeddings.position_ids.copy_(model.bert.embeddings.position_ids.flip(-1))


def _widen_a_norm(model: EmotionClassifier) -> None:
    model.bert.encoder.layer[1].output.LayerNorm.eps = 30.0


def _exchange_two_weights(model: EmotionClassifier) -> None:
    attention = model.bert.encoder.layer[0].attention.self
    attention.value.weight, attention.key.weight = attention.key.weight, attention.value.weight


def _make_another_class_of_it(model: EmotionClassifier) -> None:
    model.bert.encoder.layer[2].output.dense.__class__ = _Adapted


@pytest.mark.parametrize(
    "change",
    [
        _write_a_row,
        _write_one_number,
        _write_through_numpy,
        _swap_two_rows,
        _turn_in_place,
        _move_positions,
        _renumber_positions,
        _widen_a_norm,
        _exchange_two_weights,
        _make_another_class_of_it,
    ],
)
def test_any_change_is_seen(model: EmotionClassifier, change: Callable[[EmotionClassifier], None]) -> None:
    before = predict_logits(model, model.tokenizer, TEXTS)
    change(model)
    found = predict_logits(model, model.tokenizer, TEXTS)
    with torch.inference_mode():  # by the model itself, one text at a time
        expected = [model(**model.tokenizer([text], return_tensors="pt")).logits.numpy()[0] for text in TEXTS]
    assert np.abs(found - before).max() > 1e-3
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_hooks_on_all_modules_are_called(model: EmotionClassifier) -> None:
    predict_logits(model, model.tokenizer, TEXTS[:1])
    seen = []
    hook = nn.modules.module.register_module_forward_hook(lambda *_: seen.append(1))
    try:
        predict_logits(model, model.tokenizer, TEXTS[:1])
    finally:
        hook.remove()
    assert seen


def test_changing_the_mode_does_not_pack_anew(model: EmotionClassifier) -> None:
    packed = packed_bert(model)
    model.train()
    assert packed_bert(model) is packed
