"""The page in a real browser: as it is typed in, read aloud, dropped onto, and looked at on a phone."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import chromium, reloaded, served
from playwright.sync_api import Browser, Page, expect
from served import FakeModel

from kobert_hf_emotion import EmotionClassifier
from kobert_hf_emotion.assets import PAGE
from kobert_hf_emotion.inference.classifier import load_classifier
from kobert_hf_emotion.labels import EMOTION_LABELS, EMOTION_LABELS_KO
from kobert_hf_emotion.serving import ServingOptions, create_app

HAPPY, AFRAID = "오늘 정말 행복했어", "밤길에 누가 자꾸 따라와서 무서웠어"
WAIT = 60_000
"""Milliseconds: other tests have the processor too."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def address(browser: Browser) -> Iterator[str]:
    with served(create_app(load_classifier("default"))) as url:
        yield url


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Any]:
    """Opens a page at an address; fails if it asks anything of another, or has an error."""
    complaints: list[str] = []
    contexts = []

    def open_at(url: str, width: int = 900) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 740})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.on("request", lambda r: None if r.url.startswith((url, "blob:")) else complaints.append(r.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if "Content Security" in m.text else None)
        page.goto(url)
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert not complaints


def write(path: Path, content: str, encoding: str) -> Path:
    path.write_bytes(content.encode(encoding))
    return path


def test_bars_appear_as_it_is_typed(address: str, open_page: Any) -> None:
    page = open_page(address)
    page.locator("#text").press_sequentially(HAPPY)
    expect(page.locator(".verdict")).to_have_text("행복 95.6%", timeout=WAIT)
    assert page.locator(".bars .name").all_inner_texts() == list(EMOTION_LABELS_KO)
    shares = [float(text.rstrip("%")) for text in page.locator(".bars .value").all_inner_texts()]
    assert sum(shares) == pytest.approx(100, abs=0.5)
    widths = [float(bar.get_attribute("width") or 0) for bar in page.locator("#results rect").all()]
    assert widths == pytest.approx(shares, abs=0.06)
    expect(page.locator("#status")).to_have_text("행복 95.6%")
    page.fill("#text", "")
    expect(page.locator(".result")).to_have_count(0, timeout=WAIT)


@pytest.mark.slow
def test_several_lines_at_once_in_both_languages(address: str, open_page: Any) -> None:
    page = open_page(address)
    assert (page.get_attribute("html", "lang"), page.title()) == ("ko", "글의 감정")
    page.fill("#text", f"{HAPPY}\n\n  {AFRAID}\n難読漢字羅列試験")
    expect(page.locator(".result")).to_have_count(3, timeout=WAIT)
    assert page.locator("blockquote").all_inner_texts() == [HAPPY, AFRAID, "難読漢字羅列試験"]
    assert [text.split()[0] for text in page.locator(".verdict").all_inner_texts()[:2]] == ["행복", "공포"]
    expect(page.locator(".result:nth-child(3) .unreadable")).to_have_count(1)
    expect(page.locator(".unreadable")).to_have_count(1)
    page.click("#language")
    assert (page.get_attribute("html", "lang"), page.title()) == ("en", "The emotion of a text")
    assert page.locator(".result:nth-child(1) .name").all_inner_texts() == list(EMOTION_LABELS)
    said = page.inner_text("body").replace(page.inner_text("#language"), "")
    assert not re.search("[가-힣]", said.replace(HAPPY, "").replace(AFRAID, ""))
    assert reloaded(page, "en")


@pytest.mark.slow
def test_words_that_mattered_are_those_of_asking_again_without_them(address: str, open_page: Any) -> None:
    page = open_page(address)
    page.fill("#text", f"{HAPPY}\n  {AFRAID}  <b>ㅋㅋ</b>")
    page.locator(".result:nth-child(2) .why").click(timeout=WAIT)
    expect(page.locator(".words")).to_have_count(1, timeout=WAIT)
    parts = [*AFRAID.split(), "<b>ㅋㅋ</b>"]
    model = EmotionClassifier.from_pretrained("default")
    left = [" ".join(parts[:number] + parts[number + 1 :]) for number in range(len(parts))]
    whole, *answers = (p["probabilities"]["fear"] for p in model.predict([" ".join(parts), *left]))
    shown = [text.rsplit(maxsplit=1) for text in page.locator(".words span").all_inner_texts()]
    assert [word for word, _ in shown] == parts
    changes = [float(value.replace("−", "-")) for _, value in shown]
    assert changes == pytest.approx([whole - answer for answer in answers], abs=0.11)
    assert page.locator(".words .for").count() == sum(whole >= answer for answer in answers)
    page.click("#language")
    assert "blue" in page.inner_text(".words .hint")
    page.fill("#text", HAPPY)
    expect(page.locator(".words")).to_have_count(0, timeout=WAIT)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp949", "utf-8", "utf-8-sig", "utf-16"])
def test_a_csv_gives_a_table_counts_and_a_download(address: str, open_page: Any, tmp_path: Path, encoding: str) -> None:
    # 똠, 펲 and 뷁 are in CP949 alone, not in EUC-KR.
    texts = [HAPPY, f'"{AFRAID}", 라고', "똠방각하 펲시콜라 뷁", "", "두 줄\n입니다"] * 50
    rows = ["id,문장,라벨", *(f'{n},"{text.replace(chr(34), chr(34) * 2)}",x' for n, text in enumerate(texts))]
    page = open_page(address)
    page.set_input_files("#file", write(tmp_path / "내 파일.csv", "\r\n".join(rows), encoding))
    expect(page.locator("#file-name")).to_contain_text("250행")
    assert page.eval_on_selector("#column", "box => box.selectedOptions[0].textContent") == "문장"
    page.click("#start")
    expect(page.locator("#file-status")).to_have_text("250행을 예측했습니다.", timeout=WAIT)
    assert page.locator("#rows tr").count() == 100
    assert page.locator("#rows tr:nth-child(2) td").all_inner_texts()[:2] == ["2", texts[1]]
    counts = dict(
        zip(
            page.locator("#counts .name").all_inner_texts(),
            page.locator("#counts .value").all_inner_texts(),
            strict=True,
        )
    )
    assert sum(map(int, counts.values())) == 200
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "내 파일_predictions.csv"
    content = Path(download.value.path()).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    found = list(csv.reader(content.decode("utf-8-sig").splitlines(keepends=True)))
    assert found[0] == ["id", "문장", "라벨", "predicted", "score", *EMOTION_LABELS]
    assert [row[1] for row in found[1:]] == texts
    own = EmotionClassifier.from_pretrained("default").predict([texts[0], texts[1], texts[2], texts[4]])
    assert [found[n][3] for n in (1, 2, 3, 5)] == [prediction["label"] for prediction in own]
    assert [float(found[n][4]) for n in (1, 2, 3, 5)] == pytest.approx([p["score"] for p in own], abs=1e-5)
    assert found[4][3:] == [""] * (2 + len(EMOTION_LABELS))


@pytest.mark.slow
def test_a_file_is_dropped(address: str, open_page: Any) -> None:
    page = open_page(address)
    page.locator("#drop").evaluate(
        """(place, text) => {
            const data = new DataTransfer();
            data.items.add(new File([text], "글.txt", {type: "text/plain"}));
            for (const kind of ["dragenter", "dragover", "drop"])
                place.dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        f"{HAPPY}\n{AFRAID}, 정말\n",
    )
    expect(page.locator("#file-name")).to_have_text("글.txt — 2행")
    page.click("#start")
    expect(page.locator("#rows tr")).to_have_count(2, timeout=WAIT)
    assert page.locator("#rows td:nth-child(3)").all_inner_texts() == ["행복", "공포"]


@pytest.mark.slow
def test_with_the_keyboard_alone(address: str, open_page: Any, tmp_path: Path) -> None:
    page = open_page(address)
    seen = []
    for _ in range(3):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("() => document.activeElement.id"))
        outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"
    assert seen == ["language", "text", "file"]
    page.set_input_files("#file", write(tmp_path / "a.csv", f"text\n{HAPPY}\n", "utf-8"))
    expect(page.locator("#start")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#download")).to_be_focused(timeout=WAIT)


def test_for_a_screen_reader(address: str, open_page: Any) -> None:
    """Everything that is operated has a name, in either language, and what changes is said."""
    page = open_page(address)
    for name in ("글 (한 줄에 하나씩)", "CSV 파일을 고르거나 여기에 놓으세요"):
        expect(page.get_by_label(name)).to_have_count(1)
    page.click("#language")
    expect(page.get_by_label("Texts (one a line)")).to_have_count(1)
    expect(page.get_by_role("button", name="한국어")).to_have_attribute("lang", "ko")
    expect(page.get_by_role("status")).to_have_count(1)  # the file's comes with the file
    assert [page.locator(f"h{level}").count() for level in (1, 2)] == [1, 2]


@pytest.mark.slow
def test_on_a_phone(address: str, open_page: Any, tmp_path: Path) -> None:
    page = open_page(address, width=360)
    page.fill("#text", f"{HAPPY}\n" + "가" * 500)
    expect(page.locator(".result")).to_have_count(2, timeout=WAIT)
    page.set_input_files("#file", write(tmp_path / ("긴" * 60 + ".csv"), f"text\n{'나' * 300}\n", "utf-8"))
    page.click("#start")
    expect(page.locator("#rows tr")).to_have_count(1, timeout=WAIT)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360


@pytest.mark.slow
def test_nothing_that_comes_in_becomes_html(open_page: Any, browser: Browser, tmp_path: Path) -> None:
    attack = "<img src=x onerror=\"document.title='owned'\">"
    model = FakeModel()
    model.labels = [attack, "constructor"]
    with served(create_app(model)) as url:
        page = open_page(url)
        page.fill("#text", f"{attack}\n{attack}")
        expect(page.locator(".result")).to_have_count(2, timeout=WAIT)
        expect(page.locator("blockquote").first).to_have_text(attack)
        page.set_input_files("#file", write(tmp_path / "a.csv", f"{attack.replace(',', '')}\n{attack}\n", "utf-8"))
        page.click("#start")
        expect(page.locator("#rows tr")).to_have_count(1, timeout=WAIT)
        page.click("#language")
        assert page.locator("img").count() == 0
        assert page.title() == "The emotion of a text"
        assert "constructor" in page.locator(".bars .name").all_inner_texts()


@pytest.mark.slow
def test_a_server_with_a_key_a_server_with_small_limits_and_one_that_is_gone(browser: Browser) -> None:
    page = browser.new_page()
    page.set_default_timeout(WAIT)
    with served(create_app(FakeModel(), ServingOptions(api_key="열쇠key", max_texts=2))) as url:
        page.goto(url)
        page.fill("#text", "좋아\n싫어\n좋다\n나쁘다\n최고로 좋다")
        expect(page.locator("#problem")).to_contain_text("API 키", timeout=WAIT)
        page.fill("#key", "열쇠key")
        page.press("#key", "Enter")
        expect(page.locator(".result")).to_have_count(5, timeout=WAIT)
        assert [text.split()[0] for text in page.locator(".verdict").all_inner_texts()] == [
            *("good", "bad", "good", "bad", "good")
        ]
    page.fill("#text", "좋아요")
    expect(page.locator("#problem")).to_contain_text("서버에 닿지 않습니다", timeout=WAIT)
    page.close()


def test_the_pages_files_name_no_other_place() -> None:
    for path in PAGE.iterdir():
        found = set(re.findall(r"""https?://[^\s"'`)]+""", path.read_text(encoding="utf-8")))
        assert found <= {"http://www.w3.org/2000/svg"}, path
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    script = (PAGE / "words.js").read_text(encoding="utf-8")
    for name in re.findall(r'data-say="(\w+)"', page):
        assert len(re.findall(rf"^    {name}: ", script, re.MULTILINE)) == 2, name
