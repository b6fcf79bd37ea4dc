"""A ruleset summed up in a few lines, or why it has no services."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.model import Backend, Form
from ipt_explain.render.text.outline import Node, Span, sentence
from ipt_explain.render.text.safe import escape
from ipt_explain.services.ports import ProxyMode, RulesetFacts, ServicePort
from ipt_explain.words.counts import counted
from ipt_explain.words.families import family_name, source_name

_FORMS = {
    Form.FRAGMENT: "fragment: what is not in it (chains, hooks, other rules) is unknown, not missing",
    Form.RESTORE: "input for iptables-restore --noflush: the kernel may hold chains that it does not mention",
    Form.COLUMNS: "iptables -L: what it does not print (other chains, -i and -o without -v) is unknown, not missing",
    Form.LISTING: "iptables -S: what other tables do is unknown",
}


# Most important tables first.
_TABLE_ORDER = ("nat", "filter", "mangle", "raw", "security")


def header(ruleset: RulesetFacts) -> list[Node]:
    """The lines above a ruleset's services."""
    lines = [_origin(ruleset), _proxy(ruleset), _sizes(ruleset)]
    if ruleset.form in _FORMS:
        lines.append(sentence(_FORMS[ruleset.form], "unknown"))
    return [Node(words, hang=2) for words in lines if words]


def _origin(ruleset: RulesetFacts) -> list[Span]:
    words = [escape(source_name(ruleset.source)), family_name(ruleset.family.value)]
    if ruleset.generator is not None:
        words.append(escape(ruleset.generator))
    elif ruleset.backend is not None:
        words.append(f"{ruleset.backend.value} backend")
    return _dotted(words, "title")


def _proxy(ruleset: RulesetFacts) -> list[Span]:
    """The kube-proxy that wrote the rules, with the evidence."""
    if ruleset.mode is None or (ruleset.mode is ProxyMode.IPVS and ruleset.backend is not Backend.IPVS):
        return []
    version = f", {escape(ruleset.version)}" if ruleset.version else ""
    signs = f" (by {escape(ruleset.evidence)})" if ruleset.evidence else ""
    return sentence(f"kube-proxy in {ruleset.mode.value} mode{version}{signs}")


def _sizes(ruleset: RulesetFacts) -> list[Span]:
    words = []
    if ruleset.tables:
        tables = sorted(ruleset.tables, key=lambda name: (*_TABLE_ORDER, name).index(name))
        counts = [f"{ruleset.tables[name].rules:,}" for name in tables]
        counts[0] = counted(counts[0], "rule")
        words.append(", ".join(f"{escape(name)} {count}" for name, count in zip(tables, counts)))
    if ruleset.masquerade_mark is not None:
        words.append(f"masquerade mark {mark_words(*ruleset.masquerade_mark)}")
    return _dotted(words)


def found(services: Sequence[ServicePort]) -> Node:
    """The number of service ports and endpoints."""
    endpoints = sum(len(service.endpoints) for service in services)
    ports = counted(len(services), "service port")
    nameless = services[0].backend is Backend.IPVS and not any(service.name for service in services)
    names = " without names (IPVS stores none; --objects adds them)" if nameless else ""
    return Node(sentence(f"{ports}, {counted(endpoints, 'endpoint')}{names}"))


def mark_words(value: int, mask: int) -> str:
    """`0x4000`, with the mask if it differs."""
    return f"{value:#x}" if value == mask else f"{value:#x}/{mask:#x}"


def nothing(ruleset: RulesetFacts) -> Node:
    """Why a ruleset has no Services."""
    from ipt_explain.services.absence import NO_SERVICE, reason

    return Node(sentence(f"{NO_SERVICE}: {escape(reason(ruleset))}.", "unknown"))


def _dotted(words: Sequence[str], first_style: str = "") -> list[Span]:
    return [(f" · {word}" if index else word, "" if index else first_style) for index, word in enumerate(words)]
