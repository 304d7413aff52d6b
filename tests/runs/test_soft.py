"""A run on the votes of annotators, from the file to the prediction, through the commands."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from openpyxl import load_workbook
from report_languages import check_languages
from scipy.spatial.distance import jensenshannon
from transformers import AutoConfig

from kobert_hf_emotion import EmotionClassifier, EmotionTrainer, EmotionTrainingArguments, evaluate_run
from kobert_hf_emotion.cli import main
from kobert_hf_emotion.data.label_ids import vote_feature
from kobert_hf_emotion.errors import KoBERTEmotionError
from kobert_hf_emotion.inference.loading import load_checkpoint
from kobert_hf_emotion.runs import cross_validation
from kobert_hf_emotion.runs.reporting import write_page
from kobert_hf_emotion.tasks.soft import Soft

NAMES = ["기쁨", "놀람", "슬픔"]
WORDS = {"기쁨": "웃음이 나왔다", "놀람": "눈이 커졌다", "슬픔": "눈물이 났다"}
LABELS = ["--labels", ",".join(NAMES)]
RATERS = [f"rater_{number}" for number in range(1, 5)]


def votes(count: int, seed: int) -> list[list[str]]:
    """What each annotator says of each row; the last one says anything."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(count):
        said = [NAMES[number % 3] if random.random() < 0.75 else str(random.choice(NAMES)) for _ in RATERS[:-1]]
        found.append([*said, str(random.choice(NAMES))])
    return found


def shares(count: int, seed: int) -> np.ndarray:
    return np.array([[row.count(name) / len(RATERS) for name in NAMES] for row in votes(count, seed)])


def write(path: Path, count: int, seed: int, by_annotator: bool) -> Path:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["text", *(RATERS if by_annotator else NAMES)])
        for number, said in enumerate(votes(count, seed)):
            text = f"{seed}의 {number}번째 일로 {WORDS[NAMES[number % 3]]}"
            writer.writerow([text, *(said if by_annotator else [Counter(said)[name] for name in NAMES])])
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path) -> Path:
    """A folder with a finished run `run` on annotators' labels and files of votes; tests must not change it."""
    folder = tmp_path_factory.mktemp("soft")
    write(folder / "train.csv", 60, 1, by_annotator=True)
    write(folder / "counts.csv", 60, 1, by_annotator=False)
    write(folder / "test.csv", 20, 2, by_annotator=False)
    options = ["--task", "soft", *LABELS, "--model", str(tiny_model_folder), "--folds", "2", "--epochs", "2"]
    options += ["--learning-rate", "1e-3", "--batch-size", "16", "--alpha", "balanced"]
    with pytest.MonkeyPatch.context() as patch:  # `conftest` leaves pages out
        patch.setattr(cross_validation, "write_page", write_page)
        assert main(["train", str(folder / "train.csv"), *options, "--output", str(folder / "run")]) == 0
    assert main(["train", str(folder / "counts.csv"), *options, "--output", str(folder / "counts")]) == 0
    return folder


@pytest.fixture
def work(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(place)
    return place


def test_what_a_run_leaves(work: Path) -> None:
    report = json.loads((work / "run/report.json").read_text(encoding="utf-8"))
    config = json.loads((work / "run/best/config.json").read_text(encoding="utf-8"))
    assert config["soft_labels"] is True
    assert config.get("problem_type") is None
    assert len(config["focal_alpha"]) == 3
    assert json.loads((work / "run/run.json").read_text(encoding="utf-8"))["task"] == "soft"
    assert config["softmax_temperature"] == report["calibration"]["temperature"]
    with (work / "run/oof_predictions.csv").open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    truth = shares(60, 1)
    told = np.array([[float(row[f"vote_{name}"]) for name in NAMES] for row in rows])
    np.testing.assert_allclose(told, truth, atol=1e-6)
    probabilities = np.array([[float(row[f"prob_{name}"]) for name in NAMES] for row in rows])
    divergence = np.mean([jensenshannon(p, q) ** 2 for p, q in zip(probabilities, truth, strict=True)])
    assert report["pooled"]["jensen_shannon"] == pytest.approx(divergence, abs=1e-5)
    assert report["pooled"]["log_loss"] == pytest.approx(-(truth * np.log(probabilities)).sum(axis=1).mean(), abs=1e-4)
    tops = [{name for name, share in zip(NAMES, row, strict=True) if share == row.max()} for row in truth]
    assert [set(row["label"].split("|")) for row in rows] == tops
    right = [row["prediction"] in top for row, top in zip(rows, tops, strict=True)]
    assert report["pooled"]["accuracy"] == pytest.approx(np.mean(right))
    assert report["votes"]["ties"] == report["pooled"]["ties"] == sum(len(top) > 1 for top in tops)
    assert set(report["intervals"]) >= {"accuracy", "macro_f1", "jensen_shannon", "log_loss", "vote_share"}
    check_languages(work / "run", NAMES)
    text = (work / "run/report.txt").read_text(encoding="utf-8")
    assert "JS divergence" in text
    assert "rows with a tie" in text
    assert "Trained on the shares" in (work / "run/README.md").read_text(encoding="utf-8")
    page = (work / "run/report.html").read_text(encoding="utf-8")
    assert "A run on votes." in page
    assert "does not fit report.json" not in page


def test_counts_and_annotators_make_the_same_models(work: Path) -> None:
    first, second = (
        json.loads((work / name / "report.json").read_text(encoding="utf-8")) for name in ("run", "counts")
    )
    assert first == second


@pytest.mark.slow
def test_test_and_predict_agree(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "run", "test.csv", "--json"]) == 0
    tested = json.loads(capsys.readouterr().out)
    assert [line["name"] for line in tested["combined"]] == ["ensemble", "soup"]
    assert main(["predict", "run/fold_1", "test.csv", "--output", str(work / "p.csv"), "--json"]) == 0
    predicted = json.loads(capsys.readouterr().out)
    first = tested["checkpoints"][0]
    for name in ("accuracy", "macro_f1", "jensen_shannon", "log_loss", "vote_share", "best_vote_share", "ties"):
        assert predicted["scores"][name] == pytest.approx(first[name], abs=1e-6)
        assert first["rows"] == 20
    assert first["best_vote_share"] == pytest.approx(shares(20, 2).max(axis=1).mean())
    assert main(["test", "run", "test.csv"]) == 0
    out = capsys.readouterr().out
    assert "rows with a tie" in out
    assert "the best that the votes allow" in out
    assert main(["predict", "run/fold_1", "비가 왔다"]) == 0
    (work / "plain.csv").write_text("text\n비가 왔다\n", encoding="utf-8")
    assert main(["predict", "run/fold_1", "plain.csv", "--json"]) == 0


@pytest.mark.slow
def test_a_plain_pipeline_gives_the_same_label(work: Path, plain: Any) -> None:
    text = "갑자기 문이 열려 눈이 커졌다"
    model = EmotionClassifier.from_pretrained(work / "run/best")
    code = """
from transformers import pipeline
found = pipeline("text-classification", model=model, top_k=None)(text)
found = found[0] if isinstance(found[0], list) else found
result = {line["label"]: line["score"] for line in found}
"""
    theirs = plain.run(code, model=str(work / "run/best"), text=text)
    model.config.softmax_temperature = 1.0
    [mine] = model.predict([text])
    assert {name: 100 * score for name, score in theirs.items()} == pytest.approx(mine["probabilities"], abs=0.01)


@pytest.mark.slow
def test_members_and_graphs_answer_as_the_model(work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ensemble", "run", "--output", str(tmp_path / "ensemble")]) == 0
    assert load_checkpoint(tmp_path / "ensemble").task == Soft()
    capsys.readouterr()
    assert main(["test", str(tmp_path / "ensemble"), "test.csv", "--json"]) == 0
    assert "jensen_shannon" in json.loads(capsys.readouterr().out)["checkpoints"][0]
    pytest.importorskip("onnxruntime")
    assert main(["export", "run/fold_1", "--output", str(tmp_path / "graph")]) == 0
    capsys.readouterr()
    assert main(["predict", str(tmp_path / "graph"), "test.csv", "--json"]) == 0
    exported = json.loads(capsys.readouterr().out)["scores"]
    assert main(["predict", "run/fold_1", "test.csv", "--json"]) == 0
    own = json.loads(capsys.readouterr().out)["scores"]
    assert exported == {name: pytest.approx(value, abs=1e-4) for name, value in own.items()}


def test_votes_are_reviewed_with_their_annotators(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("cleanlab")
    assert main(["review", "run", "--output", str(tmp_path / "review.xlsx"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"] == 60
    assert found["annotators"][0]["annotator"] == "rater_4", "who says anything is the least reliable"
    book = load_workbook(tmp_path / "review.xlsx")
    lines = list(book["review"].iter_rows(values_only=True))
    assert lines[0][-1] == "new_label"
    assert "consensus" in lines[0]
    assert [cell.value for cell in book["annotators"]["A"]][1] == "rater_4"
    qualities = [line[lines[0].index("consensus_quality")] for line in lines[1:] if not line[lines[0].index("suspect")]]
    assert qualities == sorted(qualities)
    row = lines[1][lines[0].index("row")]
    book["review"].cell(2, len(lines[0])).value = "슬픔"
    book.save(tmp_path / "review.xlsx")
    corrected = tmp_path / "corrected.csv"
    assert main(["review", "run", "--apply", str(tmp_path / "review.xlsx"), "--output", str(corrected)]) == 0
    assert "--task soft" in capsys.readouterr().out
    with corrected.open(encoding="utf-8-sig", newline="") as handle:
        rows = {int(line["row"]): [float(line[name]) for name in NAMES] for line in csv.DictReader(handle)}
    expected = shares(60, 1)
    expected[row - 1] = [0, 0, 1]
    np.testing.assert_allclose([rows[number] for number in range(1, 61)], expected, atol=1e-6)


def test_compare_knows_ties(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "run", "counts", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    report = json.loads((work / "run/report.json").read_text(encoding="utf-8"))
    assert found["accuracy"]["first"] == pytest.approx(report["pooled"]["accuracy"])
    assert found["macro_f1"]["first"] == pytest.approx(report["pooled"]["macro_f1"])


def test_a_server_and_explanations_work(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "run/fold_1", "눈물이 났다", "--json"]) == 0
    pytest.importorskip("fastapi")
    from starlette.testclient import TestClient

    from kobert_hf_emotion.serving import create_app

    model = load_checkpoint(work / "run/fold_1")
    [expected] = model.predict(["눈물이 났다"])
    with TestClient(create_app(model)) as client:
        while client.get("/health").status_code != 200:
            pass
        [found] = client.post("/predict", json={"texts": ["눈물이 났다"]}).json()["predictions"]
    assert found["label"] == expected["label"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "parts"),
    [
        ("review counts --output review.csv", ("column for each annotator", "kobert-emotion report counts")),
        ("train counts.csv --labels 기쁨,놀람,슬픔 --output new", ("--task soft",)),
        ("test run single.csv", ("no such file",)),
    ],
)
def test_what_cannot_be_done_is_said(
    work: Path, capsys: pytest.CaptureFixture[str], command: str, parts: tuple[str, ...]
) -> None:
    assert main(command.split()) == 2
    err = capsys.readouterr().err
    for part in parts:
        assert part in err
    assert not (work / "new").exists()


def test_a_model_is_trained_on(work: Path, tmp_path: Path) -> None:
    assert main(["continue", "run/best", "counts.csv", "--epochs", "1", "--output", str(tmp_path / "on")]) == 0
    config = AutoConfig.from_pretrained(tmp_path / "on")
    assert config.soft_labels is True
    assert config.softmax_temperature == 1.0


def dataset(count: int = 16) -> datasets.Dataset:
    features = datasets.Features({"text": datasets.Value("string"), "label": vote_feature(NAMES)})
    columns = {
        "text": [f"{number}번째 " + "아 " * number for number in range(count)],
        "label": [{name: float(row.count(name)) for name in NAMES} for row in votes(count, 3)],
    }
    return datasets.Dataset.from_dict(columns, features=features)


def test_models_and_rows_of_different_tasks_are_refused(tiny_model: EmotionClassifier, tmp_path: Path) -> None:
    args = EmotionTrainingArguments(str(tmp_path), report_to="none", disable_tqdm=True)
    with pytest.raises(KoBERTEmotionError, match="soft_labels=True"):
        EmotionTrainer(tiny_model, args, dataset())
    one = datasets.Dataset.from_dict({"text": ["가"], "label": ["happy"]})
    tiny_model.config.soft_labels = True
    try:
        with pytest.raises(KoBERTEmotionError, match="task='soft'"):
            EmotionTrainer(tiny_model, args, one)
    finally:
        tiny_model.config.soft_labels = False
    with pytest.raises(KoBERTEmotionError, match="soft_labels"):
        evaluate_run("default", dataset())
