"""What a user installs: all packages, the grammar, the names that are promised."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from importlib.resources import files
from pathlib import Path

import pytest

import ipt_explain

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def _words(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _packages_on_disk() -> Iterator[str]:
    for init in (ROOT / "ipt_explain").rglob("__init__.py"):
        yield ".".join(init.parent.relative_to(ROOT).parts)
    yield "ipt_explain.grammar"


def test_every_package_is_listed(setup_cfg: configparser.ConfigParser) -> None:
    """A package that the list lacks is missing from the wheel, and from nothing else."""
    assert _words(setup_cfg["options"]["packages"]) == sorted(_packages_on_disk())


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for path in [*(ROOT / "ipt_explain").rglob("*.py"), *(ROOT / "grammar").glob("*")]}
    assert [str(folder) for folder in folders if folder.name != "__pycache__" and not (folder / "__init__.py").exists()] == []


def test_the_grammar_is_found_inside_the_package() -> None:
    # A source distribution, and a checkout that was built in, have metadata too, but no record of installed files.
    if not any(each.read_text("RECORD") for each in distributions(name="ipt-explain")):
        pytest.skip("ipt-explain is not installed; its grammar is read from the checkout")
    names = {entry.name for entry in files("ipt_explain.grammar").iterdir()}
    assert {path.name for path in (ROOT / "grammar").glob("*.lark")} <= names
    assert any(name.endswith(".lark") for name in names)


def test_every_data_file_is_shipped(setup_cfg: configparser.ConfigParser) -> None:
    folders = {name: ROOT.joinpath(*name.split(".")) for name in _packages_on_disk()} | {"ipt_explain.grammar": ROOT / "grammar"}
    data = {path for folder in folders.values() for path in folder.iterdir() if path.is_file() and path.suffix != ".py"}
    shipped = {
        path
        for package, patterns in setup_cfg["options.package_data"].items()
        for pattern in patterns.replace(",", " ").split()
        for path in folders[package].glob(pattern)
    }
    assert shipped == data


def test_a_build_adds_tables_that_fit_the_grammar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distributions = pytest.importorskip("setuptools.dist")
    from grammar.build_tables import BuildWithTables
    from ipt_explain.parsing.grammar_files import grammar_text
    from ipt_explain.parsing.grammar_tables import TABLES_FILE, parser_from
    from ipt_explain.parsing.listings.grammar import TABLES_FILE as LISTING_TABLES_FILE
    from ipt_explain.parsing.listings.grammar import made_of

    monkeypatch.chdir(ROOT)
    project = distributions.Distribution({"script_name": "setup.py"})
    project.parse_config_files()
    build = BuildWithTables(project)
    build.build_lib = str(tmp_path)
    build.ensure_finalized()
    build.run()
    tables = (tmp_path / "ipt_explain" / "grammar" / TABLES_FILE).read_bytes()
    assert parser_from(tables, grammar_text()) is not None
    listing_tables = (tmp_path / "ipt_explain" / "grammar" / LISTING_TABLES_FILE).read_bytes()
    assert parser_from(listing_tables, made_of()) is not None
    assert {path.name for path in (tmp_path / "ipt_explain" / "grammar").glob("ip*.tables")} == {
        "ip_addr.tables", "ipset.tables", "ipvsadm.tables",
    }  # fmt: skip


def test_public_names() -> None:
    assert set(ipt_explain.__all__) == {
        "Dump", "DumpSyntaxError", "Packet", "__version__", "audit", "explain", "parse", "trace",
    }  # fmt: skip
    for name in ipt_explain.__all__:
        assert getattr(ipt_explain, name) is not None
        assert name in dir(ipt_explain)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ipt_explain.nothing  # noqa: B018


def test_functions_stay_functions_once_their_packages_are_loaded() -> None:
    """Python binds a sub-package under its name in its parent, where the function of that name must stay."""
    code = (
        "import ipt_explain, ipt_explain.audit.runner, ipt_explain.trace, ipt_explain.audit\n"
        "assert callable(ipt_explain.audit) and callable(ipt_explain.trace)\n"
        "from ipt_explain import audit, trace\n"
        "assert callable(audit) and callable(trace)\n"
    )
    assert _python(code).stderr == ""


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, ipt_explain\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'click', 'rich', 'lark', 'networkx', 'yaml'}))"
    )
    assert _python(code).stdout.strip() == "[]"


def test_the_module_is_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ipt_explain", "--version"], check=False, capture_output=True, text=True, cwd=ROOT
    )
    assert (done.returncode, done.stdout) == (0, f"ipt-explain {ipt_explain.__version__}\n")


def test_ci_runs_the_command_that_the_readme_shows() -> None:
    commands = [line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if "/bin/pytest" in line]
    assert len(commands) == 1
    assert re.fullmatch(r"python3 -m venv \.venv && \.venv/bin/pip install .* && \.venv/bin/pytest.*", commands[0])


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=ROOT)
