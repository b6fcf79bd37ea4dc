"""The floors of the house: imports point down, every library has one floor, no module needs itself."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "ipt_explain"

# From the ground up. A module imports from lower floors and from its own.
FLOORS = (
    ("digests", "enums", "patterns", "records"),
    ("words",),
    ("collector", "errors", "help", "progress", "schemas", "source"),
    ("inputs", "outputs"),
    ("model",),
    ("grammar",),
    ("parsing",),
    ("netfilter",),
    ("graph",),
    ("services",),
    ("analyzers",),
    ("trace",),
    ("compare",),
    ("audit",),
    ("render",),
    ("cli",),
    ("api", "__init__", "__main__"),
)

# Each library is known to one floor, so that it can be understood, and replaced, there.
LIBRARIES = {
    "click": "cli",
    "jinja2": "render",
    "lark": "parsing",
    "networkx": "graph",
    "rich": "render",
    "tomli": "audit",  # the standard library's tomllib, for Python 3.10
    "tomllib": "audit",
    "yaml": "compare",
    "distributed": "compare",
    "fsspec": "inputs",
    "zstandard": "inputs",
}


@dataclass(frozen=True)
class Import:
    """That `module` imports `target`, at `line`; for `from a import b`, `target` is `a.b` if that is a module, else `a`."""

    module: str
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def _module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def _imports(module: str, path: Path) -> Iterator[Import]:
    """All imports, also those inside functions and those for type checkers alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: imports are absolute here"
            assert node.module is not None
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                # The version is a string that any floor may print; it drags nothing in.
                if inner != "ipt_explain.__version__":
                    yield Import(module, inner if inner in MODULES else node.module, node.lineno)


IMPORTS = [found for module, path in MODULES.items() for found in _imports(module, path)]
OWN = [found for found in IMPORTS if found.target.split(".")[0] == "ipt_explain"]
FOREIGN = [found for found in IMPORTS if found.target.split(".")[0] != "ipt_explain"]


def _part(module: str) -> str:
    """The floor's name: what stands behind `ipt_explain.`; the package itself and its `__main__` are on top."""
    return module.split(".")[1] if "." in module else "__init__"


def _height(module: str) -> int:
    for height, parts in enumerate(FLOORS):
        if _part(module) in parts:
            return height
    raise AssertionError(f"{module} stands on no floor: name its package in FLOORS")


def test_every_module_stands_on_a_floor() -> None:
    assert [module for module in MODULES if _height(module) < 0] == []


def test_imports_point_down() -> None:
    up = [str(found) for found in OWN if _height(found.target) > _height(found.module)]
    assert up == []


def test_parts_of_one_floor_do_not_know_each_other() -> None:
    sideways = [
        str(found)
        for found in OWN
        if _height(found.target) == _height(found.module) < len(FLOORS) - 1 and _part(found.target) != _part(found.module)
    ]
    assert sideways == []


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_is_imported_on_its_floor_alone(library: str) -> None:
    elsewhere = [
        str(found)
        for found in FOREIGN
        if found.target.split(".")[0] == library and _part(found.module) != LIBRARIES[library]
    ]
    assert elsewhere == []


def test_no_other_library_is_needed() -> None:
    of_other_pythons = ("_sha2", "_sha256")  # the standard library's, too
    known = {*sys.stdlib_module_names, *of_other_pythons, *LIBRARIES}
    assert [str(found) for found in FOREIGN if found.target.split(".")[0] not in known] == []


def test_no_module_needs_itself() -> None:
    """No cycles among modules, as far as names that they import from each other go."""
    order: TopologicalSorter[str] = TopologicalSorter()
    for found in OWN:
        if found.target != found.module:
            order.add(found.module, found.target)
    cycle: list[str] = []
    try:
        order.prepare()
    except CycleError as error:
        cycle = error.args[1]
    assert " -> ".join(cycle) == ""


def test_slots_of_rules_are_looked_up_where_they_are_laid_out() -> None:
    """Others ask a rule or a chain for a word."""
    others = [path for path in MODULES.values() if path.relative_to(ROOT).parts[0] not in ("model", "parsing")]
    assert [str(path) for path in others if ".values[" in path.read_text(encoding="utf-8")] == []
