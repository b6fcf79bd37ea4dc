"""The forms that ship with the package are the grammar's own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ipt_explain.parsing.nft.elements import ElementReader
from ipt_explain.parsing.nft.forms.common_lines import TABLE_FILE, common_lines, compile_common_lines
from ipt_explain.parsing.nft.forms.forms import FormCache
from tests.nft_corpus import listings

_PROGRAM = "import sys\nfrom ipt_explain.parsing import read_dump\nread_dump(sys.stdin.read())\nprint('lark' in sys.modules)"


def test_the_shipped_forms_are_what_the_grammar_makes_of_the_common_lines() -> None:
    with open(TABLE_FILE, encoding="utf-8") as file:
        assert file.read() == compile_common_lines()


@pytest.mark.parametrize("start", ["line", "element"])
def test_a_common_line_is_read_as_lark_reads_it(start: str) -> None:
    forms = FormCache(start, "", r"\Z", ElementReader().literal)
    for text in (text for each, text in common_lines() if each == start):
        found = [form.make(match.groups()) for form in forms.candidates(text) if (match := form.match(text, 0))]
        assert found
        assert found == [forms.parse(text, remember=False)] * len(found)


def test_a_node_of_any_release_is_read_without_loading_lark() -> None:
    for listing in (each for each in listings() if each.name.endswith("/basic/nft-ruleset")):
        run = subprocess.run(
            [sys.executable, "-c", _PROGRAM], input=listing.text, capture_output=True, text=True, check=True
        )
        assert run.stdout.strip() == "False", listing
