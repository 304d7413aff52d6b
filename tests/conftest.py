"""Fixtures shared by all tests: the reference data beside the checkout, and a tiny model."""

from __future__ import annotations

import os
from pathlib import Path

from paths import ROOT

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before any Hugging Face import: no test reaches the network
os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny models: threads wait for each other longer than they work

import pytest
import torch
from tiny import TINY

from kobert_hf_emotion.assets import resolve_default
from kobert_hf_emotion.configuration import EmotionConfig
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.tokenization.tokenizer import VOCAB_FILE, KoBERTTokenizer

SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with reference data, which users do not have."""
    if not SHARED.is_dir():
        pytest.skip(f"reference data of the developers is not at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def vocab_file() -> Path:
    """The `spiece.model` of the embedded default, in KoBERT's layout."""
    return Path(resolve_default("default")) / VOCAB_FILE


@pytest.fixture(scope="session")
def tokenizer(vocab_file: Path) -> KoBERTTokenizer:
    """A tokenizer in the default mode; tests must not change it."""
    return KoBERTTokenizer(vocab_file)


@pytest.fixture(scope="session")
def gluon_tokenizer(vocab_file: Path) -> KoBERTTokenizer:
    """A tokenizer with the notebook's segmentation; tests must not change it."""
    return KoBERTTokenizer(vocab_file, word_split="gluonnlp")


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory: pytest.TempPathFactory, tokenizer: KoBERTTokenizer) -> Path:
    """A `save_pretrained` folder with a tiny model of seeded weights and its tokenizer; tests must not write to it."""
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
    return EmotionClassifier.from_pretrained(tiny_model_folder)
