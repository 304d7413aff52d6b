"""Fixtures shared by all tests: the reference data beside the checkout, and a tiny model."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paths import ROOT

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before any Hugging Face import: no test reaches the network
os.environ["KOBERT_EMOTION_LANG"] = "both"  # whatever the locale of the machine
os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny models: threads wait for each other longer than they work

import pytest
from code_process import WITHOUT_US, CodeProcess
from hypothesis import settings
from preloaded import Preloaded
from tiny import TINY

# pytest-xdist's own process loads this file before it starts the others, and needs no library of all these.
if TYPE_CHECKING:
    from kobert_hf_emotion.modeling.classifier import EmotionClassifier
    from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

SHARED = ROOT.parent / "shared"

# The same examples in every run: a change is what makes a test fail. HYPOTHESIS_SEARCH=1 looks for new ones.
# No deadline: a machine that is busy with something else is no fault.
settings.register_profile("repeated", derandomize=True, deadline=None)
if not os.environ.get("HYPOTHESIS_SEARCH"):
    settings.load_profile("repeated")
KINDS_OF_PICTURES: dict[str, Callable[[Any], object]] = {
    "plot_curves": lambda histories, *_: tuple((fold, len(history)) for fold, history in histories.items()),
    "plot_confusion": lambda counts, names: tuple(names),
    "plot_calibration": lambda calibration, *_: len(calibration.fold_temperatures),
}


LONGEST = (
    "ray_engine/test_",
    "again_and_again",
    "cut_off_in_any",
    "every_cell",
    "train_kfold",
    "_in_int8",
    "test_quick.py",
)
"""Parts of the names of tests."""


def pytest_configure() -> None:
    gc.disable()  # until the tests are collected: nearly all that their imports make stays


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest tests first: a worker begins with them, the others take over its short ones, all end together.

    Those of Ray stay on one worker so, and with them its cluster; so do those that share one run of many command lines.
    """
    items.sort(key=lambda item: not any(part in item.nodeid for part in LONGEST))


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def pictures_drawn_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A run's picture is drawn if none of its kind was: drawing takes longer than all the rest of a tiny run.

    A kind has the same folds, epochs and names. Tests of the pictures themselves call `runs.plots`.
    """
    folder = tmp_path_factory.mktemp("pictures")
    drawn: dict[object, Path] = {}

    def once(name: str, draw: Callable[..., None]) -> Callable[..., None]:
        def copy_or_draw(path: Path, *arguments: Any) -> None:
            kind = (name, KINDS_OF_PICTURES[name](*arguments))
            if kind in drawn:
                shutil.copy(drawn[kind], path)
                return
            draw(path, *arguments)
            drawn[kind] = shutil.copy(path, folder / f"{len(drawn)}.png")

        return copy_or_draw

    rooms = [sys.modules.get(f"kobert_hf_emotion.runs.{name}") for name in ("writing", "out_of_fold")]
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in KINDS_OF_PICTURES:
            for room in filter(None, rooms):  # not loaded for tests that train nothing
                if hasattr(room, name):
                    monkeypatch.setattr(room, name, once(name, getattr(room, name)))
        yield


@pytest.fixture(scope="session", autouse=True)
def reports_left_out() -> Iterator[None]:
    """A run writes no `report.html`, which takes longer than a tiny run; tests of it put `write_page` back."""
    runs = sys.modules.get("kobert_hf_emotion.runs.cross_validation")
    with pytest.MonkeyPatch.context() as monkeypatch:
        if runs is not None:
            monkeypatch.setattr(runs, "write_page", lambda run, record: None)
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with reference data, which users do not have."""
    if not SHARED.is_dir():
        pytest.skip(f"reference data of the developers is not at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def vocab_file() -> Path:
    """The `spiece.model` of the embedded default, in KoBERT's layout."""
    from kobert_hf_emotion.assets import resolve_default
    from kobert_hf_emotion.tokenization.tokenizer import VOCAB_FILE

    return Path(resolve_default("default")) / VOCAB_FILE


@pytest.fixture(scope="session")
def tokenizer(vocab_file: Path) -> KoBERTTokenizer:
    """A tokenizer in the default mode; tests must not change it."""
    from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

    return KoBERTTokenizer(vocab_file)


@pytest.fixture(scope="session")
def gluon_tokenizer(vocab_file: Path) -> KoBERTTokenizer:
    """A tokenizer with the notebook's segmentation; tests must not change it."""
    from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

    return KoBERTTokenizer(vocab_file, word_split="gluonnlp")


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory: pytest.TempPathFactory, tokenizer: KoBERTTokenizer) -> Path:
    """A `save_pretrained` folder with a tiny model of seeded weights and its tokenizer; tests must not write to it."""
    import torch

    from kobert_hf_emotion.configuration import EmotionConfig
    from kobert_hf_emotion.modeling.classifier import EmotionClassifier

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        model = EmotionClassifier(EmotionConfig(**TINY))
    model.tokenizer = tokenizer
    folder = tmp_path_factory.mktemp("tiny") / "model"
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def tiny_model(tiny_model_folder: Path) -> EmotionClassifier:
    """A fresh copy of the tiny model, in evaluation mode, to change as a test likes."""
    from kobert_hf_emotion.modeling.classifier import EmotionClassifier

    return EmotionClassifier.from_pretrained(tiny_model_folder)


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodeProcess]:
    """A process in which this package cannot be imported, for what plain transformers does with our files."""
    with CodeProcess(WITHOUT_US, tmp_path_factory.mktemp("plain")) as process:
        yield process


@pytest.fixture(scope="session")
def preloaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preloaded]:
    """A process with the libraries, which runs scripts in forks of itself."""
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    with Preloaded(tmp_path_factory.mktemp("preloaded")) as process:
        yield process
