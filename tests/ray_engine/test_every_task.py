"""Every kind of labels on Ray: what `docs/*/tasks.md` says of it, and the rows and figures of the local engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from task_cells import CELLS, KINDS, READ_WITH, Place, a_place, differences, is_ray, slug, trained

from kobert_hf_emotion.cli import main


@pytest.fixture(scope="module")
def place(cluster: Any, tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path) -> Iterator[Place]:
    with a_place(tmp_path_factory.mktemp("tasks"), tiny_model_folder) as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_cells_do_what_the_page_says(kind: str, place: Place) -> None:
    assert not differences(place, kind, [row for row in CELLS if is_ray(row)])


@pytest.mark.slow
@pytest.mark.parametrize("part_format", ["parquet", "csv"])
@pytest.mark.parametrize("kind", ["multi-label", "votes", "two levels", "label map"])
def test_parts_are_what_the_local_engine_writes(
    kind: str, part_format: str, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["predict", f"{trained(place, kind)}/best", f"{slug(kind)}.csv", *READ_WITH.get(kind, []), "--json"]
    capsys.readouterr()
    assert main([*words, "--output", "local.csv"]) == 0
    local = json.loads(capsys.readouterr().out)
    output = place.name("parts")
    assert main([*words, "--engine", "ray", "--part-format", part_format, "--output", output]) == 0
    there = json.loads(capsys.readouterr().out)
    assert there["predicted"] == local["predicted"]
    for name, value in local["scores"].items():
        assert there["scores"][name] == pytest.approx(value, abs=1e-5, nan_ok=True), name
    assert there["report"].keys() == local["report"].keys()
    if kind == "two levels":
        assert there["coarse"]["predicted"] == local["coarse"]["predicted"]
        assert there["coarse"]["scores"]["macro_f1"] == pytest.approx(local["coarse"]["scores"]["macro_f1"])
    expected = pd.read_csv("local.csv", encoding="utf-8-sig", keep_default_na=False)
    [path] = Path(output, "parts").rglob(f"*.{part_format}")
    read = pd.read_parquet if part_format == "parquet" else pd.read_csv
    found = read(path)
    assert set(expected) <= set(found)
    for name in expected:
        if expected[name].dtype.kind == "f":
            assert np.abs(found[name].to_numpy(float) - expected[name].to_numpy(float)).max() < 2e-6, name
        elif name != "score":  # of several labels that is text with six decimals
            assert found[name].tolist() == expected[name].tolist(), name
    assert main([*words, "--engine", "ray", "--part-format", part_format, "--output", output, "--resume"]) == 0
    assert json.loads(capsys.readouterr().out)["predicted"] == local["predicted"]
