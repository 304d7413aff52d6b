"""The page of a run: what it says, what it says is missing, and that nothing in the data is markup."""

from __future__ import annotations

import csv
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reported import logits_for, write, write_reported_run

from kobert_hf_emotion.errors import RunError
from kobert_hf_emotion.report.page import to_page
from kobert_hf_emotion.report.rows import LONGEST_TEXT
from kobert_hf_emotion.runs.reporting import gather_run, write_html_report

LABELS = ["happy", "<b>\"슬픔'&amp;", "</script><script>document.title='owned'</script>", "{{DATA}}"]
ATTACKS = [
    "<script>document.title='owned'</script>",
    "</script><script>document.title='owned'</script>",
    "<!-- <script> 끝나지 않은 주석",
    "\"따옴표' onmouseover=document.title='owned' &lt;그대로&gt; {{DATA}} \\u003c",
    "줄\u2028나눔\u2029문단 ]]> --> \u202e거꾸로",
]
HIDDEN = "아무도모르는낱말"
ROWS = 300


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with texts and labels that want to be markup."""
    truth = np.arange(ROWS) % len(LABELS)
    texts = [f"{index} {HIDDEN} {ATTACKS[index % len(ATTACKS)]}" for index in range(ROWS)]
    texts[7] += "길" * 500
    folder = tmp_path_factory.mktemp("runs") / "<run>"
    return write_reported_run(folder, LABELS, texts, truth, logits_for(truth, len(LABELS)))


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of it, to take files away from."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


class Reader(HTMLParser):
    """Collects tags, ids, the text of each section, and scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sections: dict[str, str] = {}
        self.scripts: list[str] = []
        self.cells: dict[str, int] = {}
        self._section, self._in_script = "", False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given[name] or "" for name in ("href", "src") if name in given]
        if tag == "section":
            self._section = given["id"] or ""
            self.sections[self._section] = ""
        if tag == "script":
            self._in_script = True
            self.scripts.append("")
        if "data-cell" in given:
            self.cells[given["data-cell"] or ""] = int(given["data-count"] or 0)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("h3", "p") and self._section:
            self.sections[self._section] += "\n"
        self._section = "" if tag == "section" else self._section
        self._in_script = self._in_script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data
        elif self._section:
            self.sections[self._section] += data


def read(run: Path, **settings: Any) -> Reader:
    write_html_report(run, **settings)
    return Reader((run / "report.html").read_text(encoding="utf-8"))


def data_of(page: Reader) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.scripts[0])
    return found


def test_nothing_in_the_data_is_markup(run: Path) -> None:
    page = read(run)
    assert len(page.scripts) == page.tags.count("script") == 2  # data and code
    assert "img" not in page.tags
    assert len(page.ids) == len(set(page.ids))
    assert {link.startswith("#") for link in page.links} == {True}
    for attack in ATTACKS:
        assert attack in page.sections["mistakes"] + page.sections["suspects"]
    for label in LABELS[1:]:
        assert label in page.sections["confusion"]
    source = (run / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r"https?://|@import|url\(", source.split('<script type="application/json"')[0])
    assert not {"\u2028", "\u2029"} & set(page.scripts[0])


def test_rows_of_the_cells_are_those_of_the_predictions(run: Path) -> None:
    page = read(run)
    data = data_of(page)
    assert data["labels"]["en"] == LABELS
    assert data["labels"]["ko"] == ["행복", *LABELS[1:]]
    with (run / "oof_predictions.csv").open(encoding="utf-8-sig", newline="") as handle:
        table = {row["row"]: row for row in csv.DictReader(handle)}
    seen = []
    for cell, rows in data["rows"]["cells"].items():
        label, prediction = (LABELS[int(index)] for index in cell.split(","))
        assert page.cells[cell] == len(rows)
        for number, _, fold, confidence, of_label, text in rows:
            row = table[number]
            seen.append(number)
            assert (row["label"], row["prediction"], row["fold"]) == (label, prediction, fold)
            assert confidence == pytest.approx(float(row[f"prob_{prediction}"]), abs=1e-4)
            assert of_label == pytest.approx(float(row[f"prob_{label}"]), abs=1e-4)
            assert text == row["text"] or (len(text) == LONGEST_TEXT and row["text"].startswith(text[:-1]))
        order = [row[3] for row in rows]
        assert order == sorted(order, reverse=label != prediction)
    assert sorted(seen, key=int) == [str(number) for number in range(1, ROWS + 1)]


def test_figures_are_those_of_the_report(run: Path) -> None:
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    page = read(run)
    pooled = report["pooled"]
    for name in ("accuracy", "macro_f1", "weighted_f1"):
        low, high = report["intervals"][name]
        assert f"{pooled[name]:.4f}[{low:.4f}, {high:.4f}]" in page.sections["summary"]
    scores, intervals = report["classification_report"]["happy"], report["intervals"]["classes"]["happy"]
    for name in ("precision", "recall", "f1-score"):
        low, high = intervals[name]
        assert low <= scores[name] <= high
        assert f"{scores[name]:.4f} [{low:.4f}, {high:.4f}]" in page.sections["classes"]
    assert f"ECE {report['calibration']['ece_before']:.4f}" in page.sections["calibration"]
    for found in report["calibration"]["reliability"]["before"]:
        assert f"{found['low']:.2f}–{found['high']:.2f}" in page.sections["calibration"]
    counts = report["confusion_matrix"]["counts"]
    assert page.cells == {f"{i},{j}": n for i, row in enumerate(counts) for j, n in enumerate(row) if n}


def test_mistakes_are_the_most_confident_ones(run: Path) -> None:
    with (run / "oof_predictions.csv").open(encoding="utf-8-sig", newline="") as handle:
        wrong = [row for row in csv.DictReader(handle) if row["label"] != row["prediction"]]
    wrong.sort(key=lambda row: -float(row["score"]))
    shown = re.findall(r"(\d+)행 · (\d)겹", read(run).sections["mistakes"])
    assert shown == [(row["row"], row["fold"]) for row in wrong[:20]]


def test_no_texts_leaves_none_in_it(run: Path) -> None:
    page = read(run, texts=False)
    source = (run / "report.html").read_text(encoding="utf-8")
    assert HIDDEN not in source
    assert "--no-texts" in source
    assert sum(len(rows) for rows in data_of(page)["rows"]["cells"].values()) == ROWS
    assert HIDDEN in read(run).sections["audit"] + read(run).sections["mistakes"]


def test_nothing_of_the_machine_is_in_it(run: Path) -> None:
    read(run)
    source = (run / "report.html").read_text(encoding="utf-8")
    assert "/home/somebody" not in source
    assert str(run.parent) not in source


def test_what_does_not_fit_is_said(run: Path) -> None:
    content = gather_run(run)
    whole = to_page(content)
    size = len(whole.html.encode())
    assert (whole.rows, whole.rows_shown) == (ROWS, ROWS)
    small = to_page(content, largest=size - 10_000)
    assert len(small.html.encode()) <= size - 10_000
    assert 0 < small.rows_shown < ROWS
    [about, _] = small.left_out  # the long text is the other
    assert f"{small.rows_shown} of {ROWS} rows" in about.english
    assert about.korean in small.html
    cells = data_of(Reader(small.html))["rows"]["cells"]
    counts = content.figures["confusion_matrix"]["counts"]
    wrong = {cell: rows for cell, rows in cells.items() if len(set(cell.split(","))) == 2}
    assert sum(map(len, wrong.values())) == sum(map(sum, counts)) - sum(counts[i][i] for i in range(4))
    right = [len(rows) for cell, rows in cells.items() if cell not in wrong]
    assert max(right) - min(right) <= 1


MISSING = {
    "report.json": ["summary", "folds", "confusion", "classes", "calibration"],
    "oof_predictions.csv": ["mistakes", "suspects"],
    "audit.json": ["audit"],
    "README.md": ["card"],
    "run.json": ["arguments", "mistakes"],
}


@pytest.mark.parametrize("name", MISSING)
@pytest.mark.parametrize("damage", ["gone", "damaged", "of another version"])
def test_what_is_missing_is_said_in_its_place(run: Path, name: str, damage: str) -> None:
    path = run / name
    path.unlink(missing_ok=True)
    if damage == "of another version":
        path.write_text("{}", encoding="utf-8")
    elif damage == "damaged":
        path.write_bytes(b"\xff\x00{")
    page = read(run)
    if (name, damage) == ("README.md", "of another version"):
        assert "{}" in page.sections["card"]
        return
    said = {section for section, text in page.sections.items() if re.search("없습니다|읽지 못했습니다|손상", text)}
    assert set(MISSING[name]) <= said
    assert said <= {*MISSING[name], "tests", "card", "mistakes", "suspects", "folds", "summary", "confusion"}


def test_an_older_run_has_no_intervals_by_label(run: Path) -> None:
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    del report["intervals"]["classes"], report["calibration"]
    write(run / "report.json", report)
    page = read(run)
    assert "no intervals by label" in page.sections["classes"]
    assert f"{report['classification_report']['happy']['f1-score']:.4f}" in page.sections["classes"]
    assert "cannot be read" in page.sections["calibration"]
    assert "ECE" not in page.sections["summary"]


def test_a_run_that_is_not_finished(run: Path) -> None:
    for name in ("report.json", "oof_predictions.csv"):
        (run / name).unlink()
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    write(run / "run.json", record | {"finished": False})
    shutil.rmtree(run / "fold_3")
    page = read(run)
    assert "not finished: 2 fold(s)" in (run / "report.html").read_text(encoding="utf-8")
    assert "fold_2" in page.sections["curves"]
    assert "after the last fold" in page.sections["summary"]


def test_a_run_with_several_labels_a_text_shows_what_it_has(run: Path) -> None:
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    for scores in (report["pooled"], *report["folds"].values()):
        scores["micro_f1"] = scores.pop("weighted_f1")
    del report["confusion_matrix"], report["calibration"]
    write(run / "report.json", report | {"task": "multi-label"})
    write(run / "run.json", record | {"task": "multi-label"})
    page = read(run)
    assert f"{report['pooled']['micro_f1']:.4f}" in page.sections["summary"]
    assert "micro F1" in page.sections["folds"]
    for name in ("confusion", "calibration", "mistakes", "suspects"):
        assert "several labels" in page.sections[name]


def test_predictions_of_another_report_are_not_shown(run: Path) -> None:
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    report["confusion_matrix"]["counts"][0][0] += 1
    write(run / "report.json", report)
    page = read(run)
    assert "does not fit" in page.sections["mistakes"]
    assert data_of(page)["rows"] is None


def test_results_of_a_test_file(run: Path) -> None:
    interval = {"low": 0.6, "high": 0.8}
    scores = {"rows": 40, "accuracy": 0.71, "macro_f1": 0.7, "loss": 0.5, "ece": 0.06}
    scores["intervals"] = {"accuracy": interval, "macro_f1": interval}  # type: ignore[assignment]
    found = {"checkpoints": [scores | {"path": "/home/x/fold_2"}], "combined": [scores | {"name": "<ensemble>"}]}
    write(run / "test.json", found | {"best": "/home/x/fold_2", "chosen": "검증 (validation)", "seen_rows": 3})
    page = read(run)
    assert "fold_2 ★" in page.sections["tests"]
    assert "<ensemble>" in page.sections["tests"]
    assert "0.7100 [0.6000, 0.8000]" in page.sections["tests"]


@pytest.mark.slow
def test_many_labels_leave_the_least_confused_out(tmp_path: Path) -> None:
    labels = [f"라벨{index}" for index in range(70)]
    truth = np.arange(700) % 70
    logits = logits_for(truth, 70, right=0.5)
    run = write_reported_run(tmp_path / "run", labels, [f"{i}번" for i in range(700)], truth, logits)
    page = read(run)
    assert page.tags.count("th") > 60
    assert "Of 70 labels the matrix has the 60" in (run / "report.html").read_text(encoding="utf-8")
    shown = {int(label) for cell in page.cells for label in cell.split(",")}
    assert len(shown) == 60
    predicted, wrong = logits.argmax(1), logits.argmax(1) != truth
    mistakes = np.bincount(truth[wrong], minlength=70) + np.bincount(predicted[wrong], minlength=70)
    assert min(mistakes[sorted(shown)]) >= max(mistakes[sorted(set(range(70)) - shown)])


def test_so_many_words_are_explained(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def explain(_: object, fold: str, texts: list[str]) -> list[Any]:
        asked.extend(texts)
        return []

    monkeypatch.setattr("kobert_hf_emotion.runs.reporting._Gatherer._explain", explain)
    monkeypatch.setattr("kobert_hf_emotion.runs.reporting.MOST_WORDS", 40)
    page = to_page(gather_run(run))
    assert 0 < len(asked) < 20
    assert 30 < sum(len(text.split()) for text in asked) <= 40
    assert any(f"{len(asked)} of 20 mistakes" in about.english for about in page.left_out)


def test_a_folder_that_is_no_run(tmp_path: Path, run: Path) -> None:
    with pytest.raises(RunError) as caught:
        write_html_report(tmp_path / "nothing")
    assert caught.value.try_this
    with pytest.raises(RunError) as caught:
        write_html_report(tmp_path)
    assert caught.value.mend == {"run": str(run)}
