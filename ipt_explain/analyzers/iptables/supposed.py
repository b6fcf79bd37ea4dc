"""kube-proxy chains that a fragment leads to but does not show: they are assumed to do their usual work.

Facts: pkg/proxy/iptables/proxier.go (KUBE-POSTROUTING as since 1.18), pkg/kubelet/kubelet_network_linux.go up to 1.26
(KUBE-MARK-DROP). Marks are those of --iptables-masquerade-bit 14 and --iptables-drop-bit 15 unless the text shows
others.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from ipt_explain.analyzers.iptables.gaps import without_gaps
from ipt_explain.analyzers.names import (
    EXTERNAL_SERVICES,
    FIREWALL,
    FORWARD,
    MARK_DROP,
    MARK_MASQ,
    NODE_PORTS,
    POSTROUTING,
    PROXY_FIREWALL,
    SERVICES,
)
from ipt_explain.analyzers.rulesets import masquerade_mark
from ipt_explain.model import Chain, Extent, Ruleset, Table
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.walk.unshown import unreached_chains
from ipt_explain.parsing.iptables.rule_reader import read_rules
from ipt_explain.records import replace

_USUAL_MARK = (0x4000, 0x4000)
_DROP_MARK = 0x8000
# Which of kube-proxy's and kubelet's chains each hook leads to.
_LED_TO: dict[str, dict[str, tuple[str, ...]]] = {
    "nat": {"PREROUTING": (SERVICES,), "OUTPUT": (SERVICES,), "POSTROUTING": (POSTROUTING,)},
    "filter": {
        "INPUT": (PROXY_FIREWALL, NODE_PORTS, EXTERNAL_SERVICES, FIREWALL),
        "FORWARD": (PROXY_FIREWALL, FORWARD, SERVICES, EXTERNAL_SERVICES),
        "OUTPUT": (PROXY_FIREWALL, SERVICES, FIREWALL),
    },
}

# Those of filter whose rules are all for Services' addresses.
_FOR_SERVICES = (PROXY_FIREWALL, NODE_PORTS, SERVICES, EXTERNAL_SERVICES)


def with_supposed_chains(ruleset: Ruleset) -> tuple[Ruleset, tuple[str, ...]]:
    """A fragment with the kube-proxy chains that it leads to but does not show, without shares that depend on rules it
    does not show; and what was assumed, in words. Any other ruleset is returned as it is.

    Assumed rules have line 0.
    """
    ruleset = without_gaps(ruleset)
    notes: list[str] = []
    tables = dict(ruleset.tables)
    for name in ("nat", "filter"):
        table = tables.get(name)
        if table is None or not table.chains or (table.whole and not ruleset.fragment):
            continue
        added = _marking(ruleset, table, notes) if name == "nat" else _refusing(table, notes)
        for hook, chains in _LED_TO[name].items():
            found = _hook(table, hook, chains, notes)
            if found is not None and hook not in added:
                added[hook] = found
        if added:
            tables[name] = replace(table, chains={**table.chains, **added})
    if not notes:
        return ruleset, ()
    return replace(ruleset, tables=tables), tuple(notes)


def _marking(ruleset: Ruleset, nat: Table, notes: list[str]) -> dict[str, Chain]:
    """The chains that mark packets, and those that masquerade packets with that mark."""
    called = _called(nat)
    value, mask = masquerade_mark(ruleset) or _USUAL_MARK
    added: dict[str, Chain] = {}
    for name, bits in ((MARK_MASQ, value), (MARK_DROP, _DROP_MARK)):
        if name in called and _lacks(nat.chains.get(name)):
            added[name] = _chain(f"-A {name} -j MARK --set-xmark {bits:#x}/{bits:#x}")
            notes.append(f"{name}, which this input does not show, sets mark {bits:#x}")
    out = Hook.POSTROUTING.value
    known = nat.chains.get(POSTROUTING)
    if out not in nat.chains and (MARK_MASQ in called or known is not None):
        if known is None or _half(known):
            added[POSTROUTING] = _usual_postrouting(value, mask)
        added[out] = _chain(f"-A {out} -j {POSTROUTING}")
        notes.append(f"nat {out}, which this input does not show, masquerades packets with mark {value:#x}")
    elif known is not None and _half(known):
        added[POSTROUTING] = _usual_postrouting(value, mask)
        notes.append(f"{POSTROUTING}, which this input shows in part, masquerades packets with mark {value:#x}")
    return added


def _refusing(table: Table, notes: list[str]) -> dict[str, Chain]:
    """kube-proxy's chains of filter that a text shows in part, completed by what is known about the missing rules: they
    are for addresses of Services, which packets no longer have once nat has sent them to an endpoint."""
    found = {}
    for name in _FOR_SERVICES:
        chain = table.chains.get(name)
        if chain is not None and chain.layout.shapes and chain.extent is not Extent.WHOLE:
            rules = (*_chain(f"-A {name} -m conntrack --ctstate DNAT -j RETURN").rules, *chain.rules)
            found[name] = Chain.of(name, rules, chain.policy, chain.line, chain.counters, chain.extent, chain.ordered)
            notes.append(f"{name}, which this input shows in part, stops nothing that nat has sent to an endpoint")
    return found


def _usual_postrouting(value: int, mask: int) -> Chain:
    return _chain(
        f"-A {POSTROUTING} -m mark ! --mark {value:#x}/{mask:#x} -j RETURN",
        f"-A {POSTROUTING} -j MARK --set-xmark {value:#x}/0x0",
        f"-A {POSTROUTING} -j MASQUERADE",
    )


def _hook(table: Table, hook: str, chains: Sequence[str], notes: list[str]) -> Chain | None:
    """A built-in chain that a text shows in part or not at all, with the jumps to kube-proxy's chains; None if it is
    shown completely, or has them. The walker assumes that a hook without any rule shown leads to every chain that
    nothing else leads to."""
    known = table.chains.get(hook)
    own = set() if known is None else {known.target_of(number) for number in range(len(known.layout))}
    missing = [name for name in chains if name not in own and not _lacks(table.chains.get(name))]
    if not missing or (known is not None and known.extent is Extent.WHOLE):
        return None
    uncalled = (known is None or not known.layout.shapes) and _called(table).isdisjoint(missing)
    if uncalled and (table.name != "filter" or any(c.name not in _FOR_SERVICES for c in unreached_chains(table))):
        return None
    shown = "does not show" if known is None else "shows a part of"
    notes.append(f"{table.name} {hook}, which this input {shown}, leads to {', '.join(missing)}")
    rules = _chain(*[f"-A {hook} -j {name}" for name in missing]).rules
    if known is None:
        return Chain.of(hook, rules, extent=Extent.SOME)
    return Chain.of(
        hook, (*rules, *known.rules), known.policy, known.line, known.counters, known.extent, known.ordered
    )


def _called(table: Table) -> set[str | None]:
    return {chain.target_of(number) for chain in table.chains.values() for number in range(len(chain.layout))}


def _lacks(chain: Chain | None) -> bool:
    """Whether the input shows none of a chain's rules."""
    return chain is None or (not chain.layout.shapes and chain.extent is not Extent.WHOLE)


def _half(chain: Chain) -> bool:
    """Whether the input shows only part of KUBE-POSTROUTING: no MASQUERADE, or none that matches the mark."""
    if chain.extent is Extent.WHOLE:
        return False
    asked = False
    for shape in chain.layout.shapes:
        asked = asked or shape.has_match("mark")
        if shape.target is not None and shape.target.name == "MASQUERADE":
            return not asked
    return True


@lru_cache(maxsize=64)
def _chain(*lines: str) -> Chain:
    """A chain with these rules."""
    return Chain.of(lines[0].split(" ")[1], read_rules(lines))
