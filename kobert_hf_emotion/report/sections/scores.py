"""What all rows, the folds and the labels score, and the curves of the training."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from ...assets.templates import both, label_name
from ..charts import COLORS, Line, line_chart, share_bar
from ..content import SEVERAL, RunContent
from ..markup import between, details, note, table

_TITLES = {
    "accuracy": both("정확도", "accuracy"),
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
    "log_loss": both("로그 손실", "log loss"),
    "vote_share": both("답이 받은 표의 몫", "vote share"),
    "best_vote_share": both("표의 몫의 최고", "best vote share"),
    "jensen_shannon": both("옌센-섀넌 발산", "JS divergence"),
    "entropy": both("표의 엔트로피", "entropy of the votes"),
    "untied_accuracy": both("동률이 아닌 행의 정확도", "accuracy without ties"),
}
"""Of scores; those that are not here go by their own names."""
_AVERAGES = ("accuracy", "micro avg", "macro avg", "weighted avg", "samples avg")


def summary(content: RunContent) -> str:
    """The scores of all rows together."""
    report = content.figures
    pooled, intervals = report["pooled"], report.get("intervals", {})
    tiles = [_tile(_title(name), f"{pooled[name]:.4f}", between(intervals.get(name))) for name in _names(pooled)]
    if (found := report.get("calibration", report.get("label_calibration"))) is not None:
        tiles.append(_tile("ECE", f"{found['ece_before']:.4f} → {found['ece_after']:.4f}", both("보정", "calibration")))
    tiles.append(_tile(both("행", "rows"), f"{pooled['rows']:,}", f"{len(report['folds'])}{both('겹', ' folds')}"))
    best = report["best"]["fold"]
    tiles.append(_tile(both("가장 좋은 겹", "best fold"), escape(best), both("검증 macro F1", "validation macro F1")))
    drawn = intervals.get("drawn")
    return (
        f'<dl class="tiles">{"".join(tiles)}</dl>'
        + _votes(report)
        + note(
            "모든 행을, 그 행을 학습하지 않은 겹이 예측한 점수입니다. "
            + (f"대괄호는 95% 부트스트랩 구간({drawn['number']:,}개 단위를 다시 뽑음)입니다." if drawn else ""),
            "Every row as predicted by the fold that did not train on it. "
            + (f"In brackets: 95% bootstrap intervals, drawn from {drawn['number']:,} units." if drawn else ""),
        )
    )


def _votes(report: Mapping[str, Any]) -> str:
    """What is to be known of figures against votes; nothing of a run on other rows."""
    if (votes := report.get("votes")) is None:
        return ""
    ties, rows = votes["ties"], votes["rows"]
    return note(
        f"표를 배운 실행입니다. 정확도와 F1은 표가 가장 많은 라벨에 대한 것이고, 동률 {ties:,}행(전체 {rows:,}행)은 "
        "그중 어느 라벨이든 맞은 것으로 셌습니다. 로그 손실은 표의 몫과의 교차 엔트로피이고, 표의 엔트로피보다 "
        "작을 수 없습니다.",
        f"A run on votes. Accuracy and F1 are against the labels with most votes; on {ties:,} of {rows:,} rows there "
        "is a tie, where any of them counts as right. The log loss is the cross-entropy with the shares of the votes, "
        "which is never less than their entropy.",
    )


def _tile(name: str, value: str, below: str) -> str:
    return f"<div><dt>{name}</dt><dd><strong>{value}</strong><small>{below}</small></dd></div>"


def _names(pooled: Mapping[str, Any]) -> list[str]:
    """Returns the names of scores, the number of rows left out."""
    return [name for name in pooled if name not in ("rows", "ties")]


def _title(name: str) -> str:
    return _TITLES.get(name, escape(name.replace("_", " ").replace("f1", "F1")))


def folds(content: RunContent) -> str:
    """Scores of each fold."""
    report = content.figures
    best, names = report["best"]["fold"], _names(report["pooled"])
    named = [*((escape(name) + (" ★" if name == best else ""), s) for name, s in report["folds"].items())]
    rows = [
        [name, f"{scores['rows']:,}", *(f"{scores[key]:.4f}" for key in names)]
        for name, scores in [*named, (both("전체", "pooled"), report["pooled"])]
    ]
    heads = [both("겹", "fold"), both("검증 행", "rows"), *map(_title, names)]
    return table(("★ 가장 좋은 겹", "★ the best fold"), heads, rows)


def curves(content: RunContent) -> str:
    """Loss, accuracy and macro F1 of each fold over its epochs."""
    if not content.histories:
        raise content.need("histories")
    charts = "".join(
        f"<figure>{line_chart(_lines(content, train, validation))}<figcaption>{both(*title)}</figcaption></figure>"
        for title, train, validation in (
            (("초점 손실 (가로: 에폭)", "Focal loss over epochs"), "train_loss", "val_loss"),
            (("정확도 (가로: 에폭)", "Accuracy over epochs"), "train_accuracy", "val_accuracy"),
            (("검증 macro F1 (가로: 에폭)", "Validation macro F1 over epochs"), None, "val_macro_f1"),
        )
    )
    keys = "".join(
        f'<li class="c{index % COLORS + 1}"><span class="key"></span>{escape(name)}</li>'
        for index, name in enumerate(content.histories)
    )
    lines = (
        f'<li><span class="key plain"></span>{both("검증", "validation")}</li>'
        f'<li><span class="key plain dashed"></span>{both("학습", "training")}</li>'
    )
    columns = ("epoch", "train_loss", "val_loss", "train_accuracy", "val_accuracy", "val_macro_f1")
    heads = [
        both("겹", "fold"),
        both("에폭", "epoch"),
        both("학습 손실", "training loss"),
        both("검증 손실", "validation loss"),
        both("학습 정확도", "training accuracy"),
        both("검증 정확도", "validation accuracy"),
        both("검증 macro F1", "validation macro F1"),
    ]
    rows = [
        [escape(fold), f"{record['epoch']:g}", *(f"{record[name]:.4f}" for name in columns[1:])]
        for fold, history in content.histories.items()
        for record in history
    ]
    figures = details(("그림의 수치", "Figures of the charts"), table(("에폭마다", "Epoch by epoch"), heads, rows))
    return f'<div class="charts">{charts}</div><ul class="keys">{keys}{lines}</ul>{figures}'


def _lines(content: RunContent, train: str | None, validation: str) -> list[Line]:
    return [
        Line([(record["epoch"], record[key]) for record in history], index, key == train, f"{fold} {key}")
        for index, (fold, history) in enumerate(content.histories.items())
        for key in (train, validation)
        if key is not None
    ]


def classes(content: RunContent) -> str:
    """Precision, recall and F1 of each label, with the intervals of `report.json`."""
    report = content.figures
    missing = (
        ""
        if report.get("intervals", {}).get("classes", {}) or report.get("task") == SEVERAL
        else note(
            "이 실행을 만든 버전은 라벨별 구간을 남기지 않았습니다.",
            "The version that made this run left no intervals by label.",
            "missing",
        )
    )
    coarse = _coarse(report["coarse"]) if "coarse" in report else ""
    return _by_label(report) + missing + coarse


def _by_label(report: Mapping[str, Any]) -> str:
    """Returns the table of the labels of a report."""
    intervals = report.get("intervals", {}).get("classes", {})
    rows = []
    for name, scores in report["classification_report"].items():
        if name in _AVERAGES or not isinstance(scores, Mapping):
            continue
        found = intervals.get(name, {})
        cells = [f"{scores[key]:.4f} {between(found.get(key))}" for key in ("precision", "recall", "f1-score")]
        bar = share_bar(scores["f1-score"], found.get("f1-score"))
        rows.append([label_name(name), *cells, bar, f"{int(scores['support']):,}"])
    heads = [
        both("라벨", "label"),
        both("정밀도", "precision"),
        both("재현율", "recall"),
        "F1",
        both("F1과 구간", "F1 and interval"),
        both("행", "rows"),
    ]
    return table(("대괄호는 95% 부트스트랩 구간", "In brackets: 95% bootstrap intervals"), heads, rows)


def _coarse(report: Mapping[str, Any]) -> str:
    """Returns the scores of the coarse of two levels of labels."""
    pooled, intervals = report["pooled"], report.get("intervals", {})
    tiles = [_tile(_title(name), f"{pooled[name]:.4f}", between(intervals.get(name))) for name in _names(pooled)]
    groups = "".join(
        f"<li><strong>{escape(name)}</strong>: {escape(', '.join(fine))}</li>"
        for name, fine in report["hierarchy"].items()
    )
    about = note(
        "위는 소분류, 아래는 대분류입니다. 대분류의 확률은 소분류 확률의 합이고, 답은 합이 가장 큰 대분류입니다.",
        "Above are the fine labels, below the coarse ones. The probability of a coarse label is the sum of those of "
        "its fine ones, and the answer is the one with the highest sum.",
    )
    return f'{about}<dl class="tiles">{"".join(tiles)}</dl>{_by_label(report)}<ul>{groups}</ul>'
