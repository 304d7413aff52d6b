"""Any table of strings, written by a well-kept library in any format and encoding, comes back equal or is refused."""

from __future__ import annotations

import io
import json
import re
import tempfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kobert_hf_emotion.data.tables import ReadOptions, read_table
from kobert_hf_emotion.errors import DataError

# Control characters are no text; a lone \r is a line break that XML does not keep.
ODD = st.sampled_from(
    [*"\",;|\t\n'#= .-0159", "가", "ㅋㅋ", "ㅠ", "행복", "좋아, 싫어", "\u200b", "text", "내용", "1.0"]
)
LEGIBLE = st.characters(exclude_categories=["Cs", "Cc", "Cn"], max_codepoint=0x1F9FF)
CELLS = st.lists(ODD | LEGIBLE, max_size=7).map("".join)
HANGUL = st.lists(ODD.filter(lambda part: part != "\u200b") | st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3),
                  max_size=7).map("".join)  # fmt: skip
NAMES = [["문장", "감정"], ["text", "label"], ["id", "내용", "라벨"], ["a b", "둘째"], ["x", "y", "z"]]
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def frames(cells: st.SearchStrategy[str]) -> st.SearchStrategy[pd.DataFrame]:
    def of(names: list[str]) -> st.SearchStrategy[pd.DataFrame]:
        row = st.lists(cells, min_size=len(names), max_size=len(names))
        return st.lists(row, min_size=1, max_size=6).map(lambda rows: pd.DataFrame(rows, columns=names, dtype=str))

    return st.sampled_from(NAMES).flatmap(of)


def kept(frame: pd.DataFrame) -> list[list[str]]:
    """The rows but for blank ones at the end, with blank rows in the middle as empty cells."""
    rows = [row if any(cell.strip() for cell in row) else [""] * len(row) for row in frame.values.tolist()]
    while rows and not any(rows[-1]):
        rows.pop()
    return rows


def check(frame: pd.DataFrame, name: str, content: bytes, options: ReadOptions | None = None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        try:
            table = read_table(path, options)
        except DataError as error:
            refusal = str(error)
        else:
            refusal = ""
        if refusal:
            assert name in refusal
            return
        both = any("\n" in cell and re.search(r"[,\t;|]", cell) for cell in frame.to_numpy().ravel())
        if both and "quotation marks do not enclose" in str(table.notes):
            return  # said, and right for rows between two lone marks: the lines of such a cell may look like rows
        assert table.frame.columns.tolist() == frame.columns.tolist()
        assert kept(table.frame) == kept(frame)


def delimited(frame: pd.DataFrame, delimiter: str, quoting: int, encoding: str) -> bytes:
    return frame.to_csv(index=False, sep=delimiter, quoting=quoting, lineterminator="\n").encode(encoding)


SUFFIXES = {",": "csv", "\t": "tsv", ";": "csv", "|": "csv"}


@QUICK
@given(
    frames(CELLS),
    st.sampled_from(list(SUFFIXES)),
    st.sampled_from([0, 1]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_delimited_unicode(frame: pd.DataFrame, delimiter: str, quoting: int, encoding: str) -> None:
    check(frame, f"a.{SUFFIXES[delimiter]}", delimited(frame, delimiter, quoting, encoding))


@QUICK
@given(frames(HANGUL), st.sampled_from(list(SUFFIXES)), st.sampled_from([0, 1]))
def test_delimited_cp949(frame: pd.DataFrame, delimiter: str, quoting: int) -> None:
    name = f"a.{SUFFIXES[delimiter]}"
    check(frame, name, delimited(frame, delimiter, quoting, "cp949"), ReadOptions(encoding="cp949"))


@QUICK
@given(frames(CELLS), st.sampled_from(["jsonl", "json"]))
def test_json(frame: pd.DataFrame, suffix: str) -> None:
    content = frame.to_json(orient="records", lines=suffix == "jsonl", force_ascii=False)
    check(frame, f"a.{suffix}", content.encode())


@QUICK
@given(frames(CELLS))
def test_parquet(frame: pd.DataFrame) -> None:
    check(frame, "a.parquet", frame.to_parquet())


@settings(QUICK, max_examples=8)
@given(frames(CELLS))
def test_excel(frame: pd.DataFrame) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("문장들")
    for row in [frame.columns.tolist(), *frame.values.tolist()]:
        cells = [openpyxl.cell.WriteOnlyCell(sheet, value=cell) for cell in row]
        for cell in cells:
            cell.data_type = "s"  # a text that starts with "=" is no formula
        sheet.append(cells)
    content = io.BytesIO()
    book.save(content)
    check(frame, "a.xlsx", content.getvalue())


@settings(QUICK, max_examples=8)
@given(frames(CELLS))
def test_old_excel(frame: pd.DataFrame) -> None:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("문장들")
    for number, row in enumerate([frame.columns.tolist(), *frame.values.tolist()]):
        for column, cell in enumerate(row):
            sheet.write(number, column, cell)
    content = io.BytesIO()
    book.save(content)
    check(frame, "a.xls", content.getvalue())


@QUICK
@given(st.lists(CELLS.map(lambda text: text.replace("\n", " ")), min_size=1, max_size=6))
def test_one_sentence_a_line(texts: list[str]) -> None:
    frame = pd.DataFrame({"1": texts})
    while texts and not texts[0].strip():
        texts = texts[1:]
    content = "\n".join(texts).encode()
    check(pd.DataFrame({"1": texts}), "a.txt", content, ReadOptions(no_header=True, delimiter="line"))
    assert len(frame)


@pytest.mark.parametrize("text", ["행복\\ud83d", json.dumps("😭")])
def test_what_the_strategies_leave_out(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text('[{"text": "' + text.strip('"') + '"}]', encoding="utf-8")
    [[read]] = read_table(tmp_path / "a.json").frame.values.tolist()
    assert read in ("행복\ufffd", "😭")
