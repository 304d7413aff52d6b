"""`kobert-emotion test`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options
from .output import note, quiet_libraries, say, say_json


def evaluate(
    run: Annotated[Path, typer.Argument(help="실행 폴더, 모델 폴더 또는 .pt/.tar 파일 (run, model folder or file)")],
    test_file: options.InputFile,
    select_on_test: Annotated[
        bool,
        typer.Option(
            "--select-on-test", help="노트북처럼 시험 정확도로 고름; 낙관적 (choose on the test rows; optimistic)"
        ),
    ] = False,
    text_column: options.TextColumn = None,
    text_pair_column: options.TextPairColumn = None,
    label_column: options.LabelColumn = None,
    encoding: options.Encoding = None,
    batch_size: options.BatchSize = 64,
    tokenizer: options.Tokenizer = None,
    num_attention_heads: options.Heads = None,
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion test runs/a test.csv

    시험 파일에서 모든 겹의 손실과 정확도를 재고 가장 좋은 모델의 경로를 출력합니다.
    Evaluates every fold on a test file and prints the path of the best model.
    """  # noqa: D415
    from ..data import load_emotion_dataset_with_report
    from ..evaluation import best_fold, evaluate_checkpoints, find_checkpoints, load_checkpoint

    with quiet_libraries():
        paths = find_checkpoints(run)
        labels = load_checkpoint(paths[0], tokenizer, num_attention_heads).labels
        dataset, report = load_emotion_dataset_with_report(
            test_file,
            text_column,
            label_column,
            text_pair_column=text_pair_column,
            labels=labels,
            encoding=encoding,
        )
        note(report.summary())
        results = evaluate_checkpoints(paths, dataset, batch_size, tokenizer, num_attention_heads)
    chosen = best_fold(run)
    if select_on_test or chosen is None:
        chosen = max(results, key=lambda result: result.scores.accuracy).path
        reason = "시험 정확도로 고름: 낙관적인 값 (chosen on the test rows: optimistic)"
    else:
        reason = "검증 macro F1로 고름 (chosen on the validation rows)"
    if json:
        checkpoints = [{"path": r.path, "loss": r.loss, **vars(r.scores)} for r in results]
        say_json({"checkpoints": checkpoints, "best": chosen, "chosen": reason, "data": report})
        return
    say(f"{'checkpoint':<32} {'loss':>8} {'accuracy':>9} {'macro F1':>9}")
    for r in results:
        say(f"{r.path!s:<32} {r.loss:>8.4f} {r.scores.accuracy:>9.4f} {r.scores.macro_f1:>9.4f}")
    say(f"{chosen}\n  {reason}")
