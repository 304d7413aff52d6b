"""Packages of npm for tests, installed once into `build/`; where npm or its registry is not there, tests skip."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest
from paths import ROOT

_SECONDS = 300


def node_modules(*packages: str) -> Path:
    """Returns a folder whose `node_modules` has packages, given as `name@version`."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("no node and npm: make browser")
    folder = ROOT / "build" / "npm" / "_".join(package.replace("/", "-") for package in packages)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests in another process want the same
        if not (folder / "installed").is_file():
            command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts"]
            try:
                subprocess.run([*command, *packages], check=True, capture_output=True, timeout=_SECONDS)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
                pytest.skip(f"npm cannot install {', '.join(packages)}: {error}")
            (folder / "installed").write_text("")
    return folder


def run_module(folder: Path, script: str, *arguments: str) -> str:
    """Runs a script with the packages of a folder of `node_modules` and returns what it prints."""
    file = folder / "script.mjs"
    file.write_text(script, encoding="utf-8")
    done = subprocess.run(
        ["node", str(file), *arguments], check=False, capture_output=True, text=True, timeout=_SECONDS
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
