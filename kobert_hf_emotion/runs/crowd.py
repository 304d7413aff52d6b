"""Labels of a run on votes looked at again with its annotators: CROWDLAB."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.column_names import ANNOTATIONS_COLUMN
from ..data.distributions import has_most
from ..data.label_parsing import LabelParser, is_empty_label
from ..errors import RunError
from ..utils.progress import progress
from ..wording import Wording
from .disputed import NEW_LABEL, TOP, needs_cleanlab, row_places
from .finished import FinishedRun

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class CrowdReview:
    """What CROWDLAB says of the labels of a run's rows, and of who gave them.

    Attributes:
        table: Rows to review, the most doubtful first; see `crowd_review`.
        annotators: A line for each annotator, the least reliable first: `annotator`, `quality` (0 to 1), `rows`,
            `agreement` (share of rows on which the annotator has the consensus), `worst_label`.
        suspects: Rows of the run whose consensus is none of the labels with most votes.
        left_out: Cells of annotators that name several labels, or none that is known.
    """

    table: pd.DataFrame
    annotators: pd.DataFrame
    suspects: int
    left_out: int


def crowd_review(run: FinishedRun, top: int = TOP) -> CrowdReview:
    """Reviews the labels of rows that several annotators named, with the out-of-fold predictions of the run.

    cleanlab's `get_label_quality_multiannotator` (CROWDLAB; Goh, Tkachenko and Mueller, 2022): the consensus of each
    row is what annotators and model together make most likely, each weighed by how reliable it proves.

    The columns of the table: those that tell the place of the row, `text`, `label` (with most votes), `predicted`,
    `consensus`, `consensus_quality` (0 to 1, low where it is doubtful), `agreement` (share of the annotators who named
    the consensus), `suspect` (yes where the consensus is none of the labels with most votes) and `new_label`, which is
    empty. First come the suspects, and in each part the least certain.

    Args:
        run: A finished run on votes whose file has a column for each annotator.
        top: The most rows to return.

    Raises:
        RunError: The run knows votes alone and not whose they are, or no row has two of them.
        KoBERTEmotionError: cleanlab is not installed.
    """
    import pandas as pd

    if ANNOTATIONS_COLUMN not in run.table:
        raise RunError(
            f"{run.path}: 표의 수(또는 몫)만 있고 누구의 표인지는 없습니다. CROWDLAB은 평가자마다 한 열이 있어야 "
            "합니다. 그런 파일로 학습한 실행을 검토하세요. 이 실행에서 모델이 다수와 가장 다르게 본 행은 보고서에 "
            "있습니다.",
            f"{run.path} has votes, and not whose they are: CROWDLAB needs a column for each annotator. Review a run "
            "on such a file. The rows of this one on which the model differs most from the majority are in its report.",
            f"kobert-emotion report {run.path}",
        )
    quality_of = _cleanlab()
    labels, left_out = _labels(run)
    known = labels.notna().any(axis=1).to_numpy()
    labels = labels.loc[known, labels[known].notna().any(axis=0)]
    if not (labels.notna().sum(axis=1) > 1).any():
        raise RunError(
            f"{run.path}: 두 평가자 이상이 레이블을 붙인 행이 없어 평가자를 견줄 수 없습니다.",
            f"{run.path}: no row has labels of two annotators, so that there is nothing to compare them by.",
        )
    with progress(Wording("평가자와 모델을 함께 보기", "weighing annotators and model")):
        found = quality_of(labels.reset_index(drop=True), run.probabilities[known], verbose=False)
    rows: pd.DataFrame = found["label_quality"]
    stats: pd.DataFrame = found["annotator_stats"]
    names = np.asarray(run.labels, dtype=object)
    consensus = rows["consensus_label"].to_numpy().astype(np.int64)
    suspect = ~has_most(run.shares[known])[np.arange(len(consensus)), consensus]
    table = row_places(run)[known].reset_index(drop=True)
    table["row"] = table["row"].astype(int)
    table["label"] = run.table["label"].to_numpy()[known]
    table["predicted"] = run.table["prediction"].to_numpy()[known]
    table["consensus"] = names[consensus]
    table["consensus_quality"] = rows["consensus_quality_score"].to_numpy().round(4)
    table["agreement"] = rows["annotator_agreement"].to_numpy().round(4)
    table["suspect"] = np.where(suspect, "yes", "")
    table[NEW_LABEL] = ""
    order = np.lexsort((table["consensus_quality"].to_numpy(), ~suspect))
    annotators = pd.DataFrame(
        {
            "annotator": list(map(str, stats.index)),
            "quality": stats["annotator_quality"].to_numpy().round(4),
            "rows": stats["num_examples_labeled"].to_numpy(),
            "agreement": stats["agreement_with_consensus"].to_numpy().round(4),
            "worst_label": names[stats["worst_class"].to_numpy().astype(np.int64)],
        }
    )
    return CrowdReview(table.iloc[order[:top]].reset_index(drop=True), annotators, int(suspect.sum()), left_out)


def _labels(run: FinishedRun) -> tuple[pd.DataFrame, int]:
    """Returns the ids that annotators gave, a column each, NaN where they gave none; and the cells left out."""
    import pandas as pd

    parser = LabelParser(run.labels)
    given: list[dict[str, str]] = [json.loads(cell) if cell else {} for cell in run.table[ANNOTATIONS_COLUMN]]
    annotators = list(dict.fromkeys(name for row in given for name in row))
    values: NDArray[np.float64] = np.full((len(given), len(annotators)), np.nan)
    left_out = 0
    for index, row in enumerate(given):
        for column, name in enumerate(annotators):
            cell = row.get(name, "")
            if is_empty_label(cell):
                continue
            label = parser.parse(cell).id
            left_out += label is None
            values[index, column] = np.nan if label is None else label
    return pd.DataFrame(values, columns=annotators), left_out


def _cleanlab() -> Any:
    try:
        from cleanlab.multiannotator import get_label_quality_multiannotator
    except ImportError as error:
        raise needs_cleanlab() from error
    return get_label_quality_multiannotator
