"""The wheel and the sdist, and the wheel installed where the checkout cannot be seen."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from paths import ROOT

pytestmark = pytest.mark.slow


NEEDED = (
    "kobert_hf_emotion/py.typed",
    "kobert_hf_emotion/assets/default/model.safetensors",
    "kobert_hf_emotion/assets/default/spiece.model",
    "kobert_hf_emotion/assets/sample/train.csv",
    "kobert_hf_emotion/assets/skeletons/bert-6x256.json",
    "kobert_hf_emotion/assets/skeletons/bert-6x256.onnx",
    "kobert_hf_emotion/assets/sample/test.csv",
    "kobert_hf_emotion/cli/app.py",
    "kobert_hf_emotion/legacy/reader.py",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, built from what git tracks."""
    source = tmp_path_factory.mktemp("source")
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listing.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    output = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(output), str(source)],
        check=True,
        capture_output=True,
        text=True,
        timeout=600,
    )
    return output


def test_wheel_and_sdist_hold_what_is_needed(built: Path) -> None:
    [wheel] = built.glob("*.whl")
    [sdist] = built.glob("*.tar.gz")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert [name for name in NEEDED if name not in names] == []
    assert not [name for name in names if name.startswith(("tests/", "training/", "examples/"))]
    with tarfile.open(sdist) as archive:
        inside = {name.split("/", 1)[-1] for name in archive.getnames()}
    assert [name for name in NEEDED if name not in inside] == []


def test_the_installed_wheel_works_offline(built: Path, tmp_path: Path) -> None:
    [wheel] = built.glob("*.whl")
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    site = Path(
        subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
    )
    # The dependencies are those of this environment; its link to the checkout is not followed from a .pth line.
    import torch

    (site / "dependencies.pth").write_text(f"{Path(torch.__file__).parents[1]}\n", encoding="utf-8")
    subprocess.run([python, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", wheel], check=True)
    command = python.with_name("kobert-emotion")
    environment = {"HF_HUB_OFFLINE": "1", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [command, "predict", "default", "오늘 정말 행복했어", "--json"],
        check=False, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '"label": "' in done.stdout
    where = subprocess.run(
        [python, "-c", "import kobert_hf_emotion; print(kobert_hf_emotion.__file__)"],
        check=True, capture_output=True, text=True, cwd=tmp_path, env=environment,
    ).stdout  # fmt: skip
    assert where.startswith(str(folder))
