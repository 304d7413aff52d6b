"""`pipeline("text-classification")` with this package, without it, and from a Hub: the same labels."""

from __future__ import annotations

import json
import lzma
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from code_process import WITHOUT_US, CodeError
from hub_server import HubClient, running_hub
from numpy.typing import NDArray
from transformers import AutoTokenizer, pipeline

from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.modeling.classifier import EmotionClassifier

pytestmark = pytest.mark.numeric

TEXTS_EACH = 500
BATCHES = (448, 576)
"""Texts of two batches of 64."""
# What a person without this package writes.
PLAIN = f"""
{WITHOUT_US}
import hashlib, json
from transformers import pipeline
with open(file, encoding="utf-8") as handle:
    texts = json.load(handle)
classify = pipeline("text-classification", model=model, top_k=None)
weights = hashlib.sha256()
for name, value in sorted(classify.model.state_dict().items()):
    weights.update(name.encode() + value.numpy().tobytes())
config = {{name: value for name, value in classify.model.config.to_dict().items() if name != "_name_or_path"}}
same = [weights.hexdigest(), config, classify.tokenizer(texts, truncation=True)["input_ids"]]
rows = classify(texts[first:last], truncation=True, batch_size=64)
result = [same, [{{entry["label"]: entry["score"] for entry in row}} for row in rows]]
"""


def every(lines: list[str], count: int) -> list[str]:
    """Returns the texts of `count` evenly spaced lines of a table."""
    return [line.split("\t")[1] for line in lines[:: len(lines) // count][:count]]


@pytest.fixture(scope="module")
def texts(shared: Path) -> list[str]:
    """NSMC's reviews and KOTE's comments, `TEXTS_EACH` of each; a batch holds texts of a length, and little padding."""
    with lzma.open(shared / "data" / "nsmc" / "ratings_test.tsv.xz", "rt", encoding="utf-8") as file:
        nsmc = every(file.read().split("\n")[1:-1], TEXTS_EACH)
    kote = every((shared / "data" / "kote" / "test.tsv").read_text("utf-8").split("\n")[:-1], TEXTS_EACH)
    assert (len(nsmc), len(kote)) == (TEXTS_EACH, TEXTS_EACH)
    return sorted(nsmc + kote, key=len)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default model as a user saves it."""
    model = EmotionClassifier.from_pretrained("default")
    model.tokenizer  # noqa: B018 - reads it, so that it is saved as well
    folder = tmp_path_factory.mktemp("pipelines") / "model"
    model.save_pretrained(folder)
    return folder


def to_array(rows: list[dict[str, float]]) -> NDArray[np.float64]:
    return np.array([[row[label] for label in EMOTION_LABELS] for row in rows])


@pytest.fixture(scope="module")
def ours(texts: list[str], folder: Path) -> NDArray[np.float64]:
    """Probabilities of a pipeline with this package's model and tokenizer."""
    model = EmotionClassifier.from_pretrained(folder)
    classify = pipeline("text-classification", model=model, tokenizer=model.tokenizer, top_k=None)
    rows = classify(texts, truncation=True, batch_size=64)
    return to_array([{entry["label"]: entry["score"] for entry in row} for row in rows])


@dataclass(frozen=True)
class Found:
    """What a pipeline in a process that cannot import this package has, and gives."""

    same: Any
    """A hash of its weights, its configuration and the ids of all texts."""
    probabilities: NDArray[np.float64]


@pytest.fixture(scope="module")
def without_package(texts: list[str], folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Found]:
    """Of the folder for all texts, of a Hub for two whole batches of them."""
    home = tmp_path_factory.mktemp("home")
    (home / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    with running_hub() as hub:
        hub.publish("tester/default", folder)
        client = HubClient(hub, home)
        sources = {"folder": (folder, 0, len(texts)), "hub": ("tester/default", *BATCHES)}
        found = {}
        for name, (source, first, last) in sources.items():
            same, rows = client.run(PLAIN, model=source, file=home / "texts.json", first=first, last=last)
            found[name] = Found(same, to_array(rows))
        with pytest.raises(CodeError, match="ModuleNotFoundError"):
            client.run("import kobert_hf_emotion")
        client.close()
        assert any("model.safetensors" in request for request in hub.requests)
    return found


def test_hub_and_folder_give_the_same_to_the_last_bit(without_package: dict[str, Found]) -> None:
    folder, hub = without_package["folder"], without_package["hub"]
    assert folder.same == hub.same
    assert np.array_equal(folder.probabilities[slice(*BATCHES)], hub.probabilities)


def test_same_labels_with_and_without_the_package(
    ours: NDArray[np.float64], without_package: dict[str, Found], texts: list[str], folder: Path
) -> None:
    """The figures stand in docs/en/hub.md."""
    own = EmotionClassifier.from_pretrained(folder).tokenizer(texts)["input_ids"]
    engine = AutoTokenizer.from_pretrained(folder)
    assert type(engine).__module__.startswith("transformers.")
    other = engine(texts)["input_ids"]
    differs = np.array([a != b for a, b in zip(own, other, strict=True)])
    theirs = without_package["folder"].probabilities
    moved = np.abs(ours - theirs).max(axis=1)
    changed = ours.argmax(1) != theirs.argmax(1)
    assert 0 < differs.mean() < 0.01
    assert moved[~differs].max() < 1e-5
    assert moved.max() < 0.15
    assert not changed[~differs].any()
    assert changed.sum() <= 1, [text for text, other in zip(texts, changed, strict=True) if other]


def test_ties_alone_make_the_engines_differ(texts: list[str], folder: Path) -> None:
    tokenizer = EmotionClassifier.from_pretrained(folder).tokenizer
    engine = AutoTokenizer.from_pretrained(folder)
    for text in texts:
        own, other = tokenizer(text)["input_ids"][1:-1], engine(text)["input_ids"][1:-1]
        if own != other:
            scores = [sum(tokenizer.sp_model.get_score(index) for index in ids) for ids in (own, other)]
            assert scores[0] == pytest.approx(scores[1], abs=1e-3), text
            assert sorted(own) == sorted(other), text


def test_batches_truncation_and_top_k(folder: Path) -> None:
    texts = ["오늘 정말 행복했어", "ㅠㅠ", "무서웠어 " * 300, ""]
    classify = pipeline("text-classification", model=str(folder))
    alone = [classify(text, truncation=True, top_k=None) for text in texts]
    together = classify(texts, truncation=True, top_k=None, batch_size=4)
    expected = EmotionClassifier.from_pretrained(folder).predict(texts)
    for one, many, prediction in zip(alone, together, expected, strict=True):
        assert [entry["label"] for entry in one] == [entry["label"] for entry in many]
        assert {entry["label"] for entry in one} == set(EMOTION_LABELS)
        assert [entry["score"] for entry in one] == pytest.approx([entry["score"] for entry in many], abs=1e-5)
        assert one[0]["label"] == prediction["label"]
        assert one[0]["score"] == pytest.approx(prediction["score"], abs=1e-5)
    [best] = classify(texts[:1], truncation=True)
    assert best == {"label": expected[0]["label"], "score": pytest.approx(expected[0]["score"], abs=1e-5)}
