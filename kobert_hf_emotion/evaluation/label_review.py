"""Labels that the out-of-fold predictions dispute: a table for people to review, and their answers read back."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..data.column_names import COARSE_COLUMN, LABEL_COLUMN, TEXT_COLUMN, TEXT_PAIR_COLUMN
from ..data.label_kinds import SeveralLabels
from ..data.label_tally import encode_labels
from ..data.tables import read_table
from ..data.text_keys import text_key
from ..errors import DataError
from ..runs.disputed import NEW_LABEL, PLACE, row_places
from ..runs.finished import FinishedRun
from ..tasks.multi_label import joined
from ..utils.files import atomic_write, check_free

if TYPE_CHECKING:
    import pandas as pd

_LONGEST_CELL = 32_767
Answer: TypeAlias = Any
"""The id of a label or, of several a row, the tuple of theirs."""


@dataclass(frozen=True)
class Corrections:
    """What a reviewed table changed."""

    rows: int
    """Rows of the training file."""
    reviewed: int
    """Rows with something in `new_label`."""
    changed: int
    changes: dict[str, int]
    """How often each label became which, such as {"sad → fear": 2}; of several labels a row how often each was added
    and taken away, {"+fear": 2}."""


def write_review(
    path: str | os.PathLike[str], table: pd.DataFrame, labels: Sequence[str], annotators: pd.DataFrame | None = None
) -> None:
    """Writes a table of disputed labels for Excel.

    Args:
        path: A new `.xlsx`, with the labels to choose from in `new_label`, or `.csv` (UTF-8 with a byte-order mark).
        table: As `disputed_labels` gives it.
        labels: Label names in the order of their ids.
        annotators: What is known of the annotators, which an `.xlsx` gets as a sheet of its own.

    Raises:
        DataError: The suffix is another one.
        RunError: There is a file already, which may hold somebody's answers.
    """
    check_free(path)
    suffix = Path(path).suffix.lower()
    if suffix == ".csv":
        with atomic_write(path, "w", encoding="utf-8-sig", newline="") as handle:
            table.to_csv(handle, index=False)
    elif suffix == ".xlsx":
        book = _workbook(table, labels)
        if annotators is not None:
            _write_cells(book.create_sheet("annotators"), [annotators.columns, *annotators.itertuples(index=False)])
        with atomic_write(path, "wb") as handle:
            book.save(handle)
    else:
        raise DataError(
            f"검토 파일은 .xlsx나 .csv여야 합니다: {path}",
            f"Expected a name that ends in .xlsx or .csv, found {path}.",
            mend={"output": str(Path(path).with_suffix(".xlsx"))},
        )


def apply_review(run: FinishedRun, review: str | os.PathLike[str], output: str | os.PathLike[str]) -> Corrections:
    """Writes the training rows of a run with the labels of a reviewed table.

    Rows with an empty `new_label` keep their label; of several labels a row an answer is all that the row is to have,
    as in a training file, `[]` for none. The new file has the rows in their order, with the columns that
    the run knows, and `label` by name; it is UTF-8 with a byte-order mark. Of a run on votes it has a column with the
    shares of each label in place of `label`, and all of a reviewed row's go to its `new_label`.

    Args:
        run: The run the table is of.
        review: The table with some of `new_label` filled in: names, numbers or Korean names of the labels.
        output: The new CSV file.

    Raises:
        DataError: A column is missing, a label is none of the run's, or a row is not one of the run; each names
            the row of the file.
        RunError: There is a file at `output` already.
    """
    check_free(output)
    places = row_places(run)
    keys = [name for name in PLACE if name in places]
    frame = _read_answers(review, run, keys)
    positions = {key: index for index, key in enumerate(places[keys].itertuples(index=False, name=None))}
    given: dict[int, Answer] = {}
    for answer in frame.to_dict("records"):
        position = positions.get(tuple(answer[name] for name in keys))
        if position is None or _shown_key(answer[TEXT_COLUMN]) != _shown_key(places[TEXT_COLUMN][position]):
            raise _other_row(review, answer, run, keys)
        if given.setdefault(position, answer["label"]) != answer["label"]:
            raise DataError(
                f"{review} {answer['file_row']}행: 같은 행에 서로 다른 {NEW_LABEL}이 있습니다. 하나만 남기세요.",
                f"{review}, row {answer['file_row']}: the same training row has two different values of {NEW_LABEL}; "
                "leave one.",
            )
    change = _sets_changed if run.has_several else _votes_changed if run.has_votes else _labels_changed
    changes = change(run, given, places)
    with atomic_write(output, "w", encoding="utf-8-sig", newline="") as handle:
        places.to_csv(handle, index=False)
    return Corrections(len(places), len(frame), changes.total(), dict(changes.most_common()))


def _sets_changed(run: FinishedRun, given: Mapping[int, Answer], places: pd.DataFrame) -> Counter[str]:
    """Adds the labels of each row as one cell, those of reviewed rows replaced; counts which were added and taken."""
    names, sets = run.labels, run.label_sets.copy()
    for position, labels in given.items():
        sets[position] = 0
        sets[position, list(labels)] = 1
    places[LABEL_COLUMN] = [joined([names[label] for label in np.flatnonzero(row).tolist()]) for row in sets]
    return Counter(
        f"{sign}{names[label]}"
        for sign, changed in (("+", sets > run.label_sets), ("-", sets < run.label_sets))
        for label in np.nonzero(changed)[1].tolist()
    )


def _labels_changed(run: FinishedRun, given: Mapping[int, Answer], places: pd.DataFrame) -> Counter[str]:
    """Adds the labels, those of reviewed rows replaced, to rows; counts how often each label became which."""
    names, labels = run.labels, run.truth.copy()
    for position, label in given.items():
        labels[position] = label
    places[LABEL_COLUMN] = [names[label] for label in labels]
    if "hierarchy" in run.record:
        above = {name: coarse for coarse, fine in run.record["hierarchy"].items() for name in fine}
        places[COARSE_COLUMN] = places[LABEL_COLUMN].map(above)
    return Counter(f"{names[old]} → {names[new]}" for old, new in zip(run.truth, labels, strict=True) if old != new)


def _votes_changed(run: FinishedRun, given: Mapping[int, Answer], places: pd.DataFrame) -> Counter[str]:
    """Adds the shares of votes, those of reviewed rows replaced, to rows; counts which majority became which label."""
    names, shares, before = run.labels, run.shares.copy(), run.table[LABEL_COLUMN]
    for position, label in given.items():
        shares[position] = 0.0
        shares[position, label] = 1.0
    for index, name in enumerate(names):
        places[name] = [f"{share:.6f}" for share in shares[:, index]]
    changed = {position: names[label] for position, label in given.items() if before[position] != names[label]}
    return Counter(f"{before[position]} → {new}" for position, new in changed.items())


def _read_answers(review: str | os.PathLike[str], run: FinishedRun, keys: Sequence[str]) -> pd.DataFrame:
    """Returns the rows with a `new_label`, its id as `label`, and `file_row`, the row's number in the file.

    Of several labels a row `label` is the tuple of their ids.
    """
    table = read_table(review)
    missing = [name for name in (*keys, TEXT_COLUMN, NEW_LABEL) if name not in table.frame]
    if missing:
        found = ", ".join(map(str, table.frame.columns))
        raise DataError(
            f"{review}에 {', '.join(missing)} 열이 없습니다. 있는 열: {found}. "
            "kobert-emotion review가 만든 파일에서 new_label 열만 채우세요.",
            f"{review} has no column {', '.join(missing)}; found {found}. Fill in the column "
            "new_label of a file that kobert-emotion review wrote, and leave the others as they are.",
            mend={"apply": None},
        )
    frame = table.frame.drop(columns=[LABEL_COLUMN], errors="ignore")
    frame["file_row"] = range(table.first_row, table.first_row + len(frame))
    # Messages name the reviewed file; the column `file` names the training file.
    answers = frame[["file_row"]].assign(raw_label=frame[NEW_LABEL], label_name=NEW_LABEL, file=str(review))
    if run.has_several:
        SeveralLabels().read(answers, tuple(run.labels)).check(tuple(run.labels))
        answers[LABEL_COLUMN] = answers[LABEL_COLUMN].map(tuple, na_action="ignore")
    else:
        encode_labels(answers, tuple(run.labels))
    frame[LABEL_COLUMN] = answers[LABEL_COLUMN]
    return frame[frame[LABEL_COLUMN].notna()]


def _other_row(review: str | os.PathLike[str], answer: dict[Any, Any], run: FinishedRun, keys: list[str]) -> DataError:
    place = " ".join(f"{name} {answer[name]}" for name in keys)
    return DataError(
        f"{review} {answer['file_row']}행({place}): {run.path}의 행이 아닙니다. 다른 실행의 파일이거나 row나 text가 "
        "바뀌었습니다. 새로 만들어 채우세요.",
        f"{review}, row {answer['file_row']} ({place}): this is no row of {run.path}. The file is of another run, or "
        "its row or text was changed. Write a new one and fill that in.",
        mend={"apply": None, "output": str(Path(review).with_name(f"{Path(review).stem}_new.xlsx"))},
    )


def _shown_key(text: str) -> str:
    """The form in which a text is compared with what came back from Excel."""
    return text_key(_for_excel(text))


def _for_excel(text: str) -> str:
    """Returns a text without what a cell cannot hold: control characters, and more than 32,767 characters."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    return str(ILLEGAL_CHARACTERS_RE.sub("\ufffd", text))[:_LONGEST_CELL]


def _workbook(table: pd.DataFrame, labels: Sequence[str]) -> Any:
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    sheet, choices = book.active, book.create_sheet("labels")
    sheet.title = "review"
    _write_cells(sheet, [table.columns, *table.itertuples(index=False)])
    _write_cells(choices, [[label] for label in labels])
    for column, name in enumerate(table.columns, start=1):
        sheet.cell(1, column).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(column)].width = 70 if name in (TEXT_COLUMN, TEXT_PAIR_COLUMN) else 15
        for row in range(2, len(table) + 2):
            sheet.cell(row, column).alignment = Alignment(wrap_text=True, vertical="top")
    answers = get_column_letter(len(table.columns))  # new_label is the last
    for row in range(2, len(table) + 2):
        sheet[f"{answers}{row}"].fill = PatternFill("solid", fgColor="FFF2CC")
    # A list to choose from that does not insist: Korean names and numbers are read as well.
    choice = DataValidation(type="list", formula1=f"labels!$A$1:$A${len(labels)}", allow_blank=True)
    choice.showErrorMessage = False
    sheet.add_data_validation(choice)
    choice.add(f"{answers}2:{answers}{max(len(table), 1) + 1}")
    sheet.freeze_panes = "A2"
    return book


def _write_cells(sheet: Any, rows: Iterable[Iterable[Any]]) -> None:
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row, start=1):
            cell = sheet.cell(number, column)
            cell.value = _for_excel(value) if isinstance(value, str) else value
            if isinstance(value, str):
                cell.data_type = "s"  # a text that starts with "=" is no formula
