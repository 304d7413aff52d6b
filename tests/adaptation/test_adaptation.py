"""Masked-language-model training on texts: what is hidden, what is computed, what is kept and left on the disk."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from killed import killed_at_step
from safetensors.torch import load_file
from sentences import sentences, write_seed_csv
from small_encoders import SIZES, word_piece
from small_runs import make_args
from tiny import TINY
from transformers import (
    AutoModelForMaskedLM,
    BertConfig,
    BertForMaskedLM,
    ElectraConfig,
    ElectraForMaskedLM,
    RobertaConfig,
    RobertaForMaskedLM,
)

from kobert_hf_emotion import EmotionClassifier, KoBERTTokenizer
from kobert_hf_emotion.adaptation.adapting import adapt
from kobert_hf_emotion.adaptation.masking import Masks
from kobert_hf_emotion.adaptation.model import load_masked, masked_cross_entropy
from kobert_hf_emotion.adaptation.trainer import AdaptationTrainer
from kobert_hf_emotion.cli import main
from kobert_hf_emotion.errors import DataError, KoBERTEmotionError, RunError
from kobert_hf_emotion.tokenization.loading import load_tokenizer

TEXTS = [text for text, _ in sentences(24)]


def rows_of(tokenizer: Any, texts: list[str]) -> list[dict[str, Any]]:
    encoded = tokenizer(texts, return_attention_mask=False)
    return [{"row": index, **{name: encoded[name][index] for name in encoded}} for index in range(len(texts))]


def test_a_seventh_of_the_tokens_is_hidden_as_bert_was_taught(tokenizer: KoBERTTokenizer) -> None:
    """Shares over 80,000 tokens, within four standard deviations."""
    rows = [{**row, "row": index} for index, row in enumerate(rows_of(tokenizer, TEXTS) * 60)]
    ids = [row["input_ids"] for row in rows]
    plain = [token for row in ids for token in row if token not in tokenizer.all_special_ids]
    batch = Masks(tokenizer, 0.15, False, 0)(rows)
    hidden = batch["labels"] != -100
    original = torch.where(hidden, batch["labels"], batch["input_ids"])
    assert original[0][: len(ids[0])].tolist() == ids[0]
    count, chosen = len(plain), int(hidden.sum())
    assert abs(chosen - 0.15 * count) < 4 * math.sqrt(count * 0.15 * 0.85)
    masked = int((batch["input_ids"] == tokenizer.mask_token_id).sum())
    kept = int(((batch["input_ids"] == batch["labels"]) & hidden).sum())
    assert abs(masked - 0.8 * chosen) < 4 * math.sqrt(chosen * 0.8 * 0.2)
    assert abs(kept - 0.1 * chosen) < 4 * math.sqrt(chosen * 0.1 * 0.9)
    special = torch.isin(batch["labels"], torch.tensor(tokenizer.all_special_ids))
    assert not (special & hidden).any()
    assert not (hidden & (batch["attention_mask"] == 0)).any()


@pytest.mark.parametrize("kind", ["SentencePiece", "WordPiece"])
def test_words_are_hidden_whole(tokenizer: KoBERTTokenizer, kind: str) -> None:
    own: Any = tokenizer if kind == "SentencePiece" else word_piece()
    rows = rows_of(own, TEXTS)
    batch = Masks(own, 0.3, True, 1)(rows)
    seen = set()
    for index, row in enumerate(rows):
        tokens = own.convert_ids_to_tokens(row["input_ids"])
        words: list[list[int]] = []
        for place, token in enumerate(tokens):
            if token in own.all_special_tokens:
                continue
            begins = token.startswith("▁") if kind == "SentencePiece" else not token.startswith("##")
            if begins or not words or tokens[place - 1] in own.all_special_tokens:
                words.append([])
            words[-1].append(place)
        for word in words:
            states = {bool(batch["labels"][index, place] != -100) for place in word}
            assert len(states) == 1, (tokens, word)
            seen |= {(states.pop(), len(word) > 1)}
    assert seen == {(True, True), (True, False), (False, True), (False, False)}


def test_masks_follow_seed_epoch_and_rows_alone(tokenizer: KoBERTTokenizer) -> None:
    epoch = [0]
    rows = rows_of(tokenizer, TEXTS[:8])

    def hidden(seed: int = 0) -> list[list[int]]:
        found: list[list[int]] = Masks(tokenizer, 0.15, False, seed, lambda: epoch[0])(rows)["labels"].tolist()
        return found

    first = hidden()
    torch.manual_seed(5)
    assert hidden() == first
    assert hidden(seed=1) != first
    epoch[0] = 1
    assert hidden() != first


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder of each kind, with a head for hidden tokens and a WordPiece tokenizer."""
    folder, tokenizer = tmp_path_factory.mktemp("encoders"), word_piece()
    size = {**SIZES, "vocab_size": len(tokenizer)}
    made = {
        "bert": BertForMaskedLM(BertConfig(**size)),
        "electra": ElectraForMaskedLM(ElectraConfig(**size, embedding_size=16)),
        "roberta": RobertaForMaskedLM(RobertaConfig(**size, max_position_embeddings=130)),
    }
    for kind, model in made.items():
        model.save_pretrained(folder / kind)
        tokenizer.save_pretrained(folder / kind)
    return {kind: folder / kind for kind in made}


@pytest.mark.parametrize("kind", ["bert", "electra", "roberta"])
def test_the_loss_is_that_of_transformers(encoders: dict[str, Path], kind: str) -> None:
    tokenizer = load_tokenizer(encoders[kind])
    found = load_masked(encoders[kind], tokenizer)
    assert not found.head_is_new
    rows = rows_of(tokenizer, TEXTS[:16])
    batch = Masks(tokenizer, 0.3, False, 0)(rows)
    if kind == "roberta":
        batch["token_type_ids"].zero_()
    plain = AutoModelForMaskedLM.from_pretrained(encoders[kind]).eval()
    expected = plain(**batch).loss
    expected.backward()
    found.model.eval()
    total, count = masked_cross_entropy(found.model, batch)
    (total / count).backward()
    torch.testing.assert_close(total / count, expected, rtol=1e-6, atol=1e-6)
    for (name, weight), (_, other) in zip(found.model.named_parameters(), plain.named_parameters(), strict=True):
        if other.grad is not None:
            torch.testing.assert_close(weight.grad, other.grad, rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bert", "electra", "roberta"])
def test_every_kind_of_encoder_is_adapted_and_trained(encoders: dict[str, Path], tmp_path: Path, kind: str) -> None:
    args = make_args(num_train_epochs=1)
    found = adapt(TEXTS, tmp_path / "adapted", encoders[kind], args, whole_words=True)
    assert not found.head_is_new
    model, report = AutoModelForMaskedLM.from_pretrained(tmp_path / "adapted", output_loading_info=True)
    assert not report["missing_keys"]
    embedding = model.get_input_embeddings().weight
    assert model.get_output_embeddings().weight.data_ptr() == embedding.data_ptr(), "no longer tied"
    data = write_seed_csv(tmp_path / "train.csv", sentences(4))
    options = ["--folds", "2", "--epochs", "1", "--output", str(tmp_path / "run")]
    assert main(["train", str(data), "--model", str(tmp_path / "adapted"), *options]) == 0


@pytest.mark.slow
def test_texts_are_learned(tiny_model_folder: Path, tmp_path: Path) -> None:
    """The perplexity on held-out texts falls, the pooler stays, and nothing of the classifier's head is there."""
    args = make_args(num_train_epochs=30, learning_rate=5e-3, per_device_train_batch_size=16)
    found = adapt([*TEXTS, *TEXTS[:3], f"{TEXTS[0]} "], tmp_path / "adapted", tiny_model_folder, args, held_out=0.2)
    assert found.head_is_new
    assert (found.texts + found.held_out, found.repeated) == (len(TEXTS), 4)
    assert found.perplexity.after < 0.2 * found.perplexity.before
    weights, before = (
        load_file(tmp_path / "adapted" / "model.safetensors"),
        load_file(tiny_model_folder / "model.safetensors"),
    )
    for name in ("bert.pooler.dense.weight", "bert.pooler.dense.bias"):
        assert torch.equal(weights[name], before[name])
    assert not torch.equal(
        weights["bert.encoder.layer.0.attention.self.query.weight"],
        before["bert.encoder.layer.0.attention.self.query.weight"],
    )
    assert not [name for name in weights if name.startswith("classifier")]
    record = json.loads((tmp_path / "adapted" / "training_record.json").read_text(encoding="utf-8"))
    assert record["perplexity"]["after"] == found.perplexity.after
    card = (tmp_path / "adapted" / "README.md").read_text(encoding="utf-8")
    assert record["texts_sha256"] in card
    assert str(tmp_path) not in card


def test_the_perplexity_is_that_of_plain_transformers(encoders: dict[str, Path], tmp_path: Path) -> None:
    args = make_args(num_train_epochs=1, per_device_eval_batch_size=500)
    found = adapt(TEXTS, tmp_path / "adapted", encoders["bert"], args, held_out=0.3)
    tokenizer = load_tokenizer(encoders["bert"])
    order = np.random.default_rng(args.seed).permutation(len(TEXTS))[: found.held_out]
    rows = [row for row in rows_of(tokenizer, TEXTS) if row["row"] in set(order.tolist())]
    rows.sort(key=lambda row: len(row["input_ids"]))
    batch = Masks(tokenizer, 0.15, False, args.seed)(rows)
    for folder, expected in (
        (encoders["bert"], found.perplexity.before),
        (tmp_path / "adapted", found.perplexity.after),
    ):
        plain = AutoModelForMaskedLM.from_pretrained(folder).eval()
        with torch.no_grad():
            assert math.exp(plain(**batch).loss.item()) == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_a_killed_adaptation_ends_with_the_same_bits(tiny_model_folder: Path, tmp_path: Path) -> None:
    args = make_args(num_train_epochs=2, checkpoint_seconds=0, per_device_train_batch_size=32)

    def go(output: Path) -> Any:
        return adapt(TEXTS, output, tiny_model_folder, args)

    whole = go(tmp_path / "whole")
    for kill_at in (0, 3, 2):
        assert killed_at_step(AdaptationTrainer, kill_at, lambda: go(tmp_path / "killed"))
    with pytest.raises(RunError, match=r"texts_sha256|probability"):
        adapt(TEXTS[1:], tmp_path / "killed", tiny_model_folder, args, probability=0.2)
    killed = go(tmp_path / "killed")
    assert killed.perplexity == whole.perplexity
    names = ["model.safetensors"]
    assert [(tmp_path / "killed" / name).read_bytes() for name in names] == [
        (tmp_path / "whole" / name).read_bytes() for name in names
    ]
    assert not (tmp_path / "killed.in_progress").exists()


@pytest.mark.slow
def test_the_command(
    tiny_model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "texts.csv").write_text("text\n" + "\n".join(TEXTS) + "\n", encoding="utf-8")
    (tmp_path / "more.csv").write_text("text\n" + "\n".join(TEXTS[:2]) + "\n비가 왔다\n", encoding="utf-8")
    files = [str(tmp_path / "texts.csv"), str(tmp_path / "more.csv")]
    options = ["--model", str(tiny_model_folder), "--epochs", "1", "--output", str(tmp_path / "adapted")]
    assert main(["adapt", *files, *options]) == 0
    shown = capsys.readouterr()
    assert "perplexity" in shown.out
    assert "has no head for hidden tokens" in caplog.text
    model = EmotionClassifier.from_pretrained(tmp_path / "adapted", head="replaced")
    assert model.config.hidden_size == TINY["hidden_size"]
    assert main(["adapt", *files, *options]) == 2
    assert "nothing in it was touched" in capsys.readouterr().err


def test_what_cannot_be_adapted(tiny_model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="20 different texts"):
        adapt(TEXTS[:5] * 10, tmp_path / "a", tiny_model_folder)
    with pytest.raises(KoBERTEmotionError, match="probability"):
        adapt(TEXTS, tmp_path / "a", tiny_model_folder, probability=1.0)
    with pytest.raises(KoBERTEmotionError, match=r"spiece\.model"):
        adapt(TEXTS, tmp_path / "a", tmp_path)
    with pytest.raises(DataError, match="list of texts"):
        adapt("한 문장", tmp_path / "a", tiny_model_folder)
    assert not (tmp_path / "a").exists()


def test_a_perplexity_that_tells_nothing_is_told_of(
    tiny_model_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    unread = adapt(TEXTS, tmp_path / "a", tiny_model_folder, make_args(num_train_epochs=1, max_length=3))
    assert math.isnan(unread.perplexity.before)
    assert "no token of the held-out texts was hidden" in caplog.text
    caplog.clear()
    args = make_args(num_train_epochs=1, learning_rate=1e30, per_device_train_batch_size=8)
    diverged = adapt(TEXTS, tmp_path / "b", tiny_model_folder, args)
    assert math.isfinite(diverged.perplexity.before)
    assert not math.isfinite(diverged.perplexity.after)
    assert "the training diverged" in caplog.text
