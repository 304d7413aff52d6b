"""The checks of the audit on rows with faults planted in known numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from datasets import ClassLabel, Dataset, Features, Value
from planted import rows_to_test, train_rows, write_csv
from transformers import BertConfig

from kobert_hf_emotion.audit import audit_dataset, check_files
from kobert_hf_emotion.audit.report import AuditReport
from kobert_hf_emotion.data.dataset import load_emotion_dataset_with_report
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer


def rows(texts: list[str], labels: list[int] | None = None, **columns: list[str]) -> Dataset:
    features = Features({"text": Value("string")} | {name: Value("string") for name in columns})
    content: dict[str, list[object]] = {"text": list(texts), **{name: list(cells) for name, cells in columns.items()}}
    if labels is not None:
        features["label"] = ClassLabel(names=["bad", "good"])
        content["label"] = list(labels)
    return Dataset.from_dict(content, features=features)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> AuditReport:
    folder = tmp_path_factory.mktemp("planted")
    train, _ = load_emotion_dataset_with_report(write_csv(folder / "train.csv", train_rows(), "cp949"))
    test, _ = load_emotion_dataset_with_report(write_csv(folder / "test.csv", rows_to_test(), "utf-8"))
    return audit_dataset(train, test, n_splits=5)


@pytest.mark.parametrize(
    ("check", "count"),
    [
        ("exact_duplicates", 4),
        ("folded_duplicates", 2),
        ("near_duplicates", 2),
        ("conflicting_labels", 1),
        ("train_test_overlap", 2),
        ("train_test_overlap_folded", 1),
        ("train_test_overlap_near", 2),
        ("classes_below_folds", 0),
    ],
)
def test_counts_what_was_planted(planted: AuditReport, check: str, count: int) -> None:
    finding = planted[check]
    assert finding.value == count
    assert (finding.status == "ok") == (count == 0)
    assert (finding.advice is None) == (count == 0)
    assert len(finding.examples) == min(count, 3)


def test_examples_name_both_rows(planted: AuditReport) -> None:
    first = planted["exact_duplicates"].examples[0]
    # 18 plain rows; the fifth is the one that the first planted row repeats
    assert (first.row, first.other_row, first.value) == (19, 5, "고양이가 무릎 위에서 잠들어 버렸네")
    conflict = planted["conflicting_labels"].examples[0]
    assert (conflict.row, conflict.other_row) == (26, 14)
    assert conflict.value.endswith("→ sad")
    assert conflict.other_value == "→ angry"
    overlap = planted["train_test_overlap"]
    assert [(example.row, example.other_row) for example in overlap.examples] == [(1, 2), (2, 6)]
    assert overlap.details["other_label"] == 1


def test_overlap_and_conflicts_are_problems_by_their_share() -> None:
    texts = [f"{number}번째 손님이 남긴 이야기 {number * 7919}" for number in range(3000)]
    few = rows([*texts, texts[0]], [0, 1] * 1500 + [1])
    report = audit_dataset(few, rows([texts[0]] + [f"평가 문장 {n}번 {n * 104729}" for n in range(1500)]), near=False)
    assert report["conflicting_labels"].status == "notice"  # 2 of 3,001 rows
    assert report["train_test_overlap"].status == "notice"  # 1 of 1,501 rows
    assert report.status == "notice"
    many = audit_dataset(few, rows(texts[:3] + ["새 글"] * 7), near=False)
    assert many["train_test_overlap"].status == "problem"
    assert [finding.check for finding in many.problems] == ["train_test_overlap"]


def test_a_clean_data_set_has_no_findings() -> None:
    report = audit_dataset(rows(["비가 온다", "눈이 그쳤다", "배가 고프다", "잠이 안 온다"], [0, 1, 0, 1]), n_splits=2)
    assert report.status == "ok"
    assert {finding.status for finding in report.findings} == {"ok"}


def test_a_class_needs_as_many_distinct_texts_as_folds() -> None:
    texts = ["비가 온다", "눈이 온다", "해가 떴다", "별로야", "별로야!", "별로야!!"]
    report = audit_dataset(rows(texts, [1, 1, 1, 0, 0, 0]), n_splits=3, near=False)
    finding = report["classes_below_folds"]
    assert (finding.value, finding.status) == (1, "problem")
    assert "bad 2" in finding.found.korean
    assert finding.advice is not None
    assert "--folds 2" in finding.advice.korean
    assert audit_dataset(rows(texts, [1, 1, 1, 0, 0, 0]), n_splits=2, near=False)["classes_below_folds"].value == 0


def test_a_class_needs_as_many_groups_as_folds() -> None:
    data = rows(list("가나다라마바"), [0, 0, 0, 1, 1, 1], group=["a", "a", "b", "a", "b", "c"])
    report = audit_dataset(data, rows(["사", "아"], [0, 1], group=["c", "z"]), n_splits=3)
    assert report["classes_below_folds"].value == 1
    assert (report["train_test_group_overlap"].value, report["train_test_group_overlap"].status) == (1, "notice")


def test_balance_and_absent_classes() -> None:
    report = audit_dataset(rows([str(n) for n in range(22)], [0, 0] + [1] * 20), n_splits=2)
    assert (report["imbalance_ratio"].value, report["imbalance_ratio"].status) == (10.0, "notice")
    only = audit_dataset(rows(["가", "나"], [0, 0]), n_splits=2)["imbalance_ratio"]
    assert only.status == "notice"
    assert only.details["absent"] == ["good"]


def test_pairs_are_duplicates_as_pairs() -> None:
    report = audit_dataset(rows(["가나", "가나", "가나"], text_pair=["다라", "마바", "다라"]))
    assert report["exact_duplicates"].value == 1


def test_tokens(tokenizer: KoBERTTokenizer) -> None:
    texts = ["오늘 정말 행복했어", "🦄" * 4, "아주 긴 글입니다 " * 30, "오늘 정말 행복했어"]
    ids = tokenizer(texts)["input_ids"]
    content = [[token for token in row if token not in (2, 3)] for row in ids]
    report = audit_dataset(rows(texts), tokenizer=tokenizer, config=BertConfig(vocab_size=8002, pad_token_id=1))
    unknown = sum(row.count(tokenizer.unk_token_id) for row in content)
    assert report["unk_share"].value == pytest.approx(unknown / sum(map(len, content)))
    assert report["truncated_share"].value == 0.25
    assert report["truncated_share"].details["longest_tokens"] == max(map(len, ids))
    assert report["truncated_share"].examples[0].row == 3
    assert report["tokenizer_mismatch"].value == 0


def test_texts_that_the_tokenizer_cannot_read_are_a_problem(tokenizer: KoBERTTokenizer) -> None:
    config = BertConfig(vocab_size=8002, pad_token_id=1)
    unreadable = [f"🦄{chr(0x4E00 + n)} 🐉{chr(0x5E00 + n)}" for n in range(30)]
    report = audit_dataset(rows(unreadable), tokenizer=tokenizer, config=config)
    assert report["unk_share"].status == "problem"
    few = audit_dataset(rows(unreadable[:5]), tokenizer=tokenizer, config=config)
    assert few["unk_share"].status == "notice"


@pytest.mark.parametrize("config", [{"vocab_size": 4000}, {"pad_token_id": 0}, {"tokenizer_sha256": "0" * 64}])
def test_a_tokenizer_of_another_model(tokenizer: KoBERTTokenizer, config: dict[str, object]) -> None:
    other = BertConfig(**{"vocab_size": 8002, "pad_token_id": 1} | config)
    finding = audit_dataset(rows(["안녕"]), tokenizer=tokenizer, config=other)["tokenizer_mismatch"]
    assert (finding.value, finding.status) == (1, "problem")


def test_rows_are_left_as_they_are() -> None:
    data = rows(["가", "나", "가"], [0, 1, 0])
    before = data.to_dict()
    audit_dataset(data, data, n_splits=2)
    assert data.to_dict() == before


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_files_examples_are_the_rows_that_were_planted(tmp_path: Path, suffix: str) -> None:
    path = write_csv(tmp_path / "train.csv", [*train_rows()[:3], *rows_to_test()[:2], *train_rows()[-4:]], "utf-8")
    if suffix == "jsonl":
        import pandas as pd

        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        path = tmp_path / "train.jsonl"
        frame.to_json(path, orient="records", lines=True, force_ascii=False)
    _, report = load_emotion_dataset_with_report(path, labels=EMOTION_LABELS)
    found = {finding.check: finding for finding in check_files(report)}
    assert {check: finding.value for check, finding in found.items()} == {
        "encoding": "utf-8", "nfd_texts": 2, "empty_texts": 2, "lone_dots": 1, "empty_labels": 1,
        "label_columns_differ": 0,
    }  # fmt: skip
    rows_of = {check: [example.row for example in finding.examples] for check, finding in found.items()}
    assert rows_of["nfd_texts"] == [4, 5]
    assert rows_of["empty_texts"] == [6, 7]
    assert rows_of["lone_dots"] == [8]
    assert rows_of["empty_labels"] == [9]
    assert found["empty_texts"].status == "problem"  # 4 of 9 rows are lost


def test_nsmc_has_the_overlap_its_readers_know(shared: Path) -> None:
    folder = shared / "data" / "nsmc"
    train, _ = load_emotion_dataset_with_report(folder / "ratings_train.tsv.xz", labels=None)
    test, _ = load_emotion_dataset_with_report(folder / "ratings_test.tsv.xz", labels=None)
    report = audit_dataset(train, test, near=False)
    assert 100 * report["train_test_overlap"].value / len(test) == pytest.approx(3.1, abs=0.05)
