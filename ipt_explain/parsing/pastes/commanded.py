"""Commands that change rules, next to outputs that show what the rules are."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.parsing.iptables.assembly import TableBuilder


def leave_out_shown(commanded: Sequence[TableBuilder], sections: Sequence[TableBuilder]) -> list[int]:
    """Takes out of sections that commands make the chains that outputs among all `sections` declare: a text tells what
    its author tried or advises, an output what the node has. Returns the lines of the rules that are gone."""
    made = set(map(id, commanded))
    shown = {
        (section.name, chain)
        for section in sections
        if id(section) not in made
        for chain in section.chains
        if section.declares(chain)
    }
    gone: list[int] = []
    for each in commanded:
        chains = {chain for chain in each.chains if (None, chain) in shown or (each.name, chain) in shown}
        if chains:
            gone += [rule.line for rule in each.rules() if rule.chain in chains]
            for chain in chains:
                del each.chains[chain]
    return sorted(gone)
