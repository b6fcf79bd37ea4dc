"""Forms that ship with the package: those of the lines and elements that kube-proxy's tables have.

Lark parsed `common_lines.txt` once; `common_lines_table.py` holds what came of it. Such rulesets are read without
loading Lark, which takes longer than all the rest of explaining a small one. A test compares the table with the
grammar; to rewrite it:

    python -c "from ipt_explain.parsing.nft.forms import common_lines; common_lines.write()"
"""

from __future__ import annotations

import os

from ipt_explain.parsing.nft.forms.forms import around_values, skeleton
from ipt_explain.parsing.nft.grammar import STARTS, VALUES, parse, terminal_pattern
from ipt_explain.parsing.nft.trees import Form

_FOLDER = os.path.dirname(os.path.abspath(__file__))
LINES_FILE = os.path.join(_FOLDER, "common_lines.txt")
TABLE_FILE = os.path.join(_FOLDER, "common_lines_table.py")
_TABLE_HEAD = '''\
"""Made by `common_lines.write`: forms by what does not vary in a text, roughly. Of each: the text around its values,
the terminals of these, and the parse tree."""

# ruff: noqa: E501
from __future__ import annotations

from ipt_explain.parsing.nft.trees import Form

'''


def common_lines() -> list[tuple[str, str]]:
    """The texts that the forms are made from, each with the start of the grammar that it has."""
    with open(LINES_FILE, encoding="utf-8") as file:
        lines = file.read().splitlines()
    return [(start, text) for start, _, text in (line.partition(" ") for line in lines)]


def compile_common_lines() -> str:
    """The text of `common_lines_table.py`, from the grammar."""
    forms: dict[str, dict[str, list[Form]]] = {start: {} for start in STARTS}
    for start, text in common_lines():
        parsed = parse(text, start)
        form: Form = (*around_values(text, parsed), parsed.node)
        alike = forms[start].setdefault(skeleton(text), [])
        if form not in alike:
            alike.append(form)
    lines = [_TABLE_HEAD, "TERMINALS: dict[str, str] = {\n"]
    lines += (f"    {name!r}: {terminal_pattern(name)!r},\n" for name in sorted(VALUES))
    lines.append("}\n\nFORMS: dict[str, dict[str, list[Form]]] = {\n")
    for start, by_skeleton in forms.items():
        lines.append(f"    {start!r}: {{\n")
        for key in sorted(by_skeleton):
            entries = [f"            {form!r},\n" for form in by_skeleton[key]]
            lines += [f"        {key!r}: [\n", *entries, "        ],\n"]
        lines.append("    },\n")
    return "".join([*lines, "}\n"])


def write() -> None:
    """Rewrite `common_lines_table.py`."""
    with open(TABLE_FILE, "w", encoding="utf-8") as file:
        file.write(compile_common_lines())
