"""Which files are named by files, folders and patterns, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobert_hf_emotion.errors import DataError
from kobert_hf_emotion.ray_engine.inputs import find_files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.csv", "a.jsonl.gz", "sub/deep/c.parquet", "sub/.hidden.csv", "_old.csv", "notes.md", "model.pt"):
        file = tmp_path / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("text\n글\n", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (["data"], ["data/a.jsonl.gz", "data/b.csv", "data/sub/deep/c.parquet"]),
        (["data/*.csv"], ["data/b.csv"]),
        (["data/**/*.parquet"], ["data/sub/deep/c.parquet"]),
        (["data/b.csv", "data"], ["data/b.csv", "data/a.jsonl.gz", "data/sub/deep/c.parquet"]),
        (["data/b.csv", "./data/b.csv"], ["data/b.csv"]),
        (["data/notes.md"], ["data/notes.md"]),  # named by itself: whoever reads it says what is wrong
    ],
)
def test_files(folder: Path, inputs: list[str], expected: list[str]) -> None:
    files = find_files(inputs)
    assert [file.name for file in files] == expected
    assert [file.number for file in files] == list(range(1, len(expected) + 1))
    assert all(file.path == folder / file.name for file in files)


@pytest.mark.parametrize(
    ("inputs", "words", "mend"),
    [
        (["dta"], "Did you mean data?", ["data"]),
        (["empty"], "no table in this folder", None),
        (["data/*.tsv"], "no table matches", ["data"]),
        (["data/b.csv", "nowhere/x.csv"], "no such file", None),
    ],
)
def test_nothing_there(folder: Path, inputs: list[str], words: str, mend: list[str] | None) -> None:
    with pytest.raises(DataError, match=words.replace("?", r"\?")) as error:
        find_files(inputs)
    assert error.value.mend.get("inputs") == mend
