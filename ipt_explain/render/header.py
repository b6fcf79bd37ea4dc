"""A ruleset summed up in a few lines, and why it holds no services where it holds none."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.analyzers.facts import ProxyMode, RulesetFacts, ServicePort
from ipt_explain.model import Family, Form
from ipt_explain.render.english.wording import plural
from ipt_explain.render.outline import Node, Span
from ipt_explain.render.safe import escape

_FAMILIES = {Family.IPV4: "IPv4", Family.IPV6: "IPv6"}

_FORMS = {
    Form.FRAGMENT: "fragment: what is not in it (chains, hooks, other rules) is unknown, not missing",
    Form.RESTORE: "input for iptables-restore --noflush: the kernel may hold chains that it does not mention",
    Form.LISTING: "iptables -S: what other tables do is unknown",
}


def header(ruleset: RulesetFacts, services: Sequence[ServicePort]) -> list[Node]:
    """The lines above a ruleset's services."""
    lines = [_origin(ruleset), _sizes(ruleset, services)]
    if ruleset.form in _FORMS:
        lines.append(_sentence(_FORMS[ruleset.form], "unknown"))
    if ruleset.mode is ProxyMode.IPTABLES and ruleset.evidence:
        lines.append(_sentence(f"recognised by {escape(ruleset.evidence)}", "note"))
    return [Node(words, hang=2) for words in lines if words]


def _origin(ruleset: RulesetFacts) -> list[Span]:
    words = ["standard input" if ruleset.source == "-" else escape(ruleset.source), _FAMILIES[ruleset.family]]
    if ruleset.generator is not None:
        words.append(escape(ruleset.generator))
    elif ruleset.backend is not None:
        words.append(f"{ruleset.backend.value} backend")
    if ruleset.mode is not None:
        version = f", {ruleset.version}" if ruleset.version else ""
        words.append(f"kube-proxy in {ruleset.mode.value} mode{version}")
    return _dotted(words, "title")


def _sizes(ruleset: RulesetFacts, services: Sequence[ServicePort]) -> list[Span]:
    sizes = [f"{escape(name)} {size.rules:,}" for name, size in ruleset.tables.items()]
    words = []
    if sizes:
        sizes[0] = f"{sizes[0]} rules"
        words.append(", ".join(sizes))
    if services:
        endpoints = sum(len(service.endpoints) for service in services)
        ports = plural(f"{len(services):,}", "service port")
        words.append(f"{ports}, {plural(f'{endpoints:,}', 'endpoint')}")
    if ruleset.masquerade_mark is not None:
        words.append(f"masquerade mark {mark_words(*ruleset.masquerade_mark)}")
    return _dotted(words)


def mark_words(value: int, mask: int) -> str:
    """`0x4000`, with the mask where it is another."""
    return f"{value:#x}" if value == mask else f"{value:#x}/{mask:#x}"


def nothing(ruleset: RulesetFacts) -> Node:
    """Why a ruleset holds no services."""
    return Node(_sentence(_reason(ruleset), "unknown"))


def _reason(ruleset: RulesetFacts) -> str:
    if ruleset.mode is ProxyMode.IPVS:
        return f"No service to show. {escape(ruleset.evidence)}: `ipvsadm -Ln` and `ipset list` show them."
    if ruleset.mode is ProxyMode.IPTABLES:
        return "No service to show: kube-proxy's chains are here, but they lead to no service port."
    if ruleset.form in (Form.FRAGMENT, Form.RESTORE):
        return "No service to show: none of these rules belongs to kube-proxy's KUBE-SERVICES, KUBE-NODEPORTS or KUBE-SVC."
    nftables = "In nftables mode, `nft list table ip kube-proxy` (or ip6) shows its services."
    if ruleset.evidence:
        return f"No service to show: {escape(ruleset.evidence)}. {nftables}"
    if not any(size.rules for size in ruleset.tables.values()):
        return f"No service to show: there are no rules at all, as where kube-proxy never ran or does without iptables. {nftables}"
    return f"No service to show: these are no rules of kube-proxy. {nftables}"


def _dotted(words: Sequence[str], first_style: str = "") -> list[Span]:
    return [(f" · {word}" if index else word, "" if index else first_style) for index, word in enumerate(words)]


def _sentence(text: str, style: str = "") -> list[Span]:
    return [(f" {word}" if index else word, style) for index, word in enumerate(text.split(" "))]
