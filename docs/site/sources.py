"""The pages of one language, laid out for Sphinx: links out of `docs/` led to copies, the order taken from the index.

The pages stay as GitHub shows them. What only a site has is added here: no line to switch languages (the site has
a button), a table of contents made of the index, the reference, and the pages and files of the repository that
pages link to.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("ko", "en")
PAGES = (".md", ".ipynb")
_FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?(\))")
_SWITCH = re.compile(r"^(\[한국어\]|\*\*한국어\*\*).*\n\n?", re.MULTILINE)
_MARK = re.compile(r"^<!-- /?[\w-]+ -->\n", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_TABLE = re.compile(r"^\| (?P<title>[^|]+) \|[^\n]*\n\|[-|: ]+\n(?P<rows>(?:\|[^\n]*\n)+)", re.MULTILINE)
_FIRST_LINK = re.compile(r"^\| \[[^\]]+\]\(([^)#]+)\)", re.MULTILINE)


def lay_out(language: str, folder: Path) -> list[PurePosixPath]:
    """Writes the sources of a language's tree to an empty folder.

    Args:
        language: "ko" or "en".
        folder: Where they are written.

    Returns:
        The pages in the folder, those of `docs/` first.
    """
    shutil.rmtree(folder, ignore_errors=True)
    own = {path: PurePosixPath(path.name) for path in sorted((ROOT / "docs" / language).glob("*.md"))}
    tree = _Tree(language, dict(own))
    waiting = list(own)
    while waiting:
        page = waiting.pop()
        target = folder / tree.places[page]
        target.parent.mkdir(parents=True, exist_ok=True)
        if page.suffix == ".md":
            target.write_text(tree.rewritten(page), encoding="utf-8")
        else:
            shutil.copyfile(page, target)
        waiting += tree.found()
    for path, place in tree.files.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / place)
    return list(tree.places.values())


class _Tree:
    """Where what pages link to lies in a tree."""

    def __init__(self, language: str, places: dict[Path, PurePosixPath]) -> None:
        self.language = language
        self.places = places
        self.files: dict[Path, PurePosixPath] = {}
        self._new: list[Path] = []

    def found(self) -> list[Path]:
        """Returns the pages that were linked to for the first time since the last call."""
        found, self._new = self._new, []
        return found

    def rewritten(self, page: Path) -> str:
        """Returns the text of a page for the site."""
        text = page.read_text(encoding="utf-8")
        text = _SWITCH.sub("", _FRONT_MATTER.sub("", text), count=1)
        here = self.places[page].parent

        def led(match: re.Match[str]) -> str:
            before, target, anchor, after = match.groups()
            if "://" in target or target.startswith("mailto:"):
                return match[0]
            place = self._place((page.parent / target).resolve())
            return f"{before}{os.path.relpath(place, here)}{anchor or ''}{after}"

        return outside_code(text, lambda prose: _LINK.sub(led, _MARK.sub("", prose)))

    def _place(self, path: Path) -> PurePosixPath:
        relative = path.relative_to(ROOT)
        if relative.parts[0] == "docs" and relative.parts[1] in LANGUAGES:  # the same page in this language
            path = ROOT / "docs" / self.language / Path(*relative.parts[2:])
        if path in self.places:
            return self.places[path]
        if not path.is_file():
            raise FileNotFoundError(f"{relative}: linked to, and not there")
        if path.suffix in PAGES:
            self._new.append(path)
            self.places[path] = PurePosixPath("repository", "-".join(relative.parts))
            return self.places[path]
        return self.files.setdefault(path, PurePosixPath("repository", "files", *relative.parts))


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Returns a page with all but its fenced blocks changed."""
    return "".join(part if part.startswith("```") else change(part) for part in _FENCED.split(text))


def sections(index: str) -> Iterator[tuple[str, list[str]]]:
    """Yields the tables of an index: the title over each and the pages that its first column links to."""
    for table in _TABLE.finditer(index):
        yield table["title"].strip(), _FIRST_LINK.findall(table["rows"])


def with_contents(index: str, others: dict[str, list[str]]) -> str:
    """Returns an index with tables of contents that the site shows at the side.

    Args:
        index: Its text.
        others: Further sections by their titles, with their pages.
    """
    listed = [page for _, pages in sections(index) for page in pages]
    listed += [page for pages in others.values() for page in pages]
    if len(set(listed)) < len(listed):
        raise ValueError(f"listed twice: {sorted(page for page in set(listed) if listed.count(page) > 1)}")
    parts = [index.rstrip()]
    for title, pages in [*sections(index), *others.items()]:
        names = "\n".join(str(PurePosixPath(page).with_suffix("")) for page in pages)
        parts.append(f"```{{toctree}}\n:hidden:\n:caption: {title}\n\n{names}\n```")
    return "\n\n".join(parts) + "\n"
