"""Typer's own words in `--help`: headings, and what stands behind options, in the language that is spoken."""

from __future__ import annotations

import re

import pytest
import typer
from typer.core import TyperGroup

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.cli.app import app
from kobert_hf_emotion.cli.help import in_words
from kobert_hf_emotion.cli.language import speak

GROUP = typer.main.get_command(app)
assert isinstance(GROUP, TyperGroup)
PAGES = ["", *sorted(GROUP.commands)]
HANGUL = re.compile(r"[가-힣]")
ENGLISH = re.compile(
    r"Usage|^Options:|^Arguments:|^Commands:|\[default|; default|required\]|env var|\[OPTIONS\]|\bCOMMAND\b"
    r"|Show this message|Install completion|Show completion",
    re.MULTILINE,
)


def page_of(capsys: pytest.CaptureFixture[str], name: str, language: str) -> str:
    assert main([*([name] if name else []), "--lang", language, "--help"]) == 0
    return capsys.readouterr().out


def headings(page: str) -> list[str]:
    return [line for line in page.splitlines() if re.match(r"\S.*:$", line)]


@pytest.mark.parametrize("name", PAGES)
def test_in_korean_no_word_of_typer_is_english(capsys: pytest.CaptureFixture[str], name: str) -> None:
    page = page_of(capsys, name, "ko")
    assert not ENGLISH.search(page), ENGLISH.search(page)
    expected = ["옵션:", "명령:"] if not name else ["인자:", "옵션:"]
    assert headings(page) == expected
    assert page.startswith(f"사용법: kobert-emotion {name}")
    assert "이 도움말을 보여 주고 끝냅니다." in page


@pytest.mark.parametrize("name", PAGES)
def test_in_english_headings_have_no_hangul(capsys: pytest.CaptureFixture[str], name: str) -> None:
    page = page_of(capsys, name, "en")
    expected = ["Options:", "Commands:"] if not name else ["Arguments:", "Options:"]
    assert headings(page) == expected
    assert page.startswith(f"Usage: kobert-emotion {name}")
    assert "Show this message and exit." in page


def test_in_both_they_stand_beside_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    page = page_of(capsys, "export", "both")
    assert headings(page) == ["인자 (Arguments):", "옵션 (Options):"]
    assert page.startswith("사용법 (Usage): kobert-emotion export [OPTIONS]")
    unbroken = " ".join(page.split())
    assert "[기본 (default): onnx]" in unbroken
    assert "[필수 (required)]" in unbroken


@pytest.mark.parametrize(
    ("text", "told", "expected"),
    [
        ("행 [default: x]  [default: 3; x>=2; required]", "행 [default: x]", "행 [default: x]  [기본: 3; x>=2; 필수]"),
        ("[env var: A; required]", "", "[환경 변수: A; 필수]"),
        ("에폭 수", "에폭 수", "에폭 수"),
        ("Show this message and exit.", "Show this message and exit.", "이 도움말을 보여 주고 끝냅니다."),
    ],
)
def test_only_what_typer_adds_is_changed(text: str, told: str, expected: str) -> None:
    speak("ko")
    assert in_words(text, told) == expected


def test_an_error_begins_with_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "default", "--lang", "ko"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("사용법: kobert-emotion export [옵션]")
    assert "Usage" not in error
