"""What the command line says of an error: options in place of arguments, and the typed command, mended."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
import typer
from model_folders import change_config

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.cli.app import app
from kobert_hf_emotion.cli.hints import in_terms_of
from kobert_hf_emotion.cli.language import language_of, speak
from kobert_hf_emotion.errors import DataError, Setting


def last_line(argv: list[str], mend: dict[str, Setting]) -> list[str]:
    line = in_terms_of(app, argv, DataError("틀림", "wrong", mend=mend)).splitlines()[-1]
    assert line.startswith("  $ ")
    return shlex.split(line.removeprefix("  $ "))


@pytest.mark.parametrize(
    ("argv", "mend", "expected"),
    [
        ("predict default x.csv", {"text_column": "내 문장"}, "predict default x.csv --text-column '내 문장'"),
        ("predict default x.csv --text-column a", {"text_column": "b"}, "predict default x.csv --text-column b"),
        ("predict --text-column=a default x.csv", {"text_column": "b"}, "predict default x.csv --text-column b"),
        ("predict default x.csv --encoding utf-8", {"encoding": None}, "predict default x.csv"),
        ("predict default -- -_-", {"ignore_labels": True}, "predict --ignore-labels -- default -_-"),
        ("predict nosuch a b", {"model": "default"}, "predict default a b"),
        ("train a.csv --output r --folds 5", {"n_splits": 2}, "train a.csv --output r --folds 2"),
        (
            "train a.csv --output r --dataset-id a/b --dataset-id c/d",
            {"group_duplicates": False},
            "train a.csv --output r --no-group-duplicates --dataset-id a/b --dataset-id c/d",
        ),
    ],
)
def test_the_typed_command_is_mended(argv: str, mend: dict[str, Setting], expected: str) -> None:
    assert last_line(shlex.split(argv), mend) == ["kobert-emotion", *shlex.split(expected)]


def test_a_mended_command_is_taken_by_its_command() -> None:
    argv = last_line(["train", "a.csv", "--output", "r", "--alpha", "fear=2"], {"labels": "auto"})[1:]
    command = typer.main.get_command(app).commands["train"]  # type: ignore[attr-defined]
    found = command.make_context("train", argv[1:]).params
    assert (found["labels"], found["alpha"], str(found["train_file"])) == ("auto", "fear=2", "a.csv")


@pytest.fixture(autouse=True)
def language_of_a_new_process() -> None:
    """A command that another test typed may have spoken one language alone."""
    speak(language_of([]))


def test_arguments_in_backticks_are_options_of_the_command() -> None:
    error = DataError("`text_column`을 주세요", "Give `text_column` or `sheet`; `n_splits` too")
    shown = in_terms_of(app, ["train", "a.csv", "--output", "r"], error)
    assert "--text-column을 주세요" in shown
    assert "--folds too" in shown
    assert "Give `text_column`" in str(error)


def test_an_option_of_another_command_is_named_with_it() -> None:
    error = DataError("`labels`에 이름을", "Pass names as `labels`; `no_argument` is none.")
    shown = in_terms_of(app, ["predict", "default", "a.csv"], error)
    assert "--labels (train)에 이름을" in shown
    assert "Pass names as --labels (train); `no_argument` is none." in shown


def test_the_line_that_failed_is_no_way_out_of_it() -> None:
    error = DataError("틀림", "wrong", mend={"max_length": None})
    assert "$" not in in_terms_of(app, ["train", "a.csv", "--output", "r"], error)
    assert last_line(["train", "a.csv", "--max-length", "9"], {"max_length": None})[1:] == ["train", "a.csv"]


def test_a_command_without_an_argument_has_the_other_way_out() -> None:
    error = DataError("틀림", "wrong", mend={"labels": "auto"}, otherwise={"text_column": "글"})
    for argv, expected in (
        (["train", "a.csv"], "--labels auto"),
        (["predict", "default", "a.csv"], "--text-column '글'"),
    ):
        assert in_terms_of(app, argv, error).endswith(f"{' '.join(argv)} {expected}")


def test_a_mend_the_command_does_not_know_is_not_shown() -> None:
    error = DataError("틀림", "wrong", "kobert-emotion doctor a.csv", mend={"group_pattern": "x"})
    assert in_terms_of(app, ["convert", "a.pt", "--output", "b"], error).endswith("$ kobert-emotion doctor a.csv")


ROWS = [(f"오늘은 {i}번째로 {word}", name) for i in range(5) for word, name in (("좋았다", "happy"), ("슬펐다", "sad"))]


def write(path: Path, rows: list[tuple[str, str]], header: str = "text,label") -> None:
    path.write_text("\n".join([header, *map(",".join, rows)]) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path) -> Path:
    """A finished run of two folds; a test gets a copy."""
    folder = tmp_path_factory.mktemp("runs")
    write(folder / "train.csv", ROWS)
    options = ["--model", str(tiny_model_folder), "--folds", "2", "--epochs", "1", "--labels", "sad,happy"]
    assert main(["train", str(folder / "train.csv"), *options, "--output", str(folder / "a")]) == 0
    return folder / "a"


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finished_run: Path, tiny_model_folder: Path) -> Path:
    """A working folder with data, a run, a model and one of the notebook's files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    shutil.copytree(finished_run, tmp_path / "runs" / "a", symlinks=True)
    (tmp_path / "model").symlink_to(tiny_model_folder)
    write(tmp_path / "train.csv", ROWS)
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "a.csv", ROWS)
    write(tmp_path / "data" / "b.csv", ROWS)
    write(tmp_path / "many.csv", [(f"오늘은 {i}번 웃었다", "happy") for i in range(24)])
    write(tmp_path / "few.csv", [*ROWS, ("화가 났다", "angry"), ("화가 치밀었다", "angry")])
    write(tmp_path / "odd.csv", ROWS, "문장,비고")
    votes = [(text, f"{number % 2 * 3},{3 - number % 2 * 2}") for number, (text, _) in enumerate(ROWS)]
    write(tmp_path / "votes.csv", votes, "text,sad,happy")
    stars = "".join(f"{i % 5 + 1}\t버스를 {i}번 놓쳐서 기분이 가라앉았다\n" for i in range(8))
    (tmp_path / "stars.txt").write_text(stars, encoding="utf-8")
    (tmp_path / "lines.txt").write_text("어제는 비가 왔다, 많이\n버스를 놓쳤다\n배가 고프다\n", encoding="utf-8")
    levels = [(f"{i}번째 버스를 놓쳤다", *pair) for i in range(4) for pair in (("기쁨", "안도"), ("슬픔", "낙담한"))]
    for name, rows in (
        ("levels", levels),
        ("shared", [*levels, *((text, "당황", "안도") for text, *_ in levels[::2])]),
    ):
        lines = ["문장,감정_대분류,감정_소분류", *(",".join(row) for row in rows)]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "other_map.csv").write_text("sad,부정\nhappy,긍정\n", encoding="utf-8")
    write(tmp_path / "others.csv", [(text, f"{label} {label}") for text, label in ROWS])
    (tmp_path / "good_map.csv").write_text("sad,sad\nhappy,happy\n", encoding="utf-8")
    (tmp_path / "three_columns.csv").write_text("sad,sad,1\nhappy,happy,1\n", encoding="utf-8")
    (tmp_path / "two_meanings.csv").write_text("sad,sad\nsad,happy\n", encoding="utf-8")
    (tmp_path / "no_meaning.csv").write_text("sad,sad\nhappy,\n", encoding="utf-8")
    (tmp_path / "cp949.csv").write_bytes((tmp_path / "train.csv").read_text(encoding="utf-8").encode("cp949"))
    several = [(text, "sad|happy") for text, _ in ROWS]
    write(tmp_path / "several.csv", several)
    slips = [(text, ",".join("01"[i == number % 7] for i in range(7))) for number, (text, _) in enumerate(ROWS)]
    write(tmp_path / "column_slip.csv", slips, "text,fear,surprise,angry,sad,neutral,hapyp,disgust")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "other_split.csv").write_text("fold\n1\n2\n", encoding="utf-8")
    return tmp_path


NO_PYTHON = re.compile(r"`[a-z_]+`|\b[a-z_]+=(?:None|True|False|…|\.\.\.)|\bdf\[")
TINY = "--model model --epochs 1 --labels sad,happy"
MISTAKES = {
    "a mistyped file to predict": "predict model trian.csv",
    "a file without its suffix": "predict model train",
    "a backslash in a path": r"predict model '.\train.csv'",
    "a file before the model": "predict train.csv model",
    "a text where the model is expected": "predict '오늘 좋았다'  '그래'",
    "a mistyped model": "predict defualt '오늘 좋았다'",
    "a run where a model is expected": "predict runs/a '오늘 좋았다'",
    "a mistyped folder": "predict ./modle '오늘 좋았다'",
    "options of files with texts": "predict model '오늘 좋았다' --text-column text --ignore-labels",
    "a file and a text": "predict model train.csv '오늘 좋았다'",
    "two files": "predict model train.csv few.csv",
    "predictions over their file": "predict model train.csv --output train.csv",
    "predictions as xlsx": "predict model train.csv --output p.xlsx",
    "predictions to a folder": "predict model train.csv --output runs",
    "a tokenizer with a folder": "predict model '오늘 좋았다' --tokenizer model --num-attention-heads 2",
    "a file without column names": "predict model stars.txt",
    "a text a line": "predict model lines.txt",
    "a mistyped column": "predict model odd.csv --text-column 문쟝",
    "a mistyped column to test": "test runs/a train.csv --text-column txt",
    "a mistyped column to train on": f"train train.csv --folds 2 --text-column txt --output new {TINY}",
    "a slash between words": "predict model '좋다/싫다'",
    "a mistyped file to train on": f"train trian.csv --folds 2 --output new {TINY}",
    "a mistyped model to train": "train train.csv --folds 2 --output new --epochs 1 --labels sad,happy --model modle",
    "a split and folds": f"train train.csv --split runs/a/split.csv --folds 3 --output new {TINY}",
    "a split of other data": f"train train.csv --split other_split.csv --output new {TINY}",
    "more folds than rows of a label": "train few.csv --folds 4 --output new --model model --epochs 1",
    "votes without their task": f"train votes.csv --folds 2 --output new {TINY}",
    "a pattern without its column": f"train train.csv --folds 2 --group-pattern '(.)' --output new {TINY}",
    "an unknown tracker": f"train train.csv --folds 2 --report-to tensorbored --output new {TINY}",
    "a mistyped file to test": "test runs/a tran.csv",
    "a mistyped run to test": "test runs/a1 train.csv",
    "a tokenizer with a run": "test runs/a train.csv --tokenizer model",
    "a file to start from": "train train.csv --folds 2 --output new --epochs 1 --labels sad,happy --model few.csv",
    "files that are not there": "predict model tran.csv fwe.csv",
    "an ensemble where a folder is": "ensemble runs/a --output model",
    "an export where a folder is": "export model --output data",
    "a folder to train on": f"train data --folds 2 --output new {TINY}",
    "a folder to continue with": "continue runs/a/best data --epochs 1 --output new",
    "a folder to test": "test runs/a data",
    "a folder to predict": "predict model data",
    "a fold where a run is expected": "ensemble runs/a/fold_1 --output new",
    "a mistyped run": "ensemble runs/aa --output new",
    "a test's result as CSV": "test runs/a train.csv --output test.csv",
    "a report of a fold": "report runs/a/fold_1",
    "a report of a folder of runs": "report runs",
    "a report of a mistyped run": "report runs/aa",
    "a report as a picture": "report runs/a --output report.png",
    "a report into a folder": "report runs/a --output data",
    "a fold to compare": "compare runs/a runs/a/fold_2",
    "a run to continue": "continue runs/a train.csv --epochs 1 --output new",
    "a state that is not there": "continue runs/a/best train.csv --epochs 1 --resume-optimizer --output new",
    "a mistyped file to continue with": "continue runs/a/best tran.csv --epochs 1 --output new",
    "a column of fine labels alone": (
        "train levels.csv --fine-label-column 감정_소분류 --folds 2 --epochs 1 --model model --output new"
    ),
    "a fine label under two coarse ones": (
        "train shared.csv --label-column 감정_대분류 --fine-label-column 감정_소분류 --folds 2 --epochs 1 "
        "--model model --output new"
    ),
    "fine labels of a model with one level": "test runs/a train.csv --fine-label-column label",
    "a map of other labels": (
        "train train.csv --label-map other_map.csv --folds 2 --epochs 1 --model model --output new"
    ),
    "no label that is known": "doctor others.csv --labels sad,happy --unknown-label drop",
    "a map that is a folder": "doctor train.csv --labels sad,happy --label-map data",
    "a mistyped map": "doctor train.csv --labels sad,happy --label-map good_mpa.csv",
    "a mistyped corpus": "doctor train.csv --labels sad,happy --label-map koote",
    "a map that is empty": "test runs/a train.csv --label-map empty.csv",
    "a map over a file": "doctor train.csv --labels sad,happy --write-label-map train.csv",
    "a map as xlsx": "doctor train.csv --labels sad,happy --write-label-map map.xlsx",
    "a mistyped file to learn from": "distill model trian.csv --student model --epochs 1 --output new",
    "a mistyped teacher": "distill modle train.csv --student model --epochs 1 --output new",
    "a mistyped student": "distill model train.csv --student modle --epochs 1 --output new",
    "a student where a folder is": "distill model train.csv --student model --epochs 1 --output runs",
    "a mistyped file with labels": "distill model data/a.csv --labelled tran.csv --student model --output new",
    "adapters on layers that are not there": f"train train.csv --folds 2 --lora 2 --lora-target q --output new {TINY}",
    "a learning rate below 0": f"train train.csv --folds 2 --learning-rate -1 --output new {TINY}",
    "no number": f"train train.csv --folds 2 --learning-rate nan --output new {TINY}",
    "a share of texts of 1": "adapt many.csv --held-out 1 --epochs 1 --model model --output new",
    "two mistyped columns": f"train train.csv --text-column txet --label-column lable --folds 2 --output new {TINY}",
    "a file of another encoding": "predict model cp949.csv --encoding utf-8",
    "a file before the run": "test train.csv runs/a",
    "a file before the teacher": "distill train.csv model --student model --epochs 1 --output new",
    "a file before the model to continue": "continue train.csv runs/a/best --epochs 1 --output new",
    "adapters' settings without a rank": (
        f"train train.csv --folds 2 --lora-alpha 4 --lora-target key --output new {TINY}"
    ),
    "a share for no choice": f"train train.csv --folds 2 --choosing-share 0.5 --output new {TINY}",
    "turns where nothing tells conversations": f"train train.csv --folds 2 --context 2 --output new {TINY}",
    "an alpha that is no number": "train train.csv --folds 2 --alpha nan --output new --model model --epochs 1 "
    "--labels sad,happy",
    "any table as a review": "review runs/a --apply train.csv --output review.csv",
    "a map of three columns": "doctor train.csv --labels sad,happy --label-map three_columns.csv",
    "a map of two meanings": "doctor train.csv --labels sad,happy --label-map two_meanings.csv",
    "a map without a meaning": "doctor train.csv --labels sad,happy --label-map no_meaning.csv",
    "longer than the model": "continue runs/a/best train.csv --epochs 1 --max-length 4096 --output new",
}


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_hint_leads_out(
    capsys: pytest.CaptureFixture[str], workplace: Path, monkeypatch: pytest.MonkeyPatch, mistake: str
) -> None:
    argv = shlex.split(MISTAKES[mistake])
    code = main(argv)
    captured = capsys.readouterr()
    assert (code, captured.out) == (2, ""), captured.err
    assert "Traceback" not in captured.err
    assert NO_PYTHON.search(captured.err) is None, captured.err
    *_, last = captured.err.rstrip().splitlines()
    assert last.startswith(f"  $ kobert-emotion {argv[0]} "), captured.err
    code = main(shlex.split(last)[2:])
    assert code == 0, capsys.readouterr().err


ELSEWHERE = {
    "distill runs/a train.csv --labelled votes.csv --output new": "train votes.csv --labels sad,happy --task soft",
    "distill runs/a train.csv --validation-file several.csv --output new": (
        "train several.csv --labels sad,happy --task multi-label"
    ),
    "test runs/a votes.csv --encoding utf-8": "train votes.csv --labels sad,happy --task soft --encoding utf-8",
    "test runs/a several.csv": "train several.csv --labels sad,happy --task multi-label",
    "continue runs/a/best several.csv --output new": "train several.csv --labels sad,happy --task multi-label",
    "train column_slip.csv --task multi-label --output new": (
        "doctor column_slip.csv --label-column fear,surprise,angry,sad,neutral,disgust,hapyp --task multi-label "
        "--write-label-map label_map.csv"
    ),
    "search column_slip.csv --task soft --output new": (
        "doctor column_slip.csv --label-column fear,surprise,angry,sad,neutral,disgust,hapyp --task soft "
        "--write-label-map label_map.csv"
    ),
    "test runs/a train.csv --label-map three_columns.csv": "doctor train.csv --write-label-map label_map.csv",
}
"""Mistakes that another command leads out of."""


@pytest.mark.parametrize("mistake", ELSEWHERE)
def test_another_command_leads_out(capsys: pytest.CaptureFixture[str], workplace: Path, mistake: str) -> None:
    assert workplace.is_dir()
    assert main(shlex.split(mistake)) == 2
    *said, last = capsys.readouterr().err.rstrip().splitlines()
    assert sorted(shlex.split(last)[2:]) == sorted(shlex.split(ELSEWHERE[mistake])), last
    assert not any("--delimiter" in line for line in said)
    line = shlex.split(last)[2:]
    if line[0] == "doctor":
        assert main(line) == 0
    if "hapyp" in last:
        assert "hapyp,happy," in (workplace / "label_map.csv").read_text(encoding="utf-8-sig")


def test_a_teacher_that_reads_turns_is_trained_without(capsys: pytest.CaptureFixture[str], workplace: Path) -> None:
    shutil.copytree((workplace / "model").resolve(), workplace / "of_turns")
    change_config(workplace / "of_turns", context_turns=2)
    distill = "distill of_turns train.csv --student model --output new"
    expected = {
        "": "train train.csv --output runs/a",
        "--labelled data/a.csv --encoding utf-8": "train data/a.csv --encoding utf-8",
    }
    for more, line in expected.items():
        assert main(shlex.split(f"{distill} {more}")) == 2
        assert capsys.readouterr().err.rstrip().endswith(f"$ kobert-emotion {line}")


@pytest.mark.slow
@pytest.mark.parametrize("file", ["votes.csv --task soft", "several.csv --task multi-label"])
def test_a_model_of_another_task_is_trained(workplace: Path, file: str) -> None:
    assert workplace.is_dir()
    assert main(shlex.split(f"train {file} --folds 2 --output made {TINY}")) == 0


SLIPS = {
    "train": "train typos.csv --labels sad,happy --output new",
    "search": "search typos.csv --labels sad,happy --output new",
    "doctor": "doctor typos.csv --labels sad,happy",
    "doctor, as a test file": "doctor train.csv typos.csv --labels sad,happy",
    "test": "test runs/a typos.csv",
    "predict": "predict runs/a/best typos.csv",
    "continue": "continue runs/a/best typos.csv --output new",
    "continue, as old rows": "continue runs/a/best train.csv --old-rows typos.csv --output new",
    "distill": "distill runs/a train.csv --labelled typos.csv --output new",
}


@pytest.mark.slow
@pytest.mark.parametrize("slips", [1, len(ROWS) + 1], ids=["a few", "most"])
@pytest.mark.parametrize("place", SLIPS)
def test_slips_of_the_pen_lead_to_a_map(
    capsys: pytest.CaptureFixture[str], workplace: Path, place: str, slips: int
) -> None:
    write(workplace / "typos.csv", [*ROWS, *((f"또 {i}번 좋았다", "hapyp") for i in range(slips))])
    command = SLIPS[place]
    assert main(shlex.split(command)) == 2
    *said, last = capsys.readouterr().err.rstrip().splitlines()
    assert last == "  $ kobert-emotion doctor typos.csv --labels sad,happy --write-label-map label_map.csv"
    assert not any("auto" in line for line in said)
    assert main(shlex.split(last)[2:]) == 0
    assert f"hapyp,happy,{slips},nearest" in (workplace / "label_map.csv").read_text(encoding="utf-8-sig")
    if place in ("test", "predict"):
        assert main([*shlex.split(command), "--label-map", "label_map.csv"]) == 0
    if place == "doctor" and slips == 1:
        assert main(shlex.split(command)) == 2
        assert capsys.readouterr().err.rstrip().endswith("--write-label-map label_map_2.csv"), "a map is kept"


@pytest.mark.parametrize("command", ["adapt model --output new", "train model --output new"])
def test_the_files_of_a_model_are_no_data(capsys: pytest.CaptureFixture[str], workplace: Path, command: str) -> None:
    assert main(shlex.split(command)) == 2
    assert "config.json" not in capsys.readouterr().err


def test_labels_of_a_finished_model_lead_to_a_map(capsys: pytest.CaptureFixture[str], workplace: Path) -> None:
    write(workplace / "others.csv", [(text, {"sad": "부정", "happy": "긍정"}[label]) for text, label in ROWS])
    for command in ("test runs/a others.csv", "predict runs/a/best others.csv"):
        assert main(shlex.split(command)) == 2
        *_, last = capsys.readouterr().err.rstrip().splitlines()
        assert last == "  $ kobert-emotion doctor others.csv --labels sad,happy --write-label-map label_map.csv"
    assert main(shlex.split(last)[2:]) == 0


def test_a_map_has_a_meaning_wherever_labels_are_read(workplace: Path) -> None:
    write(workplace / "others.csv", [(text, {"sad": "부정", "happy": "긍정"}[label]) for text, label in ROWS])
    options = "--label-map meanings.csv --epochs 1 --output new"
    (workplace / "meanings.csv").write_text("긍정,happy\n부정,sad\n", encoding="utf-8")
    assert main(shlex.split(f"distill runs/a train.csv --labelled others.csv --student model {options}")) == 0
    assert "label" in (workplace / "new" / "training_record.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "command",
    [
        "train nothing_like_it.csv --output new",
        "train train.csv --max-length 2 --output new",
        "train train.csv --dropout 1.5 --output new",
        "train train.csv --gamma -1 --output new",
        "train train.csv --alpha joyful --output new",
        "train train.csv --learning-rate -1 --output new",
        "train train.csv --output runs/a",
        "train train.csv --model train.csv --output new",
        "predict runs 문장",
        "predict no/such/folder/anywhere 문장",
        "convert train.csv --output new",
        "convert nothing_like_it.pt --output new",
        "ensemble model --output new",
        "ensemble runs/a --output model",
        "compare runs/a model",
        "review model --output review.csv",
        "report model",
        "report nothing_like_it",
        "push nothing_like_it a/b",
        "push train.csv a/b",
        "push runs/a a/b --token-file model/model.safetensors",
        "push runs/a a/b --token-file train.csv",
        "test runs train.csv",
        "test model train.csv --text-column nothing",
        "export nothing/like/it --output new",
        "continue train.csv train.csv --output new",
        "distill runs train.csv --output new",
        "distill model train.csv --student train.csv --output new",
        "distill model train.csv --temperature 0 --output new",
        "adapt train.csv --model model --output new",
        "adapt train.csv --model model --probability 1 --output new",
        "merge model --output new",
        "merge nothing_like_it --output new",
        "continue model train.csv --output runs/a --epochs 1",
        "search train.csv --resources-per-trial cpu=1",
        "search train.csv --engine ray --resources-per-trial 4",
    ],
)
def test_the_command_line_speaks_of_options(capsys: pytest.CaptureFixture[str], workplace: Path, command: str) -> None:
    assert main(shlex.split(command)) == 2
    err = capsys.readouterr().err
    assert "Traceback" not in err
    assert NO_PYTHON.search(err) is None, err
