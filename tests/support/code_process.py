"""A process that runs pieces of code one after the other: what it loads it loads once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

_LOOP = """
import json, sys
channel, sys.stdout = sys.stdout, sys.stderr
for line in sys.stdin:
    request, found = json.loads(line), {}
    try:
        names = dict(request["values"])
        exec(request["code"], names)
        found["result"] = names.get("result")
    except Exception as error:
        found["error"] = [type(error).__name__, str(error)]
    print(json.dumps(found), file=channel, flush=True)
"""
WITHOUT_US = "import sys; sys.modules['kobert_hf_emotion'] = None"
"""Makes every import of this package fail."""


class CodeError(Exception):
    """What a piece of code raised: `args` are the name of the class and the message."""


class CodeProcess:
    """A process in a folder and an environment of its own; `first` is run before all else."""

    def __init__(self, first: str, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"{first}\n{_LOOP}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
            cwd=folder,
        )

    def run(self, code: str, **values: Any) -> Any:
        """Runs `code` with `values` as its global names and returns what it leaves in `result`.

        Raises:
            CodeError: The code raised.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        request = {"code": code, "values": json.loads(json.dumps(values, default=str))}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        found = json.loads(self.process.stdout.readline())
        if "error" in found:
            raise CodeError(*found["error"])
        return found["result"]

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(120)

    def __enter__(self) -> CodeProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
