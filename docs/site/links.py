"""Whether a built site holds together: links, anchors and files, read from its HTML and CSS; nothing is fetched."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

_ASSETS = {
    *(("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("video", "src"), ("audio", "src")),
    *(("embed", "src"), ("object", "data"), ("input", "src")),
}
_ASSET_RELATIONS = {"stylesheet", "icon", "preload", "prefetch", "modulepreload", "preconnect", "dns-prefetch"}
_CSS_ADDRESS = re.compile(r"""url\(\s*['"]?([^'")]+)['"]?\s*\)|@import\s+['"]([^'"]+)['"]""")


class Checked(NamedTuple):
    """What was found in a site.

    Attributes:
        problems: A line for each link that leads nowhere and each asset from another place.
        external: Addresses of other places that pages link to, with the first page that does.
        pages: How many pages there are.
        links: How many links and assets inside the site were followed.
    """

    problems: list[str]
    external: dict[str, str]
    pages: int
    links: int


class _Page(HTMLParser):
    """The anchors of a page, and the addresses it names."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.assets: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value is not None}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        self.assets += [given[name] for element, name in _ASSETS if element == tag and name in given]
        if "style" in given:
            self.assets += _addresses_in_css(given["style"])
        if "href" in given and tag == "link":
            is_asset = _ASSET_RELATIONS & set(given.get("rel", "").split())
            (self.assets if is_asset else self.links).append(given["href"])
        elif "href" in given:
            self.links.append(given["href"])
        if tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            self.links.append(given["content"].partition("url=")[2])


def _addresses_in_css(text: str) -> list[str]:
    return [first or second for first, second in _CSS_ADDRESS.findall(text)]


def check(site: Path) -> Checked:
    """Follows every link of a built site, anchors included, and every asset of its pages and style sheets."""
    pages = {path: _Page(path) for path in sorted(site.rglob("*.html")) if "_static" not in path.parts}
    problems: list[str] = []
    external: dict[str, str] = {}
    followed = 0
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        for address in page.links:
            parts = urlsplit(address)
            if parts.scheme in ("http", "https", "mailto") or parts.netloc:
                external.setdefault(address, name)
                continue
            followed += 1
            problems += [f"{name}: {address}: {wrong}" for wrong in _wrong_with(path, address, pages)]
        for address in page.assets:
            followed += 1
            problems += [f"{name}: {wrong}" for wrong in _wrong_with_asset(path, address)]
    for sheet in sorted(site.rglob("*.css")):
        for address in _addresses_in_css(sheet.read_text(encoding="utf-8")):
            followed += 1
            problems += [f"{sheet.relative_to(site)}: {wrong}" for wrong in _wrong_with_asset(sheet, address)]
    return Checked(problems, external, len(pages), followed)


def _wrong_with(path: Path, address: str, pages: dict[Path, _Page]) -> list[str]:
    parts = urlsplit(address)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return ["no such file"]
    anchor = unquote(parts.fragment)
    if anchor and target in pages and anchor not in pages[target].anchors:
        return ["no such anchor"]
    return []


def _wrong_with_asset(path: Path, address: str) -> list[str]:
    parts = urlsplit(address)
    if parts.scheme == "data" or not (parts.path or parts.netloc):
        return []
    if parts.scheme or parts.netloc:
        return [f"{address}: an asset from another place"]
    return [] if (path.parent / unquote(parts.path)).is_file() else [f"{address}: no such file"]
