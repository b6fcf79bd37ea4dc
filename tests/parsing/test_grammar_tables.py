"""The parser's tables: those that are loaded are those that the grammar makes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from lark import Lark

from ipt_explain.parsing.grammar_files import build_parser, grammar_text, rule_grammar
from ipt_explain.parsing.grammar_tables import TABLES_FILE, keep_tables, load_tables, parser_from, tables_of
from tests.syntax_corpus import saved_rules

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def built() -> Lark:
    return build_parser(grammar_text())


@pytest.fixture(scope="module")
def tables(built: Lark) -> bytes:
    return tables_of(built, grammar_text())


def test_a_parser_from_tables_reads_as_the_built_one(built: Lark, tables: bytes) -> None:
    loaded = parser_from(tables, grammar_text())
    assert loaded is not None
    lines = sorted({rule.saved for rule in saved_rules() if rule.reloads})
    assert len(lines) > 900
    for line in lines:
        assert loaded.parse(line) == built.parse(line)


def test_the_parser_in_use_is_that_of_the_grammar(built: Lark) -> None:
    for rule in saved_rules()[::40]:
        if rule.reloads:
            assert rule_grammar().parse(rule.saved) == built.parse(rule.saved)


def test_tables_of_another_grammar_do_not_fit(tables: bytes) -> None:
    assert parser_from(tables, grammar_text() + "\n") is None


@pytest.mark.parametrize("damaged", [b"", b"x", b"x" * 500])
def test_invalid_tables_are_not_loaded(damaged: bytes) -> None:
    assert parser_from(damaged, grammar_text()) is None


@pytest.mark.parametrize("place", [0, 40, 70, -1])
def test_damaged_tables_are_not_loaded(tables: bytes, place: int) -> None:
    damaged = bytearray(tables)
    damaged[place] ^= 1
    assert parser_from(bytes(damaged), grammar_text()) is None
    assert parser_from(tables[:-100], grammar_text()) is None


def test_kept_tables_are_found_again(built: Lark, tmp_path: Path) -> None:
    assert load_tables(tmp_path, grammar_text()) is None
    keep_tables(tmp_path, grammar_text(), built)
    assert load_tables(tmp_path, grammar_text()) is not None
    assert load_tables(tmp_path, "another grammar") is None
    assert [path.name for path in (tmp_path / "__pycache__").iterdir()] == [TABLES_FILE]


def test_shipped_tables_are_next_to_the_grammar(tables: bytes, tmp_path: Path) -> None:
    (tmp_path / TABLES_FILE).write_bytes(tables)
    assert load_tables(tmp_path, grammar_text()) is not None


@pytest.fixture
def sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A grammar's folder where nothing can be kept, and a user's cache in `tmp_path / "cache"`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "grammar"
    folder.mkdir()
    (folder / "__pycache__").write_text("a file where a folder should be")
    return folder


def test_tables_that_the_folder_cannot_keep_are_kept_in_the_users_cache(built: Lark, sealed: Path, tmp_path: Path) -> None:
    keep_tables(sealed, grammar_text(), built)
    (kept,) = (tmp_path / "cache" / "ipt-explain").iterdir()
    assert [stat.S_IMODE(each.stat().st_mode) for each in (kept.parent, kept)] == [0o700, 0o600]
    assert load_tables(sealed, grammar_text()) is not None
    assert load_tables(sealed, "another grammar") is None


def test_only_files_that_nobody_else_can_write_are_loaded(built: Lark, sealed: Path, tmp_path: Path) -> None:
    keep_tables(sealed, grammar_text(), built)
    (kept,) = (tmp_path / "cache" / "ipt-explain").iterdir()
    for path, mode in ((kept.parent, 0o777), (kept, 0o666)):
        before = stat.S_IMODE(path.stat().st_mode)
        path.chmod(mode)
        assert load_tables(sealed, grammar_text()) is None
        path.chmod(before)
    elsewhere = kept.rename(tmp_path / "elsewhere")
    kept.symlink_to(elsewhere)
    assert load_tables(sealed, grammar_text()) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a folder away takes root")
def test_a_cache_of_another_user_is_left_alone(built: Lark, sealed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "ipt-explain"
    folder.mkdir(parents=True, mode=0o700)
    os.chown(folder, 65534, 65534)
    keep_tables(sealed, grammar_text(), built)
    assert list(folder.iterdir()) == []


def test_tables_that_can_be_kept_nowhere_are_no_error(built: Lark, sealed: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    keep_tables(sealed, grammar_text(), built)
    assert load_tables(sealed, grammar_text()) is None


def test_two_builds_make_the_same_tables() -> None:
    code = (
        "import hashlib\n"
        "from ipt_explain.parsing.grammar_files import build_parser, grammar_text\n"
        "from ipt_explain.parsing.grammar_tables import tables_of\n"
        "print(hashlib.sha256(tables_of(build_parser(grammar_text()), grammar_text())).hexdigest())\n"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True, capture_output=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "2")
    }  # fmt: skip
    assert len(made) == 1
