"""ONNX Runtime for browsers: three files of the npm package `onnxruntime-web`, from a folder or from npm.

They are not in this package: they are 14 MB, and a release of their own.
"""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from subprocess import CalledProcessError, TimeoutExpired

from ..errors import CheckpointError
from ..utils.progress import progress
from ..wording import Wording

PACKAGE = "onnxruntime-web"
VERSION = "1.30.0"
"""The one that pages were tested with."""
FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
LICENSE_FILE = "LICENSE.txt"
_SECONDS = 300
# npm's package has no file of its own for the licence that it names and that asks to go with every copy.
_LICENSE = """MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""


def find_runtime(given: Path | None) -> Path | None:
    """Returns the folder of the runtime's files, None where they are to be had from npm.

    Args:
        given: The folder, that of the npm package, or one with a `node_modules`; None looks into the working folder.

    Raises:
        CheckpointError: `given` has no such files.
    """
    for place in (".", "dist", f"node_modules/{PACKAGE}/dist"):
        folder = (given or Path()) / place
        if all((folder / name).is_file() for name in FILES):
            return folder
    if given is None:
        return None
    raise CheckpointError(
        f"{given}에 {PACKAGE}의 파일이 없습니다: {', '.join(FILES)}. `runtime`에는 npm 패키지의 폴더를 주세요.",
        f"{given} has no files of {PACKAGE}: {', '.join(FILES)}. `runtime` is the folder of the npm package.",
        f"npm install --prefix runtime {PACKAGE}@{VERSION}",
    )


def write_runtime(target: Path, source: Path | None) -> None:
    """Writes the runtime's files and their licence to a new folder.

    Args:
        target: The folder.
        source: Of `find_runtime`.

    Raises:
        CheckpointError: npm is not there, or cannot get the package.
    """
    target.mkdir()
    if source is None:
        with tempfile.TemporaryDirectory() as temporary, tarfile.open(_pack(Path(temporary))) as archive:
            for name in FILES:
                packed = archive.extractfile(f"package/dist/{name}")
                assert packed is not None  # files of a published version
                (target / name).write_bytes(packed.read())
    else:
        for name in FILES:
            shutil.copyfile(source / name, target / name)
    (target / LICENSE_FILE).write_text(_LICENSE, encoding="utf-8")


def _pack(folder: Path) -> Path:
    """Has npm fetch the package, without installing anything."""
    npm = shutil.which("npm")
    cause = "npm: command not found"
    if npm is not None:
        command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", str(folder)]
        try:
            with progress(Wording("npm에서 받기", "getting it from npm")):
                subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS)  # noqa: S603
        except (CalledProcessError, TimeoutExpired, OSError) as error:
            cause = str(getattr(error, "stderr", None) or error).strip()
        else:
            return next(folder.glob("*.tgz"))
    raise CheckpointError(
        f"브라우저용 ONNX Runtime({PACKAGE} {VERSION})을 npm에서 받지 못했습니다({cause}). 인터넷이 되는 "
        "컴퓨터에서 npm으로 설치한 폴더를 옮겨 와 `runtime`으로 알려 주세요. 아무것도 쓰지 않았습니다.",
        f"Cannot get ONNX Runtime for browsers ({PACKAGE} {VERSION}) from npm ({cause}). Install it with npm on a "
        "machine with a network, copy that folder here and name it with `runtime`. Nothing was written.",
        f"npm install --prefix runtime {PACKAGE}@{VERSION}",
    )
