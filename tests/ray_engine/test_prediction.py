"""Files on a real Ray against the local engine, and what is left of them when processes, machines and disks fail."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from paths import ROOT
from preloaded import Preloaded, start
from ray_worker import NODE
from sentences import sentences

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.errors import DataError, RunError
from kobert_hf_emotion.ray_engine import predict_on_ray
from kobert_hf_emotion.ray_engine.cluster import connected
from kobert_hf_emotion.ray_engine.inputs import find_files, stamp_of
from kobert_hf_emotion.ray_engine.journal import JOURNAL_FILE, MANIFEST_FILE, Journal
from kobert_hf_emotion.ray_engine.predicting import TRIES_OF_A_PART, _count_try

PAIRS = sentences(40)
MESSY = [
    ("", "happy"),
    (" .", "sad"),
    *PAIRS[:20],
    ('줄\n바꿈, 쉼표 "따옴표"', "fear"),
    ("라벨 없음", ""),
    *PAIRS[20:30],
]
PART_ROWS = 32
Step = Callable[[dict[str, Any]], None]


def table(pairs: list[tuple[str, str]]) -> pd.DataFrame:
    return pd.DataFrame({"text": [text for text, _ in pairs], "label": [label for _, label in pairs]})


def write_inputs(folder: Path) -> Path:
    """Files of every kind, in two encodings, compressed and not, with rows that are left out."""
    folder.mkdir(parents=True)
    table(PAIRS).to_csv(folder / "a.csv", index=False)
    (folder / "cp949.csv").write_bytes(table(PAIRS[:70]).to_csv(index=False).encode("cp949", "ignore"))
    (folder / "messy.tsv").write_text(table(MESSY).to_csv(index=False, sep="\t"), encoding="utf-8")
    lines = table(PAIRS[5:90]).to_json(orient="records", lines=True, force_ascii=False)
    (folder / "sub").mkdir()
    (folder / "sub" / "b.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    table(PAIRS[10:]).rename(columns={"text": "문장"})[["문장"]].to_parquet(folder / "sub" / "c.parquet")
    return folder


def many_rows(path: Path, rows: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [f"{PAIRS[row % len(PAIRS)][0]} {row}" for row in range(rows)]
    pd.DataFrame({"text": texts}).to_csv(path, index=False)
    return path


def local(model: Path, file: Path, output: Path, *options: str) -> pd.DataFrame:
    """What the local engine writes for a file."""
    assert main(["predict", str(model), str(file), "--output", str(output), *options]) == 0
    return pd.read_csv(output, encoding="utf-8-sig", keep_default_na=False)


def parts_of(folder: Path, file: Path | str) -> pd.DataFrame:
    """The rows of a file in the order of its parts."""
    manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    [about] = [found for found in manifest["files"] if found["file"] == str(file)]
    frames = []
    for part in about["parts"]:
        path = folder / part["name"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == part["sha256"]
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, keep_default_na=False)
        assert len(frame) == part["rows"]
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def assert_same(ours: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Same rows and labels, scores to 1e-5."""
    assert ours["row"].tolist() == expected["row"].tolist()
    for name in ("text", "prediction"):
        assert ours[name].tolist() == expected[name].tolist(), name
    figures = [name for name in expected if name == "score" or name.startswith("prob_")]
    assert np.abs(ours[figures].to_numpy(float) - expected[figures].to_numpy(float)).max() < 1e-5
    assert "label" in ours or "label" not in expected
    if "label" in expected:
        assert ours["label"].fillna("").tolist() == expected["label"].tolist()


def on_ray(model: Path, inputs: Path, output: Path, step: Step | None = None, **settings: Any) -> Any:
    return predict_on_ray(
        model, [str(inputs)], output, part_rows=PART_ROWS, on_progress=step, **({"actors": 2} | settings)
    )


@pytest.fixture(scope="session")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 rows, which are 63 parts."""
    return many_rows(tmp_path_factory.mktemp("ray") / "long.csv", 2000)


def test_rows_and_figures_of_the_local_engine(
    cluster: Any, tmp_path: Path, tiny_model_folder: Path, capsys: Any
) -> None:
    """Bad files among the good ones are named at the end; mended, `--resume` does them alone."""
    folder = write_inputs(tmp_path / "data")
    good = sorted(path for path in folder.rglob("*") if path.is_file())
    bad = [folder / "broken.csv", folder / "broken.parquet"]
    bad[0].write_text("text,label\n하나,happy\n둘,둘,둘\n", encoding="utf-8")
    bad[1].write_bytes(b"PAR1 nothing")
    command = ["predict", str(tiny_model_folder), str(folder), "--engine", "ray", "--output", str(tmp_path / "out")]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert main(["predict", str(tiny_model_folder), str(bad[0])]) == 2  # the same words
    assert capsys.readouterr().err.split("(error): ")[1].splitlines()[0] in said
    assert str(bad[1]) in said
    manifest = json.loads((tmp_path / "out" / MANIFEST_FILE).read_text(encoding="utf-8"))
    assert not manifest["complete"]
    assert manifest["bad_files"] == list(map(str, bad))
    read = predicted = 0
    counts: Counter[str] = Counter()
    for file in good:
        expected = local(tiny_model_folder, file, tmp_path / "local.csv")
        ours = parts_of(tmp_path / "out", file)
        assert_same(ours, expected)
        assert set(ours["file"]) == {str(file)}
        predicted += len(expected)
        counts.update(expected["prediction"])
        [about] = [found for found in manifest["files"] if found["file"] == str(file)]
        read += about["rows_in"]
    assert (manifest["rows_in"], manifest["rows_out"]) == (read, predicted)
    assert read - predicted == sum(manifest["dropped"].values()) == 2
    assert {name: rows for name, rows in manifest["predicted"].items() if rows} == dict(counts)
    assert manifest["scores"]["rows"] == 280 + 70 + 31 + 85

    bad[0].write_text("text,label\n하나,happy\n", encoding="utf-8")
    table(PAIRS[:3]).to_parquet(bad[1])
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "parts").rglob("*.parquet")}
    capsys.readouterr()
    assert main(command) == 2
    assert capsys.readouterr().err.strip().endswith("--resume")
    assert main([*command, "--resume"]) == 0
    manifest = json.loads((tmp_path / "out" / MANIFEST_FILE).read_text(encoding="utf-8"))
    assert manifest["complete"]
    assert manifest["rows_out"] == predicted + 1 + 3
    assert all(path.stat().st_mtime_ns == changed for path, changed in before.items())
    assert not (tmp_path / "out" / JOURNAL_FILE).exists()
    assert main([*command, "--resume"]) == 0  # nothing to do, and the same figures
    assert main(command) == 2


@pytest.mark.slow
def test_actors_are_killed_and_a_node_is_removed(
    cluster: Any, tmp_path: Path, tiny_model_folder: Path, long_file: Path
) -> None:
    node = cluster.add_node(**NODE)
    cluster.wait_for_nodes()
    killed: list[int] = []
    removed: list[str] = []
    seen: set[int] = set()

    def step(record: dict[str, Any]) -> None:
        if record["kind"] != "part":
            return
        seen.add(record["process"])
        if record["node"] == node.node_id and not removed:
            removed.append(record["node"])
            cluster.remove_node(node, allow_graceful=False)
        elif record["node"] != node.node_id and len(killed) < 2 and record["process"] not in killed:
            killed.append(record["process"])
            os.kill(record["process"], signal.SIGKILL)

    done = on_ray(tiny_model_folder, long_file, tmp_path / "out", step, actors=3)
    assert removed
    assert len(killed) == 2
    assert len(seen) > 3  # others took over
    assert done.manifest["rows_out"] == 2000
    assert_same(parts_of(tmp_path / "out", long_file), local(tiny_model_folder, long_file, tmp_path / "local.csv"))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount a small disk")
def test_the_disk_is_full(cluster: Any, tmp_path: Path, tiny_model_folder: Path, long_file: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a disk cannot be mounted here")
    try:
        with pytest.raises(RunError, match="the disk is full") as error:
            on_ray(tiny_model_folder, long_file, disk / "out")
        assert error.value.mend == {"resume": True}
        whole = len(list((disk / "out" / "parts").rglob("*.parquet")))
        assert 0 < whole < 63
        subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
        done = on_ray(tiny_model_folder, long_file, disk / "out", resume=True)
        assert done.manifest["rows_out"] == 2000
        assert_same(parts_of(disk / "out", long_file), local(tiny_model_folder, long_file, tmp_path / "local.csv"))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


@pytest.mark.slow
def test_the_driver_is_killed_and_started_again(
    cluster: Any, tmp_path: Path, tiny_model_folder: Path, long_file: Path, preloaded: Preloaded
) -> None:
    """A process with a Ray of its own, whose workers start from nothing, shot; then the same command here."""
    output, script = tmp_path / "out", tmp_path / "driver.py"
    script.write_text(
        "from kobert_hf_emotion.ray_engine import predict_on_ray\n"
        f"predict_on_ray({str(tiny_model_folder)!r}, [{str(long_file)!r}], {str(output)!r}, part_rows={PART_ROWS}, "
        "part_format='csv', actors=1)",
        encoding="utf-8",
    )
    journal = output / JOURNAL_FILE
    with (
        open(os.devnull, "r+") as nowhere,
        start(preloaded.address, [str(script)], ROOT, streams=[nowhere.fileno()] * 3) as connection,
        connection.makefile() as told,
    ):
        driver, deadline = int(told.readline()), time.monotonic() + 120
        while time.monotonic() < deadline and not select.select([connection], [], [], 0.005)[0]:
            if journal.exists() and journal.read_bytes().count(b"\n") > 3:
                break
        os.kill(driver, signal.SIGKILL)
        assert int(told.readline()) == -signal.SIGKILL
    lines = (output / JOURNAL_FILE).read_bytes().split(b"\n")
    journal.write_bytes(b"\n".join(lines[:-1]) + b'\n{"kind": "pa')  # as a line that was being written
    before = [json.loads(line) for line in lines[1:-1]]
    written = {part["part"] for part in before if part["kind"] == "part"}
    assert 0 < len(written) < 63
    again: list[int] = []

    def note(record: dict[str, Any]) -> None:
        again.append(record.get("part", 0))

    done = on_ray(tiny_model_folder, long_file, output, note, resume=True, part_format="csv", actors=1)
    assert sorted([*filter(None, again), *written]) == list(range(1, 64))
    assert done.manifest["rows_out"] == 2000
    assert_same(parts_of(output, long_file), local(tiny_model_folder, long_file, tmp_path / "local.csv"))


@pytest.mark.slow
def test_what_cannot_be_gone_on_with(cluster: Any, tmp_path: Path, tiny_model_folder: Path) -> None:
    """A job that a bad file has ended, as `strict` says, is unfinished."""
    folder = tmp_path / "data"
    file = many_rows(folder / "rows.csv", 500)
    (folder / "tiny.csv").write_text("text,label\n하나,happy\n둘,둘,둘\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"tiny\.csv, row 3") as error:
        on_ray(tiny_model_folder, folder, tmp_path / "out", strict=True)
    assert error.value.mend == {"strict": False, "resume": True}
    assert not (tmp_path / "out" / MANIFEST_FILE).exists()
    with pytest.raises(RunError, match="unfinished job"):
        on_ray(tiny_model_folder, folder, tmp_path / "out")
    with pytest.raises(RunError, match="batch_size: 64 → 8"):
        on_ray(tiny_model_folder, folder, tmp_path / "out", resume=True, batch_size=8)
    with pytest.raises(RunError, match=r"was started with 2 files, and these are 1"):
        on_ray(tiny_model_folder, file, tmp_path / "out", resume=True)
    (tmp_path / "out" / JOURNAL_FILE).write_text("nothing", encoding="utf-8")
    with pytest.raises(RunError, match="record of the job is damaged"):
        on_ray(tiny_model_folder, folder, tmp_path / "out", resume=True)


def test_a_file_that_changed_since(tmp_path: Path) -> None:
    file = many_rows(tmp_path / "rows.csv", 3)
    (tmp_path / "out").mkdir()
    journal = Journal(tmp_path / "out", find_files([str(file)]))
    journal.begin({}, resume=False)
    part = {"kind": "part", "file": 1, "part": 1, "name": None, "stamp": list(stamp_of(file))}
    journal.add(part)
    Journal(tmp_path / "out", find_files([str(file)])).begin({}, resume=True)
    many_rows(file, 4)
    with pytest.raises(RunError, match="changed after parts"):
        Journal(tmp_path / "out", find_files([str(file)])).begin({}, resume=True)


def test_a_part_that_kills_its_process(tmp_path: Path) -> None:
    """It is counted on the disk; after five times the job ends, and the next one tries again."""
    job = SimpleNamespace(output=tmp_path, part_format="parquet")
    record = {"file": 1, "part": 2}
    for _ in range(TRIES_OF_A_PART):
        _count_try(job, record)  # type: ignore[arg-type]
    with pytest.raises(RunError, match="died 5 times"):
        _count_try(job, record)  # type: ignore[arg-type]
    _count_try(job, record)  # type: ignore[arg-type]


def test_no_cluster_at_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray")

    def refuse(**settings: Any) -> None:
        raise ConnectionError("Could not find any running Ray instance")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(RunError, match="no Ray cluster at auto") as error, connected("auto"):
        pass
    assert error.value.mend == {"ray_address": None}


def test_without_ray(tmp_path: Path, long_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["predict", "default", str(long_file), "--engine", "ray", "--output", str(tmp_path / "out")]) == 2
    assert "pip install 'kobert-hf-emotion[ray]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("default 문장 --engine ray --output out", "predict default '문장' --output out"),
        ("default rows.csv --engine ray", "--output predictions"),
        ("default rows.csv --output a.csv --resume", "predict default rows.csv --output a.csv"),
        ("default rws.csv --engine ray --output out", "predict default rows.csv"),
        ("default rows.csv --engine ray --output file.txt", "--output file --engine ray"),
    ],
)
def test_mistakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, words: str, complaint: str) -> None:
    pytest.importorskip("ray")
    monkeypatch.chdir(tmp_path)
    many_rows(tmp_path / "rows.csv", 3)
    (tmp_path / "file.txt").touch()
    assert main(["predict", *words.split()]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("  $ kobert-emotion ")
    assert complaint in last
