"""Imports point down, from floor to floor; every module has its room, and CONTRIBUTING draws the same house."""

from __future__ import annotations

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from paths import ROOT

PACKAGE = ROOT / "kobert_hf_emotion"
FLOORS = (
    ("errors", "labels", "wording"),
    ("utils",),
    ("assets", "configuration", "data"),
    ("hub", "kernels", "metrics", "splits"),
    ("tasks",),
    ("tokenization",),
    ("explanation",),
    ("modeling", "audit"),
    ("legacy", "report"),
    ("inference", "notebook"),
    ("training", "export", "serving"),
    ("runs",),
    ("evaluation", "ray_engine", "search", "distillation", "adaptation"),
    ("cli",),
)
"""The rooms by floor, the ground floor first. A room may use those on the floors below it, and itself."""

DOORS = {"__init__", "__main__"}
"""Modules that only hand on names of all floors."""


def module_imports(package: Path) -> dict[str, set[str]]:
    """Maps each module of a package to those it imports anywhere but under TYPE_CHECKING."""
    names = {
        path: ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__")
        for path in package.rglob("*.py")
    }
    modules = set(names.values())
    found: dict[str, set[str]] = {}
    for path, name in names.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
                node.body = []
        inside = list(path.relative_to(package).parent.parts)
        found[name] = set()
        for node in ast.walk(tree):
            for base, name_in_base in _imported(node, inside, package.name):
                child = f"{base}.{name_in_base}".strip(".")
                found[name].add(child if child in modules else base)
    return {name: imported & modules - {name} for name, imported in found.items()}


def _imported(node: ast.AST, inside: list[str], package: str) -> list[tuple[str, str]]:
    """Returns the module, below the package, and the name in it, of each name that a node imports from the package."""
    if isinstance(node, ast.ImportFrom) and node.level:
        base = ".".join([*inside[: len(inside) - node.level + 1], *([node.module] if node.module else [])])
        return [(base, alias.name) for alias in node.names]
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package:
        return [((node.module or "").removeprefix(package).strip("."), alias.name) for alias in node.names]
    if isinstance(node, ast.Import):
        own = [alias.name for alias in node.names if alias.name.split(".")[0] == package]
        return [(name.removeprefix(package).strip("."), "") for name in own]
    return []


def upward_imports(imports: dict[str, set[str]], floors: tuple[tuple[str, ...], ...]) -> list[str]:
    """Lists the imports that lead to another room on the same floor or above, and the modules without a floor."""
    floor = {room: number for number, rooms in enumerate(floors) for room in rooms}
    found = []
    for module, imported in sorted(imports.items()):
        room = module.split(".")[0]
        if room in DOORS:
            continue
        if room not in floor:
            found.append(f"{module} has no floor")
            continue
        for other in sorted(imported):
            there = other.split(".")[0]
            if there != room and floor.get(there, len(floors)) >= floor[room]:
                found.append(f"{module} (floor {floor[room]}) imports {other} (floor {floor.get(there, 'none')})")
    return found


@pytest.mark.slow
def test_no_import_cycles() -> None:
    TopologicalSorter(module_imports(PACKAGE)).prepare()  # raises CycleError naming the cycle


@pytest.mark.slow
def test_imports_point_down() -> None:
    assert not upward_imports(module_imports(PACKAGE), FLOORS)


def test_every_room_of_the_plan_is_there() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert rooms == {room for floor in FLOORS for room in floor} | DOORS


def test_few_modules_stand_in_the_package_folder() -> None:
    assert sorted(path.name for path in PACKAGE.glob("*.py")) == [
        "__init__.py", "__main__.py", "errors.py", "labels.py", "notebook.py", "wording.py",
    ]  # fmt: skip


def test_contributing_draws_these_floors() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    drawn = re.findall(r"^ *(\d+)  +(.+)$", text, flags=re.MULTILINE)
    assert {int(number): set(rooms.split()) for number, rooms in drawn} == {
        number: set(rooms) for number, rooms in enumerate(FLOORS)
    }


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("from ..upper import x", "low.a (floor 0) imports upper.b"),
        ("from fake.upper.b import x", "low.a (floor 0) imports upper.b"),
        ("import fake.upper.b", "low.a (floor 0) imports upper.b"),
        ("def f():\n    from ..upper.b import x", "low.a (floor 0) imports upper.b"),
        ("from ..stray import x", "stray has no floor"),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..upper.b import x", None),
    ],
)
def test_the_check_sees_what_it_is_for(tmp_path: Path, source: str, complaint: str | None) -> None:
    package = tmp_path / "fake"
    for room in ("low", "upper"):
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "upper" / "__init__.py").write_text("from .b import x\n")
    (package / "upper" / "b.py").write_text("x = 1\n")
    (package / "low" / "a.py").write_text(source + "\n")
    if complaint and complaint.startswith("stray"):
        (package / "stray.py").write_text("x = 1\n")
    found = upward_imports(module_imports(package), (("low",), ("upper",)))
    assert bool(found) == (complaint is not None)
    if complaint is not None:
        assert any(line.startswith(complaint.removesuffix(".b")) for line in found), found
