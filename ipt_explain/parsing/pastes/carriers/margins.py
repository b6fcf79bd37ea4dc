"""What a program put in front of every line of another tool's output: mail's `>`, line numbers, times, names of pods.

The line that opens a table, chain or list of that tool shows it; the lines around have the same, apart from digits.
Rules of iptables-save need none of this: each is recognised by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from ipt_explain.words import counted

_OPENING = re.compile(
    r"table (?:ip6?|inet|arp|bridge|netdev) [^\s{]+ \{|Chain \S+ \((?:policy [A-Z]|\d+ references)|"
    r"IP Virtual Server version |-A -[tu] \S+:\d|create \S+ (?:hash|bitmap|list):|Name: KUBE-|(\{ *)?\"nftables\": *\["
)
_WORDS = (
    "table ip", "table inet ", "table arp ", "table bridge ", "table netdev ", "Chain ", "IP Virtual Server ", "-A -",
    "create ", "Name: KUBE-", '"nftables":',
)  # fmt: skip
"""One of them is in each opening."""
_FARTHEST = 1 << 20
"""How far into a text the first opening may be. What lies deeper is from a file, which nobody decorates."""
_LONGEST = 200
_FEWEST, _ONE_LINE = 3, 1
"""How many lines must have a margin: `nft -j` prints only one."""
_NO_MARGINS = ("+", "-", "<", "#")
"""Marks of diffs say which of two texts has the line; a commented line is not in force."""
_SHOWN = ("Chain ", "IP Virtual ", "Name: ")
"""Nobody takes these out of force with a `#`: a document has what a command printed as comments below it."""
_FIELD = re.compile(r'\s*\{.*"(\w+)": ?"\Z')
_STRING = re.compile(r'\s*(?:- )?("(?:[^"\\]|\\.)*"),?\s*\Z')
_ITEM = re.compile(r"\s*- (?:('(?:[^']|'')*'\s*\Z)|(?!['\"])(.*))")

_AROUND_ITEMS = re.compile(r'\s*(?:[{}\[\]]+,?|"[\w.-]+": \[)\s*\Z')

Bare = Callable[[str], str | None]
"""A line without its margin; None if it has none."""


def without_margins(text: str) -> tuple[str, list[str]]:
    """The text without the margins of other tools' output, and what to say about them. It has the same lines."""
    if all(text.find(word, 0, _FARTHEST) < 0 for word in _WORDS):  # they are found in a hundredth of the time
        return text, []
    found = _OPENING.search(text, 0, _FARTHEST)
    if found is None or not text[text.rfind("\n", 0, found.start()) + 1 : found.start()].strip():
        return text, []
    lines = text.split("\n")
    notes: list[str] = []
    number = 0
    while number < len(lines):
        found = _OPENING.search(lines[number], 0, _LONGEST + 80)
        if found is None:
            number += 1
            continue
        margin = lines[number][: found.start()]
        if found[0].startswith('"'):  # of JSON on several lines, whose own indentation means nothing
            margin = margin[: len(margin.rstrip()) + 1]
        if margin.strip() == "#" and found[0].startswith(_SHOWN):
            number = _uncomment(lines, number, notes)
            continue
        number = _strip_run(lines, number, margin, _ONE_LINE if found[1] else _FEWEST, notes)
    return "\n".join(lines), notes


def _uncomment(lines: list[str], at: int, notes: list[str]) -> int:
    """Strip the `#` from the line at this index and those below that have it. Returns where to go on."""
    end = at
    while end < len(lines) and lines[end].startswith("#"):
        lines[end] = lines[end][1:].removeprefix(" ")
        end += 1
    notes.append(f"{counted(end - at, 'line')}: the `#` before each was ignored")
    return max(end, at + 1)


def _strip_run(lines: list[str], at: int, margin: str, fewest: int, notes: list[str]) -> int:
    """Strip the margin of the line at this index from the consecutive lines that have it. Returns where to go on."""
    if not margin.strip() or len(margin) > _LONGEST or margin.strip() in _NO_MARGINS:
        return at + 1
    bare = without_margin(margin)
    changed: dict[int, str] = {}
    for run in (range(at, len(lines)), range(at - 1, -1, -1)):
        for place in run:
            inner = bare(lines[place])
            if inner is not None:
                changed[place] = inner
            elif lines[place].strip():
                break
    if len(changed) < fewest:
        return at + 1
    if margin.rstrip().endswith(("|", "│")):
        _close(changed, margin.rstrip()[-1])
    for place, inner in changed.items():
        lines[place] = inner
    if bare is _of_item:
        for place in (min(changed) - 2, min(changed) - 1, max(changed) + 1, max(changed) + 2):
            if 0 <= place < len(lines) and _AROUND_ITEMS.match(lines[place]):
                lines[place] = ""
    notes.append(f"{counted(len(changed), 'line')}: what is before each, such as `{margin.strip()}`, was ignored")
    return max(changed) + 1


def without_margin(margin: str) -> Bare:
    """What takes a margin off lines; digits in it may differ."""
    field = _FIELD.match(margin)
    if field is not None:
        return lambda line: _of_field(line, field[1])
    if margin.strip(" \t").removeprefix("-").strip() in ('"', "'") or margin.strip() == "-":
        return _of_item
    body = margin.rstrip(" \t")
    words = re.split(r"([ \t]*\d+)", body)
    same = re.escape(words[0])
    for number, (before, after) in enumerate(zip(words[0::2], words[2::2])):
        # Between numbers side by side are blanks: a run of digits could be shared out among them in many ways.
        same += (r"[ \t]+\d+" if number and not before else r"[ \t]*\d+") + re.escape(after)
    pattern = re.compile(rf"{same}(?:{re.escape(margin[len(body) :])}|[ \t]*\Z)")

    def without(line: str) -> str | None:
        found = pattern.match(line)
        return None if found is None else line[found.end() :]

    return without


def _of_field(line: str, name: str) -> str | None:
    """The text in a logger's JSON object."""
    if not line.startswith("{"):
        return None
    try:
        value = json.loads(line)[name]
    except (ValueError, KeyError, RecursionError):
        return None
    return value.rstrip("\n") if isinstance(value, str) else None


def _of_item(line: str) -> str | None:
    """An item of a list in JSON or YAML."""
    string = _STRING.match(line)
    if string is not None:
        try:
            return str(json.loads(string[1]))
        except ValueError:
            return None
    item = _ITEM.match(line)
    if item is None:
        return None
    return item[2] if item[1] is None else item[1].strip()[1:-1].replace("''", "'")


def _close(changed: dict[int, str], mark: str) -> None:
    """Take off the right edge of a box, if all lines have it."""
    if all(inner.rstrip().endswith(mark) or not inner.strip() for inner in changed.values()):
        for place, inner in changed.items():
            changed[place] = inner.rstrip().removesuffix(mark).rstrip()
