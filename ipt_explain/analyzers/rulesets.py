"""A summary of a ruleset: which proxy wrote it, in which mode, with which mark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ipt_explain.analyzers.names import (
    BACKEND_HINT,
    FIREWALL,
    KUBELET_CANARY,
    MARK_MASQ,
    NODE_PORTS,
    POSTROUTING,
    SERVICES,
    ChainRole,
    role_of,
    roles_of,
)
from ipt_explain.analyzers.versions import VersionRange
from ipt_explain.model import Chain, Ruleset
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.marks import change_by, mark_test
from ipt_explain.patterns import lazy_pattern
from ipt_explain.services.absence import OTHER_PROXIES
from ipt_explain.services.ports import ProxyMode, RulesetFacts, TableSize

# Chains that only kube-proxy's IPVS mode makes: pkg/proxy/ipvs/proxier.go.
_IPVS_CHAINS = (
    "KUBE-NODE-PORT",
    "KUBE-LOAD-BALANCER",
    "KUBE-IPVS-FILTER",
    "KUBE-IPVS-OUT-FILTER",
    "KUBE-SOURCE-RANGES-FIREWALL",
)
# Its userspace mode, the only one of 1.0, gone in 1.26: pkg/proxy/userspace/proxier.go.
USERSPACE_CHAINS = ("KUBE-PORTALS-CONTAINER", "KUBE-PORTALS-HOST", "KUBE-NODEPORT-CONTAINER", "KUBE-NODEPORT-HOST")
_SIDECAR = "ISTIO_INBOUND"
_KUBELET_CHAINS = (KUBELET_CANARY, BACKEND_HINT, FIREWALL)
_STOPPING = frozenset({"DROP", "REJECT"})
_OF_POLICIES = ("cali-", "CILIUM_", "AZURE-NPM", "WEAVE-NPC")
_NFTABLES_SINCE = (2023, 12)
_FIRST_WITH_NFT = (1, 8)
_RELEASE = lazy_pattern(r" v(\d{1,3})\.(\d{1,3})")


def ruleset_facts(ruleset: Ruleset, version: VersionRange) -> RulesetFacts:
    """Sums up a ruleset."""
    mode, evidence = proxy_mode(ruleset)
    signs = ", ".join(sign for sign in version.evidence if not sign.startswith(evidence))
    return RulesetFacts(
        source=ruleset.source,
        family=ruleset.family,
        backend=ruleset.backend,
        generator=ruleset.generator,
        form=ruleset.form,
        tables={name: TableSize(len(table.chains), table.rule_count) for name, table in ruleset.tables.items()},
        mode=mode,
        version=version.text if mode is ProxyMode.IPTABLES else None,
        evidence=f"{evidence}; {signs}" if signs and mode is ProxyMode.IPTABLES else evidence,
        masquerade_mark=masquerade_mark(ruleset),
        before_nftables=is_before_nftables(ruleset),
        alone=_alone(ruleset) if mode is ProxyMode.IPTABLES and ruleset.fragment else "",
        releases=(version.first, version.last),
    )


def is_before_nftables(ruleset: Ruleset) -> bool:
    """Whether a ruleset was saved before kube-proxy 1.29 brought its nftables mode (December 2023), or by an iptables
    before 1.8, the first with an nft backend: no node with such an iptables has Linux 5.13, which the mode needs."""
    if ruleset.saved is not None and ruleset.saved < _NFTABLES_SINCE:
        return True
    found = _RELEASE.search(ruleset.generator) if ruleset.generator else None
    return found is not None and (int(found[1]), int(found[2])) < _FIRST_WITH_NFT


def chains_from(ruleset: Ruleset, table: str, start: str, but: str | None = None) -> Iterator[Chain]:
    """A chain of a table and those that it leads to, each once, but none whose name begins with `but`."""
    reached, waiting = {start}, [start]
    while waiting:
        chain = ruleset.chain(table, waiting.pop())
        if chain is not None:
            yield chain
            for number in range(len(chain.layout.shapes)):
                name = chain.target_of(number)
                if name is not None and name not in reached and not (but and name.startswith(but)):
                    reached.add(name)
                    waiting.append(name)


def may_stop(chain: Chain) -> bool:
    """Whether a chain other than kube-proxy's drops or refuses anything."""
    return not chain.name.startswith("KUBE-") and (
        chain.policy == "DROP"
        or any(shape.target is not None and shape.target.name in _STOPPING for shape in chain.layout.shapes)
    )


def stopping(rulesets: Sequence[Ruleset]) -> tuple[bool, bool]:
    """Whether chains stop packets to others, or only to the node itself. Does not count kube-proxy's chains and those
    of NetworkPolicy engines, whose work that is."""

    def stops(hooks: Iterable[Hook]) -> bool:
        return any(
            may_stop(chain) and not chain.name.startswith(_OF_POLICIES)
            for ruleset in rulesets
            for hook in hooks
            for table in ("raw", "mangle", "filter", "security")
            for chain in chains_from(ruleset, table, hook.value)
        )

    return stops((Hook.PREROUTING, Hook.FORWARD, Hook.POSTROUTING)), stops((Hook.INPUT,))


def _alone(ruleset: Ruleset) -> str:
    """The endpoints in a fragment that shows no other chain of a Service."""
    nat = ruleset.tables.get("nat")
    if nat is None or roles_of(nat.chains) != {ChainRole.ENDPOINT}:
        return ""
    from ipt_explain.analyzers.iptables.alone import endpoints_alone

    return endpoints_alone(ruleset)


def masquerade_mark(ruleset: Ruleset) -> tuple[int, int] | None:
    """Value and mask of the masquerade mark: from KUBE-MARK-MASQ, which sets it, or else from KUBE-POSTROUTING, which
    tests it; None if the text has neither."""
    for rule in ruleset.rules("nat", MARK_MASQ):
        change = change_by(rule)
        if change is not None and change.flip:
            return change.flip, change.clear
    # kube-proxy 1.1 tested its mark in POSTROUTING itself.
    for rule in (*ruleset.rules("nat", POSTROUTING), *ruleset.rules("nat", "POSTROUTING")):
        test = mark_test(rule)
        kube = rule.chain == POSTROUTING
        if test is not None and (kube or rule.comment == "kubernetes service traffic requiring SNAT"):
            return test.mark.value, test.mark.mask
    return None


def proxy_mode(ruleset: Ruleset) -> tuple[ProxyMode | None, str]:
    """The mode of the kube-proxy that wrote a ruleset, None if none did, and the evidence."""

    def present(names: Iterable[str]) -> list[str]:
        return [name for name in names if ruleset.has_chain(name)]

    nat = ruleset.tables.get("nat")
    hashed = next((name for name in (nat.chains if nat is not None else ()) if role_of(name) is not None), None)
    of_ipvs = present(_IPVS_CHAINS)
    if of_ipvs and hashed is None:
        return (
            ProxyMode.IPVS,
            f"{of_ipvs[0]}, and no chain per Service: in IPVS mode, Services are in ipsets and IPVS",
        )
    if _matches_kube_sets(ruleset) and (hashed is None or _leads_to_none(ruleset)):
        return (
            ProxyMode.IPVS,
            "KUBE-SERVICES matches ipsets: in IPVS mode, Services are in ipsets and IPVS",
        )
    if hashed is not None:
        return ProxyMode.IPTABLES, f"{role_label(hashed)} chains"
    if present((SERVICES, NODE_PORTS)):
        return ProxyMode.IPTABLES, "KUBE-SERVICES"
    userspace = present(USERSPACE_CHAINS)
    if userspace:
        from ipt_explain.services.absence import IN_USERSPACE

        return None, IN_USERSPACE
    other = _other_proxy(ruleset)
    if other:
        return None, other
    kubelet = present(_KUBELET_CHAINS)
    if kubelet:
        return (
            None,
            f"only kubelet's chains ({', '.join(kubelet)}): kube-proxy is stopped"
            + (" or replaced" if is_before_nftables(ruleset) else ", replaced, or in nftables mode"),
        )
    if nat is not None and _SIDECAR in nat.chains and not any(name.startswith("KUBE-") for name in nat.chains):
        from ipt_explain.services.absence import IN_POD

        return None, IN_POD
    return None, ""


def _other_proxy(ruleset: Ruleset) -> str:
    """The program that serves Services without kube-proxy, as its chains show; "" if none does."""
    names = [name for table in ruleset.tables.values() for name in table.chains]
    for prefix, said in OTHER_PROXIES.items():
        if any(name.startswith(prefix) for name in names):
            return said
    return ""


def role_label(chain: str) -> str:
    """`KUBE-SVC` for any KUBE-SVC-… chain."""
    role = role_of(chain)
    return chain if role is None else role.value.rstrip("-")


def _leads_to_none(ruleset: Ruleset) -> bool:
    """Whether these chains of Services are leftovers of iptables mode: no rule looks them up."""
    lookups = (ruleset.chain("nat", name) for name in (SERVICES, NODE_PORTS))
    return not any(
        role_of(rule.target or "") is not None for chain in lookups if chain is not None for rule in chain.rules
    )


def _matches_kube_sets(ruleset: Ruleset) -> bool:
    chain = ruleset.chain("nat", SERVICES)
    if chain is None:
        return False
    for number in range(min(len(chain.layout), 50)):
        name = chain.rule(number).match("set", "--match-set")
        if name is not None and name.startswith("KUBE-"):
            return True
    return False
