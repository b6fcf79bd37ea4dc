"""Faults planted in rulesets of kube-proxy's nftables mode, by kind."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

_CHAIN = re.compile(r"^\tchain (\S+) \{\n(.*?)^\t\}\n", re.MULTILINE | re.DOTALL)
_HELD = re.compile(r"^\t(?:map|set) (\S+) \{\n(?:(?!^\t\}).)*?elements = \{ (.*?) \}\n", re.MULTILINE | re.DOTALL)
_PICKS = 2


@dataclass(frozen=True)
class Planted:
    """A ruleset with one fault of a `kind`; `what` is its place."""

    kind: str
    what: str
    text: str


@dataclass(frozen=True)
class _Block:
    """A chain of kube-proxy's IPv4 table in the text; `rules` are its lines without its declaration."""

    name: str
    start: int
    end: int
    head: str
    rules: tuple[str, ...]

    def with_rules(self, text: str, rules: tuple[str, ...]) -> str:
        body = "".join(f"\t\t{rule}\n" for rule in rules)
        return f"{text[: self.start]}\tchain {self.name} {{\n{self.head}{body}\t}}\n{text[self.end :]}"


def planted(text: str, seed: int) -> Iterator[Planted]:
    """Faults of each kind in the IPv4 table."""
    dice = random.Random(seed)
    blocks = list(_blocks(text))
    for kind, make in _KINDS.items():
        found = list(make(text, blocks))
        for what, changed in dice.sample(found, min(_PICKS, len(found))):
            yield Planted(kind, what, changed)


def _blocks(text: str) -> Iterator[_Block]:
    end = text.find("table ip6 ")
    for found in _CHAIN.finditer(text, 0, len(text) if end < 0 else end):
        lines = found[2].splitlines()
        head = [line for line in lines if line.lstrip().startswith(("type ", "comment "))]
        rules = tuple(line.strip() for line in lines if line not in head)
        yield _Block(found[1], found.start(), found.end(), "".join(f"{line}\n" for line in head), rules)


Made = Iterator[tuple[str, str]]


def _no_rule(text: str, blocks: list[_Block]) -> Made:
    for block in blocks:
        for place, rule in enumerate(block.rules):
            yield f"{block.name}: {rule}", block.with_rules(text, block.rules[:place] + block.rules[place + 1 :])


def _emptied(text: str, blocks: list[_Block]) -> Made:
    for block in blocks:
        if block.rules:
            yield block.name, block.with_rules(text, ())


def _no_chain(text: str, blocks: list[_Block]) -> Made:
    for block in blocks:
        yield block.name, text[: block.start] + text[block.end :]


def _ahead(*rules: str) -> Callable[[str, list[_Block]], Made]:
    def make(text: str, blocks: list[_Block]) -> Made:
        for block in blocks:
            for rule in rules:
                yield f"{block.name}: {rule}", block.with_rules(text, (rule, *block.rules))

    return make


def _no_element(text: str, _: list[_Block]) -> Made:
    for found in _HELD.finditer(text, 0, text.find("table ip6 ")):
        elements = re.split(r",\s+", found[2])
        for place, element in enumerate(elements):
            left = ", ".join(elements[:place] + elements[place + 1 :])
            old = f"elements = {{ {found[2]} }}\n"
            new = f"elements = {{ {left} }}\n" if left else ""
            whole = found[0].replace(old, new)
            yield f"{found[1]}: {element}", text[: found.start()] + whole + text[found.end() :]


def _elsewhere(text: str, _: list[_Block]) -> Made:
    """Let an element lead to another Service's chain."""
    targets = re.findall(r" : goto ((?:service|external|local)-\S+?)(?:,| \})", text)
    for found in re.finditer(r" : goto ((?:service|external|local)-\S+?)(?=,| \})", text):
        other = next((each for each in targets if each != found[1] and each[:8] == found[1][:8]), None)
        if other is not None:
            yield found[1], text[: found.start(1)] + other + text[found.end(1) :]


def _wrong_place(text: str, _: list[_Block]) -> Made:
    """Change an endpoint's address or port."""
    for found in re.finditer(r"dnat to (\d+\.\d+\.\d+\.\d+):(\d+)|: (\d+\.\d+\.\d+\.\d+) \. (\d+)(?=[, ])", text):
        group = 1 if found[1] else 3
        yield found[0], f"{text[: found.start(group)]}10.99.9.9{text[found.end(group) :]}"
        yield found[0], f"{text[: found.start(group + 1)]}9{text[found.end(group + 1) :]}"


def _lost_share(text: str, _: list[_Block]) -> Made:
    """Leave a random number without endpoint."""
    for found in re.finditer(r"numgen random mod (\d+) (?:vmap|map) \{", text):
        yield found[0], f"{text[: found.start(1)]}{int(found[1]) + 1}{text[found.end(1) :]}"


def _swapped(text: str, blocks: list[_Block]) -> Made:
    """Swap two rules that take or mark packets."""
    for block in blocks:
        if not re.match(r"(?:service|local|external|endpoint)-|services$", block.name):
            continue
        for place, (one, other) in enumerate(pairwise(block.rules)):
            if not (_ASKS_FOR_A_CLIENT.match(one) and _ASKS_FOR_A_CLIENT.match(other)):
                rules = (*block.rules[:place], other, one, *block.rules[place + 2 :])
                yield f"{block.name}: {one} and {other}", block.with_rules(text, rules)


def _other_chain(text: str, blocks: list[_Block]) -> Made:
    """Let a rule of a Service's chain lead to another Service's chain."""
    endpoints = [block.name for block in blocks if block.name.startswith("endpoint-")]
    for block in blocks:
        for place, rule in enumerate(block.rules):
            for target in re.findall(r"(?:jump|goto) ((?:service|local|external|endpoint)-[^ ,]+)", rule):
                others = [name for name in endpoints if name[18:].partition("__")[0] not in target]
                if others:
                    changed = rule.replace(target, others[0], 1)
                    yield f"{block.name}: {target}", block.with_rules(
                        text, (*block.rules[:place], changed, *block.rules[place + 1 :])
                    )


_ASKS_FOR_A_CLIENT = re.compile(r"ip6? saddr @|ip6? saddr \S+ goto|fib saddr type local (?:jump|meta)")


def _other_mark(text: str, blocks: list[_Block]) -> Made:
    for block in blocks:
        for place, rule in enumerate(block.rules):
            if "mark" in rule and "0x00004000" in rule:
                changed = rule.replace("0x00004000", "0x00001000")
                yield f"{block.name}: {rule}", block.with_rules(
                    text, (*block.rules[:place], changed, *block.rules[place + 1 :])
                )


def _beside(*tables: str) -> Callable[[str, list[_Block]], Made]:
    def make(text: str, _: list[_Block]) -> Made:
        for table in tables:
            yield table.splitlines()[0], f"{text}{table}"

    return make


_KINDS: dict[str, Callable[[str, list[_Block]], Made]] = {
    "no rule": _no_rule,
    "emptied chain": _emptied,
    "no chain": _no_chain,
    "drop ahead": _ahead("drop"),
    "reject ahead": _ahead("reject"),
    "accept ahead": _ahead("accept"),
    "return ahead": _ahead("return"),
    "no element": _no_element,
    "element to another Service": _elsewhere,
    "wrong endpoint": _wrong_place,
    "lost share": _lost_share,
    "swapped rules": _swapped,
    "another Service's chain": _other_chain,
    "other mark": _other_mark,
    "another table": _beside(
        "table inet fw {\n\tchain forward {\n\t\ttype filter hook forward priority filter; policy drop;\n\t}\n}\n",
        "table ip fw {\n\tchain early {\n\t\ttype nat hook prerouting priority dstnat - 5; policy accept;\n"
        "\t\tmeta l4proto tcp dnat to 10.99.9.9:80\n\t}\n}\n",
        "table ip fw {\n\tchain early {\n\t\ttype nat hook prerouting priority dstnat - 5; policy accept;\n"
        "\t\taccept\n\t}\n}\n",
        "table ip fw {\n\tchain early {\n\t\ttype filter hook prerouting priority raw; policy accept;\n"
        "\t\tnotrack\n\t}\n}\n",
        "table inet fw {\n\tchain input {\n\t\ttype filter hook forward priority filter + 10; policy accept;\n"
        "\t\tip daddr 10.244.0.0/16 reject\n\t}\n}\n",
    ),
}
