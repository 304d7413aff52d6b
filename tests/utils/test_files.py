"""Files and folders appear whole or not at all: after errors, a full disk, and kill -9."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from kobert_hf_emotion.errors import KoBERTEmotionError, RunError
from kobert_hf_emotion.utils import files
from kobert_hf_emotion.utils.files import atomic_directory, atomic_write, write_json


@pytest.fixture(params=["unnamed", "named"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of writing: Linux's file without a name, and the hidden file of other systems."""
    if request.param == "named":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)


def run_until_ready(program: str, folder: Path) -> None:
    """Runs a program in `folder`, and kills it when it prints a line."""
    process = subprocess.Popen([sys.executable, "-c", program], cwd=folder, stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=30) == -signal.SIGKILL


@pytest.mark.usefixtures("_way")
class TestAtomicWrite:
    def test_writes_and_replaces(self, tmp_path: Path) -> None:
        path = tmp_path / "sub" / "file.bin"
        for content in (b"old", b"new"):
            with atomic_write(path) as handle:
                handle.write(content)
                assert not path.exists() or path.read_bytes() == b"old"
            assert path.read_bytes() == content
        assert list(path.parent.iterdir()) == [path]

    def test_text_is_utf8(self, tmp_path: Path) -> None:
        with atomic_write(tmp_path / "a.txt", "w") as handle:
            handle.write("행복\n")
        assert (tmp_path / "a.txt").read_bytes() == "행복\n".encode()
        with atomic_write(tmp_path / "b.txt", "w", encoding="utf-8-sig", newline="") as handle:
            handle.write("행복\r\n")
        assert (tmp_path / "b.txt").read_bytes() == b"\xef\xbb\xbf" + "행복\r\n".encode()

    def test_seeking_writers(self, tmp_path: Path) -> None:
        import zipfile

        with atomic_write(tmp_path / "a.zip") as handle, zipfile.ZipFile(handle, "w") as archive:
            archive.writestr("x", "content")
        assert zipfile.ZipFile(tmp_path / "a.zip").read("x") == b"content"

    @pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError("x")])
    def test_an_error_leaves_the_old_file(self, tmp_path: Path, error: BaseException) -> None:
        path = tmp_path / "file.bin"
        path.write_bytes(b"old")

        def fail(handle: IO[bytes]) -> None:
            handle.write(b"new" * 100_000)
            raise error

        with pytest.raises(type(error)), atomic_write(path) as handle:
            fail(handle)
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]

    def test_a_full_disk_at_the_last_step(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "file.bin"
        path.write_bytes(b"old")

        def no_space(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(files.os, "fsync", no_space)
        with pytest.raises(OSError, match="No space"), atomic_write(path) as handle:
            handle.write(b"new")
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]

    def test_permissions(self, tmp_path: Path) -> None:
        path = tmp_path / "file.bin"
        old_mask = os.umask(0o027)
        try:
            with atomic_write(path):
                pass
            assert stat.S_IMODE(path.stat().st_mode) == 0o640
            path.chmod(0o604)
            with atomic_write(path):
                pass
            assert stat.S_IMODE(path.stat().st_mode) == 0o604
        finally:
            os.umask(old_mask)

    def test_a_link_is_followed(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "real" / "file")
        with atomic_write(tmp_path / "link") as handle:
            handle.write(b"x")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "real" / "file").read_bytes() == b"x"

    def test_a_folder_in_the_way(self, tmp_path: Path) -> None:
        with pytest.raises(RunError, match="found a folder"), atomic_write(tmp_path):
            pass

    def test_two_at_once(self, tmp_path: Path) -> None:
        """The second writer does not sweep away what the first is still writing."""
        path = tmp_path / "file.bin"
        with atomic_write(path) as first:
            first.write(b"first")
            with atomic_write(path) as second:
                second.write(b"second")
            assert path.read_bytes() == b"second"
        assert path.read_bytes() == b"first"

    def test_modes(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="'ab'"), atomic_write(tmp_path / "x", "ab"):
            pass


@pytest.mark.skipif(sys.platform != "linux", reason="a file without a name is Linux's")
def test_kill_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file.bin").write_bytes(b"old")
    program = """
import time
from kobert_hf_emotion.utils.files import atomic_write
with atomic_write("file.bin") as handle:
    handle.write(b"new" * 1_000_000)
    handle.flush()
    print("ready", flush=True)
    time.sleep(60)
"""
    run_until_ready(program, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["file.bin"]
    assert (tmp_path / "file.bin").read_bytes() == b"old"


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_kill_leaves_is_swept(tmp_path: Path, kind: str) -> None:
    write = {
        "file": 'delattr(os, "O_TMPFILE"); context = files.atomic_write("target")',
        "folder": 'context = files.atomic_directory("target")',
    }[kind]
    program = f"""
import os, time
from kobert_hf_emotion.utils import files
{write}
with context as handle:
    handle.write(b"half") if {kind == "file"} else (handle / "half").write_bytes(b"x")
    print("ready", flush=True)
    time.sleep(60)
"""
    run_until_ready(program, tmp_path)
    assert not (tmp_path / "target").exists()
    assert len(list(tmp_path.iterdir())) == 1
    if kind == "file":
        with atomic_write(tmp_path / "target"):
            pass
    else:
        with atomic_directory(tmp_path / "target"):
            pass
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


class TestAtomicDirectory:
    @pytest.mark.parametrize("exists", [True, False])
    def test_appears_whole(self, tmp_path: Path, exists: bool) -> None:
        target = tmp_path / "deep" / "out"
        if exists:
            target.mkdir(parents=True)
        with atomic_directory(target) as folder:
            (folder / "sub").mkdir()
            (folder / "sub" / "a.txt").write_text("a")
            assert folder.parent == target.parent
            assert not (target / "sub").exists()
        assert (target / "sub" / "a.txt").read_text() == "a"
        assert [path.name for path in target.parent.iterdir()] == ["out"]

    def test_an_error_leaves_nothing(self, tmp_path: Path) -> None:
        def fail(folder: Path) -> None:
            (folder / "a.txt").write_text("a")
            raise OSError(28, "No space left on device")

        with pytest.raises(OSError, match="No space"), atomic_directory(tmp_path / "out") as folder:
            fail(folder)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("kind", ["file", "folder"])
    def test_what_is_there_is_not_touched(self, tmp_path: Path, kind: str) -> None:
        target = tmp_path / "out"
        kept = target if kind == "file" else target / "notes.txt"
        kept.parent.mkdir(exist_ok=True)
        kept.write_text("mine")
        with pytest.raises(RunError, match="nothing in it was touched") as caught, atomic_directory(target):
            pytest.fail("the block must not run")
        assert isinstance(caught.value, KoBERTEmotionError)
        assert str(target) in caught.value.korean
        assert kept.read_text() == "mine"

    def test_something_appears_meanwhile(self, tmp_path: Path) -> None:
        target = tmp_path / "out"
        with pytest.raises(RunError, match="touched"), atomic_directory(target):  # noqa: PT012 - the exit raises
            target.mkdir()
            (target / "theirs").write_text("x")
        assert [path.name for path in target.iterdir()] == ["theirs"]
        assert [path.name for path in tmp_path.iterdir()] == ["out"]

    def test_two_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(RunError), atomic_directory(tmp_path / "out") as first:  # noqa: PT012, SIM117
            with atomic_directory(tmp_path / "out") as second:
                assert first.is_dir()
                (second / "x").write_text("second")
        assert (tmp_path / "out" / "x").read_text() == "second"


@dataclass
class Record:
    name: str


def test_json(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    write_json(file, {"이름": Record("감정"), "path": Path("a/b"), "list": [1, 2.5]})
    content = file.read_text(encoding="utf-8")
    assert json.loads(content) == {"이름": {"name": "감정"}, "path": "a/b", "list": [1, 2.5]}
    assert "이름" in content, "Hangul is written as it is"
    assert content.endswith("}\n")
