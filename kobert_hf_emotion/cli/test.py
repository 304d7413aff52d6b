"""`kobert-emotion test`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..data.tables import ReadOptions
from ..errors import DataError
from ..utils.files import write_json
from ..wording import Wording
from . import options
from .groups import Columns, takes_groups
from .inputs import check_data_file
from .language import counted, words
from .models import check_notebook_options, check_tested, names_nearest
from .output import note_reading, quiet_libraries, say, say_json

if TYPE_CHECKING:
    from ..evaluation.held_out import Holdout, HoldoutScores


@takes_groups
def evaluate(
    run: Annotated[
        Path, typer.Argument(help="실행 폴더, 모델 폴더, 'default', Hub 이름 또는 .pt/.tar 파일 (run, model or file)")
    ],
    test_file: options.InputFile,
    select_on_test: Annotated[
        bool,
        typer.Option(
            "--select-on-test", help="노트북처럼 시험 정확도로 고름; 낙관적 (choose on the test rows; optimistic)"
        ),
    ] = False,
    *,
    columns: Columns,
    reading: ReadOptions,
    batch_size: options.BatchSize = 64,
    tokenizer: options.Tokenizer = None,
    num_attention_heads: options.Heads = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="결과를 쓸 .json 파일; 실행 폴더의 test.json은 보고서에 실림 (JSON file; RUN/test.json is reported)",
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion test runs/a test.csv

    시험 파일에서 모든 겹, 그 앙상블과 가중치 평균의 점수를 재고 가장 좋은 모델의 경로를 출력합니다.
    Evaluates every fold, their ensemble and their mean on a test file and prints the path of the best model.
    """  # noqa: D415
    from ..data.dataset import load_emotion_dataset_with_report
    from ..evaluation.held_out import evaluate_run
    from ..inference.loading import load_checkpoint
    from ..runs.layout import find_checkpoints

    _check_output(output)
    check_data_file("test_file", test_file)
    check_tested("run", run)
    check_notebook_options(run, tokenizer, num_attention_heads)
    with quiet_libraries():
        with names_nearest("run", str(run)):
            labels = load_checkpoint(find_checkpoints(run)[0], tokenizer, num_attention_heads).labels
        dataset, report = load_emotion_dataset_with_report(test_file, **vars(columns), labels=labels, reading=reading)
        note_reading(report)
        found = evaluate_run(run, dataset, select_on_test, batch_size, tokenizer, num_attention_heads)
    content = _to_json(found) | {"data": report}
    if output is not None:
        write_json(output, content)
    if json:
        say_json(content)
        return
    say("\n".join([*_table(found), f"{found.best.path}\n  {words(*_REASONS[found.chosen_on])}", *_details(found)]))


def _check_output(output: Path | None) -> None:
    if output is not None and (output.is_dir() or output.suffix.lower() != ".json"):
        raise DataError(
            f"`output`에는 .json 파일이 필요한데 {output}입니다.",
            f"Expected a .json file as `output`, found {output}.",
            mend={"output": str(output / "test.json" if output.is_dir() else output.with_suffix(".json"))},
        )


_REASONS = {
    "validation": Wording("검증 macro F1로 고름", "chosen on the validation rows"),
    "test": Wording("시험 정확도로 고름: 낙관적인 값", "chosen on the test rows: optimistic"),
    "nothing": Wording("모델 하나", "a single checkpoint"),
}


def _table(found: Holdout) -> list[str]:
    """Returns a line for each checkpoint and each way of putting them together, below one of titles."""
    lines = [f"{'checkpoint':<32} {'loss':>8} {'accuracy':>9} {'macro F1':>9} {'ECE':>7}"]
    for r in (*found.checkpoints, *found.combined):
        scores = r.all_rows.scores
        lines.append(f"{r.name:<32} {r.loss:>8.4f} {scores.accuracy:>9.4f} {scores.macro_f1:>9.4f} {r.ece:>7.4f}")
    return lines


def _details(found: Holdout) -> list[str]:
    """Returns the lines below the table: intervals of the best, seen and unseen texts, the price of choosing."""
    best = found.best
    parts = [(words("모든 행", "all rows"), best.all_rows)]
    if found.seen_rows:
        parts += [
            (name, part)
            for name, part in (
                (words("처음 보는 문장", "unseen texts"), best.unseen),
                (words("학습 파일의 문장", "seen"), best.seen),
            )
            if part is not None
        ]
    lines = [
        f"  {name}: {counted(part.scores.rows, '행', 'rows')}, accuracy {part.scores.accuracy:.4f} "
        f"[{part.intervals['accuracy']}], macro F1 {part.scores.macro_f1:.4f} [{part.intervals['macro_f1']}]"
        for name, part in parts
    ]
    if found.seen_rows is None:
        unknown = words("학습한 문장을 몰라 겹치는 행을 세지 못함", "training texts not known: overlap not counted")
        lines.append(f"  {unknown}")
    elif not found.seen_rows:
        lines.append(f"  {words('학습 파일의 문장은 없음', 'no text of the training file among them')}")
    if found.optimism is not None:
        o = found.optimism
        lines.append(
            f"  {words('시험 정확도로 고르면', 'choosing by test accuracy')}: {o.chosen:.4f} = "
            f"{words('겹 평균', 'mean of the folds')} {o.mean:.4f} {o.chosen - o.mean:+.4f}; "
            f"{words('부트스트랩으로 잰 낙관', 'bootstrap optimism')} {o.bootstrap:.4f}, "
            f"{words('바로잡은 값', 'corrected')} {o.corrected:.4f}"
        )
    return lines


def _to_json(found: Holdout) -> dict[str, Any]:
    def flat(r: HoldoutScores) -> dict[str, Any]:
        parts = {name: part for name, part in (("unseen", r.unseen), ("seen", r.seen)) if part is not None}
        return {
            **({"name": r.name} if r.path is None else {"path": r.path}),
            "loss": r.loss,
            **vars(r.all_rows.scores),
            "ece": r.ece,
            "intervals": r.all_rows.intervals,
            **{name: {**vars(part.scores), "intervals": part.intervals} for name, part in parts.items()},
        }

    optimism = None if found.optimism is None else vars(found.optimism) | {"corrected": found.optimism.corrected}
    return {
        "checkpoints": [flat(r) for r in found.checkpoints],
        "combined": [flat(r) for r in found.combined],
        "best": found.best.path,
        "chosen": "{} ({})".format(*_REASONS[found.chosen_on]),
        "seen_rows": found.seen_rows,
        "choosing_on_test": optimism,
    }
