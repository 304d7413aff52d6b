"""KEMDy as it is handed out: two header rows, CP949, annotators' columns, and ids that tell conversation and order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kobert_hf_emotion.data.dataset import load_emotion_dataset, load_emotion_dataset_with_report
from kobert_hf_emotion.data.label_ids import votes_of
from kobert_hf_emotion.data.turns import Turns
from kobert_hf_emotion.errors import DataError

SIGNALS = "Numb,Wav,,ECG,,E4-EDA,,E4-TEMP,,Segment ID,Text,Total Evaluation,,"
STARTS = " ,start,end,start,end,start,end,start,end,,,Emotion,Valence,Arousal"
ANNOTATORS = ["Eval01F", "Eval02M", "Eval03F", "Eval04M"]
SAID = ("그랬구나", "정말 놀랐어", "마음이 무겁네", "고마워")
EMOTIONS = ("neutral", "surprise", "sad", "happy")


def write(path: Path, encoding: str = "cp949", scenes: int = 3) -> Path:
    """Writes lines of several scenes, in no order, with what four people heard in each."""
    head = [SIGNALS + "".join(f",{name},," for name in ANNOTATORS), STARTS + ",Emotion,Valence,Arousal" * 4]
    lines = []
    for scene in range(scenes):
        for number, (text, emotion) in enumerate(zip(SAID, EMOTIONS, strict=True)):
            heard = [emotion, emotion, "neutral", f"{emotion};angry"]
            cells = [f"{scene}{number}", *["0.1"] * 8, f"Sess19_script0{scene}_{'MF'[number % 2]}{number:03}"]
            cells += [f"{text} {scene}", emotion, "3.1", "2.9"]
            lines.append(",".join([*cells, *(f"{one},3,3" for one in heard)]))
    path.write_bytes("\n".join([*head, *reversed(lines), ""]).encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["cp949", "utf-8-sig"])
def test_votes_and_turns_are_read_without_a_column_being_named(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "Sess19_eval.csv", encoding)
    rows, report = load_emotion_dataset_with_report(path, task="soft", turns=Turns(2))
    assert report.encodings[0] in ("cp949", "utf-8-sig")
    assert report.reading[0].layout == "kemdy"
    assert rows["text"][:][-1] == "그랬구나 0"
    before = dict(zip(rows["text"][:], rows["text_pair"][:], strict=True))
    assert before["고마워 1"] == "정말 놀랐어 1 마음이 무겁네 1"
    assert before["그랬구나 2"] == ""
    assert set(rows["conversation"][:]) == {f"Sess19_script0{scene}" for scene in range(3)}
    votes = dict(zip(rows["text"][:], votes_of(rows).tolist(), strict=True))
    named = dict(zip(rows.features["label"], votes["정말 놀랐어 0"], strict=True))
    assert {name: count for name, count in named.items() if count} == {"surprise": 2.5, "neutral": 1, "angry": 0.5}


def test_the_joint_judgement_is_one_label(tmp_path: Path) -> None:
    rows = load_emotion_dataset(write(tmp_path / "a.csv"), context=1, layout="kemdy")
    assert [rows.features["label"].int2str(label) for label in rows["label"][:4]] == list(reversed(EMOTIONS))
    assert np.unique(rows["conversation"][:]).size == 3


def test_the_file_of_the_shared_folder(shared: Path) -> None:
    path = shared / "situations" / "Sess01_eval.csv"
    with pytest.raises(DataError, match="Segment ID") as caught:
        load_emotion_dataset(path, task="soft", context=2)
    assert "Text" in str(caught.value)
