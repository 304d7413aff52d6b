"""Imports of the package point one way."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import kobert_hf_emotion

PACKAGE = Path(kobert_hf_emotion.__file__).parent


def module_imports() -> dict[str, set[str]]:
    """Maps each module of the package to those it imports anywhere but under TYPE_CHECKING."""
    names = {
        path: ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__") or "__init__"
        for path in PACKAGE.rglob("*.py")
    }
    modules = set(names.values())
    found: dict[str, set[str]] = {}
    for path, name in names.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
                node.body = []
        package = list(path.relative_to(PACKAGE).parent.parts)
        found[name] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])
                for alias in node.names:
                    child = f"{base}.{alias.name}".strip(".")
                    found[name].add(child if child in modules else base)
    return {name: imported & modules - {name} for name, imported in found.items()}


def test_no_import_cycles() -> None:
    TopologicalSorter(module_imports()).prepare()  # raises CycleError naming the cycle


def test_foundations_import_nothing_above_them() -> None:
    imports = module_imports()
    assert imports["errors"] == set()
    assert imports["labels"] == set()
    assert imports["losses"] <= {"errors", "labels"}
    assert imports["probabilities"] <= {"errors"}
    upper = {"trainer", "cross_validation", "evaluation", "cli", "cli.app", "notebook"}
    for name in ("configuration", "tokenization", "modeling", "inference", "data", "tables", "splits"):
        assert not imports[name] & upper, name
