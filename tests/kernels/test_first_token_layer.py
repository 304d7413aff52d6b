"""The last layer that computes [CLS] alone, beside the whole layer of plain BERT."""

from __future__ import annotations

import pytest
import torch
from transformers import BertForSequenceClassification

from kobert_hf_emotion import EmotionClassifier
from kobert_hf_emotion.configuration import EmotionConfig

pytestmark = pytest.mark.numeric

TOKENS = 11


@pytest.fixture(scope="module", params=["sdpa", "eager"])
def pair(request: pytest.FixtureRequest) -> tuple[EmotionClassifier, BertForSequenceClassification]:
    """Our classifier and plain BERT with the same weights, without dropout."""
    config = EmotionConfig(
        vocab_size=97,
        hidden_size=24,
        num_hidden_layers=3,
        num_attention_heads=3,
        intermediate_size=48,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        classifier_dropout=0.0,
        attn_implementation=request.param,
    )
    torch.manual_seed(0)
    ours, plain = EmotionClassifier(config), BertForSequenceClassification(config)
    for parameter in ours.parameters():  # as far from each other as after a training
        torch.nn.init.normal_(parameter, std=0.3)
    plain.load_state_dict(ours.state_dict())
    return ours, plain


def _inputs() -> dict[str, torch.Tensor]:
    ids = torch.randint(5, 97, (4, TOKENS), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    mask[3, 9:] = 0
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": (torch.arange(TOKENS) > 6).long().expand(4, -1)}


@pytest.mark.parametrize("masked", [True, False])
def test_logits_and_gradients_are_those_of_the_whole_layer(
    pair: tuple[EmotionClassifier, BertForSequenceClassification], masked: bool
) -> None:
    inputs = _inputs()
    if not masked:
        del inputs["attention_mask"]
    weights = torch.randn(4, 7, generator=torch.Generator().manual_seed(2))
    gradients = []
    for model in pair:
        model.train()
        model.zero_grad()
        logits = model(**inputs).logits
        (logits * weights).sum().backward()
        gradients.append([logits.detach(), *(p.grad for p in model.parameters())])
    for ours, plain in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, plain, atol=1e-5, rtol=1e-4)


def test_hidden_states_come_whole(pair: tuple[EmotionClassifier, BertForSequenceClassification]) -> None:
    found, expected = (model.eval()(**_inputs(), output_hidden_states=True).hidden_states for model in pair)
    assert len(found) == 4
    for ours, plain in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, plain, atol=1e-5, rtol=1e-4)


def test_the_encoder_alone_gives_every_state(pair: tuple[EmotionClassifier, BertForSequenceClassification]) -> None:
    states = pair[0].eval().bert(**_inputs()).last_hidden_state
    assert states.shape == (4, TOKENS, 24)


def test_gradient_checkpointing_changes_nothing(pair: tuple[EmotionClassifier, BertForSequenceClassification]) -> None:
    ours = pair[0].train()
    gradients = []
    for checkpointing in (False, True):
        if checkpointing:
            ours.gradient_checkpointing_enable()
        ours.zero_grad()
        ours(**_inputs()).logits.square().sum().backward()
        gradients.append([p.grad.clone() for p in ours.parameters() if p.grad is not None])
    ours.gradient_checkpointing_disable()
    for whole, checkpointed in zip(*gradients, strict=True):
        torch.testing.assert_close(whole, checkpointed)
