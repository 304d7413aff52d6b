"""What README and docs tell users to type: commands parse, code runs, links lead somewhere, languages agree."""

from __future__ import annotations

import ast
import csv
import importlib.util
import itertools
import json
import pkgutil
import re
import shlex
import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import datasets
import pytest
import torch
import typer
from datasets import Dataset
from paths import ROOT

from kobert_hf_emotion import (
    EmotionClassifier,
    KoBERTTokenizer,
    export_legacy_checkpoint,
)
from kobert_hf_emotion.assets import resolve_default
from kobert_hf_emotion.audit.label_set_checks import check_label_sets
from kobert_hf_emotion.audit.vote_checks import check_votes
from kobert_hf_emotion.cli import main
from kobert_hf_emotion.cli.app import app
from kobert_hf_emotion.configuration import EmotionConfig

READMES = ("README.md", "README.en.md")
NAMES = sorted(page.name for page in (ROOT / "docs/ko").glob("*.md"))
PAIRS = (READMES, *((f"docs/ko/{name}", f"docs/en/{name}") for name in NAMES))
"""Each page in Korean and in English."""
PAGES = tuple(page for pair in PAIRS for page in pair)
OTHERS = ("CHANGELOG.md", "CONTRIBUTING.md", "default_model/README.md", "kobert_hf_emotion/assets/default/README.md")
RUN_MARK = "<!-- run -->"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")


class Block(NamedTuple):
    """One fenced block: where it is, in which language, and whether it is marked to be run."""

    line: int
    language: str
    text: str
    is_run: bool


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[Block]:
    content = read(page)
    found = []
    for match in FENCE.finditer(content):
        before = content[: match.start()]
        if match[1] == language:
            found.append(Block(before.count("\n") + 2, match[1], match[2], before.rstrip().endswith(RUN_MARK)))
    return found


def command_lines(page: str) -> list[list[str]]:
    """Returns the commands of a page's bash blocks as lists of words, continued lines joined, comments left out."""
    joined = "\n".join(block.text for block in blocks(page, "bash")).replace("\\\n", " ")
    return [words for line in joined.splitlines() if (words := shlex.split(line, comments=True))]


def inline_commands(page: str) -> list[list[str]]:
    """Returns the commands written as `kobert-emotion …` inside a sentence."""
    prose = FENCE.sub("", read(page))
    return [shlex.split(text) for text in re.findall(r"`(kobert-emotion [^`…]+)`", prose)]


def pythons(page: str) -> list[str]:
    return [ast.dump(ast.parse(block.text)) for block in blocks(page, "python")]


def figures(page: str) -> list[str]:
    return sorted(re.findall(r"\d+\.\d+", read(page)))


def headings(page: str) -> list[int]:
    return [len(marks) for marks in re.findall(r"^(#+) ", FENCE.sub("", read(page)), re.MULTILINE)]


def test_every_page_is_there_in_both_languages() -> None:
    assert NAMES
    assert sorted(page.name for page in (ROOT / "docs/en").glob("*.md")) == NAMES
    assert sorted(page.name for page in (ROOT / "docs").glob("*.md")) == []


@pytest.mark.parametrize("pages", PAIRS, ids=PAGES[::2])
def test_both_languages_say_the_same(pages: tuple[str, str]) -> None:
    korean, english = pages
    assert command_lines(korean) == command_lines(english)
    assert pythons(korean) == pythons(english)
    assert [block.text for block in blocks(korean, "text")] == [block.text for block in blocks(english, "text")]
    assert headings(korean) == headings(english)
    assert figures(korean) == figures(english)
    for mark in (RUN_MARK, "<!-- demo-figures -->", "<!-- /demo-figures -->", "\n| "):
        assert read(korean).count(mark) == read(english).count(mark), mark


@pytest.mark.parametrize("language", ["ko", "en"])
def test_index_leads_to_every_page(language: str) -> None:
    """And the README to the index, and to pages that are there."""
    linked = {target.split("#")[0] for target in LINK.findall(read(f"docs/{language}/index.md"))}
    assert set(NAMES) - {"index.md"} <= linked
    readme = LINK.findall(read("README.md" if language == "ko" else "README.en.md"))
    assert {f"docs/{language}/index.md", f"docs/{language}/tutorial.md"} <= set(readme)


@pytest.mark.parametrize("page", READMES)
def test_first_screen(page: str) -> None:
    """What it is, two commands, five lines of Python, one picture; the rest stands in docs/."""
    lines = read(page).splitlines()
    assert len(lines) <= 120
    top = "\n".join(lines[:40])
    assert "make demo" in top
    assert "make test" in top
    assert RUN_MARK in top
    assert len(re.findall(r"^!\[", top, re.MULTILINE)) == 1


@pytest.mark.parametrize("page", PAGES)
def test_commands_parse(page: str) -> None:
    group = typer.main.get_command(app)
    known = group.commands  # type: ignore[attr-defined]
    root = {name for parameter in group.params for name in parameter.opts} | {"--help"}
    lines = [words for words in command_lines(page) + inline_commands(page) if words[0] == "kobert-emotion"]
    for words in lines:
        if words[1].startswith("-"):
            assert words[1] in root, words
            continue
        assert words[1] in known, words
        if len(words) == 2 or words[2:] == ["--help"]:  # a mention, not a call
            continue
        command = known[words[1]]
        command.make_context(words[1], words[2:], resilient_parsing=False).close()


@pytest.mark.parametrize("page", PAGES)
def test_other_commands_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    for words in command_lines(page):
        if words[0] == "make":
            assert set(words[1:]) <= targets, words
        for word in words:
            if word.endswith(".py"):
                assert (ROOT / word).is_file(), words


def test_example_arguments_exist() -> None:
    from transformers import HfArgumentParser

    sys.path.insert(0, str(ROOT / "examples"))
    try:
        import train_kfold
    finally:
        sys.path.pop(0)
    from kobert_hf_emotion import EmotionTrainingArguments

    parser = HfArgumentParser((train_kfold.RunArguments, EmotionTrainingArguments))
    calls = [words for page in PAGES for words in command_lines(page) if "examples/train_kfold.py" in words]
    assert calls
    for words in calls:
        arguments = words[words.index("examples/train_kfold.py") + 1 :]
        assert parser.parse_known_args(arguments)[1] == []


@pytest.mark.parametrize("page", PAGES)
def test_python_compiles(page: str) -> None:
    for block in blocks(page, "python"):
        compile(block.text, f"{page}:{block.line}", "exec")


@pytest.mark.parametrize("page", [*PAGES, *OTHERS])
def test_relative_links_exist(page: str) -> None:
    for target in LINK.findall(FENCE.sub("", read(page))):
        if not target.startswith(("http://", "https://", "#", "mailto:")):
            assert ((ROOT / page).parent / target.split("#")[0]).exists(), target


@pytest.mark.parametrize("page", [*PAGES, "CONTRIBUTING.md", *OTHERS[2:]])
def test_paths_and_modules_exist(page: str) -> None:
    """`tests/…`, `default_model/…` and dotted names of the package are where the page says they are."""
    tops = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")} - {"runs"}
    for code in re.findall(r"`([\w./-]+)`", FENCE.sub("", read(page))):
        if "/" in code and code.split("/")[0] in tops:
            assert (ROOT / code).exists(), code
        elif code.startswith(("kobert_hf_emotion.", "default_model.")):
            pkgutil.resolve_name(code)
    for words in command_lines(page):
        for before, word in itertools.pairwise(words):
            if word.startswith("tests/"):
                assert (ROOT / word).exists(), word
            if before == "-m" and word.split(".")[0] in tops:
                assert importlib.util.find_spec(word) is not None, word


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if page.endswith("doctor.md")])
def test_doctor_page_has_every_check(
    page: str, users_folder: Path, tiny_model_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first_cells = re.findall(r"^\| (`.*?) \|", read(page), re.MULTILINE)
    documented = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    main(["doctor", "train.csv", "test.csv", "--model", str(tiny_model_folder), "--group-column", "ID", "--json"])
    of_votes = check_votes(Dataset.from_dict({"label": [{"sad": 2.0, "happy": 1.0}]}), "train")
    found = {finding["check"] for finding in json.loads(capsys.readouterr().out)["findings"]}
    sets = datasets.Features({"label": datasets.List(datasets.ClassLabel(names=["sad", "happy"]))})
    of_sets = check_label_sets(Dataset.from_dict({"label": [[0], [0, 1]]}, features=sets), "train")
    assert found | {finding.check for finding in (*of_votes, *of_sets)} == documented


@pytest.fixture
def users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the files that the pages speak of: two small CSVs and an old run's checkpoints."""
    for name, rows_a_label in (("train.csv", 6), ("test.csv", 2)):
        with (ROOT / "kobert_hf_emotion/assets/sample" / name).open(encoding="utf-8", newline="") as source:
            rows = list(csv.DictReader(source))
        labels = sorted({row["Label"] for row in rows})
        chosen = [row for label in labels for row in [r for r in rows if r["Label"] == label][:rows_a_label]]
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as target:
            writer = csv.DictWriter(target, list(rows[0]))
            writer.writeheader()
            writer.writerows(chosen)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        old = EmotionClassifier(EmotionConfig(hidden_size=48, num_hidden_layers=1, num_attention_heads=12))
    old.tokenizer = KoBERTTokenizer.from_pretrained(resolve_default("default"), word_split="gluonnlp")
    export_legacy_checkpoint(old, tmp_path / "old_fold_5")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def main_module(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A module in the place of `__main__`: what a cell defines is what the notebook's functions look up."""
    module = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    return module


@pytest.fixture(autouse=True)
def torch_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("page", [korean for korean, _ in PAIRS if RUN_MARK in read(korean)])
def test_marked_code_runs(
    page: str, users_folder: Path, main_module: types.ModuleType, tiny_model_folder: Path
) -> None:
    """The other language has the same code: `test_both_languages_say_the_same`."""
    shorter = {
        "max_len, batch_size, num_epochs = 64, 64, 10": "max_len, batch_size, num_epochs = 64, 64, 1",
        'MODEL = "default"': f"MODEL = {str(tiny_model_folder)!r}",
        "KFold(5,": "KFold(2,",
        "n_splits=5": "n_splits=2",
    }
    marked = [block for block in blocks(page, "python") if block.is_run]
    assert marked
    for block in marked:
        short = block.text  # run as it stands but for the size of a training
        for old, new in shorter.items():
            short = short.replace(old, new)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(short, f"{page}:{block.line}", "exec"), main_module.__dict__)  # noqa: S102 - our own pages


@pytest.mark.slow
def test_the_tutorial_is_walked_through(users_folder: Path, tiny_model_folder: Path) -> None:
    """Its commands in their order, but for the size of the training; serving has tests of its own."""
    [code] = [block.text for block in blocks("docs/ko/tutorial.md", "python") if block.is_run]
    assert "train.csv" in code  # the copies of the sample stand in the folder already, made smaller
    shorter = ["--epochs", "1", "--folds", "2", "--model", str(tiny_model_folder)]
    for words in command_lines("docs/ko/tutorial.md"):
        if words[0] != "kobert-emotion" or words[1] == "serve":
            assert words[0] in ("kobert-emotion", "pip", "curl")
            continue
        assert main([*words[1:], *(shorter if words[1] == "train" else [])]) in (
            (0, 1) if words[1] == "doctor" else (0,)
        )
    assert "<html" in (users_folder / "explanation.html").read_text(encoding="utf-8")
    with (users_folder / "predictions.csv").open(encoding="utf-8-sig", newline="") as handle:
        assert len(list(csv.DictReader(handle))) == 14
