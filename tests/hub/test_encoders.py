"""Other encoders with their own tokenizers, and sentence pairs, through the same commands."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch
from sentences import sentences, write_seed_csv
from small_encoders import SIZES, word_piece
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    ElectraConfig,
    ElectraModel,
    RobertaConfig,
    RobertaModel,
)

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.errors import CheckpointError, TokenizerError
from kobert_hf_emotion.inference.classifier import load_classifier, start_model
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.modeling.prediction import predict_logits
from kobert_hf_emotion.tokenization.loading import load_tokenizer


@pytest.fixture(scope="module", params=["bert", "electra", "roberta"])
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random encoder without a head, as its authors publish it, and its tokenizer."""
    tokenizer = word_piece()
    sizes = {**SIZES, "vocab_size": len(tokenizer)}
    torch.manual_seed(1)
    encoders = {
        "bert": lambda: BertModel(BertConfig(**sizes)),
        "electra": lambda: ElectraModel(ElectraConfig(**sizes, embedding_size=16)),
        # klue/roberta-base has one token type, and a tokenizer that numbers the sentences all the same.
        "roberta": lambda: RobertaModel(
            RobertaConfig(**sizes, type_vocab_size=1, max_position_embeddings=66), add_pooling_layer=False
        ),
    }
    folder = tmp_path_factory.mktemp("encoder") / request.param
    encoders[request.param]().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def run(capsys: pytest.CaptureFixture[str], *argv: object) -> str:
    code = main([str(argument) for argument in argv])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return captured.out


@pytest.mark.slow
def test_train_test_and_predict(capsys: pytest.CaptureFixture[str], encoder: Path, tmp_path: Path) -> None:
    data = write_seed_csv(tmp_path / "train.csv", sentences(6))
    options = ["--folds", 2, "--epochs", 1, "--learning-rate", "1e-3", "--gamma", 1.5, "--alpha", '{"sad": 2}']
    run(capsys, "train", data, "--model", encoder, "--output", tmp_path / "run", *options)
    assert str(tmp_path / "run" / "fold_2") in run(capsys, "test", tmp_path / "run", data)
    found = json.loads(run(capsys, "predict", tmp_path / "run" / "best", data, "--json"))
    assert sum(found["predicted"].values()) == 42
    config = json.loads((tmp_path / "run" / "fold_1" / "config.json").read_text(encoding="utf-8"))
    assert config["model_type"] == encoder.name
    assert (config["focal_gamma"], config["focal_alpha"][3], config["classifier_dropout"]) == (1.5, 2, 0.5)
    assert [config["id2label"][str(i)] for i in range(7)] == list(EMOTION_LABELS)


@pytest.mark.slow
def test_plain_transformers_gives_the_same_logits(
    capsys: pytest.CaptureFixture[str], encoder: Path, tmp_path: Path
) -> None:
    data = write_seed_csv(tmp_path / "train.csv", sentences(4))
    run(capsys, "train", data, "--model", encoder, "--output", tmp_path / "run", "--folds", 2, "--epochs", 1)
    folder = tmp_path / "run" / "fold_1"
    ours = load_classifier(folder)
    texts = [text for text, _ in sentences(4)][:9]
    plain, tokenizer = AutoModelForSequenceClassification.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    encoded = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    if encoder.name == "roberta":
        encoded.pop("token_type_ids", None)
    with torch.no_grad():
        expected = plain.eval()(**encoded).logits
    found = predict_logits(ours.model, ours.tokenizer, texts)
    torch.testing.assert_close(torch.from_numpy(found), expected, rtol=1e-5, atol=1e-5)


def test_the_guard_applies(encoder: Path, tiny_model_folder: Path) -> None:
    with pytest.raises(TokenizerError, match="embedding"):
        start_model(encoder, EMOTION_LABELS, 0.5, load_tokenizer(tiny_model_folder))
    with pytest.raises(TokenizerError, match="word_split"):
        load_tokenizer(encoder, word_split="gluonnlp")


def test_a_folder_without_any_vocabulary_is_refused(encoder: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((encoder / "config.json").read_bytes())
    with pytest.raises(TokenizerError, match=r"spiece\.model"):
        load_tokenizer(tmp_path)


def test_other_architectures_are_named(tmp_path: Path) -> None:
    DistilBertModel(DistilBertConfig(vocab_size=10, dim=8, n_heads=2, n_layers=1, hidden_dim=8)).save_pretrained(
        tmp_path
    )
    with pytest.raises(CheckpointError, match="distilbert"):
        start_model(tmp_path, EMOTION_LABELS, 0.5, word_piece())


def write_pairs(path: Path) -> list[tuple[str, str]]:
    """Rows whose label only the second sentence tells."""
    pairs = [("그래서 어땠어?", text) for text, _ in sentences(8)]
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["question", "answer", "Label"])
        writer.writerows((*pair, label) for pair, (_, label) in zip(pairs, sentences(8), strict=True))
    return pairs


@pytest.mark.slow
def test_sentence_pairs_from_file_to_prediction(
    capsys: pytest.CaptureFixture[str], tiny_model_folder: Path, tmp_path: Path
) -> None:
    pairs = write_pairs(tmp_path / "pairs.csv")
    columns = ["--text-column", "question", "--text-pair-column", "answer"]
    run(
        capsys, "train", tmp_path / "pairs.csv", *columns, "--model", tiny_model_folder, "--folds", 2, "--epochs", 1,
        "--learning-rate", "5e-3", "--output", tmp_path / "run",
    )  # fmt: skip
    with (tmp_path / "run" / "oof_predictions.csv").open(encoding="utf-8-sig", newline="") as handle:
        probabilities = {tuple(row[f"prob_{label}"] for label in EMOTION_LABELS) for row in csv.DictReader(handle)}
    assert len(probabilities) > 40  # the first sentences are all the same
    run(capsys, "test", tmp_path / "run", tmp_path / "pairs.csv", *columns)
    run(capsys, "predict", tmp_path / "run" / "best", tmp_path / "pairs.csv", *columns, "--output", tmp_path / "p.csv")
    with (tmp_path / "p.csv").open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [(row["text"], row["text_pair"]) for row in rows] == pairs
    classifier = load_classifier(tmp_path / "run" / "best")
    encoded = classifier.tokenizer(*map(list, zip(*pairs[:5], strict=True)), padding=True, return_tensors="pt")
    with torch.no_grad():
        expected = classifier.model.eval()(**encoded).logits.argmax(-1)
    assert [row["prediction"] for row in rows[:5]] == [EMOTION_LABELS[index] for index in expected]


def test_weights_that_do_not_fit_the_configuration_are_refused(tiny_model_folder: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "deeper"
    shutil.copytree(tiny_model_folder, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for field, value in (("num_hidden_layers", 3), ("intermediate_size", 48)):
        (folder / "config.json").write_text(json.dumps({**config, field: value}), encoding="utf-8")
        with pytest.raises(CheckpointError, match=r"bert\.encoder\.layer"):
            start_model(folder, EMOTION_LABELS, 0.5, load_tokenizer(folder))
