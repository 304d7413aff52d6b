"""`kobert-emotion report`, typed, on a run that was trained."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_runs import make_args, make_dataset

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.runs import cross_validation
from kobert_hf_emotion.runs.cross_validation import cross_validate
from kobert_hf_emotion.runs.finished import read_run
from kobert_hf_emotion.runs.reporting import gather_run, write_page


@pytest.fixture(scope="module", autouse=True)
def reports_written() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(cross_validation, "write_page", write_page)
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path) -> Path:
    run = tmp_path_factory.mktemp("runs") / "a"
    cross_validate(make_dataset(), run, tiny_model_folder, make_args(num_train_epochs=1), n_splits=2)
    return run


def test_a_run_writes_what_the_command_writes_again(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (trained / "report.html").read_bytes()
    output = trained.parent / "new" / "보고서.html"
    assert main(["report", str(trained), "--output", str(output), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"] == found["rows_shown"] == 56
    assert (found["output"], found["bytes"]) == (str(output), output.stat().st_size)
    assert found["missing"] == found["left_out"] == []
    assert output.read_bytes() == before
    assert found["explained"] == 20


def test_mistakes_are_explained_by_the_fold_that_did_not_train_on_them(trained: Path) -> None:
    content, table = gather_run(trained), read_run(trained).table
    assert len(content.explanations) == len(content.mistakes) == 20
    for index in content.mistakes[:4]:
        row = table.iloc[index]
        assert row["label"] != row["prediction"]
        model = EmotionClassifier.from_pretrained(trained / f"fold_{row['fold']}")
        [expected] = model.explain([row["text"]])
        found = content.explanations[index]
        assert (found.label, found.text) == (row["prediction"], row["text"])
        assert found.contributions().tolist() == pytest.approx(expected.contributions().tolist(), abs=1e-4)


def test_a_fold_without_its_model_is_said(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "a"
    worst = gather_run(trained).mistakes[0]  # which is explained, by whichever fold that is
    fold = f"fold_{read_run(trained).table['fold'].iloc[worst]}"
    shutil.copytree(trained, run, ignore=shutil.ignore_patterns(fold, "best"))
    assert main(["report", str(run), "--no-texts"]) == 0
    assert main(["report", str(run)]) == 0
    said = capsys.readouterr().out
    assert fold in said
    assert fold in (run / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_page_that_fails_ends_no_run(
    tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("kobert_hf_emotion.runs.reporting.to_page", broken)
    args = make_args(num_train_epochs=1, max_steps=1)
    cross_validate(make_dataset(), tmp_path / "a", tiny_model_folder, args, n_splits=2)
    assert read_run(tmp_path / "a").record["finished"] is True
    assert "kobert-emotion report" in caplog.text
    assert not (tmp_path / "a" / "report.html").exists()
