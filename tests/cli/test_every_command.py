"""What holds for every command there is, one that is added tomorrow among them: `--json`, `--quiet`, progress."""

from __future__ import annotations

import io
import json
import logging
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from paths import ROOT
from typer.core import TyperGroup

from kobert_hf_emotion.cli import main, output
from kobert_hf_emotion.cli.app import app
from kobert_hf_emotion.inference.adapters import LoraSettings, add_adapters
from kobert_hf_emotion.inference.classifier import save_classifier
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.wording import Wording

GROUP = typer.main.get_command(app)
assert isinstance(GROUP, TyperGroup)
LABELS = "--labels sad,happy"
RUNS = {
    "train": f"train train.csv --model model --folds 2 --epochs 1 {LABELS} --legacy-export --output runs/a",
    "search": f"search train.csv --model model --trials 2 --folds 2 --space space.yaml {LABELS} --output runs/search",
    "test": "test runs/a test.csv",
    "predict": "predict model test.csv --output predicted.csv",
    "explain": "explain model '오늘 정말 좋았다' '비가 와서 슬펐다' --output page.html",
    "compare": "compare runs/a runs/a",
    "ensemble": "ensemble runs/a --output together",
    "review": "review runs/a --output review.csv",
    "report": "report runs/a --output report.html",
    "convert": "convert runs/a/fold_1/Focal_KoBERT_e1_b64_fold_1.pt --tokenizer model --output converted",
    "export": "export model --output exported",
    "continue": "continue runs/a/best train.csv --epochs 1 --old-test test.csv --output continued",
    "adapt": "adapt texts.csv --model model --epochs 1 --output adapted",
    "distill": "distill runs/a texts.csv --student model --epochs 1 --output small",
    "merge": "merge runs/lora --output merged",
    "push": "push runs/a user/name",
    "doctor": f"doctor train.csv test.csv --model model --folds 2 {LABELS}",
}
NO_JSON = {"serve": "has no result: it runs until it is stopped, and what it answers is JSON, over HTTP"}
NO_PROGRESS = {"push": "what goes through the network is shown by the bars of huggingface_hub"}
PROGRESS = {
    "train": {"reading files", "looking for near duplicates", "tokenizing", "bootstrap", "drawing pictures"},
    "search": {"reading files", "searching", "bootstrap"},
    "test": {"reading files", "evaluating models", "predicting", "bootstrap"},
    "predict": {"reading the file", "predicting"},
    "explain": {"predicting"},
    "compare": {"bootstrap"},
    "ensemble": {"loading models"},
    "review": {"looking for suspected labels"},
    "report": {"explaining mistakes", "looking for suspected labels"},
    "convert": {"reading weights", "writing the model"},
    "export": {"writing the graph", "computing with torch", "comparing with torch"},
    "continue": {"reading files", "tokenizing", "predicting", "bootstrap"},
    "adapt": {"reading files", "tokenizing", "measuring the perplexity"},
    "distill": {"opening the teacher", "the teacher's answers", "tokenizing"},
    "merge": {"adding adapters"},
    "doctor": {"reading files", "looking for near duplicates", "tokenizing", "timing steps"},
}
"""What each command has to count, whatever else it does; the steps of a training have a bar of their own."""
ENDS_EARLY = {"timing steps", "dividing into folds"}
LONG = {"search", "export"}
CHEAP = ("test", "predict", "explain", "compare", "ensemble", "review", "convert", "merge", "push")
READ_FILES = ("train", "search", "test", "predict", "continue", "adapt", "distill", "doctor")
"""The commands that read files here; each file has a line above its columns' names, and what is assumed is noted."""
ABOVE = "설문 결과\n"
NOTED = "열 이름을 2행에서 찾았고"


@dataclass
class Counter:
    """Stands for the bars, and keeps what they would show."""

    stream: Any = None
    counts: list[tuple[str, int | None, int]] = field(default_factory=list)

    @contextmanager
    def __call__(
        self, title: Wording, total: int | None, unit: Wording, before: int, whole: bool
    ) -> Iterator[Callable[[int], None]]:
        done = [before]
        yield done.append
        self.counts.append((title.english, total, sum(done)))


@dataclass
class Made:
    """A folder with what the commands need, and what the training of its run printed and counted."""

    folder: Path
    out: str
    err: str
    counts: list[tuple[str, int | None, int]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path) -> Made:
    """Rows, texts and a run; the training is the table's, as one takes longer than most other commands."""
    folder = tmp_path_factory.mktemp("made")
    words = (("좋았다", "happy"), ("슬펐다", "sad"))
    rows = [(f"오늘은 {i}번째로 {word}", name) for i in range(10) for word, name in words]
    (folder / "train.csv").write_text(f"{ABOVE}text,label\n" + "".join(f"{t},{name}\n" for t, name in rows), "utf-8")
    (folder / "test.csv").write_text(
        f"{ABOVE}text,label\n" + "".join(f"또 {t},{name}\n" for t, name in rows[:6]), "utf-8"
    )
    texts = "".join(f"내일도 {t},{number}\n" for number, (t, _) in enumerate(rows))
    (folder / "texts.csv").write_text(f"{ABOVE}text,number\n{texts}", "utf-8")
    (folder / "space.yaml").write_text("learning_rate: [0.001, 0.01]\nepochs: 1\nmax_length: 24\n", "utf-8")
    (folder / "model").symlink_to(tiny_model_folder)
    shown, out, err = Counter(), io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as monkeypatch, redirect_stdout(out), redirect_stderr(err):
        monkeypatch.chdir(folder)
        monkeypatch.setattr(logging.root, "handlers", [])
        monkeypatch.setattr(output, "Bars", lambda stream: shown)
        assert main([*shlex.split(RUNS["train"]), "--json"]) == 0
    model = EmotionClassifier.from_pretrained(tiny_model_folder)
    add_adapters(model, LoraSettings(2, 4.0, 0.0, ["query", "value"]), str(tiny_model_folder))
    (folder / "runs/lora").mkdir()
    save_classifier(model, model.tokenizer, folder / "runs/lora")
    return Made(folder, out.getvalue(), err.getvalue(), shown.counts)


@pytest.fixture
def workplace(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with all that, and a Hub that takes what is pushed."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(made.folder, tmp_path, symlinks=True, dirs_exist_ok=True)
    commit = SimpleNamespace(oid="0" * 40, commit_url="https://hub.example/user/name/commit/0")
    monkeypatch.setattr("kobert_hf_emotion.runs.push.push_run", lambda *_: commit)
    return tmp_path


def parsed(text: str) -> Any:
    """Returns the one JSON document that `text` is, by the letter: no NaN, nothing before or behind it."""

    def no_json(name: str) -> None:
        raise ValueError(name)

    return json.loads(text, parse_constant=no_json)


@pytest.mark.parametrize("name", sorted(GROUP.commands))
def test_every_command_has_the_options_that_all_have(name: str) -> None:
    assert isinstance(GROUP, TyperGroup)
    options = [option for parameter in GROUP.commands[name].params for option in parameter.opts]
    assert [options.count(option) for option in ("--quiet", "-q", "--lang")] == [1, 1, 1]
    assert options.count("--json") == (name not in NO_JSON)
    assert (name in RUNS) != (name in NO_JSON), "a new command: add a line that runs it, or why it has no JSON"
    assert (name in PROGRESS) != (name in NO_PROGRESS or name in NO_JSON)


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in RUNS])
def test_json_is_one_document_and_progress_is_counted(
    name: str, made: Made, workplace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "export":
        pytest.importorskip("onnxruntime")
    if name == "train":
        out, err, counts = made.out, made.err, made.counts
    else:
        shown = Counter()
        monkeypatch.setattr(output, "Bars", lambda stream: shown)
        monkeypatch.setattr(logging.root, "handlers", [])  # beside those of pytest the command line adds none
        capsys.readouterr()
        code = main([*shlex.split(RUNS[name]), "--json"])
        (out, err), counts = capsys.readouterr(), shown.counts
        assert code == (name == "doctor" and bool(parsed(out)["problems"]))
    assert isinstance(parsed(out), dict)
    assert (NOTED in err) == (name in READ_FILES)
    assert PROGRESS.get(name, set()) <= {title for title, _, _ in counts}
    for title, total, done in counts:
        assert total is None or done == total or (title in ENDS_EARLY and done <= total), (title, total, done)


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name not in CHEAP)) for name in RUNS])
def test_quiet_leaves_the_result_alone(
    name: str, workplace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = Counter()
    monkeypatch.setattr(output, "Bars", lambda stream: shown)
    monkeypatch.setattr(logging.root, "handlers", [])
    capsys.readouterr()
    if name == "train":
        shutil.rmtree("runs/a")
    assert main([*shlex.split(RUNS[name]), "-q"]) == (name == "doctor")
    quiet = capsys.readouterr()
    assert quiet.err == ""
    assert "다음 (next)" not in quiet.out
    assert quiet.out
    assert not shown.counts


def test_quiet_hides_no_warning(
    workplace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (workplace / "odd.csv").write_text(f"{ABOVE}text,label\n,sad\n좋았다,happy\n뷁뷁뷁 𓀀𓀁,sad\n", "utf-8")
    monkeypatch.setattr(logging.root, "handlers", [])
    assert main(["predict", "model", "odd.csv", "--sheet", "하나", "--quiet"]) == 0
    captured = capsys.readouterr()
    assert "쓰지 않은 설정: --sheet" in captured.err
    assert NOTED not in captured.err
    assert "1행" in captured.err
    assert "rows left out" in captured.err
    assert "행을 씁니다" not in captured.err


def test_quiet_stands_before_the_command_as_well(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quiet", "--lang", "ko", *shlex.split(RUNS["predict"])]) == 0
    assert capsys.readouterr().err == ""
    assert main(["--lang", "ko", *shlex.split(RUNS["predict"])]) == 0
    assert "행을 씁니다" in capsys.readouterr().err  # it is not kept for the next command
    assert main(["-q", "predict", "model", "tset.csv"]) == 2
    assert "kobert-emotion predict model test.csv" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(NO_JSON))
def test_what_has_no_json_is_said_in_the_documentation(name: str) -> None:
    for language in ("ko", "en"):
        page = (ROOT / "docs" / language / "command-line.md").read_text(encoding="utf-8")
        assert f"`{name}`" in page
