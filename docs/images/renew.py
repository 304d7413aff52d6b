"""Makes the pictures of README and documentation anew where what they are made of has changed: `make docs`.

`made_of.json` holds a hash of that. What trains is not in it: pictures need not follow every change of that; with
`--anyway` they are made all the same.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MADE_OF = HERE / "made_of.json"
PACKAGE = ROOT / "kobert_hf_emotion"
SAMPLE = PACKAGE / "assets/sample"
SHOWN = ("assets/default", "assets/sample", "assets/report", "assets/shared.css", "report", "runs/plots.py")
"""What is seen in the pictures: a model, rows, and what draws them."""
DEMO = ("--model", "default", "--folds", "5", "--epochs", "5", "--learning-rate", "1e-3", "--quiet")
"""The training of `make demo`."""
AS_AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "DNNL_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OMP_NUM_THREADS": "1",
}
"""So that a newer processor draws the same."""


def made_of(root: Path = ROOT) -> str:
    """Returns a SHA-256 over the files that the pictures are made of."""
    digest = hashlib.sha256()
    for place in (*(root / "kobert_hf_emotion" / part for part in SHOWN), root / "docs/images"):
        files = [place] if place.is_file() else sorted(place.rglob("*"))
        for file in files:
            if file.is_file() and file.suffix not in (".pyc", ".png", ".md") and file.name != MADE_OF.name:
                digest.update(f"{file.relative_to(root).as_posix()}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def is_current(root: Path = ROOT) -> bool:
    """Tells whether the pictures show what there is."""
    kept = root / "docs/images" / MADE_OF.name
    return kept.is_file() and json.loads(kept.read_text(encoding="utf-8"))["sha256"] == made_of(root)


def renew() -> None:
    """Trains as `make demo` does, and keeps the pictures of that run and of its report."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "demo"
        train = [sys.executable, "-m", "kobert_hf_emotion", "train", str(SAMPLE / "train.csv"), *DEMO]
        subprocess.run(
            [*train, "--output", str(run)], check=True, env=os.environ | AS_AVX2, cwd=ROOT, stdout=subprocess.DEVNULL
        )
        shutil.copy(run / "confusion_matrix.png", HERE)
        if shutil.which("chromium") is None:
            print("docs/images: chromium이 없어 report.png는 그대로 (no chromium: report.png stays as it was)")
            return
        subprocess.run([sys.executable, str(HERE / "report.py"), str(run)], check=True)
    MADE_OF.write_text(json.dumps({"sha256": made_of()}, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Renews the pictures where it has to be done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--anyway", action="store_true", help="even where nothing has changed")
    if parser.parse_args().anyway or not is_current():
        renew()
    else:
        print("docs/images: 그림은 지금 것 (the pictures are those of today)")


if __name__ == "__main__":
    main()
