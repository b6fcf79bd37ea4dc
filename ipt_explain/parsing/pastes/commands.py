"""iptables commands pasted above their output: after a prompt, a `#`, or the `+` of `sh -x`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from ipt_explain.model import Backend, Family
from ipt_explain.patterns import lazy_pattern
from ipt_explain.records import Record

_TOOL = re.compile(
    r"(?:^|[\s;|&(`'\"/])(?P<tool>(?P<six>ip6tables|iptables|xtables)(?:-(?P<backend>legacy|nft))?(?P<save>-save)?)(?=$|[\s;|`'\"])"
)

_FILTER = lazy_pattern(r"\|[ \t]*(?:sudo )?(?:[efz]?grep|head|tail|awk|sed|cut)\b")


class ToolCall(Record):
    """One call of iptables or iptables-save.

    `table` is the one named by -t, else filter; None for iptables-save of all tables. `action` is the letter of the
    command (`L`, `S`, `A`, …), None for iptables-save. `chain` is the chain that it names.
    """

    family: Family
    backend: Backend | None
    table: str | None
    action: str | None
    chain: str | None


def read_command(line: str) -> ToolCall | None:
    """The call of iptables in a line, after any prompt or wrapper; None if there is none."""
    found = _TOOL.search(line)
    if found is None:
        return None
    return _command(found, _words(re.split(r"[|;&>]", line[found.end() :], maxsplit=1)[0]))


def is_filtered(line: str) -> bool:
    """Whether a command hands its output to one that leaves out some of it."""
    return _FILTER.search(line) is not None


def call_of(words: Sequence[str]) -> ToolCall | None:
    """The call of iptables with these words; None if they call something else."""
    for place, word in enumerate(words):
        if is_tool(word):
            found = _TOOL.search(word)
            return None if found is None else _command(found, words[place + 1 :])
    return None


def is_tool(word: str) -> bool:
    """Whether a word is the name of iptables or a related tool, with or without its folder."""
    found = _TOOL.search(word)
    return found is not None and found.end() == len(word)


def _command(found: re.Match[str], words: Sequence[str]) -> ToolCall | None:
    family = Family.IPV6 if found["six"] == "ip6tables" else Family.IPV4
    backend = {"legacy": Backend.LEGACY, "nft": Backend.NFT}.get(found["backend"] or "")
    table, action, chain = _options(words)
    if found["save"]:
        return ToolCall(family, backend, table, None, None)
    if action is None:
        return None
    return ToolCall(family, backend, table or "filter", action, chain)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _options(words: Sequence[str]) -> tuple[str | None, str | None, str | None]:
    table = action = chain = None
    long_names = {"--list": "L", "--list-rules": "S", "--append": "A", "--insert": "I", "--delete": "D"}
    index = 0
    while index < len(words):
        word = words[index]
        following = words[index + 1] if index + 1 < len(words) else ""
        if word in ("-t", "--table"):
            table = following or None
            index += 1
        elif word.startswith("-t") and len(word) > 2:
            table = word[2:]
        elif word.startswith("--table="):
            table = word[8:]
        elif word in long_names:
            action, chain = long_names[word], _name(following)
        elif re.match(r"-[a-zA-Z]+\Z", word):
            letter = next((each for each in word[1:] if each in "LSAIDRNXFPZ"), None)
            if letter is not None and action is None:
                action, chain = letter, _name(following)
            if word.endswith("t"):
                table = following or None
                index += 1
        index += 1
    return table, action, chain


def _name(word: str) -> str | None:
    return word if word and not word.startswith("-") else None
