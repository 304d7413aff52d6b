"""The reference: a page for each group of public names, filled from their docstrings by autodoc."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import commands

import kobert_hf_emotion


class Group(NamedTuple):
    """Names that stand on one page."""

    page: str
    korean: str
    english: str
    names: tuple[str, ...]


GROUPS = (
    Group(
        "data",
        "데이터",
        "Data",
        (
            *("load_emotion_dataset", "load_emotion_dataset_with_report", "LoadReport"),
            *("audit_dataset", "AuditReport", "stratified_kfold"),
        ),
    ),
    Group(
        "models",
        "모델과 토크나이저",
        "Models and tokenizer",
        ("EmotionClassifier", "EmotionConfig", "KoBERTTokenizer", "EmotionEnsemble", "OnnxClassifier"),
    ),
    Group(
        "training",
        "학습",
        "Training",
        (
            *("cross_validate", "CrossValidationResult", "continue_training"),
            *("EmotionTrainer", "EmotionTrainingArguments", "FocalLoss", "focal_loss"),
        ),
    ),
    Group("evaluation", "평가", "Evaluation", ("evaluate_run", "evaluate_checkpoints", "compare_runs")),
    Group(
        "exchange",
        "내보내기와 들여오기",
        "Export and import",
        ("export_onnx", "push_run", "import_legacy_checkpoint", "export_legacy_checkpoint"),
    ),
)
OTHERS = Group("others", "그 밖에", "Others", ())
_ABOUT = {
    "ko": "`kobert_hf_emotion`에서 바로 가져오는 이름들입니다. 설명은 코드의 docstring이며 영어입니다.",
    "en": "The names that `kobert_hf_emotion` itself has. The text is that of the docstrings.",
}


def groups() -> list[Group]:
    """Returns the groups with every public name once; a name that none lists is among the others."""
    listed = {name for group in GROUPS for name in group.names}
    if unknown := listed - set(kobert_hf_emotion.__all__):
        raise ValueError(f"not public: {sorted(unknown)}")
    return [*GROUPS, OTHERS._replace(names=tuple(n for n in kobert_hf_emotion.__all__ if n not in listed))]


def write(language: str, folder: Path) -> list[str]:
    """Writes the pages to `folder/reference` and returns their paths from `folder`."""
    (folder / "reference").mkdir()
    (folder / "reference/commands.md").write_text(commands.page(language), encoding="utf-8")
    pages = ["reference/commands.md"]
    for group in groups():
        title = group.korean if language == "ko" else group.english
        entries = "\n\n".join(_directive(name) for name in group.names)
        (folder / f"reference/{group.page}.md").write_text(
            f"# API: {title}\n\n{_ABOUT[language]}\n\n```{{eval-rst}}\n.. currentmodule:: kobert_hf_emotion\n\n"
            f"{entries}\n```\n",
            encoding="utf-8",
        )
        pages.append(f"reference/{group.page}.md")
    return pages


def _directive(name: str) -> str:
    value = getattr(kobert_hf_emotion, name)
    if isinstance(value, type):
        return f".. autoclass:: {name}\n   :members:\n   :show-inheritance:"
    return f".. autofunction:: {name}" if callable(value) else f".. autodata:: {name}"
