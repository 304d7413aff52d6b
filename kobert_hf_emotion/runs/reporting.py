"""The report of a run: its files gathered, and the page written. Whatever is missing is said in the page."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..data.column_names import TEXT_COLUMN, TEXT_PAIR_COLUMN
from ..data.text_keys import text_key
from ..errors import KoBERTEmotionError, RunError
from ..explanation.words import Explanation
from ..hub.cards import CARD_FILE
from ..hub.upload import HISTORY_FILE
from ..inference.loading import load_checkpoint
from ..metrics.bootstrap import confusion_matrix
from ..report.content import NOT_OF_SEVERAL, SEVERAL, Predictions, RunContent, Suspects
from ..report.page import Page, to_page
from ..training.history import read_history
from ..utils.argument_checks import check_path
from ..utils.files import atomic_write
from ..utils.progress import each
from ..wording import Wording
from .disputed import find_disputes, row_places
from .finished import FinishedRun, read_predictions
from .layout import (
    AUDIT_FILE,
    HTML_FILE,
    PREDICTIONS_FILE,
    REPORT_JSON_FILE,
    RUN_FILE,
    TEST_FILES,
    fold_folder,
    fold_folders,
    read_record,
)

logger = logging.getLogger(__name__)

MISTAKES = 20
"""Mistakes that a report lists and explains."""
MOST_WORDS = 600
"""Words of all mistakes explained together: each is a prediction, and a report shall not take as long as an epoch."""
SUSPECTS = 50
_DAMAGED = (OSError, KeyError, TypeError, ValueError, AttributeError, IndexError)
_WRITTEN_LAST = ("report", "predictions", "card")
_Part = TypeVar("_Part")


def write_html_report(
    run: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    *,
    texts: bool = True,
    record: Mapping[str, Any] | None = None,
) -> Page:
    """Writes the report of a run: one HTML file that opens from the disk, without a network.

    Args:
        run: The folder of a run; one that is not finished, or lacks files, has a report that says so.
        output: The HTML file; `report.html` in the run by default.
        texts: Whether texts of the data may be in it.
        record: What `run.json` is about to say, where it does not yet.

    Raises:
        RunError: There is no run at `run`.
    """
    page = to_page(gather_run(run, texts, record))
    with atomic_write(Path(run) / HTML_FILE if output is None else output, "w") as handle:
        handle.write(page.html)
    return page


def gather_run(run: str | os.PathLike[str], texts: bool = True, record: Mapping[str, Any] | None = None) -> RunContent:
    """Reads what the folder of a run has; arguments and errors are those of `write_html_report`."""
    check_path("run", run)
    folder = Path(run)
    gatherer = _Gatherer(folder, texts, record)
    if not gatherer.record and not fold_folders(folder) and not (folder / REPORT_JSON_FILE).is_file():
        inside = sorted(path.parent for path in folder.glob(f"*/{RUN_FILE}"))
        raise RunError(
            f"실행 폴더가 아닙니다: {folder} — {RUN_FILE}도 fold_1도 없습니다.",
            f"{folder} is no run's folder: it has neither {RUN_FILE} nor fold_1.",
            "kobert-emotion train train.csv --output runs/a",
            mend={"run": str(inside[0])} if inside else None,
        )
    return gatherer.content()


def write_page(run: Path, record: Mapping[str, Any]) -> None:
    """Writes `report.html` into a run that has all other files; no fault of a page takes a training's end away.

    Args:
        run: The folder of the run.
        record: What `run.json` is about to say.
    """
    try:
        write_html_report(run, record=record)
    except Exception as error:  # the run is worth more than its page, which the command makes anew
        about = f"{error!r}\n  $ kobert-emotion report {run}"
        logger.warning(Wording(f"{HTML_FILE}을 쓰지 못했습니다: {about}", f"Cannot write {HTML_FILE}: {about}"))


class _Gatherer:
    """Reads what a run's folder has, and keeps why the rest is not there."""

    def __init__(self, folder: Path, texts: bool, record: Mapping[str, Any] | None = None) -> None:
        self.folder, self.texts = folder, texts
        self.missing: dict[str, Wording] = {}
        self.left_out: list[Wording] = []
        self.record: Mapping[str, Any] = record or self._part("record", lambda: read_record(folder)) or {}

    def content(self) -> RunContent:
        """Returns all parts."""
        report = self._part("report", lambda: self._json(REPORT_JSON_FILE))
        audit = self._part("audit", lambda: self._json(AUDIT_FILE))
        run = self._part("predictions", self._run)
        predictions = None if run is None else self._part("predictions", lambda: self._predictions(run, report))
        mistakes = [] if run is None or predictions is None else _worst(run)
        return RunContent(
            name=self.folder.resolve().name,
            record=self.record,
            report=report,
            audit=audit,
            histories=self._histories(),
            predictions=predictions,
            mistakes=mistakes,
            explanations={} if predictions is None else self._explanations(predictions, mistakes),
            suspects=None if run is None or predictions is None else self._part("suspects", lambda: _suspects(run)),
            tests=self._tests(),
            card=self._part("card", lambda: (self.folder / CARD_FILE).read_text(encoding="utf-8")),
            left_out=self.left_out,
            with_texts=self.texts,
            missing=self.missing,
        )

    def _part(self, name: str, read: Callable[[], _Part]) -> _Part | None:
        """Returns what `read` does; where that is not there or damaged, None, and keeps why."""
        try:
            return read()
        except FileNotFoundError as error:
            file = Path(error.filename).name
            is_later = name in _WRITTEN_LAST and self.record.get("finished") is False
            self._miss(
                name,
                f"{file}이(가) 없습니다." + (" 마지막 겹이 끝난 뒤에 쓰입니다." if is_later else ""),
                f"There is no {file}." + (" It is written after the last fold." if is_later else ""),
            )
        except KoBERTEmotionError as error:
            command = "" if error.try_this is None else f" ({error.try_this})"
            self._miss(name, error.korean + command, error.english + command)
        except _DAMAGED as error:
            what = f"{type(error).__name__}: {error}"
            self._miss(name, f"읽지 못했습니다 ({what}).", f"It cannot be read ({what}).")
        return None

    def _miss(self, name: str, korean: str, english: str) -> None:
        """Keeps why a part is not there, without the place of the folder on this machine."""
        place, shown = str(self.folder), self.folder.resolve().name
        self.missing[name] = Wording(korean.replace(place, shown), english.replace(place, shown))

    def _json(self, name: str) -> dict[str, Any]:
        content = json.loads((self.folder / name).read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise TypeError(f"{name}: expected an object, found {type(content).__name__}")
        return content

    def _histories(self) -> dict[str, list[dict[str, float]]]:
        found = {}
        for fold in fold_folders(self.folder):
            history = self._part("histories", partial(read_history, fold / HISTORY_FILE))
            if history:
                found[fold.name] = [vars(record) for record in history]
        return found

    def _run(self) -> FinishedRun:
        if self.record.get("task") == SEVERAL:
            raise RunError(*NOT_OF_SEVERAL)
        return read_predictions(self.folder, dict(self.record))

    def _predictions(self, run: FinishedRun, report: Mapping[str, Any] | None) -> Predictions:
        table = run.table
        counts = confusion_matrix(run.truth, run.predictions, len(run.labels)).tolist()
        if report is not None and report.get("confusion_matrix", {}).get("counts", counts) != counts:
            raise RunError(
                f"{PREDICTIONS_FILE}이 {REPORT_JSON_FILE}과 맞지 않습니다: 혼동 행렬이 다릅니다.",
                f"{PREDICTIONS_FILE} does not fit {REPORT_JSON_FILE}: it gives another confusion matrix.",
            )
        files = [_last(file) for file in table["file"]] if "file" in table else []
        return Predictions(
            truth=run.truth,
            predicted=run.predictions,
            probabilities=run.probabilities,
            folds=table["fold"].tolist(),
            rows=row_places(run)["row"].tolist(),
            files=files if len(set(files)) > 1 else [],
            texts=table[TEXT_COLUMN].tolist() if self.texts else None,
            pairs=table[TEXT_PAIR_COLUMN].tolist() if self.texts and TEXT_PAIR_COLUMN in table else None,
        )

    def _explanations(self, predictions: Predictions, mistakes: Sequence[int]) -> dict[int, Explanation]:
        """Explains mistakes, each by the fold that did not train on it."""
        if predictions.texts is None:
            return {}
        if predictions.pairs is not None:
            self._miss(
                "explanations",
                "문장 쌍은 낱말로 설명하지 않습니다.",
                "Pairs of texts are not explained by their words.",
            )
            return {}
        found: dict[int, Explanation] = {}
        chosen = self._short_enough(predictions.texts, mistakes)
        if chosen:
            count = len(chosen)
            logger.info(
                Wording(f"{HTML_FILE}: 틀린 행 {count}개를 설명합니다", f"{HTML_FILE}: explaining {count} mistakes")
            )
        folds = sorted({predictions.folds[index] for index in chosen})
        for fold in each(folds, Wording("틀린 행 설명", "explaining mistakes"), Wording("겹", "folds")):
            rows = [index for index in chosen if predictions.folds[index] == fold]
            texts = [predictions.texts[index] for index in rows]
            explained = self._part("explanations", partial(self._explain, fold, texts))
            found |= dict(zip(rows, explained or [], strict=False))
        return found

    def _short_enough(self, texts: Sequence[str], mistakes: Sequence[int]) -> list[int]:
        """Returns the mistakes that have no more than `MOST_WORDS` words together; long texts are passed over."""
        chosen, room = [], MOST_WORDS
        for index in mistakes:
            words = len(texts[index].split())
            if words <= room:
                chosen.append(index)
                room -= words
        count, total = len(chosen), len(mistakes)
        if count < total:
            about = Wording(
                f"틀린 행 {total}개 가운데 {count}개만 설명했습니다. 설명하는 낱말은 모두 {MOST_WORDS}개까지입니다.",
                f"{count} of {total} mistakes are explained: {MOST_WORDS} words are the most together.",
            )
            self.left_out.append(about)
        return chosen

    def _explain(self, fold: str, texts: Sequence[str]) -> list[Explanation]:
        folder = fold_folder(self.folder, int(fold))
        if not folder.is_dir():
            raise FileNotFoundError(2, "no fold", str(folder))
        model = load_checkpoint(folder)
        model.to_accelerator()
        return model.explain(texts)

    def _tests(self) -> dict[str, dict[str, Any]]:
        found = {}
        for path in sorted(self.folder.glob(TEST_FILES)):
            content = self._part("tests", partial(self._json, path.name))
            if content is not None:
                found[path.name] = content
        if not found and "tests" not in self.missing:
            shown = self.folder.as_posix() if not self.folder.is_absolute() else self.folder.name
            command = f"kobert-emotion test {shown} test.csv --output {shown}/test.json"
            self._miss(
                "tests",
                f"저장된 시험 결과가 없습니다. 남기려면: {command}",
                f"No result of a test is saved here. To save one: {command}",
            )
        return found


def _worst(run: FinishedRun) -> list[int]:
    """Returns the wrong rows with the highest probability of their prediction, no text twice."""
    confidence = run.probabilities.max(axis=1)
    wrong = np.flatnonzero(run.predictions != run.truth)
    chosen: dict[Any, int] = {}
    for index in wrong[np.argsort(-confidence[wrong], kind="stable")].tolist():
        chosen.setdefault(_text_key(run, index), index)
        if len(chosen) == MISTAKES:
            break
    return list(chosen.values())


def _text_key(run: FinishedRun, index: int) -> Any:
    texts = [run.table[name].iloc[index] for name in (TEXT_COLUMN, TEXT_PAIR_COLUMN) if name in run.table]
    return text_key(*texts)


def _suspects(run: FinishedRun) -> Suspects:
    if run.has_votes:
        raise RunError(
            "표를 배운 실행의 레이블은 평가자와 함께 검토합니다(평가자마다 한 열인 파일).",
            "Labels of a run on votes are reviewed with its annotators, where the file has a column for each.",
            f"kobert-emotion review {run.path.name} --output review.xlsx",
        )
    found = find_disputes(run)
    rows = found.rows[found.suspect[found.rows]]
    shown = rows[:SUSPECTS].tolist()
    return Suspects(len(rows), shown, found.scores["margin"][shown].tolist())


def _last(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]
