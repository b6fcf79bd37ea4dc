"""Tables from rule lines, for tests of the chain graph."""

from __future__ import annotations

from ipt_explain.graph.chains import ChainGraph
from ipt_explain.model import Ruleset
from ipt_explain.parsing import read_dump


def ruleset(text: str) -> Ruleset:
    """The only ruleset of a dump."""
    (found,) = read_dump(text).rulesets
    return found


def graph(text: str, table: str = "nat") -> ChainGraph:
    """The graph of one table of a dump."""
    rules = ruleset(text)
    return ChainGraph.of(rules.tables[table], rules.form)


def nat(*rules: str) -> ChainGraph:
    """The graph of a complete nat table: hooks, the rules, and their chains."""
    hooks = ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")
    chains = dict.fromkeys(rule.split()[1] for rule in rules)
    lines = ["*nat", *(f":{hook} ACCEPT [0:0]" for hook in hooks)]
    lines += [f":{chain} - [0:0]" for chain in chains if chain not in hooks]
    return graph("\n".join([*lines, *rules, "COMMIT", ""]))
