"""The site of the documentation, short of Sphinx: what it is laid out from, and what its check finds.

`make docs` builds it, with warnings as errors, and follows the links of what comes out.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from paths import ROOT

import kobert_hf_emotion

SITE = ROOT / "docs/site"


@pytest.fixture(scope="module", autouse=True)
def site_on_path() -> Iterator[None]:
    sys.path.insert(0, str(SITE))
    yield
    sys.path.remove(str(SITE))


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_site_{name}", SITE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_link_of_the_sources_leads_to_a_file_beside_them(language: str, tmp_path: Path) -> None:
    sources = load("sources")
    folder = tmp_path / language
    pages = sources.lay_out(language, folder)
    names = {str(page) for page in pages}
    assert {page.name for page in (ROOT / "docs" / language).glob("*.md")} <= names
    for page in pages:
        if page.suffix != ".md":
            continue
        text = (folder / page).read_text(encoding="utf-8")
        assert "[한국어](../" not in text
        assert "<!-- run -->" not in text
        for target in re.findall(r"\]\(([^)\s#]+)", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)):
            if "://" not in target:
                assert ((folder / page).parent / target).resolve().is_relative_to(folder)
                assert ((folder / page).parent / target).is_file(), (page, target)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_contents_list_every_page_once(language: str, tmp_path: Path) -> None:
    sources = load("sources")
    pages = {str(page) for page in sources.lay_out(language, tmp_path / "tree")}
    index = sources.with_contents((tmp_path / "tree/index.md").read_text(encoding="utf-8"), {})
    listed = re.findall(r"^[\w/.-]+$", "\n".join(re.findall(r"^```\{toctree\}(.*?)^```", index, re.M | re.S)), re.M)
    own = {Path(page).with_suffix("").as_posix() for page in pages if not page.startswith("repository/")}
    assert own - {"index"} <= set(listed)
    assert len(set(listed)) == len(listed)
    assert index.count(":caption:") == 4


def test_both_languages_have_the_same_pages(tmp_path: Path) -> None:
    """So that the button to switch languages always leads somewhere."""
    sources = load("sources")
    korean, english = (set(sources.lay_out(language, tmp_path / language)) for language in ("ko", "en"))
    assert korean == english


def test_the_reference_has_every_public_name_once() -> None:
    names = [name for group in load("reference").groups() for name in group.names]
    assert sorted(names) == sorted(kobert_hf_emotion.__all__)


def page(body: str) -> str:
    return f"<!doctype html><html><head><title>x</title></head><body>{body}</body></html>"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ('<a href="b.html#there">ok</a>', None),
        ('<a href="#here">ok</a><p id="here">', None),
        ('<a href="https://example.com/x">not asked</a>', None),
        ('<a href="c.html">x</a>', "c.html: no such file"),
        ('<a href="b.html#nowhere">x</a>', "b.html#nowhere: no such anchor"),
        ('<a href="#nowhere">x</a>', "#nowhere: no such anchor"),
        ('<img src="https://example.com/a.png">', "an asset from another place"),
        ('<script src="//example.com/a.js"></script>', "an asset from another place"),
        ('<link rel="preconnect" href="https://fonts.example.com">', "an asset from another place"),
        ('<p style="background: url(https://example.com/a.png)">', "an asset from another place"),
        ('<img src="a.png">', "a.png: no such file"),
    ],
)
def test_the_check_names_what_leads_nowhere(tmp_path: Path, body: str, wrong: str | None) -> None:
    (tmp_path / "a.html").write_text(page(body), encoding="utf-8")
    (tmp_path / "b.html").write_text(page('<p id="there">'), encoding="utf-8")
    (tmp_path / "x.css").write_text("body { color: red }", encoding="utf-8")
    found = load("links").check(tmp_path)
    if wrong is None:
        assert found.problems == []
        return
    [problem] = found.problems
    assert problem.startswith("a.html: ")
    assert wrong in problem


def test_the_check_reads_style_sheets(tmp_path: Path) -> None:
    (tmp_path / "x.css").write_text(
        "@import 'https://fonts.example.com/x.css'; a { background: url(data:image/png;base64,xx) } "
        "b { src: url('font.woff2#iefix') }",
        encoding="utf-8",
    )
    assert [problem.split(": ", 1)[1] for problem in load("links").check(tmp_path).problems] == [
        "https://fonts.example.com/x.css: an asset from another place",
        "font.woff2#iefix: no such file",
    ]


def test_korean_is_searched_by_pairs_of_syllables() -> None:
    pytest.importorskip("sphinx", reason="the extra docs is not installed")
    search = load("korean_search").KoreanSearch({})
    indexed = {word for word in search.split("KoBERT를 학습합니다. 표 3개") if search.word_filter(word)}
    assert {"KoBERT", "를", "학습", "합니", "표", "개"} <= indexed
    assert set(search.split("학습")) <= indexed
    assert "3" not in indexed


def test_pictures_are_made_anew_where_what_they_show_has_changed(tmp_path: Path) -> None:
    specification = importlib.util.spec_from_file_location("docs_images_renew", ROOT / "docs/images/renew.py")
    assert specification is not None
    assert specification.loader is not None
    renew = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(renew)
    for part in renew.SHOWN:
        assert (ROOT / "kobert_hf_emotion" / part).exists(), part
        (tmp_path / "kobert_hf_emotion" / part).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "kobert_hf_emotion" / part).write_text("", encoding="utf-8")
    images = tmp_path / "docs/images"
    images.mkdir(parents=True)
    assert not renew.is_current(tmp_path)
    (images / "made_of.json").write_text(f'{{"sha256": "{renew.made_of(tmp_path)}"}}', encoding="utf-8")
    (images / "confusion_matrix.png").write_bytes(b"another processor's")
    assert renew.is_current(tmp_path)
    (tmp_path / "kobert_hf_emotion/runs/plots.py").write_text("# in colour", encoding="utf-8")
    assert not renew.is_current(tmp_path)
