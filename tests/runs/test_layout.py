"""The record of a run that a disk, an editor or another program has damaged: named, with a way out, nothing touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.errors import RunError
from kobert_hf_emotion.runs.finished import read_run
from kobert_hf_emotion.runs.layout import best_fold
from kobert_hf_emotion.runs.push import files_to_push
from kobert_hf_emotion.runs.state import unfinished_record

DAMAGED = {
    "empty": b"",
    "cut short": '{"labels": ["기쁨", "슬'.encode(),
    "cp949": '{"labels": ["기쁨"]}'.encode("cp949"),
    "a list": b'["fold_1"]',
    "null": b"null",
    "a best of another kind": b'{"finished": true, "best": 3}',
    "zeros": bytes(64),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
@pytest.mark.parametrize("read", [best_fold, unfinished_record, read_run, files_to_push])
def test_a_damaged_record_is_named(read: Callable[[Path], object], content: bytes, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(RunError) as caught:
        read(tmp_path)
    assert str(tmp_path / "run.json") in caught.value.korean
    assert str(tmp_path / "run.json") in caught.value.english
    assert (tmp_path / "run.json").read_bytes() == content


def test_the_command_shows_itself_with_another_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, rows = tmp_path / "a", tmp_path / "train.csv"
    run.mkdir()
    (run / "run.json").write_text('{"finished": fal')
    rows.write_text("text,label\n" + "".join(f"오늘 {i}번 웃었다,happy\n또 {i}번 울었다,sad\n" for i in range(4)))
    assert main(["train", str(rows), "--folds", "2", "--output", str(run)]) == 2
    message = capsys.readouterr().err
    assert "Traceback" not in message
    assert message.splitlines()[-1].strip() == f"$ kobert-emotion train {rows} --output {run}_new --folds 2"


def test_a_whole_record_is_read(tmp_path: Path) -> None:
    assert best_fold(tmp_path) is None
    (tmp_path / "run.json").write_text(json.dumps({"finished": False}))
    assert best_fold(tmp_path) is None
    assert unfinished_record(tmp_path) == {"finished": False}
    (tmp_path / "run.json").write_text(json.dumps({"finished": True, "best": "fold_2"}))
    assert best_fold(tmp_path) == tmp_path / "fold_2"
