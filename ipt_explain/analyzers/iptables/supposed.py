"""Chains of kube-proxy that a fragment leads to but does not show: they are supposed to do their usual work.

Facts: pkg/proxy/iptables/proxier.go (KUBE-POSTROUTING as since 1.18), pkg/kubelet/kubelet_network_linux.go up to 1.26
(KUBE-MARK-DROP). Marks are those of --iptables-masquerade-bit 14 and --iptables-drop-bit 15 unless the text says else.
"""

from __future__ import annotations

from functools import lru_cache

from ipt_explain.analyzers.names import MARK_DROP, MARK_MASQ, POSTROUTING
from ipt_explain.analyzers.rulesets import masquerade_mark
from ipt_explain.model import Chain, Rule, Ruleset
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.records import replace

_USUAL_MARK = (0x4000, 0x4000)
_DROP_MARK = 0x8000


def with_supposed_chains(ruleset: Ruleset) -> tuple[Ruleset, tuple[str, ...]]:
    """A fragment with the chains that it must lead to, and what was supposed; any other ruleset as it is.

    Rules that are supposed have line 0.
    """
    nat = ruleset.tables.get("nat")
    if not ruleset.fragment or nat is None or not nat.chains:
        return ruleset, ()
    called = {chain.target_of(number) for chain in nat.chains.values() for number in range(len(chain.layout))}
    value, mask = masquerade_mark(ruleset) or _USUAL_MARK
    added: dict[str, Chain] = {}
    notes: list[str] = []
    for name, bits in ((MARK_MASQ, value), (MARK_DROP, _DROP_MARK)):
        if name in called and name not in nat.chains:
            added[name] = _chain(f"-A {name} -j MARK --set-xmark {bits:#x}/{bits:#x}")
            notes.append(f"{name}, which this input does not show, sets mark {bits:#x}")
    out = Hook.POSTROUTING.value
    if out not in nat.chains and (MARK_MASQ in called or POSTROUTING in nat.chains):
        if POSTROUTING not in nat.chains:
            added[POSTROUTING] = _chain(
                f"-A {POSTROUTING} -m mark ! --mark {value:#x}/{mask:#x} -j RETURN",
                f"-A {POSTROUTING} -j MARK --set-xmark {value:#x}/0x0",
                f"-A {POSTROUTING} -j MASQUERADE",
            )
        added[out] = _chain(f"-A {out} -j {POSTROUTING}")
        notes.append(f"nat {out}, which this input does not show, masquerades what has mark {value:#x}")
    if not added:
        return ruleset, ()
    table = replace(nat, chains={**nat.chains, **added})
    return replace(ruleset, tables={**ruleset.tables, "nat": table}), tuple(notes)


@lru_cache(maxsize=64)
def _chain(*lines: str) -> Chain:
    """A chain of these rules."""
    from ipt_explain.parsing import read_dump

    name = lines[0].split(" ")[1]
    text = "\n".join(["*nat", f":{name} - [0:0]", *lines, "COMMIT\n"])
    rules = read_dump(text).rulesets[0].tables["nat"].chains[name].rules
    return Chain.of(name, [Rule(rule.shape, rule.values, 0) for rule in rules])
