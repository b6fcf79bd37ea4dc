"""Rules given as text, one at a time, the way people paste them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ipt_explain.errors import UsageError
from ipt_explain.model import Rule
from ipt_explain.model.kernel import BUILT_IN_CHAINS
from ipt_explain.parsing import read_dump
from ipt_explain.parsing.pastes.scripts import UnreadableCommand, changing_commands, continued, has_change

# `sudo iptables -w 5 -t nat -A ...`, as in shells and documents.
_COMMAND = re.compile(
    r"\s*(?:[$#]\s+)?(?:sudo\s+)?(?:\S*/)?ip6?tables(?:-legacy|-nft)?\s+"
    r"(?:-w(?:\s+\d+)?\s+|--wait(?:[ =]\d+)?\s+)*"
)
_QUOTED = re.compile(r"(['\"`])(.*ip6?tables.*)\1")
_CHECKS = re.compile(r"\bip6?tables(?:-legacy|-nft)?\s[^\"']*?\s?(-C|--check)\s")
# The table comes before `-A CHAIN` or after it.
_TABLE = re.compile(r"\s*(-[AID]\s+\S+\s+)?(?:-t\s*|--table[ =])(\S+)\s+")
_NAMES_TABLE = re.compile(r"(?:^|\s)(?:-t|--table)")
# The shell's quotes, which a bare rule does not have.
_SINGLE_QUOTED = re.compile(r"'([^'\"\\]*)'")
_HAS_COMMAND = re.compile(r"\s*(?:\[\d+:\d+\]\s*)?(?:-[AIDRNPX]\b|--(?:append|insert|delete|replace)\b)")

# A rule given without a chain is in this one, which is shown as "?".
NO_CHAIN = "?"


def _calls(line: str) -> list[tuple[str | None, str]]:
    """The table and the rule of each command that changes rules, with its words as the shell passes them to
    iptables."""
    try:
        changes = changing_commands(line)
    except UnreadableCommand:
        raise UsageError("--rule: only the shell knew what the command's variables hold: write their values") from None
    return [(call.table if _NAMES_TABLE.search(line) else None, rule) for call, rule in changes]


def _asked(line: str) -> str:
    """A command without quotes around all of it; a check for a rule (`-C`) is read as the command that adds it."""
    bare = line.strip()
    quoted = _QUOTED.fullmatch(bare)
    line = line if quoted is None else quoted[2]
    check = _CHECKS.search(line)
    return line if check is None else f"{line[: check.start(1)]}-A{line[check.end(1) :]}"


def _lines(text: str) -> Iterator[tuple[str | None, str]]:
    """The rules of a text without the commands around them, and the table that each names."""
    lines = text.split("\n")
    place = 0
    while place < len(lines):
        line = _asked(lines[place])
        lines[place] = line
        command = _COMMAND.match(line)
        if command or has_change(line) or _TABLE.match(line):
            line, count = continued(lines, place)
            place += count
            calls = _calls(line)
            if calls:
                yield from calls
                place += 1
                continue
            if command:
                line = _SINGLE_QUOTED.sub(r'"\1"', line[command.end() :])
        named = _TABLE.match(line)
        yield (named[2], (named[1] or "") + line[named.end() :]) if named else (None, line)
        place += 1


def read_pasted_rules(text: str, table: str | None = None) -> list[Rule]:
    """The rules of a text of rule lines, with or without `iptables -t TABLE` and `-A CHAIN` in front.

    Raises DumpSyntaxError if a line is not a rule, UsageError if there is none.
    """
    if table is not None and table not in BUILT_IN_CHAINS:
        raise UsageError(f"there is no table {table}, only {', '.join(BUILT_IN_CHAINS)}")
    lines: list[str] = []
    for named, line in _lines(text):
        table = table or named
        stripped = line.strip()
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
