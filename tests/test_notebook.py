"""The notebook's names, each against an independent computation."""

from __future__ import annotations

import gzip
import inspect
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score
from torch.utils.data import DataLoader
from transformers import BertConfig, BertModel

from kobert_hf_emotion import notebook
from kobert_hf_emotion.errors import CheckpointError, DataError, KoBERTEmotionError
from kobert_hf_emotion.modeling import losses
from kobert_hf_emotion.notebook import BERTClassifier, BERTDataset, FocalLoss, calc_accuracy, new_softmax, predict
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

STEM = "Focal_KoBERT_e10_b64_fold_1"


@pytest.fixture(scope="module")
def expected(shared: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((shared / "legacy" / "expected.json").read_text("utf-8"))
    return content


@pytest.fixture(scope="module")
def tok(shared: Path) -> KoBERTTokenizer:
    return KoBERTTokenizer.from_pretrained(shared / "kobert" / "spiece.model", word_split="gluonnlp")


@pytest.fixture(scope="module")
def model(shared: Path, expected: dict[str, Any]) -> BERTClassifier:
    """Built and loaded as a notebook's cell does it."""
    names = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
    bert = BertModel(BertConfig(vocab_size=8002, pad_token_id=1, **{name: expected[name] for name in names}))
    model = BERTClassifier(bert, hidden_size=32, num_classes=7, dr_rate=0.5)
    model.load_state_dict(torch.load(shared / "legacy" / f"{STEM}_state_dict.pt", weights_only=True))
    return model


@pytest.fixture(scope="module")
def dataset(expected: dict[str, Any], tok: KoBERTTokenizer) -> BERTDataset:
    rows = [[text, str(label)] for text, label in zip(expected["texts"], expected["labels"], strict=True)]
    return BERTDataset(rows, 0, 1, tok, 64, True, False)


class TestBERTDataset:
    def test_items_are_gluonnlps(self, dataset: BERTDataset, expected: dict[str, Any]) -> None:
        assert len(dataset) == len(expected["texts"])
        for index in range(len(dataset)):
            token_ids, valid_length, segment_ids, label = dataset[index]
            assert token_ids.tolist() == expected["token_ids"][index]
            assert valid_length == expected["valid_length"][index]
            assert segment_ids.tolist() == [0] * 64
            assert label == expected["labels"][index]
            assert isinstance(label, np.int32)
            assert {array.dtype for array in (token_ids, valid_length, segment_ids)} == {np.dtype("int32")}

    def test_pairs_are_gluonnlps(self, shared: Path, tok: KoBERTTokenizer) -> None:
        with gzip.open(shared / "golden" / "tokenization_pairs.jsonl.gz", "rt", encoding="utf-8") as handle:
            lines = [json.loads(line) for line in handle]
        data = BERTDataset([[0, line["text"], line["text_pair"]] for line in lines], (1, 2), 0, tok, 64, True, True)
        for line, item in zip(lines, data, strict=True):
            assert item[0].tolist() == line["gluon"]
            assert item[1] == line["gluon_valid_length"]
            assert item[2].tolist() == line["gluon_segment"]
        together = [[0, (line["text"], line["text_pair"])] for line in lines[:5]]
        for item, other in zip(BERTDataset(together, 1, 0, tok, 64, True, True), data, strict=False):
            assert item[0].tolist() == other[0].tolist()

    def test_without_padding(self, tok: KoBERTTokenizer, expected: dict[str, Any]) -> None:
        data = BERTDataset([[expected["texts"][0], 1]], 0, 1, tok, 64, False, False, vocab="unused")
        token_ids, valid_length, segment_ids, _ = data[0]
        assert len(token_ids) == len(segment_ids) == valid_length == expected["valid_length"][0]

    def test_batches(self, dataset: BERTDataset) -> None:
        token_ids, valid_length, segment_ids, label = next(iter(DataLoader(dataset, batch_size=8)))
        assert token_ids.shape == segment_ids.shape == (8, 64)
        assert valid_length.shape == label.shape == (8,)
        assert {tensor.dtype for tensor in (token_ids, valid_length, segment_ids, label)} == {torch.int32}

    def test_the_seeds_parameters(self) -> None:
        names = list(inspect.signature(BERTDataset).parameters)
        assert names[:7] == ["dataset", "sent_idx", "label_idx", "bert_tokenizer", "max_len", "pad", "pair"]

    def test_bad_rows(self, tok: KoBERTTokenizer) -> None:
        with pytest.raises(DataError, match="'happy'"):
            BERTDataset([["a", "happy"]], 0, 1, tok, 64, True, False)
        with pytest.raises(DataError, match="not a string"):
            BERTDataset([[float("nan"), 1]], 0, 1, tok, 64, True, False)
        with pytest.raises(DataError, match="two sentences"):
            BERTDataset([["a", 1]], 0, 1, tok, 64, True, True)
        assert len(BERTDataset([], 0, 1, tok, 64, True, False)) == 0


class TestBERTClassifier:
    def test_logits(self, model: BERTClassifier, expected: dict[str, Any]) -> None:
        ids = torch.tensor(expected["token_ids"])
        with torch.no_grad():
            logits = model.eval()(ids, torch.tensor(expected["valid_length"]), torch.zeros_like(ids))
        torch.testing.assert_close(logits, torch.tensor(expected["logits"]), rtol=0, atol=1e-5)

    def test_mask(self, model: BERTClassifier) -> None:
        lengths = torch.tensor([3, 0, 5, 9], dtype=torch.int32)
        mask = model.gen_attention_mask(torch.zeros(4, 5, dtype=torch.int32), lengths)
        by_hand = torch.zeros(4, 5)
        for row, length in enumerate(lengths):
            by_hand[row][:length] = 1
        assert torch.equal(mask, by_hand)
        assert mask.dtype == torch.float32

    def test_dropout_is_there_where_asked_for(self) -> None:
        config = BertConfig(
            vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
        )
        bert = BertModel(config)
        assert BERTClassifier(bert, 8, 3, 0.25, None).dropout.p == 0.25
        assert not hasattr(BERTClassifier(bert, 8, 3), "dropout")
        assert BERTClassifier(bert, 8).classifier.out_features == 7

    def test_state_dict_of_older_transformers(self, model: BERTClassifier) -> None:
        old = {**model.state_dict(), "bert.embeddings.position_ids": torch.arange(512)[None]}
        model.load_state_dict(old)
        with pytest.raises(RuntimeError, match="extra"):
            model.load_state_dict({**old, "extra": torch.ones(1)})


class TestFunctions:
    def test_focal_loss_is_the_librarys(self) -> None:
        assert FocalLoss is losses.FocalLoss

    def test_calc_accuracy(self) -> None:
        generator = torch.Generator().manual_seed(0)
        logits = torch.randn(50, 7, generator=generator)
        labels = torch.randint(7, (50,), generator=generator)
        assert calc_accuracy(logits, labels) == accuracy_score(labels, logits.numpy().argmax(1))

    def test_new_softmax(self) -> None:
        values = [0.3, -1.2, 2.5, 0.0, 7.0, -3.3, 1.0]
        total = math.fsum(math.exp(value) for value in values)
        assert new_softmax(np.array(values)).tolist() == [round(100 * math.exp(value) / total, 2) for value in values]

    def test_new_softmax_does_not_overflow(self) -> None:
        assert new_softmax(np.array([1000.0, 1000.0, -1000.0])).tolist() == [50.0, 50.0, 0.0]


class TestTestModels:
    @pytest.mark.parametrize("suffix", [".pt", "_state_dict.pt", "_all.tar"])
    def test_loss_and_accuracy(
        self,
        shared: Path,
        expected: dict[str, Any],
        dataset: BERTDataset,
        suffix: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        path = shared / "legacy" / f"{STEM}{suffix}"
        loader = DataLoader(dataset, batch_size=20)  # 48 rows: the last batch is smaller
        accuracy = notebook.test_models(path, loader, num_attention_heads=2, device="cpu")
        logits = np.array(expected["logits"])
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        pt = p[np.arange(48), expected["labels"]]
        loss = float(np.mean((1 - pt) ** 2 * -np.log(pt)))
        assert accuracy == pytest.approx(accuracy_score(expected["labels"], logits.argmax(1)))
        assert capsys.readouterr().out == f"test loss {loss:.4f} test acc {accuracy:.4f}\n"

    def test_a_given_bert_is_copied(self, shared: Path, dataset: BERTDataset, model: BERTClassifier) -> None:
        model.bert.pooler.dense.bias.data += 1
        before = model.bert.pooler.dense.bias.clone()
        path = shared / "legacy" / f"{STEM}_state_dict.pt"
        found = notebook.test_models(path, DataLoader(dataset, batch_size=48), model.bert)
        assert torch.equal(model.bert.pooler.dense.bias, before)
        model.bert.pooler.dense.bias.data -= 1
        assert found == notebook.test_models(path, DataLoader(dataset, batch_size=48), num_attention_heads=2)

    def test_the_notebooks_globals(
        self, shared: Path, dataset: BERTDataset, model: BERTClassifier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = shared / "legacy" / f"{STEM}.pt"
        with pytest.raises(KoBERTEmotionError, match="defines test_dataloader"):
            notebook.test_models(path)
        monkeypatch.setattr(sys.modules["__main__"], "test_dataloader", DataLoader(dataset), raising=False)
        assert 0 <= notebook.test_models(path) <= 1

    def test_a_bert_of_another_shape(self, shared: Path, dataset: BERTDataset) -> None:
        config = BertConfig(vocab_size=9, hidden_size=32, num_hidden_layers=1, num_attention_heads=2)
        path = shared / "legacy" / f"{STEM}_state_dict.pt"
        with pytest.raises(CheckpointError, match="size mismatch"):
            notebook.test_models(path, DataLoader(dataset), BertModel(config))

    def test_nothing_to_test_on(self, shared: Path) -> None:
        with pytest.raises(DataError, match="found none"):
            notebook.test_models(shared / "legacy" / f"{STEM}.pt", [])


class TestPredict:
    def test_many(self, model: BERTClassifier, tok: KoBERTTokenizer, expected: dict[str, Any]) -> None:
        model.train()
        y_true, y_pred, probabilities = predict(expected["texts"], expected["labels"], model, tok, batch_size=10)
        assert model.training
        assert y_true == expected["labels"]
        logits = np.array(expected["logits"])
        assert y_pred == logits.argmax(1).tolist()
        softmax = 100 * np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        np.testing.assert_allclose(np.array(probabilities), softmax, atol=0.0051)

    def test_one_with_the_notebooks_globals(
        self, model: BERTClassifier, tok: KoBERTTokenizer, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(KoBERTEmotionError, match="defines model"):
            predict("오늘 정말 행복했어", 5)
        monkeypatch.setattr(sys.modules["__main__"], "model", model, raising=False)
        monkeypatch.setattr(sys.modules["__main__"], "tok", tok, raising=False)
        y_true, y_pred, probabilities = predict(expected["texts"][0], 5)
        assert y_true == [5]
        assert y_pred == [int(np.argmax(expected["logits"][0]))]
        assert probabilities[0].shape == (7,)

    def test_labels_that_do_not_match(self, model: BERTClassifier, tok: KoBERTTokenizer) -> None:
        with pytest.raises(DataError, match="each of the 2"):
            predict(["a", "b"], [1], model, tok)
