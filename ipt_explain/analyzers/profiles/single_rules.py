"""Rules given as text, one at a time, the way people paste them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ipt_explain.errors import DumpSyntaxError, UsageError
from ipt_explain.model import Rule
from ipt_explain.model.kernel import BUILT_IN_CHAINS, NO_CHAIN
from ipt_explain.parsing import read_dump
from ipt_explain.parsing.pastes.scripts import UnreadableCommand, changing_commands, continued, has_change
from ipt_explain.records import replace
from ipt_explain.words.quotes import clipped

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

_IN_NO_CHAIN = f"-A {NO_CHAIN} "
_MOST_CITED = 60


def _calls(line: str) -> list[tuple[str | None, str]]:
    """The table and the rule of each command that changes rules, with its words as the shell passes them to
    iptables."""
    try:
        changes = changing_commands(line)
    except UnreadableCommand:
        raise UsageError("--rule: only the shell knew what the command's variables hold: write their values") from None
    return [(call.table if _NAMES_TABLE.search(line) else None, rule) for call, rule in changes]


def _asked(line: str) -> str:
    """A command without the quotes around all of it. A check for a rule (`-C`) is read as the command that adds it."""
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


def _no_rule(line: str) -> UsageError:
    hint = "" if " " in line else "; to see a chain, give its name without --rule"
    return UsageError(f"--rule: {clipped(line, _MOST_CITED)} is not a rule, as -p tcp --dport 80 -j DROP is{hint}")


def _as_given(error: DumpSyntaxError, lines_before: int) -> DumpSyntaxError:
    """The error about the lines as the user gave them, without what was added: a chain, and lines before them."""
    found = []
    for each in error.diagnostics:
        added = len(_IN_NO_CHAIN) if each.excerpt.startswith(_IN_NO_CHAIN) else 0
        column = max(1, each.column - added)
        found.append(replace(each, line=each.line - lines_before, column=column, excerpt=each.excerpt[added:]))
    return DumpSyntaxError(tuple(found), error.total)


def read_pasted_rules(text: str, table: str | None) -> list[Rule]:
    """The rules of a text of rule lines, with or without `iptables -t TABLE` and `-A CHAIN` in front.

    Raises DumpSyntaxError, which quotes the line as it was given, if a line is not a rule; UsageError if there is none,
    or a line does not begin as a rule does.
    """
    if table is not None and table not in BUILT_IN_CHAINS:
        raise UsageError(f"there is no table {table}, only {', '.join(BUILT_IN_CHAINS)}")
    lines: list[str] = []
    for named, line in _lines(text):
        table = table or named
        stripped = line.strip()
        if stripped and not _HAS_COMMAND.match(stripped):
            if stripped[0] not in "-!":
                raise _no_rule(stripped)
            stripped = f"{_IN_NO_CHAIN}{stripped}"
        lines.append(stripped)
    source = "\n".join(lines) + "\n"
    if table is not None:
        source = f"*{table}\n{source}COMMIT\n"
    try:
        dump = read_dump(source, source="--rule")
    except DumpSyntaxError as error:
        raise _as_given(error, 1 if table is not None else 0) from None
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
