"""The public API with wrong arguments: a clear error where they come in, never one from deep inside."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

import kobert_hf_emotion as api
from kobert_hf_emotion import EmotionClassifier, EmotionTrainingArguments, KoBERTEmotionError
from kobert_hf_emotion.inference.classifier import Classifier
from kobert_hf_emotion.inference.ensemble import EmotionEnsemble

TEXTS = ["오늘 정말 좋았다", "밤길이 무서웠다", "ㅠㅠ"]
NAMES = list(api.EMOTION_LABELS)


def rows(labels: Any = None, feature: Any = None, **columns: Any) -> datasets.Dataset:
    """Returns two rows a label, with a column `text` unless columns are given."""
    columns = columns or {"text": [f"오늘은 {i}번째로 좋은 날" for i in range(14)]}
    found = datasets.Dataset.from_dict(columns)
    if feature is None:
        feature = datasets.ClassLabel(names=NAMES)
    return found.add_column("label", list(range(7)) * 2 if labels is None else labels, feature=feature)  # type: ignore[arg-type]


class World:
    """What the cases are made of."""

    def __init__(self, model: Path, tmp: Path, classifier: EmotionClassifier) -> None:
        self.model, self.tmp = model, tmp
        self.classifier = classifier
        self.ensemble = EmotionEnsemble([Classifier(self.classifier, self.classifier.tokenizer)])
        self.good = rows()
        self.csv = tmp / "rows.csv"
        self.csv.write_text("text,label\n좋다,happy\n싫다,disgust\n", encoding="utf-8")
        self.args = EmotionTrainingArguments(str(tmp / "out"), disable_tqdm=True, report_to=[])


@pytest.fixture(scope="module")
def classifier(tiny_model_folder: Path) -> EmotionClassifier:
    return EmotionClassifier.from_pretrained(tiny_model_folder)


@pytest.fixture
def world(tiny_model_folder: Path, tmp_path: Path, classifier: EmotionClassifier) -> World:
    return World(tiny_model_folder, tmp_path, classifier)


Case = Callable[[World], Any]

PREDICTORS: dict[str, Callable[[World], Any]] = {"classifier": lambda w: w.classifier, "ensemble": lambda w: w.ensemble}

NO_TEXTS: dict[str, tuple[Any, str]] = {
    "a text": ("오늘 좋았다", "list"),
    "bytes": (b"x", "list"),
    "a path": (Path("x.csv"), "load_emotion_dataset"),
    "a frame": (pd.DataFrame({"text": TEXTS}), 'data["text"]'),
    "a frame of another column": (pd.DataFrame({"id": [1], "문장": ["가"]}), 'data["문장"]'),
    "a dict": ({"text": TEXTS}, 'data["text"]'),
    "a table": (pa.table({"document": TEXTS}), 'data["document"]'),
    "a data set": (rows(), 'data["text"]'),
    "several data sets": (datasets.DatasetDict({"train": rows()}), "DatasetDict"),
    "a stream": (rows().to_iterable_dataset(), "IterableDataset"),
    "a set": (set(TEXTS), "set"),
    "two dimensions": (np.array([TEXTS]), "ndarray"),
    "a cell": (np.array("가"), "ndarray"),
    "None": (None, "NoneType"),
    "a number": (3, "int"),
    "numbers": ([1, 2], "1 (int)"),
    "a missing text": (["가", None], "None"),
    "NaN": (pd.Series(["가", float("nan")]), "dropna"),
    "NA": (pd.Series(["가", pd.NA], dtype="string"), "dropna"),
    "pairs": (list(zip(TEXTS, TEXTS, strict=True)), "tuple"),
    "a nested list": ([TEXTS], "list"),
}


@pytest.mark.parametrize("predictor", PREDICTORS)
@pytest.mark.parametrize("wrong", NO_TEXTS)
def test_predict_refuses_what_are_no_texts(world: World, predictor: str, wrong: str) -> None:
    value, part = NO_TEXTS[wrong]
    with pytest.raises(KoBERTEmotionError, match=re.escape(part)):
        PREDICTORS[predictor](world).predict(value)
    if value is not None:
        with pytest.raises(KoBERTEmotionError):
            PREDICTORS[predictor](world).predict(TEXTS, text_pairs=value)


@pytest.mark.parametrize("predictor", PREDICTORS)
@pytest.mark.parametrize(
    "kind",
    [
        list, tuple, iter, pd.Series, np.array, pa.array, lambda t: pa.chunked_array([t]), lambda t: (x for x in t),
        lambda t: pd.Series(t, index=["columns", "column_names", "c"]), lambda t: pd.Series(t, dtype="category"),
        lambda t: pd.Series(t, dtype="string"), lambda t: datasets.Dataset.from_dict({"text": t})["text"],
        lambda t: dict(enumerate(t)).values(), lambda t: np.array(t, dtype=object), lambda t: map(str, t),
    ],
)  # fmt: skip
def test_predict_takes_whatever_holds_texts_in_order(world: World, predictor: str, kind: Callable[..., Any]) -> None:
    model = PREDICTORS[predictor](world)
    expected = model.predict(list(TEXTS))
    assert model.predict(kind(TEXTS)) == expected
    paired = model.predict(TEXTS, text_pairs=list(TEXTS))
    assert model.predict(kind(TEXTS), text_pairs=kind(TEXTS)) == paired


def test_predict_of_nothing_is_nothing(world: World) -> None:
    assert world.classifier.predict([]) == world.ensemble.predict(iter(())) == []


def test_names_of_files_are_no_texts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.tmp)
    for model in (world.classifier, world.ensemble):
        for texts in (["rows.csv"], ["좋다", str(world.csv)]):
            with pytest.raises(KoBERTEmotionError, match="load_emotion_dataset"):
                model.predict(texts)
        assert len(model.predict(["no such.csv", "rows"])) == 2


COUNTS = [0, -1, True, False, "64", 1.5, None, float("nan")]

DATASETS: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "a path": lambda: "train.csv",
    "a list": lambda: [{"text": "가", "label": 0}],
    "a dict": lambda: {"text": ["가"], "label": [0]},
    "a frame": lambda: pd.DataFrame({"text": ["가"], "label": [0]}),
    "several": lambda: datasets.DatasetDict({"train": rows()}),
    "a stream": lambda: rows().to_iterable_dataset(),
    "no rows": lambda: rows().select([]),
    "sentence": lambda: rows().rename_column("text", "sentence"),
    "no label": lambda: rows().remove_columns("label"),
    "emotion": lambda: rows().rename_column("label", "emotion"),
    "a missing text": lambda: rows(text=[None] + ["가"] * 13),
    "numbers as texts": lambda: rows(text=list(range(14))),
    "float labels": lambda: rows([float(i) for i in range(7)] * 2, datasets.Value("float32")),
    "missing labels": lambda: rows([*range(7), *range(6), None]),
    "labels of -1": lambda: rows([-1, *range(1, 7), *range(7)]),
    "unknown names": lambda: rows(["joy", "gloom"] * 7, datasets.Value("string")),
    "ids beyond the labels": lambda: rows([*range(7), *range(6), 7], datasets.Value("int64")),
}

TAKES_ROWS: dict[str, Callable[[World, Any], Any]] = {
    "cross_validate": lambda w, d: api.cross_validate(d, w.tmp / "run", w.model, w.args, 2),
    "search_arguments": lambda w, d: api.search_arguments(d, w.tmp / "run", w.model, 2, n_splits=2, held_out=0.5),
    "evaluate_checkpoints": lambda w, d: api.evaluate_checkpoints([w.model], d),
    "evaluate_run": lambda w, d: api.evaluate_run(w.model, d),
    "continue_training": lambda w, d: api.continue_training(w.model, d, w.tmp / "new", w.args),
    "continue_training, validation": lambda w, d: api.continue_training(
        w.model, w.good, w.tmp / "new", w.args, d if d is not None else 0
    ),
    "EmotionTrainer": lambda w, d: api.EmotionTrainer(w.classifier, w.args, d if d is not None else 0).train(),
    "EmotionTrainer, eval": lambda w, d: api.EmotionTrainer(w.classifier, w.args, w.good, d if d is not None else 0),
}


@pytest.mark.parametrize(
    ("function", "wrong"),
    [
        (function, wrong)
        for function in TAKES_ROWS
        for wrong in DATASETS
        # A trainer may have rows without labels, or none, and evaluates on several data sets by their names.
        if not function.startswith("EmotionTrainer") or wrong not in ("no rows", "no label", "emotion")
        if function != "EmotionTrainer, eval" or wrong != "several"
    ],
)
def test_rows_that_are_none(world: World, function: str, wrong: str) -> None:
    with pytest.raises(KoBERTEmotionError) as caught:
        TAKES_ROWS[function](world, DATASETS[wrong]())
    assert_clear(caught.value)
    assert not (world.tmp / "run").exists()
    assert not (world.tmp / "new").exists()


@pytest.mark.parametrize("wrong", ["None", "a path", "a frame", "several", "a stream", "no rows", "no label"])
def test_a_split_of_no_rows(wrong: str) -> None:
    with pytest.raises(KoBERTEmotionError) as caught:
        api.stratified_kfold(DATASETS[wrong](), 2)
    assert_clear(caught.value)


@pytest.mark.parametrize("wrong", ["None", "a path", "a frame", "several", "a stream", "sentence", "a missing text"])
def test_an_audit_of_no_rows(wrong: str) -> None:
    for given in ((DATASETS[wrong](),), (rows(), 0 if wrong == "None" else DATASETS[wrong]())):
        with pytest.raises(KoBERTEmotionError) as caught:
            api.audit_dataset(*given)
        assert_clear(caught.value)


CALLS: dict[str, Case] = {
    **{f"predict, batch_size {n!r}": lambda w, n=n: w.classifier.predict(TEXTS, batch_size=n) for n in COUNTS},
    **{f"ensemble, batch_size {n!r}": lambda w, n=n: w.ensemble.predict(TEXTS, batch_size=n) for n in COUNTS},
    **{f"predict, max_length {n!r}": lambda w, n=n: w.classifier.predict(TEXTS, max_length=n)
       for n in COUNTS if n is not None},
    "predict, fewer pairs": lambda w: w.classifier.predict(TEXTS, text_pairs=TEXTS[:1]),
    **{f"stratified_kfold, n_splits {n!r}": lambda w, n=n: api.stratified_kfold(w.good, n) for n in [1, *COUNTS]},
    **{f"cross_validate, n_splits {n!r}":
       lambda w, n=n: api.cross_validate(w.good, w.tmp / "run", w.model, w.args, n) for n in [1, *COUNTS]},
    **{f"stratified_kfold, seed {n!r}": lambda w, n=n: api.stratified_kfold(w.good, 2, n)
       for n in (-1, "42", 1.5, True, 2**40)},
    "stratified_kfold, group_by": lambda w: api.stratified_kfold(w.good, 2, group_by="speaker"),
    "stratified_kfold, label_column": lambda w: api.stratified_kfold(w.good, 2, label_column="emotion"),
    **{f"evaluate_checkpoints, batch_size {n!r}": lambda w, n=n: api.evaluate_checkpoints([w.model], w.good, n)
       for n in COUNTS},
    "evaluate_checkpoints, one path": lambda w: api.evaluate_checkpoints(str(w.model), w.good),
    "evaluate_checkpoints, one Path": lambda w: api.evaluate_checkpoints(w.model, w.good),
    "evaluate_checkpoints, none": lambda w: api.evaluate_checkpoints([], w.good),
    "evaluate_checkpoints, a number": lambda w: api.evaluate_checkpoints([3], w.good),
    "evaluate_checkpoints, a csv": lambda w: api.evaluate_checkpoints([w.csv], w.good),
    "evaluate_run, nowhere": lambda w: api.evaluate_run(w.tmp / "nowhere", w.good),
    "evaluate_run, a number": lambda w: api.evaluate_run(3, w.good),
    "evaluate_run, an empty folder": lambda w: api.evaluate_run(w.tmp, w.good),
    "compare_runs, no run": lambda w: api.compare_runs(w.model, w.model),
    "compare_runs, a number": lambda w: api.compare_runs(1, 2),
    "continue_training, a run": lambda w: api.continue_training(w.tmp, w.good, w.tmp / "new", w.args),
    "continue_training, None": lambda w: api.continue_training(None, w.good, w.tmp / "new", w.args),
    "cross_validate, output None": lambda w: api.cross_validate(w.good, None, w.model, w.args, 2),
    "cross_validate, output a file": lambda w: api.cross_validate(w.good, w.csv, w.model, w.args, 2),
    "cross_validate, model None": lambda w: api.cross_validate(w.good, w.tmp / "run", None, w.args, 2),
    "cross_validate, plain arguments": lambda w: api.cross_validate(w.good, w.tmp / "run", w.model, {"seed": 1}, 2),
    "cross_validate, word_split": lambda w: api.cross_validate(w.good, w.tmp / "run", w.model, w.args, 2, "words"),
    "cross_validate, group_by": lambda w: api.cross_validate(
        w.good, w.tmp / "run", w.model, w.args, 2, group_by="speaker"),
    "cross_validate, split": lambda w: api.cross_validate(w.good, w.tmp / "run", w.model, w.args, split=[1, 2]),
    "cross_validate, split of names": lambda w: api.cross_validate(
        w.good, w.tmp / "run", w.model, w.args, split=["a", "b"] * 7),
    "load_emotion_dataset, None": lambda w: api.load_emotion_dataset(None),
    "load_emotion_dataset, a number": lambda w: api.load_emotion_dataset(3),
    "load_emotion_dataset, nothing": lambda w: api.load_emotion_dataset([]),
    "load_emotion_dataset, a folder": lambda w: api.load_emotion_dataset(w.tmp),
    "load_emotion_dataset, a frame": lambda w: api.load_emotion_dataset(pd.DataFrame({"text": TEXTS})),
    "load_emotion_dataset, labels a text": lambda w: api.load_emotion_dataset(w.csv, labels="happy"),
    "load_emotion_dataset, labels numbers": lambda w: api.load_emotion_dataset(w.csv, labels=[0, 1]),
    "load_emotion_dataset, no labels": lambda w: api.load_emotion_dataset(w.csv, labels=[]),
    "load_emotion_dataset, labels twice": lambda w: api.load_emotion_dataset(w.csv, labels=["a", "a"]),
    "load_emotion_dataset, column number": lambda w: api.load_emotion_dataset(w.csv, text_column=99),
    "load_emotion_dataset, encoding": lambda w: api.load_emotion_dataset(w.csv, encoding="klingon"),
    "EmotionClassifier, nowhere": lambda w: EmotionClassifier.from_pretrained(w.tmp / "nowhere"),
    "EmotionClassifier, None": lambda w: EmotionClassifier.from_pretrained(None),
    "EmotionClassifier, a number": lambda w: EmotionClassifier.from_pretrained(3),
    "EmotionClassifier, a csv": lambda w: EmotionClassifier.from_pretrained(w.csv),
    "EmotionEnsemble, nothing": lambda w: EmotionEnsemble([]),
    "EmotionEnsemble, names": lambda w: EmotionEnsemble([str(w.model)]),
    "EmotionEnsemble, models": lambda w: EmotionEnsemble([w.classifier]),
    "EmotionEnsemble, nowhere": lambda w: EmotionEnsemble.from_pretrained(w.tmp / "nowhere"),
    "EmotionEnsemble, a model": lambda w: EmotionEnsemble.from_pretrained(w.model),
    "EmotionEnsemble, None": lambda w: EmotionEnsemble.from_pretrained(None),
    "EmotionEnsemble, save to a file": lambda w: w.ensemble.save_pretrained(w.csv),
    "KoBERTTokenizer, nowhere": lambda w: api.KoBERTTokenizer.from_pretrained(w.tmp / "nowhere"),
    "KoBERTTokenizer, None": lambda w: api.KoBERTTokenizer.from_pretrained(None),
    "KoBERTTokenizer, word_split": lambda w: api.KoBERTTokenizer.from_pretrained("default", word_split="words"),
    "KoBERTTokenizer, no file": lambda w: api.KoBERTTokenizer(w.tmp / "spiece.model"),
    "KoBERTTokenizer, a folder": lambda w: api.KoBERTTokenizer(w.tmp),
    "KoBERTTokenizer, a csv": lambda w: api.KoBERTTokenizer(w.csv),
    "OnnxClassifier, nowhere": lambda w: api.OnnxClassifier.from_pretrained(w.tmp / "nowhere"),
    "OnnxClassifier, a model": lambda w: api.OnnxClassifier.from_pretrained(w.model),
    "OnnxClassifier, None": lambda w: api.OnnxClassifier.from_pretrained(None),
    "export_onnx, a name": lambda w: api.export_onnx(str(w.model), w.tmp / "onnx"),
    "export_onnx, an ensemble": lambda w: api.export_onnx(w.ensemble, w.tmp / "onnx"),
    "import, nowhere": lambda w: api.import_legacy_checkpoint(w.tmp / "nowhere.pt"),
    "import, a folder": lambda w: api.import_legacy_checkpoint(w.tmp),
    "import, None": lambda w: api.import_legacy_checkpoint(None),
    "import, heads": lambda w: api.import_legacy_checkpoint(w.csv, num_attention_heads="12"),
    "export_legacy, a name": lambda w: api.export_legacy_checkpoint(str(w.model), w.tmp / "x"),
    "export_legacy, None": lambda w: api.export_legacy_checkpoint(None, w.tmp / "x"),
    "push_run, nowhere": lambda w: api.push_run(w.tmp / "nowhere", "user/name"),
    "push_run, None": lambda w: api.push_run(None, "user/name"),
    "push_run, name": lambda w: api.push_run(w.model, 3),
    "EmotionTrainer, no model": lambda w: api.EmotionTrainer(None, w.args, w.good),
    "EmotionTrainer, a name": lambda w: api.EmotionTrainer(str(w.model), w.args, w.good),
    "EmotionTrainer, no arguments": lambda w: api.EmotionTrainer(w.classifier, None, w.good),
    "EmotionTrainer, other arguments": lambda w: api.EmotionTrainer(w.classifier, {"seed": 1}, w.good),
    "EmotionTrainer, optimizer_state": lambda w: api.EmotionTrainer(
        w.classifier, w.args, w.good, optimizer_state={"x": 1}).train(),
    **{f"arguments, {name} {value!r}":
       lambda w, name=name, value=value: EmotionTrainingArguments(str(w.tmp), **{name: value})
       for name, values in {
           "max_length": [0, -1, 2, True, "64", None, 1.5],
           "dropout": [-0.1, 1.5, "0.5", None, float("nan")],
           "focal_gamma": [-1, "2", None, float("nan"), float("inf")],
           "focal_alpha": [-1, "joyful", None, float("nan")],
           "seed": [-1, "42", None, 1.5],
           "num_train_epochs": [0, -1, "3", None, float("nan")],
           "per_device_train_batch_size": [0, -1, "64", None, True],
           "per_device_eval_batch_size": [0, -1, "64"],
           "learning_rate": [-1, "fast", None, float("nan")],
           "checkpoint_seconds": [-1, "60", None, float("nan")],
       }.items() for value in values},
    "focal_loss, shapes": lambda w: api.focal_loss(torch.zeros(2, 7), torch.zeros(3, dtype=torch.int64)),
    "focal_loss, lists": lambda w: api.focal_loss([[0.0, 1.0]], [0]),
    "focal_loss, float labels": lambda w: api.focal_loss(torch.zeros(2, 7), torch.zeros(2)),
    "focal_loss, a class too many": lambda w: api.focal_loss(torch.zeros(2, 7), torch.tensor([0, 7])),
    "focal_loss, class -1": lambda w: api.focal_loss(torch.zeros(2, 7), torch.tensor([0, -1])),
    "focal_loss, gamma": lambda w: api.focal_loss(torch.zeros(1, 7), torch.tensor([0]), gamma="2"),
    "focal_loss, reduction": lambda w: api.focal_loss(torch.zeros(1, 7), torch.tensor([0]), reduction="max"),
    "sigmoid_focal_loss, shapes": lambda w: api.sigmoid_focal_loss(torch.zeros(2, 7), torch.zeros(2, 6)),
    "sigmoid_focal_loss, ids": lambda w: api.sigmoid_focal_loss(torch.zeros(2, 7), torch.tensor([0, 6])),
    "sigmoid_focal_loss, lists": lambda w: api.sigmoid_focal_loss([[0.0, 1.0]], [[0, 1]]),
    "sigmoid_focal_loss, shares": lambda w: api.sigmoid_focal_loss(torch.zeros(1, 2), torch.tensor([[0.5, 0.5]])),
    "sigmoid_focal_loss, alpha": lambda w: api.sigmoid_focal_loss(torch.zeros(1, 2), torch.ones(1, 2), alpha=1.5),
    "sigmoid_focal_loss, gammas": lambda w: api.sigmoid_focal_loss(torch.zeros(1, 2), torch.ones(1, 2), gamma=[1.0]),
    "SigmoidFocalLoss, gamma": lambda w: api.SigmoidFocalLoss(gamma=-1),
    "SigmoidFocalLoss, alpha": lambda w: api.SigmoidFocalLoss(alpha=[2.0, 0.5]),
    "SigmoidFocalLoss, reduction": lambda w: api.SigmoidFocalLoss(reduction="max"),
    "soft_focal_loss, counts": lambda w: api.soft_focal_loss(torch.zeros(1, 2), torch.tensor([[3, 1]])),
    "soft_focal_loss, shapes": lambda w: api.soft_focal_loss(torch.zeros(2, 7), torch.zeros(2)),
    "soft_focal_loss, lists": lambda w: api.soft_focal_loss([[0.0, 1.0]], [[0.5, 0.5]]),
    "soft_focal_loss, gamma": lambda w: api.soft_focal_loss(torch.zeros(1, 2), torch.ones(1, 2) / 2, gamma=-1),
    "SoftFocalLoss, gamma": lambda w: api.SoftFocalLoss(gamma=None),
    "SoftFocalLoss, alpha": lambda w: api.SoftFocalLoss(alpha={"joy": 1.0}),
    "SoftFocalLoss, reduction": lambda w: api.SoftFocalLoss(reduction="max"),
    "FocalLoss, alpha": lambda w: api.FocalLoss(alpha=[1.0, 2.0])(torch.zeros(1, 7), torch.tensor([0])),
    "FocalLoss, alpha by a name": lambda w: api.FocalLoss(alpha={"joy": 1.0}),
    "FocalLoss, alpha None": lambda w: api.FocalLoss(alpha=None),
    "FocalLoss, gamma": lambda w: api.FocalLoss(gamma=-1),
    "FocalLoss, gamma None": lambda w: api.FocalLoss(gamma=None),
    "FocalLoss, reduction": lambda w: api.FocalLoss(reduction="max"),
    "audit_dataset, n_splits": lambda w: api.audit_dataset(w.good, n_splits=0),
    "audit_dataset, max_length": lambda w: api.audit_dataset(
        w.good, tokenizer=w.classifier.tokenizer, config=w.classifier.config, max_length=0),
    "audit_dataset, tokenizer alone": lambda w: api.audit_dataset(w.good, tokenizer=w.classifier.tokenizer),
}  # fmt: skip


@pytest.mark.parametrize("case", CALLS)
def test_wrong_arguments(world: World, case: str) -> None:
    with pytest.raises(KoBERTEmotionError) as caught:
        CALLS[case](world)
    assert_clear(caught.value)


def assert_clear(error: KoBERTEmotionError) -> None:
    """In both languages, each in full."""
    assert re.search("[가-힣]", error.korean), error
    assert len(error.english) > 20, error


def test_every_public_name_is_walked() -> None:
    described = " ".join([*CALLS, *TAKES_ROWS, "stratified_kfold audit_dataset predict"])
    short = {"EmotionTrainingArguments": "arguments", "import_legacy_checkpoint": "import",
             "export_legacy_checkpoint": "export_legacy"}  # fmt: skip
    values = {"AuditReport", "CrossValidationResult", "LoadReport", "EMOTION_LABELS", "KoBERTEmotionError",
              "EmotionConfig", "load_emotion_dataset_with_report"}  # fmt: skip
    missing = [name for name in api.__all__ if name not in values and short.get(name, name) not in described]
    assert missing == []
