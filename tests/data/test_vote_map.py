"""Maps of labels on files of votes: what each names means the same label however the votes are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kobert_hf_emotion import load_emotion_dataset_with_report
from kobert_hf_emotion.data.label_kinds import label_kind, settled
from kobert_hf_emotion.data.label_map import LabelMap
from kobert_hf_emotion.data.label_values import label_values
from kobert_hf_emotion.data.row_stream import open_rows
from kobert_hf_emotion.data.votes import translated_annotations
from kobert_hf_emotion.errors import DataError

TEXTS = ["문을 세게 닫았다", "상을 받았다", "비가 와서 못 갔다", "버스를 탔다"]
NAMED = [["짜증", "분노", "짜증"], ["행복", "글쎄", "행복"], ["슬픔", "우울", "행복"], ["글쎄", "글쎄", "글쎄"]]
MAP = {"짜증": "angry", "우울": "sad", "글쎄": None}
MEANT = [{"angry": 3.0}, {"happy": 2.0}, {"sad": 2.0, "happy": 1.0}]
VALUES = ["분노", "슬픔", "행복", "짜증", "우울", "글쎄"]
WAYS: dict[str, dict[str, list[Any]]] = {
    "annotators": {f"평가자{index}": [row[index] for row in NAMED] for index in range(3)},
    "objects": {"label": [json.dumps({name: row.count(name) for name in row}, ensure_ascii=False) for row in NAMED]},
    "names": {"label": [json.dumps(row, ensure_ascii=False) for row in NAMED]},
    "columns": {name: [row.count(name) for row in NAMED] for name in VALUES},
}


def write(path: Path, way: str) -> Path:
    pd.DataFrame({"text": TEXTS, **WAYS[way]}).to_csv(path, index=False)
    return path


def settings(way: str) -> dict[str, Any]:
    """Annotators with unknown labels are no columns that can be guessed; columns need a label each."""
    named = {"label_column": ",".join(WAYS[way])} if way == "annotators" else {}
    return named | {"task": "soft", "labels": ["angry", "sad", "happy"]}


@pytest.mark.parametrize("way", list(WAYS))
def test_a_map_settles_what_is_voted_for(tmp_path: Path, way: str) -> None:
    path = write(tmp_path / "rows.csv", way)
    rows, report = load_emotion_dataset_with_report(path, label_map=MAP, **settings(way))
    assert [{name: votes for name, votes in row.items() if votes} for row in rows["label"]] == MEANT
    assert report.dropped == {"mapped_to_none": 1}
    reading = report.labels_read
    assert reading is not None
    assert reading.mapped == {
        "angry": {"짜증": 1},
        "sad": {"우울": 1},
        "": {"글쎄": 2},
    }
    assert "votes left out" in report.summary()


def test_annotations_of_two_labels_are_settled_each() -> None:
    label_map = LabelMap("map.csv", ("짜증", "글쎄"), ("angry", ""))
    cells = ['{"a": "짜증;행복", "b": "글쎄", "c": "행복"}', '{"a": "글쎄"}']
    assert translated_annotations(cells, label_map) == ['{"a": "[\\"angry\\", \\"행복\\"]", "c": "행복"}', "{}"]


def test_annotations_are_settled_as_well(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", "annotators")
    rows, _ = load_emotion_dataset_with_report(path, label_map=MAP, **settings("annotators"))
    assert [json.loads(cell) for cell in rows["annotations"][:2]] == [
        {"평가자0": "angry", "평가자1": "분노", "평가자2": "angry"},
        {"평가자0": "행복", "평가자2": "행복"},
    ]


@pytest.mark.parametrize("way", ["annotators", "objects", "names"])
def test_rows_with_an_unknown_vote_are_an_error_or_left_out(tmp_path: Path, way: str) -> None:
    path = write(tmp_path / "rows.csv", way)
    partly = {name: label for name, label in MAP.items() if name != "우울"}
    with pytest.raises(DataError, match="우울"):
        load_emotion_dataset_with_report(path, label_map=partly, **settings(way))
    rows, report = load_emotion_dataset_with_report(path, label_map=partly, unknown_label="drop", **settings(way))
    assert rows["row"][:] == [1, 2]
    assert report.dropped == {"unknown_label": 1, "mapped_to_none": 1}


def test_unknown_votes_lead_to_a_map(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    pd.DataFrame({"text": TEXTS, "label": ["분노;짜증", "행복", "슬픔;행복", "분노"]}).to_csv(path, index=False)
    with pytest.raises(DataError) as error:
        load_emotion_dataset_with_report(path, task="soft")
    mend = {name: value for name, value in error.value.mend.items() if name not in ("train_file", "test_file")}
    assert mend == {"write_label_map": "label_map.csv", "task": "soft"}
    proposed = {found.value: (found.label, found.rows) for found in label_values(path, task="soft")}
    assert proposed == {"분노": ("angry", 2), "슬픔": ("sad", 1), "행복": ("happy", 2), "짜증": ("", 1)}


def test_rows_of_a_stream_are_read_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", "columns")
    kind = settled(label_kind("soft"), MAP, "drop")
    rows = open_rows(path, labels=["angry", "sad", "happy"], kind=kind)
    [frame] = rows.chunks()
    truth = kind.truth(frame["label"], ["angry", "sad", "happy"])
    assert truth[:3].round(3).tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.667, 0.333]]
    assert (truth[3] < 0).all()


def test_lists_of_numbers_stay_in_the_order_of_the_labels(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    pd.DataFrame({"text": TEXTS, "label": ["[1, 0, 2]", "[3, 0, 0]", "[0, 1, 0]", "[1, 1, 1]"]}).to_csv(
        path, index=False
    )
    rows, _ = load_emotion_dataset_with_report(path, label_map=MAP, **settings("objects"))
    assert rows["label"][0] == {"angry": 1.0, "sad": 0.0, "happy": 2.0}


def test_two_levels_are_for_one_label_a_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one label a text"):
        load_emotion_dataset_with_report(write(tmp_path / "a.csv", "objects"), task="soft", fine_label_column="label")
