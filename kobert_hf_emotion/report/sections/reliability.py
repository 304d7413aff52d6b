"""How far a probability can be taken at its word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...assets.templates import both, label_name
from ..charts import reliability_chart
from ..content import RunContent
from ..markup import details, note, table


def calibration(content: RunContent) -> str:
    """Reliability diagrams before and after scaling by temperature; of several labels a text a table of these."""
    if "label_calibration" in content.figures:
        return _by_label(content.figures)
    found = content.single_figures["calibration"]
    bins = found["reliability"]
    charts = "".join(
        f"<figure>{reliability_chart(bins[when])}<figcaption>{both(*title)}: ECE {ece:.4f}</figcaption></figure>"
        for when, title, ece in (
            ("before", ("보정 전", "Before"), found["ece_before"]),
            ("after", ("보정 후", "After"), found["ece_after"]),
        )
    )
    heads = [
        both("확신", "confidence"),
        *(
            both(f"{korean} {head}", f"{english} {tail}")
            for korean, english in (("전", "before:"), ("후", "after:"))
            for head, tail in (("행", "rows"), ("평균 확신", "mean confidence"), ("정확도", "accuracy"))
        ),
    ]
    rows = [
        [
            f"{before['low']:.2f}–{before['high']:.2f}",
            *(
                cell
                for part in (before, after)
                for cell in (f"{part['rows']:,}", *(_mean(part, key) for key in ("confidence", "accuracy")))
            ),
        ]
        for before, after in zip(bins["before"], bins["after"], strict=True)
    ]
    figures = details(("그림의 수치", "Figures of the charts"), table(("구간마다", "Bin by bin"), heads, rows))
    temperature = found["temperature"]
    losses = f"{found['log_loss_before']:.4f} → {found['log_loss_after']:.4f}"
    told = note(
        f"막대는 정확도, 점선 테두리는 확신과의 차이, 아래는 행 수입니다. 온도 {temperature:.4f}가 모든 겹에 "
        f"저장되어 있고, 로그 손실은 {losses}입니다. 보정 후의 값은 겹마다 나머지 겹에서 맞춘 온도로 쟀습니다.",
        f"Bars are accuracy, the dashed part its distance to confidence, below are the rows. The temperature "
        f"{temperature:.4f} is saved in all folds; log loss {losses}. After: with the temperature of the other folds.",
    )
    return f'{told}<div class="charts two">{charts}</div>{figures}'


def _by_label(report: Mapping[str, Any]) -> str:
    """Returns what the scale of each label is worth."""
    means, labels = report["label_calibration"], report["labels"]
    keys = ("ece", "ece_after", "log_loss_before", "log_loss_after", "slope", "shift")
    rows = [[label_name(name), *(f"{found[key]:.4f}" for key in keys)] for name, found in labels.items()]
    mean = [f"{means[key]:.4f}" for key in ("ece_before", *keys[1:4])]
    heads = [
        both("라벨", "label"),
        both("ECE 전", "ECE before"),
        both("ECE 후", "ECE after"),
        both("로그 손실 전", "log loss before"),
        both("로그 손실 후", "log loss after"),
        both("기울기", "slope"),
        both("절편", "shift"),
    ]
    told = note(
        f"라벨 {len(labels)}개 가운데 {means['labels']}개의 로짓에 기울기를 곱하고 절편을 더합니다. 떼어 둔 행의 로그 "
        "손실이 줄어드는 라벨만 그렇게 하고, 모든 겹에 저장되어 있습니다. 후의 값은 겹마다 나머지 겹에서 맞춘 것으로 "
        "쟀습니다.",
        f"The logits of {means['labels']} of {len(labels)} labels are multiplied by a slope, and a shift is added: of "
        "those whose log loss on held-out rows this lowers. It is saved in all folds. After: with what was fitted on "
        "the other folds.",
    )
    return told + table(("라벨마다", "By label"), heads, [*rows, [both("평균", "mean"), *mean, "–", "–"]])


def _mean(part: Mapping[str, Any], key: str) -> str:
    return f"{part[key]:.4f}" if part["rows"] else "–"
