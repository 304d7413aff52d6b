"""A run with two levels of labels, from the file to the prediction, through the commands; figures by scikit-learn."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_languages import check_languages
from sklearn.metrics import accuracy_score, f1_score, log_loss

from kobert_hf_emotion import EmotionClassifier
from kobert_hf_emotion.cli import main
from kobert_hf_emotion.errors import CheckpointError
from kobert_hf_emotion.inference.loading import load_checkpoint
from kobert_hf_emotion.runs.reporting import write_html_report
from kobert_hf_emotion.tasks import TwoLevels

LEVELS = {"기쁨": ["감사하는", "신이 난", "안도"], "분노": ["억울한"], "슬픔": ["낙담한", "후회되는"]}
COARSE_OF = {name: coarse for coarse, names in LEVELS.items() for name in names}
FINE = sorted(COARSE_OF)
OPTIONS = ["--label-column", "감정_대분류", "--fine-label-column", "감정_소분류"]


def write(path: Path, per_label: int, seed: int) -> Path:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["문장", "감정_대분류", "감정_소분류"])
        for number in range(per_label):
            for name in FINE:
                writer.writerow([f"{seed}의 {number}번째 일로 {name} 마음이 들었다", COARSE_OF[name], name])
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path) -> Path:
    """A folder with a finished run `run` and the file `test.csv`; tests must not change it."""
    folder = tmp_path_factory.mktemp("levels")
    write(folder / "train.csv", 10, 1)
    write(folder / "test.csv", 4, 2)
    options = ["--model", str(tiny_model_folder), "--folds", "2", "--epochs", "2", "--learning-rate", "1e-3"]
    assert main(["train", str(folder / "train.csv"), *OPTIONS, *options, "--output", str(folder / "run")]) == 0
    return folder


@pytest.fixture
def work(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(place)
    return place


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def sums(rows: list[dict[str, str]]) -> np.ndarray[Any, Any]:
    """The coarse probabilities of a table, added up fine label by fine label."""
    return np.array([[sum(float(row[f"prob_{name}"]) for name in names) for names in LEVELS.values()] for row in rows])


def test_the_report_has_both_levels(work: Path) -> None:
    report = json.loads((work / "run/report.json").read_text(encoding="utf-8"))
    rows = read(work / "run/oof_predictions.csv")
    fine = [row["label"] for row in rows]
    assert report["pooled"]["accuracy"] == pytest.approx(accuracy_score(fine, [row["prediction"] for row in rows]))
    coarse, above = [COARSE_OF[name] for name in fine], sums(rows)
    assert [row["coarse_label"] for row in rows] == coarse
    answers = [list(LEVELS)[index] for index in above.argmax(axis=1)]
    assert [row["coarse_prediction"] for row in rows] == answers
    found = report["coarse"]
    assert found["pooled"]["accuracy"] == pytest.approx(accuracy_score(coarse, answers))
    assert found["pooled"]["macro_f1"] == pytest.approx(f1_score(coarse, answers, average="macro"))
    assert found["pooled"]["log_loss"] == pytest.approx(log_loss(coarse, above, labels=list(LEVELS)), abs=1e-4)
    first = [index for index, row in enumerate(rows) if row["fold"] == "1"]
    part = accuracy_score([coarse[index] for index in first], [answers[index] for index in first])
    assert found["folds"]["fold_1"]["accuracy"] == pytest.approx(part)
    same = np.mean([COARSE_OF[row["prediction"]] == answer for row, answer in zip(rows, answers, strict=True)])
    assert found["follows_fine_answer"] == pytest.approx(same)
    assert found["hierarchy"] == LEVELS
    assert set(found["classification_report"]) >= set(LEVELS)
    low, high = found["intervals"]["accuracy"]
    assert low <= found["pooled"]["accuracy"] <= high


def test_what_a_run_leaves(work: Path, tmp_path: Path) -> None:
    config = json.loads((work / "run/best/config.json").read_text(encoding="utf-8"))
    assert config["label_hierarchy"] == [{"label": name, "labels": fine} for name, fine in LEVELS.items()]
    assert json.loads((work / "run/run.json").read_text(encoding="utf-8"))["hierarchy"] == LEVELS
    folds = read(work / "run/split.csv")
    assert len({row["fold"] for row in folds}) == 2
    rows = read(work / "run/oof_predictions.csv")
    counts = {(row["fold"], row["label"]) for row in rows}
    assert len(counts) == 2 * len(FINE), "stratified by the fine label"
    check_languages(work / "run", [*FINE, *LEVELS])
    assert "대분류 (coarse labels): 소분류 확률의 합" in (work / "run/report.txt").read_text(encoding="utf-8")
    card = (work / "run/README.md").read_text(encoding="utf-8")
    assert "기쁨 (감사하는, 신이 난, 안도)" in card
    assert "대분류 / coarse labels" in card
    html = write_html_report(work / "run", tmp_path / "report.html").html
    assert "Above are the fine labels, below the coarse ones" in html


@pytest.mark.slow
def test_test_and_predict_agree(work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "run", "test.csv", *OPTIONS, "--json"]) == 0
    tested = json.loads(capsys.readouterr().out)
    output = tmp_path / "p.csv"
    assert main(["predict", "run/fold_1", "test.csv", *OPTIONS, "--output", str(output), "--json"]) == 0
    predicted = json.loads(capsys.readouterr().out)
    rows = read(output)
    above = sums(rows)
    coarse, answers = [row["coarse_label"] for row in rows], [list(LEVELS)[index] for index in above.argmax(axis=1)]
    assert [row["coarse_prediction"] for row in rows] == answers
    np.testing.assert_allclose([float(row["coarse_score"]) for row in rows], above.max(axis=1), atol=1e-5)
    first = tested["checkpoints"][0]
    for name, expected in (
        ("accuracy", accuracy_score(coarse, answers)),
        ("macro_f1", f1_score(coarse, answers, average="macro")),
    ):
        assert first["coarse"][name] == pytest.approx(expected)
        assert predicted["coarse"]["scores"][name] == pytest.approx(expected)
    assert predicted["coarse"]["predicted"] == {name: answers.count(name) for name in LEVELS}
    assert predicted["scores"]["accuracy"] == pytest.approx(first["accuracy"])
    assert all("coarse" in line for line in tested["combined"])
    assert main(["test", "run", "test.csv", "--fine-label-column", "감정_소분류", "--lang", "en"]) == 0
    shown = capsys.readouterr().out
    assert "coarse labels (sums of the fine probabilities)" in shown
    assert main(["predict", "run/fold_1", "test.csv", "--fine-label-column", "감정_소분류"]) == 0
    assert "sums of the fine probabilities" in capsys.readouterr().out


def test_a_text_has_both_answers(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "1의 3번째 일로 안도 마음이 들었다"
    model = EmotionClassifier.from_pretrained(work / "run/best")
    [found] = model.predict([text])
    percents = {name: sum(found["probabilities"][fine] for fine in names) for name, names in LEVELS.items()}
    assert found["coarse"]["probabilities"] == pytest.approx(percents, abs=0.05)
    assert found["coarse"]["label"] == max(percents, key=lambda name: percents[name])
    assert found["coarse"]["score"] == pytest.approx(percents[found["coarse"]["label"]] / 100, abs=1e-3)
    assert main(["predict", "run/best", text]) == 0
    captured = capsys.readouterr()
    assert f"  {found['coarse']['label']}  " in captured.out
    assert "소분류 (fine) 6, 대분류(소분류 확률의 합)" in captured.err
    assert main(["predict", "run/best", text, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["predictions"][0]["coarse"]["label"] == found["coarse"]["label"]


@pytest.mark.slow
def test_plain_transformers_loads_the_folder(work: Path, plain: Any) -> None:
    text = "비가 와서 못 갔다"
    code = """
from transformers import pipeline
found = pipeline("text-classification", model=model, top_k=None)(text)
found = found[0] if isinstance(found[0], list) else found
result = sorted(line["label"] for line in found)
"""
    assert plain.run(code, model=str(work / "run/best"), text=text) == FINE


def test_what_comes_after_a_training_knows_the_levels(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "비가 와서 못 갔다"
    assert main(["ensemble", "run", "--output", str(tmp_path / "ensemble")]) == 0
    [mean] = load_checkpoint(tmp_path / "ensemble").predict([text])
    members = [load_checkpoint(work / f"run/fold_{number}").predict([text])[0] for number in (1, 2)]
    expected = {name: np.mean([member["coarse"]["probabilities"][name] for member in members]) for name in LEVELS}
    assert mean["coarse"]["probabilities"] == pytest.approx(expected, abs=0.02)
    assert main(["continue", "run/best", "train.csv", *OPTIONS, "--epochs", "1", "--output", str(tmp_path / "on")]) == 0
    assert isinstance(load_checkpoint(tmp_path / "on").task, TwoLevels)
    capsys.readouterr()
    for command in (
        ["compare", "run", "run"],
        ["review", "run", "--output", str(tmp_path / "review.csv")],
        ["explain", "run/best", text],
    ):
        assert main(command) == 0
        assert "this is about the fine ones" in capsys.readouterr().err


def test_a_server_answers_with_both(work: Path) -> None:
    pytest.importorskip("fastapi")
    from starlette.testclient import TestClient

    from kobert_hf_emotion.serving import create_app

    model = load_checkpoint(work / "run/fold_1")
    [expected] = model.predict(["비가 왔다"])
    with TestClient(create_app(model)) as client:
        while client.get("/health").status_code != 200:
            pass
        [found] = client.post("/predict", json={"texts": ["비가 왔다"]}).json()["predictions"]
    assert found["coarse"]["label"] == expected["coarse"]["label"]
    assert found["coarse"]["probabilities"] == pytest.approx(expected["coarse"]["probabilities"], abs=0.02)


@pytest.mark.parametrize(
    ("command", "part"),
    [
        ("train train.csv --fine-label-column 감정_소분류 --folds 2 --output new", "--label-column"),
        ("train train.csv --label-column 감정_대분류 --fine-label-column 소분류 --output new", "감정_소분류"),
        ("test default test.csv --fine-label-column 감정_소분류", "The model's labels have one level"),
        ("predict default test.csv --fine-label-column 감정_소분류", "The model's labels have one level"),
        ("test run test.csv --label-column 감정_대분류", "holds coarse labels"),
    ],
)
def test_what_is_wrong_is_said(work: Path, capsys: pytest.CaptureFixture[str], command: str, part: str) -> None:
    assert main(command.split()) == 2
    assert part in capsys.readouterr().err


def test_a_damaged_hierarchy_is_an_error(work: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(work / "run/fold_1", tmp_path / "model")
    path = tmp_path / "model/config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["label_hierarchy"] = config["label_hierarchy"][1:]
    path.write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(CheckpointError, match="label_hierarchy"):
        load_checkpoint(tmp_path / "model")


@pytest.mark.slow
def test_doctor_looks_at_the_fine_labels(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "train.csv", "test.csv", *OPTIONS, "--json"]) in (0, 1)
    assert "감사하는" in capsys.readouterr().out
