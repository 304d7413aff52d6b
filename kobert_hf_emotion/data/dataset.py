"""Table files of texts and emotion labels as a `datasets.Dataset`, with a count of all that was left out."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from ..labels import EMOTION_LABELS
from ..utils.argument_checks import check_path, check_type
from ..utils.progress import progress
from ..wording import Note, Wording
from .cleaning import clean_texts, join_tables, keep_rows
from .column_names import ANNOTATIONS_COLUMN, COARSE_COLUMN, CONVERSATION_COLUMN, TEXT_PAIR_COLUMN
from .columns import Columns, Wanted
from .label_kinds import LabelKind, UnknownLabel, label_kind, settled
from .label_map import MapLike
from .label_parsing import label_names
from .label_tally import LabelTally
from .levels import Hierarchy, Levels, SharedLabels
from .report import LoadReport
from .row_counts import Part, RowCounts
from .several_labels import check_indicators
from .tables import ReadOptions, Table, read_table
from .tables.column_roles import columns_of, gap_notes
from .tables.options import LayoutName
from .task_names import TaskName
from .turns import Turns, add_turns, log_assumed, wanted_turns

if TYPE_CHECKING:
    import pandas as pd
    from datasets import Dataset

logger = logging.getLogger(__name__)

PathLike = str | os.PathLike[str]
_TEXT_COLUMNS = (TEXT_PAIR_COLUMN, "group", CONVERSATION_COLUMN, "id", ANNOTATIONS_COLUMN)
"""Of a data set, beside `text`, where there are some."""


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
    task: TaskName = "single-label",
    allow_empty: bool = False,
    context: int = 0,
    order_column: str | None = None,
    label_map: MapLike | None = None,
    unknown_label: UnknownLabel = "error",
    fine_label_column: str | None = None,
    shared_fine_labels: SharedLabels = "error",
    hierarchy: Hierarchy | None = None,
) -> Dataset:
    """Loads CSV, TSV, XLSX, JSON, JSON Lines or Parquet files and logs what was read, how, and what was left out.

    The columns of the dataset:

    - `text`: in NFC.
    - `label`: a `ClassLabel`, with `task="multi-label"` a list of them, with `task="soft"` a number of votes for each;
      absent if there is no label column and `require_labels` is False.
    - `text_pair`, `group`: where asked for.
    - `conversation`: with `context`; `text_pair` then has the turns before a line, the empty string for none.
    - `row`: the row's number among the rows of data of its file, from 1.
    - `file`: the row's file, where there are several.
    - `id`: of the column `ID` or `id`, where every file has one.
    - `annotations`: of votes with a column for each annotator, who named what, as a JSON object.

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
        task: "multi-label" where a row may have several labels: in one cell, divided by `|`, `;` or `,`, or a list in
            brackets, or in a column of 0 and 1 for each. "soft" where a row has votes or shares: in a column for each
            label, in one for each annotator, or in one as lists or objects of JSON; `label` then holds a number for
            each label. Which of these it is, is found out and told.
        allow_empty: Whether an empty cell of labels says that a row has none; with "multi-label" alone. Otherwise such
            rows are left out as those that nobody labelled.
        context: How many turns before a line of a conversation go with it, at most; 0 for none. Conversations are told
            by `group_column`. Without it KEMDy's ids (`Sess19_script02_M007`) and AI-Hub's mark at the first line of a
            conversation are recognised, and this is logged.
        order_column: The column that tells the order of the lines of a conversation; that of the file if None.
        label_map: What the values of the label column mean: a table file with two columns, what stands in a cell and
            the label it means ("-" where that is none, and the row is left out); "kote" or "goemotions" for the maps of
            `kobert_hf_emotion.labels` onto the seven emotions; or a mapping, with None for none. A value that is not in
            the map must be a label itself. With `labels` "auto" the labels are those that the map gives.
        unknown_label: "drop" leaves rows with an unknown label out, and counts them; otherwise they are an error.
        fine_label_column: Where labels have two levels, the column with the fine ones; `label_column` then holds the
            coarse ones. `label` is the fine label, `coarse_label` the coarse one that it stands under. Without `labels`
            the fine labels are those of the file.
        shared_fine_labels: What becomes of a fine label that stands under several coarse ones: "error", or "join" for a
            label "coarse/fine" each.
        hierarchy: That of a finished model, whose fine labels are `labels`: a column of coarse labels need not be there
            then, and rows in which it differs from the model's are counted in a warning.

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
        task=task,
        allow_empty=allow_empty,
        turns=wanted_turns(context, order_column, text_pair_column),
        label_map=label_map,
        unknown_label=unknown_label,
        fine_label_column=fine_label_column,
        shared_fine_labels=shared_fine_labels,
        hierarchy=hierarchy,
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
    task: TaskName = "single-label",
    allow_empty: bool = False,
    turns: Turns | None = None,
    label_map: MapLike | None = None,
    unknown_label: UnknownLabel = "error",
    fine_label_column: str | None = None,
    shared_fine_labels: SharedLabels = "error",
    hierarchy: Hierarchy | None = None,
) -> tuple[Dataset, LoadReport]:
    """Does what `load_emotion_dataset` does, and returns the report in place of logging it.

    The options of reading are one argument here, and the same for all files; so are those of the turns before a line.
    """
    kind = settled(label_kind(task, allow_empty), label_map, unknown_label)
    levels = Levels(fine_label_column, shared_fine_labels, hierarchy)
    levels.check(kind.several or kind.votes)
    if fine_label_column is not None and labels is EMOTION_LABELS:
        labels = None  # the seven have one level
    wanted = Wanted(
        text_column,
        label_column,
        text_pair_column,
        group_column,
        require_labels and read_labels,
        read_labels,
        several=kind.several,
        votes=kind.votes,
        labels=() if labels is None or isinstance(labels, str) else kind.called(labels),
        turns=turns,
        fine_label=fine_label_column,
        require_coarse=hierarchy is None,
    )
    for name, column in wanted.named.items():
        check_type(name, column, str, '"text"')
    paths = _paths(path_or_paths)
    with progress(Wording("파일 읽기", "reading files")):
        tables = [read_table(path, reading) for path in paths]
    columns = tuple(columns_of(table, wanted) for table in tables)
    _check_same_roles(tables, columns)
    notes: list[Note] = []
    for table, found in zip(tables, columns, strict=True):
        notes += [*table.notes, *gap_notes(table, found, wanted.require_labels)]
    return _load(tables, columns, notes, labels, wanted, kind, levels)


def _load(
    tables: Sequence[Table],
    columns: tuple[Columns, ...],
    notes: Sequence[Note],
    labels: Sequence[str] | None,
    wanted: Wanted,
    kind: LabelKind,
    levels: Levels,
) -> tuple[Dataset, LoadReport]:
    require_labels = wanted.require_labels
    frame = join_tables(tables, columns)
    kind.prepare(frame)
    notes = [*notes, *levels.prepare(frame, labels)]
    in_columns = kind.columns_mean(tuple(dict.fromkeys(name for found in columns for name in found.for_labels)))
    names = label_names(frame, labels, lambda cells: in_columns or kind.names_in(cells))
    clean_texts(frame)
    frame, said = add_turns(frame, wanted.turns)
    log_assumed(said)
    tally = LabelTally() if names is None else kind.read(frame, names)
    if names is not None:
        if require_labels and not tally.unknown:
            _check_some_labels(frame, kind)
        tally.check(names)
        for table, found in zip(tables, columns, strict=True):
            check_indicators(table.path, found, kind, names)
    hierarchy, more = levels.read(frame, names)
    kept, dropped = keep_rows(frame, require_labels)
    counts = RowCounts(names, kind)
    counts.add(Part(kept, dropped, tally))
    report = counts.report(tables, columns, [*notes, *said, *more], hierarchy)
    _warn_of_empty_groups(kept)
    return _to_dataset(kept, names, kind, len(tables) > 1, hierarchy), report


def _check_some_labels(frame: pd.DataFrame, kind: LabelKind) -> None:
    """Raises `DataError` where no row has a label."""
    if kind.votes and frame["label"].isna().all() and (frame["raw_label"] != "").any():
        raise DataError(
            f"{frame['file'].iloc[0]}: '{frame['label_name'].iloc[0]}' 열에서 표를 받은 레이블이 있는 행이 하나도 "
            "없습니다(모두 0). 표를 채우거나 `label_column`으로 다른 열을 지정하세요.",
            f"{frame['file'].iloc[0]}: no row has a vote in column '{frame['label_name'].iloc[0]}', where all numbers "
            "are 0. Fill votes in, or name other columns with `label_column`.",
        )
    if frame["label"].isna().all():
        raise DataError(
            f"{frame['file'].iloc[0]}: '{frame['label_name'].iloc[0]}' 열이 모두 비어 있습니다. 레이블을 채우거나 "
            "`label_column`으로 다른 열을 지정하세요.",
            f"{frame['file'].iloc[0]}: every cell of column '{frame['label_name'].iloc[0]}' is empty; expected labels. "
            "Fill them in, or name another column with `label_column`.",
        )


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
    labelled = [table.path for table, found in zip(tables, columns, strict=True) if found.of_labels]
    bare = [table.path for table, found in zip(tables, columns, strict=True) if not found.of_labels]
    if labelled and bare:
        raise DataError(
            f"{labelled[0]}에는 레이블 열이 있는데 {bare[0]}에는 없습니다. 둘을 따로 읽거나 레이블을 채우세요.",
            f"{labelled[0]} has a label column and {bare[0]} has none. Load them apart or add the labels.",
        )


def _warn_of_empty_groups(frame: pd.DataFrame) -> None:
    count = int((frame["group"].str.strip() == "").sum()) if "group" in frame else 0
    if count:
        logger.warning(
            Wording(
                f"그룹이 빈 {count}행은 한 그룹으로 묶입니다",
                f"{count} row(s) have an empty group and will be treated as one group",
            )
        )


def _to_dataset(
    frame: pd.DataFrame,
    names: tuple[str, ...] | None,
    kind: LabelKind,
    several_files: bool,
    hierarchy: Hierarchy | None = None,
) -> Dataset:
    import pyarrow as pa
    from datasets import Dataset, Features, Value

    features = _features(frame, names, kind, several_files, hierarchy)
    types = {name: pa.string() if feature == Value("string") else pa.int64() for name, feature in features.items()}
    if "label" in types:
        types["label"] = kind.arrow_type(names or ())
    arrays = {name: pa.array(frame[name], type=kind, from_pandas=True) for name, kind in types.items()}
    return Dataset.from_dict(arrays, features=Features(features))


def _features(
    frame: pd.DataFrame,
    names: tuple[str, ...] | None,
    kind: LabelKind,
    several_files: bool,
    hierarchy: Hierarchy | None,
) -> dict[str, Any]:
    """Returns the features of the data set, in the order of its columns."""
    from datasets import ClassLabel, Value

    features: dict[str, Any] = {"text": Value("string")}
    if names is not None and frame["label"].notna().any():
        features["label"] = kind.feature(names)
        if hierarchy is not None:
            features[COARSE_COLUMN] = ClassLabel(names=list(hierarchy.coarse))
    features |= {name: Value("string") for name in _TEXT_COLUMNS if name in frame}
    features["row"] = Value("int64")
    if several_files:
        features["file"] = Value("string")
    return features
