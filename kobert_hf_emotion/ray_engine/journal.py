"""What is done already: a line for each part and file as it is finished, so that an interrupted job goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import RunError
from ..runs.state import check_same_run
from ..utils.files import atomic_write, check_free
from .inputs import InputFile
from .records import Record

JOURNAL_FILE, MANIFEST_FILE = "parts.jsonl", "manifest.json"


class Journal:
    """The records of an output folder, as they are kept on the disk.

    Args:
        folder: The output folder.
        files: The files of the job.
    """

    def __init__(self, folder: Path, files: Sequence[InputFile]) -> None:
        self._path = folder / JOURNAL_FILE
        self._folder = folder
        self._inputs = {file.number: file for file in files}
        self.parts: dict[int, dict[int, Record]] = {}
        """The parts that are written, by file and number."""
        self.files: dict[int, Record] = {}
        """The files that were read to their end."""
        self.bad: dict[int, Record] = {}
        """The files that cannot be read."""
        self.lines = 0
        """Records that were added by this process."""

    def begin(self, job: Mapping[str, Any], resume: bool) -> None:
        """Starts a job, or goes on with what is there of the same one.

        Args:
            job: What the result depends on.
            resume: Whether the folder may hold parts of this job.

        Raises:
            RunError: The folder holds something else, an unfinished job without `resume`, or that of another job.
        """
        names = [file.name for file in self._inputs.values()]
        if not self._path.exists():
            check_free(self._folder)
            self._write([{"kind": "job", **job, "files": names}])
            return
        if not resume:
            raise RunError(
                f"{self._folder}에 끝나지 않은 작업이 있습니다. 이어서 하려면 `resume`을 쓰고, 아니면 다른 `output`을 "
                "주세요.",
                f"There is an unfinished job in {self._folder}. Say `resume` to go on with it, or give another "
                "`output`.",
                mend={"resume": True},
            )
        lines = read_lines(self._path)
        if not lines or lines[0].get("kind") != "job":
            raise RunError(
                f"{self._path}: 작업의 기록이 손상되었습니다. 다른 `output`으로 다시 시작하세요.",
                f"{self._path}: the record of the job is damaged. Start again with another `output`.",
                mend={"resume": False, "output": f"{self._folder}_new"},
            )
        before = lines[0]
        self._check_files(before.pop("files"), names)
        check_same_run(self._folder, before, {"kind": "job", **job})
        for record in lines[1:]:
            self._take(record)
        self.discard_bad()
        self.bad.clear()  # they may be mended
        self._drop_damaged()
        self._write([{"kind": "job", **job, "files": names}, *self._all()])

    def add(self, record: Record) -> None:
        """Notes a record: on the disk before anything is done with it."""
        line = json.dumps(record, ensure_ascii=False) + "\n"
        with self._path.open("a", encoding="utf-8") as handle:
            handle.write(line)
        self.lines += 1
        self._take(record)

    def todo(self) -> list[InputFile]:
        """Returns the files that are not done, the largest first."""
        missing = [file for number, file in self._inputs.items() if not self._is_done(number)]
        return sorted(missing, key=lambda file: -file.stamp[0])

    def done_parts(self, file: int) -> list[int]:
        """Returns the numbers of the parts of a file that are written."""
        return sorted(self.parts.get(file, ()))

    def discard_bad(self) -> None:
        """Removes what was made of files that cannot be read, as where one was changed while it was."""
        for number in self.bad:
            self.files.pop(number, None)
            for part in self.parts.pop(number, {}).values():
                if part["name"] is not None:
                    (self._folder / part["name"]).unlink(missing_ok=True)

    def close(self) -> None:
        """Removes the journal of a job whose manifest is there."""
        self._path.unlink(missing_ok=True)

    def _is_done(self, number: int) -> bool:
        if number in self.bad:
            return True
        file = self.files.get(number)
        return file is not None and len(self.parts.get(number, ())) == file["parts"]

    def _take(self, record: Record) -> None:
        if record["kind"] == "part":
            self.parts.setdefault(record["file"], {})[record["part"]] = record
        elif record["kind"] == "file":
            self.files[record["file"]] = record
        elif record["kind"] == "bad":
            self.bad[record["file"]] = record

    def _all(self) -> list[Record]:
        parts = [part for parts in self.parts.values() for part in parts.values()]
        return [*parts, *self.files.values()]

    def _check_files(self, before: list[str], now: list[str]) -> None:
        if before == now:
            return
        gone, new = sorted(set(before) - set(now)), sorted(set(now) - set(before))
        shown = ", ".join([*(f"-{name}" for name in gone[:5]), *(f"+{name}" for name in new[:5])]) or "순서 (order)"
        raise RunError(
            f"{self._folder}의 작업은 파일 {len(before):,}개로 시작했는데 지금은 {len(now):,}개입니다: {shown}. 같은 "
            "파일로 이어서 하거나 다른 `output`을 주세요.",
            f"The job in {self._folder} was started with {len(before):,} files, and these are {len(now):,}: {shown}. "
            "Go on with the same ones, or give another `output`.",
            mend={"resume": False, "output": f"{self._folder}_new"},
        )

    def _drop_damaged(self) -> None:
        """Forgets parts that are not on the disk as they were written; refuses files that have changed since."""
        for number, parts in self.parts.items():
            file = self._inputs[number]
            for part, record in list(parts.items()):
                if tuple(record["stamp"]) != file.stamp:
                    raise RunError(
                        f"{file.name}: 일부를 예측한 뒤에 파일이 바뀌었습니다. 다른 `output`으로 다시 시작하세요.",
                        f"{file.name}: the file changed after parts of it were predicted. Start again with another "
                        "`output`.",
                        mend={"resume": False, "output": f"{self._folder}_new"},
                    )
                if not self._is_whole(record):
                    del parts[part]

    def _is_whole(self, record: Record) -> bool:
        if record["name"] is None:
            return True
        path = self._folder / record["name"]
        try:
            return bool(hashlib.sha256(path.read_bytes()).hexdigest() == record["sha256"])
        except OSError:
            return False

    def _write(self, records: Sequence[Record]) -> None:
        with atomic_write(self._path, "w") as handle:
            for record in records:
                handle.write(json.dumps(record, ensure_ascii=False) + "\n")


def read_lines(path: Path) -> list[Record]:
    """Returns the records of a journal; the last line of one whose writer was killed may be cut, and is left out."""
    records: list[Record] = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            record = json.loads(line)
        except ValueError:
            break
        if not isinstance(record, dict):
            break
        records.append(record)
    return records
