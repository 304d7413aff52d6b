"""`predict`: what is a file and what is a text, by what is there; and what it does not take."""

from __future__ import annotations

import io
import json
import shlex
import sys
import zipfile
from pathlib import Path

import pytest

from kobert_hf_emotion.cli import main

ROWS = "문장\n오늘 정말 좋았다\n밤길이 무서웠다\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with data under names of all kinds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "test.csv").write_text(ROWS, encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "내 문장.csv").write_text(ROWS, encoding="utf-8")
    return tmp_path


def predict(capsys: pytest.CaptureFixture[str], model: Path, *words: str) -> tuple[int, str, str]:
    code = main(["predict", str(model), *words])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return code, captured.out, captured.err


def hint(err: str) -> list[str]:
    """Returns the words of the command in the last line of a message."""
    line = err.rstrip().splitlines()[-1]
    assert line.startswith("  $ kobert-emotion "), err
    return shlex.split(line.removeprefix("  $ kobert-emotion "))


@pytest.mark.parametrize(
    "name", ["test.csv", "./test.csv", "~/test.csv", "data/내 문장.csv", "data/../test.csv", "ABSOLUTE"]
)
def test_what_is_there_is_a_file(
    capsys: pytest.CaptureFixture[str], folder: Path, tiny_model_folder: Path, name: str
) -> None:
    word = str(folder / "test.csv") if name == "ABSOLUTE" else name
    code, out, err = predict(capsys, tiny_model_folder, word, "--json")
    assert code == 0, err
    assert json.loads(out)["rows"] == 2


def write_aihub(folder: Path) -> str:
    (folder / "aihub.json").write_text('[{"talk": {"content": {"HS01": "좋았다"}}}]', encoding="utf-8")
    return "aihub.json"


def write_zip(folder: Path) -> str:
    with zipfile.ZipFile(folder / "말뭉치.zip", "w") as archive:
        archive.writestr("a/b.txt", "x")
        archive.writestr("a/c.pdf", "x")
    return "말뭉치.zip"


def write_xls(folder: Path) -> str:
    (folder / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(64))
    return "old.xls"


def write_bare(folder: Path) -> str:
    (folder / "감성대화").write_bytes(bytes(range(256)))
    return "감성대화"


@pytest.mark.parametrize("write", [write_aihub, write_zip, write_xls, write_bare])
def test_a_file_is_read_or_refused_but_its_name_is_never_classified(
    capsys: pytest.CaptureFixture[str], folder: Path, tiny_model_folder: Path, write: object
) -> None:
    name = write(folder)  # type: ignore[operator]
    code, out, err = predict(capsys, tiny_model_folder, name, "--json")
    if code == 0:  # a format that is read
        assert json.loads(out)["rows"] == 1
    else:
        assert (code, out) == (2, "")
        assert name in err
        assert err.count("오류 (error)") == 1


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("tset.csv", "test.csv"),
        ("test.cvs", "test.csv"),
        ("test", "test.csv"),
        ("./test.xlsx", "test.csv"),
        ("~/tests.csv", "test.csv"),
        ("data/내문장.csv", "내 문장.csv"),
        (r"data\내 문장.csv", "내 문장.csv"),
        ("nothing_like_it.parquet", None),
        ("*.tsv", None),
        ("nowhere/at/all", None),
        (r"C:\Users\나\파일", None),
        ("/no/such/folder", None),
        ("https://example.com/test.csv", None),
    ],
)
def test_a_path_that_is_not_there_is_no_text(
    capsys: pytest.CaptureFixture[str], folder: Path, tiny_model_folder: Path, word: str, near: str | None
) -> None:
    code, out, err = predict(capsys, tiny_model_folder, word)
    assert (code, out) == (2, "")
    assert word in err
    assert "--text" in err
    if near is not None:
        assert Path(hint(err)[2]).name == near
        assert main(hint(err)) == 0
        capsys.readouterr()
    code, out, err = predict(capsys, tiny_model_folder, word, "--text", "--json")
    assert code == 0, err
    assert [entry["text"] for entry in json.loads(out)["predictions"]] == [word]


@pytest.mark.parametrize(
    "text",
    [
        "오늘 좋았다 / 어제 싫었다",
        "1/2 정도 남았다",
        "ㅋㅋㅋㅋ",
        "왜?",
        "😀",
        "3.5점",
        "그 파일은 a.csv였다",
        "좋다. 정말!",
        "ㅋ" * 3000,
    ],
)
def test_texts_with_marks_in_them_are_texts(
    capsys: pytest.CaptureFixture[str], folder: Path, tiny_model_folder: Path, text: str
) -> None:
    code, out, err = predict(capsys, tiny_model_folder, text, "--json")
    assert code == 0, err
    assert json.loads(out)["predictions"][0]["text"] == text


def test_a_folder_is_refused_with_the_files_in_it(
    capsys: pytest.CaptureFixture[str], folder: Path, tiny_model_folder: Path
) -> None:
    code, out, err = predict(capsys, tiny_model_folder, "data")
    assert (code, out) == (2, "")
    assert hint(err)[2:] == ["data/내 문장.csv"]
    assert main(hint(err)) == 0
    (folder / "빈 폴더").mkdir()
    assert predict(capsys, tiny_model_folder, "빈 폴더")[0] == 2


def test_several_files_or_files_and_texts(
    capsys: pytest.CaptureFixture[str], folder: Path, tiny_model_folder: Path
) -> None:
    for words in (["test.csv", "data/내 문장.csv"], ["test.csv", "오늘 좋았다"], ["오늘 좋았다", "test.csv"]):
        code, out, err = predict(capsys, tiny_model_folder, *words)
        assert (code, out) == (2, "")
        assert hint(err) == ["predict", str(tiny_model_folder), "test.csv"]
        code, out, err = predict(capsys, tiny_model_folder, *words, "--text", "--json")
        assert [entry["text"] for entry in json.loads(out)["predictions"]] == words


def test_lines_on_the_standard_input(
    capsys: pytest.CaptureFixture[str], tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for content in ("오늘 좋았다\r\n\r\n싫다\n".encode("cp949"), "\ufeff오늘 좋았다\n싫다".encode()):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        code, out, err = predict(capsys, tiny_model_folder, "-", "--json")
        assert code == 0, err
        assert [entry["text"] for entry in json.loads(out)["predictions"]] == ["오늘 좋았다", "싫다"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b" \n")))
    assert predict(capsys, tiny_model_folder, "-")[0] == 2


@pytest.mark.parametrize(
    "options",
    [["--text-column", "a"], ["--label-column", "a"], ["--text-pair-column", "b"], ["--ignore-labels"],
     ["--encoding", "cp949"], ["--encoding", "cp949", "--text-column", "a"]],
)  # fmt: skip
def test_options_for_files_are_refused_with_texts(
    capsys: pytest.CaptureFixture[str], tiny_model_folder: Path, options: list[str]
) -> None:
    code, out, err = predict(capsys, tiny_model_folder, "좋다", *options)
    assert (code, out) == (2, "")
    assert options[0] in err
    assert hint(err) == ["predict", str(tiny_model_folder), "좋다"]


def test_the_order_of_model_and_input(
    capsys: pytest.CaptureFixture[str], folder: Path, tiny_model_folder: Path
) -> None:
    for words in (["test.csv", str(tiny_model_folder)], ["오늘 정말 좋았다", "싫다"]):
        code = main(["predict", *words])
        captured = capsys.readouterr()
        assert (code, captured.out) == (2, "")
        assert main(hint(captured.err)) == 0
        capsys.readouterr()
    assert hint(captured.err) == ["predict", "default", "오늘 정말 좋았다", "싫다"]


class TestOutput:
    def test_what_is_read_is_not_written_over(
        self, capsys: pytest.CaptureFixture[str], folder: Path, tiny_model_folder: Path
    ) -> None:
        code, _, err = predict(capsys, tiny_model_folder, "test.csv", "--output", "./test.csv")
        assert code == 2
        assert (folder / "test.csv").read_text(encoding="utf-8") == ROWS
        assert main(hint(err)) == 0

    def test_a_folder_and_other_formats(
        self, capsys: pytest.CaptureFixture[str], folder: Path, tiny_model_folder: Path
    ) -> None:
        for output, wanted in (("data", "data/predictions.csv"), ("p.xlsx", "p.csv"), ("p.json", "p.csv")):
            code, _, err = predict(capsys, tiny_model_folder, "test.csv", "--output", output)
            assert code == 2
            assert hint(err)[-1] == wanted
            assert main(hint(err)) == 0
            assert (folder / wanted).is_file()
        assert not (folder / "p.xlsx").exists()


def test_texts_that_cannot_be_read_do_not_end_a_file(
    capsys: pytest.CaptureFixture[str], folder: Path, tiny_model_folder: Path
) -> None:
    ethiopic = [chr(0x1200 + i) * 5 for i in range(25)]
    lines = ["문장", *(f"오늘은 {i}번째로 좋은 날" for i in range(40)), *ethiopic]
    (folder / "mixed.csv").write_text("\n".join(lines), encoding="utf-8")
    code, out, err = predict(capsys, tiny_model_folder, "mixed.csv", "--output", "p.csv", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert (found["rows"], found["unknown_texts"]) == (65, 25)
    assert "25 of 65 texts" in err
    assert len((folder / "p.csv").read_text(encoding="utf-8-sig").splitlines()) == 66
    code, out, err = predict(capsys, tiny_model_folder, *ethiopic[:3], "--json")
    assert code == 0, err
    assert json.loads(out)["unknown_texts"] == 3
    assert "3 of 3 texts" in err


def test_long_texts_with_one_beginning_are_predicted_and_tested_alike(
    capsys: pytest.CaptureFixture[str], folder: Path, tiny_model_folder: Path
) -> None:
    start = "버스를 놓쳐서 하루 종일 기분이 가라앉았다 " * 12  # more than the model reads
    lines = [f"{start}{i},{('happy', 'sad')[i % 2]}" for i in range(35)]
    (folder / "long.csv").write_text("\n".join(["문장,감정", *lines]), encoding="utf-8")
    code, out, err = predict(capsys, tiny_model_folder, "long.csv", "--json")
    assert code == 0, err
    predicted = json.loads(out)
    assert (predicted["rows"], predicted["unknown_texts"]) == (35, 0)
    assert main(["test", str(tiny_model_folder), "long.csv", "--json"]) == 0
    tested = json.loads(capsys.readouterr().out)
    assert tested["best"] == str(tiny_model_folder)
    assert tested["checkpoints"][0]["accuracy"] == pytest.approx(predicted["scores"]["accuracy"])
