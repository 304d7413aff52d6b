"""What README and docs tell users to type: commands parse, code runs, links lead somewhere, languages agree."""

from __future__ import annotations

import ast
import csv
import re
import shlex
import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
import typer
from paths import ROOT

from kobert_hf_emotion import EmotionClassifier, KoBERTTokenizer, export_legacy_checkpoint
from kobert_hf_emotion.assets import resolve_default
from kobert_hf_emotion.cli.app import app
from kobert_hf_emotion.configuration import EmotionConfig

READMES = ("README.md", "README.en.md")
GUIDES = ("docs/migration.ko.md", "docs/migration.en.md")
PAGES = (*READMES, *GUIDES, "docs/hub.md", "docs/doctor.md")
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


@pytest.mark.parametrize("pages", [READMES, GUIDES])
def test_both_languages_have_the_same_code(pages: tuple[str, str]) -> None:
    korean, english = pages
    assert command_lines(korean) == command_lines(english)
    assert pythons(korean) == pythons(english)
    assert read(korean).count(RUN_MARK) == read(english).count(RUN_MARK) > 0


@pytest.mark.parametrize("page", PAGES)
def test_commands_parse(page: str) -> None:
    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    lines = [words for words in command_lines(page) + inline_commands(page) if words[0] == "kobert-emotion"]
    assert lines
    for words in lines:
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
    for words in command_lines("README.md"):
        if "examples/train_kfold.py" in words:
            arguments = words[words.index("examples/train_kfold.py") + 1 :]
            assert parser.parse_known_args(arguments)[1] == []


@pytest.mark.parametrize("page", PAGES)
def test_python_compiles(page: str) -> None:
    for block in blocks(page, "python"):
        compile(block.text, f"{page}:{block.line}", "exec")


@pytest.mark.parametrize("page", [*PAGES, "CHANGELOG.md", "CONTRIBUTING.md"])
def test_relative_links_exist(page: str) -> None:
    for target in LINK.findall(FENCE.sub("", read(page))):
        if not target.startswith(("http://", "https://", "#", "mailto:")):
            assert ((ROOT / page).parent / target.split("#")[0]).exists(), target


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


@pytest.mark.parametrize("page", ["README.md", "docs/migration.ko.md"])
def test_marked_code_runs(
    page: str, users_folder: Path, main_module: types.ModuleType, tiny_model_folder: Path
) -> None:
    """The other language has the same code: `test_both_languages_have_the_same_code`."""
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
