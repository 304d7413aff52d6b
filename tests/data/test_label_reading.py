"""What is said of how labels and columns were read: whole files, chunks, the command line."""

from __future__ import annotations

import csv
import json
import logging
import random
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from kobert_hf_emotion.audit import check_reading
from kobert_hf_emotion.cli import main
from kobert_hf_emotion.data.dataset import load_emotion_dataset, load_emotion_dataset_with_report
from kobert_hf_emotion.data.report import LoadReport
from kobert_hf_emotion.data.row_stream import open_rows
from kobert_hf_emotion.errors import DataError
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.wording import Doubt

SIX = ("기쁨", "당황", "분노", "불안", "상처", "슬픔")


def write(path: Path, labels: Sequence[object], header: str = "문장,감정") -> Path:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(header.split(","))
        writer.writerows([f"오늘 있었던 {number}번째 일", label] for number, label in enumerate(labels))
    return path


def table(path: Path, header: str, *rows: Sequence[object]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([header.split(","), *rows])
    return path


def load(path: Path, **options: object) -> LoadReport:
    return load_emotion_dataset_with_report(path, **options)[1]


def test_two_numbers_on_seven_emotions_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "nsmc.csv", [0, 1, 1] * 4)
    report = load(path)
    read = report.labels_read
    assert read is not None
    assert read.doubtful
    assert read.numbers == {"0": 4, "1": 8}
    assert read.absent == ("angry", "sad", "neutral", "happy", "disgust")
    for words in ("0 → fear 4", "1 → surprise 8", "`labels`", "auto", "angry, sad"):
        assert words in report.summary()
    with caplog.at_level(logging.WARNING):
        load_emotion_dataset(path)
    assert "1 → surprise 8" in caplog.text
    streamed = open_rows(path, EMOTION_LABELS, chunk_rows=5).report
    assert streamed == report


def test_so_are_those_of_a_model_with_names_of_its_own(tmp_path: Path) -> None:
    report = open_rows(write(tmp_path / "a.csv", [0, 1, 0, 1]), SIX).report
    assert "0 → 기쁨 2, 1 → 당황 2" in report.summary()
    assert report.labels_read is not None
    assert report.labels_read.absent == ("분노", "불안", "상처", "슬픔")


@pytest.mark.parametrize("numbers", [range(1, 7), ["1.0", "2.0", "5.0"], [" 1", "２", "3"]])
def test_numbers_from_one_are_ambiguous(tmp_path: Path, numbers: Sequence[object]) -> None:
    summary = load(write(tmp_path / "a.csv", list(numbers) * 2)).summary()
    assert "1부터 센 번호이거나" in summary
    assert "count from 1 or belong to another set" in summary
    assert "1 → surprise 2" in summary


@pytest.mark.parametrize("rows", [5, 16_400])
def test_ids_from_one_that_do_not_fit_name_the_scheme(tmp_path: Path, rows: int) -> None:
    path = write(tmp_path / "a.csv", [1 + number % 7 for number in range(7 * rows // 5)])
    for read in (lambda: load(path), lambda: open_rows(path, EMOTION_LABELS, chunk_rows=4096)):
        with pytest.raises(DataError) as caught:
            read()
        assert "They seem to count from 1" in caught.value.english
        assert "1부터 센 번호로 보입니다" in caught.value.korean
        assert f"7 {7 * rows // 5 // 7:,}" in caught.value.english
        assert caught.value.mend == {"labels": "auto"}
    assert load(path, labels="auto").label_counts.keys() == set("1234567")


def test_stars_to_ten_are_another_scheme(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="another set of labels") as caught:
        load(write(tmp_path / "a.csv", range(1, 11)))
    assert "10 1" in caught.value.english


def test_numbers_that_fill_every_label_are_said_and_not_doubted(tmp_path: Path) -> None:
    report = load(write(tmp_path / "a.csv", range(7)))
    assert report.labels_read is not None
    assert not report.labels_read.doubtful
    assert "6 → disgust 1" in report.summary()
    assert [finding.status for finding in check_reading(report) if finding.check == "label_numbers"] == ["ok"]


def test_a_column_of_names_bears_numbers_out(tmp_path: Path) -> None:
    rows = [[f"문장 {number}", name, label] for number, (name, label) in enumerate([("행복", 5), ("sad", 3)] * 4)]
    report = load(table(tmp_path / "a.csv", "Text,Emotion,Label", *rows))
    assert report.labels_read is not None
    assert report.labels_read.confirmed == 8
    assert not report.labels_read.doubtful
    assert "부터" not in report.summary()


def test_columns_that_disagree_are_said_with_counts(tmp_path: Path) -> None:
    rows = [
        [f"문장 {n}", name, n % 7]
        for n, name in enumerate(["슬픔", "행복", "공포", "분노", "중립", "혐오", "놀람"] * 3)
    ]
    path = table(tmp_path / "dis.csv", "Text,Emotion,Label", *rows)
    report = load(path)
    assert report.label_conflicts == 18
    assert report.labels_read is not None
    assert report.labels_read.second["fear"] == {"슬픔": 3}
    assert "fear ↔ 슬픔 3" in report.summary()
    assert "neutral" not in report.labels_read.second
    assert load(path, labels="auto").labels_read.second["0"] == {"슬픔": 3}  # type: ignore[union-attr]
    assert open_rows(path, EMOTION_LABELS, chunk_rows=4).report.labels_read == report.labels_read


EMPTY = ["", "nan", "NaN", "\\N", "#NAME?", "NULL", "-"]


def test_empty_labels_are_counted_by_what_the_cell_holds(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [*EMPTY, "nan", "행복", "슬픔"])
    for labels in (EMOTION_LABELS, None):
        report = load(path, labels=labels)
        assert report.dropped == {"empty_label": 8}
        assert report.labels_read is not None
        assert report.labels_read.empty == {"nan": 2, "": 1, "NaN": 1, "\\N": 1, "#NAME?": 1, "NULL": 1, "-": 1}
        assert "nan 2, #NAME? 1" in report.summary()
    assert list(load(path, labels=None).label_counts) == ["슬픔", "행복"]
    streamed = open_rows(path, EMOTION_LABELS, chunk_rows=3)
    assert (streamed.report.rows_kept, streamed.report.label_counts["happy"]) == (10, 1)
    assert streamed.report.labels_read == load(path, require_labels=False).labels_read


def test_one_class_a_name_and_what_was_joined_is_said(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "행복")
    cells = [
        "행복",
        "행복",
        "행복\u200b",
        "\ufeff행복",
        "행복\xa0",
        decomposed,
        "행복(1)",
        "Sad",
        "sad",
        "Sad",
        "ＳＡＤ",
    ]
    report = load(write(tmp_path / "a.csv", cells), labels=None)
    assert report.label_counts == {"Sad": 4, "행복": 7}
    assert report.labels_read is not None
    assert report.labels_read.spellings["Sad"] == {"sad": 1, "ＳＡＤ": 1}
    assert report.labels_read.spellings["행복"] == {
        "\\ufeff행복": 1, "행복 (NFD)": 1, "행복\\u200b": 1, "행복\\xa0": 1
    }  # fmt: skip
    assert report.labels_read.ids_beside == {"행복": {"행복(1)": 1}}
    assert "행복\\u200b → 행복 1" in report.summary()
    [finding] = [finding for finding in check_reading(report) if finding.check == "label_spellings"]
    assert (finding.value, finding.status) == (7, "notice")


def test_order_and_chunks_change_nothing(tmp_path: Path) -> None:
    cells = ["Happy", "happy", "행복", "기쁨(5)", "5", "3", "nan", "", "슬픔", "SAD\u200b", "0: fear"] * 3
    shuffled = cells[:]
    random.Random(3).shuffle(shuffled)
    one, other = (load(write(tmp_path / f"{i}.csv", c), require_labels=False) for i, c in enumerate((cells, shuffled)))
    assert one.labels_read == other.labels_read
    assert repr(one.labels_read) == repr(other.labels_read)  # also in the order in which it is said
    for rows in (1, 4, 100):
        assert open_rows(tmp_path / "0.csv", EMOTION_LABELS, chunk_rows=rows).report == one


def test_unknown_labels_are_listed_with_what_they_may_be(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ["중립"] * 9 + ["ㅈ중립", "중림", "중림", "ㅍ"])
    with pytest.raises(DataError) as caught:
        load(path)
    assert "중림 2 (Did you mean '중립'?)" in caught.value.english
    assert "ㅈ중립 1 (혹시 '중립'인가요?)" in caught.value.korean
    assert caught.value.mend == a_map_of(path)  # auto would make labels of typos
    assert "auto" in caught.value.english, "one value is like no label"
    with pytest.raises(DataError) as caught:
        load(write(tmp_path / "b.csv", ["긍정", "부정"]))
    assert caught.value.mend == {"labels": "auto"}
    assert caught.value.otherwise == a_map_of(tmp_path / "b.csv"), "where labels are a finished model's"


def a_map_of(path: Path) -> dict[str, object]:
    return {"write_label_map": "label_map.csv", "train_file": str(path), "test_file": None}


@pytest.mark.parametrize(
    "cells",
    [
        ["happyy"],
        ["happyy", "ㅈ중립", "happy"],
        ["happyy", "happyy", "angryy", "sad"],
        ["happyy", "짜증이 남"],
        ["행복 ㅎ", "슬픔ㅁ", "5", "3"],
    ],
    ids=", ".join,
)
def test_slips_of_the_pen_never_become_labels_however_many_they_are(tmp_path: Path, cells: list[str]) -> None:
    path = write(tmp_path / "a.csv", cells)
    with pytest.raises(DataError) as caught:
        load(path)
    assert caught.value.mend == a_map_of(path)
    assert ("auto" in str(caught.value)) == ("짜증이 남" in cells)
    assert "`label_map`" in caught.value.english


@pytest.mark.parametrize(
    ("cells", "is_scheme"),
    [
        ([*"0123456"] * 3 + ["7", "7"], True),
        ([*"0123456"] * 3 + ["66"], False),
        ([*"1234567"], True),
        (["행복"] * 9 + ["77"], False),
        (["행복"] * 9 + [*"1234567"] * 2, True),
    ],
)
def test_a_few_odd_numbers_are_no_other_scheme(tmp_path: Path, cells: list[str], is_scheme: bool) -> None:
    path = write(tmp_path / "a.csv", cells)
    with pytest.raises(DataError) as caught:
        load(path)
    assert caught.value.mend == ({"labels": "auto"} if is_scheme else a_map_of(path))


def test_what_a_map_does_not_know_is_left_out_or_mapped_anew(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ["긍정", "부정", "긍정", "부졍"])
    with pytest.raises(DataError) as caught:
        load(path, label_map={"긍정": "happy", "부정": "sad"})
    assert caught.value.mend == {"unknown_label": "drop"}
    with pytest.raises(DataError) as caught:
        load(path, label_map={"good": "happy", "bad": "sad"})
    assert caught.value.mend == a_map_of(path) | {"label_map": None}, "the map is one of other files"


def test_a_slip_of_the_pen_in_a_map_never_becomes_a_label(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ["긍정", "부정"])
    with pytest.raises(DataError, match="Did you mean 'happy'") as caught:
        load(path, label_map={"긍정": "happyy", "부정": "sad"})
    assert caught.value.mend == {"write_label_map": "label_map.csv", "label_map": None}
    assert "auto" not in str(caught.value)
    with pytest.raises(DataError, match="use `labels` auto") as caught:
        load(path, label_map={"긍정": "호의", "부정": "반감"}, labels=["좋음", "싫음"])
    assert caught.value.mend == {"labels": "auto"}
    assert caught.value.otherwise == {
        "write_label_map": "label_map.csv", "labels": "좋음,싫음", "label_map": None
    }  # fmt: skip


def test_names_given_as_one_string_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ["부정", "긍정"])
    assert list(load(path, labels=" Auto").label_counts) == ["긍정", "부정"]
    for labels in ("부정", "부정,긍정", ["부정", ""], ["부정", "부정\u200b"], ["1", "1.0"], []):
        with pytest.raises(DataError):
            load(path, labels=labels)


@pytest.mark.parametrize("text", ["#NAME?", "#N/A", " #REF! ", "#Value!"])
def test_texts_that_excel_destroyed_are_left_out_and_said(tmp_path: Path, text: str) -> None:
    path = table(
        tmp_path / "a.csv", "text,label", [text, "슬픔"], ["#해시태그 좋아", "행복"], ["nan", "행복"], ["NULL", 3]
    )
    report = load(path)
    assert report.dropped == {"excel_error": 1}
    assert "엑셀 오류 1" in report.summary()
    assert report.null_texts == {"NULL": 1, "nan": 1}
    assert "NULL 1, nan 1" in report.summary()
    assert open_rows(path, EMOTION_LABELS, chunk_rows=1).report == load(path, require_labels=False)
    found = {finding.check: finding for finding in check_reading(report)}
    assert [example.row for example in found["excel_errors"].examples] == [1]
    assert found["null_texts"].value == 2


@pytest.mark.parametrize(
    ("texts", "bare"),
    [
        (["2020-01-01 00:00:00", "3", "1,5%", "오늘은 좋다"], 3),
        (["😀", "!!", "...?", "^^"], 4),
        (["12", "34", "가", "ㅋㅋ"], None),
        (["ㅠㅠ", "ㅇㅇ", "LOL", "嬉"], None),
    ],
)
def test_texts_without_a_letter_are_doubted_where_they_are_most(
    tmp_path: Path, texts: list[str], bare: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.csv"
    pd.DataFrame({"text": texts, "label": ["happy"] * len(texts)}).to_csv(path, index=False)
    report = load(path)
    streamed = open_rows(path, EMOTION_LABELS, chunk_rows=1).report
    for notes in (report.notes, streamed.notes):
        if bare is None:
            assert notes == ()
            continue
        [doubt] = notes
        assert isinstance(doubt, Doubt)
        assert doubt.english == (
            f"{path}: {bare} of 4 texts have no letter at all (the first is {texts[0]!r}). Where another column holds "
            "the texts, name it with `text_column`."
        )
        assert f"글 4개 중 {bare}개에는 글자가 하나도 없습니다(처음은 {texts[0]!r})" in doubt.korean
    assert caplog.text.count("no letter at all") == (0 if bare is None else 2)


@pytest.mark.parametrize(
    "names", ["content,문장내용", "문장,대화내용", "sentence,발화문", "text,댓글 내용", "리뷰,TEXT"]
)
def test_no_choice_between_columns_that_are_both_called_as_texts(tmp_path: Path, names: str) -> None:
    path = table(tmp_path / "a.csv", f"{names},label", ["아침부터 비가 왔다", "우산을 두고 왔다", 3])
    for read in (lambda: load(path), lambda: open_rows(path, EMOTION_LABELS)):
        with pytest.raises(DataError, match="several fit") as caught:
            read()
        assert all(name in str(caught.value) for name in names.split(","))
        assert caught.value.mend["text_column"] in names.split(",")


def test_the_columns_are_always_said(tmp_path: Path) -> None:
    rows = [["1", "비가 온다", "슬픔", "가", "그래", "x"], ["2", "눈이 온다", "행복", "나", "응", "y"]]
    path = table(tmp_path / "a.csv", "ID,본문,감정,화자,답,메모", *rows)
    summary = load(path, text_pair_column="답", group_column="화자").summary()
    words = (
        "글(text) '본문' 추측(guessed); 둘째 글(text_pair) '답'; 레이블(label) '감정' 추측(guessed); 그룹(group) '화자'"
    )
    assert words in summary
    assert "쓰지 않음(unused): 메모" in summary
    named = load(path, text_column="본문", label_column="감정").summary()
    assert "글(text) '본문';" in named
    assert "guessed" not in named


def test_a_guess_says_what_else_would_fit(tmp_path: Path) -> None:
    rows = [[f"{n}번 손님 이야기", f"원래 쓴 {n}번 이야기", "슬픔" if n % 5 == 0 else "", "슬픔"] for n in range(10)]
    path = table(tmp_path / "le.csv", "text,text_raw,label,감정_최종", *rows)
    report = load(path)
    assert report.columns[0].rivals == {"text": ("text_raw",), "label": ("감정_최종",)}
    assert report.labels_read is not None
    assert report.labels_read.second_alone == 8
    for words in ("others that fit): text_raw", "others that fit): 감정_최종", "second column is not): 8"):
        assert words in report.summary()
    found = {finding.check: finding for finding in check_reading(report)}
    assert (found["columns"].status, found["second_label_alone"].value) == ("notice", 8)
    assert open_rows(path, EMOTION_LABELS, chunk_rows=1).report.columns == report.columns


@pytest.mark.parametrize("name", ["감정_강도", "label_confidence", "text_length", "문장_번호", "감정코드"])
def test_numbers_beside_a_column_are_no_rival(tmp_path: Path, name: str) -> None:
    rows = [[f"{n}번 손님 이야기", "슬픔", n / 8] for n in range(8)]
    assert load(table(tmp_path / "a.csv", f"text,label,{name}", *rows)).columns[0].rivals == {}


def test_a_guess_looks_at_the_same_rows_whatever_the_chunks(tmp_path: Path) -> None:
    rows = [["비가 온다", 3, ""], ["눈이 온다", "", "행복"], ["해가 떴다", 5, "기쁨"]]
    path = table(tmp_path / "a.csv", "text,label,emotion", *rows)
    columns = load(path, require_labels=False).columns
    assert columns[0].label == "label"
    assert open_rows(path, EMOTION_LABELS, chunk_rows=1).report.columns == columns


def test_the_commands_say_it(capsys: pytest.CaptureFixture[str], tiny_model_folder: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "nsmc.csv", [0, 1] * 10)
    assert main(["predict", str(tiny_model_folder), str(path), "--json"]) == 0
    captured = capsys.readouterr()
    assert "0 → fear 10, 1 → surprise 10" in captured.err
    assert "글(text) '문장' 추측(guessed)" in captured.err
    assert json.loads(captured.out)["data"]["labels_read"]["numbers"] == {"0": 10, "1": 10}
    assert main(["test", str(tiny_model_folder), str(path)]) == 0
    assert "0 → fear 10, 1 → surprise 10" in capsys.readouterr().err


@pytest.mark.slow
def test_doctor_finds_numbers_of_another_scheme(
    capsys: pytest.CaptureFixture[str], tiny_model_folder: Path, tmp_path: Path
) -> None:
    options = ["--model", str(tiny_model_folder), "--folds", "2", "--json"]
    path = write(tmp_path / "nsmc.csv", [0, 1] * 10)
    assert main(["doctor", str(path), *options]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["problems"] == ["label_numbers"]
    assert found["label_numbers"] == 5
    for words in ("0 → fear 10", "angry"):
        assert all(
            words in found_in
            for f in found["findings"]
            if f["check"] == "label_numbers"
            for found_in in f["found"].values()
        )
    assert main(["doctor", str(path), *options, "--labels", "부정,긍정"]) == 0
    assert main(["doctor", str(path), *options, "--labels", "auto"]) == 0
    capsys.readouterr()
    whole, part = write(tmp_path / "whole.csv", [*range(7)] * 2), write(tmp_path / "part.csv", [0, 1, 2])
    main(["doctor", str(whole), str(part), *options])
    found = json.loads(capsys.readouterr().out)
    assert "label_numbers" not in found["problems"]  # the training file has shown the scheme
    assert found["test"]["label_numbers"] == 4


def test_names_with_commas(capsys: pytest.CaptureFixture[str], tiny_model_folder: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ["기쁨, 행복", "슬픔"] * 8)
    options = ["--model", str(tiny_model_folder), "--folds", "2", "--json"]
    assert main(["doctor", str(path), *options, "--labels", '"기쁨, 행복", 슬픔']) == 0
    captured = json.loads(capsys.readouterr().out)
    [balance] = [finding for finding in captured["findings"] if finding["check"] == "imbalance_ratio"]
    assert balance["details"]["classes"] == {"기쁨, 행복": 8, "슬픔": 8}
    assert main(["doctor", str(path), *options, "--labels", '"기쁨, 행복,슬픔']) == 2
    assert "큰따옴표" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cells", "task", "korean", "english"),
    [
        (["1", "0"], "multi-label", "0과 1이", "0 and 1"),
        (["1", "2"], "soft", "평가자들의 표(또는 몫)가", "votes or shares"),
    ],
)
def test_columns_called_by_labels_are_those_of_another_task(
    tmp_path: Path, cells: list[str], task: str, korean: str, english: str
) -> None:
    rows = [["비가 온다", *cells, "7", "기쁨"], ["눈이 온다", "0", "1", "8", "놀람"]]
    path = table(tmp_path / "a.csv", "text,기쁨,놀람,번호,평가자", *rows)
    with pytest.raises(DataError) as caught:
        load(path, labels=["기쁨", "놀람"])
    assert caught.value.english == (
        f"{path}: there is no one column of labels, but several (기쁨, 놀람) that hold {english}: use `task` {task}."
    )
    assert caught.value.korean == (
        f"{path}: 레이블 열 하나가 아니라 여러 열(기쁨, 놀람)에 {korean} 있습니다. `task`를 {task}로 하세요."
    )
    assert caught.value.mend == {"task": task}
    assert caught.value.otherwise == {"labels": "기쁨,놀람", "task": task, "train_file": str(path)}
    with pytest.raises(DataError, match="none has a known name"):
        load(path, labels=["분노", "슬픔"])
    with pytest.raises(DataError, match="none has a known name"):
        load(path, labels="auto")
    with pytest.raises(DataError, match="none has a known name"):
        load(path, labels=["기쁨", "놀람"], text_column="기쁨")


def test_columns_are_named_with_commas_and_blanks_between(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "text,a,b,c", ["비가 온다", 1, 0, "x"], ["눈이 온다", 0, 1, "x"])
    assert load(path, labels="auto", task="multi-label", label_column='b, "a"').columns[0].indicators == ("b", "a")
    assert load(path, labels="auto", task="multi-label", label_column="c").columns[0].label == "c"
    with pytest.raises(DataError, match="there is no column 'a, d'"):
        load(path, labels="auto", task="multi-label", label_column="a, d")
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([["text", "a,b", "a", "b"], ["비가 온다", "x", 1, 0]])
    assert load(path, labels="auto", task="multi-label", label_column="a,b").columns[0].label == "a,b"
    assert load(path, labels="auto", task="soft", label_column="a,b").columns[0].label == "a,b"
