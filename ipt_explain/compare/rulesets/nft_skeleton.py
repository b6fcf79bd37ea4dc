"""nftables' rules of one family without Services, as a skeleton like those of iptables: base chains count as built-in,
kube-proxy's table has the hooks and the chains that serve all Services, other tables are foreign."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.analyzers.nftables.tables import TABLE
from ipt_explain.compare.rulesets.skeleton import ForeignChain, Place, PlacedRule, Skeleton
from ipt_explain.model import Family, nft
from ipt_explain.model.nft.printing import rule_text


def nft_skeleton(ruleset: nft.Ruleset, family: Family) -> Skeleton:
    """The skeleton of the tables that a family's packets pass, except those of iptables-nft."""
    policies: dict[Place, str] = {}
    built_in: dict[Place, tuple[PlacedRule, ...]] = {}
    system: dict[Place, tuple[str, ...]] = {}
    foreign: dict[Place, ForeignChain] = {}
    for table, chain in _chains(ruleset, family):
        place = (f"{table.family.value} {table.name}", chain.name)
        rules = tuple(rule_text(rule.statements, None) for rule in chain.rules)
        if chain.base is not None and chain.base.policy == "drop":
            policies[place] = "DROP"
        if table.name == TABLE and table.family is not nft.TableFamily.INET:
            if chain.base is not None:
                built_in[place] = tuple(PlacedRule(None, text) for text in (_hooked(chain.base), *rules))
            elif rules and "/" not in chain.name:  # only names of Services' chains have a slash
                system[place] = rules
        elif rules:
            foreign[place] = ForeignChain(f"table {place[0]}", (*([_hooked(chain.base)] if chain.base else ()), *rules))
    return Skeleton(not ruleset.fragment, policies, built_in, system, foreign)


def _chains(ruleset: nft.Ruleset, family: Family) -> Iterator[tuple[nft.Table, nft.Chain]]:
    for table in ruleset.tables.values():
        if table.family.sees(family) and not table.xtables and not table.dormant:
            for chain in table.chains.values():
                yield table, chain


def _hooked(base: nft.BaseChain) -> str:
    """Where the kernel enters a base chain."""
    return f"type {base.type} hook {base.hook} priority {base.priority}"
