"""Runs whose lines go with the turns before them, from the file to the prediction."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from small_runs import make_args

from kobert_hf_emotion import compare_runs, continue_training, cross_validate, evaluate_run, load_emotion_dataset
from kobert_hf_emotion.cli.app import invoke
from kobert_hf_emotion.errors import DataError, SplitError
from kobert_hf_emotion.inference.classifier import load_classifier
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.runs.finished import read_run
from kobert_hf_emotion.splits.split import make_split

SAID = {"happy": "합격했어", "sad": "눈물이 나", "angry": "왜 또 늦었어"}
HEAD = "talk,turn,Text,Emotion\n"


def talk(conversations: int) -> str:
    """Conversations of a sentence and of answers that are the same whatever was said."""
    lines = [HEAD]
    for number in range(conversations):
        emotion = list(SAID)[number % 3]
        lines += [f"d{number},1,{SAID[emotion]} {number},{emotion}\n", f"d{number},2,네.,{emotion}\n"]
        lines.append(f"d{number},3,그래.,{emotion}\n")
    return "".join(lines)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("talk") / "talk.csv"
    path.write_text(talk(18), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(file: Path, tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = load_emotion_dataset(file, group_column="talk", order_column="turn", context=2)
    folder = tmp_path_factory.mktemp("run") / "with"
    args = make_args(num_train_epochs=1, max_length=16)
    cross_validate(rows, folder, tiny_model_folder, args, 2, group_by="group", context=2)
    return folder


def test_a_conversation_stays_in_one_fold_and_equal_answers_need_not(run: Path) -> None:
    table = read_run(run).table
    assert table.groupby("conversation")["fold"].nunique().eq(1).all()
    assert table[table["text"] == "네."]["fold"].nunique() == 2
    assert table[table["text"] == "그래."]["text_pair"].str.endswith(" 네.").all()


def test_folds_follow_conversations_that_no_group_column_names(
    tmp_path: Path, tiny_model_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lines = "".join(
        f"Sess0{n}_impro01_{'MF'[k % 2]}{k:03d},{said} {n}{k},{emotion}\n"
        for n in range(4)
        for k, (emotion, said) in enumerate(SAID.items())
    )
    path = tmp_path / "kemdy.csv"
    path.write_text("Segment ID,Text,Emotion\n" + lines, encoding="utf-8")
    rows = load_emotion_dataset(path, context=2)
    args = make_args(num_train_epochs=1)
    cross_validate(rows, tmp_path / "run", tiny_model_folder, args, 2, context=2)
    assert read_run(tmp_path / "run").table.groupby("conversation")["fold"].nunique().eq(1).all()
    record = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert record["groups"] == 4
    assert record["context"] == 2


def test_the_model_knows_and_the_record_counts(run: Path) -> None:
    for fold in ("fold_1", "fold_2"):
        assert load_classifier(run / fold).context_turns == 2
        assert json.loads((run / fold / "config.json").read_text(encoding="utf-8"))["context_turns"] == 2
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert record["context"] == 2
    assert record["context_cut"] == {"lines": 36, "cut": 0, "alone": 0, "words": 0}
    assert load_classifier("default").context_turns == 0


def test_out_of_fold_predictions_are_those_of_lines_with_their_turns(run: Path) -> None:
    table = read_run(run).table
    model = EmotionClassifier.from_pretrained(run / "fold_1")
    rows = table[table["fold"] == "1"]
    logits = load_classifier(run / "fold_1").predict_logits(rows["text"], rows["text_pair"])
    assert [model.config.labels[label] for label in logits.argmax(axis=1)] == rows["prediction"].tolist()
    answers = rows[rows["text"] == "네."]
    alone = load_classifier(run / "fold_1").predict_logits(answers["text"])
    assert np.abs(logits[np.flatnonzero(rows["text"] == "네.")] - alone).max() > 1e-4


def test_batches_and_packing_keep_the_segments(run: Path) -> None:
    model = load_classifier(run / "fold_1")
    texts = ["네.", "그래.", "오늘 정말 행복했어", "네."]
    turns = ["합격했어 7", "", "왜 또 늦었어 정말", "눈물이 나"]
    together = model.predict_logits(texts, turns, batch_size=2)
    for row, (text, before) in enumerate(zip(texts, turns, strict=True)):
        encoded = model.tokenizer(text, before or None, return_tensors="pt")
        alone = EmotionClassifier.from_pretrained(run / "fold_1").eval()(**encoded).logits.detach().numpy()[0]
        np.testing.assert_allclose(together[row], alone / model.temperature, atol=1e-5)


def test_test_and_predict_read_the_turns_of_a_file(
    run: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = ["--group-column", "talk", "--order-column", "turn"]
    assert invoke(["predict", str(run / "fold_1"), str(file), *columns, "--output", str(tmp_path / "p.csv")]) == 0
    rows = load_emotion_dataset(file, group_column="talk", order_column="turn", context=2)
    model = load_classifier(run / "fold_1")
    expected = model.predict_logits(rows["text"][:], rows["text_pair"][:]).argmax(axis=1)
    written = (tmp_path / "p.csv").read_text(encoding="utf-8-sig").splitlines()
    place = written[0].split(",").index("prediction")
    assert [line.split(",")[place] for line in written[1:]] == [model.labels[label] for label in expected]
    capsys.readouterr()
    assert invoke(["test", str(run), str(file), *columns, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["seen_rows"] == len(rows)
    assert found["checkpoints"][0]["accuracy"] == pytest.approx(float((expected == rows["label"][:]).mean()))


def test_what_is_assumed_is_said(
    run: Path, file: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert invoke(["predict", str(run / "fold_1"), "네."]) == 0
    assert "without turns before it" in capsys.readouterr().err
    assert invoke(["test", str(run / "fold_1"), str(file)]) == 0
    assert "group_column" in caplog.text
    columns = ["--group-column", "talk", "--context", "1"]
    caplog.clear()
    assert invoke(["predict", str(run / "fold_1"), str(file), *columns]) == 0
    said = capsys.readouterr().err
    assert "trained with 2 turn(s) before a line and answers with 1" in said
    assert "order_column" in caplog.text
    assert invoke(["predict", str(run / "fold_1"), str(file), "--context", "2"]) == 2
    assert "--group-column talk" in capsys.readouterr().err
    assert invoke(["explain", str(run / "fold_1"), "네."]) == 0
    assert "without turns before it" in capsys.readouterr().err


def test_a_model_without_turns_refuses_them(
    tiny_model_folder: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("predict", "test"):
        assert invoke([command, str(tiny_model_folder), str(file), "--context", "2", "--group-column", "talk"]) == 2
        assert f"{command} {tiny_model_folder} {file}" in capsys.readouterr().err
    rows = load_emotion_dataset(file, group_column="talk", context=2)
    with pytest.raises(DataError, match="trained without"):
        evaluate_run(tiny_model_folder, rows)


def test_context_and_data_agree(file: Path, tiny_model_folder: Path, tmp_path: Path) -> None:
    plain = load_emotion_dataset(file)
    rows = load_emotion_dataset(file, group_column="talk", context=2)
    for dataset, context in ((plain, 2), (rows, 0)):
        with pytest.raises(DataError, match="context"):
            cross_validate(dataset, tmp_path / "run", tiny_model_folder, make_args(), 2, context=context)


@pytest.mark.slow
def test_runs_with_and_without_turns_share_a_split_and_are_compared(
    run: Path, file: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    rows = load_emotion_dataset(file, group_column="talk")
    args = make_args(num_train_epochs=1, max_length=16)
    cross_validate(rows, tmp_path / "without", tiny_model_folder, args, 2, group_by="group", split=run / "split.csv")
    assert read_run(tmp_path / "without").table["fold"].tolist() == read_run(run).table["fold"].tolist()
    assert compare_runs(tmp_path / "without", run) is not None


def test_a_fold_is_trained_on_with_turns(run: Path, file: Path, tmp_path: Path) -> None:
    rows = load_emotion_dataset(file, group_column="talk", order_column="turn", context=2)
    continue_training(run / "fold_1", rows, tmp_path / "on", make_args(num_train_epochs=1, max_length=16))
    assert load_classifier(tmp_path / "on").context_turns == 2


def test_the_command_trains_with_turns(
    file: Path, tiny_model_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    command = ["train", str(file), "--model", str(tiny_model_folder), "--folds", "2", "--epochs", "1"]
    columns = ["--group-column", "talk", "--order-column", "turn", "--context", "2"]
    assert invoke([*command, *columns, "--max-length", "12", "--output", str(tmp_path / "run")]) == 0
    assert "18 conversation(s); 36 of 54 row(s)" in caplog.text
    assert "do not fit into 12 tokens" in caplog.text
    assert load_classifier(tmp_path / "run" / "best").context_turns == 2


def test_equal_lines_that_join_all_conversations_are_told_from_too_few_of_them(tmp_path: Path) -> None:
    lines = "".join(
        f"d{n},1,여보세요?,neutral\nd{n},2,{said} {n},{emotion}\n" for n in range(4) for emotion, said in SAID.items()
    )
    path = tmp_path / "phone.csv"
    path.write_text(HEAD + lines, encoding="utf-8")
    rows = load_emotion_dataset(path, group_column="talk", order_column="turn", context=2)
    with pytest.raises(SplitError) as error:
        make_split(rows, 2, group_by="group")
    assert error.value.mend == {"group_duplicates": False}
    assert "4" in error.value.english
    assert len(make_split(rows, 2, group_by="group", group_duplicates=False).folds) == 2
