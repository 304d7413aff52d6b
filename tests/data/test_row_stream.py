"""Files predicted in chunks: the rows, counts, errors and figures of files read whole, in constant memory."""

from __future__ import annotations

import csv
import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sentences import sentences, write_seed_csv
from sklearn.metrics import accuracy_score, classification_report, f1_score, log_loss

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.data.dataset import load_emotion_dataset_with_report
from kobert_hf_emotion.data.row_stream import open_rows
from kobert_hf_emotion.data.tables import open_table, read_table
from kobert_hf_emotion.errors import DataError
from kobert_hf_emotion.inference.files import predict_rows
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.tasks.single_label import SingleLabel

PAIRS = sentences(9)
MESSY = [
    ("", "happy"), (" .", "sad"), ("\u200b", "sad"), *PAIRS[:20],
    ("줄\n바꿈, 쉼표 \"따옴표\"", "fear"), ("가\u0301 \u1100\u1161", "angry"), ("라벨 없음", ""), *PAIRS[20:],
]  # fmt: skip


def frame(pairs: list[tuple[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(
        {"ID": range(len(pairs)), "Text": [t for t, _ in pairs], "Label": [label for _, label in pairs]}
    )


def write(path: Path, pairs: list[tuple[str, str]]) -> Path:
    table = frame(pairs)
    name = path.name
    if name.endswith(".parquet"):
        table.to_parquet(path)
    elif name.endswith(".xlsx"):
        table.to_excel(path, index=False)
    elif ".jsonl" in name:
        table.to_json(path, orient="records", lines=True, force_ascii=False)
    else:
        encoding = {"cp949": "cp949", "utf16": "utf-16", "bom": "utf-8-sig"}.get(path.name.split(".")[0], "utf-8")
        text = table.to_csv(index=False, sep="\t" if ".tsv" in name else ",", lineterminator="\n")
        content = text.encode(encoding, errors="ignore" if encoding == "cp949" else "strict")
        if name.endswith(".gz"):
            import gzip

            content = gzip.compress(content)
        path.write_bytes(content)
    return path


FILES = [
    *("a.csv", "a.tsv", "a.csv.gz", "cp949.csv", "utf16.csv", "bom.csv", "a.jsonl", "a.parquet", "a.xlsx"),
]


@pytest.mark.parametrize("name", FILES)
def test_chunks_are_the_rows_of_the_whole_file(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, MESSY)
    dataset, report = load_emotion_dataset_with_report(path, require_labels=False)
    rows = open_rows(path, EMOTION_LABELS, chunk_rows=7)
    assert rows.report == report
    chunks = list(rows.chunks(7))
    assert max(map(len, chunks)) <= 7
    streamed = pd.concat(chunks, ignore_index=True)
    for column in ("row", "id", "text"):
        assert streamed[column].tolist() == list(dataset[column])
    assert [None if pd.isna(label) else label for label in streamed["label"]] == list(dataset["label"])


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_table_in_chunks(tmp_path: Path, name: str, size: int) -> None:
    path = write(tmp_path / name, MESSY)
    whole = read_table(path)
    chunks = list(open_table(path).chunks(size))
    pd.testing.assert_frame_equal(pd.concat([chunk.frame for chunk in chunks], ignore_index=True), whole.frame)
    sizes = [len(chunk.frame) for chunk in chunks]
    assert [chunk.first_row - whole.first_row for chunk in chunks] == [sum(sizes[:i]) for i in range(len(sizes))]


def test_blank_rows_count_in_the_middle_and_not_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\n\nText,Label\n좋아,5\n\n,\n싫어,6\n\n,\n", encoding="utf-8")
    for size in (1, 2, 100):
        assert sum(len(chunk.frame) for chunk in open_table(tmp_path / "a.csv").chunks(size)) == 4
        report = open_rows(tmp_path / "a.csv", EMOTION_LABELS, chunk_rows=size).report
        assert (report.rows_read, report.rows_kept, report.dropped) == (4, 2, {"empty_text": 2})


@pytest.mark.parametrize("late", [10, 5000])
def test_cp949_is_found_however_late_it_shows(tmp_path: Path, late: int) -> None:
    """An ASCII beginning of megabytes fits UTF-8; only the whole file tells."""
    lines = ["Text", *(["a" * 400] * late), "마지막 줄만 한글입니다"]
    (tmp_path / "a.csv").write_bytes("\n".join(lines).encode("cp949"))
    rows = open_rows(tmp_path / "a.csv", EMOTION_LABELS)
    assert rows.report.encodings == ("cp949",)
    assert [*rows.chunks()][-1]["text"].iloc[-1] == lines[-1]


def test_a_character_cut_by_a_block_is_no_error(tmp_path: Path) -> None:
    text = "Text\n" + "\n".join("가나다" * 50 for _ in range(5000))  # 2.2 MB of three-byte characters
    (tmp_path / "a.csv").write_bytes(text.encode())
    assert open_table(tmp_path / "a.csv").encoding == "utf-8"


def test_unknown_labels_are_counted_over_all_chunks(tmp_path: Path) -> None:
    pairs = [(f"문장 {i}", "기쁘다요" if i % 10 == 9 else "happy") for i in range(100)]
    path = write(tmp_path / "a.csv", pairs)
    with pytest.raises(DataError) as whole:
        load_emotion_dataset_with_report(path)
    with pytest.raises(DataError) as streamed:
        open_rows(path, EMOTION_LABELS, chunk_rows=8)
    assert str(streamed.value) == str(whole.value)


def test_labels_that_contradict_each_other_are_counted_over_all_chunks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lines = ["Emotion,Label,Text", *(f"{'sad' if i % 4 == 0 else 'happy'},5,문장 {i}" for i in range(40))]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        assert open_rows(tmp_path / "a.csv", EMOTION_LABELS, chunk_rows=8).report.label_conflicts == 10
    [record] = caplog.records
    assert f"10 of 40 rows (first in {tmp_path / 'a.csv'}, row 2" in record.getMessage()


class Fixed:
    """Logits that depend on a text alone."""

    task = SingleLabel()

    @property
    def labels(self) -> list[str]:
        return list(EMOTION_LABELS)

    def predict_logits(
        self, texts: list[str], pairs: object = None, size: int = 64, unknown: object = None
    ) -> np.ndarray:
        rows = [np.random.default_rng(list(text.encode())).normal(size=7) for text in texts]
        return np.asarray(rows, dtype=np.float32)


def test_figures_are_those_of_scikit_learn(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", MESSY)
    dataset, _ = load_emotion_dataset_with_report(path, require_labels=False)
    known = [(text, label) for text, label in zip(dataset["text"], dataset["label"], strict=True) if label is not None]
    logits = Fixed().predict_logits([text for text, _ in known])
    truth, predicted = np.array([label for _, label in known]), logits.argmax(1)

    done: list[int] = []
    found = predict_rows(Fixed(), open_rows(path, EMOTION_LABELS, chunk_rows=10), on_progress=done.append)
    assert (sum(done), found.rows, found.labelled) == (len(dataset), len(dataset), len(known))
    scores = found.scores()
    assert scores.accuracy == pytest.approx(accuracy_score(truth, predicted))
    assert scores.macro_f1 == pytest.approx(f1_score(truth, predicted, average="macro"))
    assert scores.weighted_f1 == pytest.approx(f1_score(truth, predicted, average="weighted"))
    probabilities = softmax(logits.astype(np.float64), axis=1)
    assert scores.log_loss == pytest.approx(log_loss(truth, probabilities, labels=range(7)), rel=1e-6)
    names = {"target_names": list(EMOTION_LABELS), "zero_division": 0}
    assert found.table_report() == classification_report(truth, predicted, output_dict=True, **names)
    assert found.text_report() == classification_report(truth, predicted, digits=4, **names)


def test_rows_are_written_in_their_order(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", MESSY)
    predict_rows(Fixed(), open_rows(path, EMOTION_LABELS, chunk_rows=6), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    dataset, _ = load_emotion_dataset_with_report(path, require_labels=False)
    assert [row["text"] for row in rows] == list(dataset["text"])
    assert [int(row["row"]) for row in rows] == list(dataset["row"])
    assert [row["label"] for row in rows] == [
        "" if label is None else EMOTION_LABELS[label] for label in dataset["label"]
    ]
    for row in rows:
        expected = softmax(Fixed().predict_logits([row["text"]])[0].astype(np.float64))
        assert [float(row[f"prob_{name}"]) for name in EMOTION_LABELS] == pytest.approx(expected, abs=1e-6)
        assert row["prediction"] == EMOTION_LABELS[int(expected.argmax())]


def test_a_failure_leaves_the_old_predictions(tmp_path: Path) -> None:
    class Breaks(Fixed):
        def predict_logits(
            self, texts: list[str], pairs: object = None, size: int = 64, unknown: object = None
        ) -> np.ndarray:
            raise MemoryError

    (tmp_path / "out.csv").write_text("old", encoding="utf-8")
    rows = open_rows(write(tmp_path / "a.csv", PAIRS), EMOTION_LABELS)
    with pytest.raises(MemoryError):
        predict_rows(Breaks(), rows, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "out.csv"]


def test_the_command_on_a_file_without_a_known_label(
    capsys: pytest.CaptureFixture[str], tiny_model_folder: Path, tmp_path: Path
) -> None:
    write_seed_csv(tmp_path / "a.csv", [(text, "happy") for text, _ in PAIRS])
    output = tmp_path / "p.csv"
    arguments = ["predict", str(tiny_model_folder), str(tmp_path / "a.csv"), "--output", str(output), "--json"]
    assert main(arguments) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["data"]["label_counts"]["happy"] == found["rows"] == len(PAIRS)
    assert set(found["scores"]) == {"rows", "accuracy", "macro_f1", "weighted_f1", "log_loss"}
    assert "\x1b[" not in captured.err, "no progress bar but on a terminal"
    assert main([*arguments, "--ignore-labels"]) == 0
    assert "scores" not in json.loads(capsys.readouterr().out)
    assert "label" not in output.read_text(encoding="utf-8-sig").splitlines()[0].split(",")
