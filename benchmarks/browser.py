"""A page that `export --format web` wrote, in headless Chromium beside the same graph in Python.

kobert-emotion export default --format web --output site
python -m benchmarks.browser site --count 1000
"""

from __future__ import annotations

import argparse
import functools
import json
import shutil
import statistics
import sys
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from kobert_hf_emotion import OnnxClassifier
from kobert_hf_emotion.export.exporter import sample_texts

_SCRIPT = """async (texts) => {
    const start = performance.now();
    const { load, predict } = await import("/engine.js");
    const { tokenizer } = await load();
    const load_ms = performance.now() - start;
    const rows = [];
    for (const text of texts) {
        const before = performance.now();
        const [{ label }] = await predict([text]);
        rows.push({ label, ms: performance.now() - before, ids: tokenizer.encode(text) });
    }
    return { load_ms, rows };
}"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def in_browser(site: Path, texts: list[str]) -> dict[str, Any]:
    """Predicts texts one by one in a page without a cache."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        found: dict[str, Any] = page.evaluate(_SCRIPT, texts)
        found["browser"] = browser.version
        browser.close()
    server.shutdown()
    return found


def main() -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("--count", type=int, default=1000)
    arguments = parser.parse_args()
    texts = list(dict.fromkeys(sample_texts()))[: arguments.count]
    found = in_browser(arguments.site, texts)
    rows = found["rows"]
    model = OnnxClassifier.from_pretrained(arguments.site / "model", threads=1)
    ids = model.tokenizer(texts, truncation=True, max_length=model.manifest.max_length)["input_ids"]
    labels, seconds = [], []
    for text in texts:
        start = time.perf_counter()
        labels.append(model.predict([text])[0]["label"])
        seconds.append(time.perf_counter() - start)
    files = [file for file in arguments.site.rglob("*") if file.is_file()]
    result = {
        "texts": len(texts),
        "other_ids": sum(row["ids"] != expected for row, expected in zip(rows, ids, strict=True)),
        "other_labels": sum(row["label"] != label for row, label in zip(rows, labels, strict=True)),
        "load_ms": round(found["load_ms"]),
        "browser_ms": round(statistics.median(row["ms"] for row in rows), 1),
        "python_ms": round(1000 * statistics.median(seconds), 1),
        "megabytes": round(sum(file.stat().st_size for file in files) / 1e6, 1),
        "browser": found["browser"],
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
