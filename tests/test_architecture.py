"""The layers of the package: imports point down, each library belongs to one layer, no module imports itself."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "ipt_explain"

# From the bottom up. A module imports from lower layers and from its own.
LAYERS = (
    ("digests", "enums", "patterns", "records"),
    ("columns",),
    ("words",),
    ("collector", "errors", "help", "progress", "schemas"),
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

# Only one layer imports each library, so that it can be replaced there.
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
    """`module` imports `target` at `line`; for `from a import b`, `target` is `a.b` if that is a module, else `a`."""

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
    """All imports, including those inside functions and those for type checkers only."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: imports are absolute here"
            assert node.module is not None
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                # Any layer may print the version, a string whose import loads nothing else.
                if inner != "ipt_explain.__version__":
                    yield Import(module, inner if inner in MODULES else node.module, node.lineno)


IMPORTS = [found for module, path in MODULES.items() for found in _imports(module, path)]
OWN = [found for found in IMPORTS if found.target.split(".")[0] == "ipt_explain"]
FOREIGN = [found for found in IMPORTS if found.target.split(".")[0] != "ipt_explain"]


def _part(module: str) -> str:
    """The layer's name, which follows `ipt_explain.`; the package itself and its `__main__` are on top."""
    return module.split(".")[1] if "." in module else "__init__"


def _height(module: str) -> int:
    for height, parts in enumerate(LAYERS):
        if _part(module) in parts:
            return height
    raise AssertionError(f"{module} is in no layer: name its package in LAYERS")


def test_every_module_is_in_a_layer() -> None:
    assert [module for module in MODULES if _height(module) < 0] == []


def test_imports_point_down() -> None:
    up = [str(found) for found in OWN if _height(found.target) > _height(found.module)]
    assert up == []


def test_packages_of_one_layer_do_not_import_each_other() -> None:
    sideways = [
        str(found)
        for found in OWN
        if _height(found.target) == _height(found.module) < len(LAYERS) - 1 and _part(found.target) != _part(found.module)
    ]
    assert sideways == []


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_is_imported_in_its_layer_only(library: str) -> None:
    elsewhere = [
        str(found)
        for found in FOREIGN
        if found.target.split(".")[0] == library and _part(found.module) != LIBRARIES[library]
    ]
    assert elsewhere == []


def test_no_other_library_is_needed() -> None:
    of_other_pythons = ("_sha2", "_sha256")  # the standard library's, too
    of_type_checkers = ("typing_extensions",)  # they know it, installed or not
    known = {*sys.stdlib_module_names, *of_other_pythons, *of_type_checkers, *LIBRARIES}
    assert [str(found) for found in FOREIGN if found.target.split(".")[0] not in known] == []


def test_no_module_imports_itself() -> None:
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


def test_only_model_and_parsing_index_values_of_rules() -> None:
    """Others ask a rule or a chain for a word."""
    others = [path for path in MODULES.values() if path.relative_to(ROOT).parts[0] not in ("model", "parsing")]
    assert [str(path) for path in others if ".values[" in path.read_text(encoding="utf-8")] == []
