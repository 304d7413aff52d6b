"""The report in a real browser, from the disk: clicked, typed at, read aloud, printed, in the dark, on a phone."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import chromium, reloaded
from playwright.sync_api import Browser, Page, expect
from reported import logits_for, write_reported_run

from kobert_hf_emotion.explanation.words import Explanation, Word
from kobert_hf_emotion.labels import EMOTION_LABELS, EMOTION_LABELS_KO
from kobert_hf_emotion.report.page import to_page
from kobert_hf_emotion.runs.reporting import gather_run

ROWS = 1400
ATTACK = "</script><img src=x onerror=\"document.title='owned'\">\u2028 끝 {{DATA}}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with its report, whose first mistake is explained."""
    truth = np.arange(ROWS) % 7
    texts = [f"{index}번째 {'긴 글 ' * (index % 9)}{ATTACK if index % 5 == 0 else ''}" for index in range(ROWS)]
    folder = tmp_path_factory.mktemp("runs") / "a"
    write_reported_run(folder, EMOTION_LABELS, texts, truth, logits_for(truth, 7))
    content = gather_run(folder)
    assert content.predictions is not None
    assert content.predictions.texts is not None
    first = content.mistakes[0]
    text = content.predictions.texts[first]
    values = dict.fromkeys(EMOTION_LABELS, -0.5)
    words = [Word(part, (text.index(part), text.index(part) + len(part)), values) for part in text.split()[:1]]
    explained = Explanation(text, "fear", 0.5, dict.fromkeys(EMOTION_LABELS, 1 / 7), "leave_one_out", words)
    content.explanations[first] = explained  # type: ignore[index]
    (folder / "report.html").write_text(to_page(content).html, encoding="utf-8")
    return folder


@pytest.fixture
def open_report(browser: Browser, run: Path) -> Iterator[Any]:
    """Opens the report; fails if it asks for anything but itself, or has an error."""
    complaints: list[str] = []
    contexts = []
    address = (run / "report.html").as_uri()

    def opened(width: int = 1200, **settings: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800}, **settings)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda r: None if r.url.split("#")[0] == address else complaints.append(r.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture(scope="module")
def table(run: Path) -> list[dict[str, str]]:
    with (run / "oof_predictions.csv").open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def test_a_cell_opens_its_rows(open_report: Any, table: list[dict[str, str]]) -> None:
    page = open_report()
    label, prediction = 2, 4
    expected = [
        r for r in table if (r["label"], r["prediction"]) == (EMOTION_LABELS[label], EMOTION_LABELS[prediction])
    ]
    expected.sort(key=lambda row: -float(row["score"]))
    button = page.locator(f'[data-cell="{label},{prediction}"] button')
    assert button.inner_text().split()[0] == str(len(expected))
    expect(page.locator("#cell")).to_be_hidden()
    button.click()
    expect(page.locator("#cell-title")).to_be_focused()
    title = f"라벨 {EMOTION_LABELS_KO[label]}, 예측 {EMOTION_LABELS_KO[prediction]}: {len(expected)}행"
    expect(page.locator("#cell-title")).to_have_text(title)
    assert page.locator("#cell-rows th").all_inner_texts() == [row["row"] for row in expected]
    assert page.locator("#cell-rows .text").all_text_contents() == [row["text"] for row in expected]
    assert page.locator("img").count() == 0
    page.click("#language")
    expect(page.locator("#cell-title")).to_contain_text("Label angry, predicted neutral")
    page.keyboard.press("Escape")
    expect(page.locator("#cell")).to_be_hidden()
    expect(button).to_be_focused()


@pytest.mark.slow
def test_many_rows_come_in_parts(open_report: Any, table: list[dict[str, str]]) -> None:
    page = open_report()
    right = [row for row in table if row["label"] == row["prediction"] == "fear"]
    assert len(right) > 100
    page.locator('[data-cell="0,0"] button').click()
    expect(page.locator("#cell-rows tr")).to_have_count(100)
    page.click("#more")
    expect(page.locator("#cell-rows tr")).to_have_count(len(right))
    expect(page.locator("#more")).to_be_hidden()
    shown = [float(text) for text in page.locator("#cell-rows td:nth-child(3)").all_inner_texts()]
    assert shown == sorted(shown)


@pytest.mark.slow
def test_with_the_keyboard_alone(open_report: Any) -> None:
    page = open_report()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#language")).to_be_focused()
    assert page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert page.locator('#matrix button[tabindex="0"]').count() == 1
    page.locator('#matrix button[tabindex="0"]').focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(page.locator('[data-cell="1,1"] button')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#cell-title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator('[data-cell="1,1"] button')).to_be_focused()
    page.keyboard.press("Tab")  # the matrix is one stop
    assert not page.evaluate("() => document.activeElement.closest('#matrix')")


@pytest.mark.slow
def test_for_a_screen_reader(open_report: Any) -> None:
    page = open_report()
    expect(page.get_by_role("button", name=re.compile("^라벨 공포, 예측 공포: "))).to_have_count(1)
    assert page.locator("h1").count() == 1
    for section in page.locator("section").all():
        assert section.get_attribute("aria-labelledby")
    assert page.locator("svg:not([aria-hidden=true])").count() == 0
    assert page.locator("table:not(:has(caption))").count() == page.locator("#cell table, .card table").count()
    page.click("#language")
    expect(page.get_by_role("button", name=re.compile("^Label fear, predicted fear: "))).to_have_count(1)
    assert page.get_attribute("html", "lang") == "en"


@pytest.mark.slow
def test_both_languages(open_report: Any, run: Path) -> None:
    page = open_report()
    data = page.evaluate("() => document.getElementById('data').textContent")
    assert json.loads(data)["labels"]["ko"] == list(EMOTION_LABELS_KO)
    for part in page.locator("details").all():
        part.evaluate("part => part.open = true")
    page.click("#language")
    page.evaluate("() => document.querySelectorAll('.text, .words').forEach((text) => text.remove())")
    said = page.inner_text("body").replace("한국어", "")
    assert re.findall("[^\n]*[가-힣][^\n]*", said) == []
    assert reloaded(page, "en")


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 768])
def test_on_a_phone(open_report: Any, width: int) -> None:
    page = open_report(width)
    page.locator('[data-cell="0,0"] button').click()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width


@pytest.mark.slow
def test_in_the_dark_and_on_paper(open_report: Any) -> None:
    page = open_report(color_scheme="dark")
    dark = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    page.emulate_media(media="print")
    printed = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert (dark, printed) == ("rgb(22, 24, 28)", "rgb(255, 255, 255)")
    expect(page.locator("#language")).to_be_hidden()
    expect(page.locator('[data-cell="0,0"]')).to_be_visible()
    assert page.locator('[data-cell="0,0"]').inner_text().strip()
    assert page.pdf(format="A4").startswith(b"%PDF")
