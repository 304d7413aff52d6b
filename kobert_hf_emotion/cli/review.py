"""`kobert-emotion review`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options
from .inputs import check_there
from .language import counted, words
from .models import check_run
from .output import note_fine, quiet_libraries, say, say_json


def review(
    run: Annotated[Path, typer.Argument(help="실행 폴더 (folder of a run)")],
    output: Annotated[
        Path,
        typer.Option("--output", help="쓸 파일: 검토할 .xlsx나 .csv, --apply면 새 학습 CSV (file to write; a new one)"),
    ],
    apply: Annotated[
        Path | None,
        typer.Option("--apply", help="new_label을 채운 검토 파일 (reviewed file with new_label filled in)"),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="검토할 행 수 (rows to review)")] = 200,
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion review runs/a --output review.xlsx

    모델이 라벨과 가장 크게 다르게 본 행을 골라 검토할 표를 만들고, 채운 표를 학습 CSV에 반영합니다.
    Writes the rows whose label the model disputes most for review; --apply puts the answers into a training CSV.
    """  # noqa: D415
    from ..evaluation.label_review import apply_review, write_review
    from ..runs.disputed import disputed_labels
    from ..runs.finished import read_run

    check_run("run", run)
    check_there("apply", apply)
    if apply is None:
        with quiet_libraries():
            finished = read_run(run)
            note_fine("hierarchy" in finished.record)
            table = disputed_labels(finished, top)
            write_review(output, table, finished.labels)
        suspects = int((table["suspect"] == "yes").sum())
        if json:
            say_json({"output": output, "rows": len(table), "suspects": suspects})
            return
        say(
            f"{output}: {counted(len(table), '행', 'rows')}, "
            f"{words('그중 오류로 의심되는 행', 'suspected errors')} {suspects:,}"
        )
        say(
            f"{words('다음', 'next')}: {words('new_label을 채우고', 'fill in new_label')}\n"
            f"  kobert-emotion review {run} --apply {output} "
            "--output train_corrected.csv"
        )
        return
    with quiet_libraries():
        found = apply_review(read_run(run), apply, output)
    if json:
        say_json({"output": output, **vars(found)})
        return
    say(
        f"{output}: {counted(found.rows, '행', 'rows')}, {words('검토', 'reviewed')} {found.reviewed:,}, "
        f"{words('바뀐 라벨', 'changed')} {found.changed:,}"
    )
    for change, count in found.changes.items():
        say(f"  {change}: {count:,}")
    say(f"{words('다음', 'next')}: kobert-emotion train {output} --output {run}-corrected")
