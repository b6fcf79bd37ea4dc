"""Listings of `iptables -L` whose lines a terminal or a mail program broke read as if they were whole."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

import ipt_explain
from ipt_explain.parsing import read_dump
from tests.listing_corpus import node, nodes

STYLES = ("nv-numbered", "nv", "n", "plain")
HEADER = "target     prot opt source               destination"


def at_edge(width: int, margin: str = "", trimmed: bool = False) -> Callable[[str], str]:
    """Break lines as a terminal does, maybe without the blanks at the edge."""

    def broken(text: str) -> str:
        lines = []
        for line in text.split("\n"):
            whole = margin + line if line else line
            pieces = [whole[start : start + width] for start in range(0, max(1, len(whole)), width)]
            lines += [piece.rstrip() if trimmed else piece for piece in pieces]
        return "\n".join(lines)

    return broken


def at_blanks(width: int) -> Callable[[str], str]:
    """Break lines as a mail program does."""
    return lambda text: "\n".join(
        piece
        for line in text.split("\n")
        for piece in textwrap.wrap(line.rstrip(), width, break_long_words=False, break_on_hyphens=False) or [""]
    )


BREAKS = {
    "terminal of 80": at_edge(80),
    "terminal of 132": at_edge(132),
    "terminal of 100, trimmed": at_edge(100, trimmed=True),
    "margin, terminal of 80": at_edge(80, margin="    "),
    "mail of 76": at_blanks(76),
    "mail of 100": at_blanks(100),
}


def rules(text: str) -> list[str]:
    """The rules of a text, as iptables-save prints them."""
    return [line for line in ipt_explain.parse(text).to_text().splitlines() if line.startswith(("-A", ":", "*"))]


@pytest.mark.parametrize("broken", BREAKS)
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", nodes())
def test_wrapped_rows_are_whole(name: str, style: str, broken: str) -> None:
    text = node(name)[f"iptables-L-{style}.txt"]
    wrapped = BREAKS[broken](text)
    assert wrapped != text
    assert rules(wrapped) == rules(text)


def test_lines_are_those_of_the_text() -> None:
    text = at_edge(80)(node("1.30-basic-legacy")["iptables-L-nv.txt"])
    lines = text.split("\n")
    (ruleset,) = read_dump(text).rulesets
    found = [rule for table in ruleset.tables.values() for chain in table.chains.values() for rule in chain.rules]
    assert len(found) == 52
    assert all(rule.target is None or lines[rule.line - 1].split()[2] == rule.target for rule in found)


def test_prose_below_a_listing_is_not_part_of_its_last_row() -> None:
    row = "DROP       tcp  --  0.0.0.0/0            10.0.0.1             tcp dpt:80"
    prose = "As you can see, nothing is dropped at all, although I would have expected some packets to be dropped here."
    for below in (prose, "and?", f"{prose}\n{prose}"):
        text = f"Chain FORWARD (policy ACCEPT)\n{HEADER}\n{row}\n{below}\n"
        assert rules(text)[-1] == "-A FORWARD -d 10.0.0.1/32 -p tcp -m tcp --dport 80 -j DROP"
