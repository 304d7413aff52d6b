"""Every command with every kind of labels does what `docs/*/tasks.md` says of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sentences import sentences
from task_cells import CELLS, KINDS, Place, a_place, cells_of, differences, is_ray

from kobert_hf_emotion.export import exporter


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path) -> Iterator[Place]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporter, "sample_texts", lambda: [text for text, _ in sentences(4)])
        with a_place(tmp_path_factory.mktemp("tasks"), tiny_model_folder) as found:
            yield found


def test_the_page_has_every_cell_in_both_languages() -> None:
    assert cells_of("ko") == cells_of("en")
    assert set(cells_of("ko")) == {(row, kind) for row in CELLS for kind in KINDS}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_cells_do_what_the_page_says(kind: str, place: Place) -> None:
    assert not differences(place, kind, [row for row in CELLS if not is_ray(row)])
