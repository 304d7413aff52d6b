"""What of a folder is uploaded to the Hub: what belongs to a model, whatever else lies there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from kobert_hf_emotion.hub import upload as hub_files
from kobert_hf_emotion.hub.upload import files_of_model
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.training.arguments import EmotionTrainingArguments
from kobert_hf_emotion.training.trainer import EmotionTrainer

STRAY = [
    "predictions.csv", "oof_predictions.csv", "train.csv", "split.csv", "고객 문의.xlsx", "rows.parquet", ".env",
    "token",     "Untitled.ipynb", "optimizer.pt", "scheduler.pt", "training_args.bin", "rng_state.pth", "old_all.tar",
    "notes.txt",
    "trainer_state.json", "model.safetensors.bak", "config.json~", "copy of config.json", "validation_logits.npy",
    "fold.json", "id_rsa", "secrets.json", "pytorch_model.bin", "model.pkl", "CONFIG.JSON.partial",
]  # fmt: skip


def strew(folder: Path) -> None:
    for name in STRAY:
        (folder / name).write_bytes(b"not for others")
    for name in ("checkpoint-10", "runs", ".cache"):
        (folder / name).mkdir()
        (folder / name / "config.json").write_text("{}")


def test_what_does_not_belong_to_a_model_stays(
    tiny_model: EmotionClassifier, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tiny_model.tokenizer  # noqa: B018 - so that it is saved
    tiny_model.save_pretrained(tmp_path)
    mine = {path.name for path in tmp_path.iterdir()}
    strew(tmp_path)
    with caplog.at_level("INFO"):
        assert {file.name for file in files_of_model(tmp_path)} == mine
    assert "predictions.csv" in caplog.text
    assert ".env" in caplog.text


def test_pickled_weights_belong_to_a_model_without_others(tmp_path: Path) -> None:
    for name in ("config.json", "pytorch_model.bin", "optimizer.bin", "vocab.txt"):
        (tmp_path / name).write_text("")
    assert [file.name for file in files_of_model(tmp_path)] == ["config.json", "pytorch_model.bin", "vocab.txt"]
    (tmp_path / "model-00001-of-00002.safetensors").write_text("")
    assert "pytorch_model.bin" not in [file.name for file in files_of_model(tmp_path)]


def test_graphs_lie_where_other_engines_look(tmp_path: Path) -> None:
    (tmp_path / "onnx").mkdir()
    mine = ["config.json", "export.json", "onnx/model.onnx", "onnx/model_quantized.onnx"]
    for name in (*mine, "onnx/notes.txt", "onnx/config.json"):
        (tmp_path / name).write_text("")
    assert [file.relative_to(tmp_path).as_posix() for file in files_of_model(tmp_path)] == mine


def test_the_trainer_uploads_no_more(
    tiny_model: EmotionClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads: list[dict[str, Any]] = []

    class Api:
        def __init__(self, token: object) -> None:
            pass

        def upload_folder(self, **arguments: Any) -> None:
            uploads.append(arguments)

    monkeypatch.setattr(hub_files, "HfApi", Api)
    strew(tmp_path)
    args = EmotionTrainingArguments(str(tmp_path), use_cpu=True, report_to="none")
    trainer = EmotionTrainer(tiny_model, args)
    trainer.hub_model_id = "user/name"
    trainer.push_to_hub()
    [upload] = uploads
    assert {"config.json", "model.safetensors", "spiece.model", "README.md"} <= set(upload["allow_patterns"])
    assert not set(upload["allow_patterns"]) & set(STRAY)


class Device:
    """A parameter as `use_accelerator` sees it."""

    def __init__(self, place: str) -> None:
        self.device = torch.device(place)


@pytest.mark.parametrize(("place", "moved"), [("cpu", ["mps"]), ("cuda:1", []), ("mps", [])])
def test_a_model_on_a_gpu_stays_there(place: str, moved: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from kobert_hf_emotion.modeling.prediction import use_accelerator

    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("mps"))
    went: list[str] = []

    class Model:
        def parameters(self) -> list[Device]:
            return [Device(place)]

        def to(self, device: torch.device) -> None:
            went.append(str(device))

    use_accelerator(Model())  # type: ignore[arg-type]
    assert went == moved
