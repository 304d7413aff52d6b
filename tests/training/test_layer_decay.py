"""Learning rates that fall from the head to the embeddings."""

from __future__ import annotations

import re

import pytest
import torch
from small_runs import make_args, make_dataset
from torch import nn
from transformers import (
    ElectraConfig,
    ElectraForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from kobert_hf_emotion.configuration import EmotionConfig
from kobert_hf_emotion.errors import KoBERTEmotionError
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer
from kobert_hf_emotion.training.layer_decay import decay_layers
from kobert_hf_emotion.training.trainer import EmotionTrainer

SIZE = {"hidden_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 16}


def rates(optimizer: torch.optim.Optimizer, model: nn.Module) -> dict[str, float]:
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {names[id(p)]: group["lr"] for group in optimizer.param_groups for p in group["params"]}


@pytest.mark.parametrize(
    "model",
    [
        EmotionClassifier(EmotionConfig(**SIZE)),
        ElectraForSequenceClassification(ElectraConfig(vocab_size=40, embedding_size=4, **SIZE)),
        RobertaForSequenceClassification(RobertaConfig(vocab_size=40, **SIZE)),
    ],
    ids=["bert", "electra", "roberta"],
)
def test_each_layer_has_a_part_of_the_rate_of_the_one_above(model: nn.Module) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.0)
    decay_layers(optimizer, model, 0.5)
    found = rates(optimizer, model)
    assert set(found) == {name for name, _ in model.named_parameters()}
    for name, rate in found.items():
        layer = re.search(r"layer\.(\d)\.", name)
        expected = 0.5 ** (3 - int(layer[1])) if layer else 0.5**4 if "embeddings" in name else 1.0
        assert rate == expected, name


def test_the_trainer_decays_and_its_schedule_scales_all_alike(tokenizer: KoBERTTokenizer) -> None:
    model = EmotionClassifier(EmotionConfig(**SIZE))
    args = make_args(layer_decay=0.5, learning_rate=0.1, weight_decay=0.3, warmup_steps=0, lr_scheduler_type="linear")
    trainer = EmotionTrainer(model, args, make_dataset(3), processing_class=tokenizer)
    trainer.create_optimizer_and_scheduler(10)
    assert trainer.optimizer is not None
    before = rates(trainer.optimizer, model)
    assert len(set(before.values())) == 5
    decayed = {
        name
        for group in trainer.optimizer.param_groups
        if group["weight_decay"]
        for name, parameter in model.named_parameters()
        if any(parameter is other for other in group["params"])
    }
    assert decayed == {name for name, p in model.named_parameters() if "bias" not in name and "LayerNorm" not in name}
    trainer.optimizer.step()
    trainer.lr_scheduler.step()
    after = rates(trainer.optimizer, model)
    assert {name: pytest.approx(0.9 * rate) for name, rate in before.items()} == after


def test_a_model_without_such_layers_is_refused() -> None:
    model = nn.Linear(2, 2)
    with pytest.raises(KoBERTEmotionError, match=r"encoder\.layer\.N") as caught:
        decay_layers(torch.optim.SGD(model.parameters(), lr=1.0), model, 0.9)
    assert caught.value.mend == {"layer_decay": 1.0}
