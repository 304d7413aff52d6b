"""Every command with every kind of labels: what to do for each cell of the table in `docs/*/tasks.md`."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from paths import ROOT
from served import ask

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.cli.models import open_model
from kobert_hf_emotion.errors import KoBERTEmotionError
from kobert_hf_emotion.export.web_runtime import FILES as RUNTIME_FILES
from kobert_hf_emotion.runs import cross_validation, out_of_fold, writing  # noqa: F401 - pictures are drawn once
from kobert_hf_emotion.serving import ServingOptions
from kobert_hf_emotion.tokenization.long_texts import LongTexts

WORKS, NOTHING = "✓", "–"
KINDS = ("multi-label", "votes", "two levels", "label map", "turns", "long texts")
"""The columns of the table."""
NAMES = ("기쁨", "놀람", "슬픔")
WORDS = {"기쁨": "웃음이 나왔다", "놀람": "눈이 커졌다", "슬픔": "눈물이 났다"}
UNDER = {"기쁨": "밝음", "놀람": "밝음", "슬픔": "어두움"}
SMALL = ["--epochs", "1", "--batch-size", "8", "--learning-rate", "1e-3"]
LABELS = ["--labels", ",".join(NAMES)]
LEVELS = ["--label-column", "대분류", "--fine-label-column", "소분류"]
TRAINED_WITH = {
    "multi-label": ["--task", "multi-label", *LABELS],
    "votes": ["--task", "soft", *LABELS],
    "two levels": LEVELS,
    "label map": ["--label-map", "map.csv", *LABELS],
    "turns": ["--context", "2", *LABELS],
    "long texts": LABELS,
}
"""How each kind's file is read by commands that make a model."""
READ_WITH = {
    "two levels": LEVELS,
    "label map": ["--label-map", "map.csv"],
    "long texts": ["--long", "window", "--stride", "4"],
}
"""How it is read by those that have one."""
ROWS = 24


def table_of(kind: str) -> list[list[str]]:
    """The rows of a file, its header first."""
    names = [NAMES[row % 3] for row in range(ROWS)]
    second = [NAMES[(row + row // 3) % 3] for row in range(ROWS)]
    texts = [
        f"{row}번째 일로 {WORDS[one]} 그리고 {WORDS[two]}"
        for row, (one, two) in enumerate(zip(names, second, strict=True))
    ]
    if kind == "multi-label":
        cells = [["|".join(dict.fromkeys(pair))] for pair in zip(names, second, strict=True)]
        return [["text", "labels"], *([text, *cell] for text, cell in zip(texts, cells, strict=True))]
    if kind == "votes":
        rows = zip(texts, names, names, second, strict=True)
        return [["text", "rater_1", "rater_2", "rater_3"], *map(list, rows)]
    if kind == "two levels":
        return [["text", "대분류", "소분류"], *([text, UNDER[n], n] for text, n in zip(texts, names, strict=True))]
    if kind == "label map":
        spelt = ["기뿜" if name == "기쁨" and row % 2 else name for row, name in enumerate(names)]
        return [["text", "label"], *map(list, zip(texts, spelt, strict=True))]
    if kind == "turns":
        ids = [f"Sess{row // 4:02}_script01_M{row % 4:03}" for row in range(ROWS)]
        return [["Segment ID", "text", "label"], *map(list, zip(ids, texts, names, strict=True))]
    longer = [" ".join([text] * 12) for text in texts]
    return [["text", "label"], *map(list, zip(longer, names, strict=True))]


@dataclass
class Place:
    """A folder with what commands are given: for each kind a file and a finished run, and one with adapters."""

    folder: Path
    model: Path
    made: dict[str, int] = field(default_factory=dict)

    def name(self, start: str) -> str:
        """Returns a name that is not there yet."""
        self.made[start] = self.made.get(start, 0) + 1
        return f"{start}_{self.made[start]}"


def run(words: list[str]) -> tuple[int, str]:
    """Returns the exit code of a command and what it says on both streams."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    return code, out.getvalue() + err.getvalue()


@contextlib.contextmanager
def a_place(folder: Path, model: Path) -> Iterator[Place]:
    """Makes a folder with what commands are given the working folder."""
    found = Place(folder, model)
    before = Path.cwd()
    os.chdir(folder)
    for name in RUNTIME_FILES:
        Path("runtime").mkdir(exist_ok=True)
        Path("runtime", name).write_bytes(b"")
    Path("map.csv").write_text("from,to\n기뿜,기쁨\n", encoding="utf-8")
    Path("texts.csv").write_text("text\n" + "\n".join(f"{row}번 눈물이 났다" for row in range(12)), encoding="utf-8")
    Path("space.yaml").write_text("learning-rate: [1e-3, 2e-3]\nepochs: 1\nbatch_size: 8\n", encoding="utf-8")
    for kind in KINDS:
        with Path(f"{slug(kind)}.csv").open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle).writerows(table_of(kind))
    try:
        yield found
    finally:
        os.chdir(before)


def slug(kind: str) -> str:
    return kind.replace(" ", "_")


def trained(place: Place, kind: str, *options: str) -> str:
    """Returns the folder of a finished run of a kind, which the first call with these options trains."""
    output = "_".join(["run", slug(kind), *(word.strip("-") for word in options)])
    if not (place.folder / output).is_dir():
        words = ["train", f"{slug(kind)}.csv", *TRAINED_WITH[kind], "--model", str(place.model), "--folds", "2"]
        code, said = run([*words, *SMALL, *options, "--output", output])
        assert code == 0, said
    return output


def made(place: Place, kind: str, command: str) -> str:
    """Returns the folder that a command made of a run, once."""
    output = f"{command.replace(' ', '_')}_{slug(kind)}"
    if not (place.folder / output).is_dir():
        code, said = run([*shlex.split(command), f"{trained(place, kind)}/best", "--output", output])
        assert code == 0, said
    return output


def serve(model: str, kind: str) -> tuple[int, str]:
    """Asks a model behind HTTP, as the page and programs do."""
    options = ServingOptions(long=LongTexts("window", stride=4) if kind == "long texts" else None)
    content: dict[str, Any] = {"texts": ["눈물이 났다", "웃음이 나왔다"]}
    if kind == "turns":
        content["contexts"] = [["눈이 커졌다"], []]

    async def talk(client: Any) -> Any:
        answers = [await client.post("/predict", json=content), await client.post("/", json={"inputs": "눈물이 났다"})]
        return [(answer.status_code, answer.json()) for answer in answers]

    answers = ask(open_model(model, None, None), talk, options)
    if any(status != 200 for status, _ in answers):
        return 2, str(answers)
    [prediction, _] = answers[0][1]["predictions"]
    expected = {"multi-label": "labels", "two levels": "coarse", "long texts": "parts"}.get(kind, "label")
    assert expected in prediction
    return 0, str(answers)


Cell = Callable[[Place, str], tuple[int, str]]


def _data(name: str, place: Place, kind: str) -> list[str]:
    return [name, f"{slug(kind)}.csv", *TRAINED_WITH[kind], "--model", str(place.model)]


def _doctor(place: Place, kind: str) -> tuple[int, str]:
    code, said = run(_data("doctor", place, kind))
    return (0 if code == 1 else code), said  # 1: it has found a fault of the data


def _train(options: list[str], place: Place, kind: str) -> tuple[int, str]:
    return run([*_data("train", place, kind), "--folds", "2", *SMALL, *options, "--output", place.name("train")])


def _base(place: Place, kind: str) -> tuple[int, str]:
    trained(place, kind)
    return 0, ""


def _lora(place: Place, kind: str) -> tuple[int, str]:
    return run(["merge", f"{trained(place, kind, '--lora', '2')}/best", "--output", place.name("merged")])


def _search(place: Place, kind: str) -> tuple[int, str]:
    words = [*_data("search", place, kind), "--trials", "2", "--folds", "2", "--held-out", "0.3"]
    return run([*words, "--space", "space.yaml", "--no-group-duplicates", "--output", place.name("search")])


def _distill(place: Place, kind: str) -> tuple[int, str]:
    own = [word for word in READ_WITH.get(kind, []) if kind != "long texts"]
    words = ["distill", trained(place, kind), "texts.csv", "--labelled", f"{slug(kind)}.csv", *own]
    return run([*words, "--student", str(place.model), *SMALL, "--output", place.name("student")])


def _continue(place: Place, kind: str) -> tuple[int, str]:
    own = [word for word in READ_WITH.get(kind, []) if kind != "long texts"]
    words = ["continue", f"{trained(place, kind)}/best", f"{slug(kind)}.csv", *own, *SMALL]
    return run([*words, "--output", place.name("continued")])


def _on_file(command: str, model: Callable[[Place, str], str], place: Place, kind: str) -> tuple[int, str]:
    [name, *options] = shlex.split(command)
    output = ["--output", place.name("predictions")] if "ray" in options else []
    return run([name, model(place, kind), f"{slug(kind)}.csv", *READ_WITH.get(kind, []), *options, *output])


def _on_text(place: Place, kind: str) -> tuple[int, str]:
    own = READ_WITH[kind] if kind == "long texts" else []
    return run(["predict", f"{trained(place, kind)}/best", "눈물이 났다", "웃음이 나왔다", *own])


def _on_run(command: str, place: Place, kind: str) -> tuple[int, str]:
    output = (
        []
        if command == "compare"
        else ["--output", place.name("made") + {"review": ".xlsx", "report": ".html"}.get(command, "")]
    )
    more = [trained(place, kind)] if command == "compare" else []
    return run([*shlex.split(command), trained(place, kind), *more, *output])


def _on_model(command: str, place: Place, kind: str) -> tuple[int, str]:
    [name, *options] = shlex.split(command)
    if name == "explain":
        return run([name, f"{trained(place, kind)}/best", "눈물이 났다", *options])
    return run([name, f"{trained(place, kind)}/best", *options, "--output", place.name("exported")])


def _best(place: Place, kind: str) -> str:
    return f"{trained(place, kind)}/best"


CELLS: dict[str, Cell] = {
    "doctor": _doctor,
    "train": _base,
    "train --engine ray": partial(_train, ["--engine", "ray"]),
    "train --legacy-export": partial(_train, ["--legacy-export"]),
    "train --lora": _lora,
    "search": _search,
    "distill": _distill,
    "continue": _continue,
    "test": partial(_on_file, "test", trained),
    "predict": _on_text,
    "predict FILE": partial(_on_file, "predict", _best),
    "predict --engine ray": partial(_on_file, "predict --engine ray", _best),
    "compare": partial(_on_run, "compare"),
    "ensemble": partial(_on_run, "ensemble"),
    "ensemble --method weights": partial(_on_run, "ensemble --method weights"),
    "review": partial(_on_run, "review"),
    "report": partial(_on_run, "report"),
    "explain": partial(_on_model, "explain"),
    "explain --method integrated_gradients": partial(_on_model, "explain --method integrated_gradients"),
    "export": partial(_on_model, "export"),
    "export --int8": partial(_on_model, "export --int8"),
    "export --format web": partial(_on_model, "export --format web --runtime runtime --float32"),
    "predict EXPORTED": partial(_on_file, "predict", partial(made, command="export")),
    "serve": lambda place, kind: serve(_best(place, kind), kind),
    "serve EXPORTED": lambda place, kind: serve(made(place, kind, "export"), kind),
}
"""What is done for a cell, by the words of the table's first column: (exit code, what was said)."""


def answer(place: Place, row: str, kind: str) -> tuple[int, str]:
    try:
        return CELLS[row](place, kind)
    except KoBERTEmotionError as error:
        return 2, str(error)


def cells_of(language: str) -> dict[tuple[str, str], str]:
    """Returns what the page says of each command and kind: `WORKS`, `NOTHING`, or the number of a reason."""
    text = (ROOT / "docs" / language / "tasks.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    found = {}
    for line in lines:
        name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert len(cells) == len(KINDS), line
        found |= {(name.strip("`"), kind): cell for kind, cell in zip(KINDS, cells, strict=True)}
    return found


def is_ray(row: str) -> bool:
    """Whether a row needs a cluster."""
    return "ray" in row


def differences(place: Place, kind: str, rows: list[str]) -> list[str]:
    """Returns what happens in the cells of a kind otherwise than the page says."""
    said, found = cells_of("ko"), []
    for row in rows:
        cell = said[row, kind]
        if cell == NOTHING:
            continue
        code, told = answer(place, row, kind)
        if (code == 0) != (cell == WORKS) or code not in (0, 2):
            found.append(f"{row}: {cell}, exit code {code}\n{told}")
        elif code and (problem := way_out(told)) is not None:
            found.append(f"{row}: {problem}\n{told}")
    return found


def way_out(told: str) -> str | None:
    """Runs the line that an error ends in; returns what is wrong with it, None where nothing is."""
    last = told.strip().splitlines()[-1].strip()
    if not re.match(r"\$ kobert-emotion ", last):
        return "the error ends in no line that can be run"
    code, said = run(shlex.split(last)[2:])
    return None if code == 0 else f"{last} does not run: {said}"
