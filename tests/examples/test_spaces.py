"""The example of a Space, as far as it can be read without Docker: what Hugging Face asks of it, and its command."""

from __future__ import annotations

import json
import re
import shlex

import tomllib
import typer
import yaml
from paths import ROOT

from kobert_hf_emotion.cli.app import app

FOLDER = ROOT / "examples/spaces"
TEXT = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
LINES = [line.split(maxsplit=1) for line in TEXT.splitlines() if line and not line.startswith("#")]
CARD = yaml.safe_load((FOLDER / "README.md").read_text(encoding="utf-8").split("---")[1])


def arguments(name: str) -> list[str]:
    return [rest for instruction, rest in LINES if instruction == name]


def test_the_card_is_one_of_a_docker_space() -> None:
    assert CARD["sdk"] == "docker"
    assert len(CARD["short_description"]) <= 60
    assert {CARD["colorFrom"], CARD["colorTo"]} <= {
        "red",
        "yellow",
        "green",
        "blue",
        "indigo",
        "purple",
        "pink",
        "gray",
    }
    assert [int(port) for port in arguments("EXPOSE")] == [CARD["app_port"]]


def test_the_command_serves_the_named_model_on_the_port_of_the_card() -> None:
    shell, flag, line = json.loads(arguments("CMD")[0])
    assert (shell, flag) == ("sh", "-c")
    words = shlex.split(line)
    assert words[:2] == ["exec", "kobert-emotion"]
    command = typer.main.get_command(app).commands[words[2]]  # type: ignore[attr-defined]
    found = command.make_context(words[2], words[3:]).params
    assert (found["model"], found["host"], found["port"]) == ("$MODEL", "0.0.0.0", CARD["app_port"])  # noqa: S104
    assert "MODEL=default" in arguments("ENV")[0].split()


def test_it_runs_as_the_user_of_spaces_and_copies_nothing() -> None:
    """A Space has these two files alone."""
    assert arguments("USER") == ["user"]
    assert "--uid 1000 user" in TEXT
    assert not arguments("COPY")


def test_what_it_installs_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    [(name, extras)] = re.findall(r'"([\w-]+)\[([\w,]+)\]"', TEXT)
    assert name == project["name"]
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    [version] = re.findall(r"torch==(\S+)\+cpu", TEXT)
    assert f"\ntorch=={version}\n" in (ROOT / "constraints.txt").read_text(encoding="utf-8")
