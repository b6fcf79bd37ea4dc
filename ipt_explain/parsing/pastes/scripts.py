"""Commands that change rules, as scripts and `sh -x` show them: `iptables -t nat -I …` as the rule that it makes."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise

from ipt_explain.parsing.pastes.commands import Command, read_command

_CHANGE = re.compile(r"ip6?tables(?:-legacy|-nft)?\s")
_LONGEST = 4096
"""iptables takes 255 words; no rule is as long as this."""
_VARIABLE = re.compile(r"\$[\w{(]|`|\{\w+, ?\w+")
_BARE = re.compile(r"\s*-t (?:raw|mangle|nat|filter|security) -[AI] ")
_NEEDS_QUOTES = re.compile(r"[^\w.,:/%@+=!~^*?\[\]{}()<>&;#-]")
# What getopt_long of iptables takes for a longer name, as many scripts write it.
_SHORT = {
    "DNAT": {"--to": "--to-destination"},
    "SNAT": {"--to": "--to-source"},
    "REDIRECT": {"--to": "--to-ports", "--to-port": "--to-ports"},
    "MASQUERADE": {"--to": "--to-ports", "--to-port": "--to-ports"},
}
_COMMANDS = {"--append": "-A", "--insert": "-I", "--delete": "-D", "--replace": "-R"}


class Unreadable(Exception):
    """A command whose words only the shell knew."""


def changing_command(line: str) -> tuple[Command, str] | None:
    """A command that appends, inserts, replaces or deletes a rule, and the rule as iptables-restore takes it; None for
    any other line.

    Raises Unreadable where it has variables.
    """
    if _BARE.match(line):
        line = f"iptables {line}"
    found = _CHANGE.search(line) if len(line) <= _LONGEST else None
    if found is None:
        return None
    command = read_command(line)
    if command is None or command.action not in ("A", "I", "D", "R") or command.chain is None:
        return None
    text = line[found.end() :]
    if _VARIABLE.search(text):
        raise Unreadable
    try:
        words = shlex.split(text, comments=True)
    except ValueError:
        raise Unreadable from None
    return command, " ".join(map(_quoted, _rule_words(words)))


def _rule_words(words: list[str]) -> list[str]:
    kept: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        if word in (";", "|", "||", "&&") or word.startswith((">", "2>", "|")):
            break
        if word in ("-t", "--table", "-W", "--wait-interval", "--modprobe", "-M"):
            index += 2
            continue
        if word in ("-w", "--wait"):
            index += 2 if index + 1 < len(words) and words[index + 1].isdecimal() else 1
            continue
        if not re.match(r"-t\w|--table=|--wait=|-(?:n|v|4|6)\Z|--verbose\Z|--numeric\Z", word):
            kept.append(_COMMANDS.get(word, word))
        index += 1
    target = next((after for before, after in pairwise(kept) if before in ("-j", "--jump")), "")
    names = _SHORT.get(target, {})
    kept = [names.get(word, word) for word in kept]
    for place, word in enumerate(kept):
        if word in ("-A", "-I", "-D", "-R") and place:
            # The command comes first in what iptables-restore takes, with its chain and number.
            end = place + 2
            if word in ("-I", "-D", "-R") and end < len(kept) and kept[end].isdecimal():
                end += 1
            return kept[place:end] + kept[:place] + kept[end:]
    return kept


def _quoted(word: str) -> str:
    if word and not _NEEDS_QUOTES.search(word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
