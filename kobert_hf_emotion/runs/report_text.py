"""`report.txt`: what `report.json` says of a run, as lines to read, in one language or in both."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..metrics.bootstrap import Interval
from ..metrics.classification_report import text_report_of
from ..metrics.multi_label import MultiLabelScores
from ..metrics.scores import Scores
from ..metrics.soft import SoftScores
from ..tasks.multi_label import MultiLabel
from ..wording import Language, titled
from .layout import FOLD_FILE, REPORT_JSON_FILE
from .tables import text_table

_COLUMNS = {"f1": "F1", "precision": "precision", "recall": "recall", "average_precision": "AP", "ece": "ECE"}
_FEWER = "resamples_of_"
_UNITS = {"rows": ("행", "rows"), "groups of rows": ("묶음(같은 글이나 그룹)", "groups of equal texts or groups")}


def report_text(run: Path, language: Language = "both") -> str:
    """Returns the report of a finished run; heads of tables are the field's own terms in every language.

    Args:
        run: The folder of the run, with `report.json`.
        language: What is shown; the file has both.
    """
    report = json.loads((run / REPORT_JSON_FILE).read_text(encoding="utf-8"))
    scores, of_task = _TASKS[report.get("task")]
    folds = [*_folds(report, scores, language), *_chosen_epochs(run, report, language)]
    parts = [folds, of_task(report, language)]
    if "coarse" in report:
        parts.append(_coarse(report["coarse"], language))
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def _folds(report: Mapping[str, Any], scores: type[Scores], language: Language) -> list[str]:
    """Returns the scores of every fold and of all out-of-fold predictions, and which fold is the best."""
    lines = ["fold      rows  " + "  ".join(scores.TITLES.values())]
    for name, found in [*report["folds"].items(), ("pooled", report["pooled"])]:
        figures = "  ".join(f"{found[key]:>{len(title)}.4f}" for key, title in scores.TITLES.items())
        lines.append(f"{name:<8} {found['rows']:>5}  {figures}")
    best = titled("검증 macro F1이 가장 높은 겹", "best on validation macro F1", language)
    return [*lines, "", f"{best}: {report['best']['fold']}"]


def _chosen_epochs(run: Path, report: Mapping[str, Any], language: Language) -> list[str]:
    """Returns a line that says which epoch each fold kept and on how many rows it was chosen, where one was."""
    said = []
    for fold in report["folds"]:
        path = run / fold / FOLD_FILE
        chosen = json.loads(path.read_text(encoding="utf-8")).get("chosen_epoch") if path.is_file() else None
        if chosen is not None:
            said.append(f"{fold} {chosen['epoch']:g}/{len(chosen['macro_f1_by_epoch'])} [{chosen['rows']:,}]")
    korean = "남긴 에폭, 학습에서 뗀 행으로 고름[그 행 수]"
    english = "epoch kept, chosen on rows set aside from training [their number]"
    return [f"{titled(korean, english, language)}: {', '.join(said)}"] if said else []


def _one_label(report: Mapping[str, Any], language: Language) -> list[str]:
    """Returns what there is to say of one label a text."""
    confusion = report["confusion_matrix"]
    counts = np.asarray(confusion["counts"], dtype=np.int64)
    found = report["calibration"]
    temperature = titled("온도", "temperature", language)
    saved = titled("모든 겹에 저장", "saved in all folds", language)
    after = ("뒤의 값은 겹마다 나머지 겹에서 맞춘 온도로 잰 것", "after: with the temperature of the other folds")
    return [
        text_report_of(counts, confusion["labels"]),
        *_intervals(report["intervals"], Scores.TITLES, language),
        "",
        f"{titled('혼동 행렬', 'confusion matrix', language)}: "
        f"{titled('행은 라벨, 열은 예측', 'labels down, predictions across', language)}",
        confusion_text(counts, confusion["labels"]),
        "",
        f"{titled('보정', 'calibration', language)}: {temperature} {found['temperature']:.4f}, {saved}",
        *_before_and_after(found),
        f"  {titled(*after, language)}",
    ]


def _votes(report: Mapping[str, Any], language: Language) -> list[str]:
    """Returns what there is to say of answers against votes, and as of one label a text."""
    scores = SoftScores(**report["pooled"])
    ends = report["intervals"]
    against = {name: title for name, title in SoftScores.TITLES.items() if name not in Scores.TITLES}
    accuracy = (
        "정확도 자리에는 예측이 받은 표의 몫",
        "in place of the accuracy: the share of the votes that the prediction has",
    )
    return [
        *scores.remarks(language),
        *(f"  {title:<13}  {report['pooled'][name]:.4f} [{Interval(*ends[name])}]" for name, title in against.items()),
        "",
        *_one_label(report, language),
        f"  {titled(*accuracy, language)}",
    ]


def _several_labels(report: Mapping[str, Any], language: Language) -> list[str]:
    """Returns what there is to say of several labels a text."""
    labels, found = report["labels"], report["label_calibration"]
    lines = [
        [
            name,
            *(f"{figures[key]:.4f}" for key in (*_COLUMNS, "ece_after")),
            f"{figures['threshold']:.3f}",
            *(str(int(figures[key])) for key in ("rows", "given")),
        ]
        for name, figures in labels.items()
    ]
    thresholds = tuple(figures["threshold"] for figures in labels.values())
    title = titled("보정", "calibration", language)
    calibrated = f"{titled('레이블', 'labels', language)} {found['labels']}/{len(labels)}"
    saved = (
        "레이블마다 기울기와 절편을 모든 겹에 저장",
        "a slope and a shift by label, saved in all folds",
    )
    after = (
        "뒤의 값은 겹마다 나머지 겹에서 맞춘 것으로 잰 것; 표의 ECE after도",
        "after the arrow, and in the column ECE after: each fold by the scales of the other folds",
    )
    calibrated_ones = ("보정한 확률의 것이고 모든 겹의 모델에 저장", "of calibrated probabilities, saved in all folds")
    above = (
        "위의 값은 겹마다 나머지 겹에서 맞춘 임계값으로 잰 것",
        "the figures above: each fold by the thresholds of the other folds",
    )
    return [
        titled("레이블별", "by label", language),
        text_table(["", *_COLUMNS.values(), "ECE after", "threshold", "rows", "given"], lines),
        "",
        *_intervals(report["intervals"], MultiLabelScores.TITLES, language),
        "",
        f"{title}: {calibrated}, {titled(*saved, language)}",
        *_before_and_after(found),
        f"  {titled(*after, language)}",
        MultiLabel(thresholds=thresholds, source=report["thresholds"]["from"]).about(language),
        f"  {titled(*calibrated_ones, language)}; {titled(*above, language)}",
    ]


_TASKS: dict[str | None, tuple[type[Scores], Callable[[Mapping[str, Any], Language], list[str]]]] = {
    None: (Scores, _one_label),
    "soft": (SoftScores, _votes),
    "multi-label": (MultiLabelScores, _several_labels),
}
"""By what `report.json` calls the task; of one label a text it says nothing."""


def _coarse(coarse: Mapping[str, Any], language: Language) -> list[str]:
    """Returns what there is to say of the coarse labels of two levels."""
    rows = [
        [name, str(found["rows"]), *(f"{found[key]:.4f}" for key in Scores.TITLES)]
        for name, found in [*coarse["folds"].items(), ("pooled", coarse["pooled"])]
    ]
    follows = ("소분류의 답과 같은 대분류인 행", "rows whose fine answer stands under the coarse one")
    counts = np.asarray(coarse["confusion_matrix"]["counts"], dtype=np.int64)
    title = titled("대분류", "coarse labels", language)
    return [
        f"{title}: {titled('소분류 확률의 합', 'the sums of the fine probabilities', language)}",
        text_table(["", "rows", *Scores.TITLES.values()], rows),
        *(f"  {name:<11}  {Interval(*coarse['intervals'][name])}" for name in Scores.TITLES),
        f"  ECE          {coarse['ece']:.4f}",
        f"  {titled(*follows, language)} {coarse['follows_fine_answer']:.1%}",
        "",
        confusion_text(counts, coarse["labels"]),
        "",
        *(f"  {name}: {', '.join(fine)}" for name, fine in coarse["hierarchy"].items()),
    ]


def _intervals(intervals: Mapping[str, Any], names: Iterable[str], language: Language) -> list[str]:
    """Returns intervals as lines, below how they were drawn and which had fewer draws."""
    shown = [name for name in intervals if name in set(names)]
    resamples, seed = intervals["resamples"], intervals["seed"]
    unit, number = _UNITS[intervals["drawn"]["unit"]], intervals["drawn"]["number"]
    fewer = {name.removeprefix(_FEWER): count for name, count in intervals.items() if name.startswith(_FEWER)}
    few_korean, few_english = (
        "".join(f", {name}{of}{count:,}{times}" for name, count in fewer.items())
        for of, times in (("은(는) ", "번"), (": ", " resamples"))
    )
    korean = f"{unit[0]} {number:,}개를 {resamples:,}번 다시 뽑은 붓스트랩{few_korean}, 시드 {seed}"
    english = f"bootstrap, {resamples:,} resamples of {number:,} {unit[1]}{few_english}, seed {seed}"
    width = max(12, *map(len, shown))
    return [
        f"{titled('전체의 95% 구간', '95% intervals of the pooled scores', language)}: "
        f"{titled(korean, english, language)}",
        *(f"  {name:<{width}}  {Interval(*intervals[name])}" for name in shown),
    ]


def _before_and_after(calibration: Mapping[str, Any]) -> list[str]:
    return [
        f"  ECE       {calibration['ece_before']:.4f} → {calibration['ece_after']:.4f}",
        f"  log loss  {calibration['log_loss_before']:.4f} → {calibration['log_loss_after']:.4f}",
    ]


def confusion_text(counts: NDArray[np.integer], names: Sequence[str]) -> str:
    """Returns a confusion matrix as lines of text: counts, and each row's share that is right."""
    total = counts.sum(axis=1)
    head = ["", *names, "rows", "right"]
    body = [
        [name, *map(str, row), str(rows), f"{row[index] / rows:.1%}" if rows else "-"]
        for index, (name, row, rows) in enumerate(zip(names, counts.tolist(), total.tolist(), strict=True))
    ]
    return text_table(head, body)
