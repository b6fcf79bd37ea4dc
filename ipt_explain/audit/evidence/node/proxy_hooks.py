"""The jumps from built-in chains into kube-proxy's."""

from __future__ import annotations

from ipt_explain.analyzers.names import EXTERNAL_SERVICES, FORWARD, NODE_PORTS, POSTROUTING, PROXY_FIREWALL, SERVICES
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.netfilter.hooks import is_built_in
from ipt_explain.records import Record

_TARGETS = frozenset({SERVICES, EXTERNAL_SERVICES, NODE_PORTS, POSTROUTING, FORWARD, PROXY_FIREWALL})


class ProxyHook(Record):
    """A jump from a built-in chain to one of kube-proxy's chains."""

    table: str
    chain: str
    target: str


@fact
def proxy_hooks(context: RulesetContext) -> tuple[ProxyHook, ...]:
    """The jumps that a ruleset has, each once, in the order of the text."""
    found = {
        ProxyHook(name, chain.name, rule.target): None
        for name, table in context.ruleset.tables.items()
        for chain in table.chains.values()
        if is_built_in(name, chain.name)
        for rule in chain.rules
        if rule.target in _TARGETS
    }
    return tuple(found)
