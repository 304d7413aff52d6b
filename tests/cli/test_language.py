"""The language of what the command line says: help, errors, results; and what it says where nothing is typed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from paths import ROOT
from sentences import sentences, write_seed_csv
from typer.core import TyperArgument, TyperGroup, TyperOption

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.cli.app import app
from kobert_hf_emotion.cli.language import language_of, speak
from kobert_hf_emotion.cli.language_option import in_docstring, in_help
from kobert_hf_emotion.cli.usage import in_korean
from kobert_hf_emotion.errors import DataError

HANGUL = re.compile(r"[가-힣]")
GROUP = typer.main.get_command(app)
assert isinstance(GROUP, TyperGroup)
COMMANDS = sorted(GROUP.commands)
OF_TYPER = {"install_completion", "show_completion", "help"}


def run(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in argv])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "both"),
        ({"LANG": "C.UTF-8"}, "both"),
        ({"LANG": "POSIX"}, "both"),
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko"}, "ko"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "de_DE@euro"}, "en"),
        ({"LANG": "kok_IN.UTF-8"}, "en"),
        ({"LANG": "ko_KR.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "ko_KR.UTF-8", "LC_MESSAGES": "C"}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": ""}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "KOBERT_EMOTION_LANG": "en"}, "en"),
    ],
)
def test_the_language_of_variables(environment: dict[str, str], expected: str) -> None:
    assert language_of(["train", "a.csv"], environment) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("train a.csv --lang en", "en"),
        ("train a.csv --lang=en", "en"),
        ("--lang en train a.csv", "en"),
        ("--lang ko train a.csv --lang en", "en"),
        ("predict default -- --lang en", "ko"),
        ("train a.csv --lang fr", "ko"),
        ("train a.csv --lang", "ko"),
    ],
)
def test_the_option_comes_before_the_variable(words: str, expected: str) -> None:
    assert language_of(words.split(), {"KOBERT_EMOTION_LANG": "ko"}) == expected


def test_a_variable_that_is_no_language(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOBERT_EMOTION_LANG", "fr")
    code, out, err = run(capsys, "predict", "default", "좋아")
    assert (code, out) == (2, "")
    assert "'fr'" in err
    assert "$ export KOBERT_EMOTION_LANG=both" in err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_is_written_in_both_languages(name: str) -> None:
    """So that one of them can be left out: `한국어 (English)`, and Korean lines before English ones."""
    assert isinstance(GROUP, TyperGroup)
    command = GROUP.commands[name]
    assert command.help is not None
    korean, english = (in_docstring(command.help, language).partition("\n\n") for language in ("ko", "en"))
    assert HANGUL.search(korean[2])
    assert english[2]
    assert not HANGUL.search(english[2])
    assert english[0].startswith(f"Example: kobert-emotion {name} ")
    for parameter in command.params:
        assert isinstance(parameter, (TyperOption, TyperArgument))
        if parameter.name == "help":
            continue
        assert parameter.help, parameter.name
        assert HANGUL.search(in_help(parameter.help, "ko")), parameter.help
        assert not HANGUL.search(in_help(parameter.help, "en")), parameter.help
        assert in_help(parameter.help, "en")[0] not in "( ", parameter.help
    assert [parameter.name for parameter in command.params].count("lang") == 1


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_in_english_has_no_hangul_but_in_examples(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, out, _ = run(capsys, *([name] if name else []), "--lang", "en", "--help")
    assert code == 0
    assert [line for line in out.splitlines() if HANGUL.search(line) and "Example: " not in line] == []


@pytest.mark.parametrize("language", ["ko", "en", "both"])
def test_an_error_in_one_language_ends_in_the_command_all_the_same(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_seed_csv(tmp_path / "train.csv", sentences(2))
    code, _, err = run(capsys, "train", "trian.csv", "--lang", language)
    assert code == 2
    *said, last = err.strip().splitlines()
    assert shlex.split(last) == ["$", "kobert-emotion", "train", "train.csv", "--lang", language]
    assert said[0].startswith({"ko": "오류: ", "en": "error: ", "both": "오류 (error): "}[language])
    assert [bool(HANGUL.search(line.replace("오류", ""))) for line in said] == {
        "ko": [True], "en": [False], "both": [True, False],
    }[language]  # fmt: skip


@pytest.mark.parametrize(
    ("argv", "korean", "english"),
    [
        ("nosuch", "'nosuch'이라는 명령은 없습니다", "No such command"),
        ("predict", "주지 않았습니다", "Missing argument"),
        ("export default", "'--output' 옵션이 필요합니다", "Missing option"),
        ("train a.csv --fold 3", "--fold라는 옵션은 없습니다", "No such option: --fold"),
        ("train a.csv --epochs x", "'--epochs'에는 수가 필요합니다", "valid"),
        ("train a.csv --seed x", "'--seed'에는 정수가 필요합니다", "valid int"),
        ("train a.csv --folds 1", "'--folds'", "2"),
        ("serve default --port 99999", "'--port'", "65535"),
        ("doctor a.csv --model default --word fr", "옵션은 없습니다", "No such option"),
        ("train a.csv --word-split fr", "가운데 하나여야 합니다", "is not one of"),
        ("compare a b c", "남는 것이 있습니다", "unexpected extra argument"),
        ("train a.csv --model", "값이 필요합니다", "requires an argument"),
    ],
)
def test_mistakes_in_typing(capsys: pytest.CaptureFixture[str], argv: str, korean: str, english: str) -> None:
    code, out, err = run(capsys, *argv.split())
    assert (code, out) == (2, "")
    assert korean in err
    assert english in err
    assert HANGUL.search(err.splitlines()[-2] if len(err.splitlines()) > 1 else err)
    code, _, in_english = run(capsys, "--lang", "en", *argv.split())
    assert code == 2
    assert not HANGUL.search(in_english)
    assert english in in_english


def test_a_language_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "doctor", "a.csv", "--lang", "fr")
    assert code == 2
    assert "'ko', 'en', 'both'" in err


def test_a_message_of_typer_that_is_not_known_stays() -> None:
    assert in_korean("Something new") is None


@pytest.mark.parametrize("language", ["ko", "en"])
def test_what_is_read_is_said_in_one_language(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_model_folder: Path, language: str
) -> None:
    write_seed_csv(tmp_path / "test.csv", [*sentences(1), ("", "happy")], encoding="cp949")
    _, out, err = run(capsys, "predict", tiny_model_folder, tmp_path / "test.csv", "--lang", language)
    report = "".join(line for line in err.splitlines() if "test.csv" in line or line.startswith("  "))
    shown = report.replace(str(tmp_path), "")
    assert bool(HANGUL.search(shown)) == (language == "ko"), err
    assert ("행을 씁니다" in report) == (language == "ko")
    assert ("rows are used" in report) == (language == "en")
    assert "macro avg" in out


def test_a_training_ends_in_one_language(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_model_folder: Path
) -> None:
    write_seed_csv(tmp_path / "train.csv", sentences(2))
    words = f"train {tmp_path}/train.csv --model {tiny_model_folder} --folds 2 --epochs 1 --output {tmp_path}/run"
    code, out, err = run(capsys, *words.split(), "--lang", "en")
    assert code == 0, err
    assert "labels down, predictions across" in out
    assert not HANGUL.search(out), out
    assert HANGUL.search((tmp_path / "run/report.txt").read_text(encoding="utf-8")), "the file has both"


def test_json_does_not_depend_on_the_language(capsys: pytest.CaptureFixture[str], tiny_model_folder: Path) -> None:
    outs = [run(capsys, "predict", tiny_model_folder, "좋아", "--json", "--lang", x)[1] for x in ("ko", "en", "both")]
    assert outs[0] == outs[1] == outs[2]


def test_exceptions_of_python_carry_both() -> None:
    speak("en")
    assert (
        str(DataError("틀림", "wrong", "kobert-emotion doctor a.csv")) == "틀림\nwrong\n  $ kobert-emotion doctor a.csv"
    )


@pytest.mark.parametrize("language", ["ko", "en", "both"])
def test_alone_it_shows_what_to_type_first(capsys: pytest.CaptureFixture[str], language: str) -> None:
    code, out, err = run(capsys, "--lang", language)
    assert (code, out) == (2, "")
    shown = [line.strip() for line in err.splitlines() if line.startswith("  ")]
    assert shown[0] == 'kobert-emotion predict default "오늘 정말 행복했어"'
    assert isinstance(GROUP, TyperGroup)
    for command in map(shlex.split, shown):
        if "--help" not in command:
            GROUP.commands[command[1]].make_context(command[1], command[2:]).close()
    titles = [line for line in err.splitlines() if line.endswith(":")]
    assert all(bool(HANGUL.search(title)) == (language != "en") for title in titles)


COMPLETED = r"""
source "$1"
COMP_WORDS=("${@:2}"); COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
_kobert_emotion_completion kobert-emotion
printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def bash_script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script that bash is told to run, and the command on its PATH."""
    folder = tmp_path_factory.mktemp("bin")
    command = folder / "kobert-emotion"
    command.write_text(
        f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {sys.executable} -m kobert_hf_emotion "$@"\n'
    )
    command.chmod(0o755)
    asked = {"PATH": "/usr/bin:/bin", "_KOBERT_EMOTION_COMPLETE": "source_bash"}
    script = folder / "completion.bash"
    script.write_text(subprocess.check_output([command], text=True, env=asked), encoding="utf-8")
    assert "complete -o default -F" in script.read_text(encoding="utf-8")
    return script


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        (["pre"], ["predict"]),
        (["e"], ["ensemble", "explain", "export"]),
        (["train", "a.csv", "--label-c"], ["--label-column"]),
        (["predict", "default", "좋아", "--lang", ""], ["both", "en", "ko"]),
        (["export", "default", "--format", "w"], ["web"]),
        (["train", "a"], [""]),
    ],
)
def test_bash_completes(bash_script: Path, typed: list[str], completed: list[str]) -> None:
    """Nothing where a file is expected: bash falls back to the names of files (`-o default`)."""
    done = subprocess.run(
        ["bash", "-c", COMPLETED, "bash", str(bash_script), "kobert-emotion", *typed],
        capture_output=True, text=True, check=True, env={"PATH": f"{bash_script.parent}:/usr/bin:/bin"},
    )  # fmt: skip
    assert sorted(done.stdout.split("\n")[:-1]) == completed, done.stderr
