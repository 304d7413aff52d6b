"""The model card of a student: who taught it, on how many texts, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..hub.cards import base_metadata, is_hub_id, join_card, plain, table, usage
from ..report.sections.origin import FIRST_ARGUMENTS


def render_student_card(record: Mapping[str, Any], name: str) -> str:
    """Returns the text of the card.

    Args:
        record: The content of `training_record.json`.
        name: The name of the student's folder.
    """
    student, teacher = record["student"], record["teacher"]
    data = base_metadata(model_name=plain(name), base_model=student if is_hub_id(student) else None)
    sections = [
        f"# {plain(name)}",
        f"`{_last(teacher)}`이(가) 가르친 `{_last(student)}`입니다(`kobert-emotion distill`).\n"
        f"`{_last(student)}`, taught by `{_last(teacher)}` (`kobert-emotion distill`; Hinton et al., 2015).",
        table(["", ""], _facts(record)),
        *([] if not record["scores"] else [_scores(record["scores"])]),
        _arguments(record["training_arguments"]),
        usage(record["word_split"] is not None or student == "default"),
    ]
    return join_card(data, sections)


def _facts(record: Mapping[str, Any]) -> list[list[object]]:
    texts, answers = record["texts"], record["answers"]
    return [
        ["선생 / teacher", f"`{_last(record['teacher'])}`, {record['teacher_models']} model(s)"],
        ["선생의 가중치 / teacher's weights SHA-256", f"`{record['teacher_sha256']}`"],
        ["레이블 / labels", ", ".join(map(plain, record["labels"]))],
        ["라벨이 있는 글 / texts with a label", f"{texts['labelled']:,}"],
        ["라벨이 없는 글 / texts without one", f"{texts['unlabelled']:,}"],
        ["글과 라벨의 SHA-256 / SHA-256 of texts and labels", f"`{texts['sha256']}`"],
        [
            "답 / answers",
            f"모든 모델의 평균 / mean of all models {answers['by_all']:,}, 보지 않은 겹 / the fold that held the text "
            f"out {answers['held_out']:,}, 없음 / none {answers['nobody']:,}"
            + ("" if record["teacher_rows_known"] else " (선생이 학습한 글은 모름 / not known what it was trained on)"),
        ],
        ["온도 / temperature", record["temperature"]],
        ["선생의 몫 / the teacher's part of the loss", record["mixture"]],
    ]


def _scores(scores: Mapping[str, Mapping[str, float]]) -> str:
    rows = [
        [
            f"{title} / {name}",
            f"{found['rows']:,}",
            *(f"{found[key]:.4f}" for key in ("accuracy", "macro_f1", "log_loss")),
        ]
        for name, title in (("teacher", "선생"), ("student", "학생"))
        if (found := scores.get(name)) is not None
    ]
    return "## 검증 행 / Validation rows\n\n" + table(["", "rows", "accuracy", "macro F1", "log loss"], rows)


def _arguments(arguments: Mapping[str, Any]) -> str:
    rows = [[f"`{name}`", f"`{plain(arguments[name])}`"] for name in FIRST_ARGUMENTS if name in arguments]
    return "## 학습 / Training\n\n" + table(["", ""], rows)


def _last(path: str) -> str:
    """The last part of a path: where a folder lies on somebody's disk is nobody else's business."""
    return plain(path) if is_hub_id(path) else plain(path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1])
