"""The page of a model that gives a text several of 44 labels, by a server and without one: what `predict` says."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from browser import chromium, folder_served, served
from npm import node_modules
from playwright.sync_api import Browser, Page, expect
from sentences import sentences
from tiny import TINY

from kobert_hf_emotion import EmotionClassifier, KoBERTTokenizer
from kobert_hf_emotion.cli import main
from kobert_hf_emotion.configuration import EmotionConfig
from kobert_hf_emotion.export import export_web, exporter, web_runtime
from kobert_hf_emotion.inference.classifier import load_classifier
from kobert_hf_emotion.labels import LABEL_SETS
from kobert_hf_emotion.serving import create_app

LABELS = LABEL_SETS["kote"]
TEXTS = ["오늘 정말 행복했어", "밤길에 누가 자꾸 따라와서 무서웠어", "음식에서 벌레가 나왔다"]
SOURCE = "검증 예측 9행, 3겹 (out-of-fold predictions of 9 rows, 3 folds)"
WAIT = 60_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tokenizer: KoBERTTokenizer) -> Path:
    """A tiny model whose thresholds some of the labels reach, with a scale for each label."""
    draw = np.random.default_rng(0)
    config = EmotionConfig(
        **TINY,
        id2label=dict(enumerate(LABELS)),
        label2id={label: index for index, label in enumerate(LABELS)},
        problem_type="multi_label_classification",
        label_thresholds=draw.uniform(0.3, 0.95, len(LABELS)).tolist(),
        label_calibration=draw.uniform(0.5, 2, (len(LABELS), 2)).tolist(),
        thresholds_from=SOURCE,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = EmotionClassifier(config)
    with torch.no_grad():
        model.classifier.weight *= 50
    model.tokenizer = tokenizer
    place = tmp_path_factory.mktemp("several") / "model"
    model.save_pretrained(place)
    return place


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@contextmanager
def by_a_server(folder: Path, _: Path) -> Iterator[str]:
    with served(create_app(load_classifier(str(folder)))) as url:
        yield url


@contextmanager
def without_one(folder: Path, place: Path) -> Iterator[str]:
    runtime = web_runtime.find_runtime(node_modules(f"{web_runtime.PACKAGE}@{web_runtime.VERSION}"))
    assert runtime is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporter, "sample_texts", lambda: [text for text, _ in sentences(4)])
        export_web(load_classifier(str(folder)), place / "site", int8=False, runtime=runtime)
    with folder_served(place / "site") as url:
        yield url


def percents(page: Page, selector: str) -> list[float]:
    return [
        float(found) for text in page.locator(selector).all_text_contents() for found in re.findall(r"[\d.]+", text)
    ]


def look_at_texts(page: Page, model: EmotionClassifier) -> None:
    """The labels given are `predict`'s, each label has its probability and its threshold, in either language."""
    page.fill("#text", "\n".join(TEXTS))
    expect(page.locator(".result")).to_have_count(len(TEXTS), timeout=WAIT)
    thresholds = dict(zip(LABELS, model.config.label_thresholds, strict=True))
    for number, prediction in enumerate(model.predict(TEXTS), 1):
        result = f".result:nth-child({number})"
        given = prediction["labels"]
        said = page.inner_text(f"{result} .verdict").split(", ")
        assert [part.rpartition(" ")[0] for part in said] == given
        best = page.locator(f"{result} .best .name").all_text_contents()
        assert best == given
        names = page.locator(f"{result} .name").all_text_contents()
        assert sorted(names) == sorted(LABELS)
        shown = percents(page, f"{result} .value")
        assert shown[0::2] == pytest.approx([prediction["probabilities"][name] for name in names], abs=0.06)
        assert shown[1::2] == pytest.approx([100 * thresholds[name] for name in names], abs=0.051)
        marks = [float(mark.get_attribute("x1") or -1) for mark in page.locator(f"{result} line").all()]
        assert marks == pytest.approx([100 * thresholds[name] for name in names])
        visible = page.locator(f"{result} .name:visible").all_text_contents()
        assert given == visible[: len(given)]
        assert len(visible) == max(8, len(given))
    hint = page.locator(".result .hint")
    expect(hint).to_have_count(1)
    assert "검증 예측 9행, 3겹." in hint.inner_text()
    page.locator("summary").first.click()
    assert page.locator(".result:nth-child(1) .name:visible").count() == len(LABELS)
    page.click("#language")
    assert "out-of-fold predictions of 9 rows, 3 folds." in hint.inner_text()
    assert not re.search("[가-힣]", hint.inner_text())
    assert page.locator(".result:nth-child(1) .name:visible").count() == len(LABELS), "what was opened stays so"


def look_at_words(page: Page, model: EmotionClassifier) -> None:
    """Each label given has what its own probability loses without a word."""
    page.locator(".result:nth-child(1) .why").click()
    expect(page.locator(".words")).to_have_count(1, timeout=WAIT)
    parts = TEXTS[0].split()
    left = [" ".join(parts[:number] + parts[number + 1 :]) for number in range(len(parts))]
    whole, *answers = model.predict([TEXTS[0], *left])
    assert page.locator(".words h3").all_text_contents() == whole["labels"]
    shown = [float(text.split()[-1].replace("−", "-")) for text in page.locator(".words span").all_text_contents()]
    expected = [
        whole["probabilities"][label] - answer["probabilities"][label]
        for label in whole["labels"]
        for answer in answers
    ]
    assert shown == pytest.approx(expected, abs=0.12)


def look_at_a_file(page: Page, folder: Path, place: Path) -> None:
    """The two cells of a row that is downloaded are those that `kobert-emotion predict` writes."""
    (place / "a.csv").write_text("text\n" + "\n".join(TEXTS) + "\n", encoding="utf-8")
    page.set_input_files("#file", place / "a.csv")
    page.click("#start")
    expect(page.locator("#rows tr")).to_have_count(len(TEXTS), timeout=WAIT)
    with page.expect_download() as download:
        page.click("#download")
    found = list(csv.DictReader(Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()))
    assert main(["predict", str(folder), str(place / "a.csv"), "--output", str(place / "own.csv")]) == 0
    own = list(csv.DictReader((place / "own.csv").read_text(encoding="utf-8-sig").splitlines()))
    for ours, theirs in zip(found, own, strict=True):
        assert ours["predicted"] == theirs["prediction"]
        scores = [[float(score) for score in row["score"].split("|")] for row in (ours, theirs)]
        assert scores[0] == pytest.approx(scores[1], abs=1.01e-4)
        assert [float(ours[label]) for label in LABELS] == pytest.approx(
            [100 * float(theirs[f"prob_{label}"]) for label in LABELS], abs=0.011
        )
    cells = page.locator("#rows td:nth-child(3)").all_text_contents()
    assert [cell.count("%") for cell in cells] == [row["prediction"].count("|") + 1 for row in own]
    counted = dict(
        zip(
            page.locator("#counts .name").all_text_contents(),
            map(int, page.locator("#counts .value").all_text_contents()),
            strict=True,
        )
    )
    given = [row["prediction"].split("|") for row in own]
    assert counted == {label: sum(label in row for row in given) for label in LABELS}


@pytest.mark.slow
@pytest.mark.parametrize("way", [by_a_server, without_one])
def test_what_is_shown_is_what_predict_says(way: Any, folder: Path, browser: Browser, tmp_path: Path) -> None:
    model = EmotionClassifier.from_pretrained(folder)
    complaints: list[str] = []
    with way(folder, tmp_path) as url:
        page = browser.new_page(viewport={"width": 360, "height": 740})
        page.set_default_timeout(WAIT)
        page.on("request", lambda r: None if r.url.startswith((url, "blob:")) else complaints.append(r.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(url)
        look_at_texts(page, model)
        look_at_words(page, model)
        look_at_a_file(page, folder, tmp_path)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
        page.close()
    assert not complaints
