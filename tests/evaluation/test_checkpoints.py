"""The test step, against figures computed without it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score

from kobert_hf_emotion.errors import CheckpointError, DataError
from kobert_hf_emotion.evaluation.checkpoints import evaluate_checkpoints
from kobert_hf_emotion.inference.loading import load_checkpoint
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.legacy import export_legacy_checkpoint
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.runs.layout import best_fold, find_checkpoints
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

TEXTS = ["행복해ㅋㅋ", "무서워", "회의는 두 시", "짜증 나", "슬퍼ㅠㅠ", "헐", "역겨워", "오늘 점심은 김밥"]
LABELS = [5, 0, 4, 2, 3, 1, 6, 4]


def rows(names: tuple[str, ...] = EMOTION_LABELS, labels: list[int] = LABELS) -> datasets.Dataset:
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=list(names))})
    return datasets.Dataset.from_dict({"text": TEXTS, "label": labels}, features=features)


def test_scores_of_a_folder(tiny_model_folder: Path) -> None:
    [result] = evaluate_checkpoints([tiny_model_folder], rows(), batch_size=3)
    model = EmotionClassifier.from_pretrained(tiny_model_folder)
    with torch.no_grad():
        logits = torch.cat([model(**model.tokenizer(text, return_tensors="pt")).logits for text in TEXTS])
    pt = logits.softmax(-1)[torch.arange(8), torch.tensor(LABELS)]
    assert result.loss == pytest.approx(((1 - pt) ** 2 * -pt.log()).mean().item(), rel=1e-5)
    assert result.scores.log_loss == pytest.approx(-pt.log().mean().item(), rel=1e-5)
    predicted = logits.argmax(-1).tolist()
    assert result.scores.accuracy == accuracy_score(LABELS, predicted)
    assert result.scores.macro_f1 == pytest.approx(f1_score(LABELS, predicted, average="macro", zero_division=0))
    np.testing.assert_allclose(result.logits, logits, atol=1e-5)


def test_notebook_files_score_as_the_folder_they_came_from(
    tiny_model_folder: Path, gluon_tokenizer: KoBERTTokenizer, tmp_path: Path
) -> None:
    model = EmotionClassifier.from_pretrained(tiny_model_folder)
    model.tokenizer = gluon_tokenizer
    model.save_pretrained(tmp_path / "folder")
    files = export_legacy_checkpoint(model, tmp_path / "old")
    folder, *legacy = evaluate_checkpoints(
        [tmp_path / "folder", *files], rows(), tokenizer=gluon_tokenizer, num_attention_heads=2
    )
    for result in legacy:
        np.testing.assert_array_equal(result.logits, folder.logits)


def test_labels_are_matched_by_name(tiny_model_folder: Path) -> None:
    reversed_names = tuple(reversed(EMOTION_LABELS))
    [plain] = evaluate_checkpoints([tiny_model_folder], rows())
    [renamed] = evaluate_checkpoints([tiny_model_folder], rows(reversed_names, [6 - label for label in LABELS]))
    assert renamed.scores == plain.scores
    with pytest.raises(DataError, match="bored"):
        evaluate_checkpoints([tiny_model_folder], rows(("bored", *EMOTION_LABELS[1:])))


def test_a_notebook_file_without_tokenizer_says_what_to_do(tiny_model: EmotionClassifier, tmp_path: Path) -> None:
    path, *_ = export_legacy_checkpoint(tiny_model, tmp_path / "old")
    with pytest.raises(CheckpointError, match="`tokenizer`") as caught:
        load_checkpoint(path)
    assert "spiece.model" in str(caught.value)


def test_finding_checkpoints(tiny_model_folder: Path, tmp_path: Path) -> None:
    for number in (10, 2, 1):
        (tmp_path / f"fold_{number}").mkdir()
    assert [path.name for path in find_checkpoints(tmp_path)] == ["fold_1", "fold_2", "fold_10"]
    assert find_checkpoints(tiny_model_folder) == [tiny_model_folder]
    with pytest.raises(CheckpointError, match="fold_1"):
        find_checkpoints(tmp_path / "fold_1")
    with pytest.raises(CheckpointError, match="nowhere"):
        find_checkpoints(tmp_path / "nowhere")


def test_best_fold_is_what_the_run_recorded(tmp_path: Path) -> None:
    assert best_fold(tmp_path) is None
    (tmp_path / "run.json").write_text(json.dumps({"finished": False}), encoding="utf-8")
    assert best_fold(tmp_path) is None
    (tmp_path / "run.json").write_text(json.dumps({"best": "fold_3"}), encoding="utf-8")
    assert best_fold(tmp_path) == tmp_path / "fold_3"


def test_ignored_rows_count_in_no_figure(tiny_model_folder: Path) -> None:
    some = rows().remove_columns("label").add_column("label", [-100, *LABELS[1:]], feature=rows().features["label"])
    [whole] = evaluate_checkpoints([tiny_model_folder], some)
    [part] = evaluate_checkpoints([tiny_model_folder], rows().select(range(1, len(LABELS))))
    assert whole.scores == part.scores
    assert whole.loss == pytest.approx(part.loss)
    assert len(whole.logits) == len(LABELS)


@pytest.mark.parametrize("wrong", [-1, None])
def test_rows_without_a_label_are_an_error(wrong: int | None, tiny_model_folder: Path) -> None:
    with pytest.raises(DataError, match=f"index 0: {wrong}"):
        evaluate_checkpoints([tiny_model_folder], rows(labels=[wrong, *LABELS[1:]]))


def test_only_folds_are_folds(tiny_model_folder: Path, tmp_path: Path) -> None:
    for name in ("fold_2", "fold_10", "fold_1", "fold_1_backup", "fold_", "fold_x", "fold_01", "old_fold_3"):
        shutil.copytree(tiny_model_folder, tmp_path / name)
    (tmp_path / "fold_3").write_text("a file")
    assert [path.name for path in find_checkpoints(tmp_path)] == ["fold_1", "fold_2", "fold_10"]
