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
from .groups import Columns, Conversations, LabelRules, Long, takes_groups
from .inputs import check_data_file, check_swapped
from .language import counted, spoken, words
from .long_texts import long_texts, note_long
from .models import check_notebook_options, check_tested, hierarchy_in, names_nearest
from .output import note, note_reading, quiet_libraries, say, say_json
from .turns import turns_of

if TYPE_CHECKING:
    from ..evaluation.held_out import CoarseScores, Holdout, HoldoutScores


@takes_groups
def evaluate(
    call: typer.Context,
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
    conversations: Conversations,
    long: Long,
    rules: LabelRules,
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

    pieces = long_texts(call, long)
    _check_output(output)
    check_swapped("run", run, "test_file", test_file)
    check_data_file("test_file", test_file)
    check_tested("run", run)
    check_notebook_options(run, tokenizer, num_attention_heads)
    with quiet_libraries():
        with names_nearest("run", str(run)):
            predictor = load_checkpoint(find_checkpoints(run)[0], tokenizer, num_attention_heads)
        dataset, report = load_emotion_dataset_with_report(
            test_file,
            **vars(columns),
            group_column=conversations.group_column,
            turns=turns_of(predictor, conversations, columns),
            labels=predictor.labels,
            reading=reading,
            task=predictor.task.name,
            allow_empty=predictor.task.allow_empty,
            hierarchy=hierarchy_in(predictor.task, rules.fine_label_column),
            **vars(rules),
        )
        note_reading(report)
        if (about := predictor.task.about(spoken())) is not None:
            note(about)
        note_long(predictor, dataset["text"][:], pieces)
        found = evaluate_run(run, dataset, select_on_test, batch_size, tokenizer, num_attention_heads, pieces)
    content = _to_json(found) | {"data": report}
    if output is not None:
        write_json(output, content)
    if json:
        say_json(content)
        return
    lines = [*_table(found), f"{found.best.path}\n  {words(*_reason(found))}", *_details(found), *_labels(found)]
    lines += _coarse(found)
    say("\n".join(lines))


def _reason(found: Holdout) -> Wording:
    """Returns what the best was chosen by."""
    reason = _REASONS[found.chosen_on]
    if found.best.by_label is None:
        return reason
    return Wording(reason.korean.replace("시험 정확도", "시험 macro F1"), reason.english)


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
    short = found.best.all_rows.scores.SHORT
    lines = [f"{'checkpoint':<32} {'loss':>8} {' '.join(f'{title:>9}' for title in short.values())} {'ECE':>7}"]
    for r in (*found.checkpoints, *found.combined):
        figures = " ".join(f"{vars(r.all_rows.scores)[key]:>9.4f}" for key in short)
        lines.append(f"{r.name:<32} {r.loss:>8.4f} {figures} {r.ece:>7.4f}")
    return lines


def _labels(found: Holdout) -> list[str]:
    """Returns a line for each label of a multi-label model, the best checkpoint's, below one of titles."""
    if found.best.by_label is None:
        return []
    lines = [f"  {'F1':>7} {'precision':>9} {'recall':>7} {'AP':>7} {'ECE':>7} {'rows':>7} {'given':>7}"]
    for name, figures in found.best.by_label.items():
        shares = [f"{figures[key]:>{width}.4f}" for key, width in _LABEL_FIGURES.items()]
        lines.append(f"  {' '.join(shares)} {figures['rows']:>7.0f} {figures['given']:>7.0f}  {name}")
    return lines


_LABEL_FIGURES = {"f1": 7, "precision": 9, "recall": 7, "average_precision": 7, "ece": 7}


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
    lines = []
    for name, part in parts:
        shown = {key: title for key, title in part.scores.SHORT.items() if key in part.intervals}
        figures = ", ".join(f"{t} {vars(part.scores)[key]:.4f} [{part.intervals[key]}]" for key, t in shown.items())
        lines.append(f"  {name}: {counted(part.scores.rows, '행', 'rows')}, {figures}")
    lines += [f"  {line}" for line in best.all_rows.scores.remarks(spoken())]
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


def _coarse(found: Holdout) -> list[str]:
    """Returns the table of the coarse labels; nothing where labels have one level."""
    short = found.best.all_rows.scores.SHORT
    lines = []
    for r in (*found.checkpoints, *found.combined):
        if r.coarse is not None:
            figures = " ".join(f"{vars(r.coarse.scores)[key]:>9.4f}" for key in short)
            lines.append(f"{r.name:<32} {r.coarse.scores.log_loss:>8.4f} {figures} {r.coarse.ece:>7.4f}")
    if not lines or found.best.coarse is None:
        return []
    title = words("대분류(소분류 확률의 합)", "coarse labels (sums of the fine probabilities)")
    part = found.best.coarse
    intervals = ", ".join(f"{name} [{part.intervals[key]}]" for key, name in short.items())
    heads = f"{'checkpoint':<32} {'log loss':>8} {' '.join(f'{name:>9}' for name in short.values())} {'ECE':>7}"
    return ["", title, heads, *lines, f"  {found.best.name}: {intervals}"]


def _coarse_json(found: CoarseScores) -> dict[str, Any]:
    return {**vars(found.scores), "ece": found.ece, "intervals": found.intervals}


def _to_json(found: Holdout) -> dict[str, Any]:
    def flat(r: HoldoutScores) -> dict[str, Any]:
        parts = {name: part for name, part in (("unseen", r.unseen), ("seen", r.seen)) if part is not None}
        return {
            **({"name": r.name} if r.path is None else {"path": r.path}),
            "loss": r.loss,
            **vars(r.all_rows.scores),
            "ece": r.ece,
            **({} if r.by_label is None else {"labels": r.by_label}),
            **({} if r.coarse is None else {"coarse": _coarse_json(r.coarse)}),
            "intervals": r.all_rows.intervals,
            **{name: {**vars(part.scores), "intervals": part.intervals} for name, part in parts.items()},
        }

    optimism = None if found.optimism is None else vars(found.optimism) | {"corrected": found.optimism.corrected}
    return {
        "checkpoints": [flat(r) for r in found.checkpoints],
        "combined": [flat(r) for r in found.combined],
        "best": found.best.path,
        "chosen": "{} ({})".format(*_reason(found)),
        "seen_rows": found.seen_rows,
        "choosing_on_test": optimism,
    }
