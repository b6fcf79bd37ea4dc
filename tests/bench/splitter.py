"""A linear yardstick: splits the lines of a dump into words and keeps them, without understanding them.

    python -m tests.bench.splitter DUMP

It does what a script would do that needs a few words of a dump: each line becomes a dictionary of its options.
"""

from __future__ import annotations

import shlex
import sys

Rule = dict[str, str]


def split(text: str) -> dict[str, dict[str, list[Rule]]]:
    """Rules by table and chain; each has its options with all words up to the next as one string."""
    tables: dict[str, dict[str, list[Rule]]] = {}
    chains: dict[str, list[Rule]] = {}
    for line in text.splitlines():
        if line.startswith("*"):
            chains = tables.setdefault(line[1:].strip(), {})
        elif line.startswith(":"):
            chains[line[1:].split(None, 1)[0]] = []
        elif line.startswith(("-A ", "[")):
            words = shlex.split(line) if "\\" in line else _words(line)
            rule = _options(words)
            chains.setdefault(rule.get("-A", ""), []).append(rule)
    return tables


def _words(line: str) -> list[str]:
    """Words of a line without escapes in its quotes."""
    words: list[str] = []
    for number, part in enumerate(line.split('"')):
        if number % 2:
            words.append(part)
        else:
            words += part.split()
    return words


def _options(words: list[str]) -> Rule:
    rule: Rule = {}
    option = ""
    for word in words:
        if word.startswith("-") and len(word) > 1:
            option = word
            rule.setdefault(option, "")
        else:
            rule[option] = f"{rule[option]} {word}" if rule.get(option) else word
    return rule


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        split(file.read())
