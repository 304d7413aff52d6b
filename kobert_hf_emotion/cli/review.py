"""`kobert-emotion review`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options
from .inputs import check_there
from .language import counted, words
from .models import check_run
from .output import note_fine, quiet_libraries, say, say_json, say_next

if TYPE_CHECKING:
    from ..runs.crowd import CrowdReview


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

    모델이 라벨과 가장 크게 다르게 본 행을 골라 검토할 표를 만들고, 채운 표를 학습 CSV에 반영합니다. 평가자마다 한 열이
    있는 표의 실행이면 평가자와 모델을 함께 봅니다(CROWDLAB).
    Writes the rows whose label the model disputes most for review; --apply puts the answers into a training CSV. Of a
    run on votes with a column for each annotator, annotators and model are weighed together (CROWDLAB).
    """  # noqa: D415
    check_run("run", run)
    check_there("apply", apply)
    if apply is None:
        _write(run, output, top, json)
    else:
        _apply(run, apply, output, json)


def _write(run: Path, output: Path, top: int, json: bool) -> None:
    """Writes the rows to review."""
    from ..evaluation.label_review import write_review
    from ..runs.crowd import crowd_review
    from ..runs.disputed import disputed_labels
    from ..runs.finished import read_run

    with quiet_libraries():
        finished = read_run(run)
        note_fine("hierarchy" in finished.record)
        crowd = crowd_review(finished, top) if finished.has_votes else None
        table = disputed_labels(finished, top) if crowd is None else crowd.table
        write_review(output, table, finished.labels, None if crowd is None else crowd.annotators)
    suspects = int((table["suspect"] == "yes").sum())
    if json:
        about = {} if crowd is None else {"annotators": crowd.annotators.to_dict("records")}
        say_json({"output": output, "rows": len(table), "suspects": suspects} | about)
        return
    if crowd is not None:
        _say_annotators(crowd)
    say(
        f"{output}: {counted(len(table), '행', 'rows')}, "
        f"{words('그중 오류로 의심되는 행', 'suspected errors')} {suspects:,}"
    )
    say_next(
        f"{words('new_label을 채우고', 'fill in new_label')}\n"
        f"  kobert-emotion review {run} --apply {output} "
        "--output train_corrected.csv"
    )


def _apply(run: Path, apply: Path, output: Path, json: bool) -> None:
    """Puts the answers into a training CSV."""
    from ..evaluation.label_review import apply_review
    from ..runs.finished import read_run

    with quiet_libraries():
        finished = read_run(run)
        found = apply_review(finished, apply, output)
    if json:
        say_json({"output": output, **vars(found)})
        return
    say(
        f"{output}: {counted(found.rows, '행', 'rows')}, {words('검토', 'reviewed')} {found.reviewed:,}, "
        f"{words('바뀐 라벨', 'changed')} {found.changed:,}"
    )
    for change, count in found.changes.items():
        say(f"  {change}: {count:,}")
    task = "--task soft " if finished.has_votes else "--task multi-label " if finished.has_several else ""
    say_next(f"kobert-emotion train {output} {task}--output {run}-corrected")


def _say_annotators(crowd: CrowdReview) -> None:
    """Says how reliable each annotator proves, the least first."""
    say(f"{words('평가자', 'annotators')} (CROWDLAB): {words('질', 'quality')}, {words('합의와 일치', 'agreement')}")
    for line in crowd.annotators.to_dict("records"):
        rows = counted(int(line["rows"]), "행", "rows")
        worst = f"{words('자주 틀리는 라벨', 'most often wrong')} {line['worst_label']}"
        say(f"  {line['annotator']}: {line['quality']:.3f}, {line['agreement']:.3f}, {rows}, {worst}")
    if crowd.left_out:
        say(
            f"  {words('라벨이 여럿이거나 모르는 칸은 뺌', 'cells with several or unknown labels')}: {crowd.left_out:,}"
        )
