"""Model cards: the text for given data, its metadata as the Hub reads them, and the cards that a run writes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard, ModelCardData, metadata_load

from kobert_hf_emotion.hub.cards import REPO_PLACEHOLDER, is_hub_id, with_repo_id
from kobert_hf_emotion.runs.card import render_run_card

GOLDEN = Path(__file__).parent / "golden" / "model_card.md"


def scores(rows: int, accuracy: float) -> dict[str, float]:
    return {
        "rows": rows, "accuracy": accuracy, "macro_f1": accuracy - 0.01, "weighted_f1": accuracy + 0.001,
        "log_loss": 1 - accuracy,
    }  # fmt: skip


def class_scores(f1: float, support: float) -> dict[str, float]:
    return {"precision": f1 + 0.01, "recall": f1 - 0.01, "f1-score": f1, "support": support}


RECORD: dict[str, Any] = {
    "model": "skt/kobert-base-v1",
    "labels": ["fear", "surprise", "angry", "sad", "neutral", "happy", "disgust"],
    "word_split": "sentencepiece",
    "n_splits": 2,
    "processes": 1,
    "rows": 5000,
    "data_sha256": "a" * 64,
    "split_sha256": "b" * 64,
    "tokenization": {"truncated_share": 0.0123, "unknown_share": 0.004},
    "versions": {"kobert-hf-emotion": "0.1.0", "python": "3.11.7", "torch": "2.13.0", "transformers": "5.23.0"},
    "training_arguments": {
        "num_train_epochs": 10, "learning_rate": 5e-5, "max_length": 64, "focal_gamma": 2.0, "focal_alpha": "1.0",
        "seed": 42, "output_dir": "/home/somebody/runs/a", "hub_token": "<HUB_TOKEN>",
    },
}  # fmt: skip
REPORT: dict[str, Any] = {
    "folds": {"fold_1": scores(2500, 0.81), "fold_2": scores(2500, 0.83333)},
    "pooled": scores(5000, 0.8217),
    "best": {"fold": "fold_2", "chosen_on": "validation macro_f1"},
    "classification_report": {
        **{name: class_scores(0.5 + index / 20, 50 + 100 * index) for index, name in enumerate(RECORD["labels"])},
        "accuracy": 0.8217,
        "macro avg": class_scores(0.8, 5000),
        "weighted avg": class_scores(0.82, 5000),
    },
    "intervals": {"accuracy": [0.811, 0.8323], "macro_f1": [0.8, 0.823], "weighted_f1": [0.8101, 0.8333]},
    "calibration": {"temperature": 0.7123456, "ece_before": 0.0912, "ece_after": 0.01234, "ece_bins": 15},
}


def render(**settings: Any) -> str:
    defaults: dict[str, Any] = {"base_model": "skt/kobert-base-v1", "data_files": ["train.csv"]}
    return render_run_card(RECORD, REPORT, "my-run", **(defaults | settings))


def test_card_is_the_golden_one() -> None:
    assert render() == GOLDEN.read_text(encoding="utf-8")


def test_hub_reads_the_metadata_without_a_complaint(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(render(datasets=["user/data"], license_id="apache-2.0"), encoding="utf-8")
    metadata = metadata_load(tmp_path / "README.md")
    assert metadata is not None
    data = ModelCardData(**metadata)  # raises where the results cannot be parsed
    assert data.to_dict() == ModelCard.load(tmp_path / "README.md").data.to_dict()
    assert (data.language, data.library_name, data.pipeline_tag) == ("ko", "transformers", "text-classification")
    assert (data.base_model, data.datasets, data.license) == ("skt/kobert-base-v1", ["user/data"], "apache-2.0")
    assert data.eval_results is not None
    found = {(result.dataset_config, result.metric_name): result.metric_value for result in data.eval_results}
    assert found["fold_2", "Accuracy"] == 0.8333
    assert found["out-of-fold predictions of all 2 folds", "Macro F1"] == 0.8117
    assert len(found) == 6


def test_card_of_a_fold_shows_that_fold() -> None:
    data = ModelCard(render(fold="fold_1")).data
    assert data.eval_results is not None
    assert {result.dataset_config for result in data.eval_results[:3]} == {"fold_1"}
    assert "fold_1 ← 이 모델" in render(fold="fold_1")
    assert "fold_2 (best) |" in render(fold="fold_1")
    assert "fold_2 (best) ← 이 모델" in render()


def test_names_from_outside_stay_in_their_cell() -> None:
    record, report = copy.deepcopy(RECORD), copy.deepcopy(REPORT)
    bad = "나쁨|x`\n---\n<script>"
    record["labels"][0] = bad
    report["classification_report"] = {bad: class_scores(0.5, 10), **report["classification_report"]}
    card = render_run_card(record, report, "run\n---\n# x", data_files=["a|b.csv"])
    assert "<script>" not in card
    assert "| 나쁨x---script | 0.5000 |" in card
    assert card.count("\n---\n") == 1
    assert ModelCard(card).data.model_name == "run---# x"


def test_paths_and_tokens_of_the_machine_are_not_shown() -> None:
    record = RECORD | {"model": "/home/somebody/models/mine"}
    card = render_run_card(record, REPORT, "my-run")
    assert "somebody" not in card
    assert "HUB_TOKEN" not in card
    assert "`mine`" in card
    assert ModelCard(card).data.base_model is None


def test_other_encoders_have_no_word_about_kobert_s_tokenizer() -> None:
    card = render_run_card(RECORD | {"word_split": None}, REPORT, "run")
    assert "분절" not in card
    assert "word_split" not in card


def test_pushed_card_names_its_repository() -> None:
    card = with_repo_id(render(), "user/name")
    assert REPO_PLACEHOLDER not in card
    assert 'pipeline("text-classification", model="user/name"' in card


@pytest.mark.parametrize(
    ("source", "expected"),
    [("skt/kobert-base-v1", True), ("default", False), ("/tmp/a", False), ("runs/a/best", False), ("./a", False)],  # noqa: S108
)
def test_hub_ids(source: str, expected: bool) -> None:
    assert is_hub_id(source) is expected


def test_a_folder_here_is_no_hub_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs" / "a").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert not is_hub_id("runs/a")
    assert is_hub_id("runs/b")
