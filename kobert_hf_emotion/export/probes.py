"""Probes: a few inputs with the logits that an exported graph gave where it was made.

A graph in eight bits can compute something else on another processor, and parity with torch is checked at export
alone. So the folder carries inputs with their answers, and whoever loads it asks the graph for them first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import CheckpointError

if TYPE_CHECKING:
    from .parity import Inputs, Parity

COUNT = 4
FLOAT32_TOLERANCE = 1e-3
"""Ten times what float32 logits may differ from torch's."""


@dataclass(frozen=True)
class Probes:
    """What to ask a graph, and what it answered.

    Attributes:
        input_ids: A row of ids for each probe, run by itself.
        logits: The answers, before the temperature.
        tolerance: How far any logit may be off.
    """

    input_ids: list[list[int]]
    logits: list[list[float]]
    tolerance: float


def record_probes(
    run: Callable[[Inputs], NDArray[np.float32]], rows: Sequence[list[int]], inputs: Sequence[str], parity: Parity
) -> Probes:
    """Asks a graph for the logits of `COUNT` rows, from the shortest to one of middle length: quickly done.

    What rounding does on another processor is a part of what it does to the graph in all: a value that falls on the
    other side of a half in an int8 product moves those after it. So the logits may differ by as much as the graph's
    own from torch's, which is the largest of all texts compared. What moves them less costs no more labels than the
    export was allowed. Sums that saturate as signed weights did on AVX2 move every one of the default model's four
    probes by 0.18 to 0.78 where 0.064 was that limit.

    Args:
        run: Runs the graph.
        rows: Ids of sentences.
        inputs: Names of the graph's inputs.
        parity: What comparing the graph with torch found.
    """
    ordered = sorted(rows, key=len)
    chosen = [ordered[index] for index in np.linspace(0, len(ordered) // 2, COUNT).round().astype(int)]
    logits = [run(_columns(row, inputs))[0].tolist() for row in chosen]
    return Probes(chosen, logits, max(FLOAT32_TOLERANCE, parity.largest_difference))


def check_probes(
    run: Callable[[Inputs], NDArray[np.float32]],
    probes: Probes,
    inputs: Sequence[str],
    labels: Sequence[str],
    folder: Path,
    export_again: str | None = None,
) -> None:
    """Asks a graph for the logits of the probes.

    Args:
        run: Runs the graph.
        probes: Of the folder's record.
        inputs: Names of the graph's inputs.
        labels: Names of the labels, for the error.
        folder: Where the graph lies, for the error.
        export_again: The command that leads out, for the error.

    Raises:
        CheckpointError: A logit is off by more than the tolerance.
    """
    expected = np.array(probes.logits)
    found = np.array([run(_columns(row, inputs))[0] for row in probes.input_ids])
    differences = np.abs(found - expected).max(-1)
    off = np.flatnonzero(~(differences <= probes.tolerance))  # this way round, nan is off as well
    if not off.size:
        return
    worst = int(off[differences[off].argmax()])
    labels_there, labels_here = (labels[int(rows[worst].argmax())] for rows in (expected, found))
    raise CheckpointError(
        f"{folder}: 이 컴퓨터에서는 내보낸 그래프의 결과가 내보낼 때와 다릅니다. 시험 입력 {len(expected)}개 가운데 "
        f"{off.size}개의 로짓이 한도 {probes.tolerance:.2g}보다 많이 다르고, 가장 많이 다른 {worst + 1}번은 "
        f"{differences[worst]:.2g} 다릅니다(라벨: 기대 {labels_there}, 결과 {labels_here}). 프로세서의 int8 연산이 "
        "다를 때 이렇게 됩니다. 이 컴퓨터에서 다시 내보내거나, float32로 내보낸 폴더를 쓰세요.",
        f"{folder}: on this machine the exported graph does not compute what it did where it was exported. Of "
        f"{len(expected)} probes {off.size} have logits that are off by more than {probes.tolerance:.2g}; the worst, "
        f"number {worst + 1}, by {differences[worst]:.2g} (label: expected {labels_there}, found {labels_here}). "
        "A processor whose int8 products differ does this. Export again on this machine, or use a folder exported in "
        "float32.",
        export_again,
    )


def _columns(row: Sequence[int], inputs: Sequence[str]) -> Inputs:
    ids = np.array([row], dtype=np.int64)
    columns = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    return {name: columns[name] for name in inputs}
