"""Builds the documentation as a site of two trees, `ko/` and `en/`, and follows its links: `make docs`.

Warnings are errors. Nothing is fetched: neither while it is built nor by who reads it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import links
import reference
import sources

HERE = Path(__file__).parent
_REFERENCE = {"ko": "참조", "en": "Reference"}
_REPOSITORY = {"ko": "저장소에서", "en": "From the repository"}
_FRONT = """<!doctype html>
<html lang="ko">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="0; url=ko/index.html">
<title>kobert_hf_emotion</title>
<p><a href="ko/index.html">한국어</a> · <a href="en/index.html" lang="en">English</a></p>
</html>
"""


def build(language: str, work: Path, site: Path) -> bool:
    """Builds a language's tree to `site/LANGUAGE`; False where Sphinx warned of something."""
    import sphinx.locale
    from sphinx.cmd.build import build_main

    sphinx.locale.translators.clear()  # the words of the language built before would stay
    folder = work / language
    laid_out = sources.lay_out(language, folder)
    index = folder / "index.md"
    text = index.read_text(encoding="utf-8")
    listed = {page for _, pages in sources.sections(text) for page in pages} | {"index.md"}
    others = {
        _REFERENCE[language]: reference.write(language, folder),
        _REPOSITORY[language]: [str(page) for page in laid_out if str(page) not in listed],
    }
    index.write_text(sources.with_contents(text, others), encoding="utf-8")
    options = ["-b", "html", "-c", str(HERE), "-t", language, "-d", str(work / f"doctrees-{language}"), "-q"]
    strict = ["-W", "--keep-going", "-n"]
    return build_main([*options, *strict, str(folder), str(site / language)]) == 0


def main() -> int:
    """Builds both trees and prints what is wrong with them; 1 where something is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("build/site"), help="folder of the site, written anew")
    parser.add_argument("--work", type=Path, default=Path("build/docs"), help="folder for what it is made of")
    arguments = parser.parse_args()
    started = time.monotonic()
    for folder in (arguments.output, arguments.work):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    built = [build(language, arguments.work, arguments.output) for language in sources.LANGUAGES]
    (arguments.output / "index.html").write_text(_FRONT, encoding="utf-8")
    found = links.check(arguments.output)
    listing = arguments.work / "external-links.txt"
    listing.write_text("".join(f"{url}\t{page}\n" for url, page in sorted(found.external.items())), encoding="utf-8")
    print(
        f"{arguments.output}: {found.pages} pages in {time.monotonic() - started:.0f} s, {found.links} links and "
        f"assets followed, {len(found.problems)} wrong; {len(found.external)} addresses elsewhere, not asked: {listing}"
    )
    print("".join(f"  {problem}\n" for problem in found.problems), end="", file=sys.stderr)
    return 0 if all(built) and not found.problems else 1


if __name__ == "__main__":
    raise SystemExit(main())
