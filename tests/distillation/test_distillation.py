"""A teacher and its student: who answers for which text, what is learned, what is left on the disk."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import torch
from killed import killed_at_step
from safetensors.torch import load_file
from sentences import sentences, write_seed_csv
from small_runs import make_args, make_dataset
from transformers import AutoModelForSequenceClassification

from kobert_hf_emotion import EmotionClassifier, KoBERTTokenizer, cross_validate
from kobert_hf_emotion.cli import main
from kobert_hf_emotion.data.label_ids import vote_feature
from kobert_hf_emotion.distillation.loss import soft_loss
from kobert_hf_emotion.distillation.rows import gather
from kobert_hf_emotion.distillation.student import distill
from kobert_hf_emotion.distillation.teacher import AnswerCounts, open_teacher
from kobert_hf_emotion.errors import DataError, KoBERTEmotionError, RunError
from kobert_hf_emotion.inference.classifier import load_classifier
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.runs.combination import combine_folds
from kobert_hf_emotion.tasks.single_label import SingleLabel
from kobert_hf_emotion.tasks.soft import Soft
from kobert_hf_emotion.training.trainer import EmotionTrainer

NEW = ["우산을 놓고 왔다", "기차가 늦게 왔다", "라면이 불었다", "창문이 열려 있다", "비둘기가 날아갔다", "불이 꺼졌다"]


class StopHereError(Exception):
    """What these tests stop a distillation with."""


@pytest.fixture(scope="module")
def run(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    args = make_args(num_train_epochs=1, per_device_train_batch_size=8)
    cross_validate(make_dataset(6), folder, tiny_model_folder, args, n_splits=2)
    for number in (1, 2):  # folds that tell texts apart, and differ
        fold = folder / f"fold_{number}"
        model = EmotionClassifier.from_pretrained(fold)
        with torch.no_grad():
            model.bert.embeddings.word_embeddings.weight.mul_(10)
            model.classifier.weight.normal_(generator=torch.Generator().manual_seed(number))
        model.config.softmax_temperature = 1.0
        model.save_pretrained(fold)
    return folder


def folds_of(run: Path) -> dict[str, str]:
    with (run / "oof_predictions.csv").open(encoding="utf-8-sig", newline="") as handle:
        return {row["text"]: row["fold"] for row in csv.DictReader(handle)}


def test_a_fold_answers_for_what_it_held_out_and_all_for_the_rest(run: Path) -> None:
    folds = folds_of(run)
    texts = [*folds, *NEW]
    found = open_teacher(run).answer(texts)
    assert found.counts == AnswerCounts(by_all=len(NEW), held_out=len(folds), nobody=0)
    models = {str(number): load_classifier(run / f"fold_{number}") for number in (1, 2)}
    each = {number: model.predict_logits(texts) for number, model in models.items()}
    for index, text in enumerate(folds):
        np.testing.assert_allclose(found.logits[index], each[folds[text]][index], atol=1e-5)
    task = SingleLabel()
    mean = np.mean([task.probabilities(logits) for logits in each.values()], axis=0)[len(folds) :]
    np.testing.assert_allclose(task.probabilities(found.logits[len(folds) :]), mean, atol=1e-6)
    assert np.abs(each["1"] - each["2"]).max() > 0.01, "the folds are alike: nothing was tested"


def test_other_spellings_of_a_training_text_are_that_text(run: Path) -> None:
    text = next(text for text in folds_of(run) if " " in text)
    found = open_teacher(run).answer([text.replace(" ", "  "), f"{text} "])
    assert found.counts.held_out == 2


def test_one_fold_says_nothing_of_what_it_trained_on(run: Path) -> None:
    folds = folds_of(run)
    found = open_teacher(run / "fold_1").answer([*folds, *NEW])
    silent = np.isnan(found.logits).all(axis=1)
    assert silent.tolist() == [*(fold != "1" for fold in folds.values()), *[False] * len(NEW)]
    assert found.counts.nobody == int(silent.sum()) > 0
    best = json.loads((run / "run.json").read_text(encoding="utf-8"))["best"]
    assert open_teacher(run / "best").answer(list(folds)).counts == open_teacher(run / best).answer(list(folds)).counts


def test_a_text_in_two_folds_has_no_answer(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    copy.mkdir()
    for entry in run.iterdir():
        (copy / entry.name).symlink_to(entry)
    (copy / "oof_predictions.csv").unlink()
    lines = (run / "oof_predictions.csv").read_text(encoding="utf-8-sig").splitlines()
    first = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
    other = lines[1].replace(f",{first['fold']},", f",{3 - int(first['fold'])},", 1)
    (copy / "oof_predictions.csv").write_text("\n".join([*lines, other]) + "\n", encoding="utf-8-sig")
    found = open_teacher(copy).answer([first["text"]])
    assert found.counts == AnswerCounts(by_all=0, held_out=0, nobody=1)


@pytest.mark.slow
def test_whatever_predicts_teaches(run: Path, tmp_path: Path) -> None:
    combine_folds(run, tmp_path / "ensemble")
    ensemble = open_teacher(tmp_path / "ensemble")
    assert not ensemble.knows_rows
    np.testing.assert_allclose(ensemble.answer(NEW).logits, open_teacher(run).answer(NEW).logits, atol=1e-5)
    assert main(["export", str(run / "fold_1"), "--output", str(tmp_path / "onnx")]) == 0
    exported = open_teacher(tmp_path / "onnx").answer(NEW).logits
    np.testing.assert_allclose(exported, open_teacher(run / "fold_1").answer(NEW).logits, atol=1e-4)


def test_each_text_is_learned_from_once() -> None:
    labelled = make_dataset(2)
    texts = [labelled[0]["text"], *NEW, f"{NEW[0]} ", NEW[1]]
    rows = gather(texts, labelled, EMOTION_LABELS, SingleLabel())
    assert (rows.labelled, len(rows.texts), rows.repeated) == (14, 14 + len(NEW), 3)
    assert rows.given.tolist() == [*labelled["label"][:], *[-100] * len(NEW)]
    with pytest.raises(DataError, match="nothing to learn from"):
        gather([], None, EMOTION_LABELS, SingleLabel())


def test_labels_of_another_kind_than_the_teachers_are_no_labels_to_learn_from() -> None:
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": {name: datasets.Value("float64") for name in EMOTION_LABELS}}
    )
    votes = [dict.fromkeys(EMOTION_LABELS, 1.0)]
    labelled = datasets.Dataset.from_dict({"text": NEW[:1], "label": votes}, features=features)
    for rows, task in ((labelled, SingleLabel()), (make_dataset(2), Soft())):
        with pytest.raises(DataError, match=f"task='{task.name}'") as caught:
            gather(NEW, rows, EMOTION_LABELS, task)
        assert caught.value.mend == {"labelled": None}
    assert gather(NEW, None, EMOTION_LABELS, Soft()).labelled == 0


def test_votes_are_shares_beside_the_teachers_answers(tokenizer: KoBERTTokenizer) -> None:
    """A labelled row keeps its votes; what is compared where there are none are the teacher's probabilities."""
    votes = [{"happy": 3.0, "sad": 1.0}, {"happy": 0.0, "sad": 2.0}]
    features = datasets.Features({"text": datasets.Value("string"), "label": vote_feature(["happy", "sad"])})
    labelled = datasets.Dataset.from_dict({"text": ["좋은 날", "슬픈 날"], "label": votes}, features=features)
    rows = gather(NEW, labelled, ["happy", "sad"], Soft())
    assert rows.given[:2].tolist() == [[0.75, 0.25], [0.0, 1.0]]
    assert (rows.given[2:] == -100).all()
    answers = np.tile(np.float32([[2.0, 0.0]]), (2 + len(NEW), 1))
    encoded = rows.encode(answers, tokenizer, 16, ["happy", "sad"], Soft())
    assert encoded["given"][:2] == rows.given[:2].tolist()
    assert encoded["labels"][0] == {"happy": 0.75, "sad": 0.25}
    assert encoded["labels"][2]["happy"] == pytest.approx(1 / (1 + np.exp(-2)))


@pytest.mark.slow
def test_the_student_is_a_plain_folder_that_agrees_with_its_teacher(run: Path, tmp_path: Path) -> None:
    args = make_args(num_train_epochs=30, learning_rate=5e-4, dropout=0.0)
    texts = [text for text, _ in sentences(8, seed=4)] + NEW
    found = distill(run, texts, tmp_path / "small", "default", None, None, args, 2.0, 1.0)
    assert (found.labelled, found.unlabelled, found.history, found.scores) == (0, len(texts), [], {})
    assert not (tmp_path / "small.in_progress").exists()
    answers = torch.from_numpy(open_teacher(run).answer(texts).logits)
    student = torch.from_numpy(load_classifier(tmp_path / "small").predict_logits(texts))
    same_for_all = answers.softmax(-1).mean(0).log().expand_as(answers)
    assert soft_loss(student, answers).mean() < 0.2 * soft_loss(same_for_all, answers).mean()
    assert type(AutoModelForSequenceClassification.from_pretrained(tmp_path / "small")).__name__.startswith("Bert")
    record = json.loads((tmp_path / "small" / "training_record.json").read_text(encoding="utf-8"))
    assert (record["texts"]["unlabelled"], record["temperature"], record["mixture"]) == (len(texts), 2.0, 1.0)
    card = (tmp_path / "small" / "README.md").read_text(encoding="utf-8")
    assert record["texts"]["sha256"] in card
    assert record["teacher_sha256"] in card
    assert str(tmp_path) not in card


def test_rows_without_an_answer_or_a_label_are_left_out(run: Path, tiny_model_folder: Path, tmp_path: Path) -> None:
    folds = folds_of(run)
    seen = [text for text, fold in folds.items() if fold == "2"]
    args = make_args(num_train_epochs=1)
    found = distill(run / "fold_1", [*seen, *NEW], tmp_path / "a", tiny_model_folder, args=args)
    assert (found.unlabelled, found.counts.nobody) == (len(NEW), len(seen))
    found = distill(run / "fold_1", NEW, tmp_path / "b", tiny_model_folder, make_dataset(6), args=args)
    assert (found.labelled, found.unlabelled) == (42, len(NEW))


def test_without_the_teachers_part_it_is_a_training_on_labels(
    run: Path, tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same steps as `EmotionTrainer` from the same start: the losses are those of the focal loss alone."""
    losses: list[list[float]] = []
    train = EmotionTrainer.train

    def spy(self: EmotionTrainer, *args: Any, **kwargs: Any) -> Any:
        found = train(self, *args, **kwargs)
        losses.append([line["loss"] for line in self.state.log_history if "loss" in line])
        return found

    monkeypatch.setattr(EmotionTrainer, "train", spy)
    args = make_args(num_train_epochs=1, logging_steps=1, dropout=0.0, report_to="none")
    labelled = make_dataset(4)
    distill(run, [], tmp_path / "student", tiny_model_folder, labelled, None, args, 2.0, 0.0)
    from transformers import set_seed

    from kobert_hf_emotion.inference.classifier import start_model
    from kobert_hf_emotion.tokenization.loading import load_tokenizer

    tokenizer = load_tokenizer(tiny_model_folder, model_max_length=64)
    set_seed(42)
    model = start_model(tiny_model_folder, list(EMOTION_LABELS), 0.0, tokenizer)
    args.output_dir, args.save_strategy = str(tmp_path / "out"), "no"
    trainer = EmotionTrainer(model, args, labelled, None, tokenizer)
    trainer.train()
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    saved = load_file(tmp_path / "student" / "model.safetensors")
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(saved[name], tensor, rtol=1e-5, atol=1e-7)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_a_killed_distillation_ends_with_the_same_bits(
    run: Path, tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = make_args(num_train_epochs=2, checkpoint_seconds=0, per_device_train_batch_size=8)
    labelled = make_dataset(4)

    def go(output: Path) -> None:
        distill(run, NEW, output, tiny_model_folder, labelled, make_dataset(2), args)

    go(tmp_path / "whole")
    asked: list[int] = []
    for kill_at in (0, 3, 2):
        assert killed_at_step(EmotionTrainer, kill_at, lambda: go(tmp_path / "killed"))
        assert not (tmp_path / "killed").exists()
        assert (tmp_path / "killed.in_progress" / "answers.npz").is_file()
    from kobert_hf_emotion.distillation.teacher import Teacher

    answer = Teacher.answer
    monkeypatch.setattr(
        Teacher, "answer", lambda self, texts, *a: (asked.append(len(texts)), answer(self, texts, *a))[1]
    )
    go(tmp_path / "killed")
    assert asked == [14], "the answers to the texts were on the disk; those to the validation rows are asked for"
    for name in ("model.safetensors", "history.csv"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not (tmp_path / "killed.in_progress").exists()


@pytest.mark.slow
def test_another_distillation_does_not_go_on_there(
    run: Path, tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any) -> Any:
        raise StopHereError

    with monkeypatch.context() as patch:
        patch.setattr(EmotionTrainer, "training_step", stop)
        with pytest.raises(StopHereError):
            distill(run, NEW, tmp_path / "small", tiny_model_folder, args=make_args())
    for changed in ({"temperature": 3.0}, {"args": make_args(seed=1)}, {"texts": NEW[1:]}):
        with pytest.raises(RunError, match=r"temperature|seed|texts\.sha256"):
            distill(
                run, changed.pop("texts", NEW), tmp_path / "small", tiny_model_folder,
                **({"args": make_args()} | changed),
            )  # fmt: skip
    with pytest.raises(RunError, match="nothing in it was touched"):
        distill(run, NEW, tmp_path, tiny_model_folder)


@pytest.mark.slow
def test_the_command(
    run: Path,
    tiny_model_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    data = write_seed_csv(tmp_path / "train.csv", sentences(4))
    (tmp_path / "texts.csv").write_text("문장\n" + "\n".join(NEW) + "\n", encoding="utf-8")
    student = ["--student", str(tiny_model_folder), "--epochs", "1", "--labelled", str(data)]
    output = ["--output", str(tmp_path / "small"), "--validation-file", str(data)]
    assert main(["distill", str(run), str(tmp_path / "texts.csv"), *student, *output]) == 0
    shown = capsys.readouterr()
    assert "teacher: accuracy" in shown.out.replace("(teacher)", "teacher").replace("선생 teacher", "teacher")
    assert "by the fold that held them out" in caplog.text
    assert main(["predict", str(tmp_path / "small"), "오늘 정말 행복했어"]) == 0
    model = EmotionClassifier.from_pretrained(tmp_path / "small")
    assert model.config.labels == list(EMOTION_LABELS)
    capsys.readouterr()
    json_output = ["--output", str(tmp_path / "again"), "--json"]
    assert main(["distill", str(run / "best"), str(tmp_path / "texts.csv"), *student, *json_output]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["labelled"], found["unlabelled"]) == (28, len(NEW))


@pytest.mark.parametrize("mixture", [-0.1, 1.1, float("nan"), None])
def test_no_mixture(run: Path, tmp_path: Path, mixture: object) -> None:
    with pytest.raises(KoBERTEmotionError, match="mixture"):
        distill(run, NEW, tmp_path / "small", mixture=mixture)  # type: ignore[arg-type]


@pytest.mark.slow
def test_several_labels_a_text(tiny_model_folder: Path, tmp_path: Path) -> None:
    names = ["기쁨", "놀람", "슬픔"]
    random = np.random.default_rng(0)
    texts = [text for text, _ in sentences(4)]
    lists = [sorted(random.choice(3, random.integers(1, 3), replace=False).tolist()) for _ in texts]
    feature = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.List(datasets.ClassLabel(names=names))}
    )
    rows = datasets.Dataset.from_dict({"text": texts, "label": lists}, features=feature)
    args = make_args(num_train_epochs=1)
    cross_validate(rows, tmp_path / "run", tiny_model_folder, args, n_splits=2)
    found = distill(tmp_path / "run", NEW, tmp_path / "small", tiny_model_folder, rows, rows, args)
    assert (found.labelled, found.unlabelled, found.counts.held_out) == (len(texts), len(NEW), len(texts))
    assert set(found.scores) == {"student", "teacher"}
    student = load_classifier(tmp_path / "small")
    assert (student.task.name, student.labels) == ("multi-label", names)
