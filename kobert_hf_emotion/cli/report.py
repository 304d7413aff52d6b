"""`kobert-emotion report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options
from .inputs import check_page
from .language import said, words
from .models import check_run
from .output import quiet_libraries, say, say_json


def report(
    run: Annotated[Path, typer.Argument(help="실행 폴더 (folder of a run)")],
    output: Annotated[
        Path | None,
        typer.Option("--output", help="쓸 HTML 파일; 없으면 실행 폴더의 report.html (HTML file; RUN/report.html)"),
    ] = None,
    texts: Annotated[
        bool, typer.Option("--texts/--no-texts", help="데이터의 글을 넣음 (whether texts of the data are in it)")
    ] = True,
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion report runs/a --output report.html

    학습 실행을 파일 하나로 보여 줍니다: 학습 곡선, 눌러서 행을 여는 혼동 행렬, 보정, 라벨별 점수, 틀린 행과 그 낱말,
    의심되는 라벨, 데이터 검사, 인자. 브라우저에서 그대로 열리고 네트워크를 쓰지 않습니다.
    Shows a run in one file, which a browser opens from the disk: curves, a confusion matrix whose cells open their
    rows, calibration, scores by label, mistakes and their words, suspected labels, the audit, arguments.
    """  # noqa: D415
    from ..runs.layout import HTML_FILE
    from ..runs.reporting import write_html_report

    check_page(output, HTML_FILE)
    check_run("run", run)
    target = run / HTML_FILE if output is None else output
    with quiet_libraries():
        page = write_html_report(run, target, texts=texts)
    size = target.stat().st_size
    if json:
        say_json(
            {
                "output": target,
                "bytes": size,
                "rows": page.rows,
                "rows_shown": page.rows_shown,
                "explained": page.explained,
                "missing": [found._asdict() for found in page.missing],
                "left_out": [found._asdict() for found in page.left_out],
            }
        )
        return
    open_rows, explained = words("열리는 행", "rows that open"), words("설명한 오류", "mistakes explained")
    say(f"{target}: {size / 1e6:.2f} MB, {open_rows} {page.rows_shown:,}/{page.rows:,}, {explained} {page.explained:,}")
    for title, listed in (
        (words("없는 것", "missing"), page.missing),
        (words("넣지 않은 것", "left out"), page.left_out),
    ):
        for found in listed:
            say(f"  {title}: {said(found)}")
