"""Table files of texts and emotion labels as a `datasets.Dataset`, with a count of all that was left out."""

from __future__ import annotations

import logging
import os
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from ..labels import BLANKS, EMOTION_LABELS, clean_name, fold_name
from ..utils.argument_checks import check_path, check_type
from .columns import Columns
from .label_parsing import EXCEL_ERRORS, NULLS, label_names
from .label_reading import LabelReading, listed_counts, sort_counts
from .label_tally import encode_labels
from .tables import Note, ReadOptions, Table, read_table
from .tables.column_roles import columns_of, gap_notes
from .tables.options import LayoutName

if TYPE_CHECKING:
    import pandas as pd
    from datasets import Dataset

logger = logging.getLogger(__name__)

_LONGEST_NULL = max(map(len, NULLS)) + 2

PathLike = str | os.PathLike[str]

_REASONS_KO = {
    "empty_text": "빈 글",
    "lone_dot": "'.'뿐인 글",
    "excel_error": "글이 #NAME? 같은 엑셀 오류",
    "empty_label": "빈 레이블",
}


@dataclass(frozen=True)
class LoadReport:
    """What was read and what was left out.

    Attributes:
        files: The files in the order they were read.
        encodings: The encoding of each; None for Excel and Parquet.
        rows_read: Rows of data in the files, blank ones included save at the end of a file.
        rows_kept: Rows of the dataset.
        dropped: Rows left out by reason: "empty_text", "lone_dot" (the text is a single full stop), "excel_error" (it
            is "#NAME?" or the like), "empty_label". A row is counted under the first that holds.
        nfc_changed: Rows kept whose text was not in Unicode's composed form NFC, as on macOS.
        label_counts: Rows kept by label name; empty without labels.
        label_conflicts: Rows on which the label column and a second one, such as `Emotion`, differ.
        columns: The columns used in each file.
        labels_read: What the label cells were taken for; None without labels.
        null_texts: Rows kept whose text is what programs write for a missing value ("nan", "NULL"), by the text.
        reading: How each file was read: what was prescribed, and what was found out.
        notes: What was assumed in reading, and what is in the files and was not read.
    """

    files: tuple[str, ...]
    encodings: tuple[str | None, ...]
    rows_read: int
    rows_kept: int
    dropped: dict[str, int] = field(default_factory=dict)
    nfc_changed: int = 0
    label_counts: dict[str, int] = field(default_factory=dict)
    label_conflicts: int = 0
    columns: tuple[Columns, ...] = ()
    labels_read: LabelReading | None = None
    null_texts: dict[str, int] = field(default_factory=dict)
    reading: tuple[ReadOptions, ...] = ()
    notes: tuple[Note, ...] = ()

    def summary(self) -> str:
        """Returns the report as a few lines of Korean."""
        files = ", ".join(
            f"{file} ({encoding})" if encoding else file
            for file, encoding in zip(self.files, self.encodings, strict=True)
        )
        lines = [f"{files}: {self.rows_read:,}행 중 {self.rows_kept:,}행을 씁니다."]
        used = dict.fromkeys(columns.in_words() for columns in self.columns)
        lines += [f"  열 (columns): {words}" for words in used]
        if self.dropped:
            lines.append(f"  제외 {sum(self.dropped.values()):,}행: {_dropped_ko(self.dropped)}")
        if self.nfc_changed:
            lines.append(f"  NFC로 정규화한 글: {self.nfc_changed:,}행")
        if self.null_texts:
            lines.append(f"  글로 둔 값 (kept as texts): {listed_counts(self.null_texts)}")
        if self.label_conflicts:
            lines.append(f"  두 레이블 열이 서로 다른 행: {self.label_conflicts:,}행")
        if self.label_counts:
            lines.append("  레이블: " + ", ".join(f"{name} {count:,}" for name, count in self.label_counts.items()))
        if self.labels_read is not None:
            lines += [f"  {line}" for line in self.labels_read.lines()]
        return "\n".join(lines)


def load_emotion_dataset(
    path_or_paths: PathLike | Iterable[PathLike],
    text_column: str | None = None,
    label_column: str | None = None,
    *,
    text_pair_column: str | None = None,
    group_column: str | None = None,
    labels: Sequence[str] | None = EMOTION_LABELS,
    require_labels: bool = True,
    read_labels: bool = True,
    encoding: str | None = None,
    sheet: str | int | None = None,
    delimiter: str | None = None,
    quoted: bool | None = None,
    no_header: bool = False,
    header_row: int | None = None,
    layout: LayoutName | None = None,
) -> Dataset:
    """Loads CSV, TSV, XLSX, JSON, JSON Lines or Parquet files and logs what was read, how, and what was left out.

    The columns of the dataset:

    - `text`: in NFC.
    - `label`: a `ClassLabel`; absent if there is no label column and `require_labels` is False.
    - `text_pair`, `group`: where asked for.
    - `row`: the row's number among the rows of data of its file, from 1.
    - `file`: the row's file, where there are several.
    - `id`: of the column `ID` or `id`, where every file has one.

    Rows without text, with a single full stop as text, or without a label are left out and counted.

    Args:
        path_or_paths: One file or several, compressed or not.
        text_column: The column with the text; guessed (`Text`, `Sentence`, `document`, `문장`, …) if None.
        label_column: The column with the label; guessed (`Label`, `Lable`, `Emotion`, `감정`, …) if None.
            Where `Emotion` stands beside a numeric `Label`, the latter is taken.
        text_pair_column: A column with a second sentence for each text.
        group_column: A column that tells which rows belong together, such as the speaker's.
        labels: Label names in the order of their ids. Cells can hold the name, the id, or an English or
            Korean synonym. "auto" or None takes the distinct values of the file, numbers in numeric order; spellings
            that differ in case, width, blanks or invisible characters are one label. A number is an id unless a label
            is called by a number; where ids leave labels without a row, that is logged as a warning.
        require_labels: If False, files without labels load too, and rows with an empty label are kept
            with the label None.
        read_labels: If False, labels are ignored, even where there are some.
        encoding: Encoding of text files; found out and logged if None.
        sheet: Sheet of Excel files, by its name or 0-based position; the first if None.
        delimiter: What stands between the cells of a text file: a character, or comma, tab, semicolon, pipe, or
            line where every line is one text; found out if None.
        quoted: Whether quotation marks enclose cells in CSV and TSV; found out if None.
        no_header: Whether the first row is data. Columns are then called by their position: "1", "2", ….
        header_row: Number of the row with the column names, from 1; found out if None.
        layout: "kemdy" for the two header rows of KEMDy's annotations; found out if None.

    Raises:
        DataError: A file, a column, a row or a label is not what was expected, or no row is left.
    """
    dataset, report = load_emotion_dataset_with_report(
        path_or_paths,
        text_column,
        label_column,
        text_pair_column=text_pair_column,
        group_column=group_column,
        labels=labels,
        require_labels=require_labels,
        read_labels=read_labels,
        reading=ReadOptions(encoding, sheet, delimiter, quoted, no_header, header_row, layout),
    )
    is_doubtful = report.labels_read is not None and report.labels_read.doubtful
    logger.log(logging.WARNING if is_doubtful else logging.INFO, report.summary())
    return dataset


def load_emotion_dataset_with_report(
    path_or_paths: PathLike | Iterable[PathLike],
    text_column: str | None = None,
    label_column: str | None = None,
    *,
    text_pair_column: str | None = None,
    group_column: str | None = None,
    labels: Sequence[str] | None = EMOTION_LABELS,
    require_labels: bool = True,
    read_labels: bool = True,
    reading: ReadOptions | None = None,
) -> tuple[Dataset, LoadReport]:
    """Does what `load_emotion_dataset` does, and returns the report in place of logging it.

    The options of reading are one argument here, and the same for all files.
    """
    named = {
        "text_column": text_column,
        "label_column": label_column,
        "text_pair_column": text_pair_column,
        "group_column": group_column,
    }
    for name, column in named.items():
        if column is not None:
            check_type(name, column, str, '"text"')
    require_labels = require_labels and read_labels
    tables = [read_table(path, reading) for path in _paths(path_or_paths)]
    columns = tuple(
        columns_of(
            table,
            text=text_column,
            label=label_column,
            text_pair=text_pair_column,
            group=group_column,
            require_labels=require_labels,
            read_labels=read_labels,
        )
        for table in tables
    )
    _check_same_roles(tables, columns)
    gaps = [gap_notes(table, found, require_labels) for table, found in zip(tables, columns, strict=True)]
    frame = join_tables(tables, columns)
    names = label_names(frame, labels)
    clean_texts(frame)
    tally = encode_labels(frame, names, require_labels)
    kept, dropped = keep_rows(frame, require_labels)
    report = LoadReport(
        files=tuple(str(table.path) for table in tables),
        encodings=tuple(table.encoding for table in tables),
        rows_read=len(frame),
        rows_kept=len(kept),
        dropped=dropped,
        nfc_changed=int((~kept["is_nfc"]).sum()),
        label_counts=count_labels(kept, names),
        label_conflicts=tally.conflicts,
        columns=columns,
        labels_read=None if names is None else tally.reading(names),
        null_texts=count_null_texts(kept),
        reading=tuple(table.options for table in tables),
        notes=tuple(note for table, more in zip(tables, gaps, strict=True) for note in (*table.notes, *more)),
    )
    if kept.empty:
        raise nothing_left(report)
    _warn_of_empty_groups(kept)
    return _to_dataset(kept, names, several_files=len(tables) > 1), report


def _paths(path_or_paths: PathLike | Iterable[PathLike]) -> list[PathLike]:
    if isinstance(path_or_paths, (str, os.PathLike)):
        return [path_or_paths]
    if not isinstance(path_or_paths, Iterable) or hasattr(type(path_or_paths), "columns"):
        check_path("path_or_paths", path_or_paths)
    paths = list(path_or_paths)
    for path in paths:
        check_path("path_or_paths", path)
    if not paths:
        raise DataError(
            "데이터 파일이 하나도 지정되지 않았습니다. 파일을 하나 이상 주세요.",
            "No data file was given. Expected one or more.",
        )
    return paths


def _check_same_roles(tables: Sequence[Table], columns: Sequence[Columns]) -> None:
    labelled = [table.path for table, found in zip(tables, columns, strict=True) if found.label is not None]
    bare = [table.path for table, found in zip(tables, columns, strict=True) if found.label is None]
    if labelled and bare:
        raise DataError(
            f"{labelled[0]}에는 레이블 열이 있는데 {bare[0]}에는 없습니다. 둘을 따로 읽거나 레이블을 채우세요.",
            f"{labelled[0]} has a label column and {bare[0]} has none. Load them apart or add the labels.",
        )


def join_tables(tables: Sequence[Table], columns: Sequence[Columns]) -> pd.DataFrame:
    """Puts the rows of all tables into one frame whose columns are named by their roles.

    `file_row` is the row's number as the user sees it in the file.
    """
    import pandas as pd

    with_id = all(found.id is not None for found in columns)
    frames = []
    for table, found in zip(tables, columns, strict=True):
        roles = {
            "text": found.text,
            "raw_label": found.label,
            "other_label": found.other_label,
            "text_pair": found.text_pair,
            "group": found.group,
            "id": found.id if with_id else None,
        }
        frame = pd.DataFrame({role: table.frame[name] for role, name in roles.items() if name is not None})
        frame["row"] = range(1, len(frame) + 1)
        frame["file_row"] = frame["row"] + table.first_row - 1
        frame["file"] = str(table.path)
        frame["label_name"] = found.label
        frame["other_name"] = found.other_label
        frames.append(frame)
    return pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]


def clean_texts(frame: pd.DataFrame) -> None:
    """Brings the texts of a frame into NFC, noting in `is_nfc` which were, and in `reason` why a text is none."""
    import numpy as np

    frame["is_nfc"] = _normalize(frame)
    frame["reason"] = np.asarray([text_fault(text) for text in frame["text"].tolist()], dtype=object)


def text_fault(text: str) -> str:
    """Returns why a text is none, as a reason of `LoadReport.dropped`; the empty string where it is one."""
    if text[:1].isalnum() and text[0] not in BLANKS:  # nearly all
        return ""
    seen = clean_name(text)
    if not seen:
        return "empty_text"
    if seen == ".":
        return "lone_dot"
    return "excel_error" if seen[0] == "#" and fold_name(seen) in EXCEL_ERRORS else ""


def keep_rows(frame: pd.DataFrame, require_labels: bool) -> tuple[pd.DataFrame, dict[str, int]]:
    """Leaves the rows without content out, after `clean_texts` and `encode_labels`.

    Returns:
        The rows that are kept, and how many are not by reason.
    """
    if require_labels and "label" in frame:
        frame.loc[(frame["reason"] == "") & frame["label"].isna(), "reason"] = "empty_label"
    reasons = frame["reason"]
    counts = {reason: int((reasons == reason).sum()) for reason in _REASONS_KO}
    return frame[reasons == ""], {reason: count for reason, count in counts.items() if count}


def count_null_texts(frame: pd.DataFrame) -> dict[str, int]:
    """Counts the rows whose text is what programs write for a missing value."""
    short = frame["text"][frame["text"].str.len() <= _LONGEST_NULL]
    counts = {str(text): int(rows) for text, rows in short.value_counts().items() if fold_name(str(text)) in NULLS}
    return sort_counts(counts)


def _normalize(frame: pd.DataFrame) -> list[bool]:
    """Brings the texts into NFC; returns for each row whether it already was."""
    composed = [True] * len(frame)
    for column in ("text", "text_pair"):
        if column in frame:
            texts = frame[column].tolist()
            frame[column] = [unicodedata.normalize("NFC", text) for text in texts]
            composed = [
                was and unicodedata.is_normalized("NFC", text) for was, text in zip(composed, texts, strict=True)
            ]
    return composed


def count_labels(frame: pd.DataFrame, names: tuple[str, ...] | None) -> dict[str, int]:
    """Counts the rows of each label by its name; empty without labels."""
    if names is None:
        return {}
    counts = frame["label"].value_counts().to_dict()
    return {name: int(counts.get(index, 0)) for index, name in enumerate(names)}


def _warn_of_empty_groups(frame: pd.DataFrame) -> None:
    count = int((frame["group"].str.strip() == "").sum()) if "group" in frame else 0
    if count:
        logger.warning(
            "%d row(s) have an empty group and will be treated as one group / 그룹이 빈 행은 한 그룹으로 묶입니다",
            count,
        )


def _dropped_ko(dropped: dict[str, int]) -> str:
    return ", ".join(f"{_REASONS_KO[reason]} {count:,}" for reason, count in dropped.items())


def nothing_left(report: LoadReport) -> DataError:
    """Returns the error of files none of whose rows can be used."""
    files = ", ".join(report.files)
    return DataError(
        f"{files}: {report.rows_read:,}행을 읽었지만 쓸 수 있는 행이 없습니다({_dropped_ko(report.dropped)}). "
        "글과 레이블이 있는 열을 지정했는지 확인하세요.",
        f"{files}: none of the {report.rows_read:,} rows can be used ({report.dropped}). "
        "Check that the text and label columns are the right ones.",
    )


def _to_dataset(frame: pd.DataFrame, names: tuple[str, ...] | None, several_files: bool) -> Dataset:
    import pyarrow as pa
    from datasets import ClassLabel, Dataset, Features, Value

    features: dict[str, Any] = {"text": Value("string")}
    if names is not None and frame["label"].notna().any():
        features["label"] = ClassLabel(names=list(names))
    features |= {name: Value("string") for name in ("text_pair", "group", "id") if name in frame}
    features["row"] = Value("int64")
    if several_files:
        features["file"] = Value("string")
    types = {name: pa.string() if feature == Value("string") else pa.int64() for name, feature in features.items()}
    arrays = {name: pa.array(frame[name], type=kind, from_pandas=True) for name, kind in types.items()}
    return Dataset.from_dict(arrays, features=Features(features))
