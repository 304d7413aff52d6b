"""`kobert-emotion compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options
from .language import counted, lines, words
from .models import check_run
from .output import note_fine, quiet_libraries, say, say_json

if TYPE_CHECKING:
    from ..evaluation.comparison import Comparison


def compare(
    first: Annotated[Path, typer.Argument(help="실행 폴더 (run)")],
    second: Annotated[Path, typer.Argument(help="같은 파일로 학습한 다른 실행 폴더 (another run on the same file)")],
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion compare runs/a runs/b

    두 실행의 차이가 우연인지 검정합니다: 정확도는 McNemar, macro F1은 짝지은 부트스트랩.
    Tests whether two runs differ by more than chance: McNemar for accuracy, a paired bootstrap for macro F1.
    """  # noqa: D415
    from ..evaluation.comparison import compare_runs
    from ..runs.layout import read_record

    check_run("first", first)
    check_run("second", second)
    with quiet_libraries():
        found = compare_runs(first, second)
    note_fine(bool((read_record(first) or {}).get("hierarchy")))
    korean, english = found.verdict()
    if json:
        say_json({**vars(found), "verdict": {"ko": korean, "en": english}})
        return
    say(_table(found))
    say(lines(korean, english))


def _table(found: Comparison) -> str:
    test, f1 = found.mcnemar, found.macro_f1
    split = words("같은 분할", "same split") if found.same_split else words("다른 분할", "different splits")
    drawn = words("묶음 단위", "by groups") if found.is_grouped else words("행 단위", "by rows")
    accuracy = "accuracy" if found.labels is None else "subset acc."
    rows = [(accuracy, found.accuracy), ("macro F1", f1)]
    return "\n".join(
        [
            f"A = {found.first}, B = {found.second}: {counted(found.rows, '행', 'rows')}, {split}",
            f"{'':<11} {'A':>7} {'B':>7} {'B - A':>8}  95% {words('구간', 'interval')}",
            *(
                f"{name:<11} {d.first:>7.4f} {d.second:>7.4f} {d.difference:>+8.4f}  "
                f"{d.interval.low:+.4f} … {d.interval.high:+.4f}"
                for name, d in rows
            ),
            f"McNemar ({accuracy}): {words('A만 맞음', 'only A right')} {test.only_first:,}, "
            f"{words('B만 맞음', 'only B right')} {test.only_second:,}; exact p {test.exact_p:.4f}, "
            f"mid-p {test.mid_p:.4f}",
            f"{words('부트스트랩', 'paired bootstrap')}, macro F1, {drawn}: p {f1.p:.4f}",
            *_by_label(found),
        ]
    )


def _by_label(found: Comparison) -> list[str]:
    """Returns a line for each label of rows with several, the surest differences first; nothing of rows with one."""
    if found.labels is None:
        return []
    lines = [
        f"  {d.first:>7.4f} {d.second:>7.4f} {d.difference:>+8.4f}  {d.interval.low:+.4f} … {d.interval.high:+.4f}  "
        f"p {d.p:.4f}  {name}"
        for name, d in sorted(found.labels.items(), key=lambda item: item[1].p)
    ]
    expected = words(
        f"레이블 {len(lines)}개를 재면 우연으로도 p < 0.05가 {0.05 * len(lines):.1f}개쯤 나옵니다",
        f"of {len(lines)} labels about {0.05 * len(lines):.1f} have p < 0.05 by chance alone",
    )
    return [f"F1, {words('레이블마다', 'by label')}: A, B, B - A ({expected})", *lines]
