"""Labels of two levels: every fine label under one coarse label. Read from two columns, checked, and kept."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..labels import clean_name
from ..utils.argument_checks import check_type
from ..wording import Doubt, Note
from .column_names import COARSE_COLUMN, LABEL_COLUMN
from .label_ids import IGNORED, Truth, label_ids, row_place
from .label_parsing import LabelParser, is_empty_label, names_in

if TYPE_CHECKING:
    import pandas as pd
    from datasets import Dataset

logger = logging.getLogger(__name__)

SharedLabels: TypeAlias = Literal["error", "join"]
"""What becomes of a fine label that stands under several coarse ones: an error, or a label for each pair."""
JOINT = "/"
_SHOWN = 5


@dataclass(frozen=True)
class Hierarchy:
    """Which coarse label each fine one belongs to.

    Attributes:
        coarse: The names of the coarse labels, in the order of their ids.
        of: The id of the coarse label of each fine one, in the order of the fine ids.

    Example:
        >>> hierarchy = Hierarchy(("기쁨", "슬픔"), (0, 1, 0))
        >>> hierarchy.to_dict(["감사하는", "낙담한", "안도"])
        {'기쁨': ['감사하는', '안도'], '슬픔': ['낙담한']}
        >>> Hierarchy.from_dict({"기쁨": ["감사하는", "안도"], "슬픔": ["낙담한"]}, ["감사하는", "낙담한", "안도"]).of
        (0, 1, 0)
    """

    coarse: tuple[str, ...]
    of: tuple[int, ...]

    @classmethod
    def from_dict(cls, content: Mapping[str, Sequence[str]], labels: Sequence[str]) -> Hierarchy:
        """Returns the hierarchy that `to_dict` wrote.

        Raises:
            ValueError: It is none of these labels: one is missing, unknown or there twice.
        """
        coarse = tuple(content)
        places = [(name, index) for index, names in enumerate(content.values()) for name in names]
        by_name = dict(places)
        if len(places) != len(labels) or set(by_name) != set(labels) or not all(content.values()):
            raise ValueError(f"expected each of {list(labels)} once, found {[name for name, _ in places]}")
        return cls(coarse, tuple(by_name[name] for name in labels))

    def to_dict(self, labels: Sequence[str]) -> dict[str, list[str]]:
        """Returns the names of the fine labels under each coarse one."""
        found: dict[str, list[str]] = {name: [] for name in self.coarse}
        for name, index in zip(labels, self.of, strict=True):
            found[self.coarse[index]].append(name)
        return found

    def ids(self, fine: NDArray[np.integer]) -> Truth:
        """Returns the coarse ids of rows from their fine ids; `IGNORED` and other ids below 0 stay."""
        return np.where(fine < 0, fine, np.asarray(self.of)[np.maximum(fine, 0)])

    def members(self) -> NDArray[np.float64]:
        """Returns 1 where a fine label (down) belongs to a coarse one (across), shape (fine, coarse)."""
        return np.eye(len(self.coarse))[np.asarray(self.of, dtype=np.int64)]


def hierarchy_of(dataset: Dataset) -> Hierarchy | None:
    """Returns the hierarchy in a data set with `label` and `coarse_label`; None where there is no coarse one.

    Raises:
        DataError: The coarse labels have no names, or a fine label stands under two, or under none.
    """
    if COARSE_COLUMN not in dataset.column_names:
        return None
    coarse = getattr(dataset.features[COARSE_COLUMN], "names", None)
    fine = getattr(dataset.features[LABEL_COLUMN], "names", None)
    if coarse is None or fine is None:
        raise DataError(
            f"'{LABEL_COLUMN}'과 '{COARSE_COLUMN}'은 datasets.ClassLabel이어야 합니다: "
            f"dataset.cast_column('{COARSE_COLUMN}', datasets.ClassLabel(names=[…]))",
            f"Expected a datasets.ClassLabel in '{LABEL_COLUMN}' and '{COARSE_COLUMN}': "
            f"dataset.cast_column('{COARSE_COLUMN}', datasets.ClassLabel(names=[…])).",
        )
    of: dict[int, int] = {}
    ids = label_ids(dataset, fine).tolist()
    for row, (label, above) in enumerate(zip(ids, dataset[COARSE_COLUMN][:], strict=True)):
        if label != IGNORED and above is not None and above >= 0 and of.setdefault(label, above) != above:
            place = row_place(dataset, row)
            raise DataError(
                f"'{fine[label]}'이(가) '{coarse[of[label]]}'에도 '{coarse[above]}'에도 속합니다({place}).",
                f"'{fine[label]}' stands under both '{coarse[of[label]]}' and '{coarse[above]}' ({place}).",
            )
    missing = [name for index, name in enumerate(fine) if index not in of]
    if missing:
        raise _without_coarse(missing)
    return Hierarchy(tuple(coarse), tuple(of[index] for index in range(len(fine))))


def tell_apart(frame: pd.DataFrame, how: SharedLabels, names: Sequence[str] | None) -> Note | None:
    """Makes the fine cells of a frame of `data` say which label is meant, by the coarse cell beside them.

    Args:
        frame: Rows with `raw_label`, the fine cells, and `raw_coarse`.
        how: What becomes of a fine label under several coarse ones; "join" calls it coarse/fine.
        names: The fine labels, where they are known: a cell that is none of them, and is one behind its coarse label
            and a stroke, is that.

    Returns:
        What was joined, in words; None where nothing was.

    Raises:
        DataError: A fine label stands under several coarse ones, and is not to be joined.
    """
    if names is not None:
        _tell_known_apart(frame, names)
        return None
    fine, coarse = (LabelParser(names_in(_counts(frame[column]))) for column in ("raw_label", "raw_coarse"))
    shared = _shared(_rows_above(frame, fine, coarse))
    if not shared:
        return None
    if how == "error":
        raise _shared_labels(frame, shared, fine, coarse)

    def joined(cell: str, above: str) -> str:
        index, above_index = fine.parse(cell).id, coarse.parse(above).id
        if index not in shared:
            return cell
        return "" if above_index is None else f"{coarse.names[above_index]}{JOINT}{fine.names[index]}"

    was = frame["raw_label"].tolist()
    now = [joined(*pair) for pair in zip(was, frame["raw_coarse"].tolist(), strict=True)]
    frame["raw_label"] = now
    lost = now.count("") - was.count("")
    parts = {
        fine.names[index]: [f"{coarse.names[above]}{JOINT}{fine.names[index]}" for above in rows]
        for index, rows in shared.items()
    }
    return _joined_note(parts, lost)


def _joined_note(parts: Mapping[str, Sequence[str]], lost: int) -> Note:
    listed = ", ".join(f"{name} → {', '.join(joints)}" for name, joints in parts.items())
    return (Doubt if lost else Note)(
        f"여러 대분류에 있는 소분류를 나눔: {listed}; 대분류가 비어 뺀 행 {lost:,}",
        f"fine labels under several coarse ones, told apart: {listed}; rows left out whose coarse label is empty: "
        f"{lost:,}",
    )


def _tell_known_apart(frame: pd.DataFrame, names: Sequence[str]) -> None:
    parser = LabelParser(names)
    pairs = list(zip(frame["raw_label"].tolist(), frame["raw_coarse"].tolist(), strict=True))
    meant = {pair: _known_joint(parser, *pair) for pair in set(pairs)}
    frame["raw_label"] = [meant[pair] for pair in pairs]


def _known_joint(parser: LabelParser, cell: str, above: str) -> str:
    if parser.parse(cell).kind == "unknown" and not is_empty_label(above):
        joint = f"{clean_name(above)}{JOINT}{clean_name(cell)}"
        if parser.parse(joint).id is not None:
            return joint
    return cell


def _rows_above(frame: pd.DataFrame, fine: LabelParser, coarse: LabelParser) -> dict[int, dict[int, int]]:
    """Returns of each fine label, by its id, the rows under each coarse one, by the id of that."""
    found: dict[int, dict[int, int]] = {}
    for (cell, above), rows in Counter(zip(frame["raw_label"], frame["raw_coarse"], strict=True)).items():
        index, above_index = fine.parse(cell).id, coarse.parse(above).id
        if index is not None and above_index is not None:
            counts = found.setdefault(index, {})
            counts[above_index] = counts.get(above_index, 0) + rows
    return found


def _shared(above: Mapping[int, dict[int, int]]) -> dict[int, dict[int, int]]:
    """Returns what `_rows_above` did of fine labels under several coarse ones."""
    return {index: rows for index, rows in above.items() if len(rows) > 1}


def _counts(cells: pd.Series[str]) -> dict[str, int]:
    return {str(cell): int(rows) for cell, rows in cells.value_counts().items()}


def _shared_labels(
    frame: pd.DataFrame,
    shared: Mapping[int, Mapping[int, int]],
    fine: LabelParser,
    coarse: LabelParser,
    are_given: bool = False,
) -> DataError:
    """Returns the error of fine labels under several coarse ones; where their names are given, joints are no names."""
    ids = frame["raw_label"].map(lambda cell: fine.parse(cell).id)
    above = frame["raw_coarse"].map(lambda cell: coarse.parse(cell).id)
    file = frame["file"].iloc[0]
    korean, english = [], []
    for index, rows in list(shared.items())[:_SHOWN]:
        found = []
        for above_index, count in sorted(rows.items(), key=lambda item: -item[1]):
            rows_of = frame[(ids == index) & (above == above_index)].head(3)
            places = zip(rows_of["file"], rows_of["file_row"], strict=True)
            listed = ", ".join(f"{row}" if other == file else f"{other} {row}" for other, row in places)
            listed += ", …" if count > 3 else ""
            found.append((coarse.names[above_index], count, listed))
        korean.append(
            f"'{fine.names[index]}': " + ", ".join(f"{name} {count:,}행({rows}행)" for name, count, rows in found)
        )
        english.append(
            f"'{fine.names[index]}': " + ", ".join(f"{name} {count:,} (rows {rows})" for name, count, rows in found)
        )
    more = f" 외 {len(shared) - _SHOWN}개" if len(shared) > _SHOWN else ""
    return DataError(
        f"{file}: 소분류는 대분류 하나에 속해야 하는데 {len(shared)}개가 여럿에 있습니다: {'; '.join(korean)}{more}. "
        "잘못 적힌 행을 고치거나, 대분류마다 다른 레이블이면 "
        + ("`labels`를 auto로, " if are_given else "")
        + "`shared_fine_labels`를 join으로 하세요(대분류/소분류로 부름).",
        f"{file}: expected each fine label under one coarse label; {len(shared)} stand under several: "
        f"{'; '.join(english)}{', …' if more else ''}. Correct rows that are wrong or, where they are different "
        "labels, use "
        + ("`labels` auto and " if are_given else "")
        + "`shared_fine_labels` join, which calls them coarse/fine.",
        mend={"shared_fine_labels": "join"} | ({"labels": "auto"} if are_given else {}),
    )


def read_levels(
    frame: pd.DataFrame, names: Sequence[str], known: Hierarchy | None = None
) -> tuple[Hierarchy, list[Note]]:
    """Returns which coarse label each fine one belongs to, and adds `coarse_label`, the ids, to a frame of `data`.

    Args:
        frame: Rows with `label`, the fine ids, and `raw_coarse`.
        names: The fine labels, in the order of their ids.
        known: What a model has been told; the file is compared with it.

    Returns:
        The hierarchy, and what there is to say of rows whose coarse label is another, or that have a coarse one alone.

    Raises:
        DataError: A fine label stands under several coarse ones, or under none.
    """
    labelled = frame[frame["label"].notna()]
    coarse = names_in(_counts(labelled["raw_coarse"])) if known is None else known.coarse
    parser = LabelParser(coarse)
    notes: list[Note] = []
    alone = int((frame["label"].isna() & ~frame["raw_coarse"].map(is_empty_label)).sum())
    if alone:
        notes.append(
            Doubt(
                f"대분류만 있고 소분류가 없는 행 {alone:,}개는 소분류를 몰라 쓰지 않습니다.",
                f"{alone:,} row(s) have a coarse label and no fine one: they are not used.",
            )
        )
    if known is None:
        known = Hierarchy(coarse, _found(labelled, names, parser))
    else:
        notes += _differences(labelled, known, parser)
    frame[COARSE_COLUMN] = frame["label"].map(dict(enumerate(known.of))).astype("Int64")
    return known, notes


def _found(labelled: pd.DataFrame, names: Sequence[str], coarse: LabelParser) -> tuple[int, ...]:
    """Returns the id of the coarse label of each of the fine labels `names`."""
    fine = LabelParser(names)
    above = _rows_above(labelled, fine, coarse)
    if shared := _shared(above):
        raise _shared_labels(labelled, shared, fine, coarse, are_given=True)
    missing = [name for index, name in enumerate(names) if index not in above]
    if missing:
        raise _without_coarse(missing)
    return tuple(next(iter(above[index])) for index in range(len(names)))


def _differences(labelled: pd.DataFrame, known: Hierarchy, coarse: LabelParser) -> list[Note]:
    """Returns what there is to say of rows whose coarse label is another than a model's."""
    above = labelled["raw_coarse"].map(lambda cell: coarse.parse(cell).id).to_numpy()
    expected = np.asarray(known.of)[labelled["label"].to_numpy(dtype=np.int64)]
    differs = ~labelled["raw_coarse"].map(is_empty_label).to_numpy(dtype=bool) & (above != expected)
    if not differs.any():
        return []
    first = labelled[differs].iloc[0]
    own = known.coarse[int(expected[differs.argmax()])]
    place, cells = first["file_row"], f"{first['raw_coarse']} / {first['raw_label']}"
    file = "" if labelled["file"].nunique() == 1 else f"{first['file']} "
    return [
        Doubt(
            f"대분류가 모델의 것과 다른 행 {int(differs.sum()):,}개(처음은 {file}{place}행: {cells}, 모델은 {own}). "
            "대분류는 소분류에서 정해진 것으로 잽니다.",
            f"{int(differs.sum()):,} row(s) have another coarse label than the model's (first in {file}row {place}: "
            f"{cells}; the model has {own}). The coarse label that follows from the fine one counts.",
        )
    ]


def _without_coarse(missing: Sequence[str]) -> DataError:
    listed = ", ".join(missing[:20]) + (", …" if len(missing) > 20 else "")
    return DataError(
        f"소분류 {len(missing)}개에 대분류가 없습니다: {listed}. 대분류 열을 채우거나, 행이 없는 이름이면 `labels`에서 "
        "빼세요(auto는 파일에 있는 것만).",
        f"{len(missing)} fine label(s) have no coarse label: {listed}. Fill in the coarse column or, where a name has "
        "no rows, leave it out of `labels` (auto takes those in the file).",
        mend={"labels": "auto"},
    )


@dataclass(frozen=True)
class Levels:
    """How labels of two levels are read; nothing is done where there is one.

    Attributes:
        fine_column: The column of the fine labels; None where labels have one level.
        shared: What becomes of a fine label under several coarse ones.
        known: The hierarchy of a finished model.
    """

    fine_column: str | None = None
    shared: SharedLabels = "error"
    known: Hierarchy | None = None

    def check(self, several: bool) -> None:
        """Raises `DataError` where two levels are asked for, and rows have several labels, or a word is unknown."""
        if self.known is not None:
            check_type("hierarchy", self.known, Hierarchy, "model.task.levels.hierarchy")
        if self.shared not in get_args(SharedLabels):
            raise DataError(
                f"`shared_fine_labels`는 {', '.join(get_args(SharedLabels))} 중 하나여야 하는데 {self.shared!r}입니다.",
                f"Expected one of {', '.join(get_args(SharedLabels))} as `shared_fine_labels`, found {self.shared!r}.",
                mend={"shared_fine_labels": "join"},
            )
        if several and self.fine_column is not None:
            raise DataError(
                "두 단계 레이블(`fine_label_column`)은 문장마다 레이블이 하나일 때만 됩니다. `task`를 빼세요.",
                "Labels of two levels (`fine_label_column`) are for one label a text: leave `task` out.",
                mend={"task": None},
            )

    def prepare(self, frame: pd.DataFrame, labels: Sequence[str] | None) -> list[Note]:
        """Makes fine cells say which label is meant; see `tell_apart`. Returns what there is to say of it."""
        if self.known is not None and labels is not None and self.fine_column is None and "raw_label" in frame:
            _check_fine(frame, self.known, labels)
        if "raw_coarse" not in frame:
            return []
        given = None if labels is None or isinstance(labels, str) else labels
        note = tell_apart(frame, self.shared, given)
        return [] if note is None else [_told(note)]

    def read(self, frame: pd.DataFrame, names: Sequence[str] | None) -> tuple[Hierarchy | None, list[Note]]:
        """Returns the hierarchy, None where there is none, and what there is to say; see `read_levels`."""
        if names is None or "raw_coarse" not in frame:
            return None, []
        hierarchy, notes = read_levels(frame, names, self.known)
        return hierarchy, list(map(_told, notes))


def _check_fine(frame: pd.DataFrame, known: Hierarchy, labels: Sequence[str]) -> None:
    """Raises `DataError` where a column holds the coarse labels of a model whose labels are the fine ones."""
    cells = [cell for cell in frame["raw_label"].unique().tolist() if not is_empty_label(cell)]
    fine, coarse = LabelParser(labels), LabelParser(known.coarse)
    unknown = [cell for cell in cells if fine.parse(cell).kind != "name"]
    if unknown and all(coarse.parse(cell).kind == "name" for cell in cells):
        file, name = frame["file"].iloc[0], frame["label_name"].iloc[0]
        raise DataError(
            f"{file}: '{name}' 열은 대분류({', '.join(unknown[:5])})인데 모델의 레이블은 소분류입니다. 소분류 열을 "
            "`fine_label_column`으로 지정하세요.",
            f"{file}: column '{name}' holds coarse labels ({', '.join(unknown[:5])}), and those of the model are fine. "
            "Name the column of the fine labels with `fine_label_column`.",
        )


def _told(note: Note) -> Note:
    logger.warning("%s", note)
    return note
