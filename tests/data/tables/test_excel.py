"""Workbooks: which sheet is read, what is said of the others, and cells that only look filled."""

from __future__ import annotations

import json
import os
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import xlwt
from openpyxl.chart import BarChart
from openpyxl.worksheet._reader import WorkSheetParser

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.data.dataset import load_emotion_dataset, load_emotion_dataset_with_report
from kobert_hf_emotion.data.row_stream import open_rows
from kobert_hf_emotion.data.tables import ReadOptions, open_table, read_table
from kobert_hf_emotion.errors import DataError
from kobert_hf_emotion.labels import EMOTION_LABELS

ROWS = [["문장", "감정"], ["합격해서 춤을 췄다", "행복"], ["비가 와서 처진다", "슬픔"], ["골목이 어둡다", "공포"]]


def book(path: Path, **sheets: list[list[Any]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(path)
    return path


def test_other_sheets_are_named_and_can_be_chosen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], tiny_model_folder: Path
) -> None:
    path = book(tmp_path / "a.xlsx", 일차=ROWS, 이차=[*ROWS, ["세 시에 회의", "중립"]])
    dataset, report = load_emotion_dataset_with_report(path)
    assert len(dataset) == 3
    [note] = report.notes
    assert "'일차'(3행)" in note.korean or "'일차'(4행)" in note.korean
    assert "Not read: '이차'" in note.english
    assert report.reading[0].sheet == "일차"
    assert len(load_emotion_dataset(path, sheet="이차")) == 4
    chosen = load_emotion_dataset_with_report(path, reading=ReadOptions(sheet="일차"))[1]
    assert chosen.notes == ()
    assert main(["predict", str(tiny_model_folder), str(path), "--sheet", "이차", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 4


def test_a_first_sheet_without_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], tiny_model_folder: Path
) -> None:
    path = book(tmp_path / "a.xlsx", 안내=[["이 파일은 감정 데이터입니다"], ["작성자 홍길동"]], 데이터=ROWS)
    with pytest.raises(DataError) as caught:
        load_emotion_dataset(path)
    assert caught.value.mend == {"sheet": "데이터"}
    assert main(["predict", str(tiny_model_folder), str(path)]) == 2
    assert "--sheet 데이터" in capsys.readouterr().err.splitlines()[-1].replace("'", "")
    path = book(tmp_path / "b.xlsx", 빈=[], 데이터=ROWS)
    with pytest.raises(DataError, match="데이터") as caught:
        read_table(path)
    assert caught.value.mend == {"sheet": "데이터"}


def test_charts_are_no_sheets(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", 데이터=ROWS)
    made = openpyxl.load_workbook(path)
    made.create_chartsheet("그림", 0).add_chart(BarChart())
    made.save(path)
    assert len(read_table(path).frame) == 3


def test_merged_cells_are_named_as_the_cause(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", s=[ROWS[0], *([f"문장 {i}", "행복" if i % 3 == 0 else None] for i in range(6))])
    made = openpyxl.load_workbook(path)
    made.active.merge_cells("B2:B4")
    made.active.merge_cells("B5:B7")
    made.save(path)
    _, report = load_emotion_dataset_with_report(path)
    assert report.dropped == {"empty_label": 4}
    [note] = report.notes
    assert "4 cell(s) of column '감정' (B3, B4, B6, B7)" in note.english
    assert "병합" in note.korean
    assert open_rows(path, EMOTION_LABELS).report.notes == report.notes


@pytest.mark.parametrize("column", ["A", "B"])
def test_formulas_without_values_are_named_as_the_cause(tmp_path: Path, column: str) -> None:
    path = book(tmp_path / "a.xlsx", s=ROWS)
    made = openpyxl.load_workbook(path)
    for row in (2, 3, 4):
        made.active[f"{column}{row}"] = '="행복"'
    made.save(path)
    with pytest.raises(DataError) as caught:
        load_emotion_dataset(path)
    assert f"({column}2, {column}3, {column}4)" in str(caught.value)
    assert "수식" in caught.value.korean
    if column == "B":
        assert load_emotion_dataset(path, require_labels=False).num_rows == 3


def test_formulas_with_values_are_read(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", s=[*ROWS[:3], ["골목", '="공포"']])
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    name = "xl/worksheets/sheet1.xml"
    for empty in (b"<v></v>", b"<v />", b"<v/>"):
        parts[name] = parts[name].replace(b"</f>" + empty, "</f><v>공포</v>".encode())
    parts[name] = parts[name].replace(b'r="B4"', b'r="B4" t="str"')
    with zipfile.ZipFile(path, "w") as new:
        for part, content in parts.items():
            new.writestr(part, content)
    assert read_table(path).frame["감정"].tolist() == ["행복", "슬픔", "공포"]
    assert load_emotion_dataset_with_report(path)[1].notes == ()


def test_a_sheet_is_parsed_once_and_the_workbook_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = book(tmp_path / "a.xlsx", s=ROWS)
    parsed = []
    original = WorkSheetParser.parse

    def parse(self: WorkSheetParser) -> Any:
        parsed.append(self)
        return original(self)

    monkeypatch.setattr(WorkSheetParser, "parse", parse)
    open_files = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    table = open_table(path)
    for _ in range(3):
        assert sum(len(chunk.frame) for chunk in table.chunks(2)) == 3
    assert len(parsed) == 1
    if open_files:
        assert len(os.listdir("/proc/self/fd")) <= open_files


def test_chunks_read_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    pd.DataFrame({"text": [f"문장 {i}" for i in range(5000)], "label": ["행복"] * 5000}).to_excel(path, index=False)
    table = open_table(path)
    pairs = list(zip(table.chunks(700), table.chunks(700), strict=True))
    assert all(one.frame.equals(other.frame) for one, other in pairs)
    assert sum(len(one.frame) for one, _ in pairs) == 5000


def test_a_header_below_a_side_table(tmp_path: Path) -> None:
    rows = [[None, None, None, "중립", 43786], ["dialog #", "발화", "감정", "놀람", 4898], *[
        ["S" if i % 3 == 0 else None, f"문장 {i}번", "행복"] for i in range(5)
    ]]  # fmt: skip
    path = book(tmp_path / "a.xlsx", s=rows)
    dataset, report = load_emotion_dataset_with_report(path)
    assert dataset["text"][:] == [f"문장 {i}번" for i in range(5)]
    assert "row 2" in str(report.notes)
    assert report.reading[0].header_row == 2
    assert load_emotion_dataset_with_report(path, reading=ReadOptions(header_row=2))[1].notes == ()
    path = book(tmp_path / "b.xlsx", s=[[None], *rows[1:]])
    assert load_emotion_dataset(path)["text"][:] == [f"문장 {i}번" for i in range(5)]
    with pytest.raises(DataError, match="row 1, which is empty") as caught:
        load_emotion_dataset(path, header_row=1)
    assert caught.value.mend == {"header_row": 2}


def old_book(path: Path, **sheets: list[list[Any]]) -> Path:
    made = xlwt.Workbook(encoding="utf-8")
    for name, rows in sheets.items():
        sheet = made.add_sheet(name)
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if cell is not None:
                    sheet.write(number, column, cell)
    made.save(path)
    return path


def open_document(path: Path, **sheets: list[list[str]]) -> Path:
    """Writes what LibreOffice calls .ods, or the little of it that a table needs."""
    tables, cell_tag = "", "table:table-cell"
    for name, rows in sheets.items():
        tables += f'<table:table table:name="{name}">'
        for row in rows:
            cells = "".join(
                f"<{cell_tag} office:value-type='string'><text:p>{cell}</text:p></{cell_tag}>" for cell in row
            )
            tables += f"<table:table-row>{cells}</table:table-row>"
        tables += "</table:table>"
    names = "urn:oasis:names:tc:opendocument:xmlns"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr(
            "META-INF/manifest.xml",
            f'<m:manifest xmlns:m="{names}:manifest:1.0"><m:file-entry m:full-path="/" m:media-type="{kind}"/>'
            "</m:manifest>",
        )
        archive.writestr(
            "content.xml",
            f'<office:document-content xmlns:office="{names}:office:1.0" xmlns:table="{names}:table:1.0" '
            f'xmlns:text="{names}:text:1.0"><office:body><office:spreadsheet>{tables}</office:spreadsheet>'
            "</office:body></office:document-content>",
        )
    return path


@pytest.mark.parametrize(("write", "suffix"), [(old_book, "xls"), (open_document, "ods")])
def test_workbooks_of_other_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], tiny_model_folder: Path, write: Any, suffix: str
) -> None:
    path = write(tmp_path / f"a.{suffix}", 일차=ROWS, 이차=[*ROWS, ["세 시에 회의", "중립"]])
    dataset, report = load_emotion_dataset_with_report(path)
    assert dataset["text"][:] == [row[0] for row in ROWS[1:]]
    assert [dataset.features["label"].int2str(label) for label in dataset["label"]] == ["happy", "sad", "fear"]
    [note] = report.notes
    assert "Not read: '이차'" in note.english
    assert main(["predict", str(tiny_model_folder), str(path), "--sheet", "이차", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 4
    with pytest.raises(DataError, match="no sheet '삼차'"):
        load_emotion_dataset(path, sheet="삼차")
    write(path, 안내=[["이 파일은 감정 데이터입니다"]], 데이터=ROWS)
    with pytest.raises(DataError) as caught:
        load_emotion_dataset(path)
    assert caught.value.mend == {"sheet": "데이터"}


def test_numbers_and_merged_cells_of_an_old_workbook(tmp_path: Path) -> None:
    made = xlwt.Workbook(encoding="utf-8")
    sheet = made.add_sheet("s")
    for number, row in enumerate([["Text", "Label"], ["좋다", 5], ["기쁘다", 5.0], ["슬프다"], ["울었다"]]):
        for column, cell in enumerate(row):
            sheet.write(number, column, cell)
    sheet.write_merge(3, 4, 1, 1, 3)
    made.save(tmp_path / "a.xls")
    table = read_table(tmp_path / "a.xls")
    assert table.frame["Label"].tolist() == ["5", "5", "3", ""]
    [gap] = table.gaps
    assert (gap.column, gap.cause, gap.cells, gap.places) == ("Label", "merged", 1, ("B5",))


def test_workbooks_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.xls").write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 600)
    (tmp_path / "b.xlsx").write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 600)
    (tmp_path / "c.xls").write_text("<html><table><tr><td>문장</td></tr></table></html>", encoding="utf-8")
    (tmp_path / "d.numbers").write_bytes(b"PK\x03\x04")
    for name, expected in {"a.xls": "(.xls)", "b.xlsx": "password", "c.xls": "web page", "d.numbers": ".xlsx"}.items():
        with pytest.raises(DataError, match=re.escape(expected)):
            read_table(tmp_path / name)
    old_book(tmp_path / "e.xls", s=ROWS)
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(DataError, match="calamine") as caught:
        read_table(tmp_path / "e.xls")
    assert caught.value.try_this == "pip install 'kobert-hf-emotion[xls]'"
