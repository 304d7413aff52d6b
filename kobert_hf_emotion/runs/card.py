"""Model cards: pure data in, Markdown out. Nothing here asks the network, and equal data give equal text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from huggingface_hub import EvalResult

from ..hub.cards import adapter_usage, base_metadata, join_card, plain, table, usage
from ..report.sections.origin import FIRST_ARGUMENTS

_METRICS = {"accuracy": ("accuracy", "Accuracy"), "macro_f1": ("f1", "Macro F1"), "weighted_f1": ("f1", "Weighted F1")}
_METRICS_OF_SEVERAL = {
    "macro_f1": ("f1", "Macro F1"),
    "micro_f1": ("f1", "Micro F1"),
    "weighted_f1": ("f1", "Weighted F1"),
    "mean_average_precision": ("mean_average_precision", "Mean average precision"),
    "accuracy": ("accuracy", "Subset accuracy"),
}
"""Of a run whose texts have several labels each."""
_METRICS_OF_VOTES = {
    **_METRICS,
    "vote_share": ("vote_share", "Vote share"),
    "jensen_shannon": ("jensen_shannon", "JS divergence"),
}
"""Of a run on votes."""
_SHOWN_VERSIONS = ("kobert-hf-emotion", "python", "torch", "transformers", "datasets", "sentencepiece")
_FEW_ROWS = 100


def render_run_card(
    record: Mapping[str, Any],
    report: Mapping[str, Any],
    name: str,
    fold: str | None = None,
    base_model: str | None = None,
    datasets: Sequence[str] = (),
    data_files: Sequence[str] = (),
    license_id: str | None = None,
) -> str:
    """Returns the card of a k-fold run, or of one of its folds.

    Args:
        record: The content of `run.json`.
        report: The content of `report.json`.
        name: The name of the run.
        fold: The fold whose model the card describes; by default the best one, which stands for the run.
        base_model: The Hub id of the encoder the run started from, where it came from the Hub.
        datasets: Hub ids of the data, where it came from the Hub.
        data_files: Names of the data files otherwise.
        license_id: The license as the Hub names it ("apache-2.0"), where it is known.
    """
    best = report["best"]["fold"]
    shown = best if fold is None else fold
    title = name if fold is None else f"{name}-{fold}"
    source = ", ".join(map(plain, [*datasets, *data_files])) or "training data"
    data = base_metadata(
        model_name=plain(title),
        base_model=base_model,
        datasets=list(datasets) or None,
        license=license_id,
        metrics=["accuracy", "f1"],
        eval_results=_eval_results(report, shown, source, datasets[0] if datasets else "custom"),
    )
    sections = [
        f"# {plain(title)}",
        _introduction(record, report, shown, best, base_model),
        adapter_usage() if record["training_arguments"].get("lora") else usage(record.get("word_split") is not None),
        _results(report, shown, best),
        _training(record, source),
        _limits(record, report),
    ]
    return join_card(data, sections)


def _eval_results(report: Mapping[str, Any], fold: str, source: str, dataset_type: str) -> list[EvalResult]:
    folds = len(report["folds"])
    parts = {fold: report["folds"][fold], f"out-of-fold predictions of all {folds} folds": report["pooled"]}
    return [
        EvalResult(
            task_type="text-classification",
            task_name="Korean emotion classification",
            dataset_type=dataset_type,
            dataset_name=source,
            dataset_config=part,
            dataset_split="validation",
            metric_type=metric,
            metric_name=title,
            metric_value=round(scores[key], 4),
        )
        for part, scores in parts.items()
        for key, (metric, title) in _metrics(report).items()
    ]


def _has_several(report: Mapping[str, Any]) -> bool:
    """Whether the report is of a run whose texts have several labels each."""
    return report.get("task") == "multi-label"


def _metrics(report: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    if report.get("task") == "soft":
        return _METRICS_OF_VOTES
    return _METRICS_OF_SEVERAL if _has_several(report) else _METRICS


def _introduction(
    record: Mapping[str, Any], report: Mapping[str, Any], fold: str, best: str, base_model: str | None
) -> str:
    labels = ", ".join(map(plain, record["labels"]))
    encoder = f"[{base_model}](https://huggingface.co/{base_model})" if base_model else f"`{_last(record['model'])}`"
    count = len(report["folds"])
    note = (
        "검증 macro F1이 가장 높은 겹입니다 / the one with the highest macro F1 on its validation rows"
        if fold == best
        else f"가장 높은 겹은 {best}입니다 / the best one is {best}"
    )
    levels = _levels(report)
    several = (
        "\n- 문장 하나에 라벨이 여럿일 수 있습니다 / a text may get several labels" if _has_several(report) else ""
    )
    if turns := record.get("context"):
        several += (
            f"\n- 대화의 한 줄 앞말 {turns}마디까지를 둘째 조각으로 함께 학습했습니다 / trained with up to {turns} "
            "turns before a line as its second text: `model.predict(lines, text_pairs=turns)`"
        )
    return f"""\
한국어 문장의 감정 분류 모델. {encoder}을(를) 초점 손실과 층화 {count}겹 교차 검증으로 미세 조정했습니다.
A classifier of the emotion of Korean sentences: {encoder} fine-tuned with the focal loss in a stratified {count}-fold
cross-validation.

- 라벨 / labels: {labels}{several}{levels}
- 이 모델 / this model: `{fold}` — {note}"""


def _levels(report: Mapping[str, Any]) -> str:
    """Returns the line that says what stands under which coarse label; nothing where labels have one level."""
    if "coarse" not in report:
        return ""
    groups = "; ".join(
        f"{plain(name)} ({', '.join(map(plain, fine))})" for name, fine in report["coarse"]["hierarchy"].items()
    )
    return (
        f"\n- 대분류 / coarse labels: {groups}\n- 대분류의 확률은 소분류 확률의 합입니다 / the probability of a coarse "
        "label is the sum of those of its fine ones"
    )


def _coarse_results(report: Mapping[str, Any], shown: str) -> str:
    """Returns the scores of the coarse labels; nothing where labels have one level."""
    if "coarse" not in report:
        return ""
    found = report["coarse"]
    rows = [(f"{shown} ← 이 모델 / this model", found["folds"][shown]), ("전체 / pooled", found["pooled"])]
    scores = table(
        ["대분류 / coarse labels", "rows", *(_plainly(title) for _, title in _METRICS.values()), "log loss"],
        [[name, s["rows"], *(f"{s[key]:.4f}" for key in (*_METRICS, "log_loss"))] for name, s in rows],
    )
    classes = table(
        ["대분류 / coarse label", "F1", "precision", "recall", "rows"],
        [
            [plain(name), *(f"{s[key]:.4f}" for key in ("f1-score", "precision", "recall")), int(s["support"])]
            for name, s in _classes(found["classification_report"]).items()
        ],
    )
    return f"\n\n{scores}\n\n{classes}"


def _results(report: Mapping[str, Any], shown: str, best: str) -> str:
    rows = [*report["folds"].items(), ("전체 / pooled", report["pooled"])]
    marks = {best: " (best)"}
    marks[shown] = marks.get(shown, "") + " ← 이 모델 / this model"
    folds = table(
        ["겹 / fold", "rows", *(_plainly(title) for _, title in _metrics(report).values()), "log loss"],
        [
            [f"{name}{marks.get(name, '')}", s["rows"], *(f"{s[key]:.4f}" for key in (*_metrics(report), "log_loss"))]
            for name, s in rows
        ],
    )
    found = report["classification_report"]
    classes = table(
        ["라벨 / label", "F1", "precision", "recall", "rows"],
        [
            [plain(name), *(f"{s[key]:.4f}" for key in ("f1-score", "precision", "recall")), int(s["support"])]
            for name, s in _classes(found).items()
        ],
    )
    return f"""\
## 성능 / Results

겹별 검증 성능 / on the validation rows of each fold:

{folds}

{_intervals(report)}

라벨별 성능(모든 겹의 검증 예측) / by label, over the out-of-fold predictions of all rows:

{classes}

{_votes(report)}{_thresholds(report) if _has_several(report) else _calibration(report)}\
{_coarse_results(report, shown)}"""


def _votes(report: Mapping[str, Any]) -> str:
    """Returns what there is to say of votes; nothing of a run on other rows."""
    if (votes := report.get("votes")) is None:
        return ""
    return f"""\
평가자들의 표의 몫을 배운 모델입니다. 정확도와 F1은 표가 가장 많은 라벨에 대한 것이고, 동률 {votes["ties"]:,}행은
그중 어느 라벨이든 맞은 것으로 셌습니다. 답이 받은 표의 몫(vote share)은 높아야 {votes["best_vote_share"]:.4f}, 로그
손실(표와의 교차 엔트로피)은 낮아야 {votes["entropy"]:.4f}입니다.
Trained on the shares of annotators' votes. Accuracy and F1 are against the labels with most votes; on {votes["ties"]:,}
rows with a tie any of these counts as right. The vote share can be {votes["best_vote_share"]:.4f} at most, the log loss
(cross-entropy with the votes) {votes["entropy"]:.4f} at least.

"""


def _plainly(title: str) -> str:
    """Returns a title as tables have it, without a capital letter but those of abbreviations."""
    return title[0].lower() + title[1:]


def _thresholds(report: Mapping[str, Any]) -> str:
    values = [found["threshold"] for found in report["labels"].values()]
    lines = [
        f"임계값 / thresholds: 라벨마다 / one a label, {min(values):.3f}–{max(values):.3f}, "
        f"{plain(report['thresholds']['from'])}; 위의 점수는 겹마다 나머지 겹에서 맞춘 임계값으로 잰 것 / the figures "
        "above: each fold by the thresholds of the others.",
        "`config.json`의 `label_thresholds`에 있고 `EmotionClassifier.predict`가 씁니다. `pipeline`은 보정하지 않은 "
        "확률을 내고 임계값은 쓰지 않습니다. / They are `label_thresholds` of `config.json`, and "
        "`EmotionClassifier.predict` uses them. A `pipeline` gives probabilities that are not calibrated, and knows no "
        "thresholds.",
    ]
    if (found := report.get("label_calibration")) is not None:
        lines.insert(
            0,
            f"확률 보정 / calibration: 라벨 / labels {found['labels']}/{len(values)} (`label_calibration`), ECE "
            f"{found['ece_before']:.4f} → {found['ece_after']:.4f}, log loss {found['log_loss_before']:.4f} → "
            f"{found['log_loss_after']:.4f} (라벨의 평균, 겹마다 나머지 겹에서 맞춘 것 / means of the labels, each "
            "fold by what was fitted on the others).",
        )
    if not report["thresholds"]["allow_empty"]:
        lines.append(
            "임계값에 닿는 라벨이 없으면 가장 가까운 하나를 냅니다. / Where no label reaches its threshold, the "
            "nearest one is given."
        )
    return "\n".join(lines)


def _intervals(report: Mapping[str, Any]) -> str:
    found = report["intervals"]
    listed = ", ".join(
        f"{title} {found[key][0]:.4f}–{found[key][1]:.4f}"
        for key, (_, title) in _metrics(report).items()
        if key in found
    )
    return f"전체 점수의 95% 부트스트랩 구간 / 95% bootstrap intervals of the pooled scores: {listed}."


def _calibration(report: Mapping[str, Any]) -> str:
    found = report["calibration"]
    return f"""\
확률 보정 / calibration: 온도 / temperature {found["temperature"]:.4f}, ECE {found["ece_before"]:.4f} → \
{found["ece_after"]:.4f} ({found["ece_bins"]} bins, cross-fitted).
`EmotionClassifier.predict`는 로짓을 이 온도로 나눕니다. `pipeline`은 나누지 않으므로 라벨은 같고 점수는 다릅니다.
`EmotionClassifier.predict` divides the logits by this temperature (`softmax_temperature` in `config.json`). A
`pipeline` does not: its labels are the same, its scores those before calibration."""


def _classes(report: Mapping[str, Any]) -> dict[str, Mapping[str, float]]:
    averages = ("accuracy", "micro avg", "macro avg", "weighted avg")
    return {name: scores for name, scores in report.items() if name not in averages}


def _training(record: Mapping[str, Any], source: str) -> str:
    given = record["training_arguments"]
    arguments = [[f"`{name}`", f"`{plain(given[name])}`"] for name in FIRST_ARGUMENTS if name in given]
    versions = ", ".join(f"{name} {record['versions'][name]}" for name in _SHOWN_VERSIONS if name in record["versions"])
    facts = [
        ["데이터 / data", f"{source}, {record['rows']} rows"],
        ["data SHA-256", f"`{record['data_sha256']}`"],
        ["split SHA-256", f"`{record['split_sha256']}`"],
        ["겹 / folds", record["n_splits"]],
        ["프로세스 / processes", record["processes"]],
    ]
    if given.get("lora"):
        facts.append(
            [
                "LoRA",
                f"rank {given['lora']}, alpha {given['lora_alpha'] or 2 * given['lora']:g}, "
                f"`{plain(given['lora_target'])}`",
            ]
        )
    if record.get("word_split") is not None:
        facts.append(["토크나이저 / tokenizer", f'`word_split="{record["word_split"]}"`'])
    return "\n".join(
        ["## 학습 / Training", "", table(["", ""], [*facts, *arguments]), "", f"버전 / versions: {versions}"]
    )


def _limits(record: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    length = record["training_arguments"].get("max_length")
    truncated = record["tokenization"]["truncated_share"]
    rare = {name: int(s["support"]) for name, s in _classes(report["classification_report"]).items()}
    rare = {name: rows for name, rows in rare.items() if rows < _FEW_ROWS}
    lines = [
        "- 겹은 자기 검증 점수로 골랐으므로 그 점수는 낙관적입니다. 새 데이터에서의 성능은 전체(pooled) 점수에 더 "
        "가깝습니다.\n  The fold was chosen on its own validation rows, which makes its figures optimistic; expect "
        "new data of the same kind to score nearer to the pooled ones.",
        f"- {length} 토큰보다 긴 문장은 잘립니다(학습 문장의 {truncated:.1%}).\n  Texts are cut to {length} tokens, "
        f"as {truncated:.1%} of the training texts were.",
        "- 학습 데이터와 다른 글(주제, 말투, 시대)에서는 성능이 떨어질 수 있습니다.\n"
        "  Other topics, styles or times than the training data's may score lower."
        if _has_several(report)
        else "- 학습 데이터와 다른 글(주제, 말투, 시대)에서는 성능이 떨어질 수 있고, 문장 하나에 라벨 하나만 냅니다.\n"
        "  Other topics, styles or times than the training data's may score lower; a text gets one label even where "
        "it has several.",
        "- 사람에 대한 결정이나 진단에 쓰지 마세요.\n  Not for decisions about people or for diagnosis.",
    ]
    if rare:
        names = ", ".join(f"{plain(name)} ({rows})" for name, rows in rare.items())
        lines.insert(
            2,
            f"- 학습 문장이 {_FEW_ROWS}개보다 적은 라벨의 점수는 불확실합니다: {names}.\n  Labels with fewer than "
            f"{_FEW_ROWS} rows have uncertain scores: {names}.",
        )
    return "\n".join(["## 한계 / Limits", "", *lines])


def _last(path: str) -> str:
    """The last part of a path: where a folder lies on somebody's disk is nobody else's business."""
    return plain(path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1])
