"""Building blocks of faults: a dump's lines, ways to edit them, and the resulting mutation."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

_RULE = re.compile(r"-A (\S+)")
_TARGET = re.compile(r" -[jg] (\S+)")
PROBABILITY = re.compile(r"--probability (\S+)")
SOURCE = re.compile(r"-s (\d+\.\d+\.\d+)\.(\d+)/32")
DESTINATION = re.compile(r"--to-destination (\d+\.\d+\.\d+)\.(\d+):(\d+)")
_NAME = re.compile(r'--comment "([^"/ ]+/[^" ]+)')


@dataclass(frozen=True)
class Line:
    """A line of a dump, and its table."""

    table: str
    text: str

    @property
    def chain(self) -> str:
        """The chain of a rule; "" for other lines."""
        found = _RULE.match(self.text)
        return found[1] if found else ""

    @property
    def target(self) -> str:
        """A rule's target; "" if it has none."""
        found = _TARGET.search(self.text)
        return found[1] if found else ""

    @property
    def service(self) -> str:
        """The service port that the comment names."""
        found = _NAME.search(self.text)
        return found[1].rstrip(":") if found else ""


@dataclass(frozen=True)
class Mutation:
    """A dump with one fault. A finding about one of `chains` or `services` is a hit."""

    name: str
    text: str
    chains: frozenset[str]
    services: frozenset[str]
    what: str


class Dump:
    """The lines of a dump, for editing."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines

    @classmethod
    def of(cls, text: str) -> Dump:
        table = ""
        lines = []
        for line in text.splitlines():
            if line.startswith("*"):
                table = line[1:]
            lines.append(Line(table, line))
        return cls(lines)

    def where(self, wanted: Callable[[Line], bool]) -> list[int]:
        """The indexes of the wanted rules."""
        return [place for place, line in enumerate(self.lines) if line.chain and wanted(line)]

    def rules(self, table: str, chain: str) -> list[int]:
        return self.where(lambda line: line.table == table and line.chain == chain)

    def chains(self, prefix: str) -> list[str]:
        return sorted({line.chain for line in self.lines if line.chain.startswith(prefix)})

    def edited(self, name: str, places: dict[int, list[str]], *touched: int) -> Mutation:
        """The mutation that replaces lines at some indexes by others, or by none."""
        text: list[str] = []
        for place, line in enumerate(self.lines):
            text += places.get(place, [line.text])
        involved = [self.lines[place] for place in (*places, *touched)]
        chains = {line.chain for line in involved} | {
            line.target for line in involved if line.target.startswith(("KUBE-S", "KUBE-E", "KUBE-F", "KUBE-X"))
        }
        services = {line.service for line in involved if line.service}
        what = " | ".join(line.text for line in involved[:2])
        return Mutation(name, "\n".join(text) + "\n", frozenset(chains - {""}), frozenset(services), what)


Mutator = Callable[[Dump, random.Random], Mutation | None]
MUTATORS: dict[str, Mutator] = {}


def mutator(function: Mutator) -> Mutator:
    MUTATORS[function.__name__] = function
    return function


def pick(rng: random.Random, places: list[int]) -> int | None:
    return rng.choice(places) if places else None


def delete(dump: Dump, rng: random.Random, name: str, wanted: Callable[[Line], bool]) -> Mutation | None:
    place = pick(rng, dump.where(wanted))
    return None if place is None else dump.edited(name, {place: []})


def change(
    dump: Dump, rng: random.Random, name: str, wanted: Callable[[Line], bool], change: Callable[[str], str]
) -> Mutation | None:
    place = pick(
        rng, [place for place in dump.where(wanted) if change(dump.lines[place].text) != dump.lines[place].text]
    )
    return None if place is None else dump.edited(name, {place: [change(dump.lines[place].text)]})


def balancing_rules(dump: Dump, rng: random.Random, at_least: int) -> list[int] | None:
    """The rules of one balancing chain that pick among several endpoints, in order."""
    chains = dump.chains("KUBE-SVC-") + dump.chains("KUBE-SVL-")
    rng.shuffle(chains)
    for chain in chains:
        rules = [
            place
            for place in dump.rules("nat", chain)
            if dump.lines[place].target.startswith("KUBE-SEP-") and "--rcheck" not in dump.lines[place].text
        ]
        if len(rules) >= at_least:
            return rules
    return None


def hook_of(table: str, *chains: str) -> Callable[[Line], bool]:
    return lambda line: line.table == table and line.chain in chains and line.target.startswith("KUBE-")
