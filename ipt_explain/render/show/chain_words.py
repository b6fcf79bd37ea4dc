"""A rule in words, with a short description of the chain it leads to: its number of rules and its purpose."""

from __future__ import annotations

from collections.abc import Callable

from ipt_explain.analyzers.names import ChainRole, role_of
from ipt_explain.analyzers.owners.owner import owner_of
from ipt_explain.analyzers.profiles.chains import TablePlace
from ipt_explain.analyzers.profiles.mark_bits import mark_names
from ipt_explain.model import Chain, Command, Rule
from ipt_explain.render.english.glossary import Glossary
from ipt_explain.render.english.rule import RuleWords, RuleWriter
from ipt_explain.words import counted


class ChainWords:
    """Sentences about the rules of one table."""

    def __init__(self, place: TablePlace) -> None:
        self._place = place
        self._folded: dict[str, str] = {}
        writer = RuleWriter(Glossary(mark_names(place.ruleset), self.folded), place.table.chains)
        self.rule: Callable[[Rule], RuleWords] = writer.words

    def folded(self, name: str) -> str:
        """A chain in a few words: `2 rules: DNAT to 10.244.1.9:8080`."""
        if name not in self._folded:
            self._folded[name] = self._fold(name)
        return self._folded[name]

    def _fold(self, name: str) -> str:
        place = self._place
        chain = place.table.chains.get(name)
        if chain is None:
            return "a chain that this input does not show" if place.ruleset.fragment else "a chain that does not exist"
        rules = counted(len(chain.layout), "rule")
        role = role_of(name)
        if role is not None:
            end = self._end(chain, role)
            return f"{rules}: {end}" if end else rules
        owner = owner_of(name, chain.each_rule(), place.table.name)
        return rules if owner is None else f"{rules}: {owner.purpose}"

    def _end(self, chain: Chain, role: ChainRole) -> str:
        """The effect of a Service's chain, instead of its purpose, which is always the same."""
        if role is ChainRole.ENDPOINT:
            addresses = [rule.target_value("--to-destination") for rule in chain.each_rule()]
            return "".join(f"DNAT to {address}" for address in addresses if address is not None)
        if role is ChainRole.FIREWALL:
            return "source ranges"
        if role is ChainRole.EXTERNAL:
            return "from outside"
        targets = self._place.graph.targets_of(chain.name)
        endpoints = sum(role_of(target) is ChainRole.ENDPOINT for target in targets)
        return counted(endpoints, "endpoint")


def purpose_by_name(chain: str) -> str | None:
    """A chain's purpose, by its name alone."""
    owner = owner_of(chain)
    return None if owner is None else owner.purpose


def line_notes(rule: Rule) -> list[str]:
    """Notes from a rule's line: its command unless that appends, and its counters."""
    notes: list[str] = []
    if rule.shape.command is Command.APPEND and rule.counters is None:
        return notes
    number = "" if rule.shape.rulenum_slot is None else f" {rule.word(rule.shape.rulenum_slot)}"
    if rule.shape.command is Command.DELETE:
        notes.append(f"this line deletes rule{number}" if number else "this line deletes such a rule")
    elif rule.shape.command is Command.INSERT:
        notes.append(f"inserted as rule{number or ' 1'}")
    elif rule.shape.command is Command.REPLACE:
        notes.append(f"replaces rule{number}")
    if rule.counters is not None:
        packets, size = rule.counters.packets, rule.counters.bytes
        notes.append(f"{counted(packets, 'packet')}, {counted(size, 'byte')}")
    return notes
