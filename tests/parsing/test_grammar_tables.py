"""The parser's tables: those that are loaded are those that the grammar makes."""

from __future__ import annotations

from pathlib import Path

import pytest
from lark import Lark

from ipt_explain.parsing.grammar_files import build_parser, grammar_text, rule_grammar
from ipt_explain.parsing.grammar_tables import TABLES_FILE, keep_tables, load_tables, parser_from, tables_of
from tests.syntax_corpus import saved_rules


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
def test_what_is_no_table_is_not_loaded(damaged: bytes) -> None:
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


def test_shipped_tables_lie_beside_the_grammar(tables: bytes, tmp_path: Path) -> None:
    (tmp_path / TABLES_FILE).write_bytes(tables)
    assert load_tables(tmp_path, grammar_text()) is not None


def test_tables_that_cannot_be_kept_are_no_error(built: Lark, tmp_path: Path) -> None:
    (tmp_path / "__pycache__").write_text("a file where a folder should be")
    keep_tables(tmp_path, grammar_text(), built)
    assert load_tables(tmp_path, grammar_text()) is None
