"""Reading table files: encodings, quotation marks, formats, and what is said of broken files."""

from __future__ import annotations

import gzip
import json
import logging
import lzma
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from kobert_hf_emotion.data.tables import ReadOptions, read_table
from kobert_hf_emotion.data.text_encoding import decode
from kobert_hf_emotion.errors import DataError

TEXTS = ["오늘 정말 행복했어", "ㅋㅋㅋㅋ 뭐야", "ㅠㅠ 너무 슬퍼", "뷁! 똠방각하"]
CSV = "Text,Label\n" + "".join(f"{text},{index}\n" for index, text in enumerate(TEXTS))


def write(path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def failure(path: Path, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        read_table(path, ReadOptions(**options))
    return str(caught.value)


@pytest.mark.parametrize(
    ("encoding", "used"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp949", "cp949"), ("utf-16", "utf-16"), ("utf-32", "utf-32")],
)
def test_encodings_are_told_apart(tmp_path: Path, encoding: str, used: str) -> None:
    table = read_table(write(tmp_path / "a.csv", CSV, encoding))
    assert table.encoding == used
    assert list(table.frame.columns) == ["Text", "Label"]
    assert table.frame["Text"].tolist() == TEXTS


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark(tmp_path: Path, encoding: str) -> None:
    table = read_table(write(tmp_path / "a.csv", CSV, encoding))
    assert (table.encoding, table.frame["Text"].tolist()) == (encoding, TEXTS)


def test_excel_unicode_text_is_tab_separated_utf16(tmp_path: Path) -> None:
    content = 'Text\tLabel\r\n"줄\n바꿈, ""따옴표"""\t5\r\n둘째\t3\r\n'
    table = read_table(write(tmp_path / "a.txt", content, "utf-16"))
    assert table.frame["Text"].tolist() == ['줄\n바꿈, "따옴표"', "둘째"]
    assert table.frame["Label"].tolist() == ["5", "3"]


def test_emoji_survive(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "a.csv", "Text\n👨‍👩‍👧 좋아요 😭\n"))
    assert table.frame["Text"].tolist() == ["👨‍👩‍👧 좋아요 😭"]


def test_prescribed_encoding_wins_and_fails_strictly(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", CSV, "cp949")
    assert read_table(path, ReadOptions(encoding="cp949")).encoding == "cp949"
    message = failure(path, encoding="utf-8")
    assert "line 2" in message
    assert "2번째 줄" in message
    assert "no encoding called 'klingon'" in failure(path, encoding="klingon")


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_one_broken_byte_is_an_error_with_its_line_not_a_guess(tmp_path: Path, encoding: str) -> None:
    lines = [text.encode(encoding) for text in ["Text", *TEXTS * 5]]
    lines[6] += b"\xff"
    message = failure(write(tmp_path / "a.csv", b"\n".join(lines)))
    assert "line 7" in message
    assert encoding in message
    assert "ff" in message


def test_detection_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = "Text\n" + "Сегодня был очень хороший день, и мы все были счастливы\xa0— да.\n" * 20
    data = text.encode("cp1251")
    with pytest.raises(UnicodeDecodeError):
        data.decode("cp949")
    with caplog.at_level(logging.WARNING):
        table = read_table(write(tmp_path / "a.csv", data))
    assert table.encoding is not None
    assert table.encoding in caplog.text
    assert "confidence" in caplog.text


def test_cp949_without_hangul_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    decoded = decode("text\n★★★☆ 春夏秋冬\n".encode("cp949"), "a.csv")
    assert decoded.encoding == "cp949"
    assert "cp949" in caplog.text
    caplog.clear()
    decode(CSV.encode("cp949"), "a.csv")
    assert not caplog.records


def test_quoted_cells_hold_delimiters_marks_and_line_breaks(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'Text,Label\r\n"첫 줄\r\n둘째, 줄",1\r\n"그가 ""응"" 했다",2\r\n')
    assert read_table(path).frame["Text"].tolist() == ["첫 줄\r\n둘째, 줄", '그가 "응" 했다']


def test_nothing_becomes_a_number_or_missing(tmp_path: Path) -> None:
    cells = ["NA", "null", "None", "nan", "007", "1e5", "TRUE", "N/A"]
    frame = read_table(write(tmp_path / "a.csv", "Text,X\n" + "".join(f"{cell},\n" for cell in cells))).frame
    assert frame["Text"].tolist() == cells
    assert frame["X"].tolist() == [""] * len(cells)


TSV_LONE_QUOTE = 'id\tdocument\tlabel\n1\t"이거 뭐야\t0\n2\t좋아\t1\n3\t최고"\t1\n4\t"굳" ㅋ\t1\n'
TSV_SWALLOWED_WELL_FORMED = 'document\tid\n"이거 뭐야\t0\n좋아\t1\n최고"\t2\n'


@pytest.mark.parametrize("content", [TSV_LONE_QUOTE, TSV_SWALLOWED_WELL_FORMED])
def test_lone_marks_in_tsv_swallow_no_rows(tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture) -> None:
    frame = read_table(write(tmp_path / "a.tsv", content)).frame
    assert len(frame) == content.count("\n") - 1
    assert frame["document"].iloc[0] == '"이거 뭐야'
    assert "quotation marks" in caplog.text
    # What pandas does with the same file unless told quoting=3, so that the test can fail:
    assert len(pd.read_csv(tmp_path / "a.tsv", sep="\t")) < len(frame)


def test_true_line_breaks_in_tsv_stay_in_their_cell(tmp_path: Path) -> None:
    frame = read_table(write(tmp_path / "a.tsv", 'a\tb\n"첫\n둘"\t1\n셋\t2\n')).frame
    assert frame["a"].tolist() == ["첫\n둘", "셋"]


def test_true_line_breaks_in_a_tsv_of_one_column(tmp_path: Path) -> None:
    assert read_table(write(tmp_path / "a.tsv", '문장\n"첫\n둘"\n셋\n')).frame["문장"].tolist() == ["첫\n둘", "셋"]


def test_lone_mark_in_csv_is_literal_where_lines_are_whole(tmp_path: Path) -> None:
    frame = read_table(write(tmp_path / "a.csv", 'Text,Label\n"굳" ㅋ,1\n"아 진짜,0\n응,1\n')).frame
    assert frame["Text"].tolist() == ['"굳" ㅋ', '"아 진짜', "응"]


def test_one_column_needs_no_marks_around_commas(tmp_path: Path) -> None:
    assert read_table(write(tmp_path / "a.csv", "문장\n아, 정말\n좋아\n")).frame["문장"].tolist() == [
        "아, 정말",
        "좋아",
    ]
    assert read_table(write(tmp_path / "b.csv", '문장\n"아, 정말"\n좋아\n')).frame["문장"].tolist() == [
        "아, 정말",
        "좋아",
    ]


def test_quoting_can_be_prescribed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", 'a\tb\n"굳"\t1\n')
    assert read_table(path).frame["a"].tolist() == ["굳"]
    assert read_table(path, ReadOptions(quoted=False)).frame["a"].tolist() == ['"굳"']
    assert "row 2" in failure(write(tmp_path / "b.tsv", 'a\tb\n"굳\t1\n'), quoted=True)


@pytest.mark.parametrize(
    ("content", "row", "found"),
    [
        ("Text,Label\n가,1\n나, 다,2\n", "row 3", "expected 2 columns, found 3"),
        ("Text,Label\n가,1\n\n나\n", "row 4", "expected 2 columns, found 1"),
        ('Text,Label\n가,1\n"나,2\n다,3,4\n', "row 3", "quotation mark"),
        ('Text,Label\n"가\n나",1\n다\n', "row 3 (line 4)", "expected 2 columns, found 1"),
    ],
)
def test_broken_rows_are_named(tmp_path: Path, content: str, row: str, found: str) -> None:
    message = failure(write(tmp_path / "a.csv", content))
    assert f"a.csv, {row}: " in message
    assert found in message
    assert f"{row.split()[1]}행" in message


def test_blank_lines_keep_row_numbers_and_trailing_delimiters_are_cut(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "a.csv", "\n\nText,Label\n가,1\n \n나,2,,\n\n\n"))
    assert table.first_row == 4
    assert table.frame["Text"].tolist() == ["가", "", "나"]


@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
def test_semicolons_and_tabs_named_csv(tmp_path: Path, name: str) -> None:
    assert read_table(write(tmp_path / name, "Text;Label\n가, 나;1\n")).frame["Text"].tolist() == ["가, 나"]
    assert read_table(write(tmp_path / name, "Text\tLabel\n가, 나\t1\n")).frame["Text"].tolist() == ["가, 나"]


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf", b"\xff\xfe", b"\xef\xbb\xbf\n\n"])
def test_empty_file(tmp_path: Path, content: bytes) -> None:
    message = failure(write(tmp_path / "a.csv", content))
    assert "빈 파일" in message
    assert "is empty" in message


def test_header_alone(tmp_path: Path) -> None:
    message = failure(write(tmp_path / "a.csv", "Text,Label\n\n"))
    assert "column names (Text, Label) but no rows" in message


def test_missing_file_folder_and_unknown_suffix(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", CSV)
    message = failure(tmp_path / "tran.csv")
    assert "no such file" in message
    assert str(tmp_path / "train.csv") in message
    (tmp_path / "d.csv").mkdir()
    assert "this is a folder" in failure(tmp_path / "d.csv")
    assert "'.hwp'" in failure(write(tmp_path / "a.hwp", CSV))
    assert ".xlsx" in failure(write(tmp_path / "noname", CSV))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (bytes(range(256)) * 20, "binary data"),
        (b"\x01\x02\x03\x04\x05" * 100, "binary data"),
        (b"PK\x03\x04" + b"\0" * 100, ".xlsx"),
        (gzip.compress(CSV.encode()), ".gz"),
        (b"PAR1" + b"\0" * 100, ".parquet"),
    ],
)
def test_binary_content_named_csv(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in failure(write(tmp_path / "a.csv", content))


@pytest.mark.parametrize("name", ["a.xlsx", "a.parquet", "a.csv.gz", "a.tsv.xz"])
def test_garbage_under_other_suffixes(tmp_path: Path, name: str) -> None:
    assert name in failure(write(tmp_path / name, b"this is no such file at all" * 10))


def test_compressed(tmp_path: Path) -> None:
    assert read_table(write(tmp_path / "a.csv.gz", gzip.compress(CSV.encode("cp949")))).frame["Text"].tolist() == TEXTS
    tsv = lzma.compress(CSV.replace(",", "\t").encode())
    assert read_table(write(tmp_path / "a.b.TSV.xz", tsv)).frame["Text"].tolist() == TEXTS


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    page = book.active
    page.title = "첫째"
    for row in [["Text", "Label", None], ["가", 3, None], [None, 3.0], ["NA", 2.5], [7.0, "happy"], [], ["끝", 1]]:
        page.append(row)
    page.cell(row=40, column=9).value = " "  # blank, as left behind by formatting
    book.create_sheet("둘째").append(["문장"])
    book["둘째"].append(["나"])
    book.save(tmp_path / "a.xlsx")
    return tmp_path / "a.xlsx"


def test_excel(workbook: Path) -> None:
    table = read_table(workbook)
    assert (table.encoding, table.first_row) == (None, 2)
    assert table.frame.to_dict("list") == {
        "Text": ["가", "", "NA", "7", "", "끝"],
        "Label": ["3", "3", "2.5", "happy", "", "1"],
    }


def test_excel_with_a_wrong_dimension(workbook: Path, tmp_path: Path) -> None:
    """Some exporters write `<dimension ref="A1"/>` whatever the sheet holds."""
    wrong = tmp_path / "wrong.xlsx"
    with zipfile.ZipFile(workbook) as old, zipfile.ZipFile(wrong, "w") as new:
        for name in old.namelist():
            new.writestr(name, re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:A2"', old.read(name)))
    assert read_table(wrong).frame.equals(read_table(workbook).frame)


def test_excel_sheets(workbook: Path) -> None:
    assert read_table(workbook, ReadOptions(sheet="둘째")).frame["문장"].tolist() == ["나"]
    assert read_table(workbook, ReadOptions(sheet=1)).frame["문장"].tolist() == ["나"]
    assert "Sheets: 첫째, 둘째" in failure(workbook, sheet="셋째")
    assert "Sheets: 첫째, 둘째" in failure(workbook, sheet=2)


def test_json_lines(tmp_path: Path) -> None:
    records = [{"text": "가\n나 😭", "label": 3}, {"text": None, "label": 1.0}, {"label": "NA", "more": ["하", 1]}]
    content = "\n".join(json.dumps(record) for record in records)
    table = read_table(write(tmp_path / "a.jsonl", content + "\n\n"))
    assert table.first_row == 1
    assert table.frame.to_dict("list") == {
        "text": ["가\n나 😭", "", ""],
        "label": ["3", "1", "NA"],
        "more": ["", "", '["하", 1]'],
    }


def test_json_lines_with_half_an_emoji(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "a.jsonl", '{"text": "\\ud83d\\ude00 \\ud83d"}\n'))
    assert table.frame["text"].tolist() == ["😀 \ufffd"]


@pytest.mark.parametrize("line", ['{"text": ', '["a"]', "3", "{'text': 'a'}"])
def test_broken_json_line(tmp_path: Path, line: str) -> None:
    message = failure(write(tmp_path / "a.jsonl", '{"text": "가"}\n\n' + line + "\n"))
    assert "row 3" in message
    assert line.strip() in message


def test_parquet_keeps_integers_beside_missing_ones(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"text": ["가", None, "NA"], "label": pd.array([1, None, 3], dtype="Int64"), "x": [1.0, None, 2]}
    )
    frame.to_parquet(tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet")
    assert table.frame.to_dict("list") == {"text": ["가", "", "NA"], "label": ["1", "", "3"], "x": ["1", "", "2"]}
    frame.head(0).to_parquet(tmp_path / "b.parquet")
    assert "no rows of data" in failure(tmp_path / "b.parquet")


@pytest.mark.parametrize("name", ["ratings_train", "ratings_test", "reviews_rest"])
def test_nsmc_keeps_every_row(shared: Path, tmp_path: Path, name: str) -> None:
    path = shared / "data" / "nsmc" / f"{name}.tsv.xz"
    lines = lzma.decompress(path.read_bytes()).decode().rstrip("\n").split("\n")
    if name == "reviews_rest":
        lines = lines[:200_000]
        rows = read_table(write(tmp_path / "rest.tsv", "\n".join(lines))).frame.values.tolist()
        assert [row[2] for row in rows[:1000]] == [line.split("\t")[2] for line in lines[1:1001]]
    else:
        frame = read_table(path).frame
        assert frame["id"].tolist() == [line.split("\t")[0] for line in lines[1:]]
        assert read_table(path, ReadOptions(quoted=False)).frame["document"].tolist() == [
            line.split("\t")[1] for line in lines[1:]
        ]
        rows = frame.values.tolist()
    assert len(rows) == len(lines) - 1
