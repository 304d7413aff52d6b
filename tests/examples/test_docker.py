"""The Dockerfile as far as it can be read without Docker: instructions, files that are there, options that exist."""

from __future__ import annotations

import json
import re

import typer
from paths import ROOT

from kobert_hf_emotion.cli.app import app

TEXT = (ROOT / "examples/docker/Dockerfile").read_text(encoding="utf-8")
LINES = [line.split(maxsplit=1) for line in TEXT.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]


def arguments(name: str) -> list[str]:
    return [rest for instruction, rest in LINES if instruction == name]


def test_instructions() -> None:
    known = {*("FROM", "ARG", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL")}
    assert {name for name, _ in LINES} <= known | {"ENTRYPOINT", "CMD"}
    assert LINES[0][0] == "FROM"


def test_what_is_copied_is_there_and_reaches_docker() -> None:
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[0] == "!"]
    for copy in arguments("COPY"):
        for source in copy.split()[:-1]:
            assert (ROOT / source).exists()
            assert source in let_in


def test_torch_is_the_pinned_build_for_the_cpu() -> None:
    [version] = re.findall(r"torch==(\S+)\+cpu", TEXT)
    assert f"\ntorch=={version}\n" in (ROOT / "constraints.txt").read_text(encoding="utf-8")


def test_it_runs_as_no_root_and_its_command_exists() -> None:
    assert arguments("USER") == ["serve"]
    [entry], [more] = arguments("ENTRYPOINT"), arguments("CMD")
    words = [*json.loads(entry), *json.loads(more)]
    command = typer.main.get_command(app).commands[words[1]]  # type: ignore[attr-defined]
    assert command.make_context(words[1], words[2:]).params["host"] == "0.0.0.0"  # noqa: S104
    check = json.loads(arguments("HEALTHCHECK")[0].partition(" CMD ")[2])
    compile(check[2], "HEALTHCHECK", "exec")
    assert "/health" in check[2]
