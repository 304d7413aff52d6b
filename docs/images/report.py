"""Takes the picture of the documentation: `python docs/images/report.py RUN` opens the run's report in Chromium."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright


def main(run: Path) -> None:
    """Opens a cell of the confusion matrix and saves what is seen as report.png beside this file."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 900, "height": 760})
        page.goto((run.resolve() / "report.html").as_uri())
        page.locator("#matrix td.wrong button").first.click()
        page.locator("#confusion").evaluate("section => section.scrollIntoView()")
        page.screenshot(path=Path(__file__).with_suffix(".png"))
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
