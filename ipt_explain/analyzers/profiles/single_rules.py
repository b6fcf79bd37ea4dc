"""Rules given as text, one at a time, the way people paste them."""

from __future__ import annotations

import re

from ipt_explain.errors import UsageError
from ipt_explain.graph import BUILT_IN_CHAINS
from ipt_explain.model import Rule
from ipt_explain.parsing import read_dump
from ipt_explain.parsing.pastes.scripts import Unreadable, changing_command

# `sudo iptables -w 5 -t nat -A ...`, as shells and documents have it.
_COMMAND = re.compile(
    r"\s*(?:[$#]\s+)?(?:sudo\s+)?(?:\S*/)?ip6?tables(?:-legacy|-nft)?\s+"
    r"(?:-w(?:\s+\d+)?\s+|--wait(?:[ =]\d+)?\s+)*"
)
# The table comes before `-A CHAIN` or after it.
_TABLE = re.compile(r"\s*(-[AID]\s+\S+\s+)?(?:-t\s*|--table[ =])(\S+)\s+")
_NAMES_TABLE = re.compile(r"(?:^|\s)(?:-t|--table)")
# Quotes of the shell, which a rule by itself does not have.
_SINGLE_QUOTED = re.compile(r"'([^'\"\\]*)'")
_HAS_COMMAND = re.compile(r"\s*(?:\[\d+:\d+\]\s*)?(?:-[AIDRNPX]\b|--(?:append|insert|delete|replace)\b)")

# A rule that is given without a chain is in this one; "?" is what people read.
NO_CHAIN = "?"


def _call(line: str) -> tuple[str | None, str] | None:
    """The table and the rule of a command that changes rules, as iptables takes its words from the shell."""
    try:
        change = changing_command(line)
    except Unreadable:
        raise UsageError("--rule: only the shell knew what the command's variables hold: write their values") from None
    return None if change is None else (change[0].table, change[1])


def read_rules(text: str, table: str | None = None) -> list[Rule]:
    """The rules of a text of rule lines, with or without `iptables -t TABLE` and `-A CHAIN` in front.

    Raises DumpSyntaxError where a line is no rule, UsageError where there is none.
    """
    if table is not None and table not in BUILT_IN_CHAINS:
        raise UsageError(f"there is no table {table}, only {', '.join(BUILT_IN_CHAINS)}")
    lines: list[str] = []
    for line in text.split("\n"):
        stripped = line
        command = _COMMAND.match(line)
        call = _call(line) if command else None
        if call is not None:
            stripped = call[1]
            table = table or (call[0] if _NAMES_TABLE.search(line) else None)
        elif command:
            stripped = _SINGLE_QUOTED.sub(r'"\1"', line[command.end() :])
        named = _TABLE.match(stripped)
        if named:
            table, stripped = table or named[2], (named[1] or "") + stripped[named.end() :]
        stripped = stripped.strip()
        if stripped and not _HAS_COMMAND.match(stripped):
            stripped = f"-A {NO_CHAIN} {stripped}"
        lines.append(stripped)
    source = "\n".join(lines) + "\n"
    if table is not None:
        source = f"*{table}\n{source}COMMIT\n"
    dump = read_dump(source, source="--rule")
    rules = [
        rule
        for ruleset in dump.rulesets
        for content in ruleset.tables.values()
        for chain in content.chains.values()
        for rule in chain.rules
    ]
    if not rules:
        raise UsageError("--rule: there is no rule in this text")
    return sorted(rules, key=lambda rule: rule.line)
