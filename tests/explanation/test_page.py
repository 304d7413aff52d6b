"""The page: what it says, that nothing in a text is markup, and that it asks nobody."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from kobert_hf_emotion.explanation.page import to_html
from kobert_hf_emotion.explanation.words import Explanation, Piece, Word

NASTY = '<img src=x onerror=alert(1)> {{TITLE}} "좋아"&ㅋㅋ'


def explanation(text: str, **more: object) -> Explanation:
    words, start = [], 0
    for number, part in enumerate(text.split()):
        start = text.index(part, start)
        values = {"happy": number / 4, "<sad>": -number / 4}
        words.append(Word(part, (start, start + len(part)), values, [Piece("▁<좋", (start, start + 1), values)]))
        start += len(part)
    return Explanation(text, "happy", 0.75, {"<sad>": 0.25, "happy": 0.75}, "leave_one_out", words, **more)  # type: ignore[arg-type]


class Reader(HTMLParser):
    """Collects tags, and the text of each line of words."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.lines: dict[str, str] = {}
        self.hidden: set[str] = set()
        self._line: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        if tag == "p" and given.get("class") == "words":
            self._line = given["data-label"] or ""
            self.lines[self._line] = ""
            if "hidden" in given:
                self.hidden.add(self._line)

    def handle_endtag(self, tag: str) -> None:
        if tag == "p":
            self._line = None

    def handle_data(self, data: str) -> None:
        if self._line is not None:
            self.lines[self._line] += data


def test_texts_and_labels_are_text() -> None:
    page = to_html([explanation(NASTY)])
    reader = Reader()
    reader.feed(page)
    assert "img" not in reader.tags
    assert reader.lines.keys() == {"happy", "<sad>"}
    assert reader.hidden == {"<sad>"}
    for part in NASTY.split():
        assert part in reader.lines["happy"]
    assert "+0.25" in reader.lines["happy"]
    assert "-0.25" in reader.lines["<sad>"]


def test_the_end_that_is_not_read_is_marked() -> None:
    assert 'class="unread"' in to_html([explanation("오늘 좋아", unread=" 끝은 읽지 않음")])
    assert 'class="unread"' not in to_html([explanation("오늘 좋아")])


def test_it_asks_nobody_and_speaks_both_languages() -> None:
    page = to_html([explanation("오늘 좋아"), explanation("")])
    assert not re.findall(r"https?://|src=|href=|@import|url\(", page)
    assert len(re.findall(r"<span lang=ko>", page)) == len(re.findall(r"<span lang=en>", page)) > 5
