"""Rows to look at: the most confident mistakes, and labels that are probably wrong."""

from __future__ import annotations

from dataclasses import replace
from html import escape

from ...assets.templates import both, label_name
from ...explanation.page import largest_contribution, legend, words_line
from ...explanation.words import Explanation
from ..content import RunContent
from ..markup import note, table, text_of
from ..rows import cut

_MOST_WORDS = 80


_PROBABILITIES = (both("예측의 확률", "P(prediction)"), both("라벨의 확률", "P(label)"))


def mistakes(content: RunContent) -> str:
    """The most confident mistakes, with what their words contribute."""
    predictions = content.predictions
    if predictions is None:
        raise content.need("predictions")
    if not content.mistakes:
        return note("틀린 행이 없습니다.", "No row was predicted wrongly.")
    names = content.record["labels"]
    parts = []
    for index in content.mistakes:
        label, predicted = names[predictions.truth[index]], names[predictions.predicted[index]]
        head = (
            f"<h3>{label_name(label)} → {label_name(predicted)} <small>{predictions.confidence[index]:.4f}</small></h3>"
        )
        place = f'<p class="place">{_place(content, index)}</p>'
        found = content.explanations.get(index)
        if predictions.texts is None:
            shown = ""
        elif found is None:
            shown = f'<p class="plain">{text_of(cut(predictions.texts[index]))}</p>'
        else:
            shown = _explained(found, predicted, label)
        parts.append(f"<li>{head}{place}{shown}</li>")
    why = content.missing.get("explanations")
    notes = note(escape(why.korean), escape(why.english), "missing") if why is not None else ""
    if content.explanations:
        notes += f'<p class="legend">{legend()}</p>'
    told = note(
        "라벨 → 예측, 그리고 예측한 확률(보정 전, oof_predictions.csv의 값). 설명은 그 행을 학습하지 않은 겹에서 "
        "낱말을 하나씩 빼고 다시 예측한 것입니다.",
        "Label → prediction, with its probability (before calibration, as in oof_predictions.csv). The fold that did "
        "not train on the row is explained, by predicting again without each word.",
    )
    return f'{told}{notes}<ol class="mistakes">{"".join(parts)}</ol>'


def _place(content: RunContent, index: int) -> str:
    predictions = content.predictions
    assert predictions is not None
    row, fold = escape(predictions.rows[index]), escape(predictions.folds[index])
    file = f" · {escape(predictions.files[index])}" if predictions.files else ""
    return both(f"{row}행 · {fold}겹", f"row {row} · fold {fold}") + file


def _explained(found: Explanation, predicted: str, label: str) -> str:
    short = replace(found, words=found.words[:_MOST_WORDS], unread=cut(found.unread))
    more = "" if len(found.words) <= _MOST_WORDS else "…"
    largest = largest_contribution(short)
    return "".join(
        f'<div class="toward"><span class="to">{label_name(to)} {both(*what)}</span>'
        f'<p class="words">{words_line(short, to, largest)}{more}</p></div>'
        for to, what in ((predicted, ("(예측) 쪽으로", "(predicted)")), (label, ("(라벨) 쪽으로", "(label)")))
    )


def suspects(content: RunContent) -> str:
    """Rows whose label is probably wrong, as `review` finds them."""
    found, predictions = content.suspects, content.predictions
    if predictions is None:
        raise content.need("predictions")
    if found is None:
        raise content.need("suspects")
    names = content.record["labels"]
    told = note(
        f"confident learning(cleanlab)이 잘못 붙은 라벨로 본 행 {found.total:,}개 가운데 처음 {len(found.rows):,}개. "
        "고치려면 <code>kobert-emotion review</code>로 표를 만드세요.",
        f"The first {len(found.rows):,} of {found.total:,} rows that confident learning (cleanlab) counts as "
        "mislabelled. To correct them, let <code>kobert-emotion review</code> write a table.",
    )
    if not found.rows:
        return told
    heads = [
        both("행", "row"),
        both("라벨", "label"),
        both("예측", "prediction"),
        *_PROBABILITIES,
        both("여유", "margin"),
    ]
    if predictions.texts is not None:
        heads.insert(1, both("글", "text"))
    rows = []
    for index, margin in zip(found.rows, found.margins, strict=True):
        file = f" <small>{escape(predictions.files[index])}</small>" if predictions.files else ""
        row = [
            f"{escape(predictions.rows[index])}{file}",
            label_name(names[predictions.truth[index]]),
            label_name(names[predictions.predicted[index]]),
            f"{predictions.confidence[index]:.4f}",
            f"{predictions.of_label[index]:.4f}",
            f"{margin:.4f}",
        ]
        if predictions.texts is not None:
            row.insert(1, text_of(cut(predictions.texts[index])))
        rows.append(row)
    kinds = range(len(heads) - 3)
    return told + table(("의심되는 라벨", "Suspected labels"), heads, rows, kinds)
