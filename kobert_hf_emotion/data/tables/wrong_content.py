"""Files whose content is of another kind than their name says, told by how they begin."""

from __future__ import annotations

import re

from ...errors import DataError
from ...utils.file_suffixes import EXCEL_SUFFIXES, JSON_SUFFIXES, TEXT_SUFFIXES
from .source import UNREADABLE, Source, unreadable

_LOOKED_AT = 4096
_PAGE = re.compile(
    rb"\s*(<\?[^>]*>\s*|<!--.*?-->\s*)*<(!doctype\s+html|html|head|meta|body|table|(ss:)?workbook)\b", re.I | re.S
)
"""A web page, or Excel's XML of 2003: what many sites offer for download as .xls."""
_WORKBOOKS = {b"PK\x03\x04": ".xlsx", b"\xd0\xcf\x11\xe0": ".xls", b"PAR1": ".parquet"}
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def refuse_other_content(source: Source) -> None:
    """Raises `DataError` where a text file or a workbook is a web page, or one of them is the other."""
    if source.suffix not in (*TEXT_SUFFIXES, *JSON_SUFFIXES, *EXCEL_SUFFIXES):
        return
    try:
        with source.open_bytes() as handle:
            head = handle.read(_LOOKED_AT)
    except UNREADABLE as error:
        raise unreadable(source.path, error) from error
    if _PAGE.match(head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe")):
        raise DataError(
            f"{source.path}: 표 파일이 아니라 웹 페이지(HTML)나 XML입니다. Excel에서 열어 'Excel 통합 문서(.xlsx)'로 "
            "저장하고 그 파일을 지정하세요.",
            f"{source.path}: this is a web page (HTML) or XML and no table. Open it in Excel, save it as 'Excel "
            "Workbook (.xlsx)' and name that file.",
        )
    is_workbook = source.suffix in EXCEL_SUFFIXES
    kind = next((suffix for mark, suffix in _WORKBOOKS.items() if head.startswith(mark)), None)
    if is_workbook and kind is None and not _NO_TEXT.search(head):
        raise _called_wrongly(source, ("글", "text"), ".tsv" if b"\t" in head else ".csv")
    if not is_workbook and kind is not None:
        raise _called_wrongly(source, (f"{kind} 파일", f"a {kind} file"), kind)


def _called_wrongly(source: Source, kind: tuple[str, str], suffix: str) -> DataError:
    return DataError(
        f"{source.path}: 이름은 '{source.suffix}'인데 내용은 {kind[0]}입니다. 이름을 '{suffix}'로 끝나게 바꾸어 "
        "지정하세요.",
        f"{source.path}: its name ends in '{source.suffix}', its content is {kind[1]}. Rename it to end in '{suffix}'.",
    )
