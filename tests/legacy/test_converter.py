"""The folder that a legacy file is converted to."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch
from code_process import CodeProcess
from legacy_files import STEM, assert_same
from safetensors.torch import load_file

from kobert_hf_emotion.errors import CheckpointError, RunError, TokenizerError
from kobert_hf_emotion.legacy import convert_legacy_checkpoint, converter, load_optimizer_file, resume_optimizer
from kobert_hf_emotion.modeling.classifier import EmotionClassifier


@pytest.fixture(scope="module")
def converted(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("converted") / "out"
    convert_legacy_checkpoint(shared / "legacy" / f"{STEM}_all.tar", output, shared / "kobert" / "spiece.model", 2)
    return output


def test_logits_from_texts(shared: Path, converted: Path) -> None:
    expected = json.loads((shared / "legacy" / "expected.json").read_text("utf-8"))
    model = EmotionClassifier.from_pretrained(converted)
    assert (model.tokenizer.word_split, model.tokenizer.model_max_length) == ("gluonnlp", 64)
    batch = model.tokenizer(expected["texts"], truncation=True, padding=True, return_tensors="pt")
    with torch.no_grad():
        logits = model.eval()(**batch).logits
    torch.testing.assert_close(logits, torch.tensor(expected["logits"]), rtol=0, atol=1e-6)
    best = [model.config.labels[row.index(max(row))] for row in expected["logits"]]
    assert [prediction["label"] for prediction in model.predict(expected["texts"])] == best


def test_plain_transformers_loads_it(shared: Path, converted: Path, plain: CodeProcess) -> None:
    expected = json.loads((shared / "legacy" / "expected.json").read_text("utf-8"))
    found = plain.run(f"""
import torch
from transformers import AutoModelForSequenceClassification
model = AutoModelForSequenceClassification.from_pretrained({str(converted)!r}).eval()
ids = torch.tensor({expected["token_ids"]!r})
with torch.no_grad():
    result = model(ids, attention_mask=(ids != 1).long()).logits.tolist()
""")
    torch.testing.assert_close(torch.tensor(found), torch.tensor(expected["logits"]), rtol=0, atol=1e-6)


def test_weights_are_bit_equal(shared: Path, converted: Path) -> None:
    old = torch.load(shared / "legacy" / f"{STEM}_state_dict.pt", weights_only=True)
    new = load_file(converted / "model.safetensors")
    assert_same(dict(old), {name: new[name] for name in old})
    assert set(old) == set(new)


def test_card_names_the_source(shared: Path, converted: Path) -> None:
    source = shared / "legacy" / f"{STEM}_all.tar"
    card = (converted / "README.md").read_text("utf-8")
    assert source.name in card
    assert hashlib.sha256(source.read_bytes()).hexdigest() in card
    assert "gluonnlp" in card


def test_optimizer_is_carried(shared: Path, converted: Path) -> None:
    old = torch.load(shared / "legacy" / f"{STEM}_all.tar", weights_only=True)["optimizer"]
    state = load_optimizer_file(converted / "optimizer.pt")
    assert_same(old, state)
    model = EmotionClassifier.from_pretrained(converted)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    resume_optimizer(optimizer, model, state)
    assert_same(old["state"], optimizer.state_dict()["state"])


def test_no_optimizer_no_file(shared: Path, tmp_path: Path) -> None:
    report = convert_legacy_checkpoint(
        shared / "legacy" / f"{STEM}.pt", tmp_path / "out", shared / "kobert" / "spiece.model"
    )
    assert report.optimizer_file is None
    assert not (tmp_path / "out" / "optimizer.pt").exists()
    assert report.checkpoint.kind == "model"


def test_output_in_use(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="empty folder"):
        convert_legacy_checkpoint(shared / "legacy" / f"{STEM}.pt", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("case", ["no heads", "no tokenizer", "no file"])
def test_errors_leave_nothing(shared: Path, tmp_path: Path, case: str) -> None:
    source = shared / "legacy" / (f"{STEM}.pt" if case == "no tokenizer" else f"{STEM}_state_dict.pt")
    source = tmp_path / "missing.pt" if case == "no file" else source
    tokenizer = tmp_path / "missing" if case == "no tokenizer" else shared / "kobert" / "spiece.model"
    with pytest.raises((CheckpointError, TokenizerError)):
        convert_legacy_checkpoint(source, tmp_path / "out", tokenizer)
    assert list(tmp_path.iterdir()) == []


def test_full_disk_leaves_nothing(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(converter.torch, "save", no_space)
    with pytest.raises(CheckpointError, match="No space left"):
        convert_legacy_checkpoint(
            shared / "legacy" / f"{STEM}_all.tar", tmp_path / "out", shared / "kobert" / "spiece.model", 2
        )
    assert list(tmp_path.iterdir()) == []


def test_optimizer_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "optimizer.pt").write_bytes(b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.")
    with pytest.raises(CheckpointError, match="cannot read"):
        load_optimizer_file(tmp_path / "optimizer.pt")
