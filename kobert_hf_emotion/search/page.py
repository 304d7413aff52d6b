"""The page of a search: one file that opens from the disk, without a network, with its pictures inside."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from ..assets.templates import SHARED_STYLE, asset, both, fill
from ..report.markup import note, number, table
from ..utils.files import atomic_write
from .outcome import END_NAMES, HeldOutScores, SearchResult, end_of
from .plan import SearchPlan
from .plots import HISTORY_FILE, IMPORTANCE_FILE, history_svg, importance_svg, write_svg
from .storage import arguments_of, finished

PAGE_FILE = "report.html"


def write_page(search: SearchPlan, study: optuna.Study, result: SearchResult) -> None:
    """Writes the pictures of a search, and the page with them inside."""
    trials = finished(study)
    by_state: dict[TrialState, list[tuple[int, float]]] = {state: [] for state in END_NAMES}
    for trial in trials:
        if trial.value is not None:
            by_state[trial.state].append((trial.number, trial.value))
    pictures = {
        HISTORY_FILE: history_svg(by_state[TrialState.COMPLETE], by_state[TrialState.PRUNED], result.start_macro_f1)
    }
    if result.importance:
        pictures[IMPORTANCE_FILE] = importance_svg(result.importance)
    for name, svg in pictures.items():
        write_svg(search.folder / name, svg)
    parts = {
        "STYLE": asset(SHARED_STYLE),
        "TITLE": both("인자 탐색", "Search for arguments"),
        "SWITCH": both("English", "한국어"),
        "SECTIONS": "\n".join(
            f"<section>{section}</section>"
            for section in (
                _scores(result),
                _best(result),
                *(f"<figure>{svg[svg.index('<svg') :]}</figure>" for svg in pictures.values()),
                _trials(search, trials),
            )
        ),
    }
    with atomic_write(search.folder / PAGE_FILE, "w") as handle:
        handle.write(fill(asset("search.html"), parts))


def _scores(result: SearchResult) -> str:
    rows = [_score_row(both("가장 좋은 시도", "best trial"), result.best, result.optimism.chosen, result.held_out)]
    if result.held_out_start is not None:
        name = both("처음 인자 (train의 기본값)", "first arguments (train's own)")
        rows.append(_score_row(name, 0, result.start_macro_f1, result.held_out_start))
    heads = [
        both("인자", "arguments"),
        both("시도", "trial"),
        both("고른 행의 macro F1", "macro F1, rows that chose"),
        both("떼어 둔 행의 macro F1", "macro F1, rows held out"),
        both("95% 구간", "95% interval"),
    ]
    gain = ""
    if result.gain is not None and result.gain_interval is not None:
        shown = f"{result.gain:+.4f} [{result.gain_interval.low:+.4f}, {result.gain_interval.high:+.4f}]"
        gain = note(f"떼어 둔 행에서의 차이: {shown}", f"Difference on the rows held out: {shown}")
    o = result.optimism
    return (
        f"<h2>{both('점수', 'Scores')}</h2>"
        + table(
            (
                f"고른 행 {result.choosing_rows:,}개, 떼어 둔 행 {result.held_out_rows:,}개",
                f"{result.choosing_rows:,} rows that chose, {result.held_out_rows:,} held out",
            ),
            heads,
            rows,
            (0,),
        )
        + gain
        + note(
            f"가장 좋은 시도의 {o.chosen:.4f}은(는) {result.choosing_rows:,}행에서 여러 시도 중 가장 높은 값이라 "
            f"낙관적입니다. 부트스트랩으로 잰 낙관은 {o.bootstrap:.4f}, 바로잡은 값은 {o.corrected:.4f}입니다. 떼어 둔 "
            f"{result.held_out_rows:,}행은 아무것도 고르지 않았습니다.",
            f"{o.chosen:.4f} of the best trial is the highest of many on the same {result.choosing_rows:,} rows, and "
            f"optimistic: by {o.bootstrap:.4f} as a bootstrap tells, {o.corrected:.4f} corrected. The "
            f"{result.held_out_rows:,} rows held out have chosen nothing.",
        )
    )


def _score_row(name: str, trial: int, chosen: float | None, held_out: HeldOutScores) -> list[str]:
    interval = held_out.intervals["macro_f1"]
    return [
        name,
        str(trial),
        "-" if chosen is None else number(chosen),
        number(held_out.scores.macro_f1),
        f"[{interval.low:.4f}, {interval.high:.4f}]",
    ]


def _best(result: SearchResult) -> str:
    rows = [
        [escape(name), escape(_shown(value)), escape(_shown(result.start.get(name, "")))]
        for name, value in result.arguments.items()
    ]
    heads = [both("인자", "argument"), both("가장 좋은 시도", "best trial"), both("처음 인자", "first arguments")]
    return (
        f"<h2>{both('가장 좋은 인자', 'Best arguments')}</h2>"
        + table(("train의 옵션 이름으로", "By the names of train's options"), heads, rows, (0,))
        + f"<pre>{escape(result.command)}</pre>"
    )


def _trials(search: SearchPlan, trials: Sequence[FrozenTrial]) -> str:
    names = [*search.space.searched]
    rows = []
    for trial in trials:
        arguments = arguments_of(search.space, trial)
        score = "" if trial.value is None else number(trial.value)
        rows.append([str(trial.number), end_of(trial), score, *(escape(_shown(arguments[n])) for n in names)])
    heads = [both("시도", "trial"), both("끝", "end"), "macro F1", *map(escape, names)]
    caption = "그만둔 시도의 값은 마지막에 알린 값", "The value of a pruned trial is the last one it told"
    return f"<h2>{both('모든 시도', 'All trials')}</h2>" + table(caption, heads, rows, (1,))


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
