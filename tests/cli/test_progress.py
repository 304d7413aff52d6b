"""What is shown of how far something has come: a bar on a terminal, a line now and then elsewhere, nothing if quiet."""

from __future__ import annotations

import fcntl
import io
import json
import os
import re
import struct
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TextIO

import pytest

from kobert_hf_emotion.cli import loudness, main, progress
from kobert_hf_emotion.cli.language import speak
from kobert_hf_emotion.cli.output import quiet_libraries
from kobert_hf_emotion.cli.progress import Bars
from kobert_hf_emotion.utils.progress import ROWS, each, shown_by
from kobert_hf_emotion.utils.progress import progress as counting
from kobert_hf_emotion.wording import Wording

TITLE = Wording("예측", "predicting")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Things are shown from their first moment on."""
    monkeypatch.setattr(progress, "DELAY", 0.0)
    monkeypatch.setattr(progress, "TICK", 0.01)
    speak("both")


@pytest.fixture(params=[(24, 100), (0, 0)], ids=["of 100 columns", "of unknown size"])
def terminal(request: pytest.FixtureRequest) -> Iterator[tuple[TextIO, Callable[[], str]]]:
    """A terminal to write to, and what returns all that was written so far."""
    screen, end = os.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", *request.param, 0, 0))
    parts: list[bytes] = []
    with open(end, "w", encoding="utf-8") as stream:

        def written() -> str:
            stream.flush()
            os.set_blocking(screen, False)
            while True:
                try:
                    parts.append(os.read(screen, 65536))
                except BlockingIOError:
                    return b"".join(parts).decode("utf-8", "replace")

        yield stream, written
    os.close(screen)


def wait_for(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


def has(written: Callable[[], str], pattern: str) -> Callable[[], bool]:
    return lambda: re.search(pattern, written()) is not None


def test_a_terminal_shows_rate_and_time_left(at_once: None, terminal: tuple[TextIO, Callable[[], str]]) -> None:
    stream, written = terminal
    with shown_by(Bars(stream)), counting(TITLE, 1000, ROWS) as advance:
        advance(250)
        wait_for(has(written, r"예측 \(predicting\): +25%.*250/1000 \[\d\d:\d\d<[\d:]+, +[\d.]+(k? rows/s|s/ rows)\]"))
    assert written().endswith("\r")  # the bar is gone, and the line free


def test_what_is_known_of_no_end_has_no_time_left(at_once: None, terminal: tuple[TextIO, Callable[[], str]]) -> None:
    stream, written = terminal
    with shown_by(Bars(stream)), counting(TITLE, unit=ROWS) as advance:
        wait_for(has(written, r"predicting\): \[\d\d:\d\d\]"))
        advance(3)
        wait_for(has(written, r"predicting\): 3 \[\d\d:\d\d, +[\d.]+.*rows"))


def test_what_ends_at_once_leaves_no_trace(terminal: tuple[TextIO, Callable[[], str]]) -> None:
    stream, written = terminal
    with shown_by(Bars(stream)):
        for _ in each(range(100), TITLE, ROWS):
            pass
    assert written() == ""


def test_elsewhere_a_line_comes_now_and_then(at_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "FIRST_LINE", 0.0)
    stream = io.StringIO()
    with shown_by(Bars(stream)), counting(TITLE, 10, ROWS, before=2) as advance:
        advance(3)
        wait_for(lambda: bool(stream.getvalue()))
        time.sleep(0.1)  # many looks, one line: the next is due in a minute
    [line] = stream.getvalue().splitlines()
    assert re.fullmatch(r"예측 \(predicting\): 5/10 \[\d\d:\d\d<[\d:]+, +[\d.]+(k? rows/s|s/ rows)\]", line), line


def test_parts_of_a_whole_are_not_shown(at_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "FIRST_LINE", 0.0)
    monkeypatch.setattr(progress, "LATER_LINES", 0.0)
    stream = io.StringIO()
    with shown_by(Bars(stream)), counting(TITLE, 10, whole=True), counting(Wording("안", "inside"), 5):
        wait_for(lambda: stream.getvalue().count("predicting") > 3)
    assert "inside" not in stream.getvalue()


def test_nobody_is_shown_anything_by_the_library() -> None:
    with counting(TITLE, 3) as advance:
        advance(1)
    assert list(each([1, 2], TITLE)) == [1, 2]


def test_an_error_goes_through(at_once: None, terminal: tuple[TextIO, Callable[[], str]]) -> None:
    stream, _ = terminal
    bars = Bars(stream)
    with shown_by(bars):
        for _ in range(2):  # the second time it begins anew
            with pytest.raises(ValueError, match="broken"), counting(TITLE, 3):
                raise ValueError("broken")


@pytest.mark.parametrize("quiet", [False, True])
def test_a_command_on_a_terminal(
    quiet: bool,
    at_once: None,
    terminal: tuple[TextIO, Callable[[], str]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tiny_model_folder: Path,
    tmp_path: Path,
) -> None:
    stream, written = terminal
    file = tmp_path / "texts.csv"
    file.write_text("text\n" + "오늘 정말 좋았다\n" * 3000, encoding="utf-8")
    monkeypatch.setattr("sys.stderr", stream)
    code = main(["predict", str(tiny_model_folder), str(file), "--json", *(["--quiet"] if quiet else [])])
    seen = written()
    assert code == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 3000
    assert ("예측 (predicting):" in seen and "/3000 [" in seen) != quiet
    if quiet:
        assert seen == ""


def test_quiet_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loudness._Said, "quiet", True)
    with quiet_libraries(), counting(TITLE, 3) as advance, closing(each([1], TITLE)) as items:
        assert advance.__name__ == "_nothing"
        assert list(items) == [1]
